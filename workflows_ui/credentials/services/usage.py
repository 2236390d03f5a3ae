"""The use of a workspace's credentials: the people for whom each acts, and the flows that were launched with it recently."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import LaunchRight, Member, Workspace
from workflows_ui.members.services import access

#: Days over which launches are counted.
RECENT = timedelta(days=30)
#: The most flows that are listed.
MOST_FLOWS = 10


def acts_for(workspace: Workspace) -> Mapping[uuid.UUID, list[User]]:
    """The people for whom each credential of a workspace acts, by the rule of access.acting; by name. Always four queries.

    Only people with access to the workspace: a credential shared with a team does not act for its members without access.
    """
    now = timezone.now()
    options: dict[int, list[Credential]] = defaultdict(list)
    of_team: dict[int, list[Credential]] = defaultdict(list)
    credentials = {row.pk: row for row in Credential.objects.filter(workspace=workspace)}
    for row in credentials.values():
        if row.is_own(row.owner_id):
            options[row.owner_id].append(row)
    for share in sharing.genuine(credential__workspace=workspace):
        if share.credential_id in credentials:
            of_team[share.team_id].append(credentials[share.credential_id])
    grants = Member.objects.filter(workspace=workspace), LaunchRight.objects.letting_in(now).filter(workspace=workspace)
    has_access = Q()
    for rows in grants:
        has_access |= Q(pk__in=rows.exclude(user=None).values("user")) | Q(
            groups__in=rows.exclude(team=None).values("team")
        )
    people = {person.pk: person for person in User.objects.filter(has_access, is_active=True).distinct()}
    teams = Group.objects.filter(pk__in=of_team, user__in=people).values_list("user", "pk")
    for pk, team in teams:
        options[pk] += of_team[team]
    users: dict[uuid.UUID, list[User]] = defaultdict(list)
    for pk, person in people.items():
        ranks = {access.rank(row, now, own=row.is_own(pk)): row for row in options[pk]}
        if ranks:
            users[ranks[max(ranks)].pk].append(person)
    return {pk: sorted(used, key=lambda person: sort_key(person.label)) for pk, used in users.items()}


def recent_launches() -> Count:
    """For `annotate`: the number of launches with a credential within `RECENT`."""
    return Count("launches", filter=Q(launches__asked_at__gte=timezone.now() - RECENT))


def flows(credential: Credential) -> list[dict[str, Any]]:
    """Id, last name and number of launches of the flows launched with a credential within `RECENT`, the most launched first."""
    rows = credential.launches.filter(asked_at__gte=timezone.now() - RECENT).values("flow_id")
    counted = rows.annotate(count=Count("pk"), name=Max("flow_name")).order_by("-count", F("flow_id"))[:MOST_FLOWS]
    return [{"id": row["flow_id"], "name": row["name"] or row["flow_id"], "count": row["count"]} for row in counted]

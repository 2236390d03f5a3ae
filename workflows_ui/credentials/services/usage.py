"""The use of a workspace's credentials: the people for whom each acts, and what was done with it."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import LaunchRight, Member, Workspace
from workflows_ui.members.services import access

#: Days over which launches are counted.
RECENT = timedelta(days=30)
#: The most flows that are listed.
MOST_FLOWS = 10
#: The most uses that are listed; the launches and the audit log, filtered by the credential, have all.
MOST_USES = 20


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


def flows(credential: Credential) -> list[dict[str, object]]:
    """Id, last name and number of launches of the flows launched with a credential within `RECENT`, the most launched first."""
    rows = credential.launches.filter(asked_at__gte=timezone.now() - RECENT).values("flow_id")
    counted = rows.annotate(count=Count("pk"), name=Max("flow_name")).order_by("-count", F("flow_id"))[:MOST_FLOWS]
    return [{"id": row["flow_id"], "name": row["name"] or row["flow_id"], "count": row["count"]} for row in counted]


@dataclass(frozen=True)
class Use:
    """One use of a credential by a person: a launch, or an audited change in the engine, whose row is `event`."""

    at: datetime
    person: str
    name: str
    launch_id: str = ""
    event: AuditEvent | None = None


def uses(credential: Credential) -> list[Use]:
    """Who used a credential for what, the newest first. Two queries.

    Pages that only read the engine are not recorded one by one: `Credential.last_used_at` has the last time.
    """
    launches = credential.launches.exclude(sending_at=None).select_related("user").order_by("-sending_at")[:MOST_USES]
    # Ends of writes repeat the beginning's object, and have no credential.
    events = AuditEvent.objects.filter(workspace=credential.workspace_id, detail__credential=str(credential.pk))
    found = [
        Use(row.sending_at or row.asked_at, row.user.label, row.flow_name or row.flow_id, launch_id=row.pk)
        for row in launches
    ]
    found += [
        Use(row.at, row.user_name, row.object_name or row.object_id, event=row)
        for row in events.order_by("-at", "-pk")[:MOST_USES]
    ]
    return sorted(found, key=lambda use: use.at, reverse=True)[:MOST_USES]

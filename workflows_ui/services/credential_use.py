"""Where the credentials of a workspace are used: whom each acts for now, and which flows were launched with it lately."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group
from django.db.models import Count, F, Max, Q
from django.utils import timezone

from workflows_ui.models import Credential, LaunchRight, Member, User, Workspace
from workflows_ui.services import access

#: Days over which launches are counted.
RECENT = timedelta(days=30)
#: Flows that are named.
MOST_FLOWS = 10


@dataclass(frozen=True)
class FlowUse:
    """A flow that was launched with a credential, by the name it had last, and how often."""

    id: str
    name: str
    count: int


def acts_for(workspace: Workspace) -> Mapping[uuid.UUID, list[User]]:
    """The people whom each credential of a workspace acts for, by the rule of access.acting; by name. Three queries, however many people.

    Only people who have a place in the workspace: a member of a team whose key is here, but who may do nothing here, uses none.
    """
    now = timezone.now()
    own: dict[int, list[Credential]] = defaultdict(list)
    of_team: dict[int, list[Credential]] = defaultdict(list)
    for row in Credential.objects.filter(workspace=workspace):
        if row.owner_id is not None:
            own[row.owner_id].append(row)
        elif row.team_id is not None:
            of_team[row.team_id].append(row)
    places = Member.objects.filter(workspace=workspace), LaunchRight.objects.letting_in(now).filter(workspace=workspace)
    let_in = Q()
    for rows in places:
        let_in |= Q(pk__in=rows.exclude(user=None).values("user")) | Q(
            groups__in=rows.exclude(team=None).values("team")
        )
    people = {person.pk: person for person in User.objects.filter(let_in, is_active=True).distinct()}
    teams = Group.objects.filter(pk__in=of_team, user__in=people).values_list("user", "pk")
    could: dict[int, list[Credential]] = {pk: list(own.get(pk, ())) for pk in people}
    for pk, team in teams:
        could[pk] += of_team[team]
    found: dict[uuid.UUID, list[User]] = defaultdict(list)
    for pk, rows_of in could.items():
        if rows_of:
            found[max(rows_of, key=lambda row: access.rank(row, now)).pk].append(people[pk])
    return {pk: sorted(used, key=lambda person: person.label.casefold()) for pk, used in found.items()}


def recent_launches() -> Count:
    """For `annotate`: how many launches were made with a credential within `RECENT`."""
    return Count("launches", filter=Q(launches__asked_at__gte=timezone.now() - RECENT))


def flows(credential: Credential) -> list[FlowUse]:
    """The flows that were launched with a credential within `RECENT`, the most launched first."""
    rows = credential.launches.filter(asked_at__gte=timezone.now() - RECENT).values("flow_id")
    counted = rows.annotate(count=Count("pk"), name=Max("flow_name")).order_by("-count", F("flow_id"))[:MOST_FLOWS]
    return [FlowUse(row["flow_id"], row["name"] or row["flow_id"], row["count"]) for row in counted]

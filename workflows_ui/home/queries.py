"""The queries of every home page of a workspace, compiled once; people are given by their primary key."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import days as plot_days
from workflows_ui.core.prepared import Prepared, number_of
from workflows_ui.credentials.models import Credential, Health
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launches.models import KEPT, OPEN, SEARCHED_FOR, Launch, State
from workflows_ui.launches.services import launches, statistics
from workflows_ui.members.models import AccessRequest, ColleagueInvitation, InvitationRequest
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState

#: Tasks of one kind that are named, a person's newest launches that are read, and the latest changes of flows among which each flow is
#: named once.
SHOWN, NEWEST, CHANGES = 5, 60, 40
_PERSON = ("user__username", "user__first_name", "user__last_name")
#: Outcomes of writes that changed nothing, and what a line about a change shows.
_NOT_DONE = ("refused", "failed", "not_sent", "not_done")
_CHANGE = ("at", "user_name", "action", "object_type", "object_id", "object_name", *_PERSON)
#: What a line about a launch shows, and its badge.
_LINE = (
    *("flow_id", "flow_name", "state", "reason", "run_status", "misses", "poll_at", "asked_at", "ended_at", "kept"),
    "send_by",
)


class Visible:
    """The queries over the launches that a person may see. Each takes the workspace, and the person unless `everybody`'s are seen."""

    def __init__(self, *, everybody: bool) -> None:
        who = (int,) if everybody else (int, int)

        def rows(workspace: int, *user: int) -> QuerySet[Launch]:
            found = Launch.objects.filter(workspace=workspace)
            return found.filter(user=user[0]) if user else found

        def problems_since(*values: Any) -> QuerySet[Launch]:
            *who, since = values
            return rows(*who).filter(launches.PROBLEM, asked_at__gte=since)

        def days(*values: Any) -> QuerySet[Any, tuple[int, str, int]]:
            return statistics.counts(rows(*values[: len(who)]), *values[len(who) :])

        self.number_in_progress = Prepared(lambda *who: number_of(rows(*who).filter(OPEN)), *who)
        self.number_kept = Prepared(lambda *who: number_of(rows(*who).filter(KEPT)), *who)
        self.problems_since = Prepared(lambda *values: number_of(problems_since(*values)), *who, datetime)
        self.unclear = Prepared(
            lambda *who: number_of(rows(*who).filter(state=State.UNKNOWN).exclude(SEARCHED_FOR)), *who
        )
        #: By day and state (statistics.counts), after the midnights.
        self.days = Prepared(days, *who, *[datetime] * (plot_days.DAYS + 1))


visible_to_builders, own = Visible(everybody=True), Visible(everybody=False)

newest_of_person = Prepared(
    lambda workspace, user: (
        Launch.objects.filter(workspace=workspace, user=user).order_by("-asked_at").only(*_LINE)[:NEWEST]
    ),
    int,
    int,
)
access_requests = Prepared(
    lambda workspace: number_of(AccessRequest.objects.filter(workspace=workspace, decided_at=None)), int
)
#: (invitation, address, end, whether somebody asks to use it with another address) of those that nobody has used, with such a request or
#: with an end between two moments; the next first.
invitations = Prepared(
    lambda workspace, now, until: (
        ColleagueInvitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None)
        .annotate(asked=Exists(InvitationRequest.objects.filter(invitation=OuterRef("pk"), decided_at=None)))
        .filter(Q(asked=True) | Q(expires_at__gt=now, expires_at__lte=until))
        .order_by("expires_at")
        .values_list("pk", "email", "expires_at", "asked")
    ),
    int,
    datetime,
    datetime,
)
#: The credentials that the engine refuses, and those that have ended or end until a moment without being renewed: by name.
credentials_at_risk = Prepared(
    lambda workspace, until: (
        Credential.objects.filter(Q(health=Health.REFUSED) | Q(ends_at__lte=until, renew_at=None), workspace=workspace)
        .order_by("name")
        .only("name", "health", "ends_at")
    ),
    int,
    datetime,
)
#: The writes since a moment of which nobody can say whether they were done, the latest first.
unclear_writes = Prepared(
    lambda workspace, since: (
        UnclearWrite.objects.filter(workspace=workspace, state=WriteState.UNCLEAR, asked_at__gte=since)
        .order_by("-asked_at")
        .only("workspace", "user", "resource", "action", "name", "asked_at", "state")
    ),
    int,
    datetime,
)


@Prepared
def changes_of_flows(workspace: int, since: datetime, actions: list[str]) -> QuerySet[AuditEvent]:
    """The latest of these actions on flows that were done, as far as is known: the beginnings of writes, with the person."""
    rows = AuditEvent.objects.filter(workspace=workspace, action__in=actions, at__gte=since, begun=None)
    rows = rows.exclude(outcome__in=_NOT_DONE).exclude(
        Exists(AuditEvent.objects.filter(begun=OuterRef("pk"), outcome__in=_NOT_DONE))
    )
    return rows.select_related("user").only(*_CHANGE).order_by("-at", "-pk")[:CHANGES]


#: (flow, its name) of the published forms, by name.
forms = Prepared(
    lambda workspace: (
        LaunchForm.objects.filter(workspace=workspace, published__isnull=False)
        .order_by("flow_name", "pk")
        .values_list("flow_id", "flow_name")
    ),
    int,
)

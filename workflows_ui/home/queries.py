"""The queries of every home page of a workspace, compiled once; people are given by their primary key."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from workflows_ui.core import days as plot_days
from workflows_ui.core.prepared import Prepared, number_of
from workflows_ui.credentials.models import Credential, Health
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launches.models import KEPT, OPEN, SEARCHED_FOR, Launch, State
from workflows_ui.launches.services import launches, statistics
from workflows_ui.members.models import AccessRequest

#: Launches in progress, failing credentials, and a person's newest launches that are read.
SHOWN, NEWEST = 5, 60
#: What a line about a launch shows, and its badge.
_LINE = ("flow_id", "flow_name", "state", "reason", "run_status", "misses", "poll_at", "asked_at", "kept", "send_by")
_PERSON = ("user__username", "user__first_name", "user__last_name")


class Visible:
    """The queries over the launches that a person may see. Each takes the workspace, and the person unless `everybody`'s are seen."""

    def __init__(self, *, everybody: bool) -> None:
        who = (int,) if everybody else (int, int)

        def rows(workspace: int, *user: int) -> QuerySet[Launch]:
            found = Launch.objects.filter(workspace=workspace)
            return found.filter(user=user[0]) if user else found

        def in_progress(*who: Any) -> QuerySet[Launch]:
            return rows(*who).filter(OPEN)

        def failed(*values: Any) -> QuerySet[Launch]:
            *who, since = values
            return rows(*who).filter(launches.PROBLEM, asked_at__gte=since)

        def days(*values: Any) -> QuerySet[Any, tuple[int, str, int]]:
            return statistics.counts(rows(*values[: len(who)]), *values[len(who) :])

        self.in_progress = Prepared(
            lambda *who: (
                in_progress(*who).order_by("-asked_at", "-pk").select_related("user").only(*_LINE, *_PERSON)[:SHOWN]
            ),
            *who,
        )
        self.number_in_progress = Prepared(lambda *who: number_of(in_progress(*who)), *who)
        self.number_kept = Prepared(lambda *who: number_of(rows(*who).filter(KEPT)), *who)
        self.failed = Prepared(lambda *values: number_of(failed(*values)), *who, datetime)
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
refused_credentials = Prepared(
    lambda workspace: (
        Credential.objects.filter(workspace=workspace, health=Health.REFUSED).order_by("name").values_list("pk", "name")
    ),
    int,
)
#: (flow, its name) of the published forms, by name.
forms = Prepared(
    lambda workspace: (
        LaunchForm.objects.filter(workspace=workspace, published__isnull=False)
        .order_by("flow_name", "pk")
        .values_list("flow_id", "flow_name")
    ),
    int,
)

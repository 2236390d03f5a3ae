"""Conditions, besides a complete run list without a launch's run, for concluding that the launch has no run."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Q

from workflows_ui.engine import EngineError, NoRoute, NotSent, RateLimited, TooLarge, Unavailable
from workflows_ui.engine.workflows import Workflows
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services.runs import PollSnapshot

log = structlog.get_logger(__name__)

#: A run appears within a second of its launch (recording `webhook_headers_parent_run`). An engine that owes one for longer than
#: this makes none at present: its workers are down or behind. The second value limits how far back that counts.
OWED, OWED_AT_MOST = timedelta(seconds=30), timedelta(days=1)
#: Engines remove old runs: after this time a list without the run proves nothing.
REMEMBERED = timedelta(days=7)


def runs_owed(workspace_id: int, now: datetime) -> bool:
    """Whether the engine accepted a launch some time ago and shows no run of it or of any later launch.

    Other launches may then be in its queue too. Reads the database.
    """
    sent = Launch.objects.filter(workspace_id=workspace_id, sending_at__gt=now - OWED_AT_MOST)
    promised = Q(state=State.ACCEPTED) | Q(state=State.UNKNOWN, reason=Reason.NO_RUN)
    owed = sent.filter(promised, run_id="", sending_at__lt=now - OWED).order_by("-sending_at").first()
    return owed is not None and not sent.filter(sending_at__gt=owed.sending_at).exclude(run_id="").exists()


def find_unprovable(
    call_engine: Callable[[Callable[[Workflows], Any]], Any],
    missing: Iterable[Launch],
    snapshot: PollSnapshot,
    *,
    owed: bool,
) -> None:
    """Record in `snapshot` which of the `missing` launches, about to be given up, no complete list proves anything about.

    The runs of a deleted flow are deleted with it, and a credential that cannot see a flow gets lists without its runs: `call_engine`
    makes a call with the credential that read the lists. While the engine owes runs (`owed`), nothing is proved at present.
    """
    launches = list(missing)
    visible = {flow_id: _is_visible(call_engine, flow_id) for flow_id in {launch.flow_id for launch in launches}}
    for launch in launches:
        if visible[launch.flow_id] is None or (owed and launch.state == State.UNKNOWN):
            snapshot.postponed.add(launch.pk)
        if visible[launch.flow_id] is False:
            snapshot.unprovable.add(launch.pk)


def _is_visible(call_engine: Callable[[Callable[[Workflows], Any]], Any], flow_id: str) -> bool | None:
    """Whether the engine shows the flow; None if that could not be determined."""
    try:
        call_engine(lambda w: w.get_flow(flow_id))
    except TooLarge:
        return True
    except EngineError as problem:
        log.info("follow.flow_not_shown", flow=flow_id, error=type(problem).__name__)
        return None if isinstance(problem, NoRoute | NotSent | RateLimited | Unavailable) else False
    return True

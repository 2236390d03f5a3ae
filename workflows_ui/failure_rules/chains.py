"""Whether a rule led to a failure: then it starts no flow, or a failing handler would be started for ever.

A run belongs to the chain of a rule if the rule launched it, if it repeats such a run, or if such a run started it, at any distance. The
launches of all rules of all workspaces count: two workspaces may be on one project, and each have a rule.
"""

from datetime import datetime, timedelta
from enum import Enum

from django.db.models import Q

from workflows_ui.failure_rules.models import Failure, FailureAction
from workflows_ui.launches.models import UNSENT, Launch, RunRetry, State
from workflows_ui.run_index.models import IndexedRun

#: Runs that are followed from one to the run that started it; a longer chain counts as one of a rule.
DEEPEST = 25
#: How old a launch may be that may have led to a failure, but has not found its run.
RECENT = timedelta(days=2)


class Chain(Enum):
    OWN = "own"  # A rule led to it, or nobody can tell.
    OTHER = "other"
    UNKNOWN = "unknown"  # It will be known when a launch that is under way has found its run.


def chain_of(failure: Failure) -> Chain:
    """Whether a rule of any workspace led to this failure."""
    run_id, parent, flow_id = failure.run_id, failure.parent_id, failure.flow_id
    launch_id: str | None = failure.launch_id
    seen, unknown = set[str](), False
    for _run in range(DEEPEST):
        if _launched_by_rule(run_id, parent, launch_id):
            return Chain.OWN
        if not (run_id and Launch.objects.filter(workspace=failure.workspace_id, run_id=run_id).exists()):
            # A gateway may have dropped the marker of a rule's launch, which has not found its run yet, or never will.
            doubtful = _without_run(flow_id, failure.failed_at - RECENT)
            if any(not launch.is_open for launch in doubtful):
                return Chain.OWN
            unknown = unknown or bool(doubtful)
        if not parent:
            break
        if parent in seen:
            return Chain.OWN
        seen.add(parent)
        row = IndexedRun.objects.filter(workspace=failure.workspace_id, run_id=parent).first()
        if row is None:
            # A launch that is none of a rule; or a run that nobody knows.
            if not Launch.objects.filter(pk=parent).exists():
                return Chain.OWN
            break
        run_id, parent, flow_id, launch_id = row.run_id, row.parent_id, row.flow_id, None
    else:
        return Chain.OWN
    return Chain.UNKNOWN if unknown else Chain.OTHER


def _launched_by_rule(run_id: str, parent: str, launch_id: str | None) -> bool:
    by_launch = Q(launch__in=[pk for pk in (parent, launch_id) if pk])
    by_run = Q(launch__run_id=run_id) if run_id else Q(pk__in=())
    if FailureAction.objects.filter(by_launch | by_run, launch__isnull=False).exists():
        return True
    retried = RunRetry.objects.filter(new_run_id=run_id, launch__failure_action__isnull=False)
    return bool(run_id) and retried.exists()


def _without_run(flow_id: str, since: datetime) -> list[Launch]:
    """The launches of rules that may have a run of this flow, but have not found it."""
    rows = Launch.objects.filter(failure_action__isnull=False, flow_id=flow_id, run_id="", asked_at__gt=since)
    rows = rows.exclude(state__in=(*UNSENT, State.NOT_SENT, State.REFUSED))
    return list(rows.defer("answer", "technical", "failure")[:100])

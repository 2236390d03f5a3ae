"""Starting the runs again that failed alike: as one job, each of them once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.jobs.models import ItemState, Job
from workflows_ui.jobs.services import jobs
from workflows_ui.jobs.services.jobs import Found
from workflows_ui.launches.services import repairs
from workflows_ui.members.models import Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.jobs import tasks
from workflows_ui.runs.actions import ACTIONS

RUNS = "runs"


@dataclass(frozen=True)
class Retries:
    """Runs that failed alike, and what has become of them.

    Attributes:
        ids: those to start again.
        waiting: how many a job is about to start again.
        unclear: of how many it is not known whether a job started them again; they are not started once more.
        new_runs: the new run that was made of each, by its id.
        action: how they are started again: `anew` from the beginning on what is published, else at the failed step.
        job: the newest job that is, or was, about the first of them.
    """

    ids: list[str]
    waiting: int
    unclear: int
    new_runs: dict[str, str]
    action: Action
    anew: bool
    job: Job | None

    @property
    def number(self) -> int:
        return len(self.ids)

    @property
    def total(self) -> int:
        """All that failed alike."""
        return len(self.ids) + self.waiting + self.unclear + len(self.new_runs)


def find(workspace: Workspace, ids: Sequence[str], *, anew: bool) -> Retries:
    """What is to be done about failed runs. Those that were started again are not once more: a new run that failed in the same way is among
    the failed ones itself.
    """
    name = "retry-latest" if anew else "retry"
    new_runs = repairs.new_runs(workspace.pk, ids)
    states = jobs.latest_states(workspace, RUNS, name, [key for key in ids if key not in new_runs])
    waiting = {key for key, state in states.items() if state in (ItemState.WAITING, ItemState.SENDING)}
    unclear = {key for key, state in states.items() if state == ItemState.UNCLEAR}
    return Retries(
        [key for key in ids if key not in new_runs and key not in waiting | unclear],
        len(waiting),
        len(unclear),
        new_runs,
        next(action for action in ACTIONS if action.name == name),
        anew,
        jobs.latest_of(workspace, RUNS, name, ids) if states or new_runs else None,
    )


def begin(actor: Actor, access: Access, asked: Retries, data: Mapping[str, object], why: str) -> Job | None:
    """Create a job that starts the runs again, confirmed; None if nothing is left to start. The person who presses first does it.

    Args:
        data: the values of the action's form.
        why: the person's reason; "" if the workspace asks for none.
    """
    with transaction.atomic():
        # Of two people, or two presses, the second one sees the job of the first.
        Workspace.objects.select_for_update(no_key=True).get(pk=access.workspace.pk)
        found = find(access.workspace, asked.ids, anew=asked.anew)
        if not found.ids:
            return None
        job = jobs.ask(
            actor,
            access,
            resource=RUNS,
            action=found.action.name,
            found=[Found(key) for key in found.ids],
        )
        jobs.begin(actor, job, json.dumps(data), data, why=why)
    tasks.enqueue(job.pk)
    return job

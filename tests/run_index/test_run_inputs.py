"""Inputs of launches that a person may not open are in no error of a run from the index, whatever is kept of the run and of the launch."""

import json

import pytest

from tests.run_index.index_scene import add_past, launched, start
from tests.run_index.test_values import _in_one_turn, settle, steps
from tests.stage import Stage, stage
from workflows_ui.credentials.services import sharing
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import run_search
from workflows_ui.members.models import Role
from workflows_ui.run_index.models import IndexedRun, Kept, RunIndex

__all__ = ["_in_one_turn", "stage"]
pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["activepieces"], indirect=True)]
NAME = "Kowalski-of-ZEBRA-99120"
PAGES = (
    "runs/{run}/",
    "runs/{run}/?tab=data",
    "runs/{run}/?tab=steps",
    "runs/{run}/file/",
    "runs/",
    "failures/{cause}/",
)


def failed_run(stage: Stage, **values: int) -> str:
    """A run of somebody's launch whose error quotes an input, in an index that its reader's whole team sees; its id."""
    (run,) = add_past(stage, 1)
    body = {"customer": NAME, "note": "x" * 3000}
    message = f"Customer {NAME} is unknown"
    launched(stage, run, json.dumps(body), flow_name="Order intake")
    made = steps(body)
    made["step_1"] |= {"input": {"who": NAME}, "status": "FAILED", "errorMessage": message}
    made["trigger"]["output"]["headers"][run_search.HEADER] = Launch.objects.get(run_id=run).pk
    failure = {"name": "step_1", "displayName": "Charge", "message": message}
    stage.practice.engine.state.runs[run] |= {"status": "FAILED", "failedStep": failure, "steps": made}
    team = stage.users.colleague.groups.create(name="Reporting")
    sharing.write(stage.users.credential, team, stage.users.owner)
    start(stage, **values)
    settle(stage)
    return run


def pages(stage: Stage, run: str) -> str:
    """What a launcher who did not make the launch sees of the run, and of its cause."""
    browser = stage.as_role(Role.LAUNCHER)
    cause = IndexedRun.objects.get(run_id=run).fingerprint
    answers = [browser.get(f"/w/sales/{page.format(run=run, cause=cause)}") for page in PAGES]
    assert [answer.status_code for answer in answers] == [200] * len(PAGES)
    return "".join(b"".join(answer).decode() for answer in answers)


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "values",
    [
        {"kept": Kept.NOTHING},
        {"kept": Kept.NAMES},
        {"kept": Kept.VALUES},
        {"kept": Kept.VALUES, "values_kb": 1},
    ],
    ids=["nothing", "names", "values", "too large a value"],
)
def test_no_run_from_the_index_shows_an_input_in_its_error(stage: Stage, values: dict[str, int]) -> None:
    run = failed_run(stage, **values)
    assert NAME not in pages(stage, run)
    # Pages show the index, as while the engine is down.
    RunIndex.objects.update(failures=1, trouble="Unreachable")
    assert NAME not in pages(stage, run)
    # Nothing is left to compare with.
    Launch.objects.update(payload="")
    assert NAME not in pages(stage, run)

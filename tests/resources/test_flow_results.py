"""The last results in the list of flows: from the newest runs, and from launches without a run."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, identity, run, text
from tests.users import Users, browser
from workflows_ui.credentials.services import engine_session
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import Workspace
from workflows_ui.resources.flows import results as flow_results

FLOWS = "/w/sales/flows/"
#: The second look, which has what merely decorates the list.
LATE = f"{FLOWS}?late=1"


def launch(users: Users, **more: Any) -> Launch:
    now = timezone.now()
    times = {"asked_at": now, "not_before": now, "send_by": now}
    return Launch.objects.create(
        workspace=users.workspace,
        user=users.owner,
        ticket=f"t{more}",
        flow_id=identity(1),
        payload_digest="d",
        **times,
        **more,
    )


def test_the_newest_result_is_shown_and_the_ones_before_are_icons_with_words(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    stub_engine.runs = [
        run(7, "FAILED", created="2026-11-24T22:40:00.000Z"),
        run(6, "SUCCEEDED", created="2026-11-24T22:39:00.000Z"),
        run(5, "NO_SUCH_STATE", created="2026-11-24T22:38:00.000Z"),
    ]
    page = text(owner.get(LATE).content)
    assert f'href="/w/sales/runs/{identity(7)}/"' in page
    assert page.index("Failed</span>") < page.index('title="Succeeded, ') < page.index('title="NO_SUCH_STATE, ')


def test_a_launch_that_led_to_no_run_is_a_result_too(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]
    stub_engine.runs = [run(7)]
    launch(users, run_id=identity(7), state=State.SUCCEEDED)
    assert text(owner.get(LATE).content).count('class="status ') == 1
    refused = launch(users, state=State.REFUSED)
    page = text(owner.get(FLOWS).content)
    assert f'href="/w/sales/launches/{refused.pk}/"' in page


def test_a_launch_of_ones_own_is_shown_at_the_first_look_already(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(), flow(2, "Never launched")]
    found = launch(users, state=State.REFUSED)
    page = text(owner.get(FLOWS).content)
    assert f'href="/w/sales/launches/{found.pk}/"' in page
    # That another has no results is not said before the runs are known.
    nothing = 'data-label="Last results"><span class="text-secondary">–</span>'
    assert nothing not in page
    assert "/flow-runs" not in stub_engine.calls
    assert nothing in text(owner.get(LATE).content)


def test_launches_of_another_workspace_are_not_shown(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]
    found = launch(users, state=State.REFUSED)
    Launch.objects.filter(pk=found.pk).update(workspace=Workspace.objects.get(slug="elsewhere"))
    assert f"/launches/{found.pk}" not in text(owner.get(FLOWS).content)


@pytest.mark.parametrize(
    "odd", [{"flowId": None}, {"flowId": {}}, {"created": ""}, {"created": 5}, {"status": None}, {"id": "a\nb"}]
)
def test_odd_runs_break_no_list(owner: Client, stub_engine: StubEngine, odd: dict[str, Any]) -> None:
    stub_engine.flows = [flow()]
    stub_engine.rows["/flow-runs"] = [run() | odd]
    assert owner.get(LATE).status_code == 200


def test_a_file_has_the_results_in_words_with_times_of_ones_own_zone(users: Users, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(7, "FAILED", created="2026-11-24T22:40:00.000Z"), run(6)]
    found = flow_results.latest(engine_session.open_session(users.place(users.owner)), [identity(1)])
    words = "Failed (25 Nov 2026 05:40); Succeeded (25 Nov 2026 05:38)"
    assert str(found[identity(1)]) == words
    stub_engine.flows = [flow()]
    owner = browser(users.owner)
    owner.get(LATE)
    assert json.loads(owner.get("/w/sales/flows/export/json/").content)[0]["results"] == words


def test_an_engine_that_refuses_its_runs_costs_the_column_only_and_is_not_asked_again(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    stub_engine.faults["/flow-runs"] = Reply(403, {"code": "PERMISSION_DENIED", "params": {}})
    answer = owner.get(LATE)
    assert answer.status_code == 200
    assert "Order intake" in text(answer.content)
    owner.get(LATE)
    assert stub_engine.calls.count("/flow-runs") == 1

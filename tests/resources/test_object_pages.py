"""The page of one object: its head with a switch and one main button, the link to the engine's editor, and what comes later."""

import datetime
from typing import Any

import pytest
from django.test import Client

from tests import users as people
from tests.stub_engine import StubEngine, flow, identity, run, text
from tests.users import Users
from workflows_ui.flows import diagram, reading
from workflows_ui.members.models import Flavour, Workspace
from workflows_ui.resource_admin import editor
from workflows_ui.resources.flows.declaration import Flows

FLOW = f"/w/sales/flows/{identity(1)}/"
RUN = f"/w/sales/runs/{identity(1)}/"
LIVE = {"HX-Request": "true", "HX-Target": "live"}
NOON = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://flows.example.com/api", "https://flows.example.com/projects/P%201/flows/F1"),
        ("http://10.1.2.3:8080/prefix/api/", "http://10.1.2.3:8080/prefix/projects/P%201/flows/F1"),
        ("https://user:secret@flows.example.com/api", "https://flows.example.com/projects/P%201/flows/F1"),
        ("http://[::1]:3000/api", "http://[::1]:3000/projects/P%201/flows/F1"),
        ("http://activepieces/api", ""),
        ("javascript:alert(1)", ""),
        ("https://[broken/api", ""),
        ("", ""),
    ],
)
def test_the_editors_address_follows_from_that_of_the_api_or_is_empty(address: str, expected: str) -> None:
    workspace = Workspace(flavour=Flavour.ACTIVEPIECES, address=address, project_id="P 1")
    assert editor.url(Flows(), workspace, "F1") == expected


def test_an_imbrace_gateway_does_not_say_where_its_editor_is() -> None:
    workspace = Workspace(flavour=Flavour.IMBRACE, address="https://gateway.example.com", project_id="P1")
    assert editor.url(Flows(), workspace, "F1") == ""


def test_the_editor_opens_in_a_new_tab_that_knows_nothing_of_this_one(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    page = text(owner.get(FLOW).content)
    url = editor.url(Flows(), users.workspace, identity(1))
    assert url.startswith("http://127.0.0.1:")
    assert f'<a href="{url}" target="_blank" rel="noopener noreferrer">' in page
    people.move(users.workspace, flavour=Flavour.IMBRACE, address=stub_engine.url)
    assert "Open in the engine" not in text(owner.get(FLOW).content)


def scheduled(cron: str, zone: str, **more: Any) -> dict[str, Any]:
    trigger = {
        "name": "trigger",
        "type": "PIECE_TRIGGER",
        "settings": {"pieceName": "@activepieces/piece-schedule", "triggerName": "cron_expression", "input": {}},
    }
    row = flow(
        version={"id": "V1", "displayName": "Nightly", "trigger": trigger}, publishedVersionId="V1", status="ENABLED"
    )
    return row | {"triggerSource": {"schedule": {"cronExpression": cron, "timezone": zone}}} | more


def test_the_next_five_times_of_a_schedule_are_computed_in_its_time_zone() -> None:
    times = reading.next_times(scheduled("30 8 * * 1-5", "Asia/Ho_Chi_Minh"), NOON)
    assert [f"{time.astimezone(datetime.UTC):%a %d %H:%M}" for time in times] == [
        "Mon 30 01:30",
        "Tue 01 01:30",
        "Wed 02 01:30",
        "Thu 03 01:30",
        "Fri 04 01:30",
    ]


def test_a_schedule_keeps_its_hour_when_the_clocks_change() -> None:
    before = datetime.datetime(2026, 10, 24, 12, tzinfo=datetime.UTC)
    times = reading.next_times(scheduled("0 9 * * *", "Europe/Berlin"), before)
    assert [f"{time.astimezone(datetime.UTC):%d %H:%M}" for time in times[:2]] == ["25 08:00", "26 08:00"]


@pytest.mark.parametrize(
    "row",
    [
        scheduled("0 9 * * *", "Nowhere/At_All"),
        scheduled("0 9 * * *", "../../etc/passwd"),
        scheduled("every day", "UTC"),
        scheduled("0 0 9 * * *", "UTC"),
        scheduled("0 0 31 2 *", "UTC"),
        scheduled("0 9 * * *", "UTC", status="DISABLED"),
        scheduled("0 9 * * *", "UTC", operationStatus="DELETING"),
        scheduled("0 9 * * *", "UTC", triggerSource=None, publishedVersionId="older"),
        flow(),
    ],
)
def test_no_times_are_said_that_are_not_certain(row: dict[str, Any]) -> None:
    assert reading.next_times(row, NOON) == []


def test_the_next_times_are_on_the_flows_page(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [scheduled("0 9 * * *", "Asia/Ho_Chi_Minh")]
    page = text(owner.get(FLOW).content)
    assert page.count("09:00:00 +07") == 5
    assert "Starts next" in page


def test_the_latest_runs_and_their_states_in_the_diagram_come_with_a_second_look(
    owner: Client, stub_engine: StubEngine
) -> None:
    step = {"name": "step_1", "displayName": "Send it", "type": "CODE"}
    trigger = {"name": "trigger", "displayName": "Start", "type": "PIECE_TRIGGER", "nextAction": step}
    stub_engine.flows = [flow(version={"id": "V1", "displayName": "Orders", "trigger": trigger})]
    stub_engine.runs = [
        {
            "id": identity(7),
            "flowId": identity(1),
            "status": "FAILED",
            "created": "2026-11-27T10:00:00.000Z",
            "steps": {
                "trigger": {"status": "SUCCEEDED", "duration": 2},
                "step_1": {"status": "FAILED", "duration": 1200},
            },
        }
    ]
    first = text(owner.get(FLOW).content)
    assert "/flow-runs" not in stub_engine.calls
    assert f'hx-get="{FLOW}?late=1" hx-trigger="load" hx-target="#live"' in first
    assert "Send it" in first
    assert "Latest runs" not in first
    later = text(owner.get(f"{FLOW}?late=1", headers=LIVE).content)
    assert "late=1" not in later
    assert f'href="/w/sales/runs/{identity(7)}/"' in later
    assert f'href="{FLOW}steps/step_1/" aria-label="Send it, Code, Failed"' in later
    assert ">Failed · 1.2 s</text>" in later
    assert 'id="step-at-2"' in text(owner.get(f"{FLOW}?tab=steps").content)


def test_the_failed_step_of_a_long_flow_is_unfolded_in_the_diagram(owner: Client, stub_engine: StubEngine) -> None:
    after: dict[str, Any] | None = None
    for number in range(diagram.UNFOLDED, 0, -1):
        inner = {"name": f"in_{number}", "displayName": f"Send {number}", "type": "CODE"}
        loop = {"name": f"loop_{number}", "type": "LOOP_ON_ITEMS", "firstLoopAction": inner}
        after = loop | ({"nextAction": after} if after else {})
    trigger = {"name": "trigger", "displayName": "Start", "type": "PIECE_TRIGGER", "nextAction": after}
    stub_engine.flows = [flow(version={"id": "V1", "displayName": "Orders", "trigger": trigger})]
    turn = {"in_7": {"status": "FAILED"}}
    steps = {
        "trigger": {"status": "SUCCEEDED"},
        "loop_7": {"type": "LOOP_ON_ITEMS", "status": "SUCCEEDED", "output": {"iterations": [turn]}},
    }
    stub_engine.runs = [run(7, "FAILED", steps=steps)]
    assert "Send 7" not in text(owner.get(FLOW).content)
    later = text(owner.get(f"{FLOW}?late=1", headers=LIVE).content)
    assert 'aria-label="Send 7, Code, Failed"' in later
    assert "Send 8" not in later


def head(page: str) -> str:
    """The heading with its badge and buttons."""
    return page[page.index("<h1") : page.index('id="object"')]


def test_a_runs_state_is_in_its_head_only_and_is_refreshed_with_the_page(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [run(status="RUNNING")]
    page = text(owner.get(RUN).content)
    assert '<span id="object-badge">' in head(page)
    assert "status status-" not in page[page.index('id="object"') : page.index('aria-label="Steps"')]
    stub_engine.runs = [run(status="SUCCEEDED")]
    live = text(owner.get(RUN, headers=LIVE).content)
    assert '<span id="object-badge" hx-swap-oob="true"><span class="status status-green"' in live


def test_only_what_is_declared_to_stand_out_does(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(status="SUCCEEDED")]
    assert "btn-primary" not in head(text(owner.get(RUN).content))
    stub_engine.flows = [scheduled("0 9 * * *", "UTC")]
    assert "btn-primary" not in head(text(owner.get(FLOW).content))
    stub_engine.runs = [run(status="FAILED")]
    page = head(text(owner.get(RUN).content))
    assert page.count("btn-primary") == 1
    assert "Retry from failed step" in page[page.index("btn-primary") :]

"""The flows' pages: filters, paging, what may be launched."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, identity, text
from tests.users import Users
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Member, Role

FLOWS = "/w/sales/flows/"


def test_filters_reach_the_engine_as_it_names_them(owner: Client, stub_engine: StubEngine) -> None:
    owner.get(f"{FLOWS}?name=order&status=ENABLED&folder=NULL&connection=gmail-sales&rows=50")
    query = stub_engine.queries("/flows")[0]
    assert query["name"] == ["order"]
    assert query["status"] == ["ENABLED"]
    assert query["folderId"] == ["NULL"]
    assert query["connectionExternalIds"] == ["gmail-sales"]
    # As many as the engine's first answer holds reliably, whatever the rows a page.
    assert query["limit"] == ["100"]


def test_folders_are_shown_and_offered_by_name(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.folders = [{"id": identity(7), "displayName": "Sales"}]
    stub_engine.flows = [flow(folderId=identity(7))]
    page = text(owner.get(f"{FLOWS}?folder={identity(7)}").content)
    assert f'<option value="{identity(7)}" selected>Sales</option>' in page
    assert "Folder: Sales" in page


def test_every_flow_is_reached_by_following_older(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(number, f"Flow {number:02}") for number in range(1, 46)]
    address, seen = FLOWS, []
    while address:
        page = owner.get(address).content.decode()
        seen += re.findall(r"Flow \d\d(?=</span>)", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"Flow {number:02}" for number in range(1, 46)]


def test_a_row_that_the_engine_gives_twice_is_shown_once(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Twice"), flow(1, "Twice")]
    assert owner.get(FLOWS).content.count(b">Twice</span>") == 1


def _launch_link(page: bytes) -> bool:
    return f'href="/w/sales/flows/{identity(1)}/launch/"' in page.decode()


def test_a_launcher_is_offered_the_launch_in_the_row_and_on_the_page(
    users: Users, client: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    client.force_login(users.colleague)
    assert _launch_link(client.get(FLOWS).content)
    assert _launch_link(client.get(f"{FLOWS}{identity(1)}/").content)
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    assert not _launch_link(client.get(FLOWS).content)
    assert not _launch_link(client.get(f"{FLOWS}{identity(1)}/").content)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "DISABLED"}, "It is off."),
        ({"status": "DISABLED", "publishedVersionId": None}, "It was never published."),
        (
            {"version": {"displayName": "x", "trigger": {"type": "PIECE_TRIGGER", "settings": {}}}},
            "It starts automatically",
        ),
    ],
)
def test_a_flow_that_cannot_be_launched_says_why(
    owner: Client, stub_engine: StubEngine, changes: dict[str, Any], reason: str
) -> None:
    stub_engine.flows = [flow(**changes)]
    page = owner.get(f"{FLOWS}{identity(1)}/").content
    assert reason in text(page)
    assert not _launch_link(page)


def test_the_page_of_a_flow_leads_to_its_runs_and_launches(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    now = timezone.now()
    times = {"asked_at": now, "not_before": now, "send_by": now}
    launch = Launch.objects.create(
        workspace=users.workspace, user=users.colleague, ticket="t", flow_id=identity(1), payload_digest="d", **times
    )
    page = text(owner.get(f"{FLOWS}{identity(1)}/?tab=runs").content)
    assert f'href="/w/sales/runs/?flow={identity(1)}"' in page
    assert f'href="/w/sales/launches/{launch.pk}/"' in page
    assert "Waiting to be sent" in page


def test_unpublished_changes_are_shown(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(publishedVersionId="V0")]
    assert "Unpublished changes" in text(owner.get(FLOWS).content)
    assert "Has changes that are not published" in text(owner.get(f"{FLOWS}{identity(1)}/").content)


def test_connections_are_offered_by_name_and_what_the_search_spans_is_shown(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.rows["/app-connections"] = [
        {"id": identity(5), "externalId": "gmail-sales", "displayName": "Sales <mail>"}
    ]
    page = text(owner.get(f"{FLOWS}?connection=gmail-sales&late=1").content)
    assert '<option value="gmail-sales" selected>Sales &lt;mail&gt;</option>' in page
    assert "Connection: Sales &lt;mail&gt;" in page
    assert "steps and their values are not searched" in page


def _step(name: str, piece: str, /, **inputs: Any) -> dict[str, Any]:
    settings = {"pieceName": f"@activepieces/piece-{piece}", "actionName": "do_it", "input": inputs}
    return {"name": name, "type": "PIECE", "displayName": name.title(), "valid": True, "settings": settings}


def _with_steps(first: dict[str, Any], *more: dict[str, Any], **changes: Any) -> dict[str, Any]:
    found = flow()
    step = found["version"]["trigger"]
    for one in (first, *more):
        step["nextAction"] = one
        step = one
    found["version"] |= changes
    return found


def test_the_list_shows_how_a_flow_starts_where_it_lies_and_its_apps(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [
        _with_steps(_step("step_1", "google-sheets"), _step("step_2", "gmail")) | {"folderId": identity(7)}
    ]
    stub_engine.folders = [{"id": identity(7), "displayName": "Sales"}]
    page = text(owner.get(FLOWS).content)
    assert 'title="Webhook"' in page
    assert '<span class="long">Sales</span>' in page
    assert 'title="Google Sheets"' in page
    assert 'title="Gmail"' in page


def test_a_flows_apps_connections_and_tables_are_linked_by_name(owner: Client, stub_engine: StubEngine) -> None:
    steps = [_step("step_1", "tables", table_id="T-ext"), _step("step_2", "tables", table_id="gone")]
    stub_engine.flows = [_with_steps(*steps, connectionIds=["gmail-sales", "lost", 7])]
    stub_engine.rows["/app-connections"] = [
        {"id": identity(5), "externalId": "gmail-sales", "displayName": "Sales mail"}
    ]
    stub_engine.rows["/tables"] = [{"id": identity(6), "externalId": "T-ext", "name": "Orders"}]
    page = text(owner.get(f"{FLOWS}{identity(1)}/?late=1").content)
    assert f'<a href="/w/sales/connections/{identity(5)}/"><span class="long">Sales mail</span>' in page
    assert f'<a href="/w/sales/tables/{identity(6)}/"><span class="long">Orders</span>' in page
    assert page.count("Not in this workspace") == 2
    assert 'href="/w/sales/pieces/@activepieces/piece-tables/"' in page


def test_what_is_set_in_a_step_is_shown_with_references_and_without_secrets(
    owner: Client, stub_engine: StubEngine
) -> None:
    inputs = {
        "auth": "{{connections['gmail-sales']}}",
        "body_type": "plain_text",
        "text": "Dear {{trigger['body']['name']}},\nhello <b>",
        "to": ["a@example.com", "b@example.com"],
        "subject": "For {{trigger['body']['name']}} and {{step_9.x}}",
        "password": "typed-in-the-open",
        "draft": False,
        "deep": {"a": {"b": {"c": {"d": {"e": 1}}}}},
        "empty": None,
    }
    stub_engine.flows = [_with_steps(_step("step_1", "gmail", **inputs), connectionIds=["gmail-sales"])]
    stub_engine.rows["/app-connections"] = [
        {"id": identity(5), "externalId": "gmail-sales", "displayName": "Sales mail"}
    ]
    stub_engine.faults["/pieces/@activepieces/piece-gmail"] = Reply(
        200, {"name": "@activepieces/piece-gmail", "actions": {"do_it": {"props": {"to": {"displayName": "Receiver"}}}}}
    )
    for tab in ("", "history", "data", "versions"):
        assert "typed-in-the-open" not in text(owner.get(f"{FLOWS}{identity(1)}/?tab={tab}&late=1").content)
    page = text(owner.get(f"{FLOWS}{identity(1)}/?tab=steps&late=1").content)
    assert "typed-in-the-open" not in page
    assert ">Receiver</th>" in page
    assert "a@example.com, b@example.com" in page
    assert ">Body type</th>" in page
    assert "body › name from “Catch Webhook”" in page
    assert "{{step_9.x}}" in page
    assert f'href="/w/sales/connections/{identity(5)}/" title="{{{{connections[&#x27;gmail-sales&#x27;]}}}}"' in page
    assert "hello &lt;b&gt;" in page
    assert "Deep › a › b › c" in page


@pytest.mark.slow
def test_a_flow_of_very_many_steps_and_fields_keeps_its_page_small(owner: Client, stub_engine: StubEngine) -> None:
    steps = [_step(f"step_{n}", "gmail", **{f"field_{m}": "x" * 5000 for m in range(80)}) for n in range(60)]
    stub_engine.flows = [_with_steps(*steps)]
    answer = owner.get(f"{FLOWS}{identity(1)}/?tab=steps")
    assert "20 more fields are in the raw data only." in text(answer.content)
    assert len(answer.content) < 1_500_000

"""The test of a flow's trigger in both ways: what is asked, what is waited for, and the samples that are left."""

import json
import re
import time
from typing import Any

import pytest
from django.test import Client

from tests.connection_scene import Scene, hidden, scene, shown
from tests.engine.servers import Reply
from tests.practice_engine.fixtures import practice
from tests.stub_engine import StubEngine, flow, identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.redaction import MASK
from workflows_ui.members.models import Flavour, Role

__all__ = ["practice", "scene"]
WEBHOOK = "@activepieces/piece-webhook"
FRAGMENT = {"HX-Request": "true", "HX-Target": "trigger-live"}


def do(id: str) -> str:
    return f"/w/sales/flows/do/test-trigger/{id}/"


def page_of(id: str) -> str:
    return f"/w/sales/flows/{id}/trigger/"


def listening(scene: Scene) -> set[str]:
    return scene.practice.engine.listening


def test_both_ways_are_explained_and_the_apps_own_is_chosen_before(scene: Scene) -> None:
    page = scene.page(do(scene.practice.sample("quick").id))
    assert "The engine keeps the next event as a sample. The app recommends this." in page
    assert "A webhook has no source to ask" in page
    assert "The flow is on: a real event runs it too" in page
    assert re.search(r'<input[^>]*value="wait"[^>]*checked', page)
    clock = next(
        one for one in scene.practice.engine.state.flows.values() if (one.get("triggerSource") or {}).get("schedule")
    )
    page = scene.page(do(clock["id"]))
    assert re.search(r'<input[^>]*value="ask"[^>]*checked', page)
    assert "A webhook has no source" not in page


def test_asking_now_keeps_a_sample_and_shows_it(scene: Scene) -> None:
    key = scene.practice.sample("quick").id
    answer = scene.fill(do(key), how="ask")
    assert answer["Location"].startswith(f"{page_of(key)}?made=")
    page = scene.page(answer["Location"])
    assert "The app gave 1 sample." in page
    assert page.count('bg-green-lt ms-1">New<') == 1
    assert not listening(scene)
    assert list(AuditEvent.objects.order_by("pk").values_list("action", "outcome")) == [
        ("flows.test-trigger", "begun"),
        ("flows.test-trigger", "done"),
    ]


def test_a_waiting_test_shows_what_comes_and_then_rests(scene: Scene) -> None:
    key = scene.practice.sample("quick").id
    where = scene.fill(do(key), how="wait")["Location"]
    assert listening(scene) == {key}
    page = scene.page(where)
    assert "The engine is waiting for the next event." in page
    assert 'hx-trigger="every 2s"' in page
    assert f"/v1/webhooks/{key}</pre>" in page
    assert f'href="/w/sales/flows/{key}/launch/"' in page
    still = shown(scene.browser.get(where, headers=FRAGMENT))
    assert still.startswith('<div id="trigger-live" data-live')
    scene.practice.call("POST", f"/v1/webhooks/{key}", json={"order": "A-1", "lines": [{"sku": "T", "count": 2}]})
    after = shown(scene.browser.get(where, headers=FRAGMENT))
    assert after.startswith('<div id="trigger-live">')
    assert "An event arrived" in after
    assert "A-1" in after
    assert after.count('bg-green-lt ms-1">New<') == 1
    assert not listening(scene)
    assert "Stop waiting" not in after


def test_a_waiting_test_is_cancelled(scene: Scene) -> None:
    key = scene.practice.sample("quick").id
    scene.fill(do(key), how="wait")
    answer = scene.browser.post(f"{page_of(key)}cancel/")
    assert answer["Location"] == page_of(key)
    assert not listening(scene)
    assert "The engine no longer waits for events." in scene.page(page_of(key))
    begun, end = AuditEvent.objects.filter(action="flows.test-cancel", object_id=key).order_by("pk")
    assert (begun.outcome, end.outcome) == ("begun", "done")
    assert begun.detail["credential"] == str(scene.users.credential.pk)


def test_nobody_waits_for_ever(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.rows["/trigger-events"] = [flow()], []
    long_ago = int(time.time()) - 601
    page = text(owner.get(f"{page_of(identity(1))}?waiting={long_ago}&seen=").content)
    assert "Nothing arrived for ten minutes" in page
    assert 'id="trigger-live" data-live' not in page
    slower = text(owner.get(f"{page_of(identity(1))}?waiting={long_ago + 400}&seen=").content)
    assert 'hx-trigger="every 5s"' in slower


@pytest.mark.parametrize("query", ["waiting=x", "waiting=-5", "waiting=²", f"waiting={'9' * 40}", "made=&seen=<b>"])
def test_an_address_that_makes_no_sense_waits_for_nothing(owner: Client, stub_engine: StubEngine, query: str) -> None:
    stub_engine.flows, stub_engine.rows["/trigger-events"] = [flow()], []
    page = text(owner.get(f"{page_of(identity(1))}?{query}").content)
    assert "There are no samples yet" in page
    assert 'id="trigger-live" data-live' not in page


def event(payload: Any, number: int = 1) -> dict[str, Any]:
    """A sample with the keys of recording `trigger_events_list`."""
    made = f"2026-11-24T22:41:{number:02d}.869Z"
    row = {"id": identity(number), "created": made, "updated": made, "flowId": identity(1), "projectId": "P" * 21}
    return row | {"sourceName": f"{WEBHOOK}@0.1:catch_webhook", "fileId": identity(9), "payload": payload}


def test_samples_are_read_as_tables_with_their_secrets_masked(owner: Client, stub_engine: StubEngine) -> None:
    payload = {
        "method": "POST",
        "headers": {"authorization": "Bearer opens-everything-1", "x-api-key": "opens-things", "host": "x.example"},
        "body": {
            "id": "T-1",
            "items": [{"sku": "A", "n": 1}, {"sku": "B", "n": 2}],
            "note": "<script>alert(1)</script>",
        },
        "queryParams": {"page": "7"},
    }
    stub_engine.flows, stub_engine.rows["/trigger-events"] = (
        [flow()],
        [event({"before": "an older one"}, 1), event(payload, 2)],
    )
    page = text(owner.get(page_of(identity(1))).content)
    assert page.index("T-1") < page.index("an older one"), "newest first"
    for heading in ("What was sent", "Values in the address", "About the request"):
        assert heading in page
    assert '<th scope="row" dir="auto">id</th>' in page
    assert MASK in page
    for secret in ("opens-everything-1", "opens-things", "<script>alert"):
        assert secret not in page


PAYLOADS: list[Any] = [
    None,
    "",
    0,
    [],
    {},
    "x" * 200_000,
    {"body": None, "headers": None},
    {"body": {"a" * 10_000: "b" * 10_000}, "headers": []},
    [[[[[[[["deep"]]]]]]]],
    [{"n": number, "t": "x" * 500} for number in range(3000)],
]


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_any_payload_can_be_shown(owner: Client, stub_engine: StubEngine, payload: Any) -> None:
    stub_engine.flows, stub_engine.rows["/trigger-events"] = (
        [flow()],
        [event(payload), {}, {"id": 5, "payload": {"x": 1}}],
    )
    answer = owner.get(page_of(identity(1)))
    assert answer.status_code == 200
    assert len(answer.content) < 2_000_000


def test_a_test_that_fails_is_explained_with_what_the_app_said(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.rows["/trigger-events"] = [flow()], []
    stub_engine.faults["/test-trigger"] = Reply(
        400, {"code": "TEST_TRIGGER_FAILED", "params": {"message": "No such inbox"}}
    )
    stub_engine.faults[WEBHOOK] = Reply(200, {"name": WEBHOOK, "triggers": {}})
    fields = hidden(owner.get(do(identity(1)))) | {"how": "ask"}
    answer = owner.post(do(identity(1)), fields)
    assert answer.status_code == 422
    page = text(answer.content)
    assert "TEST_TRIGGER_FAILED" in page
    assert "No such inbox" in page


def test_what_is_sent_is_what_the_recordings_hold(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows, stub_engine.rows["/trigger-events"] = [flow()], [event({})]
    stub_engine.faults[WEBHOOK] = Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {}})
    for way, strategy in (("wait", "SIMULATION"), ("ask", "TEST_FUNCTION")):
        stub_engine.faults["/test-trigger"] = Reply(200, b"") if way == "wait" else Reply(200, {"data": []})
        fields = hidden(owner.get(do(identity(1)))) | {"how": way}
        assert owner.post(do(identity(1)), fields).status_code == 303
        sent = json.loads([seen for seen in stub_engine.seen if seen.method == "POST"][-1].body)
        assert sent == {
            "projectId": "P" * 21,
            "flowId": identity(1),
            "flowVersionId": "V1",
            "testStrategy": strategy,
        }


def test_a_flow_without_a_trigger_is_not_offered_a_test(owner: Client, stub_engine: StubEngine) -> None:
    bare = flow()
    bare["version"]["trigger"] = {"type": "EMPTY", "name": "trigger", "settings": {}}
    stub_engine.flows, stub_engine.rows["/trigger-events"] = [bare], []
    assert do(identity(1)) not in text(owner.get(f"/w/sales/flows/{identity(1)}/").content)
    assert owner.post(do(identity(1)), {"how": "ask"}).status_code == 409
    assert do(identity(1)) not in text(owner.get(page_of(identity(1))).content)


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize("role", list(Role), ids=str)
def test_only_builders_test_and_cancel_and_everybody_reads(scene: Scene, role: Role) -> None:
    key, browser, may = scene.practice.sample("quick").id, scene.sign_in("colleague", role), role.includes(Role.BUILDER)
    page = shown(browser.get(f"{page_of(key)}?waiting={int(time.time())}&seen={'Z' * 21}"))
    assert "Stored samples" in page
    assert (do(key) in page) is may
    assert browser.get(do(key)).status_code == (200 if may else 403)
    assert browser.post(f"{page_of(key)}cancel/").status_code == (303 if may else 403)
    assert scene.called("DELETE", "/v1/test-trigger") == int(may)


@pytest.mark.parametrize("scene", [Flavour.ACTIVEPIECES], indirect=True)
@pytest.mark.parametrize("kind", ["html", "too_many", "garbage"])
def test_an_engine_at_fault_is_explained(scene: Scene, kind: str) -> None:
    key = scene.practice.sample("quick").id
    scene.practice.engine.faults.add(kind, "GET", "/v1/trigger-events")
    answer = scene.browser.get(page_of(key))
    assert answer.status_code in (429, 502, 503)
    assert "engine" in shown(answer)

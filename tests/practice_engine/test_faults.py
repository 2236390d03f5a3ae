"""Faults, seen from the wire; and the control routes that switch them."""

import contextlib
import http.client
import json
import socket
from typing import Any

import pytest
import requests

from tests.practice_engine.fixtures import Practice

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

ME = "/api/v1/flags"


def raw(practice: Practice, path: str = ME, method: str = "GET", body: bytes = b"") -> bytes:
    """Everything that comes back over one connection. Raises ``ConnectionResetError``."""
    head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {practice.credentials.bearer_token}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    with socket.create_connection((practice.server.host, practice.server.port), timeout=20) as connection:
        connection.sendall(head.encode() + body)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def split(answer: bytes) -> tuple[bytes, bytes, int]:
    """Head, body, and the length that the head promises."""
    head, _, body = answer.partition(b"\r\n\r\n")
    promised = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head, body, promised[0] if promised else 0


def trigger(practice: Practice) -> int:
    """Trigger the quick flow over a raw connection; how many runs it has more, whatever came back."""
    flow = practice.sample("quick").id
    before = len(runs(practice))
    with contextlib.suppress(ConnectionResetError):
        raw(practice, f"/api/v1/webhooks/{flow}", "POST", b"{}")
    return len(runs(practice)) - before


def runs(practice: Practice) -> list[str]:
    """All runs of the quick flow, those included that cannot be seen yet."""
    with practice.engine.state.lock:
        return [key for key, row in practice.engine.state.runs.items() if row["flowId"] == practice.sample("quick").id]


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ("json", {"code", "params"}),
        ("invalid", {"statusCode", "code", "error", "message"}),
        ("bare", {"statusCode", "error", "message"}),
        ("gateway", {"message"}),
    ],
)
def test_a_status_with_each_kind_of_body(practice: Practice, body: str, keys: set[str]) -> None:
    practice.engine.faults.add("status", path="/v1/fla*", status=503, body=body)
    response = practice.call("GET", "/v1/flags")
    assert (response.status_code, set(response.json())) == (503, keys)


def test_html_and_429(practice: Practice) -> None:
    practice.engine.faults.add("html", times=1)
    page = practice.call("GET", "/v1/flags")
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    practice.engine.faults.add("too_many", seconds=3, times=1)
    busy = practice.call("GET", "/v1/flags")
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "3")
    assert practice.call("GET", "/v1/flags").status_code == 200


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_reset_breaks_the_connection(practice: Practice, kind: str) -> None:
    practice.engine.faults.add(kind)
    with pytest.raises(ConnectionResetError):
        raw(practice)
    assert practice.journal.all()[-1].status is None


@pytest.mark.parametrize(
    ("kind", "acted"),
    [
        ("reset_before", 0),
        ("reset_after", 1),
        ("truncated", 1),
        ("html", 0),
        ("status", 0),
        ("headers_cut", 1),
        ("garbage", 1),
        ("empty", 1),
    ],
)
def test_a_fault_acts_or_does_not(practice: Practice, kind: str, acted: int) -> None:
    practice.engine.faults.add(kind, "POST", "/v1/webhooks/*")
    assert trigger(practice) == acted


@pytest.mark.parametrize("kind", ["html", "status", "too_many"])
def test_an_answer_can_be_replaced_after_acting(practice: Practice, kind: str) -> None:
    practice.engine.faults.add(kind, "POST", "/v1/webhooks/*", act=True)
    assert trigger(practice) == 1


def test_a_truncated_answer_is_shorter_than_it_promises(practice: Practice) -> None:
    practice.engine.faults.add("truncated")
    _, body, promised = split(raw(practice))
    assert 0 < len(body) < promised


def test_spoilt_bodies(practice: Practice) -> None:
    for kind, error in (
        ("invalid_json", json.JSONDecodeError),
        ("invalid_utf8", UnicodeDecodeError),
        ("empty", json.JSONDecodeError),
    ):
        practice.engine.faults.add(kind, times=1)
        _, body, promised = split(raw(practice))
        assert len(body) == promised
        with pytest.raises(error):
            json.loads(body.decode())


def test_headers_cut_and_garbage(practice: Practice) -> None:
    practice.engine.faults.add("headers_cut", times=1)
    assert b"\r\n\r\n" not in raw(practice)
    practice.engine.faults.add("garbage", times=1)
    connection = http.client.HTTPConnection(practice.server.host, practice.server.port, timeout=20)
    connection.request("GET", ME)
    with pytest.raises(http.client.BadStatusLine):
        connection.getresponse()
    connection.close()


def test_a_huge_body_and_a_slow_one_arrive_whole(practice: Practice) -> None:
    practice.engine.faults.add("huge", size=3_000_000, times=1)
    assert len(practice.call("GET", "/v1/flags").content) > 3_000_000
    practice.engine.faults.add("drip", seconds=0.0001, times=1)
    assert practice.call("GET", "/v1/flags").json()["CURRENT_VERSION"] == practice.engine.settings.version


def test_headers_can_come_slowly_too(practice: Practice) -> None:
    practice.engine.faults.add("drip_all", seconds=0.0001)
    assert raw(practice).startswith(b"HTTP/1.1 200 OK")


def test_a_delay_goes_together_with_another_fault(practice: Practice) -> None:
    practice.engine.faults.add("delay", seconds=0.01)
    practice.engine.faults.add("html")
    assert practice.call("GET", "/v1/flags").status_code == 502
    assert practice.journal.all()[-1].faults == ["delay", "html"]


def test_a_gateway_that_strips_headers_takes_the_marker_away(practice: Practice) -> None:
    flow = practice.sample("quick").id
    headers = {"ap-parent-run-id": "M" * 21, "x-console-launch-id": "M"}
    practice.engine.faults.add("strip_headers", "POST", "/v1/webhooks/*", names=["ap-parent-run-id"], times=1)
    practice.engine.faults.add("strip_headers", "POST", "/v1/webhooks/*")
    for _ in range(2):
        assert practice.call("POST", f"/v1/webhooks/{flow}", json={}, headers=headers).status_code == 200
    with practice.engine.state.lock:
        rows = list(practice.engine.state.runs.values())[-2:]
    seen = [row["payload"]["headers"].get("x-console-launch-id") for row in rows]
    assert ([row["parentRunId"] for row in rows], seen) == ([None, None], [None, None])


def test_faults_are_chosen_by_method_path_and_count(practice: Practice) -> None:
    practice.engine.faults.add("html", "POST", "/v1/folders", times=2)
    body = {"displayName": "F", "projectId": practice.credentials.project_id}
    statuses = [practice.call("POST", "/v1/folders", json=body).status_code for _ in range(3)]
    assert statuses == [502, 502, 200]
    assert practice.call("GET", "/v1/flags").status_code == 200
    with pytest.raises(ValueError, match="no fault called"):
        practice.engine.faults.add("earthquake")


def control(
    practice: Practice, method: str, path: str, body: Any = None, token: str | None = None
) -> requests.Response:
    headers = {"x-practice-token": practice.credentials.control_token if token is None else token}
    return requests.request(method, f"{practice.url}/_practice/{path}", json=body, headers=headers, timeout=20)


def test_the_control_routes_need_their_token(practice: Practice) -> None:
    assert control(practice, "GET", "faults", token="").status_code == 403
    assert control(practice, "POST", "faults", {"kind": "html"}, token="wrong").status_code == 403
    assert practice.call("GET", "/v1/flags").status_code == 200


def test_faults_settings_and_the_journal_over_http(practice: Practice) -> None:
    added = control(practice, "POST", "faults", {"kind": "html", "path": "/v1/fla*", "times": 1})
    assert added.status_code == 201
    assert practice.call("GET", "/v1/flags").status_code == 502
    assert control(practice, "GET", "faults").json()[0]["played"] == 1
    second = control(practice, "POST", "faults", {"kind": "html"}).json()["id"]
    assert control(practice, "DELETE", f"faults/{second}").status_code == 204
    assert practice.call("GET", "/v1/flags").status_code == 200
    assert control(practice, "POST", "faults", {"kind": "nothing"}).status_code == 400
    assert control(practice, "POST", "faults", {"kind": "html", "what": 1}).status_code == 400
    seen = control(practice, "GET", "requests?path=/v1/fla*").json()
    assert [entry["status"] for entry in seen] == [502, 200]
    assert control(practice, "POST", "settings", {"wait_limit": 1}).json()["wait_limit"] == 1
    assert control(practice, "POST", "settings", {"what": 1}).status_code == 400
    overview = control(practice, "GET", "").json()
    assert overview["flows"]["Greet a customer"] == practice.sample("quick").id
    assert overview["credentials"]["api_key"] == practice.credentials.api_key


def test_the_journal_counts_triggers_even_when_they_are_reset(practice: Practice) -> None:
    flow = practice.sample("quick").id
    practice.engine.faults.add("reset_before", "POST", "/v1/webhooks/*", times=1)
    trigger(practice)
    trigger(practice)
    assert [entry.status for entry in practice.journal.triggers(flow)] == [None, 200]
    assert practice.journal.count("POST", "/v1/webhooks/*") == 2


def test_a_request_is_followed_by_another_one_that_nobody_sent(practice: Practice) -> None:
    flow = practice.sample("quick").id
    then = {
        "method": "POST",
        "path": f"/v1/flows/{flow}",
        "body": {"type": "CHANGE_NAME", "request": {"displayName": "Theirs"}},
    }
    practice.engine.faults.add("followed", "POST", f"/v1/flows/{flow}", times=1, then=then)
    mine = {"type": "CHANGE_NAME", "request": {"displayName": "Mine"}}
    for flavour, expected in (("imbrace", "Theirs"), ("activepieces", "Mine")):
        answer = practice.call("POST", f"/v1/flows/{flow}", flavour, json=mine)
        assert answer.json()["version"]["displayName"] == "Mine"
        now = practice.call("GET", f"/v1/flows/{flow}").json()
        assert now["version"]["displayName"] == expected
    assert practice.journal.count("POST", f"/v1/flows/{flow}") == 2

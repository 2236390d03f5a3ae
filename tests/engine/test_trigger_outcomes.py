"""What an answer to a trigger means: the recordings `webhook_*`, api.md section 7, and what proxies say in between."""

import gzip
import json
from typing import Any

import pytest

from workflows_ui.engine import FlowFailed, NotFound, TriggerAnswer, Unknown, Workflows
from workflows_ui.engine.trigger import outcome_of

from . import servers
from .servers import FLOW, WEBHOOK_ID, Recorder, Reply

ID = (("x-webhook-id", WEBHOOK_ID),)
FLOW_FAILED = {"message": "The flow has failed and there is no response returned"}
BROKE = {"message": "An internal error has occurred"}
TOO_SLOW = {"message": "The request took too long to reply"}
INVALID = {"statusCode": 400, "code": "FST_ERR_VALIDATION", "error": "Bad Request", "message": "m"}
NO_ROUTE = {"statusCode": 404, "error": "Not Found", "message": "m"}
HTML = b"<html><body>nginx</body></html>"

# (where it is known from, waited, status, body, with x-webhook-id, outcome)
CASES: list[tuple[str, bool, int, Any, bool, str]] = [
    ("webhook_async", False, 200, {}, True, "accepted"),
    ("webhook_async_disabled_flow", False, 404, {}, True, "refused"),
    ("api.md 7.1: unknown flow", False, 410, {}, True, "refused"),
    ("webhook_bad_id_format: the engine, but not its handler", False, 400, INVALID, False, "unknown"),
    ("webhook_sync_json_201", True, 201, {"ok": True}, True, "answered"),
    ("webhook_sync_raw_text", True, 200, b"plain", True, "answered"),
    ("webhook_sync_redirect", True, 301, b"", True, "answered"),
    ("webhook_sync_422", True, 422, {"error": "e"}, True, "answered"),
    ("webhook_sync_no_response_step", True, 204, b"", True, "waited_out"),
    ("webhook_sync_delay_flow_response", True, 204, b"", True, "waited_out"),
    ("webhook_sync_get_method", True, 500, FLOW_FAILED, True, "failed"),
    ("webhook_sync_disabled_flow, or a flow's own answer", True, 404, {}, True, "off_or_answered"),
    ("the same of a flow that is gone", True, 410, {}, True, "off_or_answered"),
    ("api.md 7.2: internal error", True, 500, BROKE, True, "failed"),
    ("api.md 7.2: time-out", True, 504, TOO_SLOW, True, "failed"),
    ("a flow's own 500", True, 500, {"message": "ours"}, True, "answered"),
    ("a flow's own 404", True, 404, {"message": "no such order"}, True, "answered"),
    ("a flow's own 401", True, 401, {}, True, "answered"),
    ("a flow's own 504", True, 504, b"", True, "answered"),
    ("a flow's own page", True, 200, HTML, True, "answered"),
    ("a flow's own 429", True, 429, {}, True, "answered"),
    ("engine trouble without waiting", False, 500, BROKE, True, "unknown"),
    ("the handler's own words before it acts", False, 429, {"message": "m"}, True, "unknown"),
    ("another base address", False, 404, NO_ROUTE, False, "unknown"),
    *(
        ("in between, perhaps after the engine acted", wait, status, body, False, "unknown")
        for wait in (True, False)
        for status in (200, 302, 400, 401, 402, 403, 404, 410, 413, 429, 500, 502, 503, 504)
        for body in (HTML, {}, {"message": "m"})
    ),
    ("a proxy's empty 404", False, 404, b"", False, "unknown"),
    ("a stranger's 200", False, 200, {}, False, "unknown"),
    ("a stranger's 204", True, 204, b"", False, "unknown"),
    ("gateway time-out", True, 504, b"timeout", False, "unknown"),
]


@pytest.mark.parametrize(("where", "wait", "status", "body", "handled", "outcome"), CASES, ids=lambda v: str(v)[:25])
def test_an_answer_means_what_it_means(
    where: str, wait: bool, status: int, body: Any, handled: bool, outcome: str
) -> None:
    headers = {"x-webhook-id": WEBHOOK_ID} if handled else {}
    assert outcome_of(status, headers, Reply(status, body).data, wait=wait) == outcome, where


def _sent(reply: Reply, *, wait: bool = True, **options: Any) -> TriggerAnswer:
    with Recorder(reply) as server:
        answer = servers.client(server.url, **options).workflows.send_trigger(FLOW, {}, wait=wait)
    assert [seen.path for seen in server.seen] == [f"/api/v1/webhooks/{FLOW}{'/sync' if wait else ''}"]
    return answer


def test_an_answer_carries_status_lower_case_headers_body_and_the_engines_clock() -> None:
    answer = _sent(Reply(422, {"field": "sku"}, (*ID, ("X-Own", "1"))))
    assert (answer.outcome, answer.status, answer.webhook_id, answer.truncated) == ("answered", 422, WEBHOOK_ID, False)
    assert answer.headers["x-own"] == "1"
    assert answer.value() == {"field": "sku"}
    assert answer.engine_date is not None
    assert str(answer.engine_date.tzinfo) == "UTC"
    assert "sku" not in repr(answer)


@pytest.mark.parametrize(
    ("body", "value"),
    [(b"", None), (b"plain", "plain"), (b"\xff\xfe\x00", b"\xff\xfe\x00"), (b"[1]", [1]), (b"NaN", "NaN")],
)
def test_a_flows_answer_may_be_anything(body: bytes, value: Any) -> None:
    assert _sent(Reply(200, body, ID)).value() == value


def test_a_compressed_answer_is_unpacked_as_far_as_the_limit() -> None:
    encoding = ("content-encoding", "gzip")
    packed = gzip.compress(json.dumps({"a": "x" * 100}).encode())
    assert _sent(Reply(200, packed, (*ID, encoding))).value() == {"a": "x" * 100}
    not_packed = _sent(Reply(200, b"plain", (*ID, encoding)))
    assert (not_packed.value(), not_packed.truncated) == ("plain", False)
    bomb = _sent(Reply(200, gzip.compress(b"0" * 50_000_000), (*ID, encoding)), largest_answer=100_000)
    assert (len(bomb.body), bomb.truncated, bomb.outcome) == (100_000, True, "answered")


def test_a_body_that_is_not_packed_as_it_says_stays_as_it_is() -> None:
    assert _sent(Reply(200, b"plain", (*ID, ("content-encoding", "gzip")))).body == b"plain"


def _workflows(server: Recorder) -> Workflows:
    return servers.client(server.url).workflows


def test_the_sdks_two_methods_raise_where_no_flow_was_started() -> None:
    with Recorder(Reply(404, {}, ID)) as server:
        with pytest.raises(NotFound):
            _workflows(server).trigger_flow(FLOW)
        # A flow may answer like this, too.
        with pytest.raises(Unknown):
            _workflows(server).trigger_flow_sync(FLOW)


def test_a_failed_flow_is_its_own_error_for_who_waits() -> None:
    with Recorder(Reply(500, FLOW_FAILED, ID)) as server, pytest.raises(FlowFailed) as caught:
        _workflows(server).trigger_flow_sync(FLOW)
    assert (caught.value.status, caught.value.sent) == (500, True)


def test_who_waits_in_vain_gets_nothing() -> None:
    with Recorder(Reply(204, b"", ID)) as server:
        assert _workflows(server).trigger_flow_sync(FLOW) is None


@pytest.mark.parametrize("reply", [Reply(200, HTML), Reply(200, {}), Reply(502, HTML), Reply(302, b"")])
def test_what_is_not_certain_is_unknown_to_the_sdks_methods(reply: Reply) -> None:
    with Recorder(reply) as server:
        for call in (_workflows(server).trigger_flow, _workflows(server).trigger_flow_sync):
            with pytest.raises(Unknown) as caught:
                call(FLOW)
            assert (caught.value.status, caught.value.sent) == (reply.status, None)
    assert len(server.seen) == 2

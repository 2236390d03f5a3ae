"""Reads: tried again by our own loop within a budget, cut at a size and a time, and clear about what came instead of JSON."""

import gzip
import logging
import socket
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from workflows_ui.engine import (
    CredentialRefused,
    EngineError,
    Forbidden,
    NotFound,
    RateLimited,
    TooLarge,
    Unavailable,
    Unreachable,
    Workflows,
    close_pools,
)

from . import servers
from .servers import FLOW, Peer, RawServer, Recorder, Reply, answering, response

PAGE = {"data": [{"id": "A"}], "next": None, "previous": None}


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def reader(url: str, **options: Any) -> tuple[Workflows, Clock]:
    clock = Clock()
    return servers.client(url, clock=clock, sleep=clock.sleep, **options).workflows, clock


@pytest.mark.parametrize(
    "reply", [Reply(500, {}), Reply(502, b"<html>"), Reply(503, {}), Reply(504, b"x"), Reply(429, {})]
)
def test_a_read_is_tried_again_and_succeeds(reply: Reply) -> None:
    with Recorder(reply, reply, Reply(200, PAGE)) as server:
        workflows, clock = reader(server.url)
        assert workflows.list_flows() == PAGE
    assert len(server.seen) == 3
    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize(("reply", "kind"), [(Reply(503, {}), Unavailable), (Reply(429, {}), RateLimited)])
def test_a_read_is_tried_three_times_at_most(reply: Reply, kind: type[EngineError]) -> None:
    with Recorder(reply) as server:
        workflows, _ = reader(server.url)
        with pytest.raises(kind) as caught:
            workflows.list_flows()
    assert len(server.seen) == 3
    assert caught.value.status == reply.status


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401, {}),
        Reply(404, {}),
        Reply(400, {}),
        Reply(302, b""),
        Reply(200, b"{"),
        Reply(200, b"<html>"),
        Reply(409, {}),
    ],
)
def test_what_would_not_change_is_not_asked_again(reply: Reply) -> None:
    with Recorder(reply) as server:
        workflows, clock = reader(server.url)
        with pytest.raises(EngineError):
            workflows.list_flows()
    assert (len(server.seen), clock.slept) == (1, [])


def test_retry_after_in_seconds_is_obeyed() -> None:
    with Recorder(
        Reply(429, {}, (("retry-after", "4"),)), Reply(503, {}, (("retry-after", "0"),)), Reply(200, PAGE)
    ) as server:
        workflows, clock = reader(server.url, timeouts=servers.quick(total=40))
        assert workflows.list_flows() == PAGE
    assert clock.slept == [4.0, 0.0]


def test_retry_after_as_a_date_is_obeyed_on_the_engines_clock() -> None:
    headers = (("date", "Tue, 24 Nov 2026 10:00:10 GMT"), ("retry-after", "Tue, 24 Nov 2026 10:00:13 GMT"))

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.write(response("429 Too Many", b"{}", *(f"{name}: {value}" for name, value in headers)))
        peer.read_request()
        peer.write(response("200 OK", b'{"data":[]}'))

    with RawServer(script) as server:
        workflows, clock = reader(server.url, timeouts=servers.quick(total=40))
        assert workflows.list_flows() == {"data": []}
        close_pools()
    assert clock.slept == [3.0]


def test_a_wait_beyond_the_total_time_is_shown_instead_of_waited() -> None:
    with Recorder(Reply(429, {}, (("retry-after", "3600"),))) as server:
        workflows, clock = reader(server.url)
        with pytest.raises(RateLimited) as caught:
            workflows.list_flows()
    assert (len(server.seen), clock.slept, caught.value.retry_after) == (1, [], 3600.0)


def test_a_wait_longer_than_a_person_would_sit_through_is_shown_although_there_is_time() -> None:
    with Recorder(Reply(429, {}, (("retry-after", "30"),))) as server:
        workflows, clock = reader(server.url, timeouts=servers.quick(total=40))
        with pytest.raises(RateLimited) as caught:
            workflows.list_flows()
    assert (len(server.seen), clock.slept, caught.value.retry_after) == (1, [], 30.0)


def test_the_tries_share_one_total_time() -> None:
    with Recorder(Reply(429, {}, (("retry-after", "3"),))) as server:
        workflows, clock = reader(server.url, timeouts=servers.quick(total=5))
        with pytest.raises(RateLimited):
            workflows.list_flows()
    assert (len(server.seen), clock.slept) == (2, [3.0])


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("closed", lambda peer: None),
        ("reset", lambda peer: peer.reset()),
        ("garbage", lambda peer: peer.write(b"\x00\x01\x02\r\n\r\n")),
        ("headers cut", lambda peer: peer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")),
        ("body cut", lambda peer: peer.write(response("200 OK", b'{"data":[]}')[:-1])),
        ("chunk cut", lambda peer: peer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{}")),
        (
            "packed badly",
            lambda peer: peer.write(response("200 OK", b'{"data":[]}', "content-encoding: gzip", "connection: close")),
        ),
    ],
)
def test_a_broken_connection_is_tried_again_and_then_shown(name: str, action: Callable[[Peer], None]) -> None:
    def script(peer: Peer) -> None:
        if peer.read_request():
            action(peer)

    with RawServer(script) as server:
        workflows, _ = reader(server.url)
        with pytest.raises(Unavailable) as caught:
            workflows.list_flows()
    assert (len(server.requests), caught.value.code, caught.value.sent) == (3, "CONNECTION_LOST", None), name


def test_no_connection_at_all_is_tried_again_and_then_shown_as_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    workflows, clock = reader(f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable) as caught:
        workflows.get_flow(FLOW)
    assert (caught.value.code, caught.value.sent, clock.slept) == ("CONNECT_FAILED", False, [0.5, 1.0])


def test_a_stale_pooled_connection_costs_a_read_nothing() -> None:
    def script(peer: Peer) -> None:
        # Answers once, reads what comes next on the same connection, and hangs up: what a pool cannot foresee.
        if peer.read_request():
            peer.write(response("200 OK", b'{"data":[]}'))
            peer.read_request()

    with RawServer(script) as server:
        workflows, _ = reader(server.url)
        for _ in range(3):
            assert workflows.list_flows() == {"data": []}
        close_pools()


def test_connections_are_kept_and_shared_by_clients_of_one_engine() -> None:
    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.write(response("200 OK", b'{"data":[]}'))

    with RawServer(script) as server:
        for _ in range(5):
            reader(server.url)[0].list_flows()
        close_pools()
    assert (len(server.requests), server.connections) == (5, 1)


@pytest.mark.parametrize("where", ["headers", "body", "an endless body"])
def test_one_byte_at_a_time_is_cut_by_the_total_time(where: str) -> None:
    starts = {
        "headers": b"",
        "body": b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n",
        "an endless body": b'HTTP/1.1 200 OK\r\n\r\n{"data":[]}',
    }

    def script(peer: Peer) -> None:
        if peer.read_request():
            peer.write(starts[where])
            peer.drip(b"HTTP/1.1 200 OK\r\nx: " + b" " * 10_000 if where == "headers" else b" " * 10_000)

    with RawServer(script) as server:
        workflows = servers.client(server.url, timeouts=servers.quick(total=0.5)).workflows
        with pytest.raises(Unavailable) as caught:
            workflows.list_flows()
    assert caught.value.code == "TIMEOUT"
    assert len(server.requests) == 1


def test_a_read_without_a_byte_for_too_long_is_a_time_out() -> None:
    def script(peer: Peer) -> None:
        if peer.read_request():
            peer.hold()

    with RawServer(script) as server:
        workflows, _ = reader(server.url, timeouts=servers.quick(read=0.1))
        with pytest.raises(Unavailable) as caught:
            workflows.list_flows()
    assert (caught.value.code, len(server.requests)) == ("TIMEOUT", 3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "EMPTY"),
        (b"  \n", "EMPTY"),
        (b"<!DOCTYPE html><title>Sign in</title>", "HTML"),
        (b"\n <HTML>", "HTML"),
        (b'{"data":[', "NOT_JSON"),
        (b'{"data":"\xff\xfe"}', "NOT_JSON"),
        (b'{"data":NaN}', "NOT_JSON"),
        (b"[" * 100_000, "NOT_JSON"),
        (b"1" * 100_000, "NOT_JSON"),
        (b"nonsense", "NOT_JSON"),
    ],
)
def test_a_success_without_json_is_a_clear_error(body: bytes, code: str) -> None:
    with Recorder(Reply(200, body, (("x-request-id", "r1"),))) as server, pytest.raises(Unavailable) as caught:
        reader(server.url)[0].list_flows()
    assert (caught.value.code, caught.value.status, caught.value.request_id) == (code, 200, "r1")
    assert caught.value.message


@pytest.mark.parametrize("body", [[], "x", None, 5, {}, {"data": None}, {"data": {}}, {"data": [1]}, {"data": [None]}])
def test_a_page_of_another_shape_is_a_clear_error(body: Any) -> None:
    with Recorder(Reply(200, body)) as server:
        workflows, _ = reader(server.url)
        for call in (workflows.list_flows, workflows.list_runs, workflows.list_folders, workflows.list_mcp_servers):
            with pytest.raises(Unavailable, match="shape"):
                call()


@pytest.mark.parametrize("body", [[], "x", None, 5, [{}, 1]])
def test_an_object_a_list_or_a_number_of_another_shape_is_a_clear_error(body: Any) -> None:
    with Recorder(Reply(200, body)) as server:
        workflows, _ = reader(server.url)
        with pytest.raises(Unavailable, match="shape"):
            workflows.get_run(FLOW)
        if body != []:
            with pytest.raises(Unavailable, match="shape"):
                workflows.list_pieces()
        if body != 5:
            with pytest.raises(Unavailable, match="shape"):
                workflows.count_flows()


def test_lone_surrogates_do_not_get_through() -> None:
    with Recorder(Reply(200, rb'{"id":"a\ud800b","ok":"\ud83d\ude00","\udc00":["\udfff"]}')) as server:
        flow = reader(server.url)[0].get_flow(FLOW)
    assert flow == {"id": "a\ufffdb", "ok": "\U0001f600", "\ufffd": ["\ufffd"]}


def test_an_answer_over_the_limit_is_cut_off() -> None:
    with (
        answering(response("200 OK", b'{"data":["' + b"x" * 3_000_000 + b'"]}')) as server,
        pytest.raises(TooLarge) as caught,
    ):
        reader(server.url, largest_answer=1_000_000)[0].list_flows()
    assert (caught.value.code, len(server.requests)) == ("TOO_LARGE", 1)


@pytest.mark.slow
def test_a_bomb_is_cut_off_by_its_unpacked_size() -> None:
    bomb = gzip.compress(b" " * 200_000_000, compresslevel=9)
    assert len(bomb) < 300_000
    with answering(response("200 OK", bomb, "content-encoding: gzip")) as server:
        workflows, _ = reader(server.url)
        tracemalloc.start()
        try:
            with pytest.raises(TooLarge, match="32 MB"):
                workflows.list_flows()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 150_000_000


def test_an_error_that_is_over_the_limit_is_cut_off_too() -> None:
    with answering(response("404 Not Found", b"x" * 2000)) as server, pytest.raises(TooLarge):
        reader(server.url, largest_answer=1000)[0].list_flows()


def test_a_redirect_is_not_followed_nor_its_body_read_on() -> None:
    with (
        Recorder(Reply(302, b"", (("location", "/api/v1/elsewhere"),))) as server,
        pytest.raises(Unavailable) as caught,
    ):
        reader(server.url)[0].list_flows()
    assert [seen.path for seen in server.seen] == ["/api/v1/flows"]
    assert (caught.value.code, caught.value.status) == ("REDIRECT", 302)
    assert "elsewhere" in caught.value.technical


def test_cookies_are_not_kept_for_the_next_caller() -> None:
    with Recorder(Reply(200, PAGE, (("set-cookie", "session=1; Path=/"),))) as server:
        reader(server.url)[0].list_flows()
        reader(server.url)[0].list_flows()
    assert [seen.headers.get("cookie") for seen in server.seen] == [None, None]


def test_the_environment_is_not_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    with Recorder(Reply(200, PAGE)) as server:
        workflows, _ = reader(server.url)
        workflows.list_flows()
        with pytest.raises(EngineError):
            workflows.trigger_flow(FLOW)
    listed, triggered = server.seen
    assert listed.headers["authorization"] == "Bearer t0p-secret"
    assert "authorization" not in triggered.headers


def test_the_secret_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    replies = [Reply(401, {"message": "token t0p-secret is bad"}), Reply(200, b"t0p-secret"), Reply(500, b"t0p-secret")]
    for reply in replies:
        with Recorder(reply) as server, pytest.raises(EngineError) as caught:
            reader(server.url)[0].list_flows()
        error = caught.value
        assert "t0p-secret" not in f"{error!r} {error} {error.technical} {error.__cause__} {error.__context__}"
    assert "t0p-secret" not in caplog.text


def test_classes_of_refused_reads_come_through() -> None:
    for reply, kind in [
        (Reply(401, {}), CredentialRefused),
        (Reply(400, {"code": "FLOW_RUN_NOT_FOUND", "params": {}}), NotFound),
    ]:
        with Recorder(reply) as server, pytest.raises(kind):
            reader(server.url)[0].get_run(FLOW)


@pytest.mark.parametrize("row", [{"projectId": "E" * 21}, {"projectIds": ["E" * 21]}])
def test_what_belongs_to_another_project_is_not_found_although_the_engine_gives_it(row: dict[str, Any]) -> None:
    with Recorder(Reply(200, {"id": "A"} | row)) as server:
        workflows, _ = reader(server.url, project_id="P" * 21)
        for read in (workflows.get_flow, workflows.get_run, workflows.get_table, workflows.get_connection):
            with pytest.raises(NotFound, match="nothing with this id in this project"):
                read("A")


def test_what_the_engine_refuses_as_another_projects_is_not_found() -> None:
    body = {"code": "AUTHORIZATION", "params": {"message": "not owned by current project"}}
    with Recorder(Reply(403, body)) as server:
        with pytest.raises(NotFound):
            reader(server.url)[0].get_record("A")
        with pytest.raises(Forbidden):
            reader(server.url)[0].list_flows()

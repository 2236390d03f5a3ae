"""Writes: sent once, with a true answer whether they were never sent, answered, or may have been acted on."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from workflows_ui.engine import EngineError, NotSent, Unknown, close_pools

from . import servers
from .servers import FLOW, Certificates, Peer, RawServer, Recorder, Reply, answering, response


def test_a_write_returns_what_was_made_or_none_for_an_empty_answer() -> None:
    with Recorder(Reply(201, {"id": "A"}), Reply(204), Reply(200, b"")) as server:
        workflows = servers.client(server.url).workflows
        assert workflows.create_folder("Ops") == {"id": "A"}
        workflows.delete_folder("A")
        assert workflows.cancel_runs(["A"]) is None
    assert [seen.method for seen in server.seen] == ["POST", "DELETE", "POST"]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, {}, (("retry-after", "0"),)), Unknown),
        (Reply(500, {"statusCode": 500, "error": "e", "message": "m"}), Unknown),
        (Reply(503, {}), Unknown),
        (Reply(502, b"<html>"), Unknown),
        (Reply(504, b"late"), Unknown),
        (Reply(307, b"", (("location", "/api/v1/folders"),)), Unknown),
        (Reply(308, b"", (("location", "/api/v1/folders"),)), Unknown),
        (Reply(409, {"code": "FLOW_IN_USE", "params": {}}), Unknown),
        (Reply(200, b"<html>sign in</html>"), Unknown),
        (Reply(201, b'{"id":'), Unknown),
        (Reply(201, b'"\xff"'), Unknown),
        (Reply(201, []), Unknown),
        (Reply(201, {"displayName": "Ops"}), Unknown),
    ],
)
def test_a_write_is_sent_once_whatever_comes_back(reply: Reply, kind: type[EngineError]) -> None:
    with Recorder(reply) as server:
        with pytest.raises(kind) as caught:
            servers.client(server.url, sleep=_never).workflows.create_folder("Ops")
        assert type(caught.value) is kind
    assert len(server.seen) == 1


def _never(seconds: float) -> None:
    pytest.fail("a write waited to be sent again")


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("closed", lambda peer: None),
        ("reset", lambda peer: peer.reset()),
        ("garbage", lambda peer: peer.write(b"garbage\r\n\r\n")),
        ("headers cut", lambda peer: peer.write(b"HTTP/1.1 201 Created\r\nx: y\r\n")),
        ("body cut", lambda peer: peer.write(response("201 Created", b'{"id":"A"}')[:-1])),
        ("never answered", lambda peer: peer.hold()),
        ("drips", lambda peer: peer.drip(b"HTTP/1.1 201 Created\r\nx: " + b"y" * 10_000)),
    ],
)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_a_write_without_a_whole_answer_is_unknown_and_was_sent_once(
    name: str, action: Callable[[Peer], None], secure: bool, certificates: Certificates
) -> None:
    def script(peer: Peer) -> None:
        if peer.read_request():
            action(peer)

    with RawServer(script, tls=certificates.server if secure else None) as server:
        client = servers.client(
            server.url,
            ca_bundle=certificates.bundle if secure else None,
            timeouts=servers.quick(total=0.6),
            sleep=_never,
        )
        with pytest.raises(Unknown) as caught:
            client.workflows.create_folder("Ops")
    assert caught.value.sent is None
    assert (len(server.requests), server.connections) == (1, 1), name


def test_a_stale_pooled_connection_makes_a_write_unknown_and_does_not_send_it_twice() -> None:
    def script(peer: Peer) -> None:
        if peer.read_request():
            peer.write(response("200 OK", b'{"data":[]}'))
            peer.read_request()

    with RawServer(script) as server:
        workflows = servers.client(server.url, sleep=_never).workflows
        workflows.list_folders()
        with pytest.raises(Unknown):
            workflows.create_folder("Ops")
        close_pools()
    assert [request.split()[0] for request in server.requests] == [b"GET", b"POST"]
    assert server.connections == 1


def test_a_pooled_connection_that_was_closed_meanwhile_is_replaced_before_anything_is_sent() -> None:
    with answering(response("200 OK", b'{"data":[]}'), response("201 Created", b'{"id":"A"}')) as server:
        workflows = servers.client(server.url).workflows
        workflows.list_folders()
        assert server.hung_up.acquire(timeout=5)
        assert workflows.create_folder("Ops") == {"id": "A"}
    assert (len(server.requests), server.connections) == (2, 2)


def test_no_connection_means_never_sent(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent) as caught:
        servers.client(f"http://127.0.0.1:{port}", sleep=_never).workflows.create_folder("Ops")
    assert (caught.value.sent, caught.value.code) == (False, "CONNECT_FAILED")
    with RawServer(lambda peer: peer.hold()) as server:
        stalled = servers.client(
            f"https://localhost:{server.port}",
            ca_bundle=certificates.bundle,
            timeouts=servers.quick(connect=0.3),
            sleep=_never,
        )
        with pytest.raises(NotSent) as caught:
            stalled.workflows.create_folder("Ops")
    assert (caught.value.sent, caught.value.code) == (False, "TIMEOUT")


def test_a_write_too_large_to_read_back_is_unknown() -> None:
    with answering(response("201 Created", b"x" * 2000)) as server, pytest.raises(Unknown) as caught:
        servers.client(server.url, largest_answer=1000).workflows.create_folder("Ops")
    assert caught.value.code == "TOO_LARGE"


def test_many_threads_share_the_connections_without_mixing_answers() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Recorder(answer=lambda seen: Reply(200, {"id": seen.path.rsplit("/", 1)[1]})) as server:
        workflows = servers.client(server.url).workflows
        with ThreadPoolExecutor(16) as pool:
            ids = [f"{number:021}" for number in range(200)]
            assert [run["id"] for run in pool.map(workflows.get_run, ids)] == ids
    assert len(server.seen) == 200


def test_bulk_actions_need_explicit_ids() -> None:
    with Recorder(Reply(200, b"")) as server:
        workflows = servers.client(server.url).workflows
        calls: list[Callable[[Any], Any]] = [
            lambda ids: workflows.retry_runs(ids, "ON_LATEST_VERSION"),
            workflows.cancel_runs,
            workflows.archive_runs,
            workflows.delete_records,
        ]
        for call in calls:
            for nothing in ([], (), iter(()), "", FLOW, [""], [FLOW, ""]):
                with pytest.raises(ValueError, match="at least one"):
                    call(nothing)
    assert server.seen == []

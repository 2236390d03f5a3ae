"""A trigger is sent at most once, and its outcome is reported truly: never sent, answered, or unknown."""

import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

import pytest

from workflows_ui.engine import ApiKey, Client, NotFound, NotSent, TriggerAnswer, Unknown, close_pools

from . import servers
from .servers import FLOW, LOOPBACK, WEBHOOK_ID, Certificates, Peer, RawServer, response

ACCEPTED = response("200 OK", b"{}", f"x-webhook-id: {WEBHOOK_ID}", "content-type: application/json")


class Hook:
    """A `before_first_byte` that counts, and notes how many requests the server had read by then."""

    def __init__(self, server: RawServer) -> None:
        self.calls = 0
        self.read_by_then = -1
        self._server = server

    def __call__(self) -> None:
        self.calls += 1
        self.read_by_then = len(self._server.requests)


@pytest.fixture(params=["plain", "tls"])
def tls(request: pytest.FixtureRequest, certificates: Certificates) -> Certificates | None:
    return certificates if request.param == "tls" else None


def send(
    server: RawServer, tls: Certificates | None = None, *, hook: Callable[[], None] | None = None, **options: Any
) -> TriggerAnswer:
    wait = bool(options.pop("wait", False))
    deadline = float(options.pop("deadline", 10.0))
    client = servers.client(server.url, ca_bundle=tls.bundle if tls else None, **options)
    return client.workflows.send_trigger(
        FLOW, {"id": 1}, wait=wait, marker="m" * 21, before_first_byte=hook, deadline=deadline
    )


def serving(script: Callable[[Peer], None], tls: Certificates | None = None) -> RawServer:
    return RawServer(script, tls=tls.server if tls else None)


def after_request(action: Callable[[Peer], None]) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        if peer.read_request():
            action(peer)

    return script


def test_an_accepted_trigger_is_one_post_on_its_own_connection_with_the_marker(tls: Certificates | None) -> None:
    with serving(after_request(lambda peer: peer.write(ACCEPTED)), tls) as server:
        hook = Hook(server)
        answer = send(server, tls, hook=hook)
    assert (answer.outcome, answer.status, answer.webhook_id) == ("accepted", 200, WEBHOOK_ID)
    assert (server.triggers, server.connections, hook.calls, hook.read_by_then) == (1, 1, 1, 0)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == f"post /api/v1/webhooks/{FLOW} http/1.1".lower().encode()
    assert {b"connection: close", b"ap-parent-run-id: " + b"m" * 21, b"x-console-launch-id: " + b"m" * 21} <= set(lines)
    assert not any(line.startswith(b"ap-fail-parent-on-failure") for line in lines)
    assert body == b'{"id":1}'


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("garbage", lambda peer: peer.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")),
        ("a closed connection", lambda peer: None),
        ("a reset", lambda peer: peer.reset()),
        ("a status line cut midway", lambda peer: peer.write(b"HTTP/1.1 20")),
        ("a status without headers", lambda peer: peer.write(b"HTTP/1.1 204 No Content\r\n")),
        ("headers cut midway", lambda peer: peer.write(f"HTTP/1.1 200 OK\r\nx-webhook-id: {WEBHOOK_ID}".encode())),
        (
            "headers cut between two",
            lambda peer: peer.write(f"HTTP/1.1 200 OK\r\nx-webhook-id: {WEBHOOK_ID}\r\n".encode()),
        ),
        ("a body cut midway", lambda peer: peer.write(ACCEPTED[:-1])),
        ("a chunk cut midway", lambda peer: peer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{")),
        ("far too many headers", lambda peer: peer.write(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n")),
    ],
)
def test_a_request_that_was_read_but_not_answered_whole_is_unknown_and_not_sent_again(
    name: str, action: Callable[[Peer], None], tls: Certificates | None
) -> None:
    with serving(after_request(action), tls) as server:
        hook = Hook(server)
        with pytest.raises(Unknown) as caught:
            send(server, tls, hook=hook)
    assert caught.value.sent is None
    assert (server.triggers, server.connections, hook.calls) == (1, 1, 1), name


def test_one_byte_at_a_time_is_cut_by_the_total_deadline(tls: Certificates | None) -> None:
    with (
        serving(after_request(lambda peer: peer.drip(ACCEPTED[:-1] + b" " * 10_000)), tls) as server,
        pytest.raises(Unknown) as caught,
    ):
        send(server, tls, deadline=0.6)
    assert (caught.value.code, caught.value.sent) == ("TIMEOUT", None)
    assert server.triggers == 1


def test_a_drip_without_an_end_that_is_cut_is_not_taken_for_a_whole_answer(tls: Certificates | None) -> None:
    def then_silent(peer: Peer) -> None:
        peer.write(endless)
        peer.hold()

    endless = f"HTTP/1.1 200 OK\r\nx-webhook-id: {WEBHOOK_ID}\r\n\r\n".encode() + b'{"a":1}'
    with serving(after_request(then_silent), tls) as server, pytest.raises(Unknown):
        send(server, tls, wait=True, deadline=0.6)
    assert server.triggers == 1


def test_a_server_that_never_answers_is_unknown_after_the_deadline(tls: Certificates | None) -> None:
    with serving(after_request(lambda peer: peer.hold()), tls) as server, pytest.raises(Unknown) as caught:
        send(server, tls, deadline=0.5)
    assert caught.value.code == "TIMEOUT"
    assert server.triggers == 1


def test_a_stalled_handshake_was_never_sent(certificates: Certificates) -> None:
    with RawServer(lambda peer: peer.hold()) as server:
        hook = Hook(server)
        client = servers.client(
            f"https://localhost:{server.port}", ca_bundle=certificates.bundle, timeouts=servers.quick(connect=0.3)
        )
        with pytest.raises(NotSent) as caught:
            client.workflows.send_trigger(FLOW, {}, wait=False, before_first_byte=hook)
    assert (caught.value.code, caught.value.sent) == ("TIMEOUT", False)
    assert (hook.calls, server.triggers) == (0, 0)


@pytest.mark.parametrize("how", ["reset", "close", "garbage"])
def test_a_handshake_that_breaks_was_never_sent(how: str, certificates: Certificates) -> None:
    def script(peer: Peer) -> None:
        if how == "reset":
            peer.reset()
        elif how == "garbage":
            peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with RawServer(script) as server:
        hook = Hook(server)
        client = servers.client(f"https://localhost:{server.port}", ca_bundle=certificates.bundle)
        with pytest.raises(NotSent) as caught:
            client.workflows.send_trigger(FLOW, {}, wait=False, before_first_byte=hook)
    assert caught.value.sent is False
    assert hook.calls == 0


def test_a_certificate_that_is_not_trusted_was_never_sent(certificates: Certificates) -> None:
    with serving(after_request(lambda peer: peer.write(ACCEPTED)), certificates) as server:
        hook = Hook(server)
        with pytest.raises(NotSent) as caught:
            send(server, None, hook=hook)
    assert caught.value.code == "CERTIFICATE_REFUSED"
    assert (hook.calls, server.triggers) == (0, 0)


def test_a_certificate_for_another_name_was_never_sent(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up(monkeypatch, "127.0.0.1")
    with serving(after_request(lambda peer: peer.write(ACCEPTED)), certificates) as server:
        client = servers.client(f"https://engine.example:{server.port}", ca_bundle=certificates.bundle)
        with pytest.raises(NotSent) as caught:
            client.workflows.send_trigger(FLOW, {}, wait=False)
    assert caught.value.code == "CERTIFICATE_REFUSED"
    assert server.triggers == 0


def test_a_reset_before_the_request_is_read_is_unknown_for_we_had_begun_to_send() -> None:
    connected, hung_up = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        assert connected.wait(5)
        peer.reset()
        hung_up.set()

    def hook() -> None:
        connected.set()
        assert hung_up.wait(5)

    with RawServer(script) as server, pytest.raises(Unknown) as caught:
        send(server, hook=hook)
    assert caught.value.sent is None
    assert (server.connections, server.triggers) == (1, 0)


def test_a_refused_connection_was_never_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSent) as caught:
        servers.client(f"http://127.0.0.1:{port}").workflows.trigger_flow(FLOW, {})
    assert (caught.value.code, caught.value.sent) == ("CONNECT_FAILED", False)


def look_up(monkeypatch: pytest.MonkeyPatch, *addresses: str, error: OSError | None = None) -> list[str]:
    """The system's resolver gives these addresses for every name that is not an address; returns the names asked for."""
    asked: list[str] = []
    system = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any) -> Any:
        if host == "engine.example":
            asked.append(host)
            if error is not None:
                raise error
            return [found for address in addresses for found in system(address, port, *rest)]
        return system(host, port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_that_cannot_be_looked_up_was_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = look_up(monkeypatch, error=socket.gaierror(-2, "Name or service not known"))
    with pytest.raises(NotSent) as caught:
        servers.client("http://engine.example").workflows.trigger_flow(FLOW, {})
    assert (caught.value.code, caught.value.sent, asked) == ("DNS_FAILED", False, ["engine.example"])


def test_a_name_that_is_looked_up_for_too_long_was_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: given_up.wait())
    with pytest.raises(NotSent) as caught:
        servers.client("http://engine.example", timeouts=servers.quick(connect=0.05)).workflows.trigger_flow(FLOW, {})
    given_up.set()
    assert (caught.value.code, caught.value.sent) == ("TIMEOUT", False)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".example"])
def test_a_name_that_does_not_exist_was_never_sent(name: str) -> None:
    with pytest.raises(NotSent) as caught:
        servers.client(f"http://{name}").workflows.trigger_flow(FLOW, {})
    assert caught.value.code == "DNS_FAILED"


def test_the_next_address_of_a_name_is_tried_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up(monkeypatch, "127.0.0.2", "127.0.0.1")
    with serving(after_request(lambda peer: peer.write(ACCEPTED))) as server:
        client = servers.client(f"http://engine.example:{server.port}")
        assert client.workflows.trigger_flow(FLOW, {}) == {}
    assert (server.triggers, server.connections) == (1, 1)


@pytest.mark.parametrize(
    "status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
def test_a_redirect_is_not_followed_and_is_unknown(status: str, tls: Certificates | None) -> None:
    with serving(after_request(lambda peer: peer.write(response(status, b"", "location: /elsewhere"))), tls) as server:
        assert send(server, tls).outcome == "unknown"
        with pytest.raises(Unknown):
            servers.client(server.url, ca_bundle=tls.bundle if tls else None).workflows.trigger_flow(FLOW)
    assert (server.triggers, server.connections) == (2, 2)


@pytest.mark.parametrize(
    "status", ["429 Too Many Requests", "503 Service Unavailable", "500 Oops", "408 Request Timeout"]
)
def test_no_status_makes_anybody_send_it_again(status: str) -> None:
    with serving(after_request(lambda peer: peer.write(response(status, b"{}", "retry-after: 0")))) as server:
        assert send(server).outcome == "unknown"
    assert (server.triggers, server.connections) == (1, 1)


def test_a_pooled_connection_is_never_used_for_a_trigger(tls: Certificates | None) -> None:
    page = response("200 OK", b'{"data":[]}')

    def script(peer: Peer) -> None:
        request = peer.read_request()
        if request.startswith(b"GET"):
            peer.write(page)
            # Kept open as a pool would have it; anything that comes on it now is read and never answered.
            peer.read_request()
        elif request:
            peer.write(ACCEPTED)

    with serving(script, tls) as server:
        client = servers.client(server.url, ca_bundle=tls.bundle if tls else None)
        client.workflows.list_flows()
        assert client.workflows.trigger_flow(FLOW) == {}
        assert client.workflows.trigger_flow(FLOW) == {}
        close_pools()
    assert (server.connections, server.triggers) == (3, 2)


def test_what_the_hook_raises_comes_through_unchanged_and_nothing_is_sent(tls: Certificates | None) -> None:
    class LostClaimError(Exception):
        pass

    for problem in (LostClaimError("gone"), BrokenPipeError("the database's"), ValueError("bad"), KeyboardInterrupt()):
        got: list[bytes] = []
        started = threading.Event()

        def script(peer: Peer, started: threading.Event = started, got: list[bytes] = got) -> None:
            started.set()
            got.append(peer.connection.recv(10))

        def hook(problem: BaseException = problem, started: threading.Event = started) -> None:
            assert started.wait(5)
            raise problem

        with serving(script, tls) as server, pytest.raises(type(problem)) as caught:
            send(server, tls, hook=hook)
        assert caught.value is problem
        assert (server.connections, b"".join(got)) == (1, b"")


def test_a_deadline_that_passes_within_the_hook_leaves_the_request_unsent() -> None:
    def outlast_the_deadline() -> None:
        assert not threading.Event().wait(0.5)

    with RawServer(lambda peer: peer.hold()) as server, pytest.raises(NotSent) as caught:
        send(server, hook=outlast_the_deadline, deadline=0.2)
    assert (caught.value.code, caught.value.sent) == ("TIMEOUT", False)
    assert server.requests == []


@pytest.mark.parametrize("closes", [False, True])
def test_an_early_answer_to_a_body_that_is_too_large_is_read(closes: bool) -> None:
    def script(peer: Peer) -> None:
        peer.connection.recv(1000)
        peer.write(response("413 Payload Too Large", b"{}", "connection: close"))
        peer.connection.shutdown(socket.SHUT_WR)
        if not closes:
            peer.hold()

    with RawServer(script) as server:
        client = servers.client(server.url)
        answer = client.workflows.send_trigger(FLOW, {"x": "y" * 8_000_000}, wait=False)
    assert (answer.outcome, answer.status, server.connections) == ("unknown", 413, 1)


def test_an_answer_beyond_the_limit_is_cut_but_still_an_answer() -> None:
    large = response("200 OK", b"x" * 5000, f"x-webhook-id: {WEBHOOK_ID}")
    with servers.answering(large) as server:
        answer = send(server, wait=True, largest_answer=1000)
    assert (answer.outcome, answer.truncated, len(answer.body)) == ("answered", True, 1000)


def test_the_secret_is_in_no_text_of_what_is_raised() -> None:
    with servers.answering(b"garbage with t0p-secret\r\n\r\n") as server, pytest.raises(Unknown) as caught:
        send(server)
    error = caught.value
    assert "t0p-secret" not in f"{error!r} {error} {error.technical} {error.__cause__} {error.__context__}"


def test_no_credential_goes_out_with_a_trigger_of_an_activepieces_which_would_keep_it_with_the_run() -> None:
    with servers.Recorder(servers.Reply(200, {}, (("x-webhook-id", WEBHOOK_ID),))) as server:
        servers.client(server.url).workflows.trigger_flow(FLOW)
    assert "t0p-secret" not in repr(server.seen)


def test_an_api_key_goes_out_with_a_trigger_of_the_gateway() -> None:
    with servers.Recorder(servers.Reply(404, {}, (("x-webhook-id", WEBHOOK_ID),))) as server:
        client = Client(gateway=server.url, auth=ApiKey("api_1"), safety=LOOPBACK)
        with pytest.raises(NotFound) as caught:
            client.workflows.trigger_flow(FLOW)
    assert (caught.value.status, caught.value.sent) == (404, True)
    assert server.seen[0].path == f"/activepieces/v1/webhooks/{FLOW}"
    assert server.seen[0].headers["x-api-key"] == "api_1"
    assert server.seen[0].json == {}


@pytest.mark.parametrize("marker", ["", "short", "m" * 20 + "-", "m" * 22, "m" * 20 + "\n"])
def test_a_marker_of_another_shape_is_refused_before_anything_is_sent(marker: str) -> None:
    client = servers.client("http://127.0.0.1:9")
    with pytest.raises(ValueError, match="21 characters"):
        client.workflows.send_trigger(FLOW, {}, wait=False, marker=marker)


@pytest.mark.parametrize("payload", [float("nan"), {"a": float("inf")}, {"a": "\ud800"}])
def test_a_payload_that_json_cannot_hold_is_refused_before_anything_is_sent(payload: Any) -> None:
    with RawServer(lambda peer: None) as server, pytest.raises(ValueError):
        servers.client(server.url).workflows.send_trigger(FLOW, payload, wait=False)
    assert server.connections == 0


def test_tls_is_verified_with_modern_rules(certificates: Certificates) -> None:
    from workflows_ui.engine.connection import tls_context

    context = tls_context(certificates.bundle)
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("status", [404, 410])
def test_a_draft_runs_although_its_flow_is_off_unless_it_is_gone(status: int) -> None:
    answer = servers.Reply(status, {}, (("x-webhook-id", WEBHOOK_ID),))
    flow = servers.Reply(200, {"id": FLOW, "projectId": "P" * 21})
    with servers.Recorder(answer=lambda seen: answer if seen.method == "POST" else flow) as server:
        workflows = servers.client(server.url).workflows
        if status == 404:
            assert workflows.test_draft(FLOW, {}).status == 404
        else:
            with pytest.raises(Unknown):
                workflows.test_draft(FLOW, {})

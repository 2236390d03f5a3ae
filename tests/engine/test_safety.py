"""Which addresses the console talks to, in every spelling, and that the connected peer is what counts."""

import socket
from typing import Any

import pytest

from workflows_ui.engine import AddressRefused, AddressSafety, BearerToken, Client, NotSent, close_pools

from . import servers
from .servers import FLOW, LOOPBACK, RawServer, Recorder, Reply
from .test_triggers import look_up

EVERYWHERE = AddressSafety(["0.0.0.0/0", "::/0"])
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "169.254.170.2",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "2002:a9fe:a9fe::1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::169.254.169.254",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2001:0:a9fe:a9fe::1",
    "2001:0:808:808:0:0:5601:5601",
    "fe80::5efe:169.254.169.254",
    "2001:db8::200:5efe:169.254.169.254",
    "100.100.100.200",
    "::ffff:100.100.100.200",
    "64:ff9b::100.100.100.200",
    "168.63.129.16",
    "2002:a83f:8110::",
    "192.0.0.192",
    "::ffff:192.0.0.192",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%lo",
    "febf::1",
    "fec0::1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "::ffff:0.0.0.0",
    "::2",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
]
INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "::1",
    "::ffff:127.0.0.1",
    "64:ff9b::127.0.0.1",
    "2002:7f00:1::",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "64:ff9b::192.168.1.1",
    "100.64.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "fc00::1",
    "fd12:3456::1",
    "2001:db8::1",
    "2001:10::1",
    "3fff::1",
    "100::1",
    "4000::1",
]
OUTSIDE = [
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "169.253.1.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::",
]


def _open(safety: AddressSafety, address: str) -> bool:
    try:
        safety.check_peer(address)
    except AddressRefused as refused:
        return refused.sent is not False
    return True


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_open_whatever_is_listed(address: str) -> None:
    assert not _open(AddressSafety(), address)
    assert not _open(EVERYWHERE, address)
    assert not _open(AddressSafety([address.partition("%")[0]]), address)


@pytest.mark.parametrize("address", INSIDE)
def test_inside_addresses_are_open_only_where_listed(address: str) -> None:
    assert not _open(AddressSafety(), address)
    assert not _open(AddressSafety(["11.0.0.0/8", "fe00::/16"]), address)
    assert _open(AddressSafety([address]), address)
    assert _open(EVERYWHERE, address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_public_addresses_are_open(address: str) -> None:
    assert _open(AddressSafety(), address)


def test_a_listed_ipv4_network_holds_for_its_mapped_form() -> None:
    assert _open(AddressSafety(["10.0.0.0/8"]), "::ffff:10.1.2.3")


def test_rules_compare_by_value_and_refuse_what_is_no_network() -> None:
    assert AddressSafety(["10.0.0.0/8"]) == AddressSafety(("10.0.0.0/8",))
    assert len({AddressSafety(["10.0.0.0/8"]), AddressSafety(["10.0.0.0/8"]), AddressSafety()}) == 2
    with pytest.raises(ValueError):
        AddressSafety(["inside"])


@pytest.mark.parametrize(
    "url",
    [
        "ftp://engine.example",
        "file:///etc/passwd",
        "gopher://engine.example",
        "engine.example",
        "//engine.example",
        "",
        "http://",
        "http:///path",
        "https://user@engine.example",
        "https://user:password@engine.example",
        "https://@engine.example",
        "https://engine.example:99999",
        "https://engine.example:x",
        "https://[::1",
        "https://engine.example/a b",
        "https://engine.example\\@other.example",
        "https://engine.example/\r\nx: y",
        "https://engine.example/?a=b",
        "https://engine.example/#a",
        "http://169.254.169.254",
        "http://[::ffff:169.254.169.254]",
        "http://[fe80::1%25lo]",
        "http://2852039166",
        "http://0xa9fea9fe",
        "http://0251.0376.0251.0376",
        "http://169.16689662",
        "http://127.1",
        "http://10.0.0.1",
        "http://0",
    ],
)
def test_an_address_that_is_invalid_or_not_allowed_makes_no_client(url: str) -> None:
    for place in ("engine_url", "gateway"):
        with pytest.raises(AddressRefused) as caught:
            Client(**{place: url}, auth=BearerToken("t"))  # type: ignore[arg-type]
        assert caught.value.sent is False


@pytest.mark.parametrize(
    "url", ["https://engine.example", "http://engine.example:8080/api/", " https://[2606:4700::1]:8443 "]
)
def test_an_ordinary_address_makes_a_client(url: str) -> None:
    assert Client(engine_url=url, auth=BearerToken("t")).flavour == "activepieces"


def test_a_name_that_leads_inside_is_refused_before_a_connection_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for addresses in (["127.0.0.1"], ["127.0.0.1", "127.0.0.1"], ["::1", "127.0.0.1"]):
        look_up(monkeypatch, *addresses)
        with RawServer(lambda peer: None) as server:
            workflows = Client(
                engine_url=f"http://engine.example:{server.port}", auth=BearerToken("t"), project_id="p"
            ).workflows
            for call in (
                workflows.list_flows,
                lambda w=workflows: w.trigger_flow(FLOW),
                lambda w=workflows: w.delete_flow(FLOW),
            ):
                with pytest.raises(AddressRefused):
                    call()
        assert server.connections == 0
        monkeypatch.undo()


def test_a_refused_address_is_not_asked_again() -> None:
    workflows = Client(
        engine_url="http://localhost", auth=BearerToken("t"), sleep=lambda s: pytest.fail("waited")
    ).workflows
    with pytest.raises(AddressRefused):
        workflows.get_flow(FLOW)


def test_a_name_that_changes_its_address_after_it_was_judged_does_not_help(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["127.0.0.1", "127.0.0.2"]
    system = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any) -> Any:
        return system(answers.pop(0) if host == "engine.example" else host, port, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with Recorder(Reply(200, {"data": []})) as server:
        port = server.url.rsplit(":", 1)[1]
        workflows = Client(
            engine_url=f"http://engine.example:{port}",
            auth=BearerToken("t"),
            project_id="p",
            safety=AddressSafety(["127.0.0.1"]),
        ).workflows
        assert workflows.list_flows() == {"data": []}
        close_pools()
        with pytest.raises(AddressRefused):
            workflows.list_flows()
    assert (answers, len(server.seen)) == ([], 1)


def test_the_peer_that_was_reached_is_judged_before_tls(
    monkeypatch: pytest.MonkeyPatch, certificates: servers.Certificates
) -> None:
    # The kernel may send a connection elsewhere than to the address that was judged; only the peer tells.
    seen: list[bytes] = []
    system = socket.socket.connect
    with RawServer(lambda peer: seen.append(peer.connection.recv(10))) as server:

        def connect(self: socket.socket, address: Any) -> None:
            system(self, ("127.0.0.1", server.port) if address[0] == "8.8.8.8" else address)

        monkeypatch.setattr(socket.socket, "connect", connect)
        for base in ("https", "http"):
            with pytest.raises(AddressRefused):
                Client(engine_url=f"{base}://8.8.8.8", auth=BearerToken("t")).workflows.trigger_flow(FLOW)
            assert server.hung_up.acquire(timeout=5)
    assert (server.connections, b"".join(seen)) == (2, b"")


def test_a_connection_is_not_shared_between_two_rules() -> None:
    with Recorder(Reply(200, {"data": []})) as server:
        servers.client(server.url).workflows.list_flows()
        name = server.url.replace("127.0.0.1", "localhost")
        servers.client(name).workflows.list_flows()
        strict = Client(engine_url=f"{name}/api", auth=BearerToken("t"), project_id="p").workflows
        with pytest.raises(AddressRefused):
            strict.list_flows()
    assert len(server.seen) == 2


def test_behind_a_proxy_written_addresses_and_inside_names_are_judged_before() -> None:
    for url in (
        "http://169.254.169.254",
        "http://10.0.0.1",
        "http://0x7f.1",
        "http://localhost",
        "http://localhost.",
        "http://a.localhost",
        "http://metadata.google.internal",
    ):
        with pytest.raises(AddressRefused):
            Client(engine_url=url, auth=BearerToken("t"), proxy="http://127.0.0.1:9")
    assert Client(
        engine_url="http://localhost", auth=BearerToken("t"), proxy="http://127.0.0.1:9", safety=LOOPBACK
    ).flavour


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "https://127.0.0.1:9", "127.0.0.1:9"])
def test_only_plain_http_proxies_are_taken(proxy: str) -> None:
    with pytest.raises(ValueError, match="proxy"):
        Client(engine_url="http://engine.example", auth=BearerToken("t"), proxy=proxy)


def test_a_proxy_is_asked_for_plain_http_with_its_own_credentials_and_the_trigger_goes_once() -> None:
    webhook = (("x-webhook-id", "w"),)
    with Recorder(Reply(200, {"data": []}), Reply(200, {}, webhook)) as proxy:
        where = proxy.url.replace("http://", "http://user:pass@")
        workflows = Client(
            engine_url="http://engine.example/api", auth=BearerToken("t"), project_id="p", proxy=where
        ).workflows
        workflows.list_flows()
        assert workflows.trigger_flow(FLOW) == {}
    assert [seen.path for seen in proxy.seen] == [
        "http://engine.example/api/v1/flows",
        f"http://engine.example/api/v1/webhooks/{FLOW}",
    ]
    for seen in proxy.seen:
        assert seen.headers["host"] == "engine.example"
        assert seen.headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert [seen.headers.get("authorization") for seen in proxy.seen] == ["Bearer t", None]


def test_a_proxy_tunnels_tls_and_the_trigger_is_sent_inside_the_tunnel(certificates: servers.Certificates) -> None:
    tunnels: list[bytes] = []

    def script(peer: servers.Peer) -> None:
        tunnels.append(peer.connection.recv(65536))
        peer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        inside = certificates.server.wrap_socket(peer.connection, server_side=True)
        peer.connection = inside
        while peer.read_request():
            trigger = b"/webhooks/" in peer.server.requests[-1]
            peer.write(servers.response("200 OK", b"{}" if trigger else b'{"data":[]}', "x-webhook-id: w"))
        inside.close()

    with RawServer(script) as proxy:
        workflows = Client(
            engine_url="https://localhost/api",
            auth=BearerToken("t"),
            project_id="p",
            proxy=f"http://127.0.0.1:{proxy.port}",
            ca_bundle=certificates.bundle,
            safety=LOOPBACK,
        ).workflows
        assert workflows.list_flows() == {"data": []}
        assert workflows.trigger_flow(FLOW) == {}
        close_pools()
    assert [tunnel.split(b"\r\n")[0].split()[:2] for tunnel in tunnels] == [[b"CONNECT", b"localhost:443"]] * 2
    assert not any(b"Bearer" in tunnel for tunnel in tunnels)
    assert proxy.triggers == 1


def test_a_proxy_that_refuses_the_tunnel_means_never_sent() -> None:
    def script(peer: servers.Peer) -> None:
        peer.connection.recv(65536)
        peer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    with RawServer(script) as proxy:
        workflows = Client(
            engine_url="https://engine.example", auth=BearerToken("t"), proxy=f"http://127.0.0.1:{proxy.port}"
        ).workflows
        with pytest.raises(NotSent) as caught:
            workflows.trigger_flow(FLOW)
        assert caught.value.sent is False
        with pytest.raises(NotSent):
            workflows.delete_flow(FLOW)
    assert proxy.connections == 2

"""Requests to the inside network, through the form of a new credential: no spelling, name, redirect or change of mind gets there."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.engine.servers import Recorder, Reply
from tests.users import person
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import credential_tests
from workflows_ui.engine import Timeouts
from workflows_ui.engine.transport import close_pools
from workflows_ui.members.models import Workspace

ADD = "/credentials/add/"
#: Each with the port of something that listens on this machine.
SPELLINGS = [
    "http://127.0.0.1:{port}",
    "http://127.9.9.9:{port}",
    "http://127.1:{port}",
    "http://127.0.1:{port}",
    "http://2130706433:{port}",
    "http://0x7f000001:{port}",
    "http://0x7f.0.0.1:{port}",
    "http://0x7F.1:{port}",
    "http://017700000001:{port}",
    "http://0177.0.0.1:{port}",
    "http://0:{port}",
    "http://0.0.0.0:{port}",
    "http://[::1]:{port}",
    "http://[::]:{port}",
    "http://[::ffff:127.0.0.1]:{port}",
    "http://[::ffff:7f00:1]:{port}",
    "http://[0:0:0:0:0:ffff:7f00:0001]:{port}",
    "http://[64:ff9b::7f00:1]:{port}",
    "http://[2002:7f00:1::]:{port}",
    "http://[::127.0.0.1]:{port}",
    "http://[::1%25lo]:{port}",
    "http://localhost:{port}",
    "http://LOCALHOST:{port}",
    "http://localhost.:{port}",
    "http://sub.localhost:{port}",
    "http://inside.example:{port}",
    "http://both.example:{port}",
    "http://①②⑦.⓪.⓪.①:{port}",
    "http://127。0。0。1:{port}",
    "http://evil.example@127.0.0.1:{port}",
    "http://127.0.0.1:{port}#@evil.example",
    "http://127.0.0.1:{port}?@evil.example",
    "http://evil.example\\@127.0.0.1:{port}",
    "http://169.254.169.254",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://[::ffff:169.254.169.254]",
    "http://[fd00:ec2::254]",
    "http://metadata.google.internal",
    "http://100.100.100.200",
    "http://10.0.0.1",
    "http://192.168.0.1",
    "http://172.16.0.1",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_x",
    "dict://127.0.0.1:{port}/",
    "unix:///run/postgresql",
    "//127.0.0.1:{port}",
]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """As in production: no private network is open; and names that lead inside."""
    settings.ENGINE_PRIVATE_NETWORKS = []
    monkeypatch.setattr(credential_tests, "TIMEOUTS", Timeouts(connect=1.0, read=1.0, total=1.0))
    system = socket.getaddrinfo
    names = {
        "inside.example": ["127.0.0.1"],
        "both.example": ["::1", "127.0.0.1"],
        "metadata.google.internal": ["169.254.169.254"],
        "sub.localhost": ["127.0.0.1"],
        "localhost.": ["127.0.0.1"],
    }

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        found = names.get(str(host).lower())
        if found is None:
            return system(host, port, *rest, **more)
        return [one for address in found for one in system(address, port, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    close_pools()


def browser() -> Client:
    """Somebody who is signed in and belongs nowhere yet."""
    made = Client()
    made.force_login(person("mallory"))
    return made


def sent(address: str, **more: str) -> dict[str, str]:
    """The form, filled in."""
    return {"engine": "activepieces", "address": address, "secret": "tok-some-secret", "name": "x"} | more


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(
    "engine",
    ["activepieces", pytest.param("gateway", marks=pytest.mark.slow), pytest.param("sign in", marks=pytest.mark.slow)],
)
@pytest.mark.sampled(4)
def test_no_spelling_of_an_inside_address_is_called(db: None, spelling: str, engine: str) -> None:
    with Recorder(Reply(200, {"id": "P" * 21})) as server:
        address = spelling.format(port=server.url.rsplit(":", 1)[1])
        more = {"engine": engine, "kind": "api_key"}
        if engine == "sign in":
            more = {"engine": "gateway", "kind": "sign_in", "email": "a@example.com", "password": "p" * 12}
        answer = browser().post(ADD, sent(address, **more))
        assert answer.status_code == 422
        assert "address" in answer.context["form"].errors
        assert server.seen == []
    assert not Credential.objects.exists()
    assert not Workspace.objects.exists()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_inside(db: None, settings: Settings, status: int) -> None:
    settings.ENGINE_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    with Recorder(Reply(200, {"id": "P" * 21})) as inside:
        with Recorder(Reply(status, {}, (("location", f"{inside.url}/api/v1/users/me"),))) as engine:
            answer = browser().post(ADD, sent(f"{engine.url}/api"))
        assert answer.status_code == 422
        assert inside.seen == []
        # What is asked to be helpful (does an engine answer close by?) goes out without the secret.
        assert {seen.headers.get("authorization") for seen in engine.seen} == {"Bearer tok-some-secret", None}


def test_a_name_that_changes_its_address_gets_nowhere(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer is allowed, each later one leads to another machine of the inside."""
    settings.ENGINE_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    system, asked = socket.getaddrinfo, []

    def getaddrinfo(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host == "rebinding.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return system(host, port, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with Recorder(Reply(503, {}, (("connection", "close"), ("retry-after", "0")))) as server:
        port = server.url.rsplit(":", 1)[1]
        for _ in range(3):
            answer = browser_again().post(ADD, sent(f"http://rebinding.example:{port}/api"))
            close_pools()
            assert answer.status_code == 422
        assert len(server.seen) <= 1
        assert len(asked) > 1


def browser_again() -> Client:
    """The same person at a browser."""
    made = Client()
    made.force_login(User.objects.filter(username="mallory").first() or person("mallory"))
    return made


def test_answers_of_internal_machines_are_not_shown(db: None) -> None:
    """A refusal names the rule, not what answered or whether anything did."""
    with Recorder(Reply(200, {"secret": "inside-knowledge"})) as server:
        open_port = browser().post(ADD, sent(server.url))
    closed = browser_again().post(ADD, sent("http://127.0.0.1:1"))
    first, second = (str(one.context["form"].errors["address"]) for one in (open_port, closed))
    assert first == second
    assert "inside-knowledge" not in open_port.content.decode()

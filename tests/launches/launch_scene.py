"""What tests of the launch pages share: a practice engine over HTTP, people around a workspace on it, browsers that are signed in."""

import html
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from practice_engine.engine import PracticeEngine
from practice_engine.server import Server, serve
from tests.users import Users, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.credentials.services import clients
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import following, launches, sending
from workflows_ui.members.models import Member, Role

#: An engine second lasts so long.
PAUSE = 0.02
NO_FLOW = "F" * 21


class Scene:
    """The colleague (launcher) at a browser, the owner (manager) at another, an engine they both use."""

    def __init__(self, *, samples: bool = False) -> None:
        self.engine = PracticeEngine(clock_scale=PAUSE, samples=samples)
        self.server: Server = serve(self.engine)
        given = self.engine.credentials
        space = workspace("sales", address=f"{self.server.url}/api", project=given.project_id)
        self.users: Users = gather(space, given.bearer_token)
        self.workflows = clients.client_for_credential(self.users.credential).workflows
        self.browser = self.sign_in(self.users.colleague)

    def sign_in(self, user: User) -> Client:
        """A browser of this person's."""
        browser = Client()
        browser.force_login(user)
        return browser

    def member(self, name: str, role: Role) -> User:
        """One more member of the workspace."""
        user = person(name)
        Member.objects.create(workspace=self.users.workspace, user=user, role=role)
        return user

    def url(self, flow_id: str) -> str:
        """The address of a flow's launch form."""
        return f"/w/{self.users.workspace.slug}/flows/{flow_id}/launch/"

    def fields(self, flow_id: str, browser: Client | None = None, query: str = "") -> dict[str, str]:
        """What the form for JSON holds when it is opened: the hidden fields, the values, the choice."""
        as_json = f"{query}&_as=json" if query else "?_as=json"
        response = (browser or self.browser).get(self.url(flow_id) + as_json)
        assert response.status_code == 200, text_of(response)
        return form_of(response)

    def launch(self, flow_id: str, payload: str = "{}", *, wait: bool = False, send: bool = True) -> Launch:
        """Launches as the colleague, by the form, and sends it as a worker would."""
        fields = self.fields(flow_id) | {"payload": payload, "_how": "wait" if wait else "start", "confirmed": "yes"}
        response = self.browser.post(self.url(flow_id), fields)
        assert response.status_code == 303, text_of(response)
        launch = Launch.objects.get(pk=response["Location"].rstrip("/").rpartition("/")[2])
        if send:
            sending.send(launch.pk)
        return Launch.objects.get(pk=launch.pk)

    def watch(self, launch: Launch, *states: str) -> Launch:
        """Polls, as beat and a worker would, until the launch is settled, or in one of these states."""
        for _ in range(600):
            launch = Launch.objects.get(pk=launch.pk)
            if launch.state in states or (not states and launch.settled):
                return launch
            Launch.objects.filter(poll_at__isnull=False).update(poll_at=timezone.now() - timedelta(seconds=1))
            following.poll(launch.workspace_id)
            threading.Event().wait(PAUSE)  # the engine, in other threads, gets on
        raise AssertionError(f"still {launch.state} ({launch.reason})")

    def page(self, launch: Launch, browser: Client | None = None) -> str:
        """The launch's page as text."""
        response = (browser or self.browser).get(f"/w/{self.users.workspace.slug}/launches/{launch.pk}/")
        assert response.status_code == 200, response.status_code
        return text_of(response)

    def row(self, user: User | None = None, **fields: Any) -> Launch:
        """A launch written straight into the database, in any state."""
        now = timezone.now()
        launch = Launch(
            workspace=self.users.workspace,
            user=user or self.users.colleague,
            credential=self.users.credential,
            ticket=launches.ticket(),
            flow_id=NO_FLOW,
            flow_name="A flow",
            payload_digest="0" * 64,
            asked_at=now,
            not_before=now,
            send_by=now + timedelta(minutes=15),
        )
        launch.payload = launch.seal("payload", '{"a":1}')
        for name, value in fields.items():
            setattr(launch, name, launch.seal(name, value) if name in {"payload", "answer", "failure"} else value)
        launch.save(force_insert=True)
        return launch

    def close(self) -> None:
        """Stops the engine."""
        self.server.stop()
        self.engine.close()


def text_of(response: Any) -> str:
    """The page's HTML."""
    assert isinstance(response, HttpResponse)
    return response.content.decode()


def form_of(response: Any) -> dict[str, str]:
    """The launch form's fields as a browser would send them."""
    page = text_of(response)
    found = dict(re.findall(r'name="(ticket|_flow)" value="([^"]*)"', page))
    area = re.search(r'name="payload"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    checked = re.search(r'name="_how" value="(\w+)" checked', page)
    assert area
    assert checked
    return {**found, "payload": unescape(area[1]), "_how": checked[1]}


def unescape(text: str) -> str:
    """HTML entities as letters."""
    return html.unescape(text)


def live_part(page: str) -> str:
    """The opening tag of the live part."""
    found = re.search(r'<div id="launch-live"[^>]*>', page)
    assert found
    return unescape(found[0])


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    """A practice engine without samples, over HTTP, and people around a workspace on it; the colleague sits at a browser."""
    made = Scene()
    yield made
    made.close()

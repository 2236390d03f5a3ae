"""A console that runs as `make run` starts it, its practice engine, and people's windows on it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from practice_engine.samples import sample_flows
from tests.browser.looks import DESK, STILL, sound
from tests.browser.windows import HARMLESS
from tests.project.console_process import (
    ROOT,
    RUN_COMMAND,
    ConsoleProcess,
    free_port,
    minimal_environment,
    processes_of,
    running_console,
    wait_for,
)

#: An engine second lasts a tenth of a real one: the wait limit of 30 s passes in 3 s, a pause of 60 s in 6 s.
SCALE = "0.1"
#: Start a run index within the console, and end it.
_START_INDEX = """
from django.contrib.auth.models import Group
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.run_index.services import indexes
row = Credential.objects.select_related("workspace", "owner").filter(workspace__slug="practice").first()
sharing.write(row, Group.objects.get_or_create(name="Reporting")[0], row.owner)
indexes.start(CONSOLE, row.workspace, row, 90, kept={kept})
"""
_STOP_INDEX = """
from django.contrib.auth.models import Group
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.members.models import Workspace
from workflows_ui.run_index.services import indexes
indexes.stop(CONSOLE, Workspace.objects.get(slug="practice"))
Group.objects.filter(name="Reporting").delete()
"""
#: What Chromium itself writes about a page that was refused with a status of 422, such as a form with a mistake in it.
REFUSED_FORM = "the server responded with a status of 422"


class Practice:
    """The practice engine of a running console, by its control routes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        port = (folder / "practice_engine.port").read_text(encoding="ascii").strip()
        self._address = f"http://127.0.0.1:{port}/_practice"
        state = json.loads((folder / "practice_engine.json").read_text(encoding="utf-8"))
        given = state["given"]["credentials"]
        self._token: str = given["control_token"]
        #: What opens it as the company's owner, and where its own API is.
        self.token, self.project_id, self.engine = (
            given["bearer_token"],
            given["project_id"],
            f"http://127.0.0.1:{port}/api",
        )
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def triggers(self, slug: str) -> int:
        """How many requests to start this sample flow have arrived."""
        query = urlencode({"method": "POST", "path": f"/v1/webhooks/{sample_flows()[slug].id}*"})
        return len(self._call("GET", f"/requests?{query}"))

    def start(self, slug: str, body: Any) -> None:
        """Starts a sample flow from outside the console."""
        url = f"{self.engine}/v1/webhooks/{sample_flows()[slug].id}"
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")
        self._opener.open(request, timeout=10).close()

    @contextlib.contextmanager
    def set(self, **values: Any) -> Iterator[None]:
        """Runs with these settings of the practice engine, and puts the old ones back."""
        before = self._call("GET", "/settings")
        self._call("POST", "/settings", values)
        try:
            yield
        finally:
            self._call("POST", "/settings", {name: before[name] for name in values})

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + path, data, {"x-practice-token": self._token}, method=method)
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)

    def process(self) -> int:
        """The id of its process. It is never 0: a signal to that ends the tests themselves."""
        commands = processes_of(self._folder).items()
        [found] = [pid for pid, command in commands if " -m practice_engine " in command]
        return found

    def answers(self) -> bool:
        """Whether it listens."""
        try:
            self._call("GET", "/settings")
        except OSError:
            return False
        return True


class Desk:
    """A console on this machine, just started for the first time."""

    def __init__(self, started: ConsoleProcess) -> None:
        self._started = started
        self.address = started.address
        self.name, self.password = re.findall(r"^(?:User name|Password): +(\S+)$", started.output, re.MULTILINE)
        self.practice = Practice(started.folder)
        self._signed_in: Any = None

    def run(self, script: str) -> str:
        """What a script says that runs within this console, beside its processes (`manage.py shell`)."""
        place = self._started
        port = int(place.address.rpartition(":")[2])
        done = subprocess.run(
            [*RUN_COMMAND, "manage", "shell"],
            input=script,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=minimal_environment(place.folder, port),
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextlib.contextmanager
    def run_index(self, setting: int = 0) -> Iterator[None]:
        """Keeps a run index while the block lasts; `kept` is a value of its Kept. Other tests find the console without one."""
        self.run(_START_INDEX.format(kept=setting))
        try:
            yield
        finally:
            self.run(_STOP_INDEX)

    @contextlib.contextmanager
    def engine_stopped(self) -> Iterator[None]:
        """Kills the practice engine, and keeps the console from starting it again while the block lasts."""
        os.kill(self._started.process.pid, signal.SIGSTOP)
        try:
            os.kill(self.practice.process(), signal.SIGKILL)
            wait_for(lambda: not self.practice.answers(), "the engine's end")
            yield
        finally:
            os.kill(self._started.process.pid, signal.SIGCONT)
        wait_for(self.practice.answers, "the engine's start")

    @contextlib.contextmanager
    def window(self, browser: Browser, *, signed_in: bool = True, **options: Any) -> Iterator["Window"]:
        """A person's window. What its console says, beyond a form that was refused, fails the test."""
        if signed_in and self._signed_in is None:
            with self.window(browser, signed_in=False) as window:
                window.sign_in()
                self._signed_in = window.page.context.storage_state()
        state = {"storage_state": self._signed_in} if signed_in else {}
        options = {"viewport": DESK, "locale": "en-US", **STILL} | options
        context = browser.new_context(base_url=self.address, **state, **options)
        try:
            window = Window(context.new_page(), self)
            yield window
            assert window.said == [], window.said
        finally:
            context.close()


class Window:
    """A page, and what people do with it."""

    def __init__(self, page: Page, desk: Desk) -> None:
        self.page, self.desk = page, desk
        self.said: list[str] = []
        #: Texts that this window's console may hold.
        self.expected = [REFUSED_FORM, *HARMLESS]
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if not any(text in message.text for text in self.expected):
            self.said.append(f"{self.page.url}: {message.text}")

    def sign_in(self, name: str = "", password: str = "") -> None:
        """Signs somebody in, by default the first account, from wherever the console leads somebody without a session."""
        self.page.goto("/")
        self.page.locator("[name=login]").fill(name or self.desk.name)
        self.page.locator("[name=password]").fill(password or self.desk.password)
        self.page.locator("main [type=submit]").first.click()
        expect(self.page).to_have_url(re.compile(r"/w/practice/$"))

    def space(self) -> str:
        """The address of the practice workspace, found as a person finds it."""
        self.page.goto("/?all=1")
        found = self.page.locator("main a.card").first.get_attribute("href")
        assert found
        return found

    def open_form(self, slug: str) -> None:
        """The form that launches a sample flow with JSON."""
        self.page.goto(f"{self.space()}flows/{sample_flows()[slug].id}/launch/?_as=json")

    def launch(self, slug: str, values: dict[str, Any] | None = None, *, wait: bool = False) -> None:
        """Launches a sample flow by its form; the page of the launch is open then."""
        self.open_form(slug)
        if values is not None:
            self.page.locator("[name=payload]").fill(json.dumps(values))
        self.page.locator("#launch-form .launch-more > summary").last.click()
        self.page.locator("label[for=how-wait]" if wait else "label[for=how-start]").click()
        self.page.locator(".btn[data-launch]").click()
        expect(self.page.locator("#launch-live")).to_be_visible()

    def ends(self, state: str) -> None:
        """The open page of a launch comes to this state without a reload."""
        expect(self.page.locator("#launch-badge")).to_contain_text(state)

    def sound(self) -> None:
        """Nothing is wider than the window, and axe finds nothing."""
        sound(self.page)

    def darken(self) -> None:
        """The page that was found sound is so in the dark theme too: there only colours differ. It stays dark."""
        self.theme("dark")
        sound(self.page, "color-contrast")

    def theme(self, name: str) -> None:
        """Shows the open page in this theme, as it would be if it were the person's."""
        self.page.evaluate("(name) => { document.documentElement.dataset.bsTheme = name; }", name)


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A console in a folder of its own; started once for all tests that use it."""
    folder = tmp_path_factory.mktemp("desk")
    with running_console(RUN_COMMAND, folder, free_port(), PRACTICE_CLOCK_SCALE=SCALE) as started:
        started.wait_for_output("The password is shown this once only")
        yield Desk(started)
        assert started.interrupt() == 0, "Ctrl-C is how a console is ended"

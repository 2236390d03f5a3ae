"""The practice engine for tests of every kind: a running server with a fast clock, both flavours at once.

Import what is needed (``from tests.practice_engine.fixtures import practice  # noqa: F401``), or name this module in
``pytest_plugins``.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import requests

from practice_engine import Credentials, Journal, PracticeEngine, Server, serve
from practice_engine.samples import SampleFlow, sample_flows

# An engine second lasts 20 ms: the wait limit of 30 s passes in 0.6 s, a delay of 60 s in 1.2 s.
FAST = 0.02
T = TypeVar("T")


@dataclass
class Practice:
    """A running practice engine and how to speak with it."""

    engine: PracticeEngine
    server: Server

    @property
    def url(self) -> str:
        """The server's root."""
        return self.server.url

    @property
    def activepieces(self) -> str:
        """``engine_url`` of the Activepieces flavour."""
        return f"{self.url}/api"

    @property
    def gateway(self) -> str:
        """``gateway`` of the Imbrace flavour."""
        return f"{self.url}/imbrace"

    @property
    def credentials(self) -> Credentials:
        """All practice credentials."""
        return self.engine.credentials

    @property
    def journal(self) -> Journal:
        """What really arrived: ``journal.triggers(flow_id)``, ``journal.count("GET", "/v1/flows")``."""
        return self.engine.journal

    def sample(self, slug: str) -> SampleFlow:
        """A sample flow by its slug (``quick``, ``orders``, ``eight``, ``slow``, ``failing``, ...): id, name, payload."""
        return sample_flows()[slug]

    def call(self, method: str, path: str, flavour: str = "activepieces", **more: Any) -> requests.Response:
        """One plain request with the owner's credential. ``path`` is the engine's; ``credential`` replaces the headers."""
        headers = more.pop("headers", {})
        if flavour == "activepieces":
            base, own = self.activepieces, {"Authorization": f"Bearer {self.credentials.bearer_token}"}
        else:
            base, own = f"{self.gateway}/activepieces", {"x-api-key": self.credentials.api_key}
        if path.startswith("/mcp"):
            base = self.url  # never below /api (recording mcp_http_initialize)
        credential = more.pop("credential", own)
        more.setdefault("timeout", 60)
        more.setdefault("allow_redirects", False)
        return requests.request(method, base + path, headers={**credential, **headers}, **more)

    def started_run(self) -> str:
        """The id of the run that the last trigger started, once the engine gives it: the list has it later."""
        run = self.journal.all("POST", "/v1/webhooks/*")[-1].runs[0]
        until(lambda: self.call("GET", f"/v1/flow-runs/{run}").ok)
        return str(run)

    def runs(self, flow: str | None = None) -> list[dict[str, Any]]:
        """The runs as the engine lists them now, archived ones too, newest first."""
        query = {"projectId": self.credentials.project_id, "limit": 500, "includeArchived": "true"}
        query |= {"flowId": flow} if flow else {}
        found: list[dict[str, Any]] = self.call("GET", "/v1/flow-runs", params=query).json()["data"]
        return found


def until(check: Callable[[], T], seconds: float = 10.0) -> T:
    """Ask ``check`` again and again until it says something true; gives that. Fails after ``seconds``."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            pytest.fail(f"It did not happen within {seconds} seconds.")
        time.sleep(0.01)


@pytest.fixture
def practice() -> Iterator[Practice]:
    """A fresh engine with the sample company, on a free port."""
    engine = PracticeEngine(clock_scale=FAST)
    server = serve(engine)
    yield Practice(engine, server)
    server.stop()
    engine.close()


@pytest.fixture
def older(practice: Practice) -> Practice:
    """The sample company on 0.72.4, as the Activepieces flavour speaks it."""
    practice.engine.settings.version = "0.72.4"
    return practice


@pytest.fixture
def newer(practice: Practice) -> Practice:
    """The sample company on 0.83.0."""
    practice.engine.settings.version = "0.83.0"
    return practice


@pytest.fixture
def empty_practice() -> Iterator[Practice]:
    """A fresh engine with users and projects, and nothing else."""
    engine = PracticeEngine(clock_scale=FAST, samples=False)
    server = serve(engine)
    yield Practice(engine, server)
    server.stop()
    engine.close()


@pytest.fixture
def engine_log(practice: Practice) -> Journal:
    """The journal of the ``practice`` engine."""
    return practice.journal

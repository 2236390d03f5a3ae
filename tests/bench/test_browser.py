"""What a browser sees of a list: when its rows are there, and what is loaded, cold, warm, and for the next page. Prints figures."""

import statistics
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.bench import figures, production
from tests.bench.test_speed import scene
from tests.users import Users
from tests.web_server import WebServer, cookie_of
from workflows_ui.launches.models import Launch

__all__ = ["scene"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROUNDS = 7
ROWS = "#results .list-table tbody tr"
#: The times are parts of what the engine's own pages take, which the practice engine does not have: see docs/performance.md.
GOALS = {
    "cold": "0.20 of the engine's own page, 120 kB, requests: 8",
    "warm": "0.12 of the engine's own page",
    "next page": "12 kB, requests: 2",
}


@dataclass
class Loaded:
    """Seconds until the rows were there, bytes on the wire, and requests that were not answered by the browser's own cache."""

    seconds: float = 0.0
    bytes: float = 0.0
    requests: int = 0


@contextmanager
def _measured(page: Page) -> Iterator[Loaded]:
    """Measure what is loaded until the network is idle."""
    session: CDPSession = page.context.new_cdp_session(page)
    session.send("Network.enable")
    loaded, cached = Loaded(), set[str]()
    session.on("Network.requestServedFromCache", lambda event: cached.add(event["requestId"]))

    def count(event: dict[str, Any]) -> None:
        if event["requestId"] not in cached and event["encodedDataLength"]:
            loaded.requests += 1
            loaded.bytes += event["encodedDataLength"]

    session.on("Network.loadingFinished", count)
    started = time.perf_counter()
    yield loaded
    loaded.seconds = time.perf_counter() - started
    page.wait_for_load_state("networkidle")
    session.detach()


def _rows(page: Page, address: str) -> Loaded:
    with _measured(page) as loaded:
        page.goto(address, wait_until="commit")
        expect(page.locator(ROWS).last).to_be_visible()
    return loaded


def _next_page(page: Page) -> Loaded:
    first = page.locator(ROWS).first.inner_html()
    with _measured(page) as loaded:
        page.locator("#results a[rel=next]").click()
        expect(page.locator("html.going")).to_have_count(0)
        page.wait_for_url("**at=**")
        expect(page.locator(ROWS).last).to_be_visible()
    assert page.locator(ROWS).first.inner_html() != first
    return loaded


def _row(name: str, found: list[Loaded]) -> str:
    """Print and return what was measured."""
    middle, last = statistics.median(one.seconds for one in found) * 1000, found[-1]
    print(f"{name:32}{middle:8.0f}{last.bytes / 1000:9.1f}{last.requests:10}")
    return f"{middle:.0f} ms, {last.bytes / 1000:.1f} kB, requests: {last.requests}"


def test_rows_on_screen(
    browser: Browser,
    scene: tuple[Users, str, Launch],
    child_environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    users, _, _ = scene
    server = WebServer(tmp_path, production.environment(child_environment, tmp_path), WEB_THREADS="8")
    address = f"http://127.0.0.1:{server.port}"
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": cookie_of(users.owner).partition("=")[2], "url": address}

    def opened() -> BrowserContext:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        context.add_cookies([cookie])  # type: ignore[list-item]
        return context

    try:
        with capsys.disabled():
            print(f"\n{'milliseconds until the rows are there':32}{'':3}{'kB':>9}{'requests':>10}")
            bare = _bare(users)
            for name in ("runs", "flows", "launches"):
                cold, warm = [], []
                for _ in range(ROUNDS):
                    context = opened()
                    page = context.new_page()
                    cold.append(_rows(page, f"{address}/w/sales/{name}/"))
                    warm.append(_rows(page, f"{address}/w/sales/{name}/"))
                    following = [_next_page(page)]
                    context.close()
                measured = zip(GOALS, (cold, warm, following), strict=True)
                for kind, found in measured:
                    figures.add(f"rows: {name}, {kind}", _row(f"{name}, {kind}", found), GOALS[kind], bare)
    finally:
        server.kill()


def _bare(users: Users) -> str:
    """The engine's answer that the list of runs needs, bare."""
    base, project = users.workspace.address, users.workspace.project_id
    secret = users.credential.open("secret")
    asked = urllib.request.Request(
        f"{base}/v1/flow-runs?projectId={project}&limit=21", headers={"Authorization": f"Bearer {secret}"}
    )

    def ask() -> Loaded:
        started = time.perf_counter()
        with urllib.request.urlopen(asked) as answer:
            size = len(answer.read())
        return Loaded(time.perf_counter() - started, size, 1)

    return _row("runs, the engine's answer bare", _times(ask))


def _times(act: Callable[[], Loaded]) -> list[Loaded]:
    return [act() for _ in range(ROUNDS)]

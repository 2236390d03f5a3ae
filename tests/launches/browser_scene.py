"""A scene of launches in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.launches.launch_scene import Scene


@pytest.fixture
def stage(transactional_db: None) -> Iterator[Scene]:
    """A scene whose rows the live server's threads see too."""
    made = Scene()
    yield made
    made.close()


def sign_in(scene: Scene, page: Page, live_server: LiveServer) -> list[str]:
    """Signs the colleague in; the list that is returned collects what the page writes to the console."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    cookie = scene.browser.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    return said

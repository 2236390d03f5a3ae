"""Windows on the console within the tests' own process (`live_server`), in which a person is signed in already."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.looks import LOOKS
from workflows_ui.accounts.models import User

Window = Callable[..., Page]
#: What is written without a fault: a page is left while a part of it is still on its way; the focus was set before the browser did it.
HARMLESS = ("htmx:sendAbort", "htmx:afterRequest", "Autofocus processing was blocked")


@pytest.fixture
def window(browser: Browser, live_server: LiveServer) -> Iterator[Window]:
    """Opens a window, at a desk in light unless another look is given. What its console says fails the test, unless it is expected."""
    contexts: list[BrowserContext] = []
    said: list[str] = []
    allowed = [*HARMLESS]

    def listen(message: ConsoleMessage) -> None:
        if not any(text in message.text for text in allowed):
            said.append(message.text)

    def make(user: User | None = None, *, expected: tuple[str, ...] = (), **options: Any) -> Page:
        allowed.extend(expected)
        context = browser.new_context(base_url=live_server.url, locale="en-US", **LOOKS["desk"] | options)
        contexts.append(context)
        if user is not None:
            client = Client()
            client.force_login(user)
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: said.append(str(error)))
        return page

    yield make
    for context in contexts:
        context.close()
    assert said == [], said

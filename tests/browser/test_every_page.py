"""Every page of the console, opened once: axe finds nothing, nothing is wider than a phone, and the browser's console is silent.

The slow tests of pages look at them on both sides of the phone's width, in both themes, and in states that have no address.
"""

import pytest
from django.http import HttpResponse
from playwright.sync_api import Page

from tests.browser.looks import DESK, PHONE, violations
from tests.browser.shots import keep
from tests.browser.windows import Window
from tests.stub_engine import StubEngine
from tests.web import matrix
from tests.web.filled_workspace import Furnished, furnish
from tests.web.matrix import Address
from workflows_ui.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
#: Who sees the page of an address: managers what belongs to the workspace, superusers what belongs to the whole console.
PEOPLE = ("manager", "superuser")
#: Signing out ends the session of the pages that follow.
LEFT_OUT = {"account_logout"}


def pages(stage: Furnished, person: str, addresses: list[Address]) -> list[str]:
    """The addresses that answer this person with a page."""
    found = []
    for address in addresses:
        answer = stage.browsers[person].get(address.url(stage.sales, person))
        if (
            isinstance(answer, HttpResponse)
            and answer.status_code == 200
            and answer["Content-Type"].startswith("text/html")
            and b"<!doctype html>" in answer.content
        ):
            found.append(answer.wsgi_request.path)
    return found


def fits_on_a_phone(page: Page) -> bool:
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    return bool(wider <= 0)


@pytest.mark.parametrize(
    "others",
    [pytest.param(False, id="one action of each"), pytest.param(True, id="other actions", marks=pytest.mark.slow)],
)
def test_every_page_is_sound(stub_engine: StubEngine, window: Window, others: bool) -> None:
    stage = furnish(stub_engine)
    seen: dict[str, list[str]] = {}
    for person in PEOPLE:
        tried: set[str] = set()
        addresses = []
        for address in matrix.addresses():
            if address.name in LEFT_OUT or address.whose == matrix.OTHERS:
                continue
            if (bool(address.action) and address.resource in tried) is others:
                addresses.append(address)
            tried |= {address.resource} if address.action else set()
        page = window(User.objects.get(username=person))
        for path in pages(stage, person, addresses):
            if path not in seen:
                page.goto(path)
                page.wait_for_load_state()
                keep(page)
                seen[path] = violations(page) + ([] if fits_on_a_phone(page) else ["wider than a phone"])
    assert {path: faults for path, faults in seen.items() if faults} == {}
    assert len(seen) > (25 if others else 80)

"""Every page of the console, opened once: in every look axe finds nothing, nothing is wider than the window, and the browser's console is
silent.

The tests of pages look at states that have no address, and at what is only in some people's data.
"""

import pytest
from django.http import HttpResponse

from tests.browser.looks import faults_in_every_look
from tests.browser.windows import Window
from tests.stub_engine import StubEngine
from tests.web import matrix
from tests.web.filled_workspace import Furnished, furnish
from tests.web.matrix import Address
from workflows_ui.accounts.models import User

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
#: Who sees the page of an address: managers what belongs to the workspace, superusers the whole console, and who is signed out.
PEOPLE = ("manager", "superuser", "signed out")


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
            within = "<slug:slug>" in address.shown
            if address.whose == matrix.OTHERS or (within and person != "manager"):
                continue
            if (bool(address.action) and address.resource in tried) is others:
                addresses.append(address)
            tried |= {address.resource} if address.action else set()
        page = window(User.objects.filter(username=person).first())
        for path in pages(stage, person, addresses):
            if path not in seen:
                page.goto(path)
                seen[path] = faults_in_every_look(page)
    assert {path: faults for path, faults in seen.items() if faults} == {}
    assert len(seen) > (25 if others else 80)

"""Each fault of the engine on each page of the console, whole and as a fragment: a message, never a server error, nothing typed lost."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from practice_engine.faults import KINDS
from tests.practice_engine.fixtures import Practice, practice
from tests.users import Users, gather, workspace
from workflows_ui.credentials.models import CredentialKind
from workflows_ui.credentials.services import clients, credential_tests
from workflows_ui.engine import Timeouts
from workflows_ui.engine.transport import close_pools
from workflows_ui.launch_forms.views.form_page import signed_name
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Flavour
from workflows_ui.web import messages

__all__ = ["practice"]
#: Longer than the shortened time-outs below. Real seconds.
_LONG = 0.5
SHORT = Timeouts(connect=2.0, read=0.2, total=0.3)

#: Kinds that leave reads as they are. `strip_headers` has a test of its own.
HARMLESS = {"strip_headers", "followed"}
#: A fault's name in the tests, its kind and its settings.
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{kind: (kind, {}) for kind in KINDS if kind not in {"status", *HARMLESS}},
    "too_many": ("too_many", {"seconds": 60}),
    "delay": ("delay", {"seconds": _LONG}),
    "drip": ("drip", {"seconds": _LONG}),
    "drip_all": ("drip_all", {"seconds": _LONG}),
    "huge": ("huge", {"size": 33 * 1024 * 1024}),
    "503 json": ("status", {"status": 503}),
    "500 bare": ("status", {"status": 500, "body": "bare"}),
    "502 gateway": ("status", {"status": 502, "body": "gateway"}),
    "418 text": ("status", {"status": 418, "body": "text"}),
    "404 empty": ("status", {"status": 404, "body": "empty"}),
    "403 json": ("status", {"status": 403}),
    "401 html": ("status", {"status": 401, "body": "html"}),
    "301 html": ("status", {"status": 301, "body": "html", "headers": {"location": "https://elsewhere.example/"}}),
    "200 html": ("status", {"status": 200, "body": "html"}),
    "204 empty": ("status", {"status": 204, "body": "empty"}),
}
#: Faults that are much like another one: slow tests.
MUCH_ALIKE = {"drip", "drip_all", "huge", "500 bare", "418 text", "401 html", "301 html", "204 empty"}
#: Which faults are tried through a gateway too: one of its own making, and one that it passes on. Other answers are reported alike.
BOTH = ("502 gateway", "403 json")
TITLES = [str(found.title) for found in messages._ERRORS.values()]
TYPED = '{"typed": "with care"'


@dataclass
class Place:
    """A workspace on the practice engine, its owner at a browser, and what lies there from better times."""

    practice: Practice
    users: Users
    secret: str
    browser: Client
    run: str
    launch: Launch
    flow: str
    form: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, target: str = "") -> HttpResponse:
        """A page, or the fragment `target` of it."""
        headers = {"HX-Request": "true", "HX-Target": target} if target else {}
        return self._sound(self.browser.get(path, headers=headers))

    def post(self, path: str, data: dict[str, str]) -> Any:
        """A form that is sent."""
        return self._sound(self.browser.post(path, data))

    def _sound(self, response: Any) -> HttpResponse:
        """What holds of every answer of the console."""
        assert isinstance(response, HttpResponse)
        assert response.status_code != 500
        assert response["X-Request-ID"]
        page = response.content.decode()
        assert self.secret not in page
        assert "Traceback" not in page
        if page:
            assert response["Content-Type"] == "text/html; charset=utf-8"
        return response


@pytest.fixture(params=[Flavour.ACTIVEPIECES, Flavour.IMBRACE])
def place(
    request: pytest.FixtureRequest,
    db: None,
    practice: Practice,
) -> Place:
    known, imbrace = practice.credentials, request.param == Flavour.IMBRACE
    secret = known.api_key if imbrace else known.bearer_token
    address = practice.gateway if imbrace else practice.activepieces
    space = workspace("sales", flavour=request.param, address=address, project=known.project_id)
    users = gather(space, secret, kind=CredentialKind.API_KEY if imbrace else CredentialKind.BEARER_TOKEN)
    flow = practice.sample("quick").id
    form = {"ticket": launches.ticket(), "_flow": signed_name(space, flow, "Greet a customer"), "_how": "start"}
    browser = Client()
    browser.force_login(users.owner)
    url = f"/w/sales/flows/{flow}/launch/"
    assert browser.post(url, form | {"payload": '{"name": "Lan"}'}).status_code == 303
    form["ticket"] = launches.ticket()
    return Place(practice, users, secret, browser, practice.runs()[0]["id"], Launch.objects.get(), flow, form)


@pytest.fixture
def fault(request: pytest.FixtureRequest, place: Place, monkeypatch: pytest.MonkeyPatch) -> str:
    """Switches a fault on for every route. What must be waited for is waited for shortly."""
    kind, more = FAULTS[request.param]
    timeouts = Timeouts(connect=2.0, read=5.0, total=5.0) if kind == "huge" else SHORT
    monkeypatch.setattr(clients, "Timeouts", lambda: timeouts)
    monkeypatch.setattr(credential_tests, "TIMEOUTS", timeouts)
    close_pools()
    place.practice.engine.faults.add(kind, **more)
    return str(request.param)


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        pytest.param(Flavour.ACTIVEPIECES, fault, marks=pytest.mark.slow if fault in MUCH_ALIKE else ())
        for fault in FAULTS
    ]
    + [pytest.param(Flavour.IMBRACE, fault) for fault in BOTH],
    indirect=True,
)
@pytest.mark.sampled(3)
def test_every_page_says_in_words_what_is_wrong_and_nothing_typed_is_lost(place: Place, fault: str) -> None:
    _pages_that_ask_the_engine_say_in_words_what_is_wrong(place)
    _the_launch_form_of_a_known_flow_opens_if_the_engine_does_not_answer(place)
    _pages_of_what_the_console_keeps_itself_are_as_ever(place)
    _what_was_typed_into_the_launch_form_is_kept_or_launched(place)
    _a_credential_that_is_tested_or_added_is_told_what_is_wrong(place)


def _pages_that_ask_the_engine_say_in_words_what_is_wrong(place: Place) -> None:
    pages = {
        "/w/sales/flows/": "results",
        f"/w/sales/flows/{place.flow}/": "live",
        "/w/sales/runs/?status=FAILED": "results",
        f"/w/sales/runs/{place.run}/": "live",
    }
    for path, target in pages.items():
        whole = place.get(path)
        assert whole.status_code in {400, 403, 404, 502, 503}, path
        page = whole.content.decode()
        assert any(f'<h1 class="page-title">{title}</h1>' in page for title in TITLES), path
        assert f"<code>{whole['X-Request-ID']}</code>" in page
        assert "</html>" in page
        if target:
            part = place.get(path, target)
            assert (part.status_code, part["HX-Retarget"]) == (whole.status_code, "#alerts"), path
            page = part.content.decode()
            assert any(f'<h2 class="alert-title">{title}</h2>' in page for title in TITLES), path
            assert f"<code>{part['X-Request-ID']}</code>" in page
            assert "<html" not in page


def _the_launch_form_of_a_known_flow_opens_if_the_engine_does_not_answer(place: Place) -> None:
    answer = place.get(f"/w/sales/flows/{place.flow}/launch/")
    page = answer.content.decode()
    if answer.status_code == 200:
        assert any(f'<h2 class="alert-title">{title}</h2>' in page for title in TITLES)
        assert 'id="keep-launch"' in page
    else:
        assert answer.status_code in {400, 403, 404, 502, 503}
        assert any(f'<h1 class="page-title">{title}</h1>' in page for title in TITLES)


def _pages_of_what_the_console_keeps_itself_are_as_ever(place: Place) -> None:
    launch = f"/w/sales/launches/{place.launch.pk}/"
    credential = f"/w/sales/credentials/{place.users.credential.pk}/"
    before = place.practice.journal.count()
    for path in ("/w/sales/launches/", launch, "/w/sales/credentials/", credential, "/credentials/add/"):
        assert place.get(path).status_code == 200, path
    assert place.get("/w/sales/launches/", "results").status_code == 200
    assert place.get(launch, "launch-live").status_code == 200
    assert place.practice.journal.count() == before
    # Home asks for the flows, and does without them.
    assert place.get("/w/sales/").status_code == 200


def _what_was_typed_into_the_launch_form_is_kept_or_launched(place: Place) -> None:
    url = f"/w/sales/flows/{place.flow}/launch/"
    refused = place.post(url, place.form | {"payload": TYPED})
    assert refused.status_code == 422
    page = refused.content.decode().replace("&quot;", '"')
    assert TYPED in page
    assert "Line 1, column 22:" in page
    assert any(f'<h2 class="alert-title">{title}</h2>' in page for title in TITLES)
    assert Launch.objects.count() == 1
    assert place.post(url, place.form | {"payload": TYPED + "}"}).status_code == 303
    assert Launch.objects.count() == 2
    assert place.practice.journal.triggers() == []


def _a_credential_that_is_tested_or_added_is_told_what_is_wrong(place: Place) -> None:
    here = f"/w/sales/credentials/{place.users.credential.pk}/"
    assert place.post(f"{here}test/", {}).status_code == 303
    page = place.get(here).content.decode()
    assert 'data-toast="error"' in page
    assert "The credential works." not in page
    imbrace = place.users.workspace.flavour == Flavour.IMBRACE
    typed = {
        "engine": "gateway" if imbrace else "activepieces",
        "address": place.practice.gateway if imbrace else place.practice.activepieces,
        "kind": "api_key",
        "secret": place.secret,
        "name": "Typed with care",
    }
    refused = place.post("/credentials/add/", typed)
    assert refused.status_code == 422
    page = refused.content.decode().replace("&#x27;", "'")
    shown_errors = [str(error) for found in refused.context["form"].errors.values() for error in found]
    assert shown_errors
    assert all(error in page for error in shown_errors)
    assert 'value="Typed with care"' in page
    assert f'value="{typed["address"]}"' in page


def test_headers_that_a_gateway_drops_change_nothing_for_reads(place: Place) -> None:
    place.practice.engine.faults.add("strip_headers")
    for path in ("/w/sales/flows/", f"/w/sales/flows/{place.flow}/", "/w/sales/runs/", f"/w/sales/runs/{place.run}/"):
        assert place.get(path).status_code == 200, path


def test_every_kind_of_fault_is_tried() -> None:
    assert {kind for kind, _more in FAULTS.values()} | HARMLESS == set(KINDS)

"""The first connection: address, kind, secret, permissions, the first flow; nothing typed is lost, no secret comes back."""

import html
import re

import pytest
from django.http import HttpResponse
from django.test import Client

from tests import users
from tests.engine_wire import Engine
from tests.launches.launch_scene import Scene
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Credential
from workflows_ui.members.models import Workspace

SECRET = "sk-not-a-secret-of-this-engine"


@pytest.fixture
def ada(db: None) -> User:
    return users.person("ada")


@pytest.fixture
def browser(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def text(answer: object) -> str:
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined]


def test_an_address_without_an_engine_is_found_out_before_the_secret_is_asked_for(browser: Client) -> None:
    with Engine(version="0.83.0", base="/api/") as engine:
        page = browser.post("/connect/", {"engine": "activepieces", "address": engine.url})
        assert page.status_code == 422
        assert f"A workflow engine answers at {engine.url}/api: enter that address." in text(page)
        assert f'value="{engine.url}"' in text(page)
        good = browser.post("/connect/", {"engine": "activepieces", "address": f"{engine.url}/api"})
        assert good.status_code == 303
        kinds = text(browser.get(good["Location"]))
    assert "An API key that starts with “sk-”" in kinds
    assert "kind=bearer_token" in kinds


def secret_step(browser: Client, live: Scene) -> str:
    """The URL of the step that asks for the secret, once the engine's address was entered."""
    kinds = browser.post("/connect/", {"engine": "activepieces", "address": f"{live.server.url}/api"})
    return f"{kinds['Location']}&kind=bearer_token"


def test_a_link_with_an_address_that_the_person_did_not_enter_leads_to_no_field_for_a_secret(browser: Client) -> None:
    with Engine(version="0.83.0", base="/api/") as engine:
        link = f"/connect/?engine=activepieces&address={engine.url}/api&kind=bearer_token"
        for answer in (browser.get(link), browser.post(link, {"secret": SECRET})):
            assert answer.status_code == 303
            page = text(browser.get(answer["Location"]))
            assert f'value="{engine.url}/api"' in page
            assert 'name="secret"' not in page
        kinds = browser.post(answer["Location"], {"engine": "activepieces", "address": f"{engine.url}/api"})
        assert 'name="secret"' in text(browser.get(f"{kinds['Location']}&kind=bearer_token"))


def test_a_refused_secret_is_explained_and_not_sent_back(browser: Client, live: Scene) -> None:
    page = browser.post(secret_step(browser, live), {"secret": SECRET, "name": "Mine"})
    assert page.status_code == 422
    assert SECRET not in text(page)
    assert 'value="Mine"' in text(page)
    assert "Enter the secret again" in text(page)


def connected(browser: Client, live: Scene) -> HttpResponse:
    """What is answered once a secret that opens several projects was entered, and one of them chosen."""
    given = live.engine.credentials
    choice = browser.post(secret_step(browser, live), {"secret": given.bearer_token})
    assert "/project/" in choice["Location"]
    assert "connect-steps" in text(browser.get(choice["Location"]))
    answer = browser.post(choice["Location"], {"project": given.project_id})
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.fixture
def live(db: None) -> object:
    made = Scene(samples=True)
    Workspace.objects.all().delete()
    yield made
    made.close()


def test_the_address_of_a_step_that_was_changed_by_hand_leads_to_an_earlier_one(browser: Client) -> None:
    assert browser.get("/connect/?engine=nothing").status_code == 422
    assert "How do you sign in to it?" in text(browser.get("/connect/?engine=stable&kind=nothing"))
    change = browser.get("/connect/?engine=activepieces&address=http://127.0.0.1:9/api&change=1")
    assert 'value="http://127.0.0.1:9/api"' in text(change)


def test_each_permission_is_explained_and_the_first_flow_is_offered(browser: Client, live: Scene, ada: User) -> None:
    answer = connected(browser, live)
    credential = Credential.objects.get(owner=ada)
    check = f"/w/{credential.workspace.slug}/credentials/{credential.pk}/check/"
    assert answer["Location"] == check
    page = text(browser.get(check))
    assert "Works" in page
    assert "Not in this engine" in page  # An Activepieces has no channel automations.
    assert "there is nothing for you to do" in page
    (first, *_rest) = re.findall(rf'href="(/w/{credential.workspace.slug}/flows/\w+/launch/)"', page)
    assert browser.get(first).status_code == 200
    assert live.engine.credentials.bearer_token not in page


def test_a_workspace_without_ones_credential_leads_to_the_kind_for_its_engine(
    browser: Client, live: Scene, ada: User
) -> None:
    connected(browser, live)
    Credential.objects.all().delete()
    slug = Workspace.objects.get().slug
    for page in (f"/w/{slug}/", f"/w/{slug}/flows/"):
        assert f"/connect/?workspace={slug}" in text(browser.get(page))
    assert browser.get(f"/connect/?workspace={slug}")["Location"].startswith("/connect/?engine=activepieces&address=")


def test_who_belongs_to_no_workspace_is_led_to_the_connection(browser: Client) -> None:
    assert 'href="/connect/"' in text(browser.get("/"))

"""The first connection: address, kind, secret, permissions, the first flow; nothing typed is lost, no secret comes back."""

import html
import re

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.test import Client

from tests import users
from tests.engine_wire import Engine
from tests.launches.launch_scene import Scene
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.run_index.models import Kept, RunIndex
from workflows_ui.run_index.services import indexes, reading

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


def offered(page: str) -> dict[str, object]:
    """What the form of the offer sends as it is."""
    form = page.partition('aria-labelledby="run-index-offer"')[2].partition("</form>")[0]
    inputs = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)
    radio = re.findall(r'type="radio" name="team" value="(\w+)" checked', form)
    return dict(inputs) | ({"team": radio[0]} if radio else {})


def administrator(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_superuser=True)


def check_page(browser: Client, live: Scene) -> str:
    answer = connected(browser, live)
    return text(browser.get(answer["Location"]))


def test_one_click_after_a_connection_shares_the_credential_with_the_chosen_people_and_keeps_the_runs(
    browser: Client, live: Scene, ada: User
) -> None:
    administrator(ada)
    ben, eve = users.person("ben"), users.person("eve")
    page = check_page(browser, live)
    place = Workspace.objects.get()
    for said in ("Recommended", "ada (you)", "agree to share it with this team", "Not kept: inputs and outputs"):
        assert said in page
    sent = offered(page) | {"people": [ben.pk]}
    assert not RunIndex.objects.exists()
    assert browser.post(f"/w/{place.slug}/run-index/", sent)["Location"] == f"/w/{place.slug}/run-index/"
    index = RunIndex.objects.get()
    credential = Credential.objects.get(owner=ada)
    assert (index.credential, index.kept, index.started_by) == (credential, Kept.NOTHING, ada)
    [team] = sharing.teams(credential)
    assert set(team.user_set.all()) == {ada, ben}
    done = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert done[-6:] == ["team.create", "team.add", "team.add", "member.add", "credential.share", "run_index.start"]
    reading.read(place.pk)
    seen = {user: Client() for user in (ben, eve)}
    for user, window in seen.items():
        window.force_login(user)
    assert indexes.readable(place, ben.pk) is not None
    assert indexes.readable(place, eve.pk) is None
    assert seen[ben].get(f"/w/{place.slug}/failures/").status_code == 200
    assert seen[eve].get(f"/w/{place.slug}/failures/").status_code == 404
    assert "run-index-offer" not in text(browser.get(f"/w/{place.slug}/credentials/{credential.pk}/check/"))


def test_values_are_kept_only_if_ticked(browser: Client, live: Scene, ada: User) -> None:
    administrator(ada)
    sent = offered(check_page(browser, live)) | {"values": "on"}
    browser.post(f"/w/{Workspace.objects.get().slug}/run-index/", sent)
    assert RunIndex.objects.get().kept == Kept.VALUES


def test_a_manager_who_may_create_no_team_is_offered_the_teams_of_the_workspace_only(
    browser: Client, live: Scene, ada: User
) -> None:
    page = check_page(browser, live)
    place, credential = Workspace.objects.get(), Credential.objects.get(owner=ada)
    assert "is read with a credential that is shared with a team" in page
    assert offered(page) == {}
    made = {"confirmed": "yes", "credential": str(credential.pk), "keep_days": "90", "team": "new"}
    browser.post(f"/w/{place.slug}/run-index/", made)
    assert not Group.objects.exists()
    team, strangers = Group.objects.create(name="Sales"), Group.objects.create(name="Strangers")
    ben = users.person("ben")
    ben.groups.add(team)
    Member.objects.create(workspace=place, team=team, role=Role.VIEWER)
    page = text(browser.get(f"/w/{place.slug}/credentials/{credential.pk}/check/"))
    assert "Sales: ben" in page
    assert "Strangers" not in page
    for wrong in ({"team": strangers.pk}, {"team": "new", "people": [ben.pk]}):
        assert browser.post(f"/w/{place.slug}/run-index/", offered(page) | wrong).status_code == 422
    assert not RunIndex.objects.exists()
    sent = offered(page) | {"people": [users.person("eve").pk]}
    assert browser.post(f"/w/{place.slug}/run-index/", sent).status_code == 303
    assert sharing.teams(credential) == [team]
    assert list(team.user_set.all()) == [ben], "people are put into a new team only"


def test_a_superuser_without_the_required_second_step_creates_no_team(browser: Client, live: Scene, ada: User) -> None:
    administrator(ada)
    sent = offered(check_page(browser, live))
    users.workspace("other")
    Workspace.objects.filter(slug="other").update(second_factor_required=True)
    place = Workspace.objects.exclude(slug="other").get()
    assert offered(text(browser.get(f"/w/{place.slug}/credentials/{sent['credential']}/check/"))) == {}
    browser.post(f"/w/{place.slug}/run-index/", sent)
    assert not Group.objects.exists()
    assert not RunIndex.objects.exists()


def test_only_managers_are_offered_the_list_and_only_with_their_own_credential(
    browser: Client, live: Scene, ada: User
) -> None:
    administrator(ada)
    page = check_page(browser, live)
    place = Workspace.objects.get()
    ben = users.person("ben")
    Member.objects.create(workspace=place, user=ben, role=Role.BUILDER)
    own = users.credential(place, ben, live.engine.credentials.bearer_token_colleague)
    window = Client()
    window.force_login(ben)
    assert "run-index-offer" not in text(window.get(f"/w/{place.slug}/credentials/{own.pk}/check/"))
    assert browser.post(f"/w/{place.slug}/run-index/", offered(page) | {"credential": str(own.pk)}).status_code == 422
    assert window.post(f"/w/{place.slug}/run-index/", offered(page)).status_code == 403
    assert not RunIndex.objects.exists()


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

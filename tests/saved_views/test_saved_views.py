"""Chosen columns and saved views of lists: kept, opened, shared with a team, changed by those who may, without JavaScript."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests.stub_engine import StubEngine, flow, text
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Member, Role
from workflows_ui.saved_views.models import ListChoice, SavedView

pytestmark = pytest.mark.both_databases

FLOWS, SAVE, COLUMNS = "/w/sales/flows/", "/w/sales/saved-views/", "/w/sales/list-columns/"


@pytest.fixture(autouse=True)
def _objects(stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow()]


@pytest.fixture
def team(users: Users) -> Group:
    """A team of the workspace, with the colleague in it."""
    group = Group.objects.create(name="Sales team")
    users.colleague.groups.add(group)
    Member.objects.create(workspace=users.workspace, team=group, role=Role.VIEWER)
    return group


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def columns(client: Client, url: str) -> list[str]:
    """The labels of the first row's cells."""
    row = text(client.get(url).content).split("<tbody ")[1].split("</tr>")[0]
    return [part.split('"')[0] for part in row.split('data-label="')[1:]]


def offered(client: Client, url: str) -> list[str]:
    menu = text(client.get(url).content).split('id="columns-menu"')[1].split("</form>")[0]
    return [part.split('"')[0] for part in menu.split('name="offered" value="')[1:]]


def choose(client: Client, *shown: str, query: str = "", url: str = FLOWS) -> Any:
    data = {"list": "flows", "query": query, "offered": offered(client, url), "shown": shown}
    return client.post(COLUMNS, data)


def save(client: Client, name: str, query: str = "", **more: Any) -> SavedView:
    answer = client.post(SAVE, {"list": "flows", "name": name, "query": query, **more})
    assert answer.status_code == 303
    return SavedView.objects.get(name=name)


def change(client: Client, view: SavedView, **data: Any) -> Any:
    return client.post(f"{SAVE}{view.pk}/", data)


def test_the_columns_that_a_person_chose_are_those_of_the_list_the_next_time(users: Users, owner: Client) -> None:
    before = columns(owner, FLOWS)
    keys = offered(owner, FLOWS)
    answer = choose(owner, keys[0], query="status=ENABLED&rows=50")
    assert (answer.status_code, answer["Location"]) == (303, f"{FLOWS}?status=ENABLED&rows=50")
    assert columns(owner, FLOWS) == before[:2]
    assert len(columns(browser(users.colleague), FLOWS)) == len(before)
    choose(owner, *keys)
    assert columns(owner, FLOWS) == before


def test_the_name_stays_whatever_is_posted_and_files_have_all_columns(owner: Client) -> None:
    owner.post(
        COLUMNS, {"list": "flows", "query": "", "offered": ["name", "version.displayName", *offered(owner, FLOWS)]}
    )
    assert len(columns(owner, FLOWS)) == 1
    file = b"".join(owner.get(f"{FLOWS}export/csv/")).decode()
    assert len(file.splitlines()[0].split(",")) > 3


def test_nothing_is_kept_for_what_is_no_list(owner: Client) -> None:
    for path in ("", "../flows", "flows?x=1", "//evil.example", "x" * 201):
        for url in (COLUMNS, SAVE):
            assert owner.post(url, {"list": path, "query": "", "name": "x"})["Location"] == "/w/sales/"
    assert not SavedView.objects.exists()
    assert not ListChoice.objects.exists()


def test_a_view_keeps_filters_order_and_columns(users: Users, owner: Client) -> None:
    keys = offered(owner, FLOWS)
    view = save(owner, "On", "status=ENABLED&rows=50&at=7", hidden=keys[1:])
    content = text(owner.get(FLOWS).content)
    assert f'href="{FLOWS}?view={view.pk}&amp;status=ENABLED"' in content
    opened = f"{FLOWS}?view={view.pk}&status=ENABLED"
    assert len(columns(owner, opened)) == 2
    assert len(columns(owner, FLOWS)) > 2
    # Other pages, headings and chips stay in the view; what clears the filters leaves it.
    page = text(owner.get(opened).content)
    assert f"rows=50&amp;view={view.pk}" in page
    assert f'class="chip-clear" href="{FLOWS}"' in page
    assert AuditEvent.objects.get(action="view.save").object_name == "On"


def test_columns_chosen_in_ones_own_view_are_kept_with_it(owner: Client) -> None:
    view = save(owner, "Few")
    keys = offered(owner, FLOWS)
    choose(owner, keys[0], query=f"view={view.pk}")
    assert len(columns(owner, f"{FLOWS}?view={view.pk}")) == 2
    assert len(columns(owner, FLOWS)) == len(keys) + 1


def test_the_default_view_opens_with_the_list_and_clear_leads_to_the_plain_one(owner: Client) -> None:
    view = save(owner, "On", "status=ENABLED")
    assert change(owner, view, name="On", default="on")["Location"] == f"{FLOWS}?view={view.pk}&status=ENABLED"
    answer = owner.get(FLOWS)
    assert (answer.status_code, answer["Location"]) == (303, f"{FLOWS}?view={view.pk}&status=ENABLED")
    page = text(owner.get(answer["Location"]).content)
    assert f'class="chip-clear" href="{FLOWS}?view=none"' in page
    assert owner.get(f"{FLOWS}?view=none").status_code == 200
    assert owner.get(f"{FLOWS}?status=DISABLED").status_code == 200
    assert owner.get(f"{FLOWS}?name=&status=").status_code == 200, "emptied filters are not the default"
    # What htmx swaps is the list that was asked for.
    assert owner.get(FLOWS, headers={"HX-Request": "true", "HX-Target": "results"}).status_code == 200
    change(owner, view, name="On")
    assert owner.get(FLOWS).status_code == 200


def test_the_launches_open_with_their_default_view_too(owner: Client) -> None:
    owner.post(SAVE, {"list": "launches", "name": "Failed", "query": "state=failed"})
    view = SavedView.objects.get()
    change(owner, view, name="Failed", default="on")
    assert owner.get("/w/sales/launches/")["Location"] == f"/w/sales/launches/?view={view.pk}&state=failed"


def test_a_view_is_renamed_updated_and_deleted(owner: Client) -> None:
    view, other = save(owner, "On", "status=ENABLED"), save(owner, "Off", "status=DISABLED")
    assert change(owner, view, name="Running", default="on").status_code == 303
    assert "already have a view" in text(change(owner, view, name="Off").content)
    page = text(owner.get(f"{FLOWS}?view={view.pk}&status=DISABLED").content)
    assert "Update “Running”" in page
    change(owner, view, query="status=DISABLED&view=7")
    view.refresh_from_db()
    assert (view.name, view.query) == ("Running", "status=DISABLED")
    assert "Update “" not in text(owner.get(f"{FLOWS}?view={view.pk}&status=DISABLED").content)
    assert change(owner, view, delete="yes")["Location"] == FLOWS
    assert list(SavedView.objects.all()) == [other]
    assert owner.get(FLOWS).status_code == 200
    assert owner.get(f"{SAVE}{view.pk}/").status_code == 404
    actions = ["view.save", "view.save", "view.change", "view.change", "view.delete"]
    assert (
        list(AuditEvent.objects.filter(action__startswith="view.").order_by("pk").values_list("action", flat=True))
        == actions
    )


def test_a_name_is_needed_and_used_once(owner: Client) -> None:
    save(owner, "On")
    for name in ("On", "  "):
        answer = owner.post(SAVE, {"list": "flows", "name": name, "query": "status=ENABLED"})
        assert answer["Location"] == f"{FLOWS}?status=ENABLED"
    assert SavedView.objects.count() == 1


@pytest.mark.slow
def test_the_people_of_a_team_find_a_shared_view_and_only_who_saved_it_or_a_manager_changes_it(
    users: Users, owner: Client, team: Group
) -> None:
    colleague = browser(users.colleague)
    view = save(owner, "Flows in use", "status=ENABLED")
    address = f"{SAVE}{view.pk}/"
    assert colleague.get(address).status_code == 404
    assert colleague.post(address, {"delete": "yes"}).status_code == 404
    assert "Flows in use" not in text(colleague.get(FLOWS).content).split('id="views-menu"')[1].split("</details>")[0]
    change(owner, view, name="Flows in use", team=team.pk)
    menu = text(colleague.get(FLOWS).content).split('id="views-menu"')[1].split("</details>")[0]
    assert menu.index("Shared") < menu.index(f"view={view.pk}&amp;status=ENABLED")
    # The colleague uses it, also as the default, and changes nothing of it.
    assert colleague.post(address, {"name": "Mine", "default": "on"}).status_code == 303
    assert colleague.post(address, {"delete": "yes"}).status_code == 403
    assert colleague.post(address, {"query": "status=DISABLED"}).status_code == 403
    view.refresh_from_db()
    assert (view.name, view.team, view.query) == ("Flows in use", team, "status=ENABLED")
    assert colleague.get(FLOWS)["Location"].endswith(f"view={view.pk}&status=ENABLED")
    # Columns that the colleague chooses in it are the colleague's own.
    keys = offered(owner, FLOWS)
    answer = choose(colleague, keys[0], query=f"view={view.pk}&status=ENABLED", url=f"{FLOWS}?view=none")
    assert answer["Location"] == f"{FLOWS}?view=none&status=ENABLED"
    view.refresh_from_db()
    assert view.hidden == []
    assert len(columns(colleague, answer["Location"])) == 2
    # A manager in the team changes it; outside of the team it is not there, and no longer the default.
    Member.objects.filter(user=users.colleague).update(role=Role.MANAGER)
    assert change(colleague, view, name="Switched on", team=team.pk, default="on").status_code == 303
    view.refresh_from_db()
    assert view.name == "Switched on"
    users.colleague.groups.clear()
    assert colleague.get(address).status_code == 404
    assert colleague.get(FLOWS).status_code == 200


def test_a_team_outside_of_the_workspace_gets_nothing(users: Users, owner: Client, team: Group) -> None:
    view, other = save(owner, "On"), Group.objects.create(name="Elsewhere")
    assert change(owner, view, name="On", team=other.pk).status_code == 422
    change(owner, view, name="On", team=team.pk)
    Member.objects.filter(team=team).delete()
    assert browser(users.colleague).get(f"{SAVE}{view.pk}/").status_code == 404


def test_a_view_with_a_filter_an_order_and_columns_that_no_longer_exist_opens_without_them(owner: Client) -> None:
    view = save(owner, "Old", "gone=1&status=ENABLED&sort=nothing", hidden=["gone", "too"])
    page = owner.get(f"{FLOWS}?view={view.pk}&{view.query}")
    assert page.status_code == 200
    assert text(page.content).count('class="chip"') == 1
    assert len(columns(owner, FLOWS)) == len(columns(owner, f"{FLOWS}?view={view.pk}"))


def test_a_link_with_somebody_elses_view_shows_its_filters_and_nothing_of_the_view(users: Users, owner: Client) -> None:
    view = save(owner, "Secret name", "status=ENABLED", hidden=offered(owner, FLOWS))
    colleague, url = browser(users.colleague), f"{FLOWS}?view={view.pk}&status=ENABLED"
    assert "Secret name" not in text(colleague.get(url).content)
    assert columns(colleague, url) == columns(colleague, FLOWS)


def test_nobody_saves_without_end(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_ui.saved_views.services.MOST", 1)
    save(owner, "One", "q=" + "x" * 3000)
    owner.post(SAVE, {"list": "flows", "name": "Two", "query": ""})
    owner.post(COLUMNS, {"list": "flows", "query": "", "offered": ["a"]})
    owner.post(COLUMNS, {"list": "runs", "query": "", "offered": ["a"]})
    assert (SavedView.objects.get().query, ListChoice.objects.get().list_path) == ("", "flows")


@pytest.mark.slow
def test_lists_without_a_workspace_have_chosen_columns_and_views_of_ones_own(users: Users, owner: Client) -> None:
    User.objects.filter(pk=users.owner.pk).update(is_superuser=True)
    own = browser(User.objects.get(pk=users.owner.pk))
    for path in ("people", "audit", "teams", "notices"):
        assert 'id="views-menu"' in text(own.get(f"/{path}/").content), path
    answer = own.post("/saved-views/", {"list": "people", "name": "Active", "query": "account=active"})
    view = SavedView.objects.get(workspace=None)
    url = f"/people/?view={view.pk}&account=active"
    assert answer["Location"] == url
    assert AuditEvent.objects.get(action="view.save").workspace is None
    assert f'href="/saved-views/{view.pk}/"' in text(own.get(url).content)
    form = text(own.get(f"/saved-views/{view.pk}/").content)
    assert 'name="name"' in form
    assert 'name="team"' not in form
    assert own.post(f"/saved-views/{view.pk}/", {"name": "Working", "default": "on"})["Location"] == url
    assert own.get("/people/")["Location"] == url
    keys = offered(own, url)
    own.post("/list-columns/", {"list": "people", "query": "account=administrator", "offered": keys, "shown": keys[:1]})
    assert len(columns(own, "/people/?account=administrator")) == 2
    assert len(columns(own, "/people/?view=none")) == 2
    # Nobody else has it, in no workspace either.
    assert browser(users.colleague).get(f"/saved-views/{view.pk}/").status_code == 404
    assert own.get(f"{SAVE}{view.pk}/").status_code == 404
    taken = own.post("/saved-views/", {"list": "people", "name": "Working", "query": ""})
    assert taken["Location"] == "/people/"
    assert own.post(f"/saved-views/{view.pk}/", {"delete": "yes"})["Location"] == "/people/"


def test_views_of_a_workspace_are_not_those_of_no_workspace(owner: Client) -> None:
    view = save(owner, "Here")
    assert owner.get(f"/saved-views/{view.pk}/").status_code == 404
    assert owner.post("/saved-views/", {"list": "//evil.example", "name": "x"})["Location"] == "/"

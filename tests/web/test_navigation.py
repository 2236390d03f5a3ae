"""The frame around every page: menu by role, switcher, stripe."""

import re

from django.test import Client

from tests.stub_engine import StubEngine, text
from tests.users import Users, workspace
from workflows_ui.members.models import LaunchRight, Member, Role, Workspace
from workflows_ui.resources import RESOURCES
from workflows_ui.web import navigation

_TITLE = r'nav-link-title(?: clip)?">([^<]*)<'


def _menu(page: str) -> list[str]:
    sidebar = page.split("<aside")[1].split("</aside>")[0]
    return re.findall(_TITLE, sidebar)


def test_the_menu_has_the_groups_in_their_order(owner: Client) -> None:
    page = text(owner.get("/w/sales/flows/").content)
    declared = {
        group: [str(found.label_plural) for found in RESOURCES if found.group == group] for group in navigation.GROUPS
    }
    assert _menu(page) == [
        *("Home", "Launches", *declared["launch"], *declared["watch"], "Jobs", *declared["build"]),
        *("Credentials", "Members", "Teams", "Launch rights", "Settings", "Audit", *declared["team"]),
    ]
    assert 'href="/w/sales/flows/" aria-current="page"' in page


def test_a_viewer_does_not_see_what_is_not_theirs_to_do(users: Users, client: Client) -> None:
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    client.force_login(users.colleague)
    assert "Members" not in _menu(text(client.get("/w/sales/runs/").content))


def test_a_launchers_menu_is_home_and_launches_and_the_rest_is_folded_away(users: Users, client: Client) -> None:
    client.force_login(users.colleague)
    page = text(client.get("/w/sales/launches/").content)
    sidebar = page.split("<aside")[1].split("</aside>")[0]
    before, folded = sidebar.split("<details>")
    assert re.findall(_TITLE, before) == ["Home", "Launches"]
    assert re.findall(_TITLE, folded)[:2] == ["More", "Runs"]
    assert "Members" not in folded
    # On one of those pages the fold is open, and says where one is.
    opened = text(client.get("/w/sales/credentials/").content).split("<aside")[1].split("</aside>")[0]
    assert 'href="/w/sales/credentials/" aria-current="page"' in opened.split("<details open>")[1]
    # A form is where home leads: the fold stays shut.
    form = text(client.get(f"/w/sales/flows/{'F' * 21}/launch/").content).split("<aside")[1].split("</aside>")[0]
    assert 'href="/w/sales/" aria-current="true"' in form
    assert "<details open>" not in form


def test_a_guests_menu_is_home_and_launches_and_others_have_the_whole_menu_unfolded(
    users: Users, client: Client
) -> None:
    LaunchRight.objects.create(
        workspace=users.workspace, flow_id="F" * 21, flow_name="One", user=users.stranger, created_by=users.owner
    )
    client.force_login(users.stranger)
    assert _menu(text(client.get("/w/sales/launches/").content)) == ["Home", "Launches"]
    for role in (Role.VIEWER, Role.BUILDER):
        Member.objects.filter(user=users.colleague).update(role=role)
        client.force_login(users.colleague)
        page = text(client.get("/w/sales/launches/").content)
        assert "Flows" in _menu(page)
        assert "More" not in _menu(page)


def test_the_switcher_lists_the_persons_own_workspaces_only(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    other = workspace("second", project="2" * 21)
    Member.objects.create(workspace=other, user=users.owner, role=Role.VIEWER)
    page = text(owner.get("/w/sales/flows/").content)
    assert 'href="/w/second/"' in page
    assert 'href="/w/elsewhere/"' not in page


def test_the_environment_is_told_in_words_and_by_a_stripe(users: Users, owner: Client) -> None:
    Workspace.objects.filter(slug="sales").update(practice=True, colour="secondary")
    page = text(owner.get("/w/sales/flows/").content)
    assert "topbar-stripe stripe-secondary" in page
    assert ">Practice engine</span>" in page


def test_an_environment_without_a_name_is_the_host_of_its_address() -> None:
    assert navigation.environment(Workspace(address="https://flows.example.com/api")) == "flows.example.com"
    assert navigation.environment(Workspace(address="https://x.example", environment="sandbox")) == "Sandbox"


def test_a_fragment_asks_the_database_for_no_menu(
    users: Users, owner: Client, django_assert_max_num_queries: object
) -> None:
    headers = {"HX-Request": "true", "HX-Target": "results"}
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        owner.get("/w/sales/flows/", headers=headers)

"""The frame around every page: menu by role, switcher, stripe."""

import re

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.stub_engine import StubEngine, text
from tests.users import Users, workspace
from workflows_ui.core import clock
from workflows_ui.credentials.models import Ability, Capability
from workflows_ui.members.models import LaunchRight, Member, Role, Workspace
from workflows_ui.resources import RESOURCES
from workflows_ui.web import navigation

_TITLE = r"</svg><span>([^<]*)</span></a></li>"


def _sidebar(page: str) -> str:
    return page.split("<aside")[1].split("</aside>")[0]


def _menu(page: str) -> list[str]:
    return re.findall(_TITLE, _sidebar(page))


def test_the_menu_has_the_groups_in_their_order(owner: Client) -> None:
    page = text(owner.get("/w/sales/flows/").content)
    declared = {
        group: [str(found.label_plural) for found in RESOURCES if found.group == group] for group in navigation.GROUPS
    }
    assert _menu(page) == [
        *("Home", "Launches", *declared["launch"], *declared["watch"], "On failure", "Jobs"),
        *(*declared["build"], "Recently deleted"),
        *("Credentials", "Members", "Teams", "Launch rights", "Settings", "Audit", *declared["team"]),
    ]
    assert 'href="/w/sales/flows/" aria-current="page"' in page


def test_a_viewer_does_not_see_what_is_not_theirs_to_do(users: Users, client: Client) -> None:
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    client.force_login(users.colleague)
    assert "Members" not in _menu(text(client.get("/w/sales/runs/").content))


def test_a_launchers_menu_is_home_and_launches_and_the_rest_is_folded_away(users: Users, client: Client) -> None:
    client.force_login(users.colleague)
    before, folded = _sidebar(text(client.get("/w/sales/launches/").content)).split('<details data-fold="more">')
    assert re.findall(_TITLE, before) == ["Home", "Launches"]
    assert "<span>More</span>" in folded
    assert re.findall(_TITLE, folded)[0] == "Runs"
    assert "Members" not in folded
    # On one of those pages the fold is open, and says where one is.
    opened = _sidebar(text(client.get("/w/sales/credentials/").content))
    assert 'href="/w/sales/credentials/" aria-current="page"' in opened.split('<details data-fold="more" open>')[1]
    # A form is where home leads: the fold stays shut.
    form = _sidebar(text(client.get(f"/w/sales/flows/{'F' * 21}/launch/").content))
    assert 'href="/w/sales/" aria-current="true"' in form
    assert '<details data-fold="more">' in form


def test_groups_stay_folded_except_the_one_of_the_page(owner: Client) -> None:
    owner.cookies["folded"] = "build-team"
    sidebar = _sidebar(text(owner.get("/w/sales/credentials/").content))
    assert re.findall(r'data-fold="(\w+)"( open)?', sidebar) == [("watch", " open"), ("build", ""), ("team", " open")]


def test_icons_alone_stay_alone_on_the_next_page(owner: Client) -> None:
    assert 'class="no-js"' in text(owner.get("/w/sales/credentials/").content)
    owner.cookies["narrow"] = "1"
    assert 'class="no-js narrow"' in text(owner.get("/w/sales/credentials/").content)


def test_pages_of_no_workspace_keep_the_menu_of_the_last_one(users: Users, owner: Client) -> None:
    assert "Runs" not in _menu(text(owner.get("/profile/").content))
    owner.get("/w/sales/credentials/")
    for address in ("/profile/", "/accounts/password/change/", "/teams/", "/notices/"):
        page = text(owner.get(address).content)
        assert "Runs" in _menu(page), address
        assert "<title>" in page
        assert "· Sales ·" not in page.split("</title>")[0]


def test_a_workspace_that_was_left_is_in_no_menu(users: Users, client: Client) -> None:
    client.force_login(users.colleague)
    client.get("/w/sales/credentials/")
    Member.objects.filter(user=users.colleague).delete()
    page = text(client.get("/profile/").content)
    assert "Runs" not in _menu(page)
    assert 'href="/w/sales/"' not in page


def test_a_menu_is_not_shown_without_the_second_step_that_its_workspace_requires(users: Users, owner: Client) -> None:
    owner.get("/w/sales/credentials/")
    Workspace.objects.filter(slug="sales").update(second_factor_required=True)
    assert "Runs" not in _menu(text(owner.get("/profile/").content))


def test_what_the_engine_cannot_serve_is_in_no_menu(users: Users, owner: Client) -> None:
    assert "MCP servers" in _menu(text(owner.get("/w/sales/credentials/").content))
    Capability.objects.create(workspace=users.workspace, name="mcp-servers", state=Ability.NO, checked_at=clock.now())
    assert "MCP servers" not in _menu(text(owner.get("/w/sales/credentials/").content))


def test_language_theme_account_and_sign_out_are_in_one_menu(owner: Client) -> None:
    page = text(owner.get("/w/sales/credentials/").content)
    menu = page.split("user-menu")[1].split("</details>")[0]
    for found in (
        'action="/preferences/language/"',
        'action="/preferences/theme/"',
        'href="/profile/"',
        'action="/accounts/logout/"',
    ):
        assert found in menu, found
    assert page.count('name="theme" value="dark"') == 1


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


def test_the_environment_is_shown_by_a_word_and_a_stripe(users: Users, owner: Client) -> None:
    Workspace.objects.filter(slug="sales").update(practice=True, colour="secondary")
    page = text(owner.get("/w/sales/flows/").content)
    assert "topbar-stripe stripe-secondary" in page
    assert ">Practice engine</span>" in page


def test_an_environment_without_a_name_is_the_host_of_its_address() -> None:
    assert navigation.environment(Workspace(address="https://flows.example.com/api")) == "flows.example.com"
    assert navigation.environment(Workspace(address="https://x.example", environment="sandbox")) == "Sandbox"


def test_a_fragment_asks_the_database_for_no_menu(
    users: Users, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    headers = {"HX-Request": "true", "HX-Target": "results"}
    with django_assert_max_num_queries(10):
        owner.get("/w/sales/flows/", headers=headers)

"""The one search: of the console's own rows at once, of the engine after; only what the person may see."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.engine.servers import Reply
from tests.practice_engine.fixtures import Practice
from tests.stub_engine import StubEngine, flow, identity, run, text
from tests.users import Users, gather, workspace
from workflows_ui.accounts.models import User
from workflows_ui.launches.models import Launch, LaunchInput, State
from workflows_ui.launches.services import launches
from workflows_ui.members.models import LaunchRight, Member, Role, Workspace
from workflows_ui.saved_views.models import SavedView

DIALOG = {"HX-Request": "true", "HX-Target": "search-results"}
ENGINE = {"HX-Request": "true", "HX-Target": "search-engine"}


def _launch(users: Users, user: User, name: str, days: int = 0, **inputs: str) -> Launch:
    now = timezone.now() - timedelta(days=days)
    launch = Launch(workspace=users.workspace, user=user, ticket=launches.ticket(), state=State.SUCCEEDED)
    launch.flow_id, launch.flow_name, launch.payload_digest = f"{abs(hash(name)):021d}"[:21], name, "x"
    launch.asked_at = launch.not_before = launch.send_by = now
    launch.mark = launch.new_mark()
    launch.save()
    for key, written in inputs.items():
        LaunchInput.objects.create(launch=launch, name=key, label=key, text=written)
    return launch


def _found(browser: Client, q: str, headers: dict[str, str] = DIALOG) -> dict[str, list[str]]:
    """The results by group."""
    page = text(browser.get("/w/sales/search/", {"q": q}, headers=headers).content)
    groups = re.findall(r'class="search-label" id="search-([\w-]+)">.*?</div>(.*?)</div>', page, re.DOTALL)
    return {name: re.findall(r'class="search-name">([^<]*)<', entries) for name, entries in groups}


def test_launches_are_found_by_flow_person_searchable_input_and_id_without_accents(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    User.objects.filter(pk=users.colleague.pk).update(first_name="Linh", last_name="Đặng")
    made = _launch(users, users.colleague, "Nhập đơn hàng", customer="Công ty Hoà Phát")
    _launch(users, users.owner, "Other")
    for q in ("don hang", "ĐƠN HÀNG", "dang linh", "hoa phat", made.pk):
        assert _found(owner, q)["launches"] == ["Nhập đơn hàng"], q
    assert stub_engine.calls == []


def test_an_input_that_looks_like_a_secret_finds_nothing(users: Users, owner: Client) -> None:
    _launch(users, users.owner, "One", password="swordfish")
    assert "launches" not in _found(owner, "swordfish")


def test_launches_that_are_not_compared_without_accents_are_found_as_they_are_written(
    users: Users, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_ui.search.services.NEWEST", 1)
    _launch(users, users.owner, "Old one", days=3, customer="Acme")
    _launch(users, users.owner, "New one")
    assert _found(owner, "Old")["launches"] == ["Old one"]
    assert _found(owner, "acme")["launches"] == ["Old one"]


def test_a_launcher_finds_their_own_launches_only_and_no_members(users: Users, client: Client) -> None:
    client.force_login(users.colleague)
    _launch(users, users.owner, "Payroll")
    _launch(users, users.colleague, "Pay slips")
    found = _found(client, "pay")
    assert found["launches"] == ["Pay slips"]
    assert found["launch"] == ["Launch Pay slips"]
    assert "people" not in _found(client, "owner")


def test_a_guest_finds_only_the_flows_that_they_may_launch_and_nothing_of_the_engine(
    users: Users, client: Client, stub_engine: StubEngine
) -> None:
    rights = LaunchRight.objects
    rights.create(
        workspace=users.workspace, flow_id="F" * 21, flow_name="Order", user=users.stranger, created_by=users.owner
    )
    rights.create(
        workspace=users.workspace, flow_id="G" * 21, flow_name="Orders", user=users.colleague, created_by=users.owner
    )
    client.force_login(users.stranger)
    assert _found(client, "order") == {"launch": ["Launch Order"]}
    _launch(users, users.owner, "Order of the owner")
    _launch(users, users.stranger, "Order of before")
    assert _found(client, "order") == {"launch": ["Launch Order"], "launches": ["Order of before"]}
    assert _found(client, "order", ENGINE) == {}
    page = text(client.get("/w/sales/search/", {"q": "order"}).content)
    assert "Launch Orders" not in page
    assert stub_engine.calls == []


def test_six_results_of_a_kind_are_shown_and_two_hundred_characters_read(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    for number in range(7):
        _launch(users, users.owner, f"Order {number}")
    stub_engine.flows = [flow(number, f"Order {number}") for number in range(1, 9)]
    stub_engine.rows |= {"/app-connections": [], "/tables": [], "/mcp-servers": []}
    found = _found(owner, "order") | _found(owner, "order", ENGINE)
    assert {name: len(found[name]) for name in ("launch", "launches", "flows")} == {
        "launch": 6,
        "launches": 6,
        "flows": 6,
    }
    _launch(users, users.owner, "x" * 200)
    assert _found(owner, "x" * 200 + "y")["launches"] == ["x" * 120]


def test_pages_and_actions_are_found_by_name_as_far_as_the_role_goes(
    users: Users, owner: Client, client: Client
) -> None:
    assert _found(owner, "new flow")["pages"] == ["New flow"]
    assert _found(owner, "audit")["pages"] == ["Audit"]
    client.force_login(users.colleague)
    assert "pages" not in _found(client, "audit")
    assert "pages" not in _found(client, "new flow")


def test_actions_on_objects_are_found_and_lead_to_the_list_where_the_object_is_chosen(
    users: Users, owner: Client, client: Client
) -> None:
    page = text(owner.get("/w/sales/search/", {"q": "delete"}, headers=DIALOG).content)
    assert re.search(r'href="/w/sales/flows/".*?Delete.*?Flows: choose one in the list', page)
    assert "Delete the step" not in page
    client.force_login(users.colleague)
    assert "pages" not in _found(client, "delete")


def test_managers_find_members_and_credentials_and_the_way_to_another_workspace(users: Users, owner: Client) -> None:
    other = workspace("second", project="2" * 21)
    Member.objects.create(workspace=other, user=users.owner, role=Role.VIEWER)
    assert _found(owner, "colleague@")["people"] == ["colleague"]
    assert _found(owner, "my k")["credentials"] == ["My key"]
    assert _found(owner, "secon")["workspaces"] == ["Second"]
    workspace("third", project="3" * 21)
    assert "workspaces" not in _found(owner, "third")


def test_without_a_text_the_flows_and_launches_of_last_come_first(users: Users, owner: Client) -> None:
    _launch(users, users.owner, "Older", days=1)
    _launch(users, users.owner, "Newer")
    found = _found(owner, "")
    assert list(found)[:2] == ["launch", "launches"]
    assert found["launch"] == ["Launch Newer", "Launch Older"]
    assert found["launches"] == ["Newer", "Older"]


def test_the_engine_finds_flows_by_name_and_runs_by_id_in_a_second_request(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow(1, "Order intake")], [run(7, "FAILED")]
    stub_engine.rows |= {"/app-connections": [], "/tables": [], "/mcp-servers": []}
    assert "flows" not in _found(owner, "order")
    assert _found(owner, "order", ENGINE)["flows"] == ["Order intake"]
    assert any({"name": ["order"]}.items() <= dict(query).items() for query in stub_engine.queries("/flows"))
    (found,) = _found(owner, identity(7), ENGINE)["runs"]
    assert found.startswith("Order intake, ")


def test_flows_are_launched_by_the_words_of_the_entry_though_nobody_has_launched_them_yet(
    users: Users, client: Client, owner: Client, stub_engine: StubEngine
) -> None:
    on = {"status": "ENABLED", "publishedVersionId": "1" * 21}
    stub_engine.flows = [flow(1, "Order intake", **on)]
    stub_engine.rows |= {"/app-connections": [], "/tables": [], "/mcp-servers": []}
    for q in ("order", "launch ord", "launch"):
        assert _found(owner, q, ENGINE)["launchable"] == ["Launch Order intake"], q
    _launch(users, users.owner, "Payroll")
    for q in ("LAUNCH pay", "launch"):
        assert _found(owner, q)["launch"] == ["Launch Payroll"], q
    assert "launch" not in _found(owner, "launch order")
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    client.force_login(users.colleague)
    assert "launchable" not in _found(client, "launch ord", ENGINE)


def test_pages_beside_the_menu_are_found_by_those_who_may_open_them(
    users: Users, owner: Client, client: Client
) -> None:
    for q, label in (("add people", "Add people"), ("two-factor", "Two-factor authentication")):
        assert label in _found(owner, q)["pages"]
    assert "pages" not in _found(owner, "whole console")
    User.objects.filter(pk=users.owner.pk).update(is_superuser=True)
    assert _found(owner, "whole console")["pages"] == ["Audit of the whole console"]
    client.force_login(users.colleague)
    assert "pages" not in _found(client, "add people")


def test_launchers_who_do_not_see_the_page_of_flows_find_those_of_home(
    users: Users, client: Client, stub_engine: StubEngine
) -> None:
    Workspace.objects.filter(slug="sales").update(hidden_pages=["flows"])
    on = {"status": "ENABLED", "publishedVersionId": "1" * 21}
    stub_engine.flows = [flow(number, name, **on) for number, name in enumerate(("Order intake", "Reorder"), start=1)]
    launch = _launch(users, users.colleague, "Reorder")
    Launch.objects.filter(pk=launch.pk).update(flow_id=identity(2))
    client.force_login(users.colleague)
    assert _found(client, "order")["launch"] == ["Launch Reorder"]
    assert _found(client, "order", ENGINE)["launchable"] == ["Launch Order intake"]
    assert f'href="/w/sales/flows/{identity(1)}/launch/"' in text(client.get("/w/sales/search/?q=intake").content)


@pytest.mark.django_db
def test_names_in_the_engine_are_found_without_their_accents_though_the_engine_compares_them(
    practice: Practice, client: Client
) -> None:
    space = workspace("sales", address=practice.activepieces, project=practice.credentials.project_id)
    client.force_login(gather(space, practice.credentials.bearer_token).owner)
    assert "Tiếp nhận đơn hàng" in _found(client, "DON HANG", ENGINE)["flows"]


def test_an_engine_that_is_down_takes_nothing_from_what_the_console_finds(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    _launch(users, users.owner, "Order intake")
    stub_engine.faults["/flows"] = Reply(500, {"message": "down"})
    page = text(owner.get("/w/sales/search/", {"q": "order"}).content)
    assert "Launch Order intake" in page
    assert "search-wait" in page


def test_nothing_else_is_said_only_beside_what_was_found(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    _launch(users, users.owner, "Order intake")
    for q, found in (("order", True), ("zzzz", False)):
        page = text(owner.get("/w/sales/search/", {"q": q}).content)
        dialog = text(owner.get("/w/sales/search/", {"q": q}, headers=DIALOG).content)
        url = unescape(re.findall(r'hx-get="([^"]+)"', dialog.partition('id="search-engine"')[2])[0])
        for told in (page, text(owner.get(url, headers=ENGINE).content)):
            assert ("nothing else" in told, "Nothing found." in told) == (found, not found)


def test_a_search_of_the_consoles_rows_is_few_queries(
    users: Users, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        _launch(users, users.owner, f"Flow {number}", customer=f"Customer {number}")
    owner.get("/w/sales/search/")
    with django_assert_max_num_queries(20):
        _found(owner, "customer 7")


def test_an_action_is_found_by_its_words_and_the_name_of_an_object(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Order intake"), flow(2, "Invoices")]
    found = _found(owner, "delete order", ENGINE)
    assert found["acts"] == ["Delete: Order intake"]
    page = text(owner.get("/w/sales/search/", {"q": "delete order"}, headers=ENGINE).content)
    assert f"/w/sales/flows/do/delete/{identity(1)}/" in page
    assert "acts" not in _found(owner, "delete", ENGINE)
    assert "acts" not in _found(owner, "order", ENGINE)


def test_actions_on_objects_are_offered_to_people_who_may_do_them(users: Users, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Order intake")]
    Member.objects.filter(user=users.colleague).update(role=Role.LAUNCHER)
    browser = Client()
    browser.force_login(users.colleague)
    assert "acts" not in _found(browser, "delete order", ENGINE)


def test_objects_that_were_opened_last_are_listed_before_anything_is_typed(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(1, "Order intake"), flow(2, "Invoices")]
    assert "recent" not in _found(owner, "")
    for number in (1, 2, 1):
        assert owner.get(f"/w/sales/flows/{identity(number)}/").status_code == 200
    assert _found(owner, "")["recent"] == ["Order intake", "Invoices"]
    assert "recent" not in _found(owner, "order")
    # Only what the person may still see, and only their own.
    other = Client()
    other.force_login(users.colleague)
    assert "recent" not in _found(other, "")
    Member.objects.filter(user=users.owner).update(role=Role.LAUNCHER)
    Workspace.objects.update(hidden_pages=["flows"])
    assert "recent" not in _found(owner, "")


def test_teams_and_saved_views_are_found(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    team = Group.objects.create(name="Kho Hà Nội")
    other = Group.objects.create(name="Kho Huế")
    users.owner.groups.add(team)
    view = SavedView.objects.create(owner=users.owner, workspace=users.workspace, list_path="flows", name="Kho: hỏng")
    SavedView.objects.create(owner=users.colleague, workspace=users.workspace, list_path="flows", name="Kho: riêng")
    found = _found(owner, "kho")
    assert found["teams"] == [team.name]
    assert found["views"] == [view.name]
    assert other.name not in str(found)
    page = text(owner.get("/w/sales/search/", {"q": "kho"}, headers=DIALOG).content)
    assert f"/w/sales/flows/?view={view.pk}" in page

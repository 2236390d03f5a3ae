"""The home of a workspace: what a launcher may launch, what others look after, and all of it while the engine is down."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from practice_engine.samples import sample_flows
from tests import flows
from tests.launches.launch_scene import Scene, text_of
from tests.users import workspace
from workflows_ui.accounts.models import User
from workflows_ui.core import heartbeat
from workflows_ui.credentials.models import Credential
from workflows_ui.home import services as visits
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import Member, Role
from workflows_ui.notifications.models import Favourite

pytestmark = pytest.mark.both_databases

HOME = "/w/sales/"
FLOWS = {"HX-Request": "true", "HX-Target": "home-flows"}


@pytest.fixture
def company(db: None) -> Iterator[Scene]:
    """A practice engine with its sample flows."""
    made = Scene(samples=True)
    yield made
    made.close()


def test_who_has_one_workspace_comes_to_its_home_and_finds_the_list_of_all_on_demand(scene: Scene) -> None:
    answer = scene.browser.get("/")
    assert (answer.status_code, answer["Location"]) == (303, HOME)
    assert "Your workspaces" in text_of(scene.browser.get("/?all=1"))
    Member.objects.create(workspace=workspace("other", project="Q" * 21), user=scene.users.colleague, role=Role.VIEWER)
    assert "Your workspaces" in text_of(scene.browser.get("/"))


def test_the_page_itself_asks_no_engine_and_the_second_look_asks_for_flows_and_once_a_minute_for_folders(
    company: Scene,
) -> None:
    before = company.engine.journal.count()
    page = text_of(company.browser.get(HOME))
    assert company.engine.journal.count() == before
    assert 'hx-trigger="load"' in page
    assert 'href="?flows=1"' in page
    flows = text_of(company.browser.get(HOME, headers=FLOWS))
    assert company.engine.journal.count() == before + 2
    assert "<html" not in flows
    assert "Greet a customer" in flows
    company.browser.get(HOME, headers=FLOWS)
    assert company.engine.journal.count() == before + 3


def test_only_flows_that_a_launch_starts_are_offered(company: Scene) -> None:
    flows = text_of(company.browser.get(HOME + "?flows=1"))
    assert "Greet a customer" in flows
    listed = company.workflows.list_flows(limit=100)["data"]
    assert sample_flows()["form"].name in flows, "the console asks for the fields of a flow's form itself"
    assert sample_flows()["daily"].name not in flows
    off = [row for row in listed if row["status"] != "ENABLED"]
    assert off
    for row in off:
        assert f"/flows/{row['id']}/launch/" not in flows


def test_the_search_spans_names_and_says_when_nothing_is_found(company: Scene) -> None:
    found = text_of(company.browser.get(HOME + "?q=greet", headers=FLOWS))
    assert "Greet a customer" in found
    assert found.count("/launch/") == 1
    nothing = text_of(company.browser.get(HOME + "?q=%3Cb%3Enothing", headers=FLOWS))
    assert "No flow with this name can be launched" in nothing


def test_flows_are_listed_by_folder_with_a_line_on_what_they_do(company: Scene) -> None:
    orders, quick = sample_flows()["orders"], sample_flows()["quick"]
    company.workflows.apply_flow_operation(
        orders.id, {"type": "CHANGE_FOLDER", "request": {"folderId": _folder(company, "Zebra <b>")}}
    )
    company.workflows.apply_flow_operation(
        quick.id, {"type": "CHANGE_FOLDER", "request": {"folderId": _folder(company, "Ánh sáng")}}
    )
    flows = text_of(company.browser.get(HOME, headers=FLOWS))
    places = [flows.index(part) for part in ("Ánh sáng", quick.name, "Zebra &lt;b&gt;", orders.name, "In no folder")]
    assert places == sorted(places)
    line = flows.partition(f"/flows/{quick.id}/launch/")[2].partition("</form>")[0]
    assert "Compose the greeting<" in line, "what its steps do, without the answer that every flow gives"
    assert "code" not in line
    pausing = flows.partition(f"/flows/{sample_flows()['pausing'].id}/launch/")[2].partition("</form>")[0]
    assert "Waits 1 min · Ghi nhận đã nhắc<" in pausing


def _folder(scene: Scene, name: str) -> str:
    return str(scene.workflows.create_folder(name)["id"])


def test_without_folders_there_is_one_list_without_headings(scene: Scene) -> None:
    flows.make(scene.workflows, "Plain", flows.code("echo"))
    assert "In no folder" not in text_of(scene.browser.get(HOME, headers=FLOWS))


def test_a_favourite_comes_first_and_is_at_hand_without_the_engine(company: Scene) -> None:
    flow = sample_flows()["slow"]
    assert company.browser.post(f"{HOME}flows/{flow.id}/star/").status_code == 303
    flows = text_of(company.browser.get(HOME, headers=FLOWS))
    folder = next(part for part in flows.split("folder-title") if f"/flows/{flow.id}/launch/" in part)
    assert folder.partition("/launch/")[0].rpartition("/flows/")[2] == flow.id
    company.server.stop()
    page = text_of(company.browser.get(HOME))
    assert f"/flows/{flow.id}/launch/" in page
    company.browser.post(f"{HOME}flows/{flow.id}/star/", {"stop": "1"})
    assert not Favourite.objects.exists()


def test_each_flow_shows_the_persons_last_launch_of_it_however_long_ago(company: Scene) -> None:
    flow = sample_flows()["slow"].id
    long_ago = timezone.now() - timedelta(days=40)
    scene_row = company.row(flow_id=flow, state=State.FAILED)
    Launch.objects.filter(pk=scene_row.pk).update(asked_at=long_ago)
    for number in range(70):
        company.row(flow_id=f"other{number % 10}", state=State.SUCCEEDED)
    company.row(flow_id=sample_flows()["quick"].id, state=State.SUCCEEDED, user=company.users.owner)
    flows = text_of(company.browser.get(HOME, headers=FLOWS))
    assert "Failed" in flows.partition(f"/flows/{flow}/launch/")[2].partition("</form>")[0]
    other = flows.partition(f"/flows/{sample_flows()['quick'].id}/launch/")[2].partition("</form>")[0]
    assert "<time" not in other, "nothing is said of flows that the person has not launched"
    assert "yet" not in other


def test_marking_a_flow_leads_back_inside_the_console_only(company: Scene) -> None:
    flow = sample_flows()["slow"]
    for evil in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        assert company.browser.post(f"{HOME}flows/{flow.id}/star/", {"next": evil})["Location"] == HOME


@pytest.mark.slow
def test_there_are_so_many_favourites_and_no_more(scene: Scene) -> None:
    place = scene.users.workspace
    for number in range(visits.MOST):
        assert visits.star(scene.users.colleague, place, f"flow{number}", "A flow")
    assert not visits.star(scene.users.colleague, place, "one more", "A flow")
    assert visits.star(scene.users.colleague, place, "flow1", "A flow")


def test_an_engine_that_is_down_is_said_and_lately_launched_flows_stay_at_hand(scene: Scene) -> None:
    scene.row(flow_name="<i>Order</i> intake", state=State.SUCCEEDED)
    scene.server.stop()
    page = text_of(scene.browser.get(HOME + "?flows=1"))
    assert "The list of flows cannot be shown right now" in page
    assert "&lt;i&gt;Order&lt;/i&gt; intake" in page
    assert "<i>Order</i>" not in page


def test_a_launcher_is_greeted_and_finds_their_open_launches_only(scene: Scene) -> None:
    User.objects.filter(pk=scene.users.colleague.pk).update(first_name="Linh <b>")
    scene.row(state=State.RUNNING, flow_name="Of the owner", user=scene.users.owner)
    scene.row(state=State.SUCCEEDED, flow_name="Over")
    page = text_of(scene.browser.get(HOME))
    assert re.search(r"<h1[^>]*>Good (morning|afternoon|evening), Linh &lt;b&gt;</h1>", page)
    assert "open-title" not in page
    assert "Of the owner" not in page
    assert "In progress" not in page
    scene.row(state=State.RUNNING, flow_name="Still at it", asked_at=timezone.now() - timedelta(seconds=83))
    page = text_of(scene.browser.get(HOME))
    opened = page.partition('id="open-title"')[2].partition("</section>")[0]
    assert "Still at it" in opened
    assert "Over" not in opened
    assert re.search(r'data-elapsed="8\d{4}" title="[^"]+"><span data-clock>1:2\d<', opened)
    assert '<h1 class="page-title">Home</h1>' in text_of(scene.sign_in(scene.users.owner).get(HOME))


def test_who_has_no_credential_is_informed_what_to_do(scene: Scene) -> None:
    Credential.objects.filter(owner=scene.users.colleague).delete()
    page = text_of(scene.browser.get(HOME + "?flows=1"))
    assert "You have no credential here" in page


def test_a_viewer_is_informed_that_they_launch_nothing(scene: Scene) -> None:
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)
    page = text_of(scene.browser.get(HOME))
    assert "You have view-only access" in page
    assert 'id="home-attention"' in page, "what failed can be looked at"
    part = scene.browser.get(HOME, headers={"HX-Request": "true", "HX-Target": "home-attention"})
    assert text_of(part).lstrip().startswith('<section id="home-attention"')
    assert Launch.objects.count() == 0


def test_very_long_and_odd_names_do_no_harm(scene: Scene) -> None:
    scene.row(flow_name="<script>alert(1)</script>" + "đ" * 10_000, state=State.SUCCEEDED)
    page = text_of(scene.browser.get(HOME))
    assert "<script>alert(1)" not in page
    assert len(page) < 60_000


def test_a_console_in_which_nothing_works_says_so_at_the_top(scene: Scene) -> None:
    cache.delete(heartbeat.KEY)
    assert "Background work is not running right now" in text_of(scene.browser.get(HOME))

"""The home of a workspace: what a launcher may launch, what others look after, and all of it while the engine is down."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from practice_engine.samples import sample_flows
from tests.launches.launch_scene import Scene, text_of
from tests.users import workspace
from workflows_ui.core import heartbeat
from workflows_ui.credentials.models import Credential, Health
from workflows_ui.home import services as visits
from workflows_ui.launches.models import Launch, State
from workflows_ui.members.models import AccessRequest, Member, Role
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


def test_the_page_itself_asks_no_engine_and_the_second_look_asks_once(company: Scene) -> None:
    before = company.engine.journal.count()
    page = text_of(company.browser.get(HOME))
    assert company.engine.journal.count() == before
    assert 'hx-trigger="load"' in page
    assert 'href="?flows=1"' in page
    flows = text_of(company.browser.get(HOME, headers=FLOWS))
    assert company.engine.journal.count() == before + 1
    assert "<html" not in flows
    assert "Greet a customer" in flows


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


def test_cards_or_rows_are_remembered(company: Scene) -> None:
    assert "flow-card" in text_of(company.browser.get(HOME + "?flows=1"))
    assert "flow-card" not in text_of(company.browser.get(HOME + "?view=rows"))
    assert "flow-card" not in text_of(company.browser.get(HOME, headers=FLOWS))


def test_a_favourite_comes_first_and_is_at_hand_without_the_engine(company: Scene) -> None:
    flow = sample_flows()["slow"]
    assert company.browser.post(f"{HOME}flows/{flow.id}/star/").status_code == 303
    flows = text_of(company.browser.get(HOME, headers=FLOWS))
    first = flows.partition("/launch/")[0].rpartition("/flows/")[2]
    assert first == flow.id
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
    card = flows.partition(f"/flows/{flow}/launch/")[2][:600]
    assert "Failed" in card
    others = flows.partition(f"/flows/{sample_flows()['quick'].id}/launch/")[2][:300]
    assert "Not launched yet" in others


def test_marking_a_flow_leads_back_inside_the_console_only(company: Scene) -> None:
    flow = sample_flows()["slow"]
    for evil in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        assert company.browser.post(f"{HOME}flows/{flow.id}/star/", {"next": evil})["Location"] == HOME


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


def test_a_launcher_is_not_shown_what_others_look_after(scene: Scene) -> None:
    scene.row(state=State.RUNNING, user=scene.users.owner)
    page = text_of(scene.browser.get(HOME))
    assert "Launches in progress" not in page
    owner = scene.sign_in(scene.users.owner)
    assert "Launches in progress" in text_of(owner.get(HOME))


def test_builders_see_what_runs_what_failed_and_the_launches_per_day(scene: Scene) -> None:
    owner, now = scene.sign_in(scene.users.owner), timezone.now()
    page = text_of(owner.get(HOME))
    assert 'class="chart' not in page
    assert "Flows with problems" not in page
    scene.row(state=State.RUNNING, flow_name="Still at it", asked_at=now - timedelta(seconds=83))
    for hours in (0, 0, 24 * 3, 24 * 9):
        scene.row(flow_id="broken", flow_name="Broken", state=State.FAILED, asked_at=now - timedelta(hours=hours))
    scene.row(flow_id="broken", flow_name="Broken", state=State.SUCCEEDED, asked_at=now)
    page = text_of(owner.get(HOME))
    today = timezone.localdate().isoformat()
    assert f'href="/w/sales/launches/?state=problem&amp;since={today}"' in page
    assert re.search(r'counter-number">2</span> <span class="text-secondary">Launches failed today', page)
    assert re.search(r'counter-number">1</span> <span class="text-secondary">Launches in progress', page)
    failing = page.partition("Flows with problems")[2]
    assert "Broken" in failing
    assert "3 of 4" in failing
    assert re.search(r'data-elapsed="8\d{4}" title="[^"]+"><span data-clock>1:2\d<', page)
    assert f'since={today}&amp;until={today}&amp;state=failed"' in page
    colleague = text_of(scene.browser.get(HOME))
    assert "counter" not in colleague
    assert "Flows with problems" not in colleague


def test_what_needs_attention_names_the_next_step(scene: Scene) -> None:
    Credential.objects.filter(owner=scene.users.owner).update(health=Health.REFUSED, name="The <key>")
    scene.row(state=State.UNKNOWN)
    AccessRequest.objects.create(workspace=scene.users.workspace, user=scene.users.stranger)
    page = text_of(scene.sign_in(scene.users.owner).get(HOME))
    assert "The engine refuses “The &lt;key&gt;”" in page
    assert "1 launch is unclear" in page
    assert "1 person requests access" in page
    theirs = text_of(scene.browser.get(HOME))
    assert "The &lt;key&gt;" not in theirs
    assert "requests access" not in theirs


def test_who_has_no_credential_is_informed_what_to_do(scene: Scene) -> None:
    Credential.objects.filter(owner=scene.users.colleague).delete()
    page = text_of(scene.browser.get(HOME + "?flows=1"))
    assert "You have no credential here" in page


def test_a_viewer_is_informed_that_they_launch_nothing(scene: Scene) -> None:
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)
    page = text_of(scene.browser.get(HOME))
    assert "You have view-only access" in page
    assert 'id="home-elsewhere"' in page, "what runs and what failed can be looked at"
    part = scene.browser.get(HOME, headers={"HX-Request": "true", "HX-Target": "home-elsewhere"})
    assert text_of(part).lstrip().startswith('<div id="home-elsewhere">')
    assert Launch.objects.count() == 0


def test_very_long_and_odd_names_do_no_harm(scene: Scene) -> None:
    scene.row(flow_name="<script>alert(1)</script>" + "đ" * 10_000, state=State.SUCCEEDED)
    page = text_of(scene.browser.get(HOME))
    assert "<script>alert(1)" not in page
    assert len(page) < 60_000


def test_a_console_in_which_nothing_works_says_so_at_the_top(scene: Scene) -> None:
    cache.delete(heartbeat.KEY)
    assert "Background work is not running right now" in text_of(scene.browser.get(HOME))

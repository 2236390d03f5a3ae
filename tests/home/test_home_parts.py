"""The parts of home: today beside the usual day, flows that changed, one plot, and their order and hiding, which the server keeps."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock
from workflows_ui.launches.models import State
from workflows_ui.members.models import LaunchRight, Member, Role
from workflows_ui.notifications.models import Visit

pytestmark = pytest.mark.both_databases

HOME, ARRANGE = "/w/sales/", "/w/sales/home/arrange/"


def _parts(page: str) -> list[str]:
    """The titles of the parts that are shown, in their order."""
    body = page.partition('class="page-body"')[2].partition("</main>")[0]
    assert body
    titles = re.findall(r'<h2 class="(?:card-title|h3)[^"]*"(?: id="[a-z-]+-title")?>([^<]+?) ?<', body)
    return [title for title in titles if title != "Keyboard shortcuts"]


def test_today_is_shown_beside_the_usual_day_with_one_plot(scene: Scene) -> None:
    owner = scene.sign_in(scene.users.owner)
    empty = text_of(owner.get(HOME))
    assert 'class="chart' not in empty
    assert "No one has launched a flow in the last 14 days." in empty
    assert "usually" not in empty
    today = clock.midnight(timezone.localdate())
    weekend = timezone.localdate().weekday() >= 5
    for day in range(1, 14):
        at = today - timedelta(days=day) + timedelta(hours=1)
        for _ in range(4 if (timezone.localtime(at).weekday() >= 5) == weekend else 1):
            scene.row(flow_id="usual", state=State.SUCCEEDED, asked_at=at)
    scene.row(flow_id="usual", state=State.SUCCEEDED, asked_at=today)
    scene.row(flow_id="usual", state=State.RUNNING, asked_at=today)
    page = text_of(owner.get(HOME))
    assert page.count('<figure class="chart"') == 1
    numbers = re.findall(
        r'number-value">(\d+)</span> <span class="number-label">([^<]+)</span>( <span[^>]*>[^<]+)?', page
    )
    assert [(number, label, usual.partition(">")[2]) for number, label, usual in numbers] == [
        ("2", "Launches today", "usually 4"),
        ("0", "Launches failed today", "usually 0"),
        ("1", "Launches in progress", ""),
    ]
    assert "Keep a searchable list of runs" in page
    assert 'class="chart' not in text_of(scene.browser.get(HOME))


def test_kept_launches_are_counted_where_there_are_any(scene: Scene) -> None:
    owner = scene.sign_in(scene.users.owner)
    assert "Kept until" not in text_of(owner.get(HOME))
    scene.row(state=State.QUEUED, kept=True)
    assert re.search(r'>1</span> <span class="number-label">Kept until the engine is back', text_of(owner.get(HOME)))


def test_flows_that_changed_are_listed_once_with_person_and_time(scene: Scene) -> None:
    place, owner = scene.users.workspace, scene.sign_in(scene.users.owner)
    assert "No one has changed a flow here in the last 30 days." in text_of(owner.get(HOME))

    def change(action: str, id: str, name: str, outcome: str = "done") -> None:
        audit_log.record(
            audit_log.Actor(scene.users.colleague),
            action,
            workspace=place,
            object_type="flows",
            object_id=id,
            object_name=name,
            outcome=outcome,
        )

    change("flows.rename", "a" * 21, "Old name")
    change("flows.publish", "a" * 21, "Orders <b>")
    change("flows.step-test", "b" * 21, "Only tested")
    change("flows.rename", "c" * 21, "Refused", outcome="refused")
    change("flows.delete", "d" * 21, "Gone")
    page = text_of(owner.get(HOME)).partition('id="changed-title"')[2].partition("</section>")[0]
    assert re.findall(r"/w/sales/flows/(\w{21})/", page) == ["a" * 21]
    assert "Orders &lt;b&gt;" in page
    assert f"{scene.users.colleague.label} · Publish" in page
    assert "Gone" in page
    for absent in ("Old name", "Only tested", "Refused"):
        assert absent not in page
    assert "changed-title" not in text_of(scene.browser.get(HOME))


def test_parts_can_be_moved_and_hidden_and_the_server_remembers_it(scene: Scene) -> None:
    owner, browser = scene.sign_in(scene.users.owner), scene.browser
    usual = _parts(text_of(owner.get(HOME)))
    assert usual == ["Needs attention", "Today", "Flows that changed", "Flows to launch"]
    assert owner.post(ARRANGE, {"up": "changed"})["Location"] == f"{HOME}?arrange=1"
    assert _parts(text_of(owner.get(HOME))) == ["Needs attention", "Flows that changed", "Today", "Flows to launch"]
    owner.post(ARRANGE, {"hide": "today"})
    owner.post(ARRANGE, {"hide": "flows"})
    page = text_of(scene.sign_in(scene.users.owner).get(HOME))
    assert _parts(page) == ["Needs attention", "Flows that changed"]
    assert 'aria-label="Show: Today"' in page
    assert _parts(text_of(browser.get(HOME))) == ["Flows to launch"], "others have their own order"
    owner.post(ARRANGE, {"show": "today"})
    assert "Today" in _parts(text_of(owner.get(HOME)))
    owner.post(ARRANGE, {"reset": "1"})
    assert _parts(text_of(owner.get(HOME))) == usual


def test_what_needs_attention_cannot_be_hidden_and_unknown_parts_change_nothing(scene: Scene) -> None:
    owner = scene.sign_in(scene.users.owner)
    usual = _parts(text_of(owner.get(HOME)))
    for verb, key in (
        ("hide", "attention"),
        ("hide", "<b>"),
        ("hide", "\x00"),
        ("up", "nothing"),
        ("up", "attention"),
        ("down", "flows"),
    ):
        assert owner.post(ARRANGE, {verb: key}).status_code == 303
        assert _parts(text_of(owner.get(HOME))) == usual
    stored = Visit.objects.get(user=scene.users.owner).parts
    assert set(stored["hidden"]) <= {"attention"}, "what is no part is not stored"
    odd: object
    for odd in ({"order": "flows", "hidden": 7}, [], {"order": ["gone", "flows", "flows"], "hidden": [None, "gone"]}):
        Visit.objects.update(parts=odd)
        assert set(_parts(text_of(owner.get(HOME)))) == set(usual)
    assert owner.get(ARRANGE).status_code == 405


def test_parts_that_a_role_does_not_have_are_not_offered(scene: Scene) -> None:
    page = text_of(scene.browser.get(HOME))
    assert 'value="today"' not in page
    scene.browser.post(ARRANGE, {"hide": "flows"})
    page = text_of(scene.browser.get(HOME))
    assert "home-flows" not in page
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)
    page = text_of(scene.browser.get(HOME))
    assert 'value="today"' not in page, "without a run index, a viewer sees no launches of others"
    assert "changed-title" not in page


def test_an_outsider_with_one_launch_right_lands_on_that_form(scene: Scene) -> None:
    users = scene.users

    def right(flow: str) -> LaunchRight:
        return LaunchRight.objects.create(
            workspace=users.workspace, flow_id=flow, flow_name="Orders", user=users.stranger, created_by=users.owner
        )

    browser, first = Client(), right("a" * 21)
    browser.force_login(users.stranger)
    assert browser.get("/")["Location"] == f"/w/sales/flows/{'a' * 21}/launch/"
    assert "Orders" in text_of(browser.get(HOME)), "the list of rights stays"
    second = right("b" * 21)
    assert browser.get("/")["Location"] == HOME
    LaunchRight.objects.filter(pk=second.pk).update(revoked_at=timezone.now())
    LaunchRight.objects.filter(pk=first.pk).update(until=timezone.now() - timedelta(hours=1))
    assert browser.get("/")["Location"] == HOME, "of a right that has ended, home says so"

"""What a person follows: what each line brings, muting for a week or otherwise, for oneself or everyone, and leaving."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene, text_of
from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Member, Role
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications import mutes, services as notifications
from workflows_ui.notifications.models import KINDS_OF_TOPIC, Mute, Notice, NoticeKind, Topic, Watch, WatchKind

pytestmark = pytest.mark.both_databases

PAGE = "/profile/following/"
FLOW = "F" * 21
MUTE = f"/w/sales/following/mute/?topic=flows&flow={FLOW}"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are due as soon as the notification exists."""
    monkeypatch.setattr(notifications, "MAIL_AFTER", timedelta(0))


def _follow(scene: Scene, user: User, kind: WatchKind = WatchKind.FLOW, object_id: str = FLOW) -> Watch:
    watching.start_watching(user, scene.users.workspace, kind, object_id, "Price quote")
    return Watch.objects.get(user=user, kind=kind, object_id=object_id)


def _fail(scene: Scene, **fields: Any) -> Launch:
    defaults: dict[str, Any] = {"ended_at": timezone.now() + timedelta(seconds=1), "flow_name": "Price quote"}
    return scene.row(state=State.FAILED, **{"flow_id": FLOW} | defaults | fields)


def _alarm(scene: Scene, user: User, key: str, flow_id: str = FLOW) -> None:
    notifications.notify(
        user, NoticeKind.ALARM, key, url="/a/", workspace=scene.users.workspace, flow_id=flow_id, alarm="quiet"
    )


def _page(browser: Client) -> str:
    return unescape(text_of(browser.get(PAGE)))


def _row(page: str, id: str) -> str:
    found = re.search(rf'<tr id="{id}".*?</tr>', page, re.DOTALL)
    assert found, id
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def test_every_kind_of_notification_is_of_a_topic() -> None:
    assert {kind for kinds in KINDS_OF_TOPIC.values() for kind in kinds} == set(NoticeKind)


def test_the_page_lists_what_one_follows_and_what_each_line_brings(scene: Scene) -> None:
    owner = scene.users.owner
    flow, alarms = _follow(scene, owner), _follow(scene, owner, WatchKind.ALARMS, "")
    launch = _follow(scene, owner, WatchKind.LAUNCH, scene.row(state=State.RUNNING).pk)
    browser = scene.sign_in(owner)
    page = _page(browser)
    assert "Price quote Failures and alarms Bell and email Mute for a week" in _row(page, f"line-{flow.pk}")
    assert "All alarms Alarms of every flow Bell and email" in _row(page, f"line-{alarms.pk}")
    assert "Price quote The end of this launch Bell and email Stop following" in _row(page, f"line-{launch.pk}")
    for topic in ("launches", "notes", "failures", "jobs", "access", "credentials"):
        assert "Bell and email" in _row(page, f"topic-{topic}")
    User.objects.filter(pk=owner.pk).update(mail_delivery=MailDelivery.DAILY)
    assert "Bell, and email once a day" in _row(_page(browser), f"line-{flow.pk}")
    User.objects.filter(pk=owner.pk).update(mail_delivery=MailDelivery.NONE)
    assert "Bell only" in _row(_page(browser), f"line-{flow.pk}")


def test_the_page_is_reached_from_the_menu_of_the_account_and_from_every_notification(scene: Scene) -> None:
    owner = scene.users.owner
    line = _follow(scene, owner)
    _fail(scene)
    watching.find_news()
    notifications.notify(owner, NoticeKind.JOB_ENDED, "job:1", url="/job/")
    browser = scene.sign_in(owner)
    page = text_of(browser.get("/notices/"))
    assert f'class="dropdown-item" href="{PAGE}"' in page
    ways = [browser.get(url)["Location"] for url in re.findall(r'href="(/notices/\d+/following/)"', page)]
    assert ways == [f"{PAGE}?line=line-{line.pk}", f"{PAGE}?line=topic-jobs"] or ways == [
        f"{PAGE}?line=topic-jobs",
        f"{PAGE}?line=line-{line.pk}",
    ]
    other = Notice.objects.filter(user=owner).first()
    assert other is not None
    assert scene.browser.get(f"/notices/{other.pk}/following/").status_code == 404


@pytest.mark.slow
def test_a_click_mutes_for_a_week_the_list_has_what_came_and_the_bell_and_the_mail_nothing(scene: Scene) -> None:
    owner = scene.users.owner
    line = _follow(scene, owner)
    browser = scene.sign_in(owner)
    _fail(scene)
    watching.find_news()
    assert notifications.to_mail()
    assert browser.post(MUTE)["Location"] == f"{PAGE}?line=line-{line.pk}"
    assert notifications.to_mail() == [], "a mail that waits is not sent either"
    mute = Mute.objects.get()
    assert mute.until is not None
    assert timedelta(days=6, hours=23) < mute.until - timezone.now() <= timedelta(days=7)
    notifications.read(owner)
    for _ in range(3):
        _fail(scene)
        watching.find_news()
    _alarm(scene, owner, "alarm:1")
    assert notifications.to_mail() == []
    page = unescape(text_of(browser.get("/notices/")))
    assert "No unread notifications" in page
    assert "Price quote failed 3 times" in page, "muted failures are one line"
    assert len(re.findall(r">\s*Muted\s*<", page)) == 2
    assert "Price quote: Muted until" in page
    Mute.objects.update(until=timezone.now() - timedelta(seconds=1))
    watching.find_news()
    assert not Notice.objects.filter(user=owner, read_at=None).exists(), "what was muted is not told later"
    _fail(scene)
    watching.find_news()
    assert Notice.objects.filter(user=owner, read_at=None).count() == 1
    assert "Muted until" not in _page(browser)
    notifications.purge()
    assert not Mute.objects.exists()


@pytest.mark.parametrize(("length", "days"), [("day", 1), ("month", 30), ("always", None)])
def test_other_lengths_are_chosen_on_a_page_and_a_mute_is_undone(scene: Scene, length: str, days: int | None) -> None:
    owner = scene.users.owner
    _follow(scene, owner)
    browser = scene.sign_in(owner)
    form = text_of(browser.get(MUTE))
    assert re.search(r'value="week"[^>]*checked', form)
    browser.post(MUTE, {"length": length})
    mute = Mute.objects.get()
    left = mute.until - timezone.now() if mute.until else None
    assert (round(left / timedelta(days=1)) if left else None) == days
    browser.post(MUTE, {"length": "day"})
    assert Mute.objects.count() == 1, "another choice takes the place of the first"
    assert browser.post(MUTE, {"length": "century"}).status_code == 422
    assert browser.post(f"{PAGE}{mute.pk}/unmute/").status_code == 303
    assert not Mute.objects.exists()
    assert not AuditEvent.objects.filter(action__startswith="mute.").exists(), "one's own are not audited"


def test_a_manager_mutes_for_everyone_named_dated_audited_and_undoable(scene: Scene) -> None:
    builder, owner = scene.member("builder", Role.BUILDER), scene.users.owner
    lines = {user: _follow(scene, user) for user in (builder, owner)}
    building, managing = scene.sign_in(builder), scene.sign_in(owner)
    assert "For everyone" not in text_of(building.get(MUTE))
    building.post(MUTE, {"length": "day", "everyone": "yes"})
    assert Mute.objects.get().user == builder, "a builder mutes for themselves only"
    Mute.objects.all().delete()
    assert "For everyone in “Sales”" in unescape(text_of(managing.get(MUTE)))
    managing.post(MUTE, {"length": "week", "everyone": "yes"})
    mute = Mute.objects.get()
    assert mute.user is None
    _fail(scene)
    watching.find_news()
    assert not Notice.objects.filter(read_at=None).exists()
    for user, browser in ((builder, building), (owner, managing)):
        row = _row(_page(browser), f"line-{lines[user].pk}")
        assert re.search(r"Muted for everyone until .+, by owner since ", row), row
        assert ("Unmute for everyone" in row) == (user == owner)
    undo = f"/w/sales/following/{mute.pk}/unmute/"
    assert building.post(undo).status_code == 403
    assert building.post(f"{PAGE}{mute.pk}/unmute/").status_code == 404
    assert managing.post(undo).status_code == 303
    assert not Mute.objects.exists()
    rows = AuditEvent.objects.filter(action__startswith="mute.").order_by("pk")
    assert [(row.action, row.user, row.object_name) for row in rows] == [
        ("mute.add", owner, "Price quote"),
        ("mute.end", owner, "Price quote"),
    ]
    page = unescape(text_of(managing.get("/w/sales/audit/")))
    assert "Muted notifications for everyone" in page


def test_a_mute_for_everyone_of_all_flows_is_shown_in_the_workspace_and_of_no_other(scene: Scene) -> None:
    owner = scene.users.owner
    _follow(scene, scene.users.colleague)
    browser = scene.sign_in(owner)
    browser.post("/w/sales/following/mute/?topic=flows", {"length": "always", "everyone": "yes"})
    for person in (browser, scene.browser):
        assert re.search(r"Failures and alarms of all flows: Muted for everyone by owner since", _page(person))
    _alarm(scene, owner, "alarm:1", "G" * 21)
    notifications.notify(owner, NoticeKind.ALARM, "alarm:2", url="/a/", alarm="quiet")
    notifications.notify(owner, NoticeKind.NOTE, "note:1", url="/n/", workspace=scene.users.workspace)
    assert list(Notice.objects.order_by("key").values_list("muted", flat=True)) == [True, False, False]


def test_emails_of_a_line_are_turned_off_and_on_and_the_bell_stays(scene: Scene) -> None:
    owner = scene.users.owner
    line = _follow(scene, owner)
    browser = scene.sign_in(owner)
    browser.post(f"{MUTE}&mail=off")
    assert "Bell only" in _row(_page(browser), f"line-{line.pk}")
    _fail(scene)
    watching.find_news()
    assert Notice.objects.filter(user=owner, read_at=None, mail_at=None).count() == 1
    browser.post(f"{PAGE}{Mute.objects.get().pk}/unmute/")
    assert "Bell and email" in _row(_page(browser), f"line-{line.pk}")


def test_what_comes_without_following_is_muted_in_all_workspaces(scene: Scene) -> None:
    owner = scene.users.owner
    browser = scene.sign_in(owner)
    assert browser.post(f"{PAGE}mute/?topic=notes")["Location"] == f"{PAGE}?line=topic-notes"
    assert "Muted until" in _row(_page(browser), "topic-notes")
    notifications.notify(owner, NoticeKind.NOTE, "note:1", url="/n/", workspace=scene.users.workspace)
    notifications.notify(owner, NoticeKind.FAILURE_ASSIGNED, "f:1", url="/f/", workspace=scene.users.workspace)
    assert list(Notice.objects.order_by("kind").values_list("muted", flat=True)) == [False, True]
    for topic in ("flows", "alarms", "nothing", ""):
        assert browser.post(f"{PAGE}mute/?topic={topic}")["Location"] == PAGE
    assert Mute.objects.count() == 1


def test_a_line_is_left_by_its_person_only(scene: Scene) -> None:
    line = _follow(scene, scene.users.owner)
    url = f"{PAGE}{line.pk}/stop/"
    assert scene.browser.post(url).status_code == 404
    assert scene.sign_in(scene.users.owner).post(url).status_code == 303
    assert not Watch.objects.exists()


def test_a_flow_that_one_does_not_follow_is_looked_up_and_muted_and_its_page_says_so(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Order <b>intake</b>", flows.code("ok"))
    browser = scene.sign_in(scene.users.owner)
    url = f"/w/sales/following/mute/?topic=flows&flow={flow}"
    assert browser.post(url, {"length": "week", "everyone": "yes"}).status_code == 303
    assert "Order <b>intake</b>: Muted for everyone until" in _page(browser)
    assert "Muted for everyone until" in unescape(text_of(browser.get(f"/w/sales/flows/{flow}/")))
    assert browser.post(MUTE).status_code == 404, "no flow of this workspace"
    assert browser.post(f"{MUTE}{'x' * 64}").status_code == 404
    assert browser.post("/w/sales/following/mute/?topic=notes").status_code == 404
    assert Mute.objects.count() == 1


def test_of_lost_workspaces_nothing_is_shown_but_their_number_and_it_can_be_left(scene: Scene) -> None:
    colleague = scene.users.colleague
    _follow(scene, colleague)
    Member.objects.filter(user=colleague).delete()
    page = _page(scene.browser)
    assert "1 more is in a workspace that you cannot open any more." in page
    assert "Price quote" not in page
    assert "Sales" not in page
    scene.browser.post(f"{PAGE}lost/")
    assert not Watch.objects.exists()


def test_a_workspace_that_requires_a_second_step_is_named_without_what_is_followed_there(scene: Scene) -> None:
    _follow(scene, scene.users.colleague)
    scene.users.workspace.second_factor_required = True
    scene.users.workspace.save()
    page = _page(scene.browser)
    assert "“Sales” requires two-factor authentication" in page
    assert "Price quote" not in page
    assert scene.browser.post(MUTE).status_code == 403
    assert not Mute.objects.exists()


def test_odd_names_and_many_lines_are_shown(scene: Scene) -> None:
    owner = scene.users.owner
    for number in range(60):
        watching.start_watching(owner, scene.users.workspace, WatchKind.FLOW, f"f{number}", "<i>" + "x" * 9000)
    watching.start_watching(owner, scene.users.workspace, WatchKind.FLOW, "../odd id", "")
    page = text_of(scene.sign_in(owner).get(PAGE))
    assert "<i>xx" not in page
    assert page.count("x" * 200) == 0
    assert "../odd id" in page


def test_who_has_left_the_workspace_gets_no_mail_of_what_came_before(scene: Scene) -> None:
    owner = scene.users.owner
    _follow(scene, owner)
    _fail(scene)
    watching.find_news()
    Member.objects.filter(user=owner).delete()
    [pk] = notifications.to_mail()
    assert notification_mail.send(pk) is False
    assert notifications.to_mail() == []


def test_the_topic_of_a_mute_covers_the_alarms_of_followed_flows(scene: Scene) -> None:
    owner, space = scene.users.owner, scene.users.workspace
    mutes.mute(Actor(owner), mutes.Scope(Topic.ALARMS, space.pk), owner, until=None)
    _alarm(scene, owner, "alarm:1")
    _follow(scene, owner)
    _fail(scene)
    watching.find_news()
    assert dict(Notice.objects.values_list("kind", "muted")) == {NoticeKind.ALARM: True, NoticeKind.FLOW_FAILED: False}

"""The same problem is one notice and one mail with a count, whatever the number of workers."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of
from workflows_ui.accounts.models import User
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Role
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications import messages as notification_messages, services as notifications
from workflows_ui.notifications.models import Notice, NoticeKind, WatchKind

pytestmark = pytest.mark.both_databases

FLOW = "F" * 21
LAUNCHES = "/w/sales/launches/?flow=F&state=problem"
RUNS = "/w/sales/runs/?flow=F&status=FAILED"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are due as soon as the notification exists."""
    monkeypatch.setattr(notifications, "MAIL_AFTER", timedelta(0))


def _fail(scene: Scene, **fields: Any) -> Launch:
    defaults: dict[str, Any] = {"ended_at": timezone.now() + timedelta(seconds=1), "flow_name": "Price quote"}
    return scene.row(state=State.FAILED, **{"flow_id": FLOW} | defaults | fields)


def _watch(scene: Scene, user: User) -> None:
    watching.start_watching(user, scene.users.workspace, WatchKind.FLOW, FLOW, "Price quote")


def _event(user: User, key: str, *, at: datetime | None = None, runs: bool = False) -> bool:
    """A failure of the flow F: a launch, or a run that was started elsewhere."""
    fold = notifications.Fold("flow:1:F", at or timezone.now(), RUNS if runs else LAUNCHES, wide=runs)
    return notifications.notify(
        user, NoticeKind.FLOW_FAILED, key, url=f"/{key}/", fold=fold, flow="Price quote", state="failed", step=key
    )


def _unread(user: User) -> Notice:
    return Notice.objects.select_related("user", "workspace").get(user=user, read_at=None)


def test_failures_of_a_watched_flow_are_one_notice_that_counts_them_and_leads_to_their_list(scene: Scene) -> None:
    owner = scene.users.owner
    browser = scene.sign_in(owner)
    _watch(scene, owner)
    at = timezone.now().replace(hour=10, minute=42) + timedelta(days=1)
    for earlier in (2, 1, 0):
        _fail(scene, ended_at=at - timedelta(minutes=earlier))
    _fail(scene, flow_id="G" * 21)
    for _ in range(2):
        watching.find_news()
    [notice] = notifications.visible_notifications(owner)
    assert (notice.count, notice.last_at) == (3, at)
    assert notice.url == f"/w/sales/launches/?flow={FLOW}&state=problem"
    page = text_of(browser.get("/notices/"))
    assert "Price quote failed 3 times, last at" in page
    assert page.count("Price quote") == 1
    assert "1 unread notification<" in page
    assert "No unread notifications" in text_of(browser.get(notice.url))


def test_a_single_failure_leads_to_its_launch_and_the_list_without_its_filter_reads_nothing(scene: Scene) -> None:
    owner = scene.users.owner
    _watch(scene, owner)
    launch = _fail(scene)
    watching.find_news()
    assert _unread(owner).url == f"/w/sales/launches/{launch.pk}/"
    _fail(scene)
    watching.find_news()
    assert "1 unread notification<" in text_of(scene.sign_in(owner).get("/w/sales/launches/"))


def test_ones_own_launches_stay_single(scene: Scene) -> None:
    builder = scene.member("builder", Role.BUILDER)
    _watch(scene, builder)
    for _ in range(2):
        _fail(scene, user=builder)
    for _ in range(3):
        _fail(scene)
    watching.find_news()
    assert sorted(Notice.objects.filter(user=builder, head=None).values_list("count", flat=True)) == [1, 1, 3]


def test_after_reading_a_further_failure_is_a_new_notice_and_no_event_counts_twice(scene: Scene) -> None:
    owner = scene.users.owner
    assert [_event(owner, key) for key in ("a", "b", "b", "a")] == [True, True, False, False]
    notifications.read(owner)
    assert [_event(owner, key) for key in ("a", "b", "c")] == [False, False, True]
    assert [(row.count, row.url) for row in notifications.visible_notifications(owner)] == [(1, "/c/"), (2, LAUNCHES)]


def test_launches_and_runs_started_elsewhere_are_one_notice_which_reports_the_latest(scene: Scene) -> None:
    owner, now = scene.users.owner, timezone.now()
    _event(owner, "a", at=now, runs=True)
    _event(owner, "older", at=now - timedelta(minutes=3))
    notice = _unread(owner)
    assert (notice.count, notice.url, notice.about["step"], notice.last_at) == (2, RUNS, "a", now)
    _event(owner, "newer", at=now + timedelta(minutes=3))
    notice = _unread(owner)
    assert (notice.count, notice.url, notice.about["step"]) == (3, RUNS, "newer")
    detail = notification_messages.notification_message(notice).detail
    assert "newer" in detail


def test_the_first_failure_is_mailed_and_those_of_the_next_hour_come_in_one_summary(scene: Scene) -> None:
    owner = scene.users.owner
    _event(owner, "a")
    assert notification_mail.send(_unread(owner).pk)
    for key in "bcd":
        _event(owner, key)
    notice = _unread(owner)
    assert notice.mailed_at is not None
    assert notice.mail_at == notice.mailed_at + notifications.SUMMARY
    assert notifications.to_mail() == []
    Notice.objects.filter(pk=notice.pk).update(mail_at=timezone.now())
    assert [notification_mail.send(pk) for pk in notifications.to_mail() * 2] == [True, False]
    assert ["failed 4 times" in letter.subject for letter in mail.outbox] == [False, True]
    assert LAUNCHES in mail.outbox[1].body
    assert _unread(owner).mail_at is None, "no further failure, no further mail"


def test_reading_does_not_bring_the_next_mail_within_the_hour(scene: Scene) -> None:
    owner = scene.users.owner
    _event(owner, "a")
    notification_mail.send(_unread(owner).pk)
    mailed_at = _unread(owner).mailed_at
    notifications.read(owner)
    _event(owner, "b")
    assert mailed_at is not None
    assert _unread(owner).mail_at == mailed_at + notifications.SUMMARY


def test_failures_before_the_first_mail_are_in_it(scene: Scene) -> None:
    owner = scene.users.owner
    for key in "abc":
        _event(owner, key)
    [pk] = notifications.to_mail()
    notification_mail.send(pk)
    [letter] = mail.outbox
    assert "failed 3 times" in letter.subject


@pytest.mark.django_db(transaction=True)
def test_workers_that_fold_at_once_count_every_failure_once_and_mail_once(transactional_db: None) -> None:
    scene = Scene()
    try:
        owner, claimed = scene.users.owner, []
        events = [str(number) for number in range(8)]

        def fold() -> None:
            for key in events:
                while not Notice.objects.filter(key=key).exists():
                    _event(owner, key)

        def claim() -> None:
            for pk in notifications.to_mail():
                claimed.extend(notifications.claim_mail(pk))

        _at_once(fold)
        assert _unread(owner).count == len(events)
        assert Notice.objects.count() == len(events)
        _at_once(claim)
        assert len(claimed) == 1
    finally:
        scene.close()


def _at_once(work: Callable[[], None]) -> None:
    start = threading.Barrier(2)
    problems: list[BaseException] = []

    def run() -> None:
        try:
            start.wait(10)
            work()
        except BaseException as problem:  # noqa: BLE001  (shown by the test's thread)
            problems.append(problem)
        finally:
            connection.close()

    workers = [threading.Thread(target=run) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert problems == []

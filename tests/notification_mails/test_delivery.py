"""Quiet hours and the daily digest: when mails are due, and that a digest is sent once."""

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from tests.launches.launch_scene import Scene, text_of
from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications import delivery, services as notifications
from workflows_ui.notifications.models import Notice, NoticeKind

pytestmark = pytest.mark.both_databases

PAGE = "/profile/notifications/"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are due as soon as the notification exists."""
    monkeypatch.setattr(notifications, "MAIL_AFTER", timedelta(0))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Ho Chi Minh City is 7 hours ahead; in Berlin the clocks change on 29 March 2026, at 1:00 UTC.
@pytest.mark.parametrize(
    ("zone", "quiet", "at", "end"),
    [
        ("Asia/Ho_Chi_Minh", (22, 7), "2026-03-10 14:59", None),
        ("Asia/Ho_Chi_Minh", (22, 7), "2026-03-10 15:00", "2026-03-11 00:00"),
        ("Asia/Ho_Chi_Minh", (22, 7), "2026-03-10 23:59", "2026-03-11 00:00"),
        ("Asia/Ho_Chi_Minh", (22, 7), "2026-03-11 00:00", None),
        ("Asia/Ho_Chi_Minh", (12, 14), "2026-03-10 05:30", "2026-03-10 07:00"),
        ("Asia/Ho_Chi_Minh", (12, 14), "2026-03-10 07:00", None),
        ("Europe/Berlin", (22, 7), "2026-03-28 22:00", "2026-03-29 05:00"),
    ],
)
def test_quiet_hours_end_in_the_persons_time_zone(zone: str, quiet: tuple[int, int], at: str, end: str | None) -> None:
    person = User(time_zone=zone, quiet_from=time(quiet[0]), quiet_until=time(quiet[1]))
    assert delivery.quiet_end(person, _moment(at)) == (_moment(end) if end else None)


def test_a_mail_is_due_at_once_or_with_the_digest_and_not_in_quiet_hours() -> None:
    person = User(time_zone="Asia/Ho_Chi_Minh", email="a@example.com", digest_hour=8)
    noon = _moment("2026-03-10 05:00")
    assert delivery.due_at(person, noon) == noon
    person.mail_delivery = MailDelivery.DAILY
    assert delivery.due_at(person, noon) == _moment("2026-03-11 01:00")
    assert delivery.latest_digest(person, noon) == _moment("2026-03-10 01:00")
    assert delivery.latest_digest(person, _moment("2026-03-10 00:59")) == _moment("2026-03-09 01:00")
    person.quiet_from, person.quiet_until = time(20), time(9)
    assert delivery.due_at(person, noon) == _moment("2026-03-11 02:00")
    person.mail_delivery = MailDelivery.NONE
    assert delivery.due_at(person, noon) is None


def _set(person: User, **values: Any) -> User:
    User.objects.filter(pk=person.pk).update(**values)
    person.refresh_from_db()
    return person


def _notify(person: User, number: int) -> None:
    notifications.notify(person, NoticeKind.JOB_ENDED, f"job:{number}", url=f"/job/{number}/", failed=number)


def _quiet_now() -> dict[str, time]:
    local = timezone.now()
    ends = {"quiet_from": local - timedelta(hours=1), "quiet_until": local + timedelta(hours=1)}
    return {name: end.time().replace(second=0, microsecond=0) for name, end in ends.items()}


def test_in_quiet_hours_the_bell_has_the_news_and_the_mail_waits_even_if_it_was_due(scene: Scene) -> None:
    person = _set(scene.users.colleague, time_zone="UTC")
    _notify(person, 1)
    [pk] = notifications.to_mail()
    _set(person, **_quiet_now())
    assert notification_mail.send(pk) is False
    _notify(person, 2)
    assert "2 unread notifications" in text_of(scene.browser.get("/w/sales/"))
    assert notifications.to_mail() == []
    waiting = list(Notice.objects.values_list("mail_at", flat=True))
    assert [moment.time() for moment in waiting if moment] == [person.quiet_until] * 2
    _set(person, quiet_from=None, quiet_until=None)
    Notice.objects.update(mail_at=timezone.now())
    assert [notification_mail.send(pk) for pk in notifications.to_mail()] == [True, True]


def test_a_daily_digest_is_one_mail_in_the_readers_language_with_everything_unread(scene: Scene, settings: Any) -> None:
    settings.BASE_URL = "https://console.example.com"
    person = _set(scene.users.colleague, mail_delivery=MailDelivery.DAILY, language="vi")
    for number in range(4):
        _notify(person, number)
    assert notifications.to_mail() == []
    Notice.objects.update(mail_at=timezone.now())
    notifications.read(person, Notice.objects.get(key="job:3").pk)
    assert [notification_mail.send(pk) for pk in notifications.to_mail()] == [True, False, False]
    [letter] = mail.outbox
    assert letter.subject == "3 thông báo"
    assert [f"https://console.example.com/job/{number}/" in letter.body for number in range(4)] == [True] * 3 + [False]
    _notify(person, 4)
    Notice.objects.filter(key="job:4").update(mail_at=timezone.now())
    assert [notification_mail.send(pk) for pk in notifications.to_mail()] == [False], "the digest of today is sent"
    assert Notice.objects.get(key="job:4").mail_at == delivery.next_digest(person, timezone.now())


def test_a_digest_that_the_server_refuses_is_tried_again_as_one(scene: Scene, settings: Any) -> None:
    person = _set(scene.users.colleague, mail_delivery=MailDelivery.DAILY)
    for number in range(2):
        _notify(person, number)
    Notice.objects.update(mail_at=timezone.now())
    [pk, _other] = notifications.to_mail()
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "tests.notifications.test_notifications.Refusing"
    assert notification_mail.send(pk) is False
    settings.EMAIL_BACKEND = backend
    assert Notice.objects.filter(mail_at__gt=timezone.now()).count() == 2
    Notice.objects.update(mail_at=timezone.now())
    assert [notification_mail.send(pk) for pk in notifications.to_mail()] == [True, False]
    assert len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_digest(transactional_db: None) -> None:
    scene = Scene()
    try:
        person = _set(scene.users.colleague, mail_delivery=MailDelivery.DAILY)
        for number in range(6):
            _notify(person, number)
        Notice.objects.update(mail_at=timezone.now())
        due, start = notifications.to_mail(), threading.Barrier(2)
        claims: list[int] = []

        def work(keys: list[int]) -> None:
            try:
                start.wait(10)
                claims.extend(len(notifications.claim_mail(pk)) for pk in keys)
            finally:
                connection.close()

        workers = [threading.Thread(target=work, args=(keys,)) for keys in (due, due[::-1])]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert sorted(claims) == [0] * 11 + [6]
    finally:
        scene.close()


def test_the_settings_page_saves_the_choice_and_mails_that_wait_follow_it(scene: Scene) -> None:
    person = scene.users.colleague
    _notify(person, 1)
    sent = {"mail_delivery": "daily", "digest_hour": "17", "quiet_from": "22:00", "quiet_until": "06:30"}
    assert scene.browser.post(PAGE, sent).status_code == 303
    person.refresh_from_db()
    assert (person.mail_delivery, person.digest_hour) == ("daily", 17)
    assert (person.quiet_from, person.quiet_until) == (time(22), time(6, 30))
    due = Notice.objects.get().mail_at
    assert due is not None
    assert due.astimezone(person.zone).time() == time(17)
    page = text_of(scene.browser.get(PAGE))
    assert 'value="22:00"' in page
    assert str(person.zone) in page
    scene.browser.post(PAGE, sent | {"mail_delivery": "none"})
    assert Notice.objects.get().mail_at is None
    assert "Notifications are not sent by email." in text_of(scene.browser.get("/notices/"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"quiet_until": ""}, "Enter both times, or neither."),
        ({"quiet_until": "22:00"}, "Enter another time than the beginning."),
        ({"digest_hour": "24"}, "24"),
        ({"mail_delivery": "hourly"}, "hourly"),
        ({"quiet_from": "25:00"}, "time"),
    ],
)
def test_the_settings_page_says_what_is_wrong(scene: Scene, wrong: dict[str, str], message: str) -> None:
    sent = {"mail_delivery": "at_once", "digest_hour": "8", "quiet_from": "22:00", "quiet_until": "06:00"} | wrong
    answer = scene.browser.post(PAGE, sent)
    assert answer.status_code == 422
    assert message in text_of(answer)
    assert User.objects.get(pk=scene.users.colleague.pk).quiet_from is None

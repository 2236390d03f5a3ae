"""Notifications: created once, however many people look and how often; mailed at most once; not for people who may not see the object."""

import re
import smtplib
import threading
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from practice_engine.samples import sample_flows
from tests import flows
from tests.launches.launch_scene import PAUSE, Scene, text_of
from tests.users import Users
from workflows_ui import tasks
from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import launches, sending, watching
from workflows_ui.launches.services.launches import LaunchRequest
from workflows_ui.members.models import Member, Role
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import Notice, NoticeKind, Watch, WatchKind, WatchPoll

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mails are due as soon as the notification exists."""
    monkeypatch.setattr(notifications, "MAIL_AFTER", timedelta(0))


def _watch(scene: Scene, user: User, kind: WatchKind, object_id: str) -> None:
    watching.start_watching(user, scene.users.workspace, kind, object_id, "Order intake")


def _ended(scene: Scene, state: State, **fields: Any) -> Launch:
    defaults: dict[str, Any] = {"ended_at": timezone.now() + timedelta(seconds=1), "flow_name": "Order intake"}
    return scene.row(state=state, **defaults | fields)


def _notice_keys(user: User) -> list[str]:
    return [notice.key for notice in notifications.visible_notifications(user)]


def test_the_end_of_a_launch_is_shown_once_to_who_asked_for_it(scene: Scene) -> None:
    launch = _ended(scene, State.SUCCEEDED)
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    for _ in range(3):
        watching.find_news()
    assert _notice_keys(scene.users.colleague) == [f"launch:{launch.pk}:succeeded"]
    assert not Watch.objects.exists()
    assert _notice_keys(scene.users.owner) == []


def test_an_open_launch_is_no_news(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING)
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    watching.find_news()
    assert _notice_keys(scene.users.colleague) == []
    assert Watch.objects.count() == 1


def test_an_unclear_launch_is_shown_and_shown_again_when_it_is_settled(scene: Scene) -> None:
    launch = _ended(scene, State.UNKNOWN)
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    watching.find_news()
    watching.find_news()
    Launch.objects.filter(pk=launch.pk).update(state=State.FAILED)
    watching.find_news()
    assert sorted(_notice_keys(scene.users.colleague)) == [f"launch:{launch.pk}:failed", f"launch:{launch.pk}:unknown"]


def test_an_unclear_launch_is_watched_for_a_month_and_not_shown_again_once_its_news_is_forgotten(scene: Scene) -> None:
    launch = _ended(scene, State.UNKNOWN, ended_at=timezone.now() - timedelta(days=29))
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    watching.find_news()
    assert Watch.objects.count() == 1
    Launch.objects.filter(pk=launch.pk).update(ended_at=timezone.now() - timedelta(days=31))
    watching.find_news()
    assert not Watch.objects.exists()
    Notice.objects.update(last_at=timezone.now() - timedelta(days=91))
    notifications.purge()
    watching.find_news()
    assert _notice_keys(scene.users.colleague) == []


def test_failures_that_were_reported_cost_the_next_look_nothing(scene: Scene) -> None:
    def queries() -> int:
        watching.find_news()
        with CaptureQueriesContext(connection) as asked:
            watching.find_news()
        return len(asked)

    _watch(scene, scene.users.owner, WatchKind.FLOW, "F" * 21)
    _ended(scene, State.FAILED, flow_id="F" * 21)
    with_one = queries()
    for _ in range(3):
        _ended(scene, State.FAILED, flow_id="F" * 21)
    assert queries() == with_one
    assert Notice.objects.get(user=scene.users.owner, head=None).count == 4


def test_who_watches_a_launch_and_its_flow_hears_of_its_failure_once(scene: Scene) -> None:
    launch = _ended(scene, State.FAILED)
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    _watch(scene, scene.users.colleague, WatchKind.FLOW, launch.flow_id)
    watching.find_news()
    watching.find_news()
    assert _notice_keys(scene.users.colleague) == [f"launch:{launch.pk}:failed"]


def test_failures_of_others_are_shown_to_builders_and_not_to_launchers(scene: Scene) -> None:
    launch = _ended(scene, State.FAILED)  # the colleague's
    other = scene.member("other", Role.LAUNCHER)
    for user in (scene.users.owner, other):
        _watch(scene, user, WatchKind.FLOW, launch.flow_id)
    watching.find_news()
    assert _notice_keys(scene.users.owner) == [f"launch:{launch.pk}:failed"]
    assert _notice_keys(other) == []


def test_what_failed_before_one_asked_and_what_people_withdrew_is_no_news(scene: Scene) -> None:
    old = _ended(scene, State.FAILED, ended_at=timezone.now() - timedelta(minutes=5))
    _watch(scene, scene.users.owner, WatchKind.FLOW, old.flow_id)
    _ended(scene, State.NOT_SENT, reason=Reason.WITHDRAWN)
    watching.find_news()
    assert _notice_keys(scene.users.owner) == []


def test_who_has_left_the_workspace_is_informed_nothing(scene: Scene) -> None:
    launch = _ended(scene, State.FAILED)
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    Member.objects.filter(user=scene.users.colleague).delete()
    watching.find_news()
    assert _notice_keys(scene.users.colleague) == []


def test_a_failed_run_that_somebody_else_started_is_shown_once(db: None) -> None:
    scene = Scene(samples=True)
    try:
        flow_id = sample_flows()["failing"].id
        _watch(scene, scene.users.owner, WatchKind.FLOW, flow_id)
        scene.workflows.trigger_flow(flow_id, {})
        for _ in range(200):
            watching.poll_watched(scene.users.workspace.pk)
            if Notice.objects.exists():
                break
            WatchPoll.objects.update(not_before=None)
            threading.Event().wait(PAUSE)  # the engine, in other threads, gets on
        [notice] = Notice.objects.all()
        assert notice.kind == NoticeKind.FLOW_FAILED
        assert notice.about["step"] == "Đọc tệp"
        WatchPoll.objects.update(not_before=None)
        watching.poll_watched(scene.users.workspace.pk)
        assert Notice.objects.count() == 1
    finally:
        scene.close()


def test_a_failed_run_waits_while_a_launch_of_its_flow_still_looks_for_its_run(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Failing", flows.code("fail"))
    _watch(scene, scene.users.owner, WatchKind.FLOW, flow)
    Watch.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    seeking = scene.row(flow_id=flow, state=State.ACCEPTED, sending_at=timezone.now(), poll_at=timezone.now())
    # 0.83 lets a caller wait in vain; by then the run is over.
    assert scene.workflows.trigger_flow_sync(flow, {}) is None
    watching.poll_watched(scene.users.workspace.pk)
    assert Notice.objects.count() == 0
    [run] = scene.workflows.list_runs(flow_id=flow)["data"]
    for found, number in ((run["id"], 0), ("another", 1)):
        Launch.objects.filter(pk=seeking.pk).update(run_id=found)
        WatchPoll.objects.update(not_before=None)
        watching.poll_watched(scene.users.workspace.pk)
        assert Notice.objects.count() == number


def test_a_failed_run_of_the_consoles_own_launch_is_shown_by_the_launch_only(db: None) -> None:
    scene = Scene(samples=True)
    try:
        order = LaunchRequest(sample_flows()["failing"].id, "Failing", {}, wait=False, ticket=launches.ticket())
        asked = launches.create(Actor(scene.users.colleague), scene.users.place(scene.users.colleague), order).launch
        assert asked is not None
        sending.send(asked.pk)
        launch = scene.watch(asked)
        Watch.objects.create(
            user=scene.users.owner,
            workspace=scene.users.workspace,
            kind=WatchKind.FLOW,
            object_id=launch.flow_id,
            created_at=launch.asked_at,
        )
        watching.poll_watched(scene.users.workspace.pk)
        watching.find_news()
        assert _notice_keys(scene.users.owner) == [f"launch:{launch.pk}:failed"]
    finally:
        scene.close()


# 0.72 refuses the list for a state that it does not know, and is asked again without it.
@pytest.mark.parametrize(("version", "calls"), [("0.72.4", 2), ("0.83.0", 1)])
def test_the_engine_is_asked_only_where_a_flow_is_watched_and_not_twice_at_a_time(
    scene: Scene, version: str, calls: int
) -> None:
    scene.engine.settings.version = version
    assert watching.due() == []
    _watch(scene, scene.users.owner, WatchKind.FLOW, "F" * 21)
    assert watching.due() == [scene.users.workspace.pk]
    before = scene.engine.journal.count()
    watching.poll_watched(scene.users.workspace.pk)
    assert scene.engine.journal.count() == before + calls
    watching.poll_watched(scene.users.workspace.pk)  # it rests
    assert scene.engine.journal.count() == before + calls
    assert watching.due() == []


def test_an_engine_that_is_down_is_asked_ever_more_seldom(scene: Scene) -> None:
    _watch(scene, scene.users.owner, WatchKind.FLOW, "F" * 21)
    scene.server.stop()
    watching.poll_watched(scene.users.workspace.pk)
    first = WatchPoll.objects.get()
    assert first.failures == 1
    assert first.lease_until is None
    assert first.not_before is not None
    WatchPoll.objects.update(not_before=None)
    watching.poll_watched(scene.users.workspace.pk)
    assert WatchPoll.objects.get().failures == 2


def test_a_mail_goes_out_once_in_the_persons_language_with_a_link_to_the_console(scene: Scene, settings: Any) -> None:
    settings.BASE_URL = "https://console.example.com"
    colleague = scene.users.colleague
    User.objects.filter(pk=colleague.pk).update(language="vi")
    colleague.refresh_from_db()
    launch = _ended(scene, State.FAILED, flow_name="Order\nBcc: everybody@example.com", failed_step="Ghi bảng")
    _watch(scene, colleague, WatchKind.LAUNCH, launch.pk)
    tasks.news()
    for pk in [*Notice.objects.values_list("pk", flat=True)] * 3:
        notification_mail.send(pk)
    [letter] = mail.outbox
    assert letter.to == [colleague.email]
    assert "\n" not in letter.subject
    assert "Thất bại" in letter.subject
    assert f"https://console.example.com/w/sales/launches/{launch.pk}/" in letter.body
    assert notifications.to_mail() == []


def test_a_mail_is_in_the_language_of_the_pages_where_none_was_chosen(scene: Scene, settings: Any) -> None:
    colleague = scene.users.colleague
    scene.browser.get("/w/sales/", headers={"Accept-Language": "vi"})
    launch = _ended(scene, State.FAILED, failed_step="Ghi bảng")
    _watch(scene, colleague, WatchKind.LAUNCH, launch.pk)
    tasks.news()
    notification_mail.send(Notice.objects.get().pk)
    [letter] = mail.outbox
    assert "Thất bại" in letter.subject
    scene.browser.get("/w/sales/", headers={"Accept-Language": "en"})
    colleague.refresh_from_db()
    assert colleague.mail_language == "en"


def test_who_wants_no_mail_gets_none(scene: Scene) -> None:
    User.objects.filter(pk=scene.users.colleague.pk).update(mail_delivery=MailDelivery.NONE)
    scene.users.colleague.refresh_from_db()
    assert notifications.notify(scene.users.colleague, NoticeKind.JOB_ENDED, "job:1", url="/x/", failed=0)
    assert notifications.to_mail() == []


def test_a_mail_server_that_refuses_is_tried_again_and_given_up(scene: Scene, settings: Any) -> None:
    settings.EMAIL_BACKEND = "tests.notifications.test_notifications.Refusing"
    notifications.notify(scene.users.colleague, NoticeKind.JOB_ENDED, "job:1", url="/x/", failed=2)
    [pk] = notifications.to_mail()
    for number in range(1, notifications.MAIL_TRIES + 1):
        assert notification_mail.send(pk) is False
        row = Notice.objects.get(pk=pk)
        assert row.mail_tries == number
        assert (row.mail_at is None) == (number == notifications.MAIL_TRIES)
        Notice.objects.filter(pk=pk, mail_at__isnull=False).update(mail_at=timezone.now())
    assert Notice.objects.get(pk=pk).read_at is None


class Refusing(BaseEmailBackend):
    """A mail server that takes nothing, and says so."""

    def send_messages(self, _messages: Any) -> int:
        """Refuses."""
        raise smtplib.SMTPDataError(451, b"Not now")


class Unreachable(BaseEmailBackend):
    """A mail server that nobody reaches."""

    def open(self) -> bool:
        """Fails."""
        raise ConnectionRefusedError


class Silent(BaseEmailBackend):
    """A mail server that is cut off while it is handed a mail: it may have taken it."""

    def send_messages(self, _messages: Any) -> int:
        """Says nothing any more."""
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")


def test_a_mail_that_may_have_been_taken_is_never_sent_again_and_one_that_was_not_is(
    scene: Scene, settings: Any
) -> None:
    for number, (server, again) in enumerate([("Unreachable", True), ("Silent", False)]):
        settings.EMAIL_BACKEND = f"tests.notifications.test_notifications.{server}"
        notifications.notify(scene.users.colleague, NoticeKind.JOB_ENDED, f"job:{number}", url="/x/", failed=2)
        [pk] = notifications.to_mail()
        assert notification_mail.send(pk) is False
        assert Notice.objects.filter(pk=pk, mail_at__isnull=False).exists() is again
        Notice.objects.filter(pk=pk).update(mail_at=None)


def test_who_has_the_page_open_sees_the_news_there_and_gets_no_mail(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "MAIL_AFTER", timedelta(seconds=45))
    launch = _ended(scene, State.FAILED)
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    watching.find_news()
    assert notifications.to_mail() == [], "a page that is open has a while to show it first"
    here = f"http://testserver/w/sales/launches/{launch.pk}/"
    scene.browser.get("/notices/", headers={"HX-Request": "true", "HX-Target": "bell", "HX-Current-URL": here})
    assert Notice.objects.get().mail_at is None
    assert notifications.unread(scene.users.colleague) == 0


def test_what_was_read_is_not_mailed_any_more(scene: Scene, settings: Any) -> None:
    launch = _ended(scene, State.FAILED)
    _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
    watching.find_news()
    [pk] = notifications.to_mail()
    scene.page(launch)
    assert notification_mail.send(pk) is False
    settings.EMAIL_BACKEND = "tests.notifications.test_notifications.Refusing"
    notifications.notify(scene.users.colleague, NoticeKind.JOB_ENDED, "job:1", url="/x/", failed=2)
    [pk] = notifications.to_mail()
    rows = notifications.claim_mail(pk)
    assert rows
    notifications.read(scene.users.colleague)  # while the mail server was asked
    assert notifications.mail_failed(rows) is None
    assert (notifications.to_mail(), mail.outbox) == ([], [])


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_look_at_once_notify_and_mail_once(transactional_db: None) -> None:
    scene = Scene()
    try:
        launch = _ended(scene, State.FAILED)
        _watch(scene, scene.users.colleague, WatchKind.LAUNCH, launch.pk)
        _watch(scene, scene.users.colleague, WatchKind.FLOW, launch.flow_id)
        start = threading.Barrier(2)
        taken: list[Notice] = []

        def work() -> None:
            try:
                start.wait(10)
                watching.find_news()
                for pk in notifications.to_mail():
                    taken.extend(notifications.claim_mail(pk))
            finally:
                connection.close()

        workers = [threading.Thread(target=work) for _ in range(2)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert Notice.objects.count() == 1
        assert len(taken) == 1
    finally:
        scene.close()


def test_reading_is_for_ones_own_only(people: Users) -> None:
    notifications.notify(people.owner, NoticeKind.JOB_ENDED, "job:1", url="/x/", failed=0)
    notifications.notify(people.colleague, NoticeKind.JOB_ENDED, "job:1", url="/x/", failed=0)
    assert notifications.read(people.owner) == 1
    assert (notifications.unread(people.owner), notifications.unread(people.colleague)) == (0, 1)


@pytest.fixture
def people(scene: Scene) -> Users:
    """The people around the scene's workspace."""
    return scene.users


# --- Pages ----------------------------------------------------------------------------------------


def test_the_bell_says_how_many_are_unread_and_opening_one_marks_it_and_leads_there(scene: Scene) -> None:
    launch = _ended(scene, State.FAILED)
    for number in range(2):
        url = f"/w/sales/launches/{launch.pk}/"
        notifications.notify(
            scene.users.colleague, NoticeKind.JOB_ENDED, f"job:{number}", url=url, job="bulk", ended=True, failed=3
        )
    page = text_of(scene.browser.get("/notices/"))
    assert "2 unread notifications" in page
    assert "Your bulk action is finished" in page
    assert "3 items failed." in page
    first = notifications.visible_notifications(scene.users.colleague)[0]
    opened = scene.browser.post(f"/notices/{first.pk}/")
    assert (opened.status_code, opened["Location"]) == (303, first.url)
    bell = text_of(scene.browser.get("/notices/", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="bell"))
    assert "1 unread notification<" in bell
    assert "<html" not in bell
    scene.browser.post("/notices/read/")
    assert "No unread notifications" in text_of(scene.browser.get("/notices/"))


def test_opening_a_launch_reads_its_news_of_that_person_and_no_other(scene: Scene) -> None:
    launch, other = _ended(scene, State.FAILED), _ended(scene, State.SUCCEEDED)
    for user in (scene.users.colleague, scene.users.owner):
        for one in (launch, other):
            _watch(scene, user, WatchKind.LAUNCH, one.pk)
    watching.find_news()
    assert "2 unread notifications" in text_of(scene.browser.get("/w/sales/"))
    assert "1 unread notification<" in scene.page(launch)
    assert notifications.unread(scene.users.owner) == 2
    # It ends while the person looks at it: the bell asks from that page.
    looking = {"HX-Request": "true", "HX-Target": "bell"}
    looking["HX-Current-URL"] = f"http://testserver/w/sales/launches/{other.pk}/?x=1"
    assert "No unread notifications" in text_of(scene.browser.get("/notices/", headers=looking))
    elsewhere = looking | {"HX-Current-URL": f"https://evil.example/w/sales/launches/{launch.pk}/"}
    Notice.objects.update(read_at=None)
    assert "2 unread notifications" in text_of(scene.browser.get("/notices/", headers=elsewhere))


def test_looking_by_get_marks_nothing_and_anothers_notice_is_not_there(scene: Scene) -> None:
    notifications.notify(scene.users.colleague, NoticeKind.JOB_ENDED, "job:1", url="/w/sales/", failed=0)
    pk = Notice.objects.get().pk
    scene.browser.get(f"/notices/{pk}/")
    scene.browser.get("/notices/read/")
    assert notifications.unread(scene.users.colleague) == 1
    assert scene.sign_in(scene.users.owner).post(f"/notices/{pk}/").status_code == 404


@pytest.mark.slow
def test_many_notices_come_page_by_page_without_losing_one(scene: Scene) -> None:
    for number in range(120):
        notifications.notify(
            scene.users.colleague, NoticeKind.ACCESS_ASKED, f"ask:{number}", url="/", name=f"number {number}."
        )
    seen: list[str] = []
    address = "/notices/"
    for _ in range(3):
        page = text_of(scene.browser.get(address))
        seen += re.findall(r"number (\d+)\.", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(older[1]) if older else ""
    assert seen == [str(number) for number in reversed(range(120))]
    assert address == ""


def test_a_person_asks_on_a_launchs_page_for_a_notification_and_cancels_it(scene: Scene) -> None:
    launch = scene.row(state=State.RUNNING)
    address = f"/w/sales/launches/{launch.pk}/tell/"
    assert "Notify me when it ends" in scene.page(launch)
    assert scene.browser.post(address).status_code == 303
    assert "Do not notify me" in scene.page(launch)
    scene.browser.post(address, {"stop": "1"})
    assert not Watch.objects.exists()


def test_a_flow_can_be_watched_while_the_engine_is_down_but_not_one_that_does_not_exist(scene: Scene) -> None:
    assert scene.browser.post(f"/w/sales/flows/{'F' * 21}/tell/").status_code == 404
    scene.server.stop()
    assert scene.browser.post(f"/w/sales/flows/{'F' * 21}/tell/").status_code == 303
    assert Watch.objects.get().kind == WatchKind.FLOW


def test_the_list_does_not_promise_mails_to_an_account_without_an_address(scene: Scene) -> None:
    page = text_of(scene.browser.get("/notices/"))
    assert "Notifications are also sent by email." in page
    User.objects.update(email="")
    page = text_of(scene.browser.get("/notices/"))
    assert "sent by email." in page
    assert "Your account has no email address, so notifications are not sent by email." in page

"""Launches that are kept while the engine does not answer: with consent, until a time, sent once when it is back."""

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from practice_engine.server import serve
from tests import flows
from tests.launch_forms.filled import hidden, newest, opened, publish
from tests.launches.launch_scene import Scene, text_of, unescape
from tests.launches.test_sending import ECHO
from tests.users import ask_otherwise
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import database
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms.forms.posted import KeepForm
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import launches, sending, sweeping, watching
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.notifications.models import Notice
from workflows_ui.run_index.models import RunIndex

FORM = Form((Field("customer", ("customer",), label="Customer", required=True),), button="Place the order")


class Night:
    """An engine that can be stopped and started, with a flow that has a published form."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.flow = publish(scene, FORM)
        self.url = scene.url(self.flow)
        state = scene.engine.state
        #: The version that runs, published long ago.
        self.version = state.versions[state.flows[self.flow]["publishedVersionId"]]
        self.version["updated"] = "2026-01-01T00:00:00.000Z"
        self._page = ""
        self.stop()

    def stop(self) -> None:
        self._port = self.scene.server.port
        self.scene.server.stop()

    def start(self) -> None:
        self.scene.server = serve(self.scene.engine, self._port)

    def form(self, **values: str) -> dict[str, str]:
        """The opened form, filled in and with consent, with a ticket of its own."""
        self._page = page = self._page or opened(self.scene, self.flow)
        until = re.findall(r'<option value="([^"]+)"[^>]*>In 1 hour', page)
        return {
            **hidden(page),
            "ticket": launches.ticket(),
            "customer": "An",
            "_keep": "yes",
            "_until": until[0],
            **values,
        }

    def keep(self, **values: str) -> Launch:
        answer = self.scene.browser.post(self.url, self.form(**values))
        assert answer.status_code == 303, text_of(answer)
        return newest()

    def sent(self, launch: Launch) -> int:
        """How often the engine got this launch's trigger."""
        triggers = self.scene.engine.journal.triggers()
        return sum(entry.headers.get("ap-parent-run-id") == launch.pk for entry in triggers)

    def tick(self) -> list[str]:
        """As the sweeper and a worker every second. Gives the launches whose turn it was."""
        turn = sweeping.to_enqueue()
        for pk in turn:
            sending.send(pk)
        return turn


def pass_time() -> None:
    """The pauses after attempts are over."""
    Launch.objects.filter(state=State.QUEUED).update(not_before=timezone.now())


@pytest.fixture
def night(scene: Scene) -> Night:
    return Night(scene)


@pytest.mark.both_databases
def test_a_launch_is_kept_while_the_engine_is_down_and_sent_once_when_it_is_back(night: Night) -> None:
    scene = night.scene
    page = opened(scene, night.flow)
    assert "The engine cannot be reached" in page
    assert re.search(r'id="keep-launch" name="_keep" value="yes">', page), "consent is off by default"
    values = night.form(_how="wait")
    answers = [scene.browser.post(night.url, values) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {303}
    launch = Launch.objects.get()
    assert (launch.kept, launch.state, launch.send_by.isoformat()) == (True, State.QUEUED, values["_until"])
    event = AuditEvent.objects.get(action="launch.ask")
    assert event.detail["kept_until"] == values["_until"]
    for tries in (1, 2):
        assert night.tick() == [launch.pk]
        assert night.tick() == []
        launch.refresh_from_db()
        assert (launch.state, launch.reason, launch.tries) == (State.QUEUED, Reason.NOT_REACHED, tries)
        pass_time()
    shown = scene.page(launch)
    assert re.search(f"Kept until {_shown(launch.send_by)}: the engine does not answer", shown)
    assert 'id="withdraw-button"' in shown
    listed = text_of(scene.browser.get("/w/sales/launches/?state=kept"))
    assert re.search(f"Kept until {_shown(launch.send_by)}", listed)
    night.start()
    assert night.tick() == [launch.pk]
    assert night.tick() == []
    assert scene.watch(launch).state == State.SUCCEEDED
    assert night.sent(launch) == 1
    watching.find_news()
    watching.find_news()
    notice = Notice.objects.get(user=scene.users.colleague)
    assert (notice.kind, notice.about["sent"]) == ("kept_launch", True)
    assert "was sent: the engine is back" in text_of(scene.browser.get("/notices/"))


def _shown(moment: datetime) -> str:
    """A pattern of the moment on a page: after a date where it is on another day than the test."""
    local = timezone.localtime(moment)
    return rf"{'' if local.date() == timezone.localdate() else '[^:<]*2[0-9]{3}[^:<]* '}{local:%H:%M}"


def test_without_consent_a_launch_is_given_up_as_always(night: Night) -> None:
    values = night.form()
    del values["_keep"]
    assert night.scene.browser.post(night.url, values).status_code == 303
    launch = newest()
    assert not launch.kept
    assert launch.send_by - launch.asked_at == timedelta(minutes=15)


@pytest.mark.both_databases
def test_kept_launches_knock_one_at_a_time_and_leave_in_order(night: Night) -> None:
    kept_launches = [night.keep(customer=f"Person {number}") for number in range(4)]
    late = night.scene.row(kept=False)
    first = kept_launches[0]
    calls = [night.tick() for _ in range(3)]
    assert calls == [[late.pk, first.pk], [], []]
    pass_time()
    Launch.objects.filter(pk=late.pk).delete()
    assert [night.tick(), night.tick()] == [[first.pk], []], "the others wait for the pause of the first"
    night.start()
    pass_time()
    assert [night.tick() for _ in range(4)] == [[launch.pk] for launch in kept_launches]
    assert [night.sent(launch) for launch in kept_launches] == [1, 1, 1, 1]


@pytest.mark.both_databases
@pytest.mark.parametrize(("status", "listed"), [(500, 200), (504, 200), (504, 403)])
def test_a_flow_that_alone_cannot_be_read_holds_back_its_own_kept_launches_only(
    night: Night, status: int, listed: int
) -> None:
    broken, first = night.flow, night.keep()
    second = night.keep(customer="Bình")
    until = timezone.now() + timedelta(hours=1)
    night.start()
    sound = flows.make(night.scene.workflows, "Sound", ECHO)
    version = night.scene.engine.state.flows[sound]["publishedVersionId"]
    others = [night.scene.row(flow_id=sound, flow_version=version, kept=True, send_by=until) for _number in range(2)]
    if listed != 200:
        night.scene.engine.faults.add("status", "GET", "/v1/flows", status=listed)
    fault = night.scene.engine.faults.add("status", "GET", f"/v1/flows/{broken}", status=status)
    assert night.tick() == [first.pk]
    Launch.objects.filter(pk=first.pk).update(not_before=until)
    assert [night.tick() for _ in range(3)] == [[others[0].pk], [others[1].pk], []]
    pass_time()
    assert [night.tick(), night.tick()] == [[first.pk], []], "the second waits for the first"
    first.refresh_from_db()
    assert (first.state, first.reason) == (State.QUEUED, Reason.NOT_READY)
    night.scene.engine.faults.clear(fault.id)
    pass_time()
    assert [night.tick() for _ in range(3)] == [[first.pk], [second.pk], []]
    assert [night.sent(launch) for launch in (first, second, *others)] == [1, 1, 1, 1]


def test_a_hundred_kept_launches_cost_one_call_and_no_write_while_the_engine_is_down(night: Night) -> None:
    until = timezone.now() + timedelta(hours=1)
    for _ in range(100):
        night.scene.row(flow_id=night.flow, kept=True, send_by=until, reason=Reason.NOT_REACHED)
    assert len(night.tick()) == 1
    with CaptureQueriesContext(connection) as queries:
        assert sweeping.to_enqueue() == []
    assert [query["sql"].partition(" ")[0] for query in queries] == ["SELECT", "SELECT"]


def test_a_gateway_that_answers_in_place_of_the_engine_holds_all_of_them_up(night: Night) -> None:
    first, _second = night.keep(), night.keep(customer="Other")
    night.start()
    night.scene.engine.faults.add("status", "GET", "/v1/flows*", status=503)
    assert [night.tick(), night.tick()] == [[first.pk], []]
    first.refresh_from_db()
    assert first.reason == Reason.NOT_REACHED


def test_a_kept_launch_that_a_pause_of_launching_held_up_does_not_blame_the_engine(night: Night) -> None:
    launch = night.keep()
    night.tick()
    Workspace.objects.update(launching_paused=True)
    with expired(launch):
        assert sweeping.end_late() == 1
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.TOO_LATE)


@pytest.mark.both_databases
def test_a_launch_that_was_kept_for_long_enough_ends_and_its_person_is_informed(night: Night) -> None:
    launch = night.keep()
    night.tick()
    by = _shown(launch.send_by)
    with expired(launch):
        assert sweeping.end_late() == 1
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.NOT_BACK)
    assert AuditEvent.objects.filter(action="launch.end", detail__cause=Reason.NOT_BACK).count() == 1
    Launch.objects.update(send_by=launch.send_by)
    watching.find_news()
    assert re.search(f"The engine was not back by {by}", text_of(night.scene.browser.get("/notices/")))
    page = night.scene.page(launch)
    assert re.search(f"Not sent: the engine was not back by {by}", page)
    # From here, the same inputs are kept as a new launch; a second click finds it.
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)
    until = re.search(r'<option value="([^"]+)"', page)
    assert ticket
    assert until
    values = {"ticket": ticket[1], "_keep": "yes", "_until": until[1]}
    again = f"/w/sales/launches/{launch.pk}/again/"
    first, second = (night.scene.browser.post(again, values)["Location"] for _ in range(2))
    assert first == second
    kept_launch = newest()
    assert (kept_launch.kept, kept_launch.state, kept_launch.pk != launch.pk) == (True, State.QUEUED, True)
    assert launches.open_payload(kept_launch) == {"customer": "An"}
    night.start()
    night.tick()
    assert (night.sent(launch), night.sent(kept_launch)) == (0, 1)


class expired:  # noqa: N801
    """While this lasts, the launch's time is over. The signature covers it, so that it is put back."""

    def __init__(self, launch: Launch) -> None:
        self.rows, self.before = Launch.objects.filter(pk=launch.pk), launch.send_by

    def __enter__(self) -> None:
        self.rows.update(send_by=timezone.now() - timedelta(seconds=1))

    def __exit__(self, *details: object) -> None:
        self.rows.update(send_by=self.before)


def test_nothing_is_sent_after_the_time_even_if_a_worker_has_the_launch(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = night.keep()
    night.start()
    mark = sending.mark_sending

    def too_late(row: Launch) -> None:
        with expired(row):
            mark(row)

    monkeypatch.setattr(sending, "mark_sending", too_late)
    night.tick()
    launch.refresh_from_db()
    assert (launch.state, night.sent(launch)) == (State.CLAIMED, 0)


@pytest.mark.both_databases
def test_a_kept_launch_that_was_changed_in_the_database_is_not_sent(night: Night) -> None:
    changes: list[dict[str, Any]] = [
        {"send_by": datetime(2099, 1, 1, tzinfo=UTC)},
        {"kept": False},
        {"flow_version": "V" * 21},
        {"asked_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ]
    changed = [night.keep(customer=str(change)) for change in changes]
    # An ordinary one that is made a kept one.
    changes.append({"kept": True})
    changed.append(night.scene.row(flow_id=night.flow))
    night.start()
    for launch, change in zip(changed, changes, strict=True):
        Launch.objects.filter(pk=launch.pk).update(**change)
        sending.send(launch.pk)
        launch.refresh_from_db()
        assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.LAUNCH_CHANGED), change
    assert not night.scene.engine.journal.triggers()


def test_a_person_who_lost_the_right_meanwhile_launches_nothing(night: Night) -> None:
    launch = night.keep()
    night.start()
    Member.objects.filter(user=night.scene.users.colleague).update(role=Role.VIEWER)
    night.tick()
    launch.refresh_from_db()
    assert (launch.state, launch.reason, night.sent(launch)) == (State.NOT_SENT, Reason.NO_ACCESS, 0)


@pytest.mark.parametrize(
    "change",
    ["published", "undated", *(pytest.param(change, marks=pytest.mark.slow) for change in ("off", "draft", "touched"))],
)
def test_a_flow_that_was_published_again_meanwhile_is_not_launched(night: Night, change: str) -> None:
    scene = night.scene
    launch = night.keep()
    night.start()
    if change == "off":
        scene.workflows.apply_flow_operation(night.flow, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    elif change == "undated":
        night.version["updated"] = ""
    elif change == "touched":
        # As by an engine that was upgraded: the index knew this version.
        night.version["updated"] = timezone.now().isoformat()
        ask_otherwise(launch, flow_version=night.version["id"])
    else:
        scene.workflows.apply_flow_operation(night.flow, {"type": "CHANGE_NAME", "request": {"displayName": "Changed"}})
        if change == "published":
            scene.workflows.apply_flow_operation(night.flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    night.tick()
    launch.refresh_from_db()
    reasons = {"published": Reason.FLOW_CHANGED, "undated": Reason.FLOW_CHANGED, "off": Reason.FLOW_OFF}
    if change in reasons:
        assert (launch.state, launch.reason, night.sent(launch)) == (State.NOT_SENT, reasons[change], 0)
    else:
        assert night.sent(launch) == 1
    if change == "published":
        assert "Not sent: the flow was changed meanwhile" in scene.page(launch)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_withdrawing_while_the_engine_comes_back_either_withdraws_or_sends(night: Night) -> None:
    kept_launches = [night.keep(customer=f"Person {number}") for number in range(4)]
    night.start()
    withdrawn: dict[str, bool] = {}

    def withdraw(launch: Launch) -> None:
        with database.turn():
            withdrawn[launch.pk] = launches.withdraw(audit_log.Actor(night.scene.users.colleague), launch)

    threads = [threading.Thread(target=sending.send, args=(launch.pk,)) for launch in kept_launches]
    threads += [threading.Thread(target=withdraw, args=(launch,)) for launch in kept_launches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for launch in kept_launches:
        launch.refresh_from_db()
        assert night.sent(launch) == (0 if withdrawn[launch.pk] else 1)
        assert (launch.reason == Reason.WITHDRAWN) == withdrawn[launch.pk]
    assert night.tick() == []


@pytest.mark.both_databases
def test_a_worker_that_died_with_a_kept_launch_leaves_it_to_another(night: Night) -> None:
    launch = night.keep()
    night.start()
    assert sweeping.to_enqueue() == [launch.pk]
    assert sending.claim(launch.pk) is not None
    assert sweeping.to_enqueue() == []
    past = timezone.now() - timedelta(seconds=60)
    Launch.objects.update(claim_until=past, enqueued_at=past)
    assert night.tick() == [launch.pk]
    assert night.sent(launch) == 1


def test_two_tabs_are_asked_about_the_same_values_and_keep_the_consent(night: Night) -> None:
    first, second = night.form(), night.form()
    assert night.scene.browser.post(night.url, first).status_code == 303
    answer = night.scene.browser.post(night.url, second)
    page = unescape(text_of(answer))
    assert answer.status_code == 422
    assert "You launched the same values moments ago" in page
    assert 'name="_keep" value="yes" checked' in page
    assert f'<option value="{second["_until"]}" selected' in page
    assert night.scene.browser.post(night.url, second | {"confirmed": "yes"}).status_code == 303
    assert Launch.objects.filter(kept=True).count() == 2
    # The first form with another time is not the launch that it made.
    other = first | {"_until": (timezone.now() + timedelta(hours=3)).isoformat()}
    assert "This form was sent before, with other values" in text_of(night.scene.browser.post(night.url, other))


def test_a_time_that_is_over_or_too_far_is_refused_and_nothing_typed_is_lost(night: Night) -> None:
    form = night.form(customer="Bình")
    for until in ("", "soon", "2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00"):
        answer = night.scene.browser.post(night.url, form | {"_until": until})
        page = unescape(text_of(answer))
        assert answer.status_code == 422
        assert "That time has passed. Choose another one." in page
        assert 'value="Bình"' in page
        assert 'name="_keep" value="yes" checked' in page
    assert not Launch.objects.exists()


def test_times_are_offered_in_the_persons_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone, hour, evening in (("Asia/Ho_Chi_Minh", 2, 11), ("America/New_York", 15, 23), ("UTC", 19, None)):
        now = datetime(2026, 12, 1, hour, 20, tzinfo=UTC)
        monkeypatch.setattr(timezone, "now", lambda now=now: now)
        with timezone.override(zone):
            choices = KeepForm().fields["until"].widget.choices
            moments = {label: datetime.fromisoformat(value) for value, label in choices}
            morning = timezone.localtime(moments["Tomorrow, 09:00"])
        assert [moments[label].astimezone(UTC).hour for label in moments if label == "Today, 18:00"] == (
            [evening] if evening else []
        )
        assert (morning.day, morning.hour) == (2, 9)


def test_an_engine_that_is_known_to_be_silent_is_not_waited_for(night: Night) -> None:
    night.start()
    scene = night.scene
    plain = flows.make(scene.workflows, "Plain", ECHO)
    scene.row(flow_id=plain, flow_name="Plain")
    read_at = timezone.now() - timedelta(minutes=20)
    RunIndex.objects.create(
        workspace=scene.users.workspace,
        credential=scene.users.credential,
        started_at=read_at,
        read_at=read_at,
        due_at=timezone.now(),
        failures=2,
        trouble="Unreachable",
    )
    calls = scene.engine.journal.count()
    page = opened(scene, night.flow)
    assert re.search(f"It has not answered since {_shown(read_at)}", page)
    assert 'id="keep-launch"' in page
    page = opened(scene, plain)
    assert "Launch Plain" in page
    assert 'name="payload"' in page
    assert scene.browser.get(scene.url("N" * 21)).status_code == 404
    assert scene.engine.journal.count() - calls == 1, "only a flow that the console does not know is asked for"


def test_a_flow_without_a_form_is_launched_as_json_while_the_engine_is_down(night: Night) -> None:
    scene = night.scene
    assert scene.browser.get(scene.url("N" * 21)).status_code == 503
    night.start()
    plain = flows.make(scene.workflows, "Plain", ECHO)
    scene.row(flow_id=plain, flow_name="Plain")
    night.stop()
    values = scene.fields(plain) | {"_keep": "yes", "_until": night.form()["_until"], "payload": '{"a": 2}'}
    assert scene.browser.post(scene.url(plain), values).status_code == 303
    launch = newest()
    assert (launch.kept, launch.flow_name) == (True, "Plain")


def test_home_counts_kept_launches(night: Night) -> None:
    owner = night.scene.sign_in(night.scene.users.owner)
    assert "Kept until the engine is back" not in text_of(owner.get("/w/sales/"))
    night.keep()
    page = text_of(owner.get("/w/sales/"))
    assert re.search(r'number-value">1</span> <span class="number-label">Kept until the engine is back', page)
    assert "?state=kept" in page


def test_it_is_all_said_in_vietnamese(night: Night) -> None:
    launch = night.keep()
    browser = Client(headers={"accept-language": "vi"})
    browser.force_login(night.scene.users.colleague)
    browser.cookies["django_language"] = "vi"
    page = unescape(text_of(browser.get(f"/w/sales/launches/{launch.pk}/")))
    assert re.search(f"Được giữ đến {_shown(launch.send_by)}: hệ thống không trả lời", page)
    form = unescape(text_of(browser.get(night.url)))
    assert "Gửi ngay khi hệ thống hoạt động trở lại" in form


def test_a_review_shows_until_when_the_launch_is_kept(night: Night) -> None:
    night.start()
    publish(night.scene, replace(FORM, review=True), flow=night.flow)
    night.stop()
    values = night.form()
    page = text_of(night.scene.browser.post(night.url, values))
    shown = f"Kept until {_shown(datetime.fromisoformat(values['_until']))}"
    assert re.search(shown, page)
    reviewed = re.search(r'name="_reviewed" value="([^"]+)"', page)
    assert reviewed
    values["_reviewed"] = reviewed[1]
    later = values | {"_until": (timezone.now() + timedelta(hours=2)).isoformat()}
    assert not re.search(shown, text_of(night.scene.browser.post(night.url, later))), "another time is shown first"
    assert night.scene.browser.post(night.url, values).status_code == 303
    assert newest().kept

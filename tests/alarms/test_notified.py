"""Who is notified of alarms from the start, what the notification and its mail say, and what people answer to an alarm."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from tests.alarms.alarm_scene import GAP, HOUR, add_runs, check, every, flow_of, later, only, quiet, read_again, several
from tests.alarms.test_alarms import LIST, text
from tests.failures.test_failures import share
from tests.run_index.index_scene import launched
from tests.stage import Stage, outcomes, stage
from workflows_ui.accounts.models import User
from workflows_ui.alarms.models import Alarm, AlarmKind, AlarmWatch, FlowRhythm
from workflows_ui.members.models import Member, Role
from workflows_ui.notification_mails import mail
from workflows_ui.notifications.messages import notification_message
from workflows_ui.notifications.models import Notice, NoticeKind, Watch, WatchKind

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]


def notices(person: User) -> list[Notice]:
    """The person's notifications of alarms, the newest first."""
    return list(Notice.objects.filter(user=person, kind=NoticeKind.ALARM, head=None).order_by("-pk"))


def run_now(stage: Stage, flow: str) -> None:
    add_runs(stage, flow, [datetime.now(UTC) - timedelta(minutes=1)])
    read_again(stage)


def test_managers_are_notified_from_the_start_and_who_leaves_is_not_subscribed_again(stage: Stage) -> None:
    owner, colleague = stage.users.owner, stage.users.colleague
    Member.objects.filter(user=colleague).update(role=Role.MANAGER)
    alarm = quiet(stage)
    assert [row.url for row in notices(owner)] == [f"{LIST}{alarm.pk}/"]
    assert notices(colleague) == [], "who may not see the index is not notified"
    assert "You are notified of every alarm." in text(stage.browser, LIST)
    stage.browser.post(f"{LIST}watch/", {"stop": "1"})
    run_now(stage, alarm.flow_id)
    share(stage)
    check(stage)
    assert len(notices(owner)) == 1
    assert not Watch.objects.filter(user=owner).exists()
    assert Watch.objects.filter(user=colleague, kind=WatchKind.ALARMS).exists()
    # Whatever page ends the subscription.
    Watch.objects.all().delete()
    check(stage)
    assert not Watch.objects.exists()
    assert "You are notified only of alarms of flows that you follow." in text(stage.browser, LIST)


def test_the_owner_of_a_flow_is_notified_of_its_alarms(stage: Stage) -> None:
    stage.practice.engine.settings.version = "0.83.0"
    state, colleague = stage.practice.engine.state, stage.users.colleague
    flow = flow_of(stage)["id"]
    owner_id = state.flows[flow].get("ownerId") or state.projects[state.flows[flow]["projectId"]]["ownerId"]
    address = state.users[owner_id]["email"]
    EmailAddress.objects.create(user=colleague, email=address.upper(), verified=True, primary=True)
    Member.objects.filter(user=colleague).update(role=Role.VIEWER)
    only(stage, flow, every(GAP, datetime.now(UTC) - timedelta(hours=36)))
    share(stage)
    assert check(stage) == [("quiet", flow)]
    assert len(notices(colleague)) == 1
    browser = stage.as_role(Role.VIEWER)
    assert "You are notified of alarms of flows that you own." in text(browser, LIST)
    assert "/answer/" not in mail.build_mail(*notices(colleague)).body, "viewers do not decide"
    browser.post(f"{LIST}watch/", {"stop": "1"})
    AlarmWatch.objects.update(flows_due_at=None, owners_at=None)
    run_now(stage, flow)
    check(stage)
    assert len(notices(colleague)) == 1
    assert not Watch.objects.filter(user=colleague).exists()


def test_what_a_check_finds_is_one_notification_and_one_mail_and_its_end_too(stage: Stage) -> None:
    owner = stage.users.owner
    flows = several(stage, 2, datetime.now(UTC) - HOUR)
    check(stage)
    FlowRhythm.objects.filter(flow_id__in=flows).update(alarm_at=timezone.now())
    check(stage)
    assert Alarm.objects.filter(ended_at=None).count() == 2
    (notice,) = notices(owner)
    assert notice.url == LIST
    letter = mail.build_mail(notice)
    assert letter.subject.startswith("2 alarms: ")
    for alarm in Alarm.objects.all():
        assert f"{LIST}{alarm.pk}/\n" in letter.body
        assert f"Was this alarm right? http://localhost:8000{LIST}{alarm.pk}/answer/" in re.sub(
            r"https?://[^/]+/", "http://localhost:8000/", str(letter.body)
        )
    assert str(letter.body).count("What to do:") == 2
    (html,) = [content for content, kind in letter.alternatives if kind == "text/html"]  # type: ignore[attr-defined]
    assert str(html).count("/answer/") == 2
    # Both are over in the same check, hours later.
    Notice.objects.update(last_at=timezone.now() - 5 * HOUR)
    FlowRhythm.objects.update(alarm_at=None)
    check(stage)
    over, _began = notices(owner)
    assert mail.build_mail(over).subject.startswith("2 back to normal: ")
    assert "It lasted from " in mail.build_mail(over).body


def test_a_flow_that_comes_and_goes_is_one_notification_until_it_is_read(stage: Stage) -> None:
    alarm = quiet(stage)
    for moment in (None, timezone.now(), None):
        FlowRhythm.objects.filter(flow_id=alarm.flow_id).update(alarm_at=moment)
        check(stage)
    (notice,) = notices(stage.users.owner)
    news = notification_message(notice)
    assert news.title.endswith(": back to normal")
    assert news.icon == "circle-check"


def test_a_notification_says_what_is_counted_and_since_when(stage: Stage) -> None:
    alarm = quiet(stage)
    last = FlowRhythm.objects.get(flow_id=alarm.flow_id).last_run_at
    assert alarm.since == last, "the silence began with the last run"
    assert last < alarm.opened_at - timedelta(hours=30)
    counted = (
        r"(Usually \d runs? by \d\d:\d\d, today 0|There is usually another run by now); the last one [^,]+, Hanoi\."
    )
    body = str(mail.build_mail(*notices(stage.users.owner)).body)
    assert re.search(counted, body)
    stage.users.owner.language = "vi"
    stage.users.owner.save()
    body = str(mail.build_mail(*notices(stage.users.owner)).body)
    assert "Hà Nội" in body


def test_runs_that_people_start_are_not_counted_where_they_end_no_silence(stage: Stage) -> None:
    alarm = quiet(stage)
    now = datetime.now(UTC)
    (run,) = add_runs(stage, alarm.flow_id, [now - timedelta(seconds=1)])
    launched(stage, run, "{}")
    read_again(stage)
    check(stage)
    alarm.refresh_from_db()
    assert (alarm.facts["today"], alarm.facts["by_hand"]) == (0, 1)
    assert "1 run that a person started today is not counted." in text(stage.browser, f"{LIST}{alarm.pk}/")


def failing(stage: Stage) -> Alarm:
    """The alarm about a flow of which five runs failed."""
    flow, now = flow_of(stage)["id"], datetime.now(UTC)
    only(stage, flow, every(GAP, now - 3 * HOUR))
    check(stage)
    add_runs(stage, flow, [now - timedelta(minutes=minutes) for minutes in range(10, 15)], status="FAILED")
    read_again(stage)
    assert check(stage) == [("failing", flow)]
    return Alarm.objects.get()


def test_an_alarm_about_failures_names_step_and_error_and_leads_to_the_failures(stage: Stage) -> None:
    alarm = failing(stage)
    assert abs(alarm.since - (timezone.now() - timedelta(minutes=14))) < timedelta(minutes=2)
    body = str(mail.build_mail(*notices(stage.users.owner)).body)
    assert "5 of the last" in body
    assert re.search(r"\nSince [^,]+, Hanoi\.\n", body)
    assert "at the step “Charge <b>card</b>”; usually" in body
    assert "\nError: Refused\n" in body
    page = stage.browser.get(f"{LIST}{alarm.pk}/").content.decode()
    assert f'href="/w/sales/failures/?flow={alarm.flow_id}&amp;state=all"' in page
    assert re.search(r'href="/w/sales/failures/\d+/">Charge &lt;b&gt;card', page)
    assert "Refused" in page
    html = mail.build_mail(*notices(stage.users.owner)).alternatives[0][0]  # type: ignore[attr-defined]
    assert "<b>card" not in str(html)
    stage.users.workspace.causes_in_notices = False
    stage.users.workspace.save()
    assert "Refused" not in str(mail.build_mail(*notices(stage.users.owner)).body)


def test_a_link_asks_whether_the_alarm_was_right_and_changes_nothing(stage: Stage) -> None:
    alarm = quiet(stage)
    page = f"{LIST}{alarm.pk}/answer/"
    before = len(outcomes())
    shown = stage.browser.get(page).content.decode()
    assert shown.count('name="answer"') == 2
    stage.browser.post(page, {"answer": "perhaps"})
    alarm.refresh_from_db()
    assert (alarm.false_alarm, alarm.ended_at, len(outcomes())) == (None, None, before)
    stage.browser.post(page, {"answer": "right"})
    assert check(stage) == [("quiet", alarm.flow_id)]
    alarm.refresh_from_db()
    assert alarm.false_alarm is False


def test_a_false_alarm_ends_and_only_a_longer_pause_is_announced(stage: Stage) -> None:
    alarm = quiet(stage)
    stage.browser.post(f"{LIST}{alarm.pk}/answer/", {"answer": "false"})
    assert check(stage) == [], "this silence was called normal"
    assert "Someone said that nothing was wrong." in text(stage.browser, f"{LIST}{alarm.pk}/")
    assert len(notices(stage.users.owner)) == 1, "who said so needs no notification"
    with later(timedelta(days=2)):
        assert check(stage) == [("quiet", alarm.flow_id)], "until it lasts three usual pauses"
        assert Alarm.objects.get(ended_at=None).announce_at is None


def test_an_answer_that_was_wrong_is_taken_back(stage: Stage) -> None:
    alarm = quiet(stage)
    for answer, open_ones in (("false", []), ("right", [("quiet", alarm.flow_id)])):
        stage.browser.post(f"{LIST}{alarm.pk}/answer/", {"answer": answer})
        assert check(stage) == open_ones
    assert Alarm.objects.count() == 1


def test_failures_that_were_called_normal_are_reported_only_if_more_runs_fail(stage: Stage) -> None:
    alarm, now = failing(stage), datetime.now(UTC)
    stage.browser.post(f"{LIST}{alarm.pk}/answer/", {"answer": "false"})
    assert check(stage) == []
    add_runs(stage, alarm.flow_id, [now + timedelta(seconds=number) for number in range(5)], status="FAILED")
    with later(timedelta(minutes=1)):
        read_again(stage)
        assert check(stage) == []
    add_runs(stage, alarm.flow_id, [now + timedelta(seconds=20 + number) for number in range(15)], status="FAILED")
    with later(timedelta(minutes=2)):
        read_again(stage)
        assert check(stage) == [("failing", alarm.flow_id)], "a flow that always fails is reported"


def test_open_alarms_are_seen_on_home_in_the_list_and_on_the_page_of_the_flow(stage: Stage) -> None:
    alarm = quiet(stage)
    link = f'href="{LIST}{alarm.pk}/"'
    for path in ("/w/sales/", "/w/sales/flows/?rows=100", f"/w/sales/flows/{alarm.flow_id}/"):
        page = stage.browser.get(path).content.decode()
        assert link in page, path
        assert "No recent runs" in page, path
    response = stage.browser.post(f"{LIST}watch/", follow=True)
    assert "1 alarm is open now." in response.content.decode()
    stage.browser.post(f"{LIST}{alarm.pk}/answer/", {"answer": "false"})
    assert link not in stage.browser.get("/w/sales/flows/?rows=100").content.decode()


def test_flows_of_an_alarm_about_many_are_marked_too(stage: Stage) -> None:
    flows = several(stage, 3, datetime.now(UTC) - HOUR)
    check(stage)
    FlowRhythm.objects.filter(flow_id__in=flows).update(alarm_at=timezone.now())
    check(stage)
    (alarm,) = Alarm.objects.filter(ended_at=None)
    assert alarm.kind == AlarmKind.MANY
    assert alarm.since < timezone.now() - timedelta(minutes=59)
    page = stage.browser.get(f"/w/sales/flows/{flows[1]}/").content.decode()
    assert f'href="{LIST}{alarm.pk}/"' in page

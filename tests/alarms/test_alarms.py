"""Alarms of an index on a practice engine: when they begin and end, who sees them, and how they are muted."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from practice_engine import ids
from tests.alarms.alarm_scene import (
    GAP,
    HOUR,
    add_runs,
    check,
    every,
    flow_of,
    later,
    only,
    open_alarms,
    quiet,
    read_again,
)
from tests.failures.test_failures import share
from tests.run_index.index_scene import launched
from tests.stage import Stage, outcomes, stage
from tests.users import share_with_nobody
from workflows_ui.alarms import checking, messages
from workflows_ui.alarms.models import Alarm, AlarmKind, AlarmMute, AlarmWatch, FlowRhythm
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.members.models import Role
from workflows_ui.notification_mails import mail
from workflows_ui.notifications.models import Notice, NoticeKind, Watch
from workflows_ui.run_index.models import RunIndex

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
LIST = "/w/sales/alarms/"


def text(browser: Client, path: str) -> str:
    """A page as text, in one line."""
    response = browser.get(path)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", strip_tags(response.content.decode()))


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_quiet_flow_is_one_alarm_that_ends_when_it_runs_again(stage: Stage) -> None:
    alarm = quiet(stage)
    assert check(stage) == [("quiet", alarm.flow_id)]
    assert Alarm.objects.count() == 1
    page = text(stage.browser, f"{LIST}{alarm.pk}/")
    assert re.search(
        r"(Usually \d runs? by \d\d:\d\d, today 0|usually another run by now); the last one [^,]+, Hanoi\.", page
    )
    assert alarm.flow_name
    assert alarm.flow_name in text(stage.browser, LIST)
    add_runs(stage, alarm.flow_id, [datetime.now(UTC) - timedelta(minutes=2)])
    read_again(stage)
    assert check(stage) == []
    assert "The flow runs again." in text(stage.browser, f"{LIST}{alarm.pk}/")
    # It is the same problem if it returns within the hour.
    FlowRhythm.objects.filter(flow_id=alarm.flow_id).update(alarm_at=timezone.now())
    assert check(stage) == [("quiet", alarm.flow_id)]
    assert Alarm.objects.get().times == 2


@pytest.mark.slow
def test_a_flow_that_runs_as_usual_or_is_new_has_no_alarm(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 3 * HOUR))
    add_runs(stage, "N" * 21, every(HOUR, datetime.now(UTC) - 36 * HOUR, timedelta(days=6)))
    read_again(stage)
    assert check(stage) == []
    assert FlowRhythm.objects.get(flow_id=flow).alarm_at is not None


@pytest.mark.slow
def test_a_flow_that_is_off_or_deleted_is_not_quiet(stage: Stage) -> None:
    alarm = quiet(stage)
    stage.practice.engine.state.flows[alarm.flow_id]["status"] = "DISABLED"
    AlarmWatch.objects.update(flows_due_at=None)
    assert check(stage) == []
    assert "turned off or deleted" in text(stage.browser, f"{LIST}{alarm.pk}/")
    stage.practice.engine.state.flows[alarm.flow_id]["status"] = "ENABLED"
    AlarmWatch.objects.update(flows_due_at=None)
    # It has been on for no time yet.
    assert check(stage) == []
    with later(timedelta(days=2)):
        assert check(stage) == [("quiet", alarm.flow_id)]
    with later(timedelta(days=2, minutes=1)):
        del stage.practice.engine.state.flows[alarm.flow_id]
        AlarmWatch.objects.update(flows_due_at=None)
        assert check(stage) == []


@pytest.mark.slow
def test_nothing_is_quiet_while_the_index_or_the_list_of_flows_is_old(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR))
    now = timezone.now()
    for values in ({"read_at": now - HOUR}, {"trouble": "Unavailable"}, {"spans": [[None, None, False]]}):
        before = RunIndex.objects.values(*values).get()
        RunIndex.objects.update(**values)
        assert check(stage) == [], values
        RunIndex.objects.update(**before)
    assert "The flows have not been checked yet." in text(stage.browser, LIST)
    AlarmWatch.objects.update(flows_due_at=now + HOUR, flows_at=None)
    assert check(stage) == []
    assert "The engine does not list its flows, so flows that stopped running are not reported." in text(
        stage.browser, LIST
    )
    AlarmWatch.objects.update(flows_at=now - HOUR)
    assert "The engine has not listed its flows since" in text(stage.browser, LIST)
    AlarmWatch.objects.update(flows_due_at=None)
    assert check(stage) == [("quiet", flow)]
    assert "not reported" not in text(stage.browser, LIST)
    with later(HOUR):
        assert "The flows were last checked on" in text(stage.browser, LIST)
    # An open one stays until it is known that it is over.
    RunIndex.objects.update(read_at=now - HOUR)
    assert check(stage) == [("quiet", flow)]


@pytest.mark.slow
@pytest.mark.both_databases
def test_no_run_is_expected_on_a_day_off_even_if_it_is_entered_on_the_day(stage: Stage) -> None:
    alarm = quiet(stage)
    today = timezone.localdate()
    days = [(today - timedelta(days=number)).isoformat() for number in range(3)]
    RunIndex.objects.update(days_off=days)
    assert check(stage) == []
    assert FlowRhythm.objects.get(flow_id=alarm.flow_id).alarm_at > timezone.now()  # type: ignore[operator]
    RunIndex.objects.update(days_off=[])
    with later(timedelta(days=3)):
        assert check(stage) == [("quiet", alarm.flow_id)]


@pytest.mark.slow
def test_a_scheduled_time_that_is_missed_is_an_alarm_until_the_next_run(stage: Stage) -> None:
    flow = flow_of(stage, "schedule")["id"]
    state = stage.practice.engine.state.flows[flow]
    state["triggerSource"]["schedule"] |= {"cronExpression": "0 * * * *", "timezone": "Asia/Ho_Chi_Minh"}
    only(stage, flow, every(HOUR, datetime.now(UTC) - timedelta(minutes=1), timedelta(days=1)))
    assert check(stage) == []
    with later(timedelta(hours=3)):
        AlarmWatch.objects.update(flows_due_at=None)
        assert check(stage) == [("missed", flow)]
        assert "as scheduled" in text(stage.browser, f"{LIST}{Alarm.objects.get().pk}/")
    add_runs(stage, flow, [datetime.now(UTC)])
    read_again(stage)
    with later(timedelta(minutes=1)):
        assert check(stage) == []


@pytest.mark.slow
def test_a_flow_that_fails_more_than_usual_is_an_alarm(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    now = datetime.now(UTC)
    only(stage, flow, every(GAP, now - 3 * HOUR))
    assert check(stage) == []
    add_runs(stage, flow, [now - timedelta(minutes=minutes) for minutes in range(10, 15)], status="FAILED")
    read_again(stage)
    assert check(stage) == [("failing", flow)]
    alarm = Alarm.objects.get()
    page = text(stage.browser, f"{LIST}{alarm.pk}/")
    assert "5 of the last" in page
    assert "runs failed" in page
    add_runs(stage, flow, [now - timedelta(minutes=minutes) for minutes in range(9)])
    read_again(stage)
    assert check(stage) == []


@pytest.mark.slow
def test_a_run_that_takes_longer_than_usual_is_an_alarm_while_it_runs(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    now = datetime.now(UTC)
    only(stage, flow, every(GAP, now - 3 * HOUR))
    (run,) = add_runs(stage, flow, [now - timedelta(minutes=30)], status="RUNNING")
    read_again(stage)
    assert check(stage) == [("longer", flow)]
    page = text(stage.browser, f"{LIST}{Alarm.objects.get().pk}/")
    assert "A run has taken 3" in page
    assert "Usually runs take 10.0 s" in page
    state = stage.practice.engine.state.runs[run]
    state |= {"status": "SUCCEEDED", "updated": ids.stamp(now), "finishTime": state["created"]}
    read_again(stage)
    assert check(stage) == []


@pytest.mark.slow
def test_muting_ends_the_alarm_and_prevents_others_until_it_is_undone(stage: Stage) -> None:
    alarm = quiet(stage)
    page = f"{LIST}{alarm.pk}/"
    assert stage.browser.post(f"{page}mute/").status_code == 303
    assert check(stage) == []
    shown = text(stage.browser, page)
    assert "This type of alarm was muted" in shown
    # The problem may last: only the alarm has ended.
    assert re.search(r"\bMuted\b", shown)
    assert "Ended" not in shown
    assert "1 is muted" in text(stage.browser, LIST)
    mute = AlarmMute.objects.get()
    assert f"{LIST}muted/{mute.pk}/" in stage.browser.get(f"{LIST}muted/").content.decode()
    stage.browser.post(f"{LIST}muted/{mute.pk}/")
    assert "No muted alarms" in text(stage.browser, f"{LIST}muted/")
    assert check(stage) == [("quiet", alarm.flow_id)]
    assert outcomes()[-2:] == [("alarm.mute", "done"), ("alarm.unmute", "done")]


@pytest.mark.slow
def test_the_times_of_an_alarm_are_of_the_zone_whose_days_are_counted(stage: Stage) -> None:
    alarm = quiet(stage)
    here = text(stage.browser, f"{LIST}{alarm.pk}/")
    counted = re.compile(r"Usually \d runs? by \d\d:\d\d|the last one [^,]+, Hanoi\.|Since [^,]+, Hanoi")
    stage.users.owner.time_zone = "America/New_York"
    stage.users.owner.save()
    assert counted.findall(text(stage.browser, f"{LIST}{alarm.pk}/")) == counted.findall(here) != []


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_launch_by_hand_ends_no_silence_but_that_of_a_flow_that_people_launch(stage: Stage) -> None:
    """The flow is started by another system: that somebody tries it does not mean that this works again."""
    alarm = quiet(stage)
    (run,) = add_runs(stage, alarm.flow_id, [datetime.now(UTC) - timedelta(minutes=2)])
    launched(stage, run, "{}")
    read_again(stage)
    assert check(stage) == [("quiet", alarm.flow_id)]
    assert "Manual launches do not close it." in text(stage.browser, f"{LIST}{alarm.pk}/")
    (run,) = add_runs(stage, alarm.flow_id, [datetime.now(UTC) - timedelta(minutes=1)])
    read_again(stage)
    assert check(stage) == []


@pytest.mark.slow
def test_a_flow_that_people_launch_is_quiet_until_somebody_launches_it(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - timedelta(hours=36)))
    for run in stage.practice.engine.state.runs:
        launched(stage, run, "{}")
    assert check(stage) == [("quiet", flow)]
    (run,) = add_runs(stage, flow, [datetime.now(UTC) - timedelta(minutes=2)])
    launched(stage, run, "{}")
    read_again(stage)
    assert check(stage) == []


@pytest.mark.slow
def test_a_builder_says_whether_an_alarm_was_a_false_one(stage: Stage) -> None:
    alarm = quiet(stage)
    page = f"{LIST}{alarm.pk}/"
    add_runs(stage, alarm.flow_id, [datetime.now(UTC) - timedelta(minutes=2)])
    read_again(stage)
    assert check(stage) == []
    assert "Was this alarm right?" in text(stage.browser, page)
    share(stage)
    viewer = stage.as_role(Role.VIEWER)
    assert "Was this alarm right?" not in text(viewer, page)
    assert viewer.post(f"{page}answer/", {"answer": "false"}).status_code == 403
    stage.browser.post(f"{page}answer/", {"answer": "false"})
    assert "It was called a false alarm." in text(stage.browser, page)
    stage.browser.post(f"{page}answer/", {"answer": "right"})
    assert "It was called a false alarm." not in text(stage.browser, page)
    assert Alarm.objects.get().false_alarm is False
    assert outcomes()[-2:] == [("alarm.answer", "done")] * 2


@pytest.mark.slow
def test_the_flows_page_says_that_there_is_an_alarm(stage: Stage) -> None:
    alarm = quiet(stage)
    assert "View alarm" in text(stage.browser, f"/w/sales/flows/{alarm.flow_id}/")
    CredentialShare.objects.all().delete()
    assert "View alarm" not in text(stage.as_role(Role.BUILDER), f"/w/sales/flows/{alarm.flow_id}/")


@pytest.mark.slow
def test_people_who_may_not_see_the_index_see_no_alarms(stage: Stage) -> None:
    alarm = quiet(stage)
    page = f"{LIST}{alarm.pk}/"
    manager = stage.as_role(Role.MANAGER)
    for path in (LIST, f"{LIST}muted/"):
        assert "You cannot see alarms in this workspace yet" in text(manager, path)
    # Not even which ids there are.
    for path in (page, f"{LIST}987654/"):
        assert manager.get(path).headers["Location"] == LIST
    for path in (f"{page}mute/", f"{LIST}987654/mute/", f"{LIST}muted/987654/"):
        assert manager.post(path).headers["Location"] == LIST
    assert f'href="{LIST}"' not in manager.get("/w/sales/runs/").content.decode()
    assert manager.get(f"{LIST}file/csv/").headers["Location"] == LIST
    assert not AlarmMute.objects.exists()
    share(stage)
    assert f'href="{LIST}"' in manager.get("/w/sales/runs/").content.decode()
    viewer = stage.as_role(Role.VIEWER)
    assert "Builders can mute" in text(viewer, page)
    assert viewer.post(f"{page}mute/").status_code == 403
    assert stage.browser.get(f"{LIST}{2**70}/").status_code == 404


@pytest.mark.slow
def test_the_list_is_filtered_and_is_a_file(stage: Stage) -> None:
    alarm = quiet(stage)
    row = f"{LIST}{alarm.pk}/"
    for query, shown in {
        "state=open": True,
        "state=ended": False,
        "kind=longer": False,
        f"flow={alarm.flow_id}": True,
    }.items():
        assert (row in stage.browser.get(f"{LIST}?{query}").content.decode()) is shown, query
    response = stage.browser.get(f"{LIST}file/csv/")
    assert len(b"".join(response.streaming_content).decode().splitlines()) == 2  # type: ignore[attr-defined]
    assert outcomes()[-1] == ("alarms.export", "done")


@pytest.mark.slow
def test_malicious_names_and_invalid_facts_are_shown_as_text(stage: Stage) -> None:
    alarm = quiet(stage)
    name = "<script>alert(1)</script>" + "x" * 170
    odd: list[Any] = [{}, [], {"usual": "<b>", "by": 5, "last": "never", "today": None, "run": 3, "time": {}}]
    for facts in odd:
        for kind in AlarmKind.values:
            assert messages.sentence(kind, facts)
            Alarm.objects.update(flow_name=name, facts=facts, kind=kind)
            for path in (LIST, f"{LIST}{alarm.pk}/", f"/w/sales/flows/{alarm.flow_id}/"):
                response = stage.browser.get(path)
                assert response.status_code == 200
                assert "<script>alert" not in response.content.decode()


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_check_takes_as_many_queries_for_many_flows_as_for_few(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    now = datetime.now(UTC)
    only(stage, flow, every(GAP, now - 36 * HOUR))
    check(stage)

    def queries() -> int:
        AlarmWatch.objects.update(due_at=None, flows_due_at=now + HOUR)
        with CaptureQueriesContext(connection) as captured:
            checking.check(stage.users.workspace.pk)
        return len(captured)

    few = queries()
    for number in range(12):
        add_runs(stage, f"{number:021}", every(timedelta(minutes=10), now, HOUR), status="FAILED")
    read_again(stage)
    assert queries() <= few + 4


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_check_waits_for_its_time_and_for_the_one_that_runs(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR))
    assert checking.due() == [stage.users.workspace.pk]
    checking.check(stage.users.workspace.pk)
    assert checking.due() == []
    Alarm.objects.all().delete()
    checking.check(stage.users.workspace.pk)
    assert open_alarms() == []
    AlarmWatch.objects.update(due_at=None, lease_until=timezone.now() + HOUR)
    assert checking.due() == []
    AlarmWatch.objects.update(lease_until=timezone.now() - HOUR)
    assert checking.due() == [stage.users.workspace.pk]
    RunIndex.objects.update(credential=None)
    assert checking.due() == []


@pytest.mark.slow
@pytest.mark.both_databases
def test_watchers_are_notified_once_with_a_count_and_only_with_a_right_to_the_index(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR))
    colleague = stage.as_role(Role.BUILDER)
    share(stage)
    for browser in (stage.browser, colleague):
        browser.post(f"{LIST}watch/")
    CredentialShare.objects.all().delete()
    share_with_nobody(stage.users.credential)
    assert check(stage) == [("quiet", flow)]
    notice = Notice.objects.get(kind=NoticeKind.ALARM)
    assert notice.user == stage.users.owner
    assert notice.url == f"{LIST}{Alarm.objects.get().pk}/"
    assert "No recent runs" in text(stage.browser, "/notices/")
    FlowRhythm.objects.update(alarm_at=None)
    check(stage)
    stage.browser.post(f"{LIST}{Alarm.objects.get().pk}/answer/", {"answer": "false"})
    FlowRhythm.objects.filter(flow_id=flow).update(alarm_at=timezone.now())
    check(stage)
    # It is the same notification, which counts the end, and that it has begun again.
    notice.refresh_from_db()
    assert notice.count == 3
    assert "No recent runs, 2 times" in text(stage.browser, "/notices/")
    assert "No recent runs, 2 times" in mail.build_mail(notice).subject
    stage.browser.post(f"{LIST}watch/", {"stop": "1"})
    assert not Watch.objects.filter(user=stage.users.owner).exists()
    # Without the right to see the index nobody begins to watch.
    Watch.objects.all().delete()
    colleague.post(f"{LIST}watch/")
    assert not Watch.objects.exists()

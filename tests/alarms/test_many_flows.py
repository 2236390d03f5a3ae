"""Many flows: those that are quiet at the same time are one alarm, and lists and lessons of any length are read in parts."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.alarms.alarm_scene import (
    GAP,
    HOUR,
    add_flows,
    add_runs,
    check,
    every,
    flow_of,
    later,
    only,
    read_again,
    several,
)
from tests.alarms.test_alarms import LIST, text
from tests.alarms.test_channels import Server, add, send_due, server
from tests.failures.test_failures import share
from tests.stage import Stage, stage
from workflows_ui.alarms import flow_list, learning, subscriptions
from workflows_ui.alarms.models import Alarm, AlarmEnd, AlarmKind, AlarmMute, AlarmWatch, FlowRhythm, FlowState
from workflows_ui.launches.services import watching
from workflows_ui.members.models import Role
from workflows_ui.notifications.models import Notice, NoticeKind, WatchKind
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import spans
from workflows_ui.run_index.services.spans import Span

__all__ = ["server", "stage"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
MANY = ("many", "")


def run_now(stage: Stage, *flows: str) -> None:
    """Let flows run."""
    for flow in flows:
        add_runs(stage, flow, [datetime.now(UTC)])
    read_again(stage)


@pytest.mark.slow
@pytest.mark.both_databases
def test_flows_that_are_quiet_at_the_same_time_are_one_alarm_until_they_run_again(stage: Stage) -> None:
    flows = several(stage, 5, datetime.now(UTC) - HOUR)
    assert check(stage) == []
    with later(timedelta(days=1)):
        assert check(stage) == [MANY]
        alarm = Alarm.objects.get()
        page = text(stage.browser, f"{LIST}{alarm.pk}/")
        assert "5 flows stopped running at the same time" in page
        assert "Flows without recent runs" in page
        content = stage.browser.get(f"{LIST}{alarm.pk}/").content.decode()
        assert all(f"/flows/{flow}/" in content for flow in flows)
        assert f"{alarm.pk}/mute/" not in content
        assert "Many flows" in text(stage.browser, LIST)
        index_id = stage.users.workspace.pk
        AlarmMute.objects.create(index_id=index_id, kind=AlarmKind.QUIET, flow_id=flows[4], muted_at=timezone.now())
        assert f"/flows/{flows[4]}/" not in stage.browser.get(f"{LIST}{alarm.pk}/").content.decode()
        AlarmMute.objects.all().delete()
        FlowRhythm.objects.filter(flow_id__in=flows[:3]).update(alarm_at=None)
        # Two are too few for an alarm about many.
        assert check(stage) == sorted(("quiet", flow) for flow in flows[3:])
        assert "The flows run again." in text(stage.browser, f"{LIST}{alarm.pk}/")
    run_now(stage, *flows)
    assert check(stage) == []


@pytest.mark.slow
def test_alarms_of_single_flows_become_part_of_the_one_about_many(stage: Stage) -> None:
    flows = several(stage, 4, datetime.now(UTC) - HOUR)
    check(stage)
    now = timezone.now()
    FlowRhythm.objects.filter(flow_id=flows[0]).update(alarm_at=now)
    assert check(stage) == [("quiet", flows[0])]
    FlowRhythm.objects.filter(flow_id__in=flows[1:]).update(alarm_at=now)
    assert check(stage) == [MANY]
    assert Alarm.objects.get(kind=AlarmKind.QUIET).end == AlarmEnd.FOLDED


@pytest.mark.slow
def test_a_few_quiet_flows_among_many_that_run_are_alarms_of_their_own(stage: Stage) -> None:
    flows = several(stage, 4, datetime.now(UTC) - HOUR)
    check(stage)
    now = timezone.now()
    for number in range(9):
        FlowRhythm.objects.create(
            index_id=stage.users.workspace.pk, flow_id=f"runs{number}", last_run_at=now, alarm_at=now + HOUR
        )
    FlowRhythm.objects.filter(flow_id__in=flows).update(alarm_at=now)
    AlarmWatch.objects.update(flows_due_at=now + HOUR)
    assert check(stage) == sorted(("quiet", flow) for flow in flows)


@pytest.mark.slow
def test_a_flow_that_becomes_quiet_while_the_others_run_again_has_its_own_alarm(stage: Stage) -> None:
    flows = several(stage, 8, datetime.now(UTC) - HOUR)
    check(stage)
    now = timezone.now()
    quiet = FlowRhythm.objects.filter(flow_id__in=flows[:7])
    quiet.update(alarm_at=now)
    assert check(stage) == [MANY]
    # More than half run again: what becomes quiet from now on has another cause.
    FlowRhythm.objects.filter(flow_id__in=flows[:4]).update(alarm_at=now + 9 * HOUR)
    assert check(stage) == [MANY]
    assert Alarm.objects.get().facts["until"]
    FlowRhythm.objects.filter(flow_id=flows[7]).update(alarm_at=timezone.now())
    assert check(stage) == [MANY, ("quiet", flows[7])]
    assert Alarm.objects.get(kind=AlarmKind.MANY).facts["most"] == 7


@pytest.mark.slow
def test_watchers_and_channels_for_quiet_flows_are_notified_of_many(stage: Stage, server: Server) -> None:
    flows = several(stage, 3, datetime.now(UTC) - HOUR)
    add(stage.browser, server.url)
    stage.browser.post(f"{LIST}watch/")
    check(stage)
    FlowRhythm.objects.filter(flow_id__in=flows).update(alarm_at=timezone.now(), name="<!channel> *bold*")
    assert check(stage) == [MANY]
    assert "Many flows: Several flows stopped running" in text(stage.browser, "/notices/")
    assert Notice.objects.filter(kind=NoticeKind.ALARM).count() == 1
    send_due()
    (message,) = server.bodies
    assert "Many flows: Several flows stopped running" in message["text"]
    assert "3 flows stopped running at the same time" in message["text"]
    assert "<!channel>" not in message["text"]


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_person_who_watches_many_flows_counts_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    flows = several(stage, 3, datetime.now(UTC) - HOUR)
    owner, colleague = stage.users.owner, stage.users.colleague
    browser = stage.as_role(Role.BUILDER)
    share(stage)
    for flow in flows:
        watching.start_watching(owner, stage.users.workspace, WatchKind.FLOW, flow, "")
    browser.post(f"{LIST}watch/")
    monkeypatch.setattr(subscriptions, "PEOPLE", 2)
    check(stage)
    FlowRhythm.objects.filter(flow_id__in=flows).update(alarm_at=timezone.now())
    assert check(stage) == [MANY]
    notified = Notice.objects.filter(kind=NoticeKind.ALARM).values_list("user", flat=True)
    assert sorted(notified) == sorted([owner.pk, colleague.pk])


@pytest.mark.slow
@pytest.mark.both_databases
def test_people_are_notified_later_of_a_flow_after_an_alarm_that_a_builder_called_false(
    stage: Stage, server: Server
) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR))
    add(stage.browser, server.url)
    assert check(stage) == [("quiet", flow)]
    run_now(stage, flow)
    assert check(stage) == []
    # The end of an alarm waits for its beginning.
    send_due()
    send_due()
    assert len(server.bodies) == 2
    Alarm.objects.update(ended_at=timezone.now() - 2 * HOUR)
    with later(13 * HOUR):
        # An outage that was repaired is no false alarm.
        assert check(stage) == [("quiet", flow)]
        assert Alarm.objects.get(ended_at=None).announce_at is None
    Alarm.objects.filter(ended_at=None).delete()
    stage.browser.post(f"{LIST}{Alarm.objects.get().pk}/answer/", {"answer": "false"})
    with later(13 * HOUR):
        assert check(stage) == [("quiet", flow)]
        alarm = Alarm.objects.get(ended_at=None)
        assert alarm.announce_at
        assert alarm.announce_at > timezone.now() + 15 * HOUR
        assert "so people are notified later" in text(stage.browser, f"{LIST}{alarm.pk}/")
    run_now(stage, flow)
    with later(timedelta(minutes=1)):
        assert check(stage) == []
        page = text(stage.browser, f"{LIST}{alarm.pk}/")
        assert "No one was notified" in page
        assert "people are notified later" not in page
        send_due()
        assert len(server.bodies) == 2
    # A month later they are notified at once.
    Alarm.objects.update(ended_at=timezone.now() - timedelta(days=31))
    with later(36 * HOUR):
        assert check(stage) == [("quiet", flow)]
        assert Alarm.objects.get(ended_at=None).announce_at is None


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_list_of_flows_of_any_length_is_read_in_parts_with_queries_for_each_page(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR), on=add_flows(stage, 40))
    listed = len(
        [
            row
            for row in stage.practice.engine.state.flows.values()
            if row["projectId"] == stage.users.workspace.project_id
        ]
    )

    def queries(size: int, calls: int) -> int:
        AlarmWatch.objects.update(flows_due_at=None, flows_started_at=None)
        with (
            mock.patch.object(flow_list, "SIZE", size),
            mock.patch.object(flow_list, "CALLS", calls),
            CaptureQueriesContext(connection) as captured,
        ):
            check(stage)
        return len(captured)

    check(stage)
    queries(1000, 5)
    whole = queries(1000, 5)
    parts = queries(10, listed // 10 + 2)
    assert AlarmWatch.objects.get().flows_cursor == ""
    assert parts - whole <= (listed // 10 + 2) * 8
    # A turn that ends goes on where it was in the next check.
    FlowRhythm.objects.update(state=FlowState.UNKNOWN)
    queries(10, 2)
    assert AlarmWatch.objects.get().flows_cursor
    for _turn in range(listed // 20 + 1):
        with mock.patch.object(flow_list, "SIZE", 10), mock.patch.object(flow_list, "CALLS", 2):
            check(stage)
    watch = AlarmWatch.objects.get()
    assert watch.flows_cursor == ""
    assert watch.flows_started_at is None
    assert FlowRhythm.objects.filter(state=FlowState.ON).count() >= 41


@pytest.mark.slow
def test_flows_that_the_pages_of_a_list_lose_are_read_by_their_ids(stage: Stage) -> None:
    flow = flow_of(stage)["id"]
    added = add_flows(stage, 12)
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR), on=added)
    check(stage)
    state = stage.practice.engine.state
    # The engine's cursor skips the other rows of the second in which a page ends.
    for key in added:
        state.flows[key]["created"] = state.flows[added[0]]["created"]
    del state.flows[added[3]]
    AlarmWatch.objects.update(flows_due_at=None)
    with mock.patch.object(flow_list, "SIZE", 5), mock.patch.object(flow_list, "CALLS", 30):
        check(stage)
    states = dict(FlowRhythm.objects.filter(flow_id__in=added).values_list("flow_id", "state"))
    assert states.pop(added[3]) == FlowState.OFF
    assert set(states.values()) == {FlowState.ON}


@pytest.mark.slow
@pytest.mark.both_databases
def test_some_flows_are_learnt_in_each_check_until_all_are(stage: Stage) -> None:
    flows = several(stage, 5, datetime.now(UTC) - HOUR)
    learnt = FlowRhythm.objects.exclude(rhythm={})
    with mock.patch.object(learning, "FLOWS", 2):
        for number in (2, 4, 5, 5):
            check(stage)
            assert learnt.count() == number
    assert FlowRhythm.objects.filter(flow_id__in=flows, alarm_at__isnull=False).count() == 5
    assert not FlowRhythm.objects.filter(learn_at__isnull=False).exists()


@pytest.mark.slow
@pytest.mark.both_databases
def test_rhythms_are_learnt_again_as_soon_as_the_index_has_read_the_past(stage: Stage) -> None:
    now = datetime.now(UTC)
    several(stage, 2, now - HOUR)
    RunIndex.objects.update(spans=spans.dump([Span(before=now - 48 * HOUR)]))
    check(stage)
    first = AlarmWatch.objects.get().learnt_at
    check(stage)
    assert AlarmWatch.objects.get().learnt_at == first, "not at each check while it is read"
    RunIndex.objects.update(spans=[])
    check(stage)
    second = AlarmWatch.objects.get().learnt_at
    assert second is not None
    assert second >= now
    assert first is not None
    assert first < now
    check(stage)
    assert AlarmWatch.objects.get().learnt_at == second

"""The engine's list of flows in a check: an engine that is slow, and one that does not give every flow."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest
from django.utils import timezone

from practice_engine import ids
from tests.alarms.alarm_scene import GAP, HOUR, add_flows, check, every, flow_of, only
from tests.stage import Stage, stage
from workflows_ui.alarms import checking, flow_list
from workflows_ui.alarms.models import AlarmWatch, FlowRhythm, FlowState
from workflows_ui.core import clock
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.run_index.models import RunIndex

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
MINUTE = timedelta(minutes=1)


@contextmanager
def slow_list(stage: Stage, time: timedelta) -> Iterator[None]:
    """So much time passes while the engine lists its flows."""
    real, before = clock.now, len(stage.practice.journal.all("GET", "/v1/flows"))

    def now() -> datetime:
        listed = len(stage.practice.journal.all("GET", "/v1/flows")) > before
        return real() + (time if listed else timedelta())

    with mock.patch.object(clock, "now", now):
        yield


def silent(stage: Stage) -> str:
    """A flow that is quiet, which no check has found yet."""
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR))
    return str(flow)


@contextmanager
def pages(stage: Stage) -> Iterator[None]:
    """The list has several pages, so that it may lack flows."""
    AlarmWatch.objects.update(flows_due_at=None)
    with mock.patch.object(flow_list, "SIZE", 5), mock.patch.object(flow_list, "CALLS", 30):
        yield


def unlisted(stage: Stage) -> str:
    """A flow that was on, and that neither the list nor the engine has; its id."""
    return FlowRhythm.objects.create(
        index_id=stage.users.workspace.pk, flow_id=ids.new_id(), state=FlowState.ON
    ).flow_id


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_check_that_outlasts_its_lease_concludes_nothing(stage: Stage) -> None:
    flow = silent(stage)
    with slow_list(stage, checking.LEASE + MINUTE):
        assert check(stage) == []
    assert AlarmWatch.objects.get().checked_at is None
    AlarmWatch.objects.update(lease_until=None)
    assert check(stage) == [("quiet", flow)]


@pytest.mark.slow
def test_a_check_that_waited_for_the_list_continues_with_the_current_time_and_index(stage: Stage) -> None:
    flow = silent(stage)
    # Up to date when the check begins, and too old after the list.
    RunIndex.objects.update(read_at=timezone.now() - checking.CURRENT + MINUTE)
    with slow_list(stage, 2 * MINUTE):
        assert check(stage) == []
    RunIndex.objects.update(read_at=timezone.now())
    AlarmWatch.objects.update(flows_due_at=None)
    begun = timezone.now()
    with slow_list(stage, 2 * MINUTE):
        assert check(stage) == [("quiet", flow)]
    checked_at = AlarmWatch.objects.get().checked_at
    assert checked_at
    assert checked_at > begun + MINUTE


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_flow_that_the_engine_refuses_stays_as_it_is_and_the_others_are_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR), on=add_flows(stage, 12))
    check(stage)
    refused, gone = unlisted(stage), unlisted(stage)
    stage.practice.engine.faults.add("status", "GET", f"/v1/flows/{refused}", status=403)
    monkeypatch.setattr(flow_list, "CHECKED", 1)
    for states in ([FlowState.ON, FlowState.ON], [FlowState.ON, FlowState.OFF]):
        before = AlarmWatch.objects.get().flows_at
        assert before
        with pages(stage):
            check(stage)
        found = dict(FlowRhythm.objects.values_list("flow_id", "state"))
        assert [found[refused], found[gone]] == states
        flows_at = AlarmWatch.objects.get().flows_at
        assert flows_at
        assert flows_at > before
    # An engine that refuses the credential says nothing about flows.
    stage.practice.engine.faults.add("status", "GET", "/v1/flows/*", status=401)
    before = flows_at
    with pages(stage):
        check(stage)
    assert AlarmWatch.objects.get().flows_at == before


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_schedule_that_is_too_long_is_not_kept_and_prevents_no_alarm_of_others(stage: Stage) -> None:
    flow = flow_of(stage, "schedule")["id"]
    minutes = ",".join(map(str, range(60)))
    state = stage.practice.engine.state.flows[flow]
    state["triggerSource"]["schedule"] |= {"cronExpression": f"{minutes} * * * *", "timezone": "UTC"}
    quiet = flow_of(stage)["id"]
    only(stage, quiet, every(GAP, datetime.now(UTC) - 36 * HOUR), on=[flow])
    assert check(stage) == [("quiet", quiet)]
    row = FlowRhythm.objects.get(flow_id=flow)
    assert (row.state, row.cron, row.zone) == (FlowState.ON, "", "")


@pytest.mark.slow
def test_a_turn_reads_single_flows_for_a_limited_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = flow_of(stage)["id"]
    only(stage, flow, every(GAP, datetime.now(UTC) - 36 * HOUR), on=add_flows(stage, 12))
    check(stage)
    gone = unlisted(stage)
    monkeypatch.setattr(flow_list, "BUDGET", 0.0)
    with pages(stage):
        check(stage)
    assert not stage.practice.journal.all("GET", f"/v1/flows/{gone}")
    assert FlowRhythm.objects.get(flow_id=gone).state == FlowState.ON
    assert AlarmWatch.objects.get().flows_cursor == ""


@pytest.mark.slow
def test_the_list_is_not_read_with_a_credential_that_is_not_shared_any_more(stage: Stage) -> None:
    silent(stage)
    CredentialShare.objects.all().delete()
    stage.practice.journal.clear()
    check(stage)
    assert not stage.practice.journal.all()

"""A rule that turns a flow off after failures in a row: what counts, who is notified, and how it is turned on again."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from unittest import mock

import pytest
from django.utils import timezone

from tests import flows
from tests.failure_rules.rule_scene import BROKEN, DONE, LIST, actions, add, fail, failed_row, jobs, turning_off, work
from tests.launches.launch_scene import Scene, scene, text_of
from tests.stage import outcomes
from tests.users import credential
from workflows_ui.failure_rules import acting
from workflows_ui.failure_rules.models import Failure, FailureAction, FailureRule
from workflows_ui.failure_rules.noticing import _notice_runs
from workflows_ui.jobs.models import ItemState, Job, JobItem, JobState
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Member, Role
from workflows_ui.notifications.models import Notice, NoticeKind
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME
from workflows_ui.run_index.models import IndexedRun
from workflows_ui.unclear_writes.models import UnclearWrite, WriteState

__all__ = ["scene"]
pytestmark = pytest.mark.django_db
FLOW = "A" * 21


@pytest.fixture
def rule(scene: Scene) -> FailureRule:
    """A rule of the owner for all flows: three failures in a row."""
    now = timezone.now()
    row = FailureRule(
        workspace=scene.users.workspace,
        kind="turn_off",
        owner=scene.users.owner,
        created_at=now,
        since=now - timedelta(hours=1),
        threshold=3,
    )
    row.save(force_insert=True)
    return row


def status(scene: Scene, flow: str) -> str:
    return str(scene.workflows.get_flow(flow)["status"])


@pytest.mark.slow
def test_a_flow_that_fails_again_and_again_is_turned_off_and_one_click_turns_it_on(scene: Scene) -> None:
    broken = flows.make(scene.workflows, "Orders", BROKEN)
    manager = scene.member("manager", Role.MANAGER)
    rule = turning_off(scene, broken)
    fail(scene, broken)
    work(scene)
    assert status(scene, broken) == "ENABLED"
    fail(scene, broken)
    work(scene)
    assert status(scene, broken) == "DISABLED"
    assert actions() == [DONE]
    (job,) = jobs()
    assert (job.user, job.action) == (scene.users.owner, "turn-off")
    assert ("failure_rule.turn_off", "done") in outcomes()
    assert ("flows.turn-off", "done") in outcomes()
    for person in (scene.users.owner, manager):
        notice = Notice.objects.get(user=person, kind=NoticeKind.FAILURE_RULE)
        assert (notice.about["event"], notice.about["n"], notice.mail_at is not None) == ("turned_off", 2, True)
        assert notice.url == f"/w/sales/flows/{broken}/"
    owner = scene.sign_in(scene.users.owner)
    page = text_of(owner.get(f"/w/sales/flows/{broken}/"))
    assert "A rule turned this flow off" in page
    assert "Turn on again" in page
    assert "It failed 2 times in a row" in page
    assert "Turn on again" not in text_of(scene.browser.get(f"/w/sales/flows/{broken}/"))
    answer = owner.post(f"/w/sales/flows/do/turn-on/{broken}/")
    assert answer.status_code == 303
    assert status(scene, broken) == "ENABLED"
    assert "A rule turned this flow off" not in text_of(owner.get(f"/w/sales/flows/{broken}/"))
    # From then on it is counted anew.
    fail(scene, broken)
    work(scene)
    assert status(scene, broken) == "ENABLED"
    rule.refresh_from_db()
    assert rule.times == 1


def indexed(scene: Scene, ends: Iterable[str], *, flow: str = FLOW, begin: datetime | None = None) -> list[IndexedRun]:
    """Runs of the index, one a minute: F failed, S succeeded, C was cancelled, R runs."""
    states = {"F": "FAILED", "S": "SUCCEEDED", "C": "CANCELED", "R": "RUNNING"}
    moment, found = begin or timezone.now() - timedelta(minutes=30), []
    for place, letter in enumerate(ends):
        created = moment + timedelta(minutes=place)
        row = IndexedRun(
            workspace=scene.users.workspace,
            run_id=f"{flow[0]}{created:%H%M%S}",
            flow_id=flow,
            flow_name="Orders",
            status=states[letter],
            created=created,
            finished=None if letter == "R" else created + timedelta(seconds=1),
            fingerprint=int(letter == "F"),
        )
        row.save()
        found.append(row)
    return found


def notice(scene: Scene, rows: Iterable[IndexedRun]) -> None:
    _notice_runs(workspace_id=scene.users.workspace.pk, rows=[row for row in rows if row.fingerprint])


@pytest.mark.parametrize(
    ("ends", "off"),
    [
        ("FF", False),
        ("FFF", True),
        ("FFSF", False),
        ("SFCFRF", True),
        ("FFFS", False),
        ("FFSFFF", True),
        ("FFCR", False),
    ],
)
def test_failures_in_a_row_are_those_of_the_runs_that_ended_last(
    scene: Scene, rule: FailureRule, ends: str, off: bool
) -> None:
    notice(scene, indexed(scene, ends))
    acting.act(scene.users.workspace.pk)
    assert len(jobs()) == off


def test_a_run_that_ends_late_counts_where_it_ended(scene: Scene, rule: FailureRule) -> None:
    rows = indexed(scene, "SFFF")
    # It began first and succeeds last.
    IndexedRun.objects.filter(pk=rows[0].pk).update(finished=timezone.now())
    notice(scene, rows)
    acting.act(scene.users.workspace.pk)
    assert jobs() == []


def test_failures_of_different_flows_and_before_the_rule_do_not_count(scene: Scene, rule: FailureRule) -> None:
    notice(scene, [*indexed(scene, "FF"), *indexed(scene, "FF", flow="B" * 21)])
    FailureRule.objects.update(since=timezone.now() - timedelta(minutes=20))
    notice(scene, indexed(scene, "FFF", flow="C" * 21, begin=timezone.now() - timedelta(minutes=21, seconds=30)))
    acting.act(scene.users.workspace.pk)
    assert jobs() == []


def test_a_failure_that_is_noticed_twice_turns_off_once_and_a_flow_that_is_being_turned_off_is_left(
    scene: Scene, rule: FailureRule
) -> None:
    rows = indexed(scene, "FFFF")
    notice(scene, rows)
    acting.act(scene.users.workspace.pk)
    notice(scene, rows)
    Failure.objects.update(due_at=timezone.now())
    acting.act(scene.users.workspace.pk)
    assert len(jobs()) == FailureAction.objects.count() == 1


def test_a_rule_of_the_flow_takes_the_place_of_one_for_all_flows(scene: Scene, rule: FailureRule) -> None:
    own = FailureRule(
        workspace=scene.users.workspace,
        kind="turn_off",
        owner=scene.users.owner,
        flow_id=FLOW,
        created_at=rule.created_at,
        since=rule.since,
        threshold=5,
    )
    own.save(force_insert=True)
    notice(scene, indexed(scene, "FFFF"))
    acting.act(scene.users.workspace.pk)
    assert jobs() == []
    notice(scene, indexed(scene, "F", begin=timezone.now() - timedelta(minutes=1)))
    acting.act(scene.users.workspace.pk)
    assert FailureAction.objects.get().rule == own


def test_a_flow_that_was_off_already_is_no_news(scene: Scene) -> None:
    broken = flows.make(scene.workflows, "Orders", BROKEN)
    turning_off(scene, broken)
    fail(scene, broken)
    fail(scene, broken)
    scene.workflows.apply_flow_operation(broken, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    work(scene)
    assert actions() == [("not_done", "already_off")]
    assert not Notice.objects.filter(kind=NoticeKind.FAILURE_RULE).exists()


def test_while_the_write_is_being_checked_nobody_is_notified_then_it_is_settled(
    scene: Scene, rule: FailureRule
) -> None:
    notice(scene, indexed(scene, "FFF"))
    acting.act(scene.users.workspace.pk)
    (job,) = jobs()
    JobItem.objects.update(state=ItemState.UNCLEAR)
    Job.objects.update(state=JobState.ENDED)
    write = UnclearWrite.objects.create(
        workspace=scene.users.workspace,
        user=scene.users.owner,
        resource="flows",
        action="turn-off",
        object_id=FLOW,
        path=f"/w/sales/jobs/{job.pk}/",
        asked_at=timezone.now(),
    )
    acting.act(scene.users.workspace.pk)
    assert actions() == [("waiting", "")]
    page = text_of(scene.sign_in(scene.users.owner).get(f"{LIST}{rule.pk}/"))
    assert "The flow is being turned off" in page
    UnclearWrite.objects.filter(pk=write.pk).update(state=WriteState.DONE)
    JobItem.objects.update(state=ItemState.DONE)
    assert acting.due() == [scene.users.workspace.pk]
    acting.act(scene.users.workspace.pk)
    assert actions() == [DONE]
    assert Notice.objects.get(user=scene.users.owner, kind=NoticeKind.FAILURE_RULE).about["event"] == "turned_off"


@pytest.mark.slow
def test_a_job_whose_credential_is_refused_stops_the_rule_and_the_flow_stays_on(scene: Scene) -> None:
    broken = flows.make(scene.workflows, "Orders", BROKEN)
    rule = turning_off(scene, broken)
    fail(scene, broken)
    fail(scene, broken)
    acting.act(scene.users.workspace.pk)
    users = scene.users
    users.credential.delete()
    credential(users.workspace, users.owner, "not-a-token-of-the-engine-271828")
    (job,) = jobs()
    while worker.turn(job.pk, BY_NAME):
        pass
    acting.act(users.workspace.pk)
    assert actions() == [("not_done", "not_turned_off")]
    rule.refresh_from_db()
    assert rule.state == "stopped"
    assert status(scene, broken) == "ENABLED"


def test_an_owner_who_may_not_change_flows_any_more_turns_none_off(scene: Scene, rule: FailureRule) -> None:
    scene.member("manager", Role.MANAGER)
    Member.objects.filter(user=scene.users.owner).update(role=Role.LAUNCHER)
    notice(scene, indexed(scene, "FFF"))
    acting.act(scene.users.workspace.pk)
    assert jobs() == []
    rule.refresh_from_db()
    assert rule.stopped == "no_right"


@pytest.mark.both_databases
def test_a_worker_that_is_killed_before_the_commit_leaves_no_job(scene: Scene, rule: FailureRule) -> None:
    notice(scene, indexed(scene, "FFF"))
    killed = mock.patch("workflows_ui.failure_rules.services.count", side_effect=SystemExit)
    with killed, pytest.raises(SystemExit):
        acting.act(scene.users.workspace.pk)
    assert jobs() == []
    acting.act(scene.users.workspace.pk)
    assert len(jobs()) == 1


def test_the_number_of_failures_is_limited(scene: Scene) -> None:
    owner = scene.sign_in(scene.users.owner)
    for number in ("1", "51", "x", ""):
        assert add(owner, "turn_off", threshold=number).status_code == 422
    assert add(owner, "turn_off", threshold="2", agreed="").status_code == 422
    assert not FailureRule.objects.exists()
    assert failed_row(scene, FLOW).state == "failed"
    assert Launch.objects.count() == 1
    assert not Failure.objects.exists()

"""A rule that runs a flow: once for each failure, for its owner, and never because of its own failures."""

import threading
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.failure_rules.rule_scene import BROKEN, DONE, ECHO, LIST, actions, add, fail, failed_row, launching, work
from tests.launches.launch_scene import Scene, scene, text_of
from tests.stage import outcomes
from tests.users import credential, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.failure_rules import acting, chains
from workflows_ui.failure_rules.models import Failure, FailureAction, FailureRule
from workflows_ui.failure_rules.noticing import _notice_launch, _notice_runs
from workflows_ui.launches.models import Launch, RunRetry, State
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.notifications.models import Notice, NoticeKind
from workflows_ui.run_index.models import IndexedRun

__all__ = ["scene"]
pytestmark = pytest.mark.django_db
HANDLER = "H" * 21
FLOW = "A" * 21


@pytest.fixture
def rule(scene: Scene) -> FailureRule:
    """A rule of the owner for all flows, whose flow is on no engine."""
    now = timezone.now()
    users = scene.users
    row = FailureRule(
        workspace=users.workspace,
        kind="launch",
        owner=users.owner,
        created_at=now,
        since=now - timedelta(minutes=1),
        handler_id=HANDLER,
        handler_name="Clean up",
        credential=users.credential,
    )
    row.save(force_insert=True)
    return row


def handled() -> list[Launch]:
    return list(Launch.objects.filter(failure_action__isnull=False).order_by("asked_at"))


def test_a_failure_launches_the_flow_for_the_owner_with_the_failure_as_its_inputs(scene: Scene) -> None:
    handler = flows.make(scene.workflows, "Clean up", ECHO)
    broken = flows.make(scene.workflows, "Orders", BROKEN)
    rule = launching(scene, handler, broken)
    failed = fail(scene, broken)
    (launch,) = work(scene)
    launch = scene.watch(launch)
    assert (launch.user, launch.flow_id, launch.credential) == (scene.users.owner, handler, scene.users.credential)
    assert launch.state == "succeeded"
    given = launches.open_payload(launch)
    assert given["event"] == "flow_failed"
    assert given["workspace"] == {"id": "sales", "name": "Sales"}
    assert given["flow"] == {"id": broken, "name": "Orders"}
    assert given["run"]["id"] == failed.run_id
    assert given["run"]["failed_at"].endswith("Z")
    assert "thiếu cột sku" in given["message"]
    assert given["link"].endswith(f"/w/sales/launches/{failed.pk}/")
    assert given["rule"] == {"id": rule.pk, "owner": scene.users.owner.label}
    assert work(scene) == []
    page = scene.page(launch, scene.sign_in(scene.users.owner))
    assert "Because of the failure of" in page
    assert f"/w/sales/launches/{failed.pk}/" in page
    rule.refresh_from_db()
    assert rule.times == 1
    assert ("failure_rule.launch", "done") in outcomes()
    asked = AuditEvent.objects.filter(action="launch.ask").latest("pk")
    assert (asked.user, asked.detail["rule"]) == (scene.users.owner, rule.pk)


def test_a_failure_that_is_noticed_twice_launches_once(scene: Scene, rule: FailureRule) -> None:
    failed = failed_row(scene, FLOW)
    _notice_launch(launch_id=failed.pk)
    run = IndexedRun(workspace=scene.users.workspace, run_id=failed.run_id, flow_id=FLOW, created=timezone.now())
    _notice_runs(workspace_id=scene.users.workspace.pk, rows=[run])
    acting.act(scene.users.workspace.pk)
    _notice_runs(workspace_id=scene.users.workspace.pk, rows=[run])
    Failure.objects.update(due_at=timezone.now())
    acting.act(scene.users.workspace.pk)
    assert Failure.objects.count() == len(handled()) == 1
    assert actions() == [DONE]


def test_a_launch_whose_run_the_index_knows_already_is_no_second_failure(scene: Scene, rule: FailureRule) -> None:
    failed = failed_row(scene, FLOW, run_id="", poll_at=timezone.now())
    assert Failure.objects.get().key == f"launch:{failed.pk}"
    assert work(scene) == []
    assert Failure.objects.get().due_at is not None
    run = IndexedRun(workspace=scene.users.workspace, run_id="R" * 21, flow_id=FLOW, created=timezone.now())
    _notice_runs(workspace_id=scene.users.workspace.pk, rows=[run])
    Launch.objects.filter(pk=failed.pk).update(run_id="R" * 21)
    work(scene)
    assert len(handled()) == 1
    assert not Failure.objects.exclude(due_at=None).exists()


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_launch_once(scene: Scene, rule: FailureRule) -> None:
    for number in range(5):
        failed_row(scene, FLOW, run_id=f"R{number:020}")
    start = threading.Barrier(2)

    def act() -> None:
        try:
            start.wait(10)
            acting.act(scene.users.workspace.pk)
        finally:
            connection.close()

    workers = [threading.Thread(target=act) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(30)
    assert len(handled()) == FailureAction.objects.count() == 5
    assert actions() == [DONE] * 5


@pytest.mark.both_databases
def test_a_worker_that_is_killed_leaves_nothing_or_everything(scene: Scene, rule: FailureRule) -> None:
    failed_row(scene, FLOW)
    killed = mock.patch("workflows_ui.failure_rules.services.count", side_effect=SystemExit)
    with killed, pytest.raises(SystemExit):
        acting.act(scene.users.workspace.pk)
    assert handled() == []
    assert Failure.objects.get().due_at is not None
    assert acting.due() == [scene.users.workspace.pk]
    acting.act(scene.users.workspace.pk)
    # After the commit: the row is enqueued by the next tick.
    acting.act(scene.users.workspace.pk)
    assert [launch.state for launch in handled()] == ["queued"]


@pytest.mark.slow
def test_the_failure_of_a_handler_starts_no_flow_of_any_rule_in_any_workspace(scene: Scene) -> None:
    handler = flows.make(scene.workflows, "Clean up", BROKEN)
    broken = flows.make(scene.workflows, "Orders", BROKEN)
    other = flows.make(scene.workflows, "Another", ECHO)
    launching(scene, handler, broken)
    launching(scene, other, handler)
    launching(scene, other)
    fail(scene, broken)
    first, second = work(scene)
    ended = {scene.watch(launch).flow_id: scene.watch(launch) for launch in (first, second)}
    assert ended[handler].state == "failed"
    assert work(scene) == []
    assert [reason for _state, reason in actions() if reason] == ["own_chain", "own_chain"]
    # A second workspace on the same project, which reads the same run.
    users = scene.users
    twin = workspace("twin", address="http://127.0.0.1:9/other", project=users.workspace.project_id)
    Member.objects.create(workspace=twin, user=users.owner, role=Role.MANAGER)
    key = credential(twin, users.owner, "secret")
    FailureRule(
        workspace=twin,
        kind="launch",
        owner=users.owner,
        created_at=timezone.now(),
        since=timezone.now() - timedelta(hours=1),
        handler_id=HANDLER,
        credential=key,
    ).save(force_insert=True)
    run = IndexedRun(
        workspace=twin, run_id=ended[handler].run_id, flow_id=handler, status="FAILED", created=timezone.now()
    )
    _notice_runs(workspace_id=twin.pk, rows=[run])
    acting.act(twin.pk)
    assert actions()[-1] == ("not_done", "own_chain")
    assert not Launch.objects.filter(workspace=twin).exists()


def indexed(scene: Scene, run: str, parent: str, flow: str = FLOW, space: Workspace | None = None) -> IndexedRun:
    row = IndexedRun(
        workspace=space or scene.users.workspace,
        run_id=run,
        parent_id=parent,
        flow_id=flow,
        status="FAILED",
        created=timezone.now(),
    )
    row.save()
    return row


def known(scene: Scene, row: IndexedRun) -> Failure:
    return Failure(
        workspace=row.workspace, run_id=row.run_id, parent_id=row.parent_id, flow_id=row.flow_id, failed_at=row.created
    )


def test_a_run_belongs_to_the_chain_of_a_rule_at_any_distance(scene: Scene, rule: FailureRule) -> None:
    failed_row(scene, FLOW)
    acting.act(scene.users.workspace.pk)
    (launch,) = handled()
    Launch.objects.filter(pk=launch.pk).update(run_id="H1", state="failed")
    indexed(scene, "H1", launch.pk, HANDLER)
    indexed(scene, "S1", "H1")
    deep = indexed(scene, "S2", "S1")
    assert chains.chain_of(known(scene, deep)) is chains.Chain.OWN
    # Without the marker, the run is known by its launch; a repeated run by the retry.
    assert chains.chain_of(known(scene, indexed(scene, "X1", "H1"))) is chains.Chain.OWN
    RunRetry.objects.create(
        workspace=scene.users.workspace,
        user=scene.users.owner,
        launch=launch,
        run_id="H1",
        new_run_id="H2",
        asked_at=timezone.now(),
    )
    assert chains.chain_of(known(scene, indexed(scene, "H2", "", HANDLER))) is chains.Chain.OWN
    assert chains.chain_of(known(scene, indexed(scene, "O1", ""))) is chains.Chain.OTHER
    # The rule is removed; its launches still count.
    rule.delete()
    assert chains.chain_of(known(scene, deep)) is chains.Chain.OWN


def test_runs_that_call_each_other_or_come_from_an_unknown_run_start_no_flow(scene: Scene, rule: FailureRule) -> None:
    indexed(scene, "C1", "C2")
    indexed(scene, "C2", "C1")
    assert chains.chain_of(known(scene, IndexedRun.objects.get(run_id="C1"))) is chains.Chain.OWN
    assert chains.chain_of(known(scene, indexed(scene, "C3", "never-read"))) is chains.Chain.OWN


def test_while_a_launch_of_a_rule_has_not_found_its_run_a_failure_of_its_flow_waits(
    scene: Scene, rule: FailureRule
) -> None:
    failed_row(scene, FLOW)
    acting.act(scene.users.workspace.pk)
    (launch,) = handled()
    second = FailureRule(
        workspace=scene.users.workspace,
        kind="launch",
        owner=scene.users.owner,
        created_at=timezone.now(),
        since=timezone.now() - timedelta(hours=1),
        handler_id="Z" * 21,
        credential=scene.users.credential,
    )
    second.save(force_insert=True)
    Launch.objects.filter(pk=launch.pk).update(state="sending", sending_at=timezone.now())
    run = indexed(scene, "H1", "", HANDLER)
    _notice_runs(workspace_id=scene.users.workspace.pk, rows=[run])
    acting.act(scene.users.workspace.pk)
    assert len(handled()) == 1
    Launch.objects.filter(pk=launch.pk).update(state="running", run_id="H1")
    Failure.objects.exclude(due_at=None).update(due_at=timezone.now())
    acting.act(scene.users.workspace.pk)
    assert len(handled()) == 1
    assert actions()[-1] == ("not_done", "own_chain")


@pytest.mark.parametrize("lost", ["role", "membership", "account", "credential", "refused", "mark"])
def test_a_rule_stops_when_its_owner_loses_the_right_or_the_credential_and_managers_are_notified(
    scene: Scene, rule: FailureRule, lost: str
) -> None:
    users = scene.users
    manager = scene.member("manager", Role.MANAGER)
    if lost == "role":
        Member.objects.filter(user=users.owner).update(role=Role.BUILDER)
    elif lost == "membership":
        Member.objects.filter(user=users.owner).delete()
    elif lost == "account":
        type(users.owner).objects.filter(pk=users.owner.pk).update(is_active=False)
    elif lost == "credential":
        users.credential.delete()
    elif lost == "refused":
        type(users.credential).objects.filter(pk=users.credential.pk).update(health="refused")
    else:
        FailureRule.objects.filter(pk=rule.pk).update(owner=users.colleague)
    failed_row(scene, FLOW, credential=None)
    acting.act(users.workspace.pk)
    assert handled() == []
    rule.refresh_from_db()
    assert rule.state == "stopped"
    assert rule.stop_reason
    assert actions() == [("not_done", "stopped")]
    notice = Notice.objects.get(user=manager, kind=NoticeKind.FAILURE_RULE)
    assert notice.mail_at is not None
    assert ("failure_rule.stop", "stopped") in outcomes()
    page = text_of(scene.sign_in(manager).get(reverse("notices")))
    assert "was stopped" in page
    failed_row(scene, FLOW, run_id="S" * 21, credential=None)
    assert acting.due() == []


def test_a_rule_stops_when_the_engine_refuses_its_launch(scene: Scene, rule: FailureRule) -> None:
    failed_row(scene, FLOW)
    acting.act(scene.users.workspace.pk)
    (launch,) = handled()
    launches.end(launch, State.NOT_SENT, "credential_refused", timezone.now(), rows=Launch.objects.all())
    failed_row(scene, FLOW, run_id="S" * 21)
    acting.act(scene.users.workspace.pk)
    rule.refresh_from_db()
    assert rule.stopped == "refused"


def test_a_launcher_adds_no_rule_and_a_builder_none_for_all_flows(scene: Scene) -> None:
    handler = flows.make(scene.workflows, "Clean up", ECHO)
    values = {"handler": handler, "credential": str(scene.users.credential.pk)}
    assert add(scene.browser, "launch", **values).status_code == 403
    builder = scene.member("builder", Role.BUILDER)
    own = credential(scene.users.workspace, builder, scene.engine.credentials.bearer_token)
    browser = scene.sign_in(builder)
    # Not with the credential of another person, and not for all flows.
    broken = flows.make(scene.workflows, "Orders", BROKEN)
    assert add(browser, "launch", broken, **values).status_code == 422
    mine = values | {"credential": str(own.pk)}
    assert add(browser, "launch", **mine).status_code == 422
    assert add(browser, "launch", broken, **(mine | {"agreed": ""})).status_code == 422
    assert not FailureRule.objects.exists()
    assert add(browser, "launch", broken, **mine).status_code == 303
    assert FailureRule.objects.get().owner == builder


def test_only_the_owner_lets_a_rule_act_again_that_launches_for_them(scene: Scene, rule: FailureRule) -> None:
    manager = scene.sign_in(scene.member("manager", Role.MANAGER))
    builder = scene.sign_in(scene.member("builder", Role.BUILDER))
    url = f"{LIST}{rule.pk}/"
    assert builder.post(f"{url}pause/").status_code == 403
    assert manager.post(f"{url}pause/").status_code == 303
    failed_row(scene, FLOW)
    assert acting.due() == []
    manager.post(f"{url}resume/")
    rule.refresh_from_db()
    assert rule.state == "paused"
    scene.sign_in(scene.users.owner).post(f"{url}resume/")
    rule.refresh_from_db()
    assert rule.state == "active"
    assert manager.post(f"{url}remove/", {"sure": "yes"}).status_code == 303
    assert not FailureRule.objects.exists()


def test_a_rule_is_found_in_its_own_workspace_only(scene: Scene, rule: FailureRule) -> None:
    other = workspace("other")
    Member.objects.create(workspace=other, user=scene.users.stranger, role=Role.MANAGER)
    stranger = scene.sign_in(scene.users.stranger)
    for end in ("", "pause/", "resume/", "remove/"):
        method = stranger.post if end else stranger.get
        assert method(f"/w/other/on-failure/{rule.pk}/{end}").status_code == 404
        assert method(f"{LIST}{rule.pk}/{end}").status_code == 404


def test_while_launching_is_paused_nothing_is_launched_and_nothing_is_made_up_for(
    scene: Scene, rule: FailureRule
) -> None:
    Workspace.objects.update(launching_paused=True)
    failed_row(scene, FLOW)
    acting.act(scene.users.workspace.pk)
    Workspace.objects.update(launching_paused=False)
    acting.act(scene.users.workspace.pk)
    assert actions() == [("not_done", "launching_paused")]
    assert handled() == []


def test_a_rule_launches_so_often_within_an_hour_and_people_are_notified(
    scene: Scene, rule: FailureRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "HOURLY", 2)
    for number in range(4):
        failed_row(scene, FLOW, run_id=f"R{number:020}")
    acting.act(scene.users.workspace.pk)
    assert actions() == [DONE, DONE, ("not_done", "too_many"), ("not_done", "too_many")]
    assert Notice.objects.filter(user=scene.users.owner, kind=NoticeKind.FAILURE_RULE).count() == 1


def test_a_launch_that_has_to_wait_for_the_limit_of_a_minute_is_made_later(
    scene: Scene, rule: FailureRule, settings: object
) -> None:
    settings.LAUNCHES_PER_MINUTE = 1  # type: ignore[attr-defined]
    for number in range(2):
        failed_row(scene, FLOW, run_id=f"R{number:020}")
    acting.act(scene.users.workspace.pk)
    assert actions() == [DONE, ("waiting", "")]
    Launch.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
    Failure.objects.exclude(due_at=None).update(due_at=timezone.now())
    acting.act(scene.users.workspace.pk)
    assert actions() == [DONE, DONE]


def test_failures_before_the_rule_and_late_ones_do_nothing(scene: Scene, rule: FailureRule) -> None:
    run = indexed(scene, "OLD", "")
    run.finished = timezone.now() - timedelta(minutes=30)
    _notice_runs(workspace_id=scene.users.workspace.pk, rows=[run])
    acting.act(scene.users.workspace.pk)
    assert actions() == []
    FailureRule.objects.update(since=timezone.now() - timedelta(days=9))
    run.run_id, run.finished = "OLDER", timezone.now() - timedelta(days=2)
    _notice_runs(workspace_id=scene.users.workspace.pk, rows=[run])
    assert not Failure.objects.exclude(due_at=None).exists()


def test_secrets_and_masks_do_not_keep_a_flow_from_its_inputs(scene: Scene, rule: FailureRule) -> None:
    secret = scene.engine.credentials.bearer_token
    failed = failed_row(scene, FLOW, failure=f"Refused: {secret} password=hunter2-hunter2")
    acting.act(scene.users.workspace.pk)
    (launch,) = handled()
    text = launches.open_payload(launch)["message"]
    assert secret not in text
    assert "hunter2" not in text
    assert "[hidden]" in text
    marked = failed_row(scene, FLOW, run_id="S" * 21, failure="Card 4111", secret_marks=[["card"]])
    acting.act(scene.users.workspace.pk)
    assert launches.open_payload(handled()[-1])["message"] == ""
    assert failed.pk != marked.pk

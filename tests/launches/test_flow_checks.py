"""Before anything is sent, the flow is read with the credential that will be used: obstacles are reported in time."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests import flows
from tests.launches.test_sending import ECHO, Scene
from workflows_ui.credentials.models import Credential
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import flow_checks, sending, sweeping


@pytest.fixture(params=["activepieces", pytest.param("imbrace", marks=pytest.mark.slow)])
def scene(request: pytest.FixtureRequest, db: None) -> Iterator[Scene]:
    made = Scene(request.param)
    made.flow = flows.make(made.workflows, "Quick", ECHO)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, "gateway", Reason.CREDENTIAL_REFUSED),
        (401, "html", Reason.CREDENTIAL_REFUSED),
        (403, "json", Reason.FORBIDDEN),
        (403, "html", Reason.FORBIDDEN),
        (404, "json", Reason.FLOW_GONE),
        (404, "html", Reason.FLOW_GONE),
        (402, "json", Reason.NOT_IN_PLAN),
        (400, "json", Reason.BAD_REQUEST),
    ],
)
def test_a_flow_that_may_not_be_read_is_not_launched(scene: Scene, status: int, body: str, reason: Reason) -> None:
    scene.engine.faults.add("status", "GET", "/v1/flows/*", status=status, body=body)
    launch = scene.launch(scene.flow)
    assert (launch.state, launch.reason, launch.settled) == (State.NOT_SENT, reason, True)
    assert scene.triggers(launch) == 0


def test_an_expired_credential_ends_as_not_sent(scene: Scene) -> None:
    broken = Credential.objects.get(owner=scene.users.colleague)
    broken.secret = broken.seal("secret", "not-a-token-any-more")
    broken.save()
    launch = scene.launch(scene.flow)
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.CREDENTIAL_REFUSED)
    assert scene.triggers(launch) == 0


def test_a_flow_that_is_off_or_gone_is_not_launched(scene: Scene) -> None:
    off = flows.make(scene.workflows, "Off", ECHO, publish=False)
    for flow, reason in ((off, Reason.FLOW_OFF), ("Z" * 21, Reason.FLOW_GONE)):
        launch = scene.launch(flow)
        assert (launch.state, launch.reason, launch.settled) == (State.NOT_SENT, reason, True)
        assert scene.triggers(launch) == 0


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("status", {"status": 500}),
        ("status", {"status": 503}),
        ("html", {}),
        ("too_many", {"seconds": 60}),
        ("reset_before", {}),
    ],
)
def test_an_engine_that_is_not_ready_gets_the_launch_later(scene: Scene, kind: str, more: dict[str, Any]) -> None:
    fault = scene.engine.faults.add(kind, "GET", "/v1/flows/*", **more)
    launch = scene.launch(scene.flow)
    assert (launch.state, launch.reason) == (State.QUEUED, Reason.NOT_READY)
    assert launch.not_before > timezone.now() + timedelta(seconds=more.get("seconds", 1) - 1)
    assert scene.triggers(launch) == 0
    scene.engine.faults.clear(fault.id)
    Launch.objects.update(not_before=timezone.now())
    assert sweeping.to_enqueue() == [launch.pk]
    sending.send(launch.pk)
    assert scene.watch(launch).state == State.SUCCEEDED
    assert scene.triggers(launch) == 1


def test_a_flow_is_read_once_for_many_launches_with_the_same_credential(scene: Scene) -> None:
    scene.engine.journal.clear()
    for _ in range(3):
        scene.launch(scene.flow)
    assert scene.engine.journal.count("GET", f"*/v1/flows/{scene.flow}") == 1


def test_a_flow_is_read_again_after_half_a_minute_and_with_another_secret(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.engine.journal.clear()
    launch = scene.launch(scene.flow)
    credential = Credential.objects.get(owner=scene.users.colleague)
    assert not flow_checks.needed(credential, scene.flow)
    assert flow_checks.needed(scene.users.credential, scene.flow)
    credential.secret = credential.seal("secret", credential.open("secret"))
    assert flow_checks.needed(credential, scene.flow)
    monkeypatch.setattr(flow_checks, "HOLDS", 0.0)
    sending.send(scene.launch(scene.flow, send=False).pk)
    assert scene.engine.journal.count("GET", f"*/v1/flows/{scene.flow}") == 2
    assert scene.watch(launch).state == State.SUCCEEDED


def test_a_claim_that_was_lost_while_the_flow_was_read_sends_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = scene.launch(scene.flow, send=False)
    check = flow_checks.check

    def taken_over(*what: Any) -> None:
        check(*what)
        Launch.objects.filter(pk=launch.pk).update(claim="c" * 32)

    monkeypatch.setattr(flow_checks, "check", taken_over)
    assert sending.send(launch.pk) is None
    launch = scene.now(launch)
    assert (launch.state, launch.claim, scene.triggers(launch)) == (State.CLAIMED, "c" * 32, 0)


def test_reading_the_flow_does_not_use_up_the_time_that_connecting_may_take(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=flow_checks.TIMEOUTS.total) < sending.CLAIM_LEASE / 2
    launch = scene.launch(scene.flow, send=False)
    check = flow_checks.check
    seen: list[datetime | None] = []

    def slow(*what: Any) -> None:
        check(*what)
        Launch.objects.filter(pk=launch.pk).update(claim_until=timezone.now() + timedelta(seconds=1))

    def noted(row: Launch) -> None:
        hold(row)
        seen.append(scene.now(row).claim_until)

    hold = sending.hold
    monkeypatch.setattr(flow_checks, "check", slow)
    monkeypatch.setattr(sending, "hold", noted)
    sending.send(launch.pk)
    assert seen[0] is not None
    assert seen[0] > timezone.now() + sending.CLAIM_LEASE / 2

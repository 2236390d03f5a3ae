"""A rule that posts to a channel: the failures of a flow as one message, and the cause only where the channel names causes."""

import json
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from tests.alarms.alarm_scene import add_runs, flow_of, only, read_again
from tests.alarms.test_channels import Server, send_due, server
from tests.failure_rules.rule_scene import LIST, add
from tests.stage import Stage, stage
from workflows_ui.alarms import channels
from workflows_ui.alarms.models import AlarmChannel, AlarmDelivery
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.failure_rules import acting
from workflows_ui.failure_rules.models import FailureAction, FailureRule
from workflows_ui.members.models import Role, Workspace

__all__ = ["server", "stage"]
pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["activepieces"], indirect=True)]


def channel(stage: Stage, server: Server, **values: Any) -> AlarmChannel:
    given = {"name": "Team", "shape": "slack", "kinds": ["quiet"], "language": "en", "causes": False} | values
    return channels.add(Actor(stage.users.owner), stage.users.workspace, server.url, **given)[0]


def begin(stage: Stage, server: Server, **values: Any) -> str:
    """An index, a channel, and a rule for a flow; the id of the flow."""
    flow = str(flow_of(stage)["id"])
    only(stage, flow, [timezone.now() - timedelta(hours=2)])
    row = channel(stage, server, **values)
    answer = add(stage.browser, "post", flow, channel=str(row.pk))
    assert answer.status_code == 303, answer.content.decode()
    FailureRule.objects.update(since=timezone.now() - timedelta(hours=1))
    return flow


def fail(stage: Stage, flow: str, number: int = 1) -> list[str]:
    now = timezone.now()
    moments = [now - timedelta(seconds=30 + place) for place in range(number)]
    found = add_runs(stage, flow, moments, status="FAILED", seconds=5)
    read_again(stage)
    return found


def act(stage: Stage) -> None:
    acting.act(stage.users.workspace.pk)
    send_due()


def later(minutes: float) -> Any:
    return mock.patch.object(clock, "now", return_value=timezone.now() + timedelta(minutes=minutes))


def test_each_new_failure_is_posted_once_with_its_step_and_a_link(stage: Stage, server: Server) -> None:
    flow = begin(stage, server)
    (run,) = fail(stage, flow)
    act(stage)
    act(stage)
    (body,) = server.bodies
    assert "failed (Sales)" in body["text"]
    assert "The step “Charge &lt;b&gt;card&lt;/b&gt;” failed." in body["text"]
    assert f"/w/sales/runs/{run}/|Open in the console>" in body["text"]
    assert "Refused" not in body["text"]
    assert FailureRule.objects.get().times == 1


@pytest.mark.slow
def test_many_failures_of_a_flow_are_one_message_and_the_next_comes_minutes_later(stage: Stage, server: Server) -> None:
    flow = begin(stage, server)
    fail(stage, flow, 40)
    act(stage)
    assert "failed 40 times" in server.bodies[0]["text"]
    assert "Most recently, the step" in server.bodies[0]["text"]
    assert f"/w/sales/runs/?flow={flow}&status=FAILED|" in server.bodies[0]["text"]
    fail(stage, flow, 2)
    fail(stage, flow, 1)
    act(stage)
    assert len(server.got) == 1
    with later(6):
        act(stage)
        act(stage)
    assert len(server.got) == 2
    assert "failed 3 times" in server.bodies[1]["text"]
    assert FailureAction.objects.filter(delivery=None).count() == 0


@pytest.mark.slow
def test_the_cause_is_named_only_where_the_channel_names_causes(stage: Stage, server: Server) -> None:
    flow = begin(stage, server, causes=True)
    fail(stage, flow)
    act(stage)
    assert "Refused" in server.bodies[0]["text"]
    Workspace.objects.update(causes_in_notices=False)
    fail(stage, flow)
    with later(6):
        act(stage)
    assert "Refused" not in server.bodies[1]["text"]
    assert "The step" in server.bodies[1]["text"]


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "language"), [("generic", "en"), ("teams", "vi"), ("discord", "vi")])
def test_every_kind_of_channel_gets_the_failure(stage: Stage, server: Server, shape: str, language: str) -> None:
    flow = begin(stage, server, shape=shape, language=language)
    (run,) = fail(stage, flow)
    act(stage)
    (body,) = server.bodies
    text = json.dumps(body, ensure_ascii=False)
    assert run in text
    if shape == "generic":
        assert (body["event"], body["failures"], body["run"], body["flow"]["id"]) == ("failure", 1, run, flow)
        headers, raw = server.got[0]
        assert headers["x-console-signature"].startswith("sha256=")
        assert raw
    else:
        assert "thất bại" in text


@pytest.mark.slow
def test_nothing_is_posted_while_the_rule_or_the_channel_is_paused(stage: Stage, server: Server) -> None:
    flow = begin(stage, server)
    AlarmChannel.objects.update(paused=True)
    fail(stage, flow)
    act(stage)
    assert FailureAction.objects.get().reason == "paused"
    AlarmChannel.objects.update(paused=False)
    stage.browser.post(f"{LIST}{FailureRule.objects.get().pk}/pause/")
    fail(stage, flow)
    act(stage)
    assert not AlarmDelivery.objects.exists()
    assert "Paused" in stage.browser.get(LIST).content.decode()


def test_a_person_who_may_not_see_the_run_index_adds_no_rule(stage: Stage, server: Server) -> None:
    begin(stage, server)
    colleague = stage.as_role(Role.BUILDER)
    assert "You cannot add rules" in colleague.get(LIST).content.decode()
    row = AlarmChannel.objects.get()
    page = colleague.get(f"{LIST}add/post/").content.decode()
    assert "You cannot see the failures of this workspace yet" in page
    fail(stage, str(flow_of(stage)["id"]))
    act(stage)
    page = colleague.get(f"{LIST}{FailureRule.objects.get().pk}/").content.decode()
    assert "Charge" not in page
    assert "You may not see the run index" in page
    add(colleague, "post", str(flow_of(stage)["id"]), channel=str(row.pk))
    assert FailureRule.objects.count() == 1

"""Rules for failures in a browser: added, looked at, acted on, and the flow that is turned on again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from tests.alarms.alarm_scene import add_runs, flow_of, only, read_again
from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.stage import Stage, stage
from workflows_ui.alarms import channels
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.failure_rules import acting
from workflows_ui.failure_rules.models import FailureRule
from workflows_ui.launches.services import sending
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME

__all__ = ["stage"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(400),
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
LIST = "/w/sales/on-failure/"


def test_rules_are_added_act_and_are_undone(stage: Stage, window: Window, settings: Any) -> None:
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.1/32"]
    users, flow = stage.users, str(flow_of(stage)["id"])
    others = [key for key, row in stage.practice.engine.state.flows.items() if row["status"] == "ENABLED"]
    only(stage, flow, [timezone.now() - timedelta(hours=2)], on=others)
    given = {"name": "Team “Orders”", "shape": "slack", "kinds": [], "language": "en"}
    channels.add(Actor(users.owner), users.workspace, "http://127.0.0.1:9/hook", **given)
    page = window(users.owner)
    page.goto(LIST)
    expect(page.get_by_text("There is no rule yet")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("link", name="Post to a channel").click()
    page.get_by_label("Channel").select_option(index=1)
    sound_in_every_look(page)
    page.get_by_role("button", name="Add the rule").click()
    expect(page.get_by_text("Nothing has failed since.")).to_be_visible()
    page.goto(f"{LIST}add/launch/?flow={flow}")
    page.get_by_label("Run this flow").select_option(index=1)
    page.get_by_label("I agree that the console launches this flow for me").check()
    page.get_by_text("Inputs of the flow", exact=True).click()
    sound_in_every_look(page)
    page.get_by_role("button", name="Add the rule").click()
    page.goto(f"/w/sales/flows/{flow}/")
    page.get_by_role("link", name="Turn the flow off").click()
    page.get_by_label("After so many failures in a row").fill("2")
    page.get_by_label("I agree that the console turns it off for me").check()
    sound_in_every_look(page)
    page.get_by_role("button", name="Add the rule").click()
    FailureRule.objects.update(since=timezone.now() - timedelta(hours=1))
    now = timezone.now()
    add_runs(stage, flow, [now - timedelta(minutes=place) for place in (1, 2, 3)], status="FAILED", seconds=5)
    read_again(stage)
    started = acting.act(users.workspace.pk)
    for job in started.jobs:
        while worker.turn(job, BY_NAME):
            pass
    for launch in started.launches:
        sending.send(launch)
    acting.act(users.workspace.pk)
    page.goto(LIST)
    sound_in_every_look(page)
    for kind in FailureRule.objects.values_list("pk", flat=True):
        page.goto(f"{LIST}{kind}/")
        sound_in_every_look(page)
    page.goto(f"/w/sales/launches/{started.launches[0]}/")
    expect(page.get_by_text("Because of the failure of")).to_be_visible()
    sound_in_every_look(page)
    page.goto("/notices/")
    sound_in_every_look(page)
    page.goto(f"/w/sales/flows/{flow}/")
    expect(page.get_by_text("A rule turned this flow off")).to_be_visible()
    sound_in_every_look(page)
    page.get_by_role("button", name="Turn on again").click()
    expect(page.get_by_text("A rule turned this flow off")).not_to_be_visible()

"""What tests of rules for failures share: rules that people add on the pages, failures, and the work of workers."""

from typing import Any

from django.test import Client
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene
from workflows_ui.failure_rules import acting
from workflows_ui.failure_rules.models import ActionState, Failure, FailureAction, FailureRule
from workflows_ui.jobs.models import Job
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches, sending
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME

LIST = "/w/sales/on-failure/"
ECHO = flows.code("echo", given="{{trigger.body}}")
BROKEN = flows.code("fail Dòng 7: thiếu cột sku")


def add(browser: Client, kind: str, flow: str = "", **values: Any) -> Any:
    """Add a rule on its page; the answer."""
    url = f"{LIST}add/{kind}/" + (f"?flow={flow}" if flow else "")
    return browser.post(url, {"agreed": "on", "flow": ""} | values)


def launching(scene: Scene, handler: str, flow: str = "", browser: Client | None = None) -> FailureRule:
    """A rule of the owner that runs `handler`."""
    owner = browser or scene.sign_in(scene.users.owner)
    answer = add(owner, "launch", flow, handler=handler, credential=str(scene.users.credential.pk))
    assert answer.status_code == 303, answer.content.decode()
    return FailureRule.objects.latest("created_at")


def turning_off(scene: Scene, flow: str, number: int = 2) -> FailureRule:
    """A rule of the owner that turns the flow off."""
    answer = add(scene.sign_in(scene.users.owner), "turn_off", flow, threshold=number)
    assert answer.status_code == 303, answer.content.decode()
    return FailureRule.objects.latest("created_at")


def fail(scene: Scene, flow: str) -> Launch:
    """A launch of the colleague that fails, until its end is known."""
    launch = scene.launch(flow, '{"sku": 1}')
    return scene.watch(launch)


def work(scene: Scene) -> list[Launch]:
    """What workers do about failures; the launches that follow, sent."""
    Failure.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
    found = []
    for workspace in acting.due():
        started = acting.act(workspace)
        for job in started.jobs:
            while worker.turn(job, BY_NAME):
                pass
        for pk in started.launches:
            sending.send(pk)
            found.append(Launch.objects.get(pk=pk))
    for workspace in acting.due():
        acting.act(workspace)
    return found


def failed_row(scene: Scene, flow: str, **values: Any) -> Launch:
    """A launch that has just failed, without an engine."""
    row = scene.row(flow_id=flow, flow_name="Orders", state="running", run_id=values.pop("run_id", "R" * 21), **values)
    launches.end(row, State.FAILED, "", timezone.now(), rows=Launch.objects.all(), failed_step="Charge")
    return Launch.objects.get(pk=row.pk)


def actions() -> list[tuple[str, str]]:
    """The actions, oldest first, by state and reason."""
    return list(FailureAction.objects.order_by("pk").values_list("state", "reason"))


def jobs() -> list[Job]:
    return list(Job.objects.order_by("asked_at"))


DONE = (ActionState.DONE, "")

"""The page that repairs what a run failed at: what failed, the step's form beside what it was given, test, publish, and the failed runs
started again, each part with its state."""

import re
from typing import Any

import pytest

from tests import flows
from tests.flow_editing.posted_forms import as_posted
from tests.flow_editing.test_step_tests import ended
from tests.practice_engine.fixtures import until
from tests.run_index.index_scene import read_all, start
from tests.stage import HTMX, Stage, lead, outcomes, stage
from tests.stub_engine import text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.flow_editing.models import FlowEdit
from workflows_ui.jobs.models import Job
from workflows_ui.launches.models import RunRetry
from workflows_ui.members.models import Role, Workspace
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resource_admin.resource import RESOURCES

__all__ = ["stage"]
pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("stage", ["activepieces"], indirect=True)]
GOOD = "export const code = async (inputs) => inputs; // practice: echo"
RETRY = "POST /v1/flow-runs/{}/retry"


@pytest.fixture
def flow(stage: Stage) -> str:
    """A published flow: trigger, code that returns its input, code that fails with it."""
    steps = (flows.code("echo", total="{{trigger.body.total}}"), flows.code("fail Stock is gone", n="{{step_1.total}}"))
    return flows.make(stage.session.workflows, "Orders", *steps)


def run(stage: Stage, key: str, *totals: int) -> list[str]:
    """Failed runs of the flow with these inputs, the newest first."""
    for total in totals:
        stage.practice.call("POST", f"/v1/webhooks/{key}", json={"total": total})
    until(lambda: [row["status"] for row in stage.practice.runs(key)] == ["FAILED"] * len(totals))
    return [row["id"] for row in stage.practice.runs(key)]


def address(run_id: str, action: str = "") -> str:
    return f"/w/sales/runs/{run_id}/repair/" + (f"{action}/" if action else "")


def parts(page: Any) -> dict[str, str]:
    return {key: str(part.badge.word) for key, part in page.context["repair"].parts.items()}


def following(page: Any) -> list[str]:
    return [key for key, part in page.context["repair"].parts.items() if part.is_next]


def save(stage: Stage, run_id: str, code: str = GOOD, **headers: Any) -> Any:
    page = stage.browser.get(address(run_id))
    values = as_posted(page.context["form"]) | {"code": code, page.context["ticket_name"]: page.context["ticket"]}
    return stage.browser.post(address(run_id), values, **headers)


def publish(stage: Stage, run_id: str) -> Any:
    page = stage.browser.get(address(run_id))
    form = page.context["repair"].publish_form
    return stage.browser.post(address(run_id, "publish"), {"seen": form.initial["seen"], "action-ticket": "publish"})


def retry(stage: Stage, run_id: str, page: Any = None) -> Any:
    asked = (page or stage.browser.get(address(run_id))).context["repair"].retries
    posted = {"number": asked.number, "way": asked.action.name}
    return stage.browser.post(address(run_id, "retry"), posted)


def work() -> None:
    job = Job.objects.latest("asked_at")
    while worker.turn(job.pk, RESOURCES):
        pass


def test_the_form_of_the_failed_step_is_beside_what_it_was_given(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 71)
    page = stage.browser.get(address(failed))
    shown = text(page.content)
    assert page.context["form"]["code"].value().startswith("// practice: fail")
    assert "Stock is gone" in shown
    assert "What the step was given" in shown
    assert page.context["repair"].failed_step.input.json.text.count("71") == 1
    assert parts(page)["change"] == "Not changed since the failure"
    assert following(page) == ["change"]
    assert f'action="{address(failed)}"' in shown
    assert not stage.writes() or "flows/" not in stage.writes()[-1]


@pytest.mark.slow
def test_a_failed_step_is_repaired_published_and_its_runs_are_retried_in_three_presses(stage: Stage, flow: str) -> None:
    failed = run(stage, flow, 1, 2, 3)
    start(stage)
    read_all(stage)
    saved = save(stage, failed[0])
    assert lead(saved) == f"{address(failed[0])}#repair-test"
    page = stage.browser.get(address(failed[0]))
    assert parts(page)["change"] == "Changed since the failure"
    assert "Publish first" in text(page.content)
    assert following(page) == ["test"]
    assert "What the edit changed" in text(page.content)
    assert lead(publish(stage, failed[0])) == f"{address(failed[0])}#repair-retry"
    page = stage.browser.get(address(failed[0]))
    assert parts(page)["publish"] == "Published since the failure"
    assert following(page) == ["retry"]
    assert "Retry these 3" in text(page.content)
    assert "“Echo” ran before and will run again" in text(page.content)
    retry(stage, failed[0], page)
    work()
    assert RunRetry.objects.count() == 3
    until(lambda: [row["status"] for row in stage.practice.runs(flow)][:3] == ["SUCCEEDED"] * 3)
    page = stage.browser.get(address(failed[0]))
    assert "3 runs were started again." in text(page.content)
    assert "Retry these" not in text(page.content)
    assert [
        ("SUCCEEDED" in str(badge.own) or str(badge.word), number) for badge, number in page.context["repair"].new_runs
    ]
    assert following(page) == []


@pytest.mark.both_databases
def test_pressing_retry_twice_or_in_two_tabs_starts_each_run_once(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    save(stage, failed)
    publish(stage, failed)
    page = stage.browser.get(address(failed))
    retry(stage, failed, page)
    again = retry(stage, failed, page)
    assert lead(again).startswith(address(failed))
    assert Job.objects.count() == 1
    work()
    retry(stage, failed, page)
    assert Job.objects.count() == 1
    assert RunRetry.objects.count() == 1


def test_a_workspace_that_asks_for_reasons_asks_for_one_before_runs_are_retried(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    Workspace.objects.update(reasons_asked=True)
    page = stage.browser.get(address(failed))
    assert 'name="change_reason"' in text(page.content)
    retry(stage, failed, page)
    assert not Job.objects.exists()
    asked = page.context["repair"].retries
    posted = {"number": asked.number, "way": asked.action.name, "change_reason": "The card was replaced"}
    stage.browser.post(address(failed, "retry"), posted)
    assert AuditEvent.objects.get(action="job.begin").reason == "The card was replaced"


def test_without_a_newer_version_the_run_continues_at_the_failed_step(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    page = stage.browser.get(address(failed))
    assert "continues at the step that failed" in text(page.content)
    retry(stage, failed, page)
    work()
    assert RunRetry.objects.get().new_run_id == failed


def test_an_error_in_the_form_keeps_what_was_typed_and_saves_nothing(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    whole, alone = save(stage, failed, ""), save(stage, failed, "", headers=HTMX)
    assert (whole.status_code, alone.status_code) == (422, 422)
    assert "repair-failed" in text(whole.content)
    assert "repair-failed" not in text(alone.content)
    assert not FlowEdit.objects.exists()


@pytest.mark.slow
def test_the_last_edit_is_undone_on_the_page_by_one_press(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    save(stage, failed)
    saved = stage.browser.get(address(failed)).context["repair"].saved
    values = {"edit": saved["edit"].pk, "seen": saved["seen"], "action-ticket": "undo"}
    done = stage.browser.post(address(failed, "undo"), values)
    assert lead(done) == f"{address(failed)}#repair-change"
    page = stage.browser.get(address(failed))
    assert parts(page)["change"] == "Not changed since the failure"


@pytest.mark.slow
def test_the_step_is_tested_with_what_it_was_given(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 7139)
    save(stage, failed)
    page = stage.browser.get(address(failed))
    assert "What “Echo” gave then becomes the sample" in text(page.content)
    posted = {"step": "step_2", "run": failed, "seen": page.context["repair"].seen, "action-ticket": "t"}
    done = stage.browser.post(page.context["repair"].test_url, posted)
    assert done.status_code == 303, text(done.content)[-1500:]
    assert lead(done).startswith(f"{address(failed)}?test=")
    assert outcomes()[-1] == ("flows.step-test", "done")
    page = stage.browser.get(lead(done))
    result = ended(stage, re.search(r'hx-get="([^"]+/test/[^"]*)"', text(page.content))[1])  # type: ignore[index]
    assert "7139" in result
    assert parts(stage.browser.get(lead(done)))["test"] == "Succeeded"
    assert following(stage.browser.get(lead(done))) == ["publish"]


def test_a_test_with_a_run_of_another_flow_is_refused(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    other = flows.make(stage.session.workflows, "Other", flows.code("echo"))
    page = stage.browser.get(f"/w/sales/flows/do/step-test/{other}/", {"step": "step_1", "run": failed})
    values = as_posted(page.context["form"])
    assert stage.browser.post(f"/w/sales/flows/do/step-test/{other}/", values).status_code == 422


def test_the_draft_is_tested_with_the_inputs_of_the_run(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 7139)
    url = stage.browser.get(address(failed)).context["repair"].draft_test_url
    assert "7139" in stage.browser.get(url).context["form"]["payload"].value()


def test_a_flow_that_has_changed_since_the_run_says_so(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    rename = {"type": "SET_SKIP_ACTION", "request": {"names": ["step_1"], "skip": True}}
    stage.session.workflows.apply_flow_operation(flow, rename)
    page = stage.browser.get(address(failed))
    assert "The flow has changed since the run, but not this step." in text(page.content)
    save(stage, failed)
    assert "This step and 1 other step have changed since the run." in text(stage.browser.get(address(failed)).content)


def test_a_change_by_somebody_else_meanwhile_is_asked_about(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    page = stage.browser.get(address(failed))
    values = as_posted(page.context["form"]) | {"code": GOOD}
    skip = {"type": "SET_SKIP_ACTION", "request": {"names": ["step_1"], "skip": True}}
    stage.session.workflows.apply_flow_operation(flow, skip)
    asked = stage.browser.post(address(failed), values)
    assert asked.status_code == 200
    assert "has been changed since" in text(asked.content)
    assert "repair-failed" in text(asked.content)


def test_a_step_that_no_longer_exists_says_so_and_the_runs_can_be_retried(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    client = stage.session.workflows
    client.apply_flow_operation(flow, {"type": "DELETE_ACTION", "request": {"names": ["step_2"]}})
    page = stage.browser.get(address(failed))
    assert "The step is no longer in the flow" in text(page.content)
    assert stage.browser.post(address(failed), {"code": GOOD}).status_code == 303
    client.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    assert "Retry this run" in text(stage.browser.get(address(failed)).content)


def test_a_deleted_flow_says_so(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    stage.practice.engine.faults.add("status", "GET", f"/v1/flows/{flow}", times=9, status=404)
    page = stage.browser.get(address(failed))
    assert page.status_code == 200
    assert parts(page)["change"] == "Deleted"


def test_a_save_that_the_engine_or_a_gateway_refuses_keeps_what_was_typed(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    stage.practice.engine.faults.add("status", "POST", f"/v1/flows/{flow}", times=1, status=403, body="json")
    answer = save(stage, failed)
    assert answer.status_code == 422
    assert GOOD in answer.context["form"]["code"].value()
    assert answer.context["error"] is not None
    assert stage.session.workflows.get_flow(flow)["version"]["state"] == "LOCKED"


@pytest.mark.slow
def test_the_engine_away_leaves_what_failed_on_the_page(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    start(stage)
    read_all(stage)
    stage.practice.engine.faults.add("status", "GET", f"/v1/flows/{flow}", times=9, status=503)
    page = stage.browser.get(address(failed))
    assert page.status_code == 200
    assert "Stock is gone" in text(page.content)
    assert "form" not in page.context or page.context["repair"].trouble


def test_a_run_that_did_not_fail_and_one_that_is_unknown(stage: Stage) -> None:
    key = flows.make(stage.session.workflows, "Orders", flows.code("echo"))
    stage.practice.call("POST", f"/v1/webhooks/{key}", json={})
    until(lambda: [row["status"] for row in stage.practice.runs(key)] == ["SUCCEEDED"])
    [done] = [row["id"] for row in stage.practice.runs(key)]
    assert "There is no failed step to repair." in text(stage.browser.get(address(done)).content)
    assert stage.browser.get(address("z" * 21)).status_code == 404


def test_values_that_are_hidden_are_not_made_samples(stage: Stage) -> None:
    steps = (
        flows.code("echo", password="{{trigger.body.password}}"),
        flows.code("fail no", password="{{step_1.password}}"),
    )
    key = flows.make(stage.session.workflows, "Orders", *steps)
    stage.practice.call("POST", f"/v1/webhooks/{key}", json={"password": "hidden-271828"})
    until(lambda: [row["status"] for row in stage.practice.runs(key)] == ["FAILED"])
    [failed] = [row["id"] for row in stage.practice.runs(key)]
    page = stage.browser.get(address(failed))
    assert "does not show you all values" in text(page.content)
    assert "hidden-271828" not in text(page.content)
    posted = {"step": "step_2", "run": failed, "seen": page.context["repair"].seen, "action-ticket": "t"}
    assert stage.browser.post(page.context["repair"].test_url, posted).status_code == 422


def test_it_is_for_builders_and_names_with_html_are_escaped(stage: Stage) -> None:
    step = flows.code("fail <b>no</b>") | {"displayName": "<i>Charge</i>" + "x" * 10_000}
    key = flows.make(stage.session.workflows, "<u>Orders</u>" * 5, step)
    [failed] = run(stage, key, 1)
    shown = text(stage.browser.get(address(failed)).content)
    assert "<i>Charge" not in shown
    assert "<u>Orders" not in shown
    for role in (Role.LAUNCHER, Role.VIEWER):
        assert stage.as_role(role).get(address(failed)).status_code == 403
        assert stage.as_role(role).post(address(failed, "retry")).status_code == 403


@pytest.mark.slow
def test_the_page_is_one_click_from_the_run_the_failure_and_the_mail(stage: Stage, flow: str) -> None:
    [failed] = run(stage, flow, 1)
    start(stage)
    read_all(stage)
    link = f'href="{address(failed)}"'
    assert link in text(stage.browser.get(f"/w/sales/runs/{failed}/").content)
    failures = text(stage.browser.get("/w/sales/failures/").content)
    urls = set(re.findall(r"/w/sales/failures/\d+/", failures))
    assert any(link in text(stage.browser.get(url).content) for url in urls)
    assert link not in text(stage.as_role(Role.VIEWER).get(f"/w/sales/runs/{failed}/").content)

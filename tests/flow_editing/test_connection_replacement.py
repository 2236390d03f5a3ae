"""One connection instead of another, flow by flow: nothing is published that was not, nothing is turned on, and a kill at any call is
found again from the flow's versions.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils.html import strip_tags

from tests.connection_scene import shown
from tests.practice_engine.player import WEBHOOK_TRIGGER, code_step
from tests.stage import Stage, lead, stage as stage
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import clock
from workflows_ui.engine.operations.flows import Flows
from workflows_ui.flow_editing.models import EditState, FlowEdit
from workflows_ui.jobs.models import ItemState, Job, JobState
from workflows_ui.jobs.services.jobs import Reason
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resources import BY_NAME

Json = dict[str, Any]
ONE = "/v1/flows/*"
OLD, NEW = "mail-old", "mail-new"
#: Settings of a step that was tested.
SAMPLED: Json = {"sampleData": {"sampleDataFileId": "S" * 21, "lastTestDate": "2026-01-01T00:00:00.000Z"}}


class Killed(BaseException):
    """What a kill does to a thread: nothing after this point happens."""


class Company:
    """Two connections of one app, and flows that use the first, made by the engine's own calls."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.practice = stage, stage.practice
        self.project = {"projectId": self.practice.credentials.project_id}
        self.keys = {name: self._connect(name) for name in (OLD, NEW)}

    def _connect(self, name: str) -> str:
        body = {"externalId": name, "displayName": name, "pieceName": "@activepieces/piece-gmail", "type": "NO_AUTH"}
        value = {"value": {"type": "NO_AUTH"}}
        return str(self.call("POST", "/v1/app-connections", body | value | self.project)["id"])

    def call(self, method: str, path: str, body: Json | None = None, **query: Any) -> Json:
        response = self.practice.call(method, path, json=body, params=query or None)
        assert response.status_code < 300, response.text
        found: Json = response.json() if response.content else {}
        return found

    def operate(self, flow: str, kind: str, **request: Any) -> Json:
        return self.call("POST", f"/v1/flows/{flow}", {"type": kind, "request": request})

    def mail(self, subject: str, connection: str = OLD) -> Json:
        values = {"auth": f"{{{{connections['{connection}']}}}}", "receiver": ["a@example.com"], "subject": subject}
        settings = {"pieceName": "@activepieces/piece-gmail", "pieceVersion": "0.9.4", "actionName": "send_email"}
        piece = self.call("GET", "/v1/pieces/@activepieces/piece-gmail")
        settings["pieceVersion"] = piece["version"]
        more = {"input": values | {"body": "x"}, "propertySettings": {}, "errorHandlingOptions": {}}
        return {"name": "step_1", "type": "PIECE", "displayName": "Mail", "valid": True, "settings": settings | more}

    def flow(self, name: str, subject: str = "Published", connection: str = OLD) -> str:
        """A new flow with one mail; never published."""
        key = str(self.call("POST", "/v1/flows", {"displayName": name, **self.project})["id"])
        piece = self.call("GET", "/v1/pieces/@activepieces/piece-webhook")
        trigger = {**WEBHOOK_TRIGGER, "settings": {**WEBHOOK_TRIGGER["settings"], "pieceVersion": piece["version"]}}
        self.operate(key, "UPDATE_TRIGGER", **trigger)
        self.operate(key, "ADD_ACTION", parentStep="trigger", action=self.mail(subject, connection))
        return key

    def off(self, name: str = "Off") -> str:
        """A flow that is off: one version live, a newer one only locked, and a draft, as in `conn_replace_off_console_01`."""
        key = self.flow(name)
        self.operate(key, "LOCK_AND_PUBLISH", status="DISABLED")
        self.operate(key, "UPDATE_ACTION", **self.mail("Locked, never published"))
        self.operate(key, "LOCK_FLOW")
        self.operate(key, "UPDATE_ACTION", **self.mail("Draft"))
        self.operate(key, "ADD_ACTION", parentStep="step_1", action=code_step("step_2"))
        return key

    def look(self, flow: str) -> Json:
        """What is live and what is newest in a flow: subject, connection, state; and whether it is on."""
        row = self.call("GET", f"/v1/flows/{flow}")
        found: Json = {"status": row["status"], "live": None, "newest": self._read(row["version"])}
        if row["publishedVersionId"]:
            live = self.call("GET", f"/v1/flows/{flow}", versionId=row["publishedVersionId"])
            found["live"] = self._read(live["version"])
        return found

    def _read(self, version: Json) -> tuple[str, str, str]:
        values = version["trigger"]["nextAction"]["settings"]["input"]
        name = OLD if OLD in values["auth"] else NEW if NEW in values["auth"] else ""
        return values["subject"], name, version["state"]

    def ask(self) -> Job:
        """The job, looked through and waiting for its confirmation."""
        url = f"/w/sales/connections/do/replace/{self.keys[OLD]}/"
        page = self.stage.browser.get(url)
        data = {page.context["ticket_name"]: page.context["ticket"], "target": self.keys[NEW]}
        answer = self.stage.browser.post(url, data)
        job = Job.objects.latest("asked_at")
        assert lead(answer) == f"/w/sales/jobs/{job.pk}/", shown(answer)
        return turns(job)

    def page(self, job: Job) -> str:
        return shown(self.stage.browser.get(f"/w/sales/jobs/{job.pk}/"))

    def begin(self, job: Job, **typed: str) -> Job:
        self.stage.browser.post(f"/w/sales/jobs/{job.pk}/begin/", typed)
        job.refresh_from_db()
        assert job.state == JobState.RUNNING
        return job

    def replace(self, **typed: str) -> Job:
        return turns(self.begin(self.ask(), **typed))

    def follow(self, job: Job, name: str) -> Job:
        """Press a button of the job's page that leads to another job, and confirm that one."""
        answer = self.stage.browser.post(f"/w/sales/jobs/{job.pk}/{name}/")
        other = Job.objects.get(pk=lead(answer).rstrip("/").rpartition("/")[2])
        assert other.pk != job.pk
        return turns(self.begin(turns(other)))


@pytest.fixture
def company(stage: Stage) -> Company:
    return Company(stage)


def turns(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(not_before=None)
    while worker.turn(job.pk, BY_NAME):
        pass
    job.refresh_from_db()
    return job


def lease_over(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(claim_until=clock.now() - timedelta(seconds=1))


def outcomes(job: Job) -> dict[str, str]:
    return dict(job.items.values_list("object_id", "state"))


def killed_at(number: int, when: str) -> Callable[..., Any]:
    """The client's call that changes a flow, which kills the worker before or after the engine got the call of this number."""
    real, seen = Flows.apply_flow_operation, [0]

    def call(self: Flows, *args: Any, **named: Any) -> Any:
        seen[0] += 1
        if seen[0] == number and when == "before":
            raise Killed
        answer = real(self, *args, **named)
        if seen[0] == number:
            raise Killed
        return answer

    return call


AFTER = {"status": "DISABLED", "live": ("Published", NEW, "LOCKED"), "newest": ("Draft", NEW, "DRAFT")}


@pytest.mark.slow
def test_a_flow_that_is_off_stays_off_and_nothing_is_published_that_was_not(company: Company) -> None:
    key = company.off()
    before = company.call("GET", f"/v1/flows/{key}")
    job = company.replace()
    assert outcomes(job) == {key: ItemState.DONE}, list(job.items.values())
    assert company.look(key) == AFTER
    after = company.call("GET", f"/v1/flows/{key}")
    assert [step["name"] for step in steps(after)] == [step["name"] for step in steps(before)]
    assert OLD in company_rows(company), "the old connection stays"
    assert company.practice.journal.count("POST", "/v1/app-connections/replace") == 0


def steps(flow: Json) -> Iterator[Json]:
    step = flow["version"]["trigger"]
    while step:
        yield step
        step = step.get("nextAction")


def company_rows(company: Company) -> set[str]:
    return {row["externalId"] for row in company.practice.engine.state.connections.values()}


@pytest.mark.slow
def test_every_kind_of_flow_stays_what_it_is(company: Company) -> None:
    never, locked, live, drafted, other = (
        company.flow(name) for name in ("Never", "Locked", "Live", "Both", "Draft only")
    )
    company.operate(locked, "LOCK_FLOW")
    company.operate(live, "LOCK_AND_PUBLISH")
    company.operate(drafted, "LOCK_AND_PUBLISH")
    company.operate(drafted, "UPDATE_ACTION", **company.mail("Draft"))
    company.operate(other, "UPDATE_ACTION", **company.mail("Published", "gmail-sales"))
    company.operate(other, "LOCK_AND_PUBLISH")
    company.operate(other, "UPDATE_ACTION", **company.mail("Draft"))
    live_only = company.flow("Live only")
    company.operate(live_only, "LOCK_AND_PUBLISH")
    company.operate(live_only, "UPDATE_ACTION", **company.mail("Draft", "gmail-sales"))
    job = company.ask()
    event = AuditEvent.objects.get(action="connections.replace", outcome="begun")
    logged = " ".join(strip_tags(shown(company.stage.browser.get(f"/w/sales/audit/{event.pk}/"))).split())
    assert f"Connection that takes over{NEW} (Connected) · {company.keys[NEW]}" in logged
    page = company.page(job)
    for words in (
        f"“{NEW}” takes the place of “{OLD}”.",
        "Only its draft changes. It was never published, and stays so.",
        "It is published again with the same steps and stays on. Its trigger “Catch Webhook” registers again",
        "Only its draft changes: the published version does not use the connection.",
        "The old connection stays until all flows have succeeded",
    ):
        assert words in page, words
    job = turns(company.begin(job))
    assert set(outcomes(job).values()) == {ItemState.DONE}, list(job.items.values())
    found = {name: company.look(key) for name, key in {"never": never, "locked": locked, "live": live}.items()}
    assert found == {
        "never": {"status": "DISABLED", "live": None, "newest": ("Published", NEW, "DRAFT")},
        "locked": {"status": "DISABLED", "live": None, "newest": ("Published", NEW, "LOCKED")},
        "live": {"status": "ENABLED", "live": ("Published", NEW, "LOCKED"), "newest": ("Published", NEW, "LOCKED")},
    }
    published = ("Published", NEW, "LOCKED")
    assert company.look(drafted) == {"status": "ENABLED", "live": published, "newest": ("Draft", NEW, "DRAFT")}
    unused = ("Published", "", "LOCKED")
    assert company.look(other) == {"status": "ENABLED", "live": unused, "newest": ("Draft", NEW, "DRAFT")}
    assert company.look(live_only) == {"status": "ENABLED", "live": published, "newest": ("Draft", "", "DRAFT")}


@pytest.mark.slow
@pytest.mark.both_databases
def test_after_a_kill_at_any_call_it_goes_on_from_where_the_flow_stands(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, calls = 0, 99
    while number < calls:
        number += 1
        for when in ("before", "after"):
            key = company.off(f"Off {number} {when}")
            job = company.begin(company.ask())
            with monkeypatch.context() as patched:
                patched.setattr(Flows, "apply_flow_operation", killed_at(number, when))
                try:
                    turns(job)
                except Killed:
                    lease_over(job)
                else:
                    calls = number
            seen = company.look(key)
            assert (seen["status"], seen["live"][0]) == ("DISABLED", "Published"), (number, when)
            turns(job)
            assert outcomes(job) == {key: ItemState.DONE}, (number, when, list(job.items.values()))
            assert company.look(key) == AFTER, (number, when)
            company.call("DELETE", f"/v1/flows/{key}")
            FlowEdit.objects.all().delete()
    assert number > 5


@pytest.mark.sampled(2)
@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
def test_a_lost_answer_at_any_call_is_followed_by_a_look(company: Company, fault: str) -> None:
    number, played = 0, True
    while played:
        key = company.off(f"Off {number}")
        job = company.begin(company.ask())
        lost = company.practice.engine.faults.add(fault, "POST", ONE, schedule="." * number + "x" + "." * 99, times=1)
        turns(job)
        played = bool(lost.played)
        company.practice.engine.faults.clear()
        seen = company.look(key)
        assert (seen["status"], seen["live"][0]) == ("DISABLED", "Published"), number
        if outcomes(job) != {key: ItemState.DONE}:
            # Not done as far as a look can say: a press goes on from there.
            assert outcomes(job) == {key: ItemState.UNCLEAR}, list(job.items.values())
            assert "It stopped halfway" in company.page(job)
            assert outcomes(company.follow(job, "retry")) == {key: ItemState.DONE}
        assert company.look(key) == AFTER, number
        company.call("DELETE", f"/v1/flows/{key}")
        number += 1
    assert number > 5


@pytest.mark.slow
def test_a_refused_step_brings_the_draft_back_and_says_why(company: Company) -> None:
    key = company.off()
    job = company.begin(company.ask())
    company.practice.engine.faults.add("status", "POST", ONE, status=400, body="invalid", schedule="..x", times=1)
    turns(job)
    assert outcomes(job) == {key: ItemState.FAILED}
    assert "The engine refused it, so the flow is as it was before" in company.page(job)
    seen = company.look(key)
    assert (seen["status"], seen["live"]) == ("DISABLED", ("Published", OLD, "LOCKED"))
    assert seen["newest"][:2] == ("Draft", OLD)
    assert not FlowEdit.objects.filter(flow_id=key).exists()
    assert outcomes(company.follow(job, "retry")) == {key: ItemState.DONE}
    assert company.look(key) == AFTER


def test_a_refused_step_of_a_flow_that_was_never_published_leaves_it_as_it_was(company: Company) -> None:
    key = company.flow("Never published")
    job = company.begin(company.ask())
    company.practice.engine.faults.add("status", "POST", ONE, status=400, body="invalid", schedule="x", times=1)
    turns(job)
    assert outcomes(job) == {key: ItemState.FAILED}
    assert "The engine refused it, so the flow is as it was before" in company.page(job)
    assert company.look(key)["newest"][1] == OLD


def test_a_colleagues_edit_in_between_is_neither_published_nor_overwritten(company: Company) -> None:
    key = company.off()
    job = company.begin(company.ask())
    theirs = {"type": "UPDATE_ACTION", "request": company.mail("Theirs")}
    follow = {"method": "POST", "path": f"/v1/flows/{key}", "body": theirs}
    company.practice.engine.faults.add("followed", "POST", ONE, then=follow, schedule=".x", times=1)
    turns(job)
    assert outcomes(job) == {key: ItemState.FAILED}
    assert "Someone else changed it at the same time" in company.page(job)
    seen = company.look(key)
    assert (seen["status"], seen["live"]) == ("DISABLED", ("Published", OLD, "LOCKED"))
    assert seen["newest"][0] == "Theirs"


def test_a_flow_that_a_person_turned_off_halfway_stays_off(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    key = company.flow("Live")
    company.operate(key, "LOCK_AND_PUBLISH")
    job = company.begin(company.ask())
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Flows, "apply_flow_operation", killed_at(1, "after"))
        turns(job)
    lease_over(job)
    company.operate(key, "CHANGE_STATUS", status="DISABLED")
    assert outcomes(turns(job)) == {key: ItemState.DONE}, list(job.items.values())
    published = ("Published", NEW, "LOCKED")
    assert company.look(key) == {"status": "DISABLED", "live": published, "newest": published}


@pytest.mark.slow
@pytest.mark.both_databases
def test_a_second_job_leaves_a_flow_to_the_one_that_is_at_work_in_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = company.off()
    first, second = company.ask(), company.ask()
    company.begin(first)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Flows, "apply_flow_operation", killed_at(2, "after"))
        turns(first)
    before = company.look(key)
    assert outcomes(turns(company.begin(second))) == {key: ItemState.FAILED}
    assert "Another replacement is at work in this flow." in company.page(second)
    assert company.look(key) == before
    lease_over(first)
    assert outcomes(turns(first)) == {key: ItemState.DONE}
    assert company.look(key) == AFTER


@pytest.mark.slow
def test_the_history_shows_it_and_undo_brings_each_flow_back(company: Company) -> None:
    key, live = company.off(), company.flow("Live")
    company.operate(live, "LOCK_AND_PUBLISH")
    mixed = company.flow("Mixed", connection=NEW)
    job = company.replace()
    assert set(outcomes(job)) == {key, live}
    assert FlowEdit.objects.get(flow_id=key).state == EditState.DONE
    event = AuditEvent.objects.get(object_id=key, action="flows.replace-connection")
    assert (event.outcome, event.detail["job"]) == ("done", job.pk)
    assert "Use another connection instead" in shown(company.stage.browser.get(f"/w/sales/flows/{key}/?tab=history"))
    assert 'id="job-undo"' in company.page(job)
    undone = company.follow(job, "undo")
    assert set(outcomes(undone).values()) == {ItemState.DONE}, list(undone.items.values())
    assert company.look(key) == AFTER | {"live": ("Published", OLD, "LOCKED"), "newest": ("Draft", OLD, "DRAFT")}
    assert company.look(live)["live"] == ("Published", OLD, "LOCKED")
    assert company.look(mixed)["newest"] == ("Published", NEW, "DRAFT"), "it used that one before"
    page = company.page(job)
    assert 'id="job-undo"' not in page
    assert f'<a href="/w/sales/jobs/{undone.pk}/">View the job that undoes it</a>' in page
    assert "It was undone." in page
    number = Job.objects.count()
    answer = company.stage.browser.post(f"/w/sales/jobs/{job.pk}/undo/")
    assert lead(answer) == f"/w/sales/jobs/{job.pk}/"
    assert "Another job undoes it, or has undone it already." in company.page(job)
    assert Job.objects.count() == number


@pytest.mark.slow
def test_an_undo_that_nobody_confirmed_is_found_again_and_one_that_was_declined_is_offered_again(
    company: Company,
) -> None:
    company.off()
    job = company.replace()
    url = f"/w/sales/jobs/{job.pk}/undo/"
    first = lead(company.stage.browser.post(url))
    assert lead(company.stage.browser.post(url)) == first
    assert 'id="job-undo"' in company.page(job)
    turns(Job.objects.latest("asked_at"))
    company.stage.browser.post(f"{first}stop/")
    assert lead(company.stage.browser.post(url)) not in (first, f"/w/sales/jobs/{job.pk}/")


def test_what_happens_to_each_flow_is_said_in_the_language_of_the_reader(company: Company) -> None:
    key = company.flow("Live")
    company.operate(key, "LOCK_AND_PUBLISH")
    job = company.ask()
    assert "It is published again with the same steps and stays on." in company.page(job)
    company.stage.browser.cookies["django_language"] = "vi"
    page = company.page(job)
    assert "It is published again" not in page
    assert "Luồng được xuất bản lại với các bước như cũ và vẫn bật." in page
    # A job of an earlier release.
    Job.objects.update(affected=[["Live", "It is published again.", ["One", "Two"]]])
    assert "<strong>Live</strong>: It is published again. One, Two" in company.page(job)


# Newer engines have no tools with connections.
@pytest.mark.parametrize("stage", ["imbrace"], indirect=True)
def test_a_connection_that_only_an_mcp_server_uses_is_not_replaced_by_a_job(company: Company) -> None:
    acts_with(company, OLD)
    (server,) = company.stage.session.workflows.list_mcp_servers()["data"]
    url = f"/w/sales/connections/do/replace/{company.keys[OLD]}/"
    answer = company.stage.browser.post(url, {"target": company.keys[NEW]})
    assert answer.status_code == 422
    page = shown(answer)
    assert f"No flow uses “{OLD}”, so there is nothing to change." in page
    assert f'<a href="/w/sales/mcp-servers/{server["id"]}/">Assistant' in page
    assert not Job.objects.exists()


def test_a_connection_that_nothing_uses_is_not_replaced_by_a_job(company: Company) -> None:
    url = f"/w/sales/connections/do/replace/{company.keys[OLD]}/"
    answer = company.stage.browser.post(url, {"target": company.keys[NEW]})
    assert answer.status_code == 422
    assert f"No flow uses “{OLD}”, so there is nothing to change." in shown(answer)
    assert "“Delete” on its page removes it." in shown(answer)
    assert not Job.objects.exists()


def acts_with(company: Company, connection: str) -> None:
    """An MCP server with a tool that acts with this connection; another one before is gone."""
    client = company.stage.session.workflows
    names = {"pieceName": "@activepieces/piece-gmail", "actionName": "send_email", "actionDisplayName": "Mail"}
    piece = names | {"pieceVersion": "0.9.4", "logoUrl": "", "connectionExternalId": connection}
    for server in client.list_mcp_servers()["data"]:
        client.delete_mcp_server(server["id"])
    tools = [{"type": "PIECE", "toolName": "mail", "pieceMetadata": piece}]
    client.update_mcp_server(client.create_mcp_server({"name": "Assistant"})["id"], {"tools": tools})


# Newer engines have no tools with connections.
@pytest.mark.slow
@pytest.mark.parametrize("stage", ["imbrace"], indirect=True)
def test_the_old_connection_is_deleted_only_if_asked_and_only_if_nothing_names_it(company: Company) -> None:
    key = company.off()
    job = company.ask()
    assert "Delete the old connection at the end" in company.page(job)
    company.begin(job, delete="on")
    late = company.flow("Made after the question")
    turns(job)
    assert (job.state, job.reason) == (JobState.ENDED, Reason.STILL_THERE)
    assert "the old connection is still there" in company.page(job)
    assert OLD in company_rows(company)
    acts_with(company, OLD)
    again = company.replace(delete="on")
    assert (outcomes(again), again.reason) == ({late: ItemState.DONE}, Reason.USED_BY_SERVER)
    assert "An MCP server uses it" in company.page(again)
    assert OLD in company_rows(company)
    acts_with(company, NEW)
    last = company.flow("Made even later")
    again = company.replace(delete="on")
    assert (outcomes(again), again.reason) == ({last: ItemState.DONE}, "")
    assert OLD not in company_rows(company)
    assert company.look(key) == AFTER
    deleted = AuditEvent.objects.filter(action="connections.delete", object_id=company.keys[OLD])
    assert set(deleted.values_list("outcome", flat=True)) == {"begun", "done"}


@pytest.mark.slow
def test_no_flow_gets_a_connection_that_is_gone(company: Company) -> None:
    key = company.flow("Live")
    company.operate(key, "LOCK_AND_PUBLISH")
    job = company.begin(company.ask())
    company.call("DELETE", f"/v1/app-connections/{company.keys[NEW]}")
    before = company.look(key)
    assert outcomes(turns(job)) == {key: ItemState.FAILED}
    assert f"The connection “{NEW}” is no longer there." in company.page(job)
    assert outcomes(company.follow(job, "retry")) == {key: ItemState.FAILED}
    assert company.look(key) == before


@pytest.mark.slow
def test_undo_brings_no_connection_back_that_was_deleted_elsewhere(company: Company) -> None:
    key = company.flow("Live")
    company.operate(key, "LOCK_AND_PUBLISH")
    job = company.replace()
    company.call("DELETE", f"/v1/app-connections/{company.keys[OLD]}")
    before = company.look(key)
    company.stage.browser.post(f"/w/sales/jobs/{job.pk}/undo/")
    other = turns(Job.objects.exclude(pk=job.pk).get())
    assert f"Left as it is: The connection “{OLD}” is no longer there." in company.page(other)
    assert outcomes(turns(company.begin(other))) == {key: ItemState.FAILED}
    assert company.look(key) == before


@pytest.mark.slow
def test_a_draft_is_brought_back_if_the_new_connection_is_gone_halfway(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = company.off()
    job = company.begin(company.ask())
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Flows, "apply_flow_operation", killed_at(3, "after"))
        turns(job)
    lease_over(job)
    company.call("DELETE", f"/v1/app-connections/{company.keys[NEW]}")
    assert outcomes(turns(job)) == {key: ItemState.FAILED}
    seen = company.look(key)
    assert (seen["live"], seen["newest"][:2]) == (("Published", OLD, "LOCKED"), ("Draft", OLD))


@pytest.mark.slow
def test_what_deleted_the_old_connection_cannot_be_undone(company: Company) -> None:
    company.off()
    job = company.replace(delete="on")
    page = company.page(job)
    assert f"It cannot be undone, since the connection “{OLD}” was deleted." in page
    assert 'id="job-undo"' not in page
    company.stage.browser.post(f"/w/sales/jobs/{job.pk}/undo/")
    assert list(Job.objects.all()) == [job]


def test_a_connection_does_not_take_its_own_place(company: Company) -> None:
    url = f"/w/sales/connections/do/replace/{company.keys[OLD]}/"
    page = company.stage.browser.get(url)
    data = {page.context["ticket_name"]: page.context["ticket"], "target": company.keys[OLD]}
    assert company.stage.browser.post(url, data).status_code == 422
    assert OLD in company_rows(company)
    assert not Job.objects.exists()


def test_the_action_of_the_job_is_no_button_and_no_address(company: Company) -> None:
    key = company.off()
    for url in (f"/w/sales/flows/do/replace-connection/{key}/", "/w/sales/flows/many/replace-connection/"):
        assert company.stage.browser.post(url, {"id": [key, key[::-1]]}).status_code == 404
    assert json.dumps(company.look(key)) == json.dumps(AFTER).replace(NEW, OLD)


@pytest.mark.slow
def test_the_choice_to_lose_samples_is_offered_only_where_a_flow_loses_some(company: Company) -> None:
    company.practice.engine.settings.version = "0.72.4"
    offered = "Also change flows that lose something"
    key = company.off()
    assert offered not in company.page(company.ask())
    company.operate(
        key, "UPDATE_ACTION", **{**code_step("step_2"), "settings": SAMPLED | code_step("step_2")["settings"]}
    )
    job = company.ask()
    assert offered in company.page(job)
    assert "unless you choose otherwise below" in company.page(job)
    # Rows of a job that was asked for before an upgrade do not say it.
    Job.objects.filter(pk=job.pk).update(affected=[row[:3] for row in job.affected])
    assert offered in company.page(job)
    assert outcomes(turns(company.begin(job))) == {key: ItemState.FAILED}
    assert "may be lost" in company.page(job)
    assert outcomes(company.replace(lossy="on")) == {key: ItemState.DONE}

"""What an engine lacks, on pages: said in words, not offered in rows, refused without a call, and looked at again on request."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests import users as people
from tests.engine.servers import NO_ROUTE, Reply
from tests.resource_admin.test_actions import deed
from tests.resource_admin.test_checks import Good
from tests.resources.test_flow_actions import hidden
from tests.stage import Stage, outcomes, stage
from tests.stub_engine import StubEngine, identity, run, text
from tests.users import Users
from workflows_ui import tasks
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials import tasks as credential_tasks
from workflows_ui.credentials.models import Ability, Capability, Inspection
from workflows_ui.credentials.services import capabilities
from workflows_ui.jobs.models import Job
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.resource_admin import capabilities as missing_capabilities, checks as resource_checks

__all__ = ["stage"]

RETRY = f"/w/sales/runs/do/retry/{identity(1)}/"
LOOK = "/w/sales/abilities/look/"
DISABLED = Reply(402, {"code": "FEATURE_DISABLED", "params": {}})


def lacks(place: Workspace, name: str, why: Ability = Ability.NO) -> None:
    Capability.objects.update_or_create(
        workspace=place, name=name, defaults={"state": why, "status": 402, "checked_at": timezone.now()}
    )


@pytest.fixture
def failed(stub_engine: StubEngine) -> StubEngine:
    """An engine with one run that failed."""
    stub_engine.runs = [run(1, "FAILED", failedStep={"name": "step_1", "displayName": "Step"})]
    return stub_engine


# --- A list that the engine does not have


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (Ability.NO, "This engine has no tables."),
        (Ability.NOT_IN_PLAN, "The plan of this engine does not include tables."),
    ],
)
def test_a_list_that_is_lacking_says_why_and_asks_no_engine(
    users: Users, owner: Client, stub_engine: StubEngine, why: Ability, said: str
) -> None:
    lacks(users.workspace, "tables", why)
    for address in ("/w/sales/tables/", f"/w/sales/tables/{identity(1)}/"):
        page = text(owner.get(address).content)
        assert said in page
        assert f'action="{LOOK}"' in page
        assert f'name="next" value="{address}"' in page
    assert not stub_engine.seen


def test_what_is_not_known_is_tried(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    lacks(users.workspace, "tables", Ability.UNKNOWN)
    stub_engine.rows["/tables"] = []
    assert owner.get("/w/sales/tables/").status_code == 200
    assert stub_engine.calls == ["/tables"]


@pytest.mark.parametrize(("reply", "said"), [(DISABLED, "does not include tables"), (NO_ROUTE, "has no tables")])
def test_a_refusal_that_is_met_becomes_the_page_and_is_remembered(
    owner: Client, stub_engine: StubEngine, reply: Reply, said: str
) -> None:
    stub_engine.faults["/tables"] = reply
    assert said in text(owner.get("/w/sales/tables/").content)
    stub_engine.seen.clear()
    assert said in text(owner.get("/w/sales/tables/").content)
    assert not stub_engine.seen


def test_a_credential_that_may_not_and_an_engine_that_is_down_hide_nothing(
    owner: Client, stub_engine: StubEngine
) -> None:
    for reply in (Reply(403, {"code": "PERMISSION_DENIED", "params": {}}), Reply(502, b"<html>no</html>")):
        stub_engine.faults["/tables"] = reply
        assert owner.get("/w/sales/tables/").status_code in (403, 503)
    assert not Capability.objects.filter(state__in=[Ability.NO, Ability.NOT_IN_PLAN]).exists()


def test_the_workspace_next_door_is_not_touched(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    lacks(Workspace.objects.get(slug="elsewhere"), "tables")
    stub_engine.rows["/tables"] = []
    owner.get("/w/sales/tables/")
    assert stub_engine.calls == ["/tables"]


def test_a_filter_that_is_changed_meanwhile_leads_to_the_whole_page(users: Users, owner: Client) -> None:
    lacks(users.workspace, "tables")
    answer = owner.get("/w/sales/tables/?name=x", headers={"HX-Request": "true", "HX-Target": "results"})
    assert answer.headers["HX-Redirect"] == "/w/sales/tables/?name=x"


def test_who_may_not_look_again_is_not_offered_it(users: Users, client: Client) -> None:
    lacks(users.workspace, "tables")
    client.force_login(users.colleague)
    assert LOOK not in client.get("/w/sales/tables/").content.decode()
    assert client.post(LOOK).status_code == 403


# --- An action that the engine does not have


def test_where_a_failed_run_cannot_be_retried_nothing_stands_out_in_its_place(
    users: Users, owner: Client, failed: StubEngine
) -> None:
    lacks(users.workspace, "run-retry", Ability.NOT_IN_PLAN)
    page = text(owner.get(f"/w/sales/runs/{identity(1)}/").content)
    assert 'class="btn btn-primary"' not in page[page.index("page-actions") : page.index('id="object"')]
    assert "Archive</a>" in page


def test_an_action_that_is_lacking_is_left_out_of_rows_and_explained_on_the_page(
    users: Users, owner: Client, failed: StubEngine
) -> None:
    assert RETRY in owner.get("/w/sales/runs/").content.decode()
    lacks(users.workspace, "run-retry", Ability.NOT_IN_PLAN)
    assert RETRY not in owner.get("/w/sales/runs/").content.decode()
    page = text(owner.get(f"/w/sales/runs/{identity(1)}/").content)
    assert RETRY not in page
    assert "The plan of this engine does not include retrying of runs." in page


def test_asking_for_it_all_the_same_is_refused_in_words_without_a_call(
    users: Users, owner: Client, failed: StubEngine
) -> None:
    lacks(users.workspace, "run-retry", Ability.NOT_IN_PLAN)
    for answer in (owner.get(RETRY), owner.post(RETRY)):
        assert answer.status_code == 409
        page = text(answer.content)
        assert "The plan of this engine does not include retrying of runs." in page
        assert "Nothing was sent to the engine." in page
    assert not failed.seen
    assert not AuditEvent.objects.exists()


def test_it_is_not_offered_for_many_either_and_refused(users: Users, owner: Client, failed: StubEngine) -> None:
    many = "/w/sales/runs/many/retry/"
    assert many in owner.get("/w/sales/runs/").content.decode()
    lacks(users.workspace, "run-retry", Ability.NOT_IN_PLAN)
    assert many not in owner.get("/w/sales/runs/").content.decode()
    owner.post(many, {"id": [identity(1), identity(2)]})
    assert not Job.objects.exists()


def test_an_action_of_a_list_that_is_lacking_is_refused_too(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    lacks(users.workspace, "folders")
    assert owner.post("/w/sales/folders/do/new/", {"name": "Sales"}).status_code == 409
    assert not stub_engine.seen


def test_a_plan_that_refuses_is_learnt_from_the_deed(stage: Stage) -> None:
    stage.practice.engine.settings.retries_disabled = True
    key = next(row["id"] for row in stage.practice.runs() if row["status"] == "FAILED")
    address = f"/w/sales/runs/do/retry/{key}/"
    assert stage.browser.post(address, {"sure": "yes"}).status_code == 422
    assert capabilities.read_capabilities(stage.users.workspace).get("run-retry") is Ability.NOT_IN_PLAN
    assert stage.browser.post(address, {"sure": "yes"}).status_code == 409
    # No answer to a write proves that the engine did nothing, whatever is learnt from it.
    assert outcomes() == [("runs.retry", "begun"), ("runs.retry", "unclear")]
    # Somebody looks again, and the plan has grown.
    stage.practice.engine.settings.retries_disabled = False
    stage.browser.post(LOOK)
    # The first attempt may have been carried out: a person says whether to repeat it.
    asked = stage.browser.post(address, {"sure": "yes"})
    assert "This may already have been done" in text(asked.content)
    assert stage.browser.post(address, hidden(asked)).status_code == 303
    assert Capability.objects.get(workspace=stage.users.workspace, name="run-retry").state == Ability.YES


# --- Looking again, and the table


@pytest.mark.slow
def test_looking_again_finds_what_the_engine_got_and_leads_back(stage: Stage) -> None:
    stage.practice.engine.settings.missing_routes = ["/v1/tables"]
    stage.browser.post(LOOK)
    assert "This engine has no tables." in text(stage.browser.get("/w/sales/tables/").content)
    stage.practice.engine.settings.missing_routes = []
    answer = stage.browser.post(LOOK, {"next": "/w/sales/tables/"})
    assert answer.headers["Location"] == "/w/sales/tables/"
    page = text(stage.browser.get("/w/sales/tables/").content)
    assert "The engine was asked again." in page
    assert "This engine has no tables." not in page
    looks = AuditEvent.objects.filter(action="workspace.look", outcome="done")
    assert looks.filter(detail__credential=str(stage.users.credential.pk)).count() == looks.count() == 2


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/w/elsewhere/", ""])
def test_nobody_is_led_out_of_the_workspace(owner: Client, stub_engine: StubEngine, wanted: str) -> None:
    assert owner.post(LOOK, {"next": wanted}).headers["Location"] == "/w/sales/abilities/"


def test_an_engine_that_is_down_is_said_and_nothing_is_forgotten(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    lacks(users.workspace, "tables")
    people.move(users.workspace, address="http://127.0.0.1:9/api")
    owner.post(LOOK)
    page = text(owner.get("/w/sales/abilities/").content)
    assert "The engine cannot be reached" in page
    assert capabilities.read_capabilities(users.workspace).get("tables") is Ability.NO


def test_the_table_says_what_was_seen_and_asks_nobody(users: Users, client: Client, stub_engine: StubEngine) -> None:
    lacks(users.workspace, "tables", Ability.NOT_IN_PLAN)
    Inspection.objects.create(workspace=users.workspace, due_at=timezone.now(), looked_at=timezone.now())
    client.force_login(users.colleague)
    page = text(client.get("/w/sales/abilities/").content)
    assert "Not in the engine&#x27;s plan" in page
    assert "<code>402</code>" in page
    assert "Not known" in page
    assert LOOK not in page
    assert not stub_engine.seen
    client.force_login(users.stranger)
    assert client.get("/w/sales/abilities/").status_code == 404


def test_one_gets_to_the_table_from_the_settings_and_the_credential(users: Users, owner: Client) -> None:
    for address in ("/w/sales/settings/", f"/w/sales/credentials/{users.credential.pk}/"):
        assert 'href="/w/sales/abilities/"' in owner.get(address).content.decode()


def test_looking_needs_a_post_and_the_forms_proof(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    assert owner.get(LOOK).status_code == 405
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(users.owner)
    assert browser.post(LOOK).status_code == 403
    assert not stub_engine.seen


@pytest.mark.slow
def test_looking_again_and_again_is_slowed_down(owner: Client, stub_engine: StubEngine) -> None:
    for _time in range(21):
        owner.post(LOOK)
    seen = len(stub_engine.seen)
    owner.post(LOOK)
    assert len(stub_engine.seen) == seen
    assert "Wait a little, then try again." in text(owner.get("/w/sales/abilities/").content)


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Workspaces that a worker was rung for."""
    rung: list[int] = []
    monkeypatch.setattr(credential_tasks.inspect, "apply_async", lambda args, **_more: rung.append(args[0]))
    return rung


def test_a_tested_credential_rings_for_a_look(
    users: Users, owner: Client, stub_engine: StubEngine, bells: list[int]
) -> None:
    stub_engine.faults[f"/projects/{users.workspace.project_id}"] = Reply(
        200, {"id": users.workspace.project_id, "displayName": "Sales"}
    )
    owner.post(f"/w/sales/credentials/{users.credential.pk}/test/")
    assert bells == [users.workspace.pk]
    assert Inspection.objects.get(pk=users.workspace.pk).credential == users.credential


def test_the_periodic_task_looks_at_those_that_nobody_looked_at_for_a_day(users: Users, bells: list[int]) -> None:
    Inspection.objects.create(workspace=users.workspace, due_at=timezone.now() + timedelta(hours=1))
    Member.objects.filter(user=users.colleague).update(role=Role.BUILDER)
    tasks.news()
    assert bells == []
    Inspection.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    tasks.news()
    assert bells == [users.workspace.pk]


def test_every_capability_that_a_declaration_may_need_has_a_name_for_its_message() -> None:
    assert set(missing_capabilities.NAMES) == set(capabilities.NAMES)


@pytest.mark.parametrize("changes", [{"needs": "flying"}, {"actions": [deed(needs="flying")]}])
def test_a_declaration_names_a_capability_that_there_is(changes: dict[str, object]) -> None:
    resource = type("Changed", (Good,), changes)()
    assert [problem.id for problem in resource_checks.check_resources([resource])] == ["console.E030"]

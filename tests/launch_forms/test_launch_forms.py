"""Launch forms: drafts that no second tab overwrites, versions that stay, and what a proposal learns from."""

from collections.abc import Iterator
from typing import Any

import pytest

from practice_engine.engine import PracticeEngine
from practice_engine.server import serve
from tests import flows
from tests.users import Users, gather, person, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, json_text
from workflows_ui.credentials.services import clients
from workflows_ui.form_schema import schema_in
from workflows_ui.form_schema.document import NOTHING, BadForm, Field, FieldKind, Form
from workflows_ui.launch_forms.models import LaunchForm, LaunchFormVersion
from workflows_ui.launch_forms.services import launch_forms, sources as form_sources
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import files as launch_files
from workflows_ui.members.models import Member, Role
from workflows_ui.members.services import access

pytestmark = pytest.mark.both_databases

FLOW = "F" * 21
ONE = Form((Field("name", ("name",), default="Nguyen Lan"),))
TWO = Form((Field("name", ("name",)), Field("qty", ("qty",), kind=FieldKind.NUMBER)))


@pytest.fixture
def users(db: None) -> Users:
    return gather(workspace("sales"), "a-secret")


def save(users: Users, form: Form, lock: int | None) -> LaunchForm:
    return launch_forms.save(audit_log.Actor(users.owner), users.place(users.owner), FLOW, "Orders", form, lock=lock)


def publish(users: Users, lock: int, words: str = "") -> LaunchFormVersion:
    return launch_forms.publish(audit_log.Actor(users.owner), users.place(users.owner), FLOW, lock=lock, words=words)


def row(users: Users) -> LaunchForm:
    found = launch_forms.find_form(users.workspace, FLOW)
    assert found is not None
    return found


def test_a_draft_is_kept_sealed_and_no_launcher_sees_it(users: Users) -> None:
    saved = save(users, ONE, None)
    assert "Nguyen Lan" not in saved.draft
    assert launch_forms.open_draft(row(users)) == ONE
    assert launch_forms.published(users.workspace, FLOW) is None
    assert list(launch_forms.all_published(users.workspace)) == []


def test_what_is_published_is_what_launchers_see_while_the_next_draft_is_written(users: Users) -> None:
    save(users, ONE, None)
    publish(users, 1, words="First")
    assert launch_forms.open_draft(row(users)) is None
    save(users, TWO, 2)
    found = launch_forms.published(users.workspace, FLOW)
    assert found is not None
    assert (found[0].number, found[0].words, found[1]) == (1, "First", ONE)
    assert [form.flow_id for form in launch_forms.all_published(users.workspace)] == [FLOW]
    assert publish(users, 3).number == 2
    assert [version.number for version in launch_forms.versions(row(users))] == [2, 1]


def test_a_second_tab_is_warned_and_overwrites_nothing(users: Users) -> None:
    save(users, ONE, None)
    with pytest.raises(launch_forms.Stale) as caught:
        save(users, TWO, None)
    assert caught.value.form is not None
    assert caught.value.form.lock == 1
    save(users, TWO, 1)
    for late in (lambda: save(users, ONE, 1), lambda: publish(users, 1)):
        with pytest.raises(launch_forms.Stale):
            late()
    assert launch_forms.open_draft(row(users)) == TWO


def test_an_old_version_becomes_the_draft_and_nothing_is_published_by_it(users: Users) -> None:
    save(users, ONE, None)
    publish(users, 1)
    save(users, TWO, 2)
    publish(users, 3)
    actor, place = audit_log.Actor(users.owner), users.place(users.owner)
    launch_forms.restore(actor, place, FLOW, 1, lock=4)
    assert launch_forms.open_draft(row(users)) == ONE
    found = launch_forms.published(users.workspace, FLOW)
    assert found is not None
    assert found[1] == TWO
    with pytest.raises(LaunchFormVersion.DoesNotExist):
        launch_forms.restore(actor, place, FLOW, 3, lock=5)


def test_an_unpublished_form_keeps_its_versions_and_is_a_draft_again(users: Users) -> None:
    save(users, ONE, None)
    publish(users, 1)
    launch_forms.unpublish(audit_log.Actor(users.owner), users.place(users.owner), FLOW, lock=2)
    assert launch_forms.published(users.workspace, FLOW) is None
    assert launch_forms.open_draft(row(users)) == ONE
    assert row(users).versions.count() == 1


def test_without_a_draft_there_is_nothing_to_publish(users: Users) -> None:
    save(users, ONE, None)
    launch_forms.drop_draft(audit_log.Actor(users.owner), users.place(users.owner), FLOW, lock=1)
    with pytest.raises(launch_forms.NothingToPublish):
        publish(users, 2)


def test_a_form_that_breaks_its_rules_is_not_saved(users: Users) -> None:
    with pytest.raises(BadForm):
        save(users, Form((*ONE.fields, *ONE.fields)), None)
    assert launch_forms.find_form(users.workspace, FLOW) is None


def test_only_builders_change_forms_and_each_change_is_on_record(users: Users) -> None:
    save(users, ONE, None)
    place = users.place(users.colleague)
    actor = audit_log.Actor(users.colleague)
    for refused in (
        lambda: launch_forms.save(actor, place, FLOW, "Orders", TWO, lock=1),
        lambda: launch_forms.publish(actor, place, FLOW, lock=1),
        lambda: launch_forms.unpublish(actor, place, FLOW, lock=1),
        lambda: launch_forms.restore(actor, place, FLOW, 1, lock=1),
        lambda: launch_forms.drop_draft(actor, place, FLOW, lock=1),
    ):
        with pytest.raises(access.NotAllowed):
            refused()
    publish(users, 1)
    rows = AuditEvent.objects.filter(object_type="form").order_by("pk").values_list("action", flat=True)
    assert list(rows) == ["form.save", "form.publish"]


def test_another_workspace_has_forms_of_its_own_for_the_same_flow(users: Users) -> None:
    save(users, ONE, None)
    other = workspace("other", project="Q" * 21)
    assert launch_forms.find_form(other, FLOW) is None
    builder = person("builder")
    Member.objects.create(workspace=other, user=builder, role=Role.BUILDER)
    place = access.access_for(builder, "other")
    with pytest.raises(launch_forms.Stale):
        launch_forms.publish(audit_log.Actor(builder), place, FLOW, lock=1)
    launch_forms.save(audit_log.Actor(builder), place, FLOW, "Orders", TWO, lock=None)
    assert launch_forms.open_draft(row(users)) == ONE


def test_a_form_goes_into_a_file_and_comes_out_of_it(users: Users) -> None:
    text = launch_forms.export(TWO)
    assert '"$schema": "https://json-schema.org/draft/2020-12/schema"' in text
    assert schema_in.read(text.encode()) == TWO


@pytest.fixture
def engine(db: None) -> Iterator[tuple[PracticeEngine, Users]]:
    practice = PracticeEngine(samples=False, clock_scale=0.01)
    server = serve(practice)
    space = workspace("sales", address=f"{server.url}/api", project=practice.credentials.project_id)
    yield practice, gather(space, practice.credentials.bearer_token)
    server.stop()
    practice.close()


def launched(users: Users, flow: str, payload: Any, state: str = State.SUCCEEDED) -> Launch:
    now = clock.now()
    launch = Launch(
        workspace=users.workspace, user=users.colleague, ticket=launch_files.digest("", [payload, state])[:40], flow_id=flow,
        payload_digest="x", asked_at=now, not_before=now, send_by=now, state=state,
    )  # fmt: skip
    launch.payload = launch.seal("payload", json_text.dump(payload))
    launch.save(force_insert=True)
    return launch


def test_a_proposal_learns_from_steps_launches_runs_and_samples(engine: tuple[PracticeEngine, Users]) -> None:
    _, users = engine
    workflows = clients.client_for_credential(users.credential).workflows
    flow = flows.make(workflows, "Orders", flows.code("echo", given="{{trigger.body.name}}"))
    workflows.trigger_flow_sync(flow, {"elsewhere": True})
    workflows.save_trigger_event(flow, {"headers": {}, "body": {"sample": 5}})
    launched(users, flow, {"name": "Lan", "qty": 2})
    launched(users, flow, {"never": "sent"}, State.NOT_SENT)
    damaged = launched(users, flow, {"damaged": 1})
    Launch.objects.filter(pk=damaged.pk).update(payload="not a ciphertext")
    trigger = workflows.get_flow(flow)["version"]["trigger"]
    form = form_sources.propose(workflows, users.workspace, flow, trigger)
    assert {field.name: (field.kind.value, field.why.seen, field.why.payloads) for field in form.fields} == {
        "name": ("text", 1, 2),
        "qty": ("number", 1, 2),
        "elsewhere": ("yes_no", 1, 2),
        "sample": ("number", 0, 2),
    }
    theirs = form_sources.propose_for_launcher(workflows, flow, trigger, NOTHING, lambda: {"mine": 1})
    assert [field.name for field in theirs.fields] == ["name", "sample"], (
        "nothing of what others sent, nor of older values"
    )
    again = form_sources.propose_for_launcher(workflows, flow, trigger, {"name": "Lan", "more": True}, lambda: None)
    assert {field.name: field.kind.value for field in again.fields} == {
        "name": "text",
        "more": "yes_no",
        "sample": "number",
    }
    bare = flows.make(workflows, "Bare", flows.code("echo"))
    tree = workflows.get_flow(bare)["version"]["trigger"]
    assert [
        field.name
        for field in form_sources.propose_for_launcher(workflows, bare, tree, NOTHING, lambda: {"mine": 1}).fields
    ] == ["mine"]


def test_a_proposal_does_without_an_engine_that_fails(users: Users) -> None:
    workflows = clients.client_for_credential(users.credential).workflows
    launched(users, FLOW, {"name": "Lan"})
    form = form_sources.propose(workflows, users.workspace, FLOW, {})
    assert [field.name for field in form.fields] == ["name"]

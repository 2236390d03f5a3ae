"""What is deleted through the console comes back once, from a sealed copy that was stored before the engine was asked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene, text_of
from tests.unclear_writes.later import look_at_the_end
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.deleted_objects import services
from workflows_ui.deleted_objects.models import CopyState, DeletedObject
from workflows_ui.engine.flow_tree import walk
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.jobs.models import ItemState, JobItem
from workflows_ui.jobs.services import jobs
from workflows_ui.jobs.services.jobs import Found
from workflows_ui.launch_forms.models import LaunchForm, SavedInputs
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import LaunchRight, Member, Role
from workflows_ui.notifications.models import Favourite, Watch, WatchKind
from workflows_ui.resource_admin.jobs import worker
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.tables import deletion as table_deletion

pytestmark = [pytest.mark.both_databases, pytest.mark.sampled(2)]

LIST = "/w/sales/recently-deleted/"
SECRET = "hunter2-of-a-step"


@pytest.fixture(params=["0.72.4", "0.83.0"])
def company(request: pytest.FixtureRequest, db: None) -> Iterator[Scene]:
    """A practice engine of either version with its sample flows and tables."""
    made = Scene(samples=True)
    made.engine.settings.version = request.param
    yield made
    made.close()


@pytest.fixture
def owner(company: Scene) -> Client:
    return company.sign_in(company.users.owner)


def _delete(browser: Client, kind: str, key: str, **typed: str) -> Any:
    return browser.post(f"/w/sales/{kind}/do/delete/{key}/", {"sure": "yes"} | typed)


def _page() -> str:
    return f"{LIST}{DeletedObject.objects.get().pk}/"


def _restore(browser: Client, **typed: str) -> Any:
    return browser.post(_page(), typed)


def _flow(scene: Scene, name: str = "Orders") -> str:
    folder = scene.workflows.create_folder("Sales")["id"]
    key = flows.make(scene.workflows, name, flows.code("echo", apiKey=SECRET), flows.response({"ok": True}))
    scene.workflows.apply_flow_operation(key, {"type": "CHANGE_FOLDER", "request": {"folderId": folder}})
    metadata = {"type": "UPDATE_METADATA", "request": {"metadata": {"tags": ["daily"]}}}
    scene.workflows.apply_flow_operation(key, metadata)
    return key


def _table(scene: Scene) -> Any:
    return next(row for row in _rows(scene, "tables") if row["name"] == "Đơn hàng")


def _rows(scene: Scene, kind: str) -> Any:
    calls = scene.workflows
    return (calls.list_flows(limit=100) if kind == "flows" else calls.list_tables(limit=100))["data"]


def _steps(flow: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Name, code and inputs of all steps."""
    steps = [node.step for node in walk(flow["version"]["trigger"])]
    return [(step["name"], step["settings"].get("sourceCode"), step["settings"].get("input")) for step in steps]


def _form(users: Users, flow_id: str) -> None:
    place = users.place(users.owner)
    row = launch_forms.save(audit_log.CONSOLE, place, flow_id, "Orders", Form((Field("name", ("name",)),)), lock=None)
    launch_forms.publish(audit_log.CONSOLE, place, flow_id, lock=row.lock)


def test_a_deleted_flow_comes_back_with_its_steps_folder_tags_and_form_once(company: Scene, owner: Client) -> None:
    key = _flow(company)
    _form(company.users, key)
    before = company.workflows.get_flow(key)
    assert "days" in text_of(owner.get(f"/w/sales/flows/do/delete/{key}/"))
    assert _delete(owner, "flows", key).status_code == 303
    copy = DeletedObject.objects.get()
    assert (copy.state, copy.name, copy.object_id) == (CopyState.DELETED, "Orders", key)
    assert SECRET not in copy.content
    assert SECRET in copy.open("content")
    listed = text_of(owner.get(LIST))
    assert "Orders" in listed
    page = text_of(owner.get(f"{LIST}{copy.pk}/"))
    assert SECRET not in page
    for words in ("Sales", "1 tag", "launch form with 1 version", "new webhook address", "Its runs"):
        assert words in page
    answer = _restore(owner)
    restored = answer["Location"].rstrip("/").rpartition("/")[2]
    after = company.workflows.get_flow(restored)
    assert restored != key
    assert after["status"] == "DISABLED"
    assert after["folderId"] == before["folderId"]
    assert after["metadata"]["tags"] == ["daily"]
    assert _steps(before) == _steps(after)
    assert LaunchForm.objects.get().flow_id == restored
    assert "Restored a deleted flow" in text_of(owner.get(answer["Location"], {"tab": "history"}))
    # Once only: a second form finds nothing to do.
    number = company.workflows.count_flows()
    assert _restore(owner).status_code == 303
    assert company.workflows.count_flows() == number
    copy.refresh_from_db()
    assert (copy.state, copy.content) == (CopyState.RESTORED, "")
    events = AuditEvent.objects.filter(action="flows.restore").order_by("pk").values_list("outcome", flat=True)
    assert list(events) == ["begun", "done"]


def test_a_deleted_table_comes_back_with_columns_and_records_under_the_name_that_flows_use(
    company: Scene, owner: Client
) -> None:
    table = _table(company)
    before = company.workflows.export_table(table["id"])
    columns = [(field["name"], field["externalId"]) for field in company.workflows.list_fields(table["id"])]
    assert _delete(owner, "tables", table["id"]).status_code == 303
    page = text_of(owner.get(f"{LIST}{DeletedObject.objects.get().pk}/"))
    assert "42 records" in page
    restored = _restore(owner)["Location"].rstrip("/").rpartition("/")[2]
    after = company.workflows.export_table(restored)
    assert [field["name"] for field in after["fields"]] == [field["name"] for field in before["fields"]]
    assert after["rows"] == before["rows"]
    assert company.workflows.get_table(restored)["externalId"] == table["externalId"]
    # A flow names columns by these too: with others it succeeds and writes empty rows (recording tables_again_16_records_all_empty).
    assert [(field["name"], field["externalId"]) for field in company.workflows.list_fields(restored)] == columns


def test_a_restore_does_not_read_the_whole_table_for_each_of_its_calls(
    company: Scene, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_deletion, "_AT_ONCE", 10)
    assert _delete(owner, "tables", _table(company)["id"]).status_code == 303
    company.engine.journal.clear()
    assert _restore(owner).status_code == 303
    assert len(company.engine.journal.all("POST", "/v1/records")) == 5
    assert len(company.engine.journal.all("GET", "/v1/records")) <= 2


def test_a_table_is_not_restored_beside_another_of_its_external_id(company: Scene, owner: Client) -> None:
    """The engine accepts a second one, and flows then write to either (recording tables_again_21_list_two_of_one_external_id)."""
    table = _table(company)
    _delete(owner, "tables", table["id"])
    other = company.workflows.create_table("Orders of today", external_id=table["externalId"])
    refused = _restore(owner)
    assert refused.status_code == 422
    assert "“Orders of today” has the same external ID" in text_of(refused)
    assert [row["id"] for row in _rows(company, "tables") if row["externalId"] == table["externalId"]] == [other["id"]]
    company.workflows.delete_table(other["id"])
    assert _restore(owner).status_code == 303


def test_a_table_whose_creation_lost_its_answer_is_continued_with(company: Scene, owner: Client) -> None:
    table = _table(company)
    _delete(owner, "tables", table["id"])
    company.engine.faults.add("reset_after", "POST", "/v1/tables", times=1)
    # The first look finds the table.
    assert _restore(owner).status_code == 303
    (restored,) = [row for row in _rows(company, "tables") if row["externalId"] == table["externalId"]]
    assert len(company.workflows.export_table(restored["id"])["rows"]) == 42


def test_a_bulk_deletion_keeps_copies_as_it_goes(company: Scene, owner: Client) -> None:
    keys = [_flow(company, f"Flow {number}") for number in range(2)]
    place = company.users.place(company.users.owner)
    found = [Found(key) for key in keys]
    job = jobs.ask(Actor(place.user), place, resource="flows", action="delete", found=found)
    while worker.turn(job.pk, RESOURCES):
        pass
    jobs.begin(Actor(place.user), job, "{}", {})
    while worker.turn(job.pk, RESOURCES):
        pass
    assert set(DeletedObject.objects.values_list("object_id", flat=True)) == set(keys)
    assert set(JobItem.objects.values_list("state", flat=True)) == {ItemState.DONE}


@pytest.mark.slow
def test_nothing_is_deleted_while_no_copy_can_be_kept_unless_it_is_wanted_so(
    company: Scene, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _flow(company)
    assert "without_copy" not in text_of(owner.get(f"/w/sales/flows/do/delete/{key}/"))
    monkeypatch.setattr(services, "MOST_BYTES", 10)
    refused = _delete(owner, "flows", key)
    assert refused.status_code == 422
    assert "no copy can be kept" in text_of(refused)
    assert 'name="without_copy"' in text_of(refused)
    assert company.workflows.get_flow(key)["id"] == key
    assert not DeletedObject.objects.exists()
    assert _delete(owner, "flows", key, without_copy="on").status_code == 303
    assert not DeletedObject.objects.exists()


def test_what_goes_with_a_flow_is_named_before(company: Scene, owner: Client) -> None:
    key, users = _flow(company), company.users
    _form(users, key)
    here: dict[str, Any] = {"workspace": users.workspace, "flow_id": key}
    LaunchRight.objects.create(**here, user=users.stranger, created_by=users.owner)
    Favourite.objects.create(**here, user=users.owner)
    SavedInputs.objects.create(**here, owner=users.owner, name="Usual", payload="x", updated_at=timezone.now())
    now = timezone.now()
    watch = {"workspace": users.workspace, "kind": WatchKind.FLOW, "object_id": key, "created_at": now}
    Watch.objects.create(**watch, user=users.owner)
    page = text_of(owner.get(f"/w/sales/flows/do/delete/{key}/"))
    for words in (
        "launch form, which is published",
        "1 launch right ends",
        "1 person watches",
        "1 set of saved inputs",
    ):
        assert words in page
    assert "no longer starts anything" in page
    assert "btn-danger" in page


def test_what_stops_something_is_outlined_and_the_safe_choice_has_the_focus(company: Scene, owner: Client) -> None:
    page = text_of(owner.get(f"/w/sales/flows/do/turn-off/{_flow(company)}/"))
    assert "btn-outline-danger" in page
    assert "btn-danger" not in page
    assert "autofocus>Leave it as it is</a>" in page


def test_only_builders_of_the_workspace_restore_and_a_copy_of_another_place_does_not_open(
    company: Scene, owner: Client
) -> None:
    _delete(owner, "flows", _flow(company))
    copy = DeletedObject.objects.get()
    for user, status in ((company.users.colleague, 403), (company.users.stranger, 404)):
        browser = company.sign_in(user)
        assert browser.get(LIST).status_code == status
        assert browser.post(f"{LIST}{copy.pk}/").status_code == status
    Member.objects.filter(user=company.users.colleague).update(role=Role.BUILDER)
    assert company.browser.get(LIST).status_code == 200
    DeletedObject.objects.filter(pk=copy.pk).update(kind="tables")
    refused = owner.post(f"{LIST}{copy.pk}/")
    assert refused.status_code == 422
    assert "cannot be opened" in text_of(refused)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flows", "tables"])
@pytest.mark.parametrize("place", ["creation", "content", "end"])
def test_a_restore_whose_process_dies_is_finished_later_with_the_same_object(
    company: Scene, owner: Client, monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    key, name = (_flow(company), "Orders") if kind == "flows" else (_table(company)["id"], "Đơn hàng")
    _form(company.users, key)
    _delete(owner, kind, key)

    def dies(*_arguments: Any, **_values: Any) -> None:
        raise KeyboardInterrupt

    content = "apply_flow_operation" if kind == "flows" else "create_records"
    target: Any = type(company.workflows) if place == "content" else services
    with monkeypatch.context() as patched:
        patched.setattr(target, {"creation": "record_created", "content": content, "end": "end_restore"}[place], dies)
        with pytest.raises(KeyboardInterrupt):
            _restore(owner)
    assert "Nothing was done a second time" in text_of(owner.post(_page(), follow=True))
    DeletedObject.objects.update(restored_at=timezone.now() - services.CUT_OFF - timedelta(minutes=1))
    services.purge()
    copy = DeletedObject.objects.get()
    assert copy.state == CopyState.UNCLEAR
    if place == "creation":  # The engine has it, but the console never learned its id: a person has to look.
        assert "I checked" in text_of(owner.get(_page()))
        assert _restore(owner).status_code == 422
        return
    assert "continues with the same one" in text_of(owner.get(_page()))
    assert _restore(owner).status_code == 303
    assert [
        row["id"]
        for row in _rows(company, kind)
        if name in (row.get("name"), row.get("version", {}).get("displayName"))
    ] == [copy.restored_id]
    copy.refresh_from_db()
    assert (copy.state, copy.content) == (CopyState.RESTORED, "")
    assert _restore(owner).status_code == 303
    if kind == "flows":
        assert LaunchForm.objects.get().flow_id == copy.restored_id
        assert len(_steps(company.workflows.get_flow(copy.restored_id))) == 3
    else:
        assert len(company.workflows.export_table(copy.restored_id)["rows"]) == 42


@pytest.mark.slow
def test_an_unfinished_restore_of_what_was_deleted_meanwhile_begins_again(
    company: Scene, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _delete(owner, "tables", _table(company)["id"])
    company.engine.faults.add("status", "POST", "/v1/records", status=403, times=1)
    assert _restore(owner).status_code == 422
    # Nothing is created again while it is not known whether the records were.
    assert "Checking whether it was done" in text_of(_restore(owner))
    assert look_at_the_end().state == "not_done"
    first = DeletedObject.objects.get().restored_id
    company.workflows.delete_table(first)
    assert _restore(owner).status_code == 422
    assert _restore(owner).status_code == 303
    assert DeletedObject.objects.get().restored_id not in ("", first)


def test_a_copy_expires_and_an_unfinished_restore_needs_a_look_first(company: Scene, owner: Client) -> None:
    _delete(owner, "flows", _flow(company))
    copy, now = DeletedObject.objects.get(), timezone.now()
    assert services.begin_restore(copy, company.users.owner.pk)
    assert not services.begin_restore(copy, company.users.owner.pk)
    DeletedObject.objects.update(restored_at=now - services.CUT_OFF - timedelta(minutes=1))
    services.purge()
    copy.refresh_from_db()
    assert copy.state == CopyState.UNCLEAR
    assert _restore(owner).status_code == 422
    assert _restore(owner, checked="1").status_code == 303
    DeletedObject.objects.update(expires_at=now - timedelta(minutes=1))
    assert "Nothing was deleted recently" in text_of(owner.get(LIST))
    assert owner.get(f"{LIST}{copy.pk}/").status_code == 404
    services.purge()
    assert not DeletedObject.objects.exists()


def test_a_refused_deletion_leaves_no_copy_and_a_moved_workspace_restores_none(company: Scene, owner: Client) -> None:
    key = _flow(company)
    company.engine.faults.add("status", "DELETE", f"/v1/flows/{key}", status=403)
    unclear = _delete(owner, "flows", key)
    assert unclear.status_code == 422
    # The copy was kept: nothing to choose.
    assert 'name="without_copy"' not in text_of(unclear)
    assert DeletedObject.objects.get().state == CopyState.DELETING
    company.engine.faults.clear()
    assert look_at_the_end().state == "not_done"
    assert not DeletedObject.objects.exists()


@pytest.mark.parametrize("acted", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["flows", "tables"])
def test_a_restore_whose_answer_proves_nothing_never_becomes_two(
    company: Scene, owner: Client, kind: str, acted: bool
) -> None:
    key = _flow(company) if kind == "flows" else _table(company)["id"]
    _delete(owner, kind, key)
    number = len(_rows(company, kind))
    company.engine.faults.add("status", "POST", f"/v1/{kind}", status=503, times=1, act=acted)
    first = _restore(owner)
    if acted:
        # The first look finds it.
        assert first.status_code == 303
    else:
        assert "Checking whether it was done" in text_of(first)
        assert "It was not restored" not in text_of(first)
        assert "Checking whether it was done" in text_of(_restore(owner, checked="1"))
        assert len(_rows(company, kind)) == number
        assert look_at_the_end().state == "not_done"
        assert _restore(owner).status_code == 303
    assert len(_rows(company, kind)) == number + 1


def test_a_restore_that_the_engine_began_late_continues_with_what_it_created(company: Scene, owner: Client) -> None:
    _delete(owner, "flows", _flow(company))
    number = len(_rows(company, "flows"))
    company.engine.faults.add("status", "POST", "/v1/flows", status=504, body="html", times=1, act=False)
    assert "A web page came back" in text_of(_restore(owner))
    folder = company.workflows.create_folder("Sales")["id"]
    late = company.workflows.create_flow("Orders", folder_id=folder)
    write = look_at_the_end()
    assert write.state == "done"
    assert DeletedObject.objects.get().restored_id == late["id"]
    assert AuditEvent.objects.filter(action="flows.restore").latest("pk").outcome == "partly"
    User.objects.update(language="vi")
    page = text_of(owner.get(f"/w/sales/checks/{write.pk}/"))
    assert f'href="{write.path}"' in page
    assert "A web page came back" not in page
    assert _restore(owner).status_code == 303
    assert len(_rows(company, "flows")) == number + 1


def test_a_restore_in_progress_looks_like_anything_in_progress(company: Scene, owner: Client) -> None:
    _delete(owner, "tables", _table(company)["id"])
    assert "icon-spin" not in owner.get(LIST).content.decode()
    DeletedObject.objects.update(state=CopyState.RESTORING)
    assert "icon-spin" in owner.get(LIST).content.decode()

"""Inputs are saved on the launch form, fill it another time, and are renamed, shared and deleted on a page of their own."""

from django.utils import timezone

from tests import flows
from tests.launch_forms.filled import opened, publish, send
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.accounts.models import User
from workflows_ui.form_schema.document import Field, FieldKind, Form
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Member, Role

FORM = Form(
    (
        Field("name", ("name",), required=True),
        Field("amount", ("amount",), kind=FieldKind.NUMBER),
        Field("photo", ("photo",), kind=FieldKind.FILE, required=True),
    )
)


def _saved(scene: Scene, flow: str, name: str = "Monday <b>", **more: str) -> SavedInputs:
    answer = send(scene, flow, {"name": "An", "amount": "1.5", "_save": "yes", "_save_name": name, **more})
    assert answer.status_code == 303, text_of(answer)
    row = SavedInputs.objects.get(name=name)
    assert answer["Location"] == f"{scene.url(flow)}?saved={row.pk}"
    return row


def test_inputs_are_saved_typed_without_their_files_and_fill_the_form(scene: Scene) -> None:
    flow = publish(scene, FORM)
    row = _saved(scene, flow)
    assert saved_inputs.open_values(row) == {"name": "An", "amount": 1.5}
    page = opened(scene, flow, f"?saved={row.pk}")
    assert 'value="1.5"' in page
    assert "Filled in from the saved inputs" in page
    assert f"?saved={row.pk}" in opened(scene, flow)
    assert (
        "<b>"
        not in text_of(scene.browser.get(scene.url(flow))).partition("sidebar-title")[2].partition("</section>")[0]
    )
    assert not Launch.objects.exists()


def test_what_cannot_be_sent_is_not_saved_and_nothing_typed_is_lost(scene: Scene) -> None:
    flow = publish(scene, FORM)
    answer = send(scene, flow, {"name": "An", "amount": "many", "_save": "yes", "_save_name": "Monday"})
    assert answer.status_code == 422
    assert "Correct the fields above, then save." in text_of(answer)
    assert 'value="Monday"' in text_of(answer)
    answer = send(scene, flow, {"name": "An", "_save": "yes", "_save_name": "  "})
    assert "Give the inputs a name." in text_of(answer)
    assert not SavedInputs.objects.exists()


def test_only_so_many_are_kept(scene: Scene) -> None:
    flow = publish(scene, FORM)
    for number in range(saved_inputs.MOST):
        _row(scene, flow, f"n{number}")
    answer = send(scene, flow, {"name": "An", "_save": "yes", "_save_name": "one more"})
    assert answer.status_code == 422
    assert "Delete one first" in text_of(answer)


def test_they_are_renamed_shared_and_deleted_by_their_owner(scene: Scene) -> None:
    flow = publish(scene, FORM)
    row, other = _saved(scene, flow, "Monday"), _saved(scene, flow, "Tuesday")
    url = f"/w/sales/flows/{flow}/inputs/{row.pk}/"
    assert "Monday" in text_of(scene.browser.get(url))
    taken = scene.browser.post(url, {"name": "Tuesday"})
    assert taken.status_code == 422
    assert "There are inputs of this name already" in unescape(text_of(taken))
    assert scene.browser.post(url, {"name": ""}).status_code == 422
    assert scene.browser.post(url, {"name": "Friday", "shared": "on"}).status_code == 303
    row.refresh_from_db()
    assert (row.name, row.shared) == ("Friday", True)
    assert scene.browser.post(url, {"delete": "yes"}).status_code == 303
    assert list(SavedInputs.objects.all()) == [other]
    assert scene.browser.get(url).status_code == 404


def test_anothers_are_used_when_shared_and_changed_by_builders_only(scene: Scene) -> None:
    flow = publish(scene, FORM)
    theirs = _row(scene, flow, "Private", scene.users.owner)
    shared = _row(scene, flow, "For all", scene.users.owner, shared=True)
    page = opened(scene, flow)
    assert "For all" in page
    assert "Private" not in page
    assert 'value="Lan"' in opened(scene, flow, f"?saved={shared.pk}")
    assert "were not found" in opened(scene, flow, f"?saved={theirs.pk}")
    for row in (theirs, shared):
        url = f"/w/sales/flows/{flow}/inputs/{row.pk}/"
        assert scene.browser.get(url).status_code == 404
        assert scene.browser.post(url, {"delete": "yes"}).status_code == 404
    Member.objects.filter(user=scene.users.colleague).update(role=Role.BUILDER)
    assert scene.browser.get(f"/w/sales/flows/{flow}/inputs/{shared.pk}/").status_code == 200
    assert scene.browser.get(f"/w/sales/flows/{flow}/inputs/{theirs.pk}/").status_code == 404
    assert SavedInputs.objects.count() == 2


def test_values_that_cannot_be_opened_close_nothing(scene: Scene) -> None:
    flow = publish(scene, FORM)
    row = _row(scene, flow, "Old")
    SavedInputs.objects.update(payload="gAAAA-not-a-ciphertext")
    assert "cannot be opened any more" in opened(scene, flow, f"?saved={row.pk}")


def test_they_are_made_on_a_json_form_and_fill_it_too(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Plain", flows.code("echo", given="{{trigger.body}}"))
    address = f"{scene.url(flow)}?_as=json"
    typed = scene.fields(flow) | {"payload": '{"name": "Lan"}', "_save": "yes", "_save_name": "Plain ones"}
    answer = scene.browser.post(address, typed)
    row = SavedInputs.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"{scene.url(flow)}?saved={row.pk}&_as=json")
    assert '"name": "Lan"' in opened(scene, flow, f"?saved={row.pk}&_as=json")
    unnamed = scene.browser.post(address, typed | {"_save_name": " "})
    assert (unnamed.status_code, "Give the inputs a name." in text_of(unnamed)) == (422, True)
    broken = scene.browser.post(address, typed | {"payload": "{"})
    assert (broken.status_code, "Correct the fields above, then save." in text_of(broken)) == (422, True)
    assert 'value="Plain ones"' in text_of(broken)
    assert not Launch.objects.exists()


def test_enter_saves_where_a_name_for_the_inputs_is_typed_and_launches_elsewhere(scene: Scene) -> None:
    flow = publish(scene, Form((Field("name", ("name",)),)))
    assert 'aria-hidden="true" name="_enter" value="yes"' in opened(scene, flow)
    answer = send(scene, flow, {"name": "An", "_enter": "yes", "_save_name": "Monday"})
    assert "?saved=" in answer["Location"]
    assert not Launch.objects.exists()
    assert "/launches/" in send(scene, flow, {"name": "An", "_enter": "yes", "_save_name": ""})["Location"]


def _row(scene: Scene, flow: str, name: str, owner: User | None = None, *, shared: bool = False) -> SavedInputs:
    row = SavedInputs(workspace=scene.users.workspace, flow_id=flow, owner=owner or scene.users.colleague, name=name)
    row.shared, row.payload = shared, row.seal("payload", '{"name": "Lan"}')
    row.updated_at = timezone.now()
    row.save()
    return row

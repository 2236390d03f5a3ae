"""Secret fields of launch forms: typed each time, never written back, never stored in clear, and masked in the run by their value."""

import json
import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from tests import flows
from tests.launch_forms.filled import newest, opened, publish, send
from tests.launches.launch_scene import Scene, text_of, unescape
from tests.secrets import places
from tests.secrets.hunt import Hunt
from tests.secrets.test_run_data import look_everywhere, member, scene
from workflows_ui.core.secret_names import MASK
from workflows_ui.engine import TriggerAnswer
from workflows_ui.engine.trigger import Outcome
from workflows_ui.form_schema.document import Field, FieldKind, Form, ShowIf, When
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launches import page as launch_page
from workflows_ui.launches.models import Launch, LaunchInput, State
from workflows_ui.launches.services import secrets as launch_secrets, sending
from workflows_ui.members.models import Role

__all__ = ["scene"]
pytestmark = pytest.mark.django_db
LONG, SHORT = "open-Zk7q/sesame+&<", "q#7~"
FORM = Form(
    (
        Field("to", ("to",), label="Whom to call", required=True),
        Field("door", ("door", "word"), label="Word of the door", kind=FieldKind.SECRET, required=True),
        Field("floor", ("floor",), label="Floor", kind=FieldKind.SECRET),
        Field("inside", ("inside",), label="Inside", show_if=ShowIf("door", When.FILLED)),
    )
)
TYPED = {"to": "Lan", "door": LONG, "floor": SHORT, "inside": "yes"}


@pytest.fixture
def flow(scene: Scene) -> str:
    """A flow that repeats what it is sent, also within other texts, with the form published."""
    given = {
        "whole": "{{trigger['body']}}",
        "header": "Key {{trigger['body']['door']['word']}} of {{trigger['body']['to']}}",
        "floor": "{{trigger['body']['floor']}}",
    }
    made = flows.make(
        scene.workflows, "Doors", flows.code("echo", **given), flows.code("fail the door stays shut", **given)
    )
    return publish(scene, FORM, flow=made, name="Doors")


def launched(scene: Scene, flow: str, typed: dict[str, str] = TYPED) -> Launch:
    answer = send(scene, flow, typed)
    assert answer.status_code == 303, text_of(answer)
    sending.send(newest().pk)
    return scene.watch(newest())


def test_what_is_typed_into_a_secret_field_is_nowhere(scene: Scene, flow: str, hunt: Hunt) -> None:
    launch = launched(scene, flow)
    people = {str(role): member(scene, role) for role in (Role.VIEWER, Role.BUILDER)} | {"launcher": scene.browser}
    for name, browser in people.items():
        said = look_everywhere(hunt, name, browser, launch)
        if name != Role.VIEWER:
            assert f"Key {MASK} of Lan" in said[f"/w/sales/runs/{launch.run_id}/"]
    hunt.hide("secret fields", LONG, SHORT)
    places.everything(hunt)
    hunt.must_be_in_vain(__name__)


def test_the_value_is_known_again_when_the_payload_is_gone(scene: Scene, flow: str) -> None:
    launch = launched(scene, flow)
    assert [sorted(mark) for mark in launch.secret_marks] == [["digest", "length", "path"], ["path"]]
    assert LONG not in str(launch.secret_marks)
    Launch.objects.filter(pk=launch.pk).update(payload="", answer="")
    for address in (
        f"/w/sales/runs/{launch.run_id}/",
        f"/w/sales/runs/{launch.run_id}/file/",
        "/w/sales/runs/export/json/",
    ):
        page = unescape(text_of(scene.browser.get(address)))
        assert LONG not in page
        assert json.dumps(LONG)[1:-1] not in page
        assert SHORT not in page
    assert f"Key {MASK} of Lan" in unescape(text_of(scene.browser.get(f"/w/sales/runs/{launch.run_id}/")))


def test_a_builder_sees_it_for_a_reason(scene: Scene, flow: str) -> None:
    launch = launched(scene, flow)
    builder, page = member(scene, Role.BUILDER), f"/w/sales/launches/{launch.pk}/hidden/"
    found = {one.where: one.key for one in builder.get(page).context["places"]}
    asked = {"place": found["Inputs › door › word"], "reason": "The customer says that the door stays shut"}
    assert LONG in unescape(text_of(builder.post(page, asked)))


def test_a_secret_is_not_written_back_and_has_to_be_typed_again(scene: Scene, flow: str) -> None:
    answer = send(scene, flow, TYPED | {"to": ""})
    page = unescape(text_of(answer))
    assert answer.status_code == 422
    assert LONG not in page
    assert "Enter it again" in page
    assert page.count("Enter it again") == 2
    assert 'type="password"' in page
    again = send(scene, flow, {"to": "Lan", "inside": "yes"}, page=page)
    assert again.status_code == 422
    assert not Launch.objects.exists()
    assert "no-store" in answer["Cache-Control"]


def test_asking_about_the_same_values_again_does_not_keep_them_either(scene: Scene, flow: str) -> None:
    launched(scene, flow)
    answer = send(scene, flow, TYPED)
    assert answer.status_code == 422
    assert "You launched the same values moments ago" in text_of(answer)
    assert LONG not in unescape(text_of(answer))


def test_neither_an_earlier_launch_nor_saved_inputs_nor_a_link_fill_it_in(scene: Scene, flow: str) -> None:
    launch = launched(scene, flow)
    saved = send(scene, flow, TYPED | {"_save": "yes", "_save_name": "Mine"})
    assert saved.status_code == 303, text_of(saved)
    row = SavedInputs.objects.get()
    assert json.loads(row.open("payload")) == {"to": "Lan", "inside": "yes"}
    for query in (f"?from={launch.pk}", f"?saved={row.pk}", "?door=open-Zk7q&to=Lan"):
        page = opened(scene, flow, query)
        assert 'value="Lan"' in page
        assert "Zk7q" not in page.replace(f"{scene.url(flow)}{query}", "")  # the address itself, to come back to
        answer = send(scene, flow, {"to": "Lan"}, page=page)
        assert answer.status_code == 422
        assert "Fill in this field." in text_of(answer)


def test_typed_as_json_it_is_a_secret_all_the_same(scene: Scene, flow: str) -> None:
    owner = scene.sign_in(scene.users.owner)
    fields = scene.fields(flow, owner) | {"payload": json.dumps({"to": "Lan", "door": {"word": LONG}})}
    assert owner.post(f"{scene.url(flow)}?_as=json", fields).status_code == 303
    assert [mark["path"] for mark in newest().secret_marks] == [["door", "word"]]
    assert LONG not in unescape(scene.page(newest(), owner))


def test_it_is_not_launched_again_by_a_click(scene: Scene, flow: str) -> None:
    launch = launched(scene, flow)
    assert "Run again with these inputs" not in scene.page(launch)
    ticket = {"ticket": "T" * 30}
    answer = scene.browser.post(f"/w/sales/launches/{launch.pk}/again/", ticket)
    assert answer["Location"] == f"{scene.url(flow)}?from={launch.pk}"
    assert Launch.objects.count() == 1


def test_what_will_be_sent_is_shown_without_it_and_no_link_has_it(scene: Scene, flow: str) -> None:
    page = unescape(text_of(send(scene, flow, TYPED | {"_look": "yes"})))
    assert f'"word": "{MASK}"' in page
    assert "Zk7q" not in page
    assert "door=" not in page
    tried = scene.sign_in(scene.users.owner).post(f"/w/sales/flows/{flow}/form/preview/", TYPED)
    assert "Zk7q" not in unescape(text_of(tried))
    assert f'"word": "{MASK}"' in unescape(text_of(tried))


def test_dots_are_not_launched(scene: Scene) -> None:
    flow = publish(scene, Form((Field("note", ("note",)),)))
    answer = send(scene, flow, {"note": f"token={MASK}"})
    assert answer.status_code == 422
    assert "This contains a hidden secret. Enter it again." in text_of(answer)
    as_json = scene.fields(flow, scene.sign_in(scene.users.owner)) | {"payload": json.dumps({"password": MASK})}
    refused = scene.sign_in(scene.users.owner).post(f"{scene.url(flow)}?_as=json", as_json)
    assert refused.status_code == 422
    assert "A value that shows dots was a secret." in text_of(refused)
    assert not Launch.objects.exists()


def test_a_field_whose_name_speaks_of_a_secret_is_found_by_nothing(scene: Scene) -> None:
    form = Form((Field("pwd", ("password",), searchable=True), Field("order", ("order",), searchable=True)))
    flow = publish(scene, form)
    launched(scene, flow, {"pwd": LONG, "order": "token=abc-Zk7q"})
    assert [(one.name, one.text) for one in LaunchInput.objects.all()] == [("order", f"token={MASK}")]


def test_the_page_of_a_field_offers_neither_a_start_nor_an_example_nor_a_search_for_it(scene: Scene, flow: str) -> None:
    owner = scene.sign_in(scene.users.owner)
    page = text_of(owner.get(f"/w/sales/flows/{flow}/form/fields/door/"))
    assert "Secret (password, key)" in page
    for name in ("example", "searchable", "start", "value"):
        assert f'name="{name}"' not in page
    assert 'name="min_length"' in page


@pytest.mark.slow
def test_a_form_is_proposed_with_secret_fields_and_without_old_secrets(scene: Scene, hunt: Hunt) -> None:
    given = {"given": "{{trigger['body']['password']}}", "order": "{{trigger['body']['order']}}"}
    flow = flows.make(scene.workflows, "Orders", flows.code("echo", **given))
    for number in range(12):
        sent = {"password": "old-Zk7q-secret", "order": f"DH-{number % 2}", "memo": "pin: 73451209876543"}
        scene.watch(scene.launch(flow, json.dumps(sent)))
    owner = scene.sign_in(scene.users.owner)
    page = f"/w/sales/flows/{flow}/form/propose/"
    shown = places.answer(hunt, "proposal", owner.get(page)).decode()
    lock = re.findall(r'name="lock" value="([^"]*)"', shown)[0]
    taken = owner.post(page, {"take": [json.dumps([key]) for key in ("password", "order", "memo")], "lock": lock})
    assert taken.status_code == 303
    places.answer(hunt, "taken", taken)
    for address in (f"/w/sales/flows/{flow}/form/", f"/w/sales/flows/{flow}/form/fields/password/"):
        places.answer(hunt, address, owner.get(address))
    field = places.answer(hunt, "field", owner.get(f"/w/sales/flows/{flow}/form/fields/password/")).decode()
    assert '<option value="secret" selected>' in field
    asked = places.answer(hunt, "launcher", scene.browser.get(scene.url(flow))).decode()
    assert 'type="password"' in asked
    hunt.hide("secret fields", "old-Zk7q-secret", "73451209876543")
    hunt.must_be_in_vain(__name__)


@pytest.mark.parametrize(("size", "found"), [(20_000, True), (2_000_000, False)])
def test_looking_for_a_value_by_its_digest_has_an_end(scene: Scene, size: int, *, found: bool) -> None:
    marks = launch_secrets.marks([(("word",), "hunter2-Zk7q")])
    row = scene.row(payload="", secret_marks=marks)
    Launch.objects.filter(pk=row.pk).update(payload="")
    hider = launch_secrets.payload_hider(Launch.objects.get(pk=row.pk))
    text = f"{'x' * (size // 2)}hunter2-Zk7q{'y' * (size // 2)}"
    began = time.process_time()
    hidden: Any = hider.value({"deep": [text, text, "short", 5, None]})
    assert time.process_time() - began < 5
    assert "hunter2-Zk7q" not in str(hidden)
    assert (hidden["deep"][0] == f"{'x' * (size // 2)}{MASK}{'y' * (size // 2)}") is found


@pytest.mark.parametrize(
    "typed", [{"word": 48151623}, {"word": ["open-Zk7q-sesame"]}, {"word": {"a": "open-Zk7q-sesame"}}]
)
def test_whatever_json_stands_in_its_place_is_a_secret(scene: Scene, flow: str, typed: dict[str, Any]) -> None:
    owner = scene.sign_in(scene.users.owner)
    fields = scene.fields(flow, owner) | {"payload": json.dumps({"to": "Lan", "door": typed})}
    assert owner.post(f"{scene.url(flow)}?_as=json", fields).status_code == 303
    sending.send(newest().pk)
    launch = scene.watch(newest())
    for payload in (launch.payload, ""):
        Launch.objects.filter(pk=launch.pk).update(payload=payload)
        for address in (f"/w/sales/runs/{launch.run_id}/", f"/w/sales/runs/{launch.run_id}/file/"):
            page = unescape(text_of(owner.get(address)))
            assert "48151623" not in page
            assert "Zk7q" not in page


def test_json_that_is_saved_or_refused_does_not_give_it_back(scene: Scene, flow: str) -> None:
    owner, typed = scene.sign_in(scene.users.owner), json.dumps({"to": "Lan", "door": {"word": LONG}})
    fields = scene.fields(flow, owner) | {"payload": typed}
    saved = owner.post(f"{scene.url(flow)}?_as=json", fields | {"_save": "yes", "_save_name": "Mine"})
    assert saved.status_code == 303
    assert json.loads(SavedInputs.objects.get().open("payload")) == {"to": "Lan", "door": {"word": MASK}}
    for more in ({"ticket": "short"}, {"_save": "yes"}):
        refused = owner.post(f"{scene.url(flow)}?_as=json", fields | more)
        assert refused.status_code == 422
        assert "Zk7q" not in unescape(text_of(refused))
        assert MASK in unescape(text_of(refused))


def test_what_was_saved_before_the_field_was_a_secret_is_not_filled_in(scene: Scene, flow: str) -> None:
    owner = scene.sign_in(scene.users.owner)
    made = SavedInputs(
        workspace=scene.users.workspace, flow_id=flow, owner=scene.users.owner, name="Old", updated_at=timezone.now()
    )
    made.payload = made.seal("payload", json.dumps({"to": "Lan", "door": {"word": LONG}}))
    made.save()
    for more in ("", "&_as=json"):
        page = unescape(text_of(owner.get(f"{scene.url(flow)}?saved={made.pk}{more}")))
        assert "Lan" in page
        assert "Zk7q" not in page


def test_a_refused_page_that_gives_back_what_was_typed_leaves_it_out(scene: Scene, flow: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = scene.browser.cookies
    marked = re.findall(r'type="hidden" name="_secret" value="([^"]*)"', opened(scene, flow))
    fields = TYPED | {"inside": "come-in-Zk", "_secret": marked}
    answer = strict.post(scene.url(flow), fields | {"csrfmiddlewaretoken": "a" * 64})
    page = unescape(text_of(answer))
    assert answer.status_code == 403
    assert "come-in-Zk" in page
    assert LONG not in page
    assert SHORT not in page


@pytest.mark.parametrize("outcome", ["answered", "unknown"])
def test_what_stands_between_says_it_back_and_it_is_not_kept_in_clear(scene: Scene, outcome: Outcome) -> None:
    marks = launch_secrets.marks([(("door",), LONG)])
    row = scene.row(state=State.SENDING, claim="c" * 20, secret_marks=marks)
    row.payload = row.seal("payload", json.dumps({"door": LONG}))
    row.save()
    address = f"https://shop.example/?door={quote(LONG)}&token=abc-Zk7q&order=7"
    answer = TriggerAnswer(403, {"location": address}, f"Blocked: {LONG}".encode(), False, None, None, None, outcome)
    sending.record(row, answer)
    stored_launch = Launch.objects.get(pk=row.pk)
    assert stored_launch.technical or stored_launch.answer_location
    assert "Zk7q" not in stored_launch.technical + stored_launch.answer_location + str(stored_launch.failed_step)


def test_builders_are_led_to_what_is_hidden_also_where_the_page_cuts_it_off(scene: Scene) -> None:
    plain = flows.make(scene.workflows, "Plain", flows.code("echo"))
    builder = member(scene, Role.BUILDER)
    for note in ("short", "x" * launch_page.SHOWN):
        launch = scene.launch(plain, json.dumps({"note": note, "password": LONG}), send=False)
        link = f"/w/sales/launches/{launch.pk}/hidden/"
        assert link in scene.page(launch, builder)
        assert link not in scene.page(launch)
    open_one = scene.launch(plain, json.dumps({"note": "short"}), send=False)
    assert f"{open_one.pk}/hidden/" not in scene.page(open_one, builder)


def test_lists_of_runs_are_cached_without_the_value_in_a_failures_message(scene: Scene, flow: str, hunt: Hunt) -> None:
    launch, builder = launched(scene, flow), member(scene, Role.BUILDER)
    with scene.engine.state.lock:
        scene.engine.state.runs[launch.run_id]["failedStep"]["message"] = f"Error: {LONG} opens no door"
    flow_page = f"/w/sales/flows/{flow}/"
    for address, target in (("/w/sales/", "home-attention"), (flow_page, "live"), (f"{flow_page}?tab=runs", "live")):
        said = text_of(builder.get(address, headers={"HX-Request": "true", "HX-Target": target}))
        assert f"/w/sales/runs/{launch.run_id}/" in said or address == "/w/sales/"
    hunt.hide("secret fields", LONG)
    places.everything(hunt)
    hunt.must_be_in_vain(__name__)

"""A flow without a published form: launchers fill in the one that follows from its steps, builders type JSON and are led to make one."""

import re
from typing import Any

import pytest

from tests import flows
from tests.launch_forms.filled import newest, opened, publish, sent
from tests.launches.launch_scene import Scene, text_of
from workflows_ui.form_schema.document import Field, FieldKind, Form
from workflows_ui.launch_forms.services import sources
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches

READS = flows.code("reads", name="{{trigger.body.customer.name}}", amount="{{trigger['body']['amount']}}")


@pytest.fixture
def flow(scene: Scene) -> str:
    return flows.make(scene.workflows, "Reads", READS)


def _post(scene: Scene, flow: str, page: str, values: dict[str, Any]) -> Any:
    own = dict(re.findall(r'type="hidden" name="(ticket|_flow|_shape)" value="([^"]*)"', page))
    return scene.browser.post(scene.url(flow), {**own, **values})


def test_a_launcher_fills_in_what_the_flow_reads(scene: Scene, flow: str) -> None:
    page = opened(scene, flow)
    assert "until a builder reviews it" in page
    assert 'name="customer.name"' in page
    assert "?_as=json" in page
    assert _post(scene, flow, page, {"customer.name": "An", "amount": "5"}).status_code == 303
    assert launches.open_payload(newest())["customer"] == {"name": "An"}
    assert newest().form_version is None


def test_what_others_launched_is_not_in_it(scene: Scene, flow: str) -> None:
    scene.row(user=scene.users.owner, flow_id=flow, payload='{"customer": {"name": "Private"}, "amount": 12345}')
    page = opened(scene, flow)
    assert "Private" not in page
    assert "12345" not in page


def test_a_launcher_may_type_json_instead_and_nothing_else_is_asked(scene: Scene, flow: str) -> None:
    page = text_of(scene.browser.get(scene.url(flow) + "?_as=json"))
    assert 'name="payload"' in page
    assert '?_as=json" enctype' in page


def test_a_builder_sees_the_form_that_launchers_see_and_is_led_to_make_one(scene: Scene, flow: str) -> None:
    builder = scene.sign_in(scene.users.owner)
    page = opened(scene, flow, browser=builder)
    assert 'name="customer.name"' in page
    assert f"/flows/{flow}/form/" in page
    assert 'name="payload"' in opened(scene, flow, "?_as=json", builder)


def test_json_typed_before_a_form_was_published_fills_that_form(scene: Scene, flow: str) -> None:
    fields = scene.fields(flow) | {"payload": '{"customer": {"name": "An"}, "other": 1}'}
    publish(scene, Form((Field("name", ("customer", "name")),)), flow=flow)
    answer = scene.browser.post(scene.url(flow), fields)
    assert answer.status_code == 422
    assert "The form was changed meanwhile" in text_of(answer)
    assert 'name="name" value="An"' in text_of(answer)
    assert not Launch.objects.exists()


def test_a_form_published_meanwhile_takes_over_with_what_was_typed(scene: Scene, flow: str) -> None:
    page = opened(scene, flow)
    publish(scene, Form((Field("customer.name", ("customer", "name")),)), flow=flow)
    answer = _post(scene, flow, page, {"customer.name": "An", "amount": "5"})
    assert answer.status_code == 422
    assert 'value="An"' in text_of(answer)
    assert not Launch.objects.exists()
    assert sent(scene, flow, {"customer.name": "An"}) == {"customer": {"name": "An"}}


@pytest.mark.parametrize("shape", ["nonsense", "WyJhIl0:1:x", ""])
def test_a_form_that_this_console_did_not_write_is_refused(scene: Scene, flow: str, shape: str) -> None:
    page = opened(scene, flow)
    answer = _post(scene, flow, page, {"customer.name": "An", "_shape": shape})
    assert answer.status_code == 422
    assert not Launch.objects.exists()


def test_a_form_of_another_flow_is_refused(scene: Scene, flow: str) -> None:
    other = flows.make(scene.workflows, "Other", READS)
    assert _post(scene, flow, opened(scene, other), {"customer.name": "An"}).status_code == 422
    assert not Launch.objects.exists()


def test_values_that_it_is_to_be_filled_with_have_their_fields(scene: Scene, flow: str) -> None:
    row = scene.row(flow_id=flow, payload='{"customer": {"name": "An"}, "unknown": [1]}')
    page = opened(scene, flow, f"?from={row.pk}")
    assert 'name="payload"' not in page
    assert 'name="unknown" value="1"' in page
    assert 'value="An"' in page


def test_values_that_no_fields_can_hold_are_shown_as_json(scene: Scene, flow: str) -> None:
    row = scene.row(flow_id=flow, payload='[1, "a", null]')
    assert 'name="payload"' in opened(scene, flow, f"?from={row.pk}")


def test_a_flow_that_reads_nothing_is_launched_with_a_button_alone(scene: Scene) -> None:
    bare = flows.make(scene.workflows, "Bare", flows.code("echo"))
    page = opened(scene, bare)
    assert "This flow needs no inputs." in page
    assert 'name="payload"' not in page
    assert _post(scene, bare, page, {}).status_code == 303
    assert launches.open_payload(newest()) == {}


def test_a_flow_that_takes_anything_is_launched_with_json_and_says_why(scene: Scene) -> None:
    page = opened(scene, flows.make(scene.workflows, "Whole", flows.code("echo", all="{{trigger.body}}")))
    assert 'name="payload"' in page
    assert "do not show what it needs" in page


def test_a_stored_sample_says_what_kind_a_value_has(scene: Scene, flow: str) -> None:
    scene.workflows.save_trigger_event(
        flow, {"headers": {}, "body": {"customer": {"name": "Lan"}, "amount": 7, "gift": True}}
    )
    page = opened(scene, flow)
    assert _post(scene, flow, page, {"customer.name": "An", "amount": "5", "gift": "true"}).status_code == 303
    assert launches.open_payload(newest()) == {"customer": {"name": "An"}, "amount": 5, "gift": True}


def test_a_proposal_learns_nothing_from_failed_launches(scene: Scene, flow: str) -> None:
    for payload in ('["x"]', '{"customer": [1], "amount": {"n": 1}}'):
        scene.row(flow_id=flow, payload=payload, state=State.FAILED)
    scene.row(flow_id=flow, payload='{"customer": {"name": "An"}, "amount": 5}', state=State.SUCCEEDED)
    trigger = scene.workflows.get_flow(flow)["version"]["trigger"]
    form = sources.propose(scene.workflows, scene.users.workspace, flow, trigger)
    assert [(field.path, field.kind) for field in form.fields] == [
        (("customer", "name"), FieldKind.TEXT),
        (("amount",), FieldKind.NUMBER),
    ]

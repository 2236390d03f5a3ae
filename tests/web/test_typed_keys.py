"""A key of the workspace that somebody types as an input: sent as typed, and shown on no page afterwards."""

import base64
import json

import pytest
from django.utils import timezone

from tests import flows
from tests.launch_forms.filled import publish, send
from tests.launches.launch_scene import Scene, text_of
from workflows_ui.engine import HIDDEN
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launch_forms.services import sources as form_sources
from workflows_ui.launches.models import Launch, LaunchInput
from workflows_ui.launches.services import launches


def _key(scene: Scene) -> str:
    return scene.engine.credentials.bearer_token


def _typed(scene: Scene) -> str:
    """The key as it is, and in base64 within a longer text."""
    inside = base64.b64encode(f"user:{_key(scene)}".encode()).decode()
    return json.dumps({"name": "An", "key": _key(scene), "basic": inside})


def test_it_is_sent_and_then_masked_wherever_the_values_are_shown(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    launch = scene.watch(scene.launch(flow, _typed(scene)))
    assert launches.open_payload(launch)["key"] == _key(scene)
    inside = json.loads(_typed(scene))["basic"]
    owner = scene.sign_in(scene.users.owner)
    addresses = (f"/w/sales/launches/{launch.pk}/", scene.url(flow), f"{scene.url(flow)}?from={launch.pk}")
    for browser in (scene.browser, owner):
        for address in addresses:
            page = text_of(browser.get(address))
            assert _key(scene) not in page, address
            assert inside[8:-8] not in page, address
    assert HIDDEN in scene.page(launch)
    assert HIDDEN in scene.fields(flow)["payload"]
    assert _key(scene) not in json.dumps([*form_sources.launch_payloads(scene.users.workspace, flow)])


def test_what_is_hidden_is_not_launched_by_mistake(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    first = scene.launch(flow, _typed(scene), send=False)
    answer = scene.browser.post(scene.url(flow), scene.fields(flow) | {"confirmed": "yes"})
    assert answer.status_code == 422
    assert "A hidden value cannot be launched" in text_of(answer)
    assert HIDDEN in text_of(answer)
    assert list(Launch.objects.all()) == [first]


@pytest.mark.slow
def test_a_form_keeps_it_neither_among_saved_inputs_nor_where_launches_are_searched(scene: Scene) -> None:
    flow = publish(scene, Form((Field("name", ("name",), searchable=True),)))
    send(scene, flow, {"name": f"x {_key(scene)}", "_save": "yes", "_save_name": "Monday"})
    row = SavedInputs.objects.get()
    assert _key(scene) not in text_of(scene.browser.get(f"{scene.url(flow)}?saved={row.pk}"))
    assert send(scene, flow, {"name": f"x {_key(scene)}"}).status_code == 303
    assert LaunchInput.objects.get().text == f"x {HIDDEN}"
    again = send(scene, flow, {"name": f"x {HIDDEN}"})
    assert again.status_code == 422
    assert "A hidden value cannot be launched" in text_of(again)


def test_an_answer_from_before_the_key_was_known_is_masked_as_well(scene: Scene) -> None:
    launch = scene.row(
        answer=json.dumps({"key": _key(scene)}),
        answer_from="flow",
        answer_type="application/json",
        ended_at=timezone.now(),
    )
    assert _key(scene) not in scene.page(launch)

"""The review before launching, and the builder's own sentences: all is shown once more, nothing typed is lost, no secret is sent back."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpResponse

from tests.launch_forms.filled import newest, opened, publish, send
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.form_schema import rules, schema_in, schema_out
from workflows_ui.form_schema.document import BadForm, Choice, Field, FieldKind, Form
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches

FORM = Form(
    (
        Field("customer", ("customer", "name"), label="Customer", required=True),
        Field("size", ("size",), kind=FieldKind.CHOICE, choices=(Choice("Small", 1), Choice("Large", 2))),
        Field("door", ("door",), kind=FieldKind.SECRET),
        Field("photo", ("photo",), kind=FieldKind.FILE),
    ),
    button="Send the offer",
    effects="Sends an offer to {customer}.\n\nThe {size} box is reserved.",
    review=True,
)
TYPED: dict[str, Any] = {"customer": "Nguyễn <b>An</b>", "size": "2", "door": "open sesame", "_how": "start"}


def _digest(answer: HttpResponse) -> str:
    found = re.search(r'name="_reviewed" value="(\w+)"', text_of(answer))
    assert found
    return found[1]


def test_the_values_are_shown_first_and_launched_when_they_are_confirmed(scene: Scene) -> None:
    flow = publish(scene, FORM)
    page = opened(scene, flow)
    assert "Sends an offer to " in page
    assert 'data-effect="customer" data-label="Customer">Customer</strong>' in page
    answer = send(scene, flow, TYPED, page=page)
    shown = text_of(answer)
    assert answer.status_code == 200
    assert not Launch.objects.exists()
    for words in (
        "Review before launching",
        "Nguyễn &lt;b&gt;An&lt;/b&gt;",
        "Large",
        "Colleague&#x27;s key",
        "Send the offer",
    ):
        assert words in shown
    assert "sesame" not in shown
    assert "<b>An" not in shown
    confirmed = {**TYPED, "_reviewed": _digest(answer)}
    first = send(scene, flow, confirmed, page=page)
    assert first.status_code == 303
    assert launches.open_payload(newest()) == {
        "customer": {"name": TYPED["customer"]},
        "size": 2,
        "door": "open sesame",
    }
    # A double click finds the same launch.
    assert send(scene, flow, confirmed, page=page)["Location"] == first["Location"]
    assert Launch.objects.count() == 1


def test_other_values_than_those_shown_are_shown_again(scene: Scene) -> None:
    flow = publish(scene, FORM)
    page = opened(scene, flow)
    digest = _digest(send(scene, flow, TYPED, page=page))
    answer = send(scene, flow, {**TYPED, "customer": "Bo", "_reviewed": digest}, page=page)
    assert _digest(answer) != digest
    assert not Launch.objects.exists()
    assert _digest(send(scene, flow, {**TYPED, "_how": "wait", "_reviewed": digest}, page=page)) != digest
    assert _digest(send(scene, flow, {**TYPED, "_reviewed": "é"}, page=page)) == digest


def test_errors_come_before_the_review(scene: Scene) -> None:
    answer = send(scene, publish(scene, FORM), {**TYPED, "customer": ""})
    assert answer.status_code == 422
    assert "Review before launching" not in text_of(answer)


def test_changing_goes_back_to_everything_typed_but_secrets(scene: Scene) -> None:
    answer = send(scene, publish(scene, FORM), {**TYPED, "_change": "yes"})
    page = unescape(text_of(answer))
    assert answer.status_code == 200
    assert 'value="Nguyễn <b>An</b>"' in page
    assert "Enter it again" in page
    assert "sesame" not in page


def test_with_htmx_the_form_stays_and_only_the_review_comes(scene: Scene) -> None:
    flow = publish(scene, FORM)
    calls = scene.engine.journal.count()
    page = opened(scene, flow)
    calls = scene.engine.journal.count()
    hidden = dict(re.findall(r'type="hidden" name="(ticket|_flow|_version)" value="([^"]*)"', page))
    file = io.BytesIO(b"hello")
    file.name = "a.txt"
    answer = scene.browser.post(
        scene.url(flow), {**hidden, **TYPED, "photo": file}, headers={"HX-Request": "true", "HX-Target": "launch-page"}
    )
    assert (answer["HX-Retarget"], answer["HX-Reselect"]) == ("#launch-review", "#launch-review")
    assert "a.txt (5\xa0bytes)" in text_of(answer)
    assert "data-review" in text_of(answer)
    assert scene.engine.journal.count() == calls


def test_without_javascript_secrets_and_files_are_given_again_below_the_review(scene: Scene) -> None:
    flow = publish(scene, FORM)
    page = text_of(send(scene, flow, TYPED))
    assert "enter them again below" in page
    assert "data-review>" not in page
    assert "data-review>" in text_of(send(scene, flow, TYPED | {"door": ""}))


def test_the_same_values_are_asked_about_without_a_second_review(scene: Scene) -> None:
    flow = publish(scene, FORM)
    answer = send(scene, flow, TYPED)
    confirmed = {**TYPED, "_reviewed": _digest(answer)}
    assert send(scene, flow, confirmed).status_code == 303
    asked = send(scene, flow, confirmed)
    assert "You launched the same values moments ago" in text_of(asked)
    assert _digest(asked) == confirmed["_reviewed"]


def test_the_sentences_and_the_review_are_part_of_the_form_s_file() -> None:
    assert schema_in.from_schema(schema_out.to_schema(FORM)) == FORM
    assert schema_in.from_schema(schema_out.to_schema(Form(effects="All.", review=True))) == Form(
        effects="All.", review=True
    )


@pytest.mark.parametrize("effects", ["{gone}", "{door}", "{photo}", "x" * 2001])
def test_sentences_name_fields_that_are_there_and_no_secrets(effects: str) -> None:
    with pytest.raises(BadForm):
        rules.check(replace(FORM, effects=effects))


def test_the_second_look_at_what_it_does_keeps_the_builder_s_sentences(scene: Scene) -> None:
    flow = publish(scene, FORM)
    assert "Sends an offer to " in text_of(scene.browser.get(f"/w/sales/flows/{flow}/does/"))

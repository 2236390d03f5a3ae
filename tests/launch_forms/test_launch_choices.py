"""Choices that a table or an app gives: labels are shown, values sent; an engine that is down leaves a text field and a hint."""

from typing import Any

import pytest

from tests import caches, flows
from tests.launch_forms.filled import ECHO, opened, publish, send, sent
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.engine import Timeouts
from workflows_ui.form_schema.document import Choice, Field, FieldKind, Form, PieceChoices, TableChoices
from workflows_ui.launch_forms import choices as launch_choices
from workflows_ui.launch_forms.views import form_page


@pytest.fixture
def table(scene: Scene) -> tuple[str, str, str]:
    """A table of 20 shops; its id, and those of the columns with name and number."""
    made = scene.workflows.create_table("Shops")
    name = scene.workflows.create_field(made["id"], "Name", "TEXT")["id"]
    number = scene.workflows.create_field(made["id"], "Number", "TEXT")["id"]
    scene.workflows.create_records(made["id"], [{name: f"Shop {at:02}", number: f"s{at}"} for at in range(20)])
    scene.workflows.create_records(made["id"], [{name: "No number", number: ""}])
    return made["id"], name, number


def _form(table: tuple[str, str, str], **more: Any) -> Form:
    return Form(
        (Field("shop", ("shop",), kind=FieldKind.CHOICE, choices_from=TableChoices(*table), required=True, **more),)
    )


def test_a_tables_records_are_offered_by_label_and_sent_by_value(scene: Scene, table: tuple[str, str, str]) -> None:
    flow = publish(scene, _form(table))
    page = opened(scene, flow)
    assert '<option value="Shop 07">' in page
    assert "No number" not in page
    assert sent(scene, flow, {"shop": "Shop 07"}) == {"shop": "s7"}
    assert sent(scene, flow, {"shop": "s8"}) == {"shop": "s8"}
    answer = send(scene, flow, {"shop": "Shop 99"})
    assert answer.status_code == 422
    assert 'value="Shop 99"' in text_of(answer)
    assert "Choose one of the listed values." in text_of(answer)
    again = unescape(text_of(send(scene, flow, {"shop": "Shop 07", "_add": "nothing"})))
    assert 'value="Shop 07"' in again


def test_they_are_asked_for_once_and_known_when_the_form_comes_back_without_the_engine(
    scene: Scene, table: tuple[str, str, str]
) -> None:
    flow = publish(scene, _form(table))
    scene.engine.journal.clear()
    page = opened(scene, flow)
    opened(scene, flow)
    assert scene.engine.journal.count("GET", "/v1/records") == 1
    scene.server.stop()
    assert send(scene, flow, {"shop": "Shop 07"}, page=page).status_code == 303


def test_without_the_engine_the_value_itself_may_be_typed(scene: Scene, table: tuple[str, str, str]) -> None:
    flow = publish(scene, _form(table))
    scene.server.stop()
    caches.empty()
    page = opened(scene, flow)
    assert "could not be loaded right now" in page
    assert 'type="text" id="field-0-control" name="shop"' in page
    assert send(scene, flow, {"shop": "s7"}, page=page).status_code == 303


def test_what_was_offered_lately_is_offered_still_while_the_engine_is_down_or_slow(
    scene: Scene, table: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = publish(scene, _form(table))
    # What is remembered for a minute is over at once; what was offered is known for a day.
    monkeypatch.setattr(launch_choices, "FRESH", 0)
    opened(scene, flow)
    monkeypatch.setattr(form_page, "PATIENCE", Timeouts(total=0.2))
    scene.engine.faults.add("delay", path="/v1/*", seconds=2.0)
    slow = opened(scene, flow)
    assert "does not answer properly" in slow
    scene.server.stop()
    for page in (slow, opened(scene, flow)):
        assert '<option value="Shop 07">' in page
    refused = unescape(text_of(send(scene, flow, {"shop": "Shop 07", "_add": "nothing"}, page=page)))
    assert 'value="Shop 07"' in refused


def test_several_choices_from_a_table_are_ticked(scene: Scene, table: tuple[str, str, str]) -> None:
    flow = publish(
        scene, Form((Field("shops", ("shops",), kind=FieldKind.CHOICES, choices_from=TableChoices(*table)),))
    )
    assert 'type="checkbox"' in opened(scene, flow)
    assert sent(scene, flow, {"shops": ["", "s1", "s2"]}) == {"shops": ["s1", "s2"]}


def test_labels_that_are_alike_are_distinguished_by_their_values(scene: Scene) -> None:
    choices = tuple(Choice("Same", number) for number in range(20))
    flow = publish(scene, Form((Field("n", ("n",), kind=FieldKind.CHOICE, choices=choices),)))
    assert '<option value="Same (3)">' in opened(scene, flow)
    assert sent(scene, flow, {"n": "Same (3)"}) == {"n": 3}


def test_a_table_that_is_gone_is_no_harm(scene: Scene, table: tuple[str, str, str]) -> None:
    flow = publish(scene, _form(table))
    scene.workflows.delete_table(table[0])
    assert opened(scene, flow)


def test_a_step_that_is_gone_gives_no_choices(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "F", ECHO)
    form = Form((Field("x", ("x",), kind=FieldKind.CHOICE, choices_from=PieceChoices("gone", "property")),))
    publish(scene, form, flow=flow)
    assert opened(scene, flow)

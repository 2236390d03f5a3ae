"""The inputs of a launch on its page: by the labels of its form, in the words of its choices, with the raw part behind."""

import json
from typing import Any

import pytest
from django.utils import translation

from tests.launch_forms.filled import publish
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.form_schema.document import Choice, Column, Field, FieldKind, Form, Moment
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launches import inputs
from workflows_ui.launches.models import State

FORM = Form(
    (
        Field("to", ("customer", "phone"), label="Whom to call", kind=FieldKind.PHONE),
        Field("size", ("size",), label="Size", kind=FieldKind.CHOICE, choices=(Choice("Large", "l"),)),
        Field("many", ("many",), label="Colours", kind=FieldKind.CHOICES, choices=(Choice("Red", "r"),)),
        Field("rows", ("rows",), label="Lines", kind=FieldKind.TABLE, columns=(Column("q", "qty", "How many"),)),
        Field("at", ("at",), label="When", kind=FieldKind.DATETIME, moment=Moment.UTC),
        Field("fixed", ("fixed",), label="Never typed", hidden_value="of the builder's"),
    )
)
SENT = {
    "customer": {"phone": "+84 1", "unknownKey": True},
    "size": "l",
    "many": ["r", "other"],
    "rows": [{"qty": "3"}],
    "at": "2026-03-01T02:30:00Z",
    "fixed": "of the builder's",
}


def _page(scene: Scene, payload: Any, **fields: Any) -> str:
    row = scene.row(state=State.SUCCEEDED, payload=json.dumps(payload), **fields)
    return unescape(scene.page(row))


def test_inputs_are_shown_by_labels_and_in_the_words_of_choices(scene: Scene) -> None:
    version = LaunchForm.objects.get(flow_id=publish(scene, FORM)).published
    page = _page(scene, SENT, form_version=version)
    readable, _, raw = page.partition('id="payload-raw"')
    shown = readable.rpartition('id="launch-payload"')[2]
    for words in (
        "Whom to call",
        "+84 1",
        "Large",
        "Red",
        "other",
        "How many",
        "1 Mar 2026 09:30",
        "Customer › Unknown key",
    ):
        assert words in shown
    assert "Never typed" not in shown
    assert '"fixed": "of the builder' in raw


def test_numbers_and_dates_are_shown_as_the_reader_writes_them() -> None:
    columns = (Column("p", "price", "Price", kind=FieldKind.NUMBER), Column("d", "day", "Day", kind=FieldKind.DATE))
    form = Form(
        (
            Field("day", ("day",), label="Day", kind=FieldKind.DATE),
            Field("odd", ("odd",), label="Odd day", kind=FieldKind.DATE),
            Field("sum", ("sum",), label="Sum", kind=FieldKind.NUMBER),
            Field("year", ("year",), label="Year", kind=FieldKind.INTEGER),
            Field("rows", ("rows",), label="Lines", kind=FieldKind.TABLE, columns=columns),
        )
    )
    payload = {
        "day": "2026-12-24",
        "odd": "soon",
        "sum": 12.5,
        "year": 2026,
        "rows": [{"price": 1250000.5, "day": "2026-12-24"}],
    }
    with translation.override("vi"):
        node = inputs.readable_values(form, payload)
    assert node is not None
    shown = dict(node.entries)
    assert [shown[name].text for name in ("Day", "Odd day", "Sum", "Year")] == ["24/12/2026", "soon", "12,5", "2026"]
    assert [cell.text for cell in shown["Lines"].rows[0]] == ["1.250.000,5", "24/12/2026"]


@pytest.mark.parametrize(
    "payload", [{}, [], None, "", [1, {"a": None}], {"<b>": "<img src=x>"}, {"a": {"b": {"c": {"d": {"e": 1}}}}}]
)
def test_whatever_was_sent_is_shown(scene: Scene, payload: Any) -> None:
    page = scene.page(scene.row(state=State.SUCCEEDED, payload=json.dumps(payload)))
    assert 'id="payload-text"' in page
    assert "<img src=x" not in page


def test_a_form_that_cannot_be_opened_leaves_the_raw_part(scene: Scene) -> None:
    version = LaunchForm.objects.get(flow_id=publish(scene, FORM)).published
    assert version is not None
    type(version).objects.update(schema="not a ciphertext")
    assert "+84 1" in _page(scene, SENT, form_version=version)


def test_a_notification_of_the_end_is_offered_until_the_end(scene: Scene) -> None:
    row = scene.row(state=State.RUNNING, run_id="R" * 21)
    assert "Notify me when it ends" in scene.page(row)
    type(row).objects.filter(pk=row.pk).update(state=State.SUCCEEDED)
    headers = {"HX-Request": "true", "HX-Target": "launch-live"}
    part = text_of(scene.browser.get(f"/w/sales/launches/{row.pk}/", headers=headers))
    assert '<span id="launch-watch" hx-swap-oob="true" hidden>' in part
    assert "Notify me when it ends" not in part

"""What a launch will do, in the words of its form's builder: a sentence a line, with the fields' labels or values."""

from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.launch_forms.schema import checking
from workflows_ui.launch_forms.schema.document import NOTHING, PLACEHOLDER, Form
from workflows_ui.launches import inputs as launch_inputs

#: A sentence in parts: the text, and the name of the field that it stands for, "" for the sentence's own words.
Parts = list[tuple[str, str]]


def sentences(form: Form, payload: Any = NOTHING) -> list[Parts]:
    """The sentences of a form with the labels of its fields; with a masked payload, with their values. Empty without sentences."""
    return [_parts(form, line.strip(), payload) for line in form.effects.splitlines() if line.strip()]


def _parts(form: Form, line: str, payload: Any) -> Parts:
    texts = enumerate(PLACEHOLDER.split(line))
    parts = ((_value(form, text, payload), text) if number % 2 else (text, "") for number, text in texts)
    return [part for part in parts if part[0]]


def _value(form: Form, name: str, payload: Any) -> str:
    field = form.field(name)
    if field is None:
        return name
    if payload is NOTHING:
        return field.shown_label
    value = checking.value_at(payload, field.path)
    return launch_inputs.brief_value(field, value) if value is not NOTHING else _("nothing")

"""Fields of a flow's own form: triggers of the forms piece (recordings `form_get`, `form_submit_*`, `form_run_get_*`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workflows_ui.core.json_text import HALF
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import mapping_of
from workflows_ui.engine_objects.flows import Step
from workflows_ui.form_schema.document import Field, FieldKind

_KINDS = {"text": FieldKind.TEXT, "text_area": FieldKind.LONG_TEXT, "file": FieldKind.FILE, "toggle": FieldKind.YES_NO}
_QUOTES = re.compile(r"[\\\"'’\n\r\t]")
_MOST = 200


def read_trigger_form(trigger: object, bodies: Sequence[object] = ()) -> list[Field] | None:
    """The fields of a forms trigger; None for other triggers. Steps read them as `{{trigger.x}}`: the piece's output is the body itself.

    Their names, labels and help texts are as the flow has them, which may be more than a launch form allows.
    `bodies` show under which key a label's value was sent before."""
    settings = Step(trigger).settings
    if settings.piece != "piece-forms":
        return None
    if settings.trigger_name == "chat_submission":
        return [Field("message", ("message",), kind=FieldKind.LONG_TEXT, required=True)]
    rows = dicts_at(settings.input, "inputs")[:_MOST]
    known = {key for body in bodies[:100] for key in mapping_of(body)}
    fields: dict[str, Field] = {}
    for row in rows:
        label = text_at(row, "displayName")
        if label.strip() and len(label) <= 200 and not HALF.search(label):
            key = key_of(label, known)
            kind = _KINDS.get(str(row.get("type")), FieldKind.TEXT)
            help_text = HALF.sub("\ufffd", text_at(row, "description"))
            fields.setdefault(key, Field(key, (key,), label, help_text, kind, row.get("required") is True))
    return list(fields.values())


def key_of(label: str, known: set[str]) -> str:
    """The key under which the engine's own form page sends a field's value: `Full name` -> `fullName`.

    Editions of the page differ in whether the other letters become lower-case, and some use the label unchanged: past keys decide.
    """
    small = re.sub(r"\s+([A-Za-z0-9_])", lambda match: match[1].upper(), label.lower())
    mixed = re.sub(r"\s", "", re.sub(r"\s(.)", lambda match: match[1].upper(), label))
    keys = [_QUOTES.sub("", key[:1].lower() + key[1:]) for key in (small, mixed)]
    return next((key for key in (*keys, label) if key in known), keys[0])

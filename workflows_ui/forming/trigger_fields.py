"""The fields that a flow's own form asks for: triggers of the forms piece (recordings know none; the shapes are the piece's own)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workflows_ui.forming.document import Kind

_KINDS = {"text": Kind.TEXT, "text_area": Kind.LONG_TEXT, "file": Kind.FILE, "toggle": Kind.YES_NO}
_QUOTES = re.compile(r"[\\\"'’\n\r\t]")
#: Half of a surrogate pair, which no page can show and no request carry.
_HALF = re.compile("[\ud800-\udfff]")
_MOST = 200


@dataclass(frozen=True)
class Asked:
    """One field of the flow's own form. `key` is where its value lies in the body."""

    key: str
    label: str
    help: str
    kind: Kind
    required: bool


@dataclass(frozen=True)
class TriggerForm:
    """The flow's own form. `body_is_output`: steps read `{{trigger.x}}`, since the piece hands on the body itself."""

    fields: tuple[Asked, ...] = ()
    body_is_output: bool = False


def of_trigger(trigger: Any, bodies: Sequence[Any] = ()) -> TriggerForm:
    """What a forms trigger asks for; nothing for other triggers. `bodies` say under which key a label's value was sent before."""
    settings = _dict(_dict(trigger).get("settings"))
    piece = str(settings.get("pieceName") or "").rpartition("/")[2]
    if piece != "piece-forms":
        return TriggerForm()
    if settings.get("triggerName") == "chat_submission":
        return TriggerForm((Asked("message", "", "", Kind.LONG_TEXT, required=True),), body_is_output=True)
    inputs = _dict(settings.get("input")).get("inputs")
    rows = [row for row in inputs if isinstance(row, dict)][:_MOST] if isinstance(inputs, list) else []
    known = {key for body in bodies[:100] if isinstance(body, dict) for key in body}
    found: dict[str, Asked] = {}
    for row in rows:
        label = row.get("displayName")
        if isinstance(label, str) and label.strip() and len(label) <= 200 and not _HALF.search(label):
            key = key_of(label, known)
            kind = _KINDS.get(str(row.get("type")), Kind.TEXT)
            found.setdefault(key, Asked(key, label, _text(row.get("description")), kind, row.get("required") is True))
    # A field called "body" is read as `{{trigger.body}}`.
    return TriggerForm(tuple(found.values()), body_is_output=True)


def key_of(label: str, known: set[str]) -> str:
    """The key under which the engine's own form page sends a field's value: `Full name` -> `fullName`.

    Editions of the page differ in whether the rest is made small; what was sent before decides. So does a label used as it is.
    """
    small = re.sub(r"\s+([A-Za-z0-9_])", lambda found: found[1].upper(), label.lower())
    kept = re.sub(r"\s", "", re.sub(r"\s(.)", lambda found: found[1].upper(), label))
    ways = [_QUOTES.sub("", way[:1].lower() + way[1:]) for way in (small, kept)]
    return next((way for way in (*ways, label) if way in known), ways[0])


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return _HALF.sub("\ufffd", value) if isinstance(value, str) else ""

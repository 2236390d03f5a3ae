"""A form from JSON Schema: our own, read back without loss, or one that was written elsewhere, as far as all of it is understood."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.forming import json_text, rules, schema_field
from workflows_ui.forming.document import LONG, MOST_DEPTH, MOST_FIELDS, NOTE, SHORT, BadForm, Field, Form
from workflows_ui.forming.parts import Part
from workflows_ui.forming.schema_out import EDITION, OURS

#: Bytes of an imported file.
MOST_BYTES = 1024 * 1024
#: Levels of nesting in an imported file.
_NESTING = 60
_PLAIN = ("$schema", "$id", "$comment", "title", "description", "additionalProperties")


def read(content: bytes) -> Form:
    """The form of a file. Raises BadForm."""
    if len(content) > MOST_BYTES:
        raise BadForm(_("The file is too large for a form. A form has at most 1 MB."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadForm(_("The file is not a text in UTF-8. Choose a file that was exported from a form.")) from None
    if not text.strip():
        raise BadForm(_("The file is empty. Choose a file that was exported from a form."))
    try:
        document = json_text.parse(text)
    except json_text.BadPayload as problem:
        words = {
            "letter": _("The file holds half of a letter (such as \\ud800), which no page can show."),
            "number": _("The file holds a number that is none, or that is out of range."),
            "deep": _("The file is nested too deeply for a form."),
        }
        told = _("The file is not JSON. Choose a file that was exported from a form.")
        raise BadForm(words.get(problem.problem, told)) from None
    return from_schema(document)


def from_schema(document: Any) -> Form:
    """The form of a schema. What is not understood is refused, never dropped. Raises BadForm."""
    if _too_deep(document):
        raise BadForm(_("The file is nested too deeply for a form."))
    form = trusted(document)
    rules.check(form)
    return form


def trusted(document: Any) -> Form:
    """As `from_schema`, without the rules that go over the whole form: for what this console wrote itself. Raises BadForm."""
    root = Part(document, _("The file"))
    ours = Part(root.take(OURS, {}), _("The file, “x-console”"))
    edition = ours.take("form", EDITION)
    if edition != EDITION:
        raise BadForm(_("The file was written by a newer console, which this one does not understand."))
    note, button = ours.text("note", NOTE), ours.text("button", SHORT)
    left_out = _left_out(ours)
    order = ours.texts("order", 10_000, SHORT)
    whole = ours.take("whole")
    ours.done()
    if whole is not None or "properties" not in root:
        fields = [_whole(document, whole)] if whole is not None or set(document) - {*_PLAIN, "type", OURS} else []
        return Form(tuple(fields), note, button, left_out)
    fields = _Collector().collect(document)
    place = {name: number for number, name in enumerate(order)}
    fields.sort(key=lambda field: place.get(field.name, len(place)))
    if not note and isinstance(document.get("description"), str):
        note = document["description"][:NOTE]
    return Form(tuple(fields), note, button, left_out)


def words(document: Any) -> tuple[str, str]:
    """Note and button of a form that this console wrote, without reading its fields; "" for what is not said."""
    ours = document.get(OURS) if isinstance(document, dict) else None
    found = [ours.get(name) if isinstance(ours, dict) else None for name in ("note", "button")]
    note, button = (one if isinstance(one, str) else "" for one in found)
    return note, button


def _left_out(ours: Part) -> tuple[tuple[str, ...], ...]:
    """The places that the form does not ask for on purpose."""
    found = ours.items("left_out", MOST_FIELDS)
    for path in found:
        if not isinstance(path, list) or not all(isinstance(key, str) and len(key) <= LONG for key in path):
            raise ours.wrong("left_out", _("lists of texts are expected"))
    return tuple(tuple(path) for path in found)


def _whole(document: dict[str, Any], ours: Any) -> Field:
    inner = {key: value for key, value in document.items() if key not in ("$schema", "$id", "$comment", OURS)}
    return schema_field.read(inner | ({OURS: ours} if ours is not None else {}), (), required=True, taken=set())


class _Collector:
    """Walks the objects of a schema and collects its fields, in the order of the document."""

    def __init__(self) -> None:
        self.fields: list[Field] = []
        self.taken: set[str] = set()

    def collect(self, document: dict[str, Any]) -> list[Field]:
        self._object(document, (), must=True)
        return self.fields

    def _object(self, document: dict[str, Any], path: tuple[str, ...], *, must: bool) -> None:
        part = Part(document, schema_field.where(path))
        if part.take("type", "object") != "object":
            raise part.wrong("type", _("“object” is expected"))
        required = part.texts("required", 10_000, 100_000)
        properties = part.take("properties", {})
        if not isinstance(properties, dict):
            raise part.wrong("properties", _("an object {...} is expected"))
        unknown = next((key for key in required if key not in properties), None)
        if unknown is not None:
            raise part.wrong("required", _("“%(name)s” is not among the properties") % {"name": unknown[:40]})
        if len(path) > MOST_DEPTH:
            raise BadForm(_("%(where)s: the form is nested too deeply.") % {"where": part.where})
        part.text("description", NOTE if not path else LONG)
        part.done(ignored=(*_PLAIN, OURS))
        for key, inner in properties.items():
            here, needed = (*path, key), must and key in required
            if isinstance(inner, dict) and OURS not in inner and isinstance(inner.get("properties"), dict):
                self._object(inner, here, must=needed)
            else:
                field = schema_field.read(inner, here, required=needed, taken=self.taken)
                self.taken.add(field.name)
                self.fields.append(field)


def _too_deep(document: Any) -> bool:
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > _NESTING:
            return True
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return False

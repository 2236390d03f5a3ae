"""Forms from JSON Schema: the console's own, without loss, or foreign ones if everything in them is understood."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.launch_forms.schema import json_text, rules, schema_field
from workflows_ui.launch_forms.schema.document import LONG, MOST_DEPTH, MOST_FIELDS, NOTE, SHORT, BadForm, Field, Form
from workflows_ui.launch_forms.schema.parts import Part
from workflows_ui.launch_forms.schema.schema_out import ANNOTATION, EDITION

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
        messages = {
            "letter": _("The file contains half of a character (such as \\ud800), which no page can show."),
            "number": _("The file contains a number that is invalid or out of range."),
            "deep": _("The file is nested too deeply for a form."),
        }
        default = _("The file is not JSON. Choose a file that was exported from a form.")
        raise BadForm(messages.get(problem.problem, default)) from None
    return from_schema(document)


def from_schema(document: Any) -> Form:
    """The form of a schema. Anything not understood is rejected, never dropped. Raises BadForm."""
    if _too_deep(document):
        raise BadForm(_("The file is nested too deeply for a form."))
    form = read_trusted(document)
    rules.check(form)
    return form


def read_trusted(document: Any) -> Form:
    """As `from_schema`, without the rules for the whole form: for schemas written by this console. Raises BadForm."""
    root = Part(document, _("The file"))
    annotation = Part(root.take(ANNOTATION, {}), _("The file, “x-console”"))
    edition = annotation.take("form", EDITION)
    if edition != EDITION:
        raise BadForm(_("The file was written by a newer console, which this one does not understand."))
    note, button = annotation.text("note", NOTE), annotation.text("button", SHORT)
    left_out = _left_out(annotation)
    order = annotation.texts("order", 10_000, SHORT)
    whole = annotation.take("whole")
    annotation.done()
    if whole is not None or "properties" not in root:
        fields = (
            [_whole_body_field(document, whole)]
            if whole is not None or set(document) - {*_PLAIN, "type", ANNOTATION}
            else []
        )
        return Form(tuple(fields), note, button, left_out)
    fields = _Collector().collect(document)
    positions = {name: number for number, name in enumerate(order)}
    fields.sort(key=lambda field: positions.get(field.name, len(positions)))
    if not note and isinstance(document.get("description"), str):
        note = document["description"][:NOTE]
    return Form(tuple(fields), note, button, left_out)


def read_texts(document: Any) -> tuple[str, str]:
    """Note and button of a schema written by this console, without reading its fields; "" for missing ones."""
    annotation = document.get(ANNOTATION) if isinstance(document, dict) else None
    values = [annotation.get(name) if isinstance(annotation, dict) else None for name in ("note", "button")]
    note, button = (value if isinstance(value, str) else "" for value in values)
    return note, button


def _left_out(annotation: Part) -> tuple[tuple[str, ...], ...]:
    """The paths that the form excludes on purpose."""
    paths = annotation.items("left_out", MOST_FIELDS)
    for path in paths:
        if not isinstance(path, list) or not all(isinstance(key, str) and len(key) <= LONG for key in path):
            raise annotation.wrong("left_out", _("lists of texts are expected"))
    return tuple(tuple(path) for path in paths)


def _whole_body_field(document: dict[str, Any], annotation: Any) -> Field:
    inner = {key: value for key, value in document.items() if key not in ("$schema", "$id", "$comment", ANNOTATION)}
    return schema_field.read(
        inner | ({ANNOTATION: annotation} if annotation is not None else {}), (), required=True, taken=set()
    )


class _Collector:
    """Collects the fields of a schema's objects, in the order of the document."""

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
        part.done(ignored=(*_PLAIN, ANNOTATION))
        for key, inner in properties.items():
            inner_path, inner_must = (*path, key), must and key in required
            if isinstance(inner, dict) and ANNOTATION not in inner and isinstance(inner.get("properties"), dict):
                self._object(inner, inner_path, must=inner_must)
            else:
                field = schema_field.read(inner, inner_path, required=inner_must, taken=self.taken)
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

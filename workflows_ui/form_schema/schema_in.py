"""Forms from JSON Schema: the console's own, without loss, or foreign ones if everything in them is understood."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from workflows_ui.core import json_text
from workflows_ui.form_schema import rules, schema_field
from workflows_ui.form_schema.document import LONG, MOST_DEPTH, MOST_FIELDS, NOTE, SHORT, BadForm, Field, Form
from workflows_ui.form_schema.parts import Part
from workflows_ui.form_schema.schema_out import ANNOTATION, EDITION

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


def from_schema(document: object) -> Form:
    """The form of a schema. Anything not understood is rejected, never dropped. Raises BadForm."""
    if json_text.depth(document) > _NESTING:
        raise BadForm(_("The file is nested too deeply for a form."))
    form = read_trusted(document)
    rules.check(form)
    return form


def read_trusted(document: object) -> Form:
    """As `from_schema`, without the rules for the whole form: for schemas written by this console. Raises BadForm."""
    root = Part(document, _("The file"))
    schema = root.content
    annotation = Part(root.take(ANNOTATION, {}), _("The file, “x-console”"))
    edition = annotation.take("form", EDITION)
    if edition != EDITION:
        raise BadForm(_("The file was written by a newer console, which this one does not understand."))
    note, button = annotation.text("note", NOTE), annotation.text("button", SHORT)
    left_out = _left_out(annotation)
    effects, review = annotation.text("effects", LONG), annotation.flag("review")
    order = annotation.texts("order", 10_000, SHORT)
    whole = annotation.take("whole")
    annotation.done()
    if whole is not None or "properties" not in root:
        if whole is None and not set(schema) - {*_PLAIN, "type", ANNOTATION}:
            return Form((), note, button, left_out, effects, review)
        inner = {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$comment", ANNOTATION)}
        if whole is not None:
            inner[ANNOTATION] = whole
        return Form(
            (schema_field.read(inner, (), required=True, taken=set()),), note, button, left_out, effects, review
        )
    positions = {name: number for number, name in enumerate(order)}
    fields = sorted(_fields(schema, (), set(), must=True), key=lambda field: positions.get(field.name, len(positions)))
    if not note and isinstance(description := schema.get("description"), str):
        note = description[:NOTE]
    return Form(tuple(fields), note, button, left_out, effects, review)


def _left_out(annotation: Part) -> tuple[tuple[str, ...], ...]:
    """The paths that the form excludes on purpose."""
    paths: list[tuple[str, ...]] = []
    for path in annotation.items("left_out", MOST_FIELDS):
        if not isinstance(path, list) or not all(isinstance(key, str) and len(key) <= LONG for key in path):
            raise annotation.wrong("left_out", _("lists of texts are expected"))
        paths.append(tuple(path))
    return tuple(paths)


def _fields(document: dict[str, object], path: tuple[str, ...], taken: set[str], *, must: bool) -> Iterator[Field]:
    """The fields of an object of the schema and of those inside it, in the order of the document."""
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
            yield from _fields(inner, inner_path, taken, must=inner_must)
        else:
            field = schema_field.read(inner, inner_path, required=inner_must, taken=taken)
            taken.add(field.name)
            yield field

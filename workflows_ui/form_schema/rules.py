"""Rules for whole forms, with error messages: unique names and paths, consistent limits, conditions on existing fields."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from django.utils.translation import gettext as _

from workflows_ui.form_schema import moments, patterns
from workflows_ui.form_schema.document import (
    CELLS,
    LONG,
    MOST_CHOICES,
    MOST_COLUMNS,
    MOST_DEPTH,
    MOST_FIELDS,
    NAME,
    NOTE,
    NOTHING,
    NUMBERS,
    RESERVED,
    SHORT,
    BadForm,
    Blank,
    Field,
    FieldKind,
    Form,
    When,
    is_number,
    key_of,
)

_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
#: Most bytes of default, hidden value and choices of a field as JSON.
_MOST_VALUE = 100_000


def check(form: Form) -> None:
    """Raise BadForm for the first broken rule."""
    for problem in chain(_form(form), _names(form), _paths(form), _show_ifs(form)):
        raise BadForm(problem)
    for field in form.fields:
        for check_field in (_texts, _secret, _values, _choices, _limits, _columns, _files):
            for problem in check_field(field):
                params = {"field": field.shown_label[:80], "problem": problem}
                raise BadForm(_("Field “%(field)s”: %(problem)s") % params)


def _form(form: Form) -> Iterator[str]:
    if len(form.fields) > MOST_FIELDS:
        yield _("A form has at most %(most)s fields.") % {"most": MOST_FIELDS}
    if len(form.note) > NOTE or len(form.button) > SHORT:
        yield _("The note or the sentence for the button is too long.")
    if len(form.effects) > LONG:
        yield _("What this will do is too long: at most %(most)s characters.") % {"most": LONG}
    for name in form.named_in_effects:
        field = form.field(name)
        if field is None:
            yield _("What this will do names a field that is not there: “{%(name)s}”.") % {"name": name}
        elif field.kind in (FieldKind.SECRET, FieldKind.FILE):
            yield _("What this will do cannot name “{%(name)s}”: it is a secret or a file.") % {"name": name}


def _names(form: Form) -> Iterator[str]:
    for field_name, count in Counter(form.names).items():
        name = {"name": field_name[:80]}
        if not NAME.fullmatch(field_name) or field_name in RESERVED:
            yield (
                _("“%(name)s” cannot be a field's name. Use letters of the English alphabet, digits, dots and dashes.")
                % name
            )
        if count > 1:
            yield _("Two fields have the name “%(name)s”. Give one of them another.") % name


def _paths(form: Form) -> Iterator[str]:
    paths = Counter(field.path for field in form.fields)
    for path, count in paths.items():
        if count > 1:
            yield _("Two fields write to the same place, “%(place)s”. Remove one of them.") % _path_params(path)
        if len(path) > MOST_DEPTH or sum(map(len, path)) > LONG:
            yield _("“%(place)s” is nested too deeply, or its name is too long.") % _path_params(path)
        for outer in {path[:end] for end in range(len(path))} & paths.keys():
            params = _path_params(path) | {"outer": _path_params(outer)["place"]}
            yield _("“%(place)s” lies inside another field, “%(outer)s”. Remove one of the two.") % params


def _path_params(path: tuple[str, ...]) -> dict[str, str]:
    return {"place": " › ".join(key[:40] for key in path) or _("the whole body")}


def _show_ifs(form: Form) -> Iterator[str]:
    for field in form.fields:
        if field.show_if is None:
            continue
        name, other = {"name": field.name}, form.field(field.show_if.field)
        if other is None:
            text = _("“%(name)s” is shown depending on a field that is not there: “%(other)s”.")
            yield text % (name | {"other": field.show_if.field[:80]})
        elif other.kind is FieldKind.SECRET and field.show_if.test in (When.IS, When.IS_NOT):
            yield (
                _(
                    "“%(name)s” is shown depending on the value of a secret. It may only depend on whether the secret is filled in."
                )
                % name
            )
    for field in form.fields:
        if field in form.deciding_fields(field):
            yield _("“%(name)s” is shown depending on itself, in a circle.") % {"name": field.name}


def _texts(field: Field) -> Iterator[str]:
    if any(len(text) > SHORT for text in (field.label, field.group, field.example, field.limits.pattern_words)):
        yield _("its label, group or example is too long: at most %(most)s characters.") % {"most": SHORT}
    if len(field.help) > LONG:
        yield _("its help is too long: at most %(most)s characters.") % {"most": LONG}


def _secret(field: Field) -> Iterator[str]:
    """Check that no secret is stored in the form: it is typed at each launch."""
    if field.kind is not FieldKind.SECRET:
        return
    if field.default is not NOTHING or field.hidden:
        yield _("a secret has no default and no fixed value: it is typed at each launch.")
    if field.example:
        yield _("a secret has no example.")
    if field.searchable:
        yield _("launches cannot be found by a secret.")
    if not field.path:
        yield _("a secret needs a name in what is sent.")


def _values(field: Field) -> Iterator[str]:
    values = [value for value in (field.default, field.hidden_value) if value is not NOTHING]
    if len(json.dumps([*values, *(choice.value for choice in field.choices)])) > _MOST_VALUE:
        yield _("its values are too large.")
    if field.hidden and field.kind is FieldKind.FILE:
        yield _("a file cannot be a fixed hidden value.")
    if field.blank is Blank.TEXT and field.kind in (FieldKind.LIST, FieldKind.CHOICES, FieldKind.TABLE):
        yield _("a list that is left empty cannot send an empty text.")


def _choices(field: Field) -> Iterator[str]:
    if len(field.choices) > MOST_CHOICES:
        yield _("at most %(most)s choices are possible. Use a table instead.") % {"most": MOST_CHOICES}
    if any(len(choice.label) > SHORT for choice in field.choices):
        yield _("the label of a choice is too long: at most %(most)s characters.") % {"most": SHORT}
    if len({key_of(choice.value) for choice in field.choices}) < len(field.choices):
        yield _("two of its choices send the same value.")
    live, chosen = field.choices_from is not None, field.kind in (FieldKind.CHOICE, FieldKind.CHOICES)
    if chosen and not (field.choices or live or field.other or field.hidden):
        yield _("a choice needs at least one value to choose.")
    if (live or field.choices) and not chosen:
        yield _("only a choice can have choices.")


def _limits(field: Field) -> Iterator[str]:
    limits = field.limits
    ends = [end for end in (limits.low, limits.high) if end is not None]
    if field.kind is FieldKind.DATE and not all(map(_is_date, ends)):
        yield _("its first and last day must be dates.")
    if field.kind in NUMBERS and not all(map(is_number, ends)):
        yield _("its smallest and largest value must be numbers.")
    if ends and field.kind not in NUMBERS | {FieldKind.DATE}:
        yield _("only numbers and dates have a smallest and a largest value.")
    pairs = ((limits.low, limits.high), (limits.min_length, limits.max_length), (limits.least, limits.most))
    if any(_crossed(low, high) for low, high in pairs):
        yield _("its lower limit is above its upper one.")
    try:
        patterns.compiled(limits.pattern)
    except patterns.BadPattern:
        yield _("its pattern is not understood. Use a simpler one.")


def _crossed(low: float | str | None, high: float | str | None) -> bool:
    """Whether the lower of two numbers or dates is above the upper one."""
    if isinstance(low, str) and isinstance(high, str):
        return low > high
    return is_number(low) and is_number(high) and low > high


def _is_date(value: object) -> bool:
    return isinstance(value, str) and moments.is_stable(moments.read_day, value)


def _columns(field: Field) -> Iterator[str]:
    columns = field.columns
    if field.kind is FieldKind.LIST and field.item not in NUMBERS | {FieldKind.TEXT}:
        yield _("a list holds texts or numbers.")
    if field.kind is not FieldKind.TABLE and columns:
        yield _("only a table has columns.")
    if field.kind is FieldKind.TABLE and not 1 <= len(columns) <= MOST_COLUMNS:
        yield _("a table has 1 to %(most)s columns.") % {"most": MOST_COLUMNS}
    if min(len({column.name for column in columns}), len({column.key for column in columns})) < len(columns):
        yield _("two of its columns have the same name.")
    if not all(NAME.fullmatch(column.name) for column in columns):
        yield _("a column's name takes letters of the English alphabet, digits, dots and dashes.")
    if any(column.kind not in CELLS for column in columns):
        yield _("a column cannot be a list, a table, a file or a secret.")
    if any(column.kind is FieldKind.CHOICE and not column.choices for column in columns):
        yield _("a choice needs at least one value to choose.")


def _files(field: Field) -> Iterator[str]:
    if (field.accept or field.max_size is not None) and field.kind is not FieldKind.FILE:
        yield _("only a file has kinds and sizes of files.")
    if not all(_EXTENSION.fullmatch(ending) for ending in field.accept):
        yield _("file types are written as extensions without a dot, such as pdf.")

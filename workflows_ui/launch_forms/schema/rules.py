"""Rules for whole forms, with error messages: unique names and paths, consistent limits, conditions on existing fields."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.launch_forms.schema import patterns
from workflows_ui.launch_forms.schema.document import (
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
    Form,
    Kind,
    When,
    is_number,
    key_of,
)

_EXTENSION = re.compile(r"[a-z0-9]{1,10}")
#: Most bytes of default, hidden value and choices of a field as JSON.
_MOST_VALUE = 100_000


def check(form: Form) -> None:
    """Raise BadForm for the first broken rule."""
    if len(form.fields) > MOST_FIELDS:
        raise BadForm(_("A form has at most %(most)s fields.") % {"most": MOST_FIELDS})
    if len(form.note) > NOTE or len(form.button) > SHORT:
        raise BadForm(_("The note or the sentence for the button is too long."))
    _names(form)
    _paths(form)
    _show_ifs(form)
    for field in form.fields:
        problem = problem_of(field)
        if problem:
            raise BadForm(_("Field “%(field)s”: %(problem)s") % {"field": field.shown_label[:80], "problem": problem})


def problem_of(field: Field) -> str:
    """The first problem of a single field, as a sentence; "" if there is none."""
    checks = (_texts, _secret, _values, _choices, _limits, _columns, _files)
    return next((problem for check_field in checks if (problem := check_field(field))), "")


def _names(form: Form) -> None:
    seen: set[str] = set()
    for field in form.fields:
        if not NAME.fullmatch(field.name) or field.name in RESERVED:
            raise BadForm(
                _("“%(name)s” cannot be a field's name. Take letters of the English alphabet, digits, dots and dashes.")
                % {"name": field.name[:80]}
            )
        if field.name in seen:
            raise BadForm(_("Two fields have the name “%(name)s”. Give one of them another.") % {"name": field.name})
        seen.add(field.name)


def _paths(form: Form) -> None:
    paths = {field.path for field in form.fields}
    if len(paths) < len(form.fields):
        twice = next(field for field in form.fields if [other.path for other in form.fields].count(field.path) > 1)
        raise BadForm(
            _("Two fields write to the same place, “%(place)s”. Take one of them out.") % _path_name(twice.path)
        )
    for path in paths:
        if len(path) > MOST_DEPTH or sum(map(len, path)) > LONG:
            raise BadForm(_("“%(place)s” lies too deep, or has too long a name.") % _path_name(path))
        outer = next((path[:end] for end in range(len(path)) if path[:end] in paths), None)
        if outer is not None:
            raise BadForm(
                _("“%(place)s” lies inside of another field, “%(outer)s”. Take one of the two out.")
                % (_path_name(path) | {"outer": _path_name(outer)["place"]})
            )


def _path_name(path: tuple[str, ...]) -> dict[str, str]:
    return {"place": " › ".join(key[:40] for key in path) or _("the whole body")}


def _show_ifs(form: Form) -> None:
    fields = {field.name: field for field in form.fields}
    for field in form.fields:
        seen, current = {field.name}, field
        while (rule := current.show_if) is not None:
            if rule.field not in fields:
                raise BadForm(
                    _("“%(name)s” is shown depending on a field that is not there: “%(other)s”.")
                    % {"name": current.name, "other": rule.field[:80]}
                )
            if rule.field in seen:
                raise BadForm(_("“%(name)s” is shown depending on itself, in a circle.") % {"name": field.name})
            if fields[rule.field].kind is Kind.SECRET and rule.test in (When.IS, When.IS_NOT):
                raise BadForm(
                    _(
                        "“%(name)s” is shown depending on the value of a secret. It may only depend on whether the secret is filled in."
                    )
                    % {"name": current.name}
                )
            seen.add(rule.field)
            current = fields[rule.field]


def _texts(field: Field) -> str:
    if any(len(text) > SHORT for text in (field.label, field.group, field.example, field.limits.pattern_words)):
        return _("its label, group or example is too long: at most %(most)s characters.") % {"most": SHORT}
    if len(field.help) > LONG:
        return _("its help is too long: at most %(most)s characters.") % {"most": LONG}
    return ""


def _secret(field: Field) -> str:
    """Check that no secret is stored in the form: it is typed at each launch."""
    if field.kind is not Kind.SECRET:
        return ""
    if field.default is not NOTHING or field.hidden:
        return _("a secret has no default and no fixed value: it is typed at each launch.")
    if field.example:
        return _("a secret has no example.")
    if field.searchable:
        return _("launches cannot be found by a secret.")
    return "" if field.path else _("a secret needs a name in what is sent.")


def _values(field: Field) -> str:
    values = [value for value in (field.default, field.hidden_value) if value is not NOTHING]
    if _size([*values, *(choice.value for choice in field.choices)]) > _MOST_VALUE:
        return _("its values are too large.")
    if field.hidden and field.kind is Kind.FILE:
        return _("a file cannot be a fixed hidden value.")
    if field.blank is Blank.TEXT and field.kind in (Kind.LIST, Kind.CHOICES, Kind.TABLE):
        return _("a list that is left empty cannot send an empty text.")
    return ""


def _choices(field: Field) -> str:
    if len(field.choices) > MOST_CHOICES:
        return _("at most %(most)s choices are possible. Take them from a table instead.") % {"most": MOST_CHOICES}
    if any(len(choice.label) > SHORT for choice in field.choices):
        return _("the label of a choice is too long: at most %(most)s characters.") % {"most": SHORT}
    keys = [key_of(choice.value) for choice in field.choices]
    if len(set(keys)) < len(keys):
        return _("two of its choices send the same value.")
    live = field.choices_from is not None
    if field.kind in (Kind.CHOICE, Kind.CHOICES) and not (field.choices or live or field.other or field.hidden):
        return _("a choice needs at least one value to choose.")
    if (live or field.choices) and field.kind not in (Kind.CHOICE, Kind.CHOICES):
        return _("only a choice can have choices.")
    return ""


def _limits(field: Field) -> str:
    limits = field.limits
    ends = [end for end in (limits.low, limits.high) if end is not None]
    if field.kind is Kind.DATE and not all(map(_is_date, ends)):
        return _("its first and last day must be dates.")
    if field.kind in NUMBERS and not all(map(is_number, ends)):
        return _("its smallest and largest value must be numbers.")
    if ends and field.kind not in NUMBERS | {Kind.DATE}:
        return _("only numbers and dates have a smallest and a largest value.")
    pairs: Any = ((limits.low, limits.high), (limits.min_length, limits.max_length), (limits.least, limits.most))
    if any(low is not None and high is not None and low > high for low, high in pairs):
        return _("its lower limit is above its upper one.")
    if limits.pattern:
        try:
            patterns.compiled(limits.pattern)
        except patterns.BadPattern:
            return _("its pattern is not understood. Take a simpler one.")
    return ""


def _is_date(value: Any) -> bool:
    try:
        return bool(date.fromisoformat(value).isoformat() == value)
    except (TypeError, ValueError):
        return False


def _columns(field: Field) -> str:
    if field.kind is Kind.LIST and field.item not in NUMBERS | {Kind.TEXT}:
        return _("a list holds texts or numbers.")
    if field.kind is not Kind.TABLE:
        return _("only a table has columns.") if field.columns else ""
    if not 1 <= len(field.columns) <= MOST_COLUMNS:
        return _("a table has 1 to %(most)s columns.") % {"most": MOST_COLUMNS}
    names, keys = {column.name for column in field.columns}, {column.key for column in field.columns}
    if len(names) < len(field.columns) or len(keys) < len(field.columns):
        return _("two of its columns have the same name.")
    if not all(NAME.fullmatch(name) for name in names):
        return _("a column's name takes letters of the English alphabet, digits, dots and dashes.")
    if any(column.kind not in CELLS for column in field.columns):
        return _("a column cannot be a list, a table, a file or a secret.")
    if any(column.kind is Kind.CHOICE and not column.choices for column in field.columns):
        return _("a choice needs at least one value to choose.")
    return ""


def _files(field: Field) -> str:
    if (field.accept or field.max_size is not None) and field.kind is not Kind.FILE:
        return _("only a file has kinds and sizes of files.")
    if not all(_EXTENSION.fullmatch(ending) for ending in field.accept):
        return _("kinds of files are written as endings without a dot, such as pdf.")
    return ""


def _size(values: list[Any]) -> int:
    try:
        return len(json.dumps(values))
    except (TypeError, ValueError, RecursionError):
        return _MOST_VALUE + 1

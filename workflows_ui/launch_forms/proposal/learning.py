"""Inference of a field's kind and empty value from past values of a path, such that a form can reproduce all of them.

Values are processed by column (all values of one path at once), so that thousands of payloads take well under a second.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import Any

from workflows_ui.core.paths import text_of
from workflows_ui.form_schema import moments, values
from workflows_ui.form_schema.document import (
    CELLS,
    MOST_COLUMNS,
    Blank,
    Choice,
    Column,
    Field,
    FieldKind,
    Moment,
    Why,
    name_for,
)
from workflows_ui.form_schema.labels import label_from

#: A longer list or table is JSON: a page with so many rows of controls is not usable.
_MOST_ITEMS = 200
#: Characters above which a text is a long one.
_LONG = 120
#: Texts become choices if at least _ENOUGH were seen, with at most _FEW different ones, _EACH times on average.
_ENOUGH, _FEW, _EACH = 10, 8, 4
_CHOICE_LETTERS = 60
_MOST_NUMBER = 10**4_000
_MOST_DISTINCT = 100


#: A field with inferred properties, as yet without name and path.
inferred = partial(Field, "", ())


def learn(past: Sequence[Any], *, exact: bool, cell: bool = False) -> Field | None:
    """The field inferred from the present values of a path; None without values. Only nulls give a text that sends null.

    Frequent texts are its choices, while its kind is text. `why.values` counts different values up to 100.

    `exact`: a form must reproduce even the difference between a missing, a null and an empty value, so a path that mixes them within
    one payload is JSON. `cell`: the path is a column of a table.
    """
    filled = [value for value in past if value is not None]
    if not filled:
        return inferred(blank=Blank.NULL) if past else None
    kinds, nulls = set(map(type, filled)), len(past) - len(filled)
    field: Field | None = None
    if kinds == {bool}:
        field = inferred(kind=FieldKind.YES_NO, blank=_blank(nulls))
    elif kinds <= {int, float}:
        field = inferred(kind=FieldKind.NUMBER, blank=_blank(nulls)) if _short(filled) else None
    elif kinds == {str}:
        field = _texts(filled, nulls, exact=exact, cell=cell)
    elif kinds == {list} and not cell:
        field = _lists(filled, nulls, exact=exact)
    return replace(field or inferred(kind=FieldKind.JSON), why=Why(values=_distinct(filled)))


def _blank(nulls: int, texts: int = 0, lists: int = 0) -> Blank:
    """The value of an empty field: the most frequent empty value."""
    counts = {Blank.NULL: nulls, Blank.TEXT: texts, Blank.LIST: lists}
    return max(counts, key=counts.__getitem__) if any(counts.values()) else Blank.ABSENT


def _short(numbers: Sequence[Any]) -> bool:
    """Whether all numbers are short enough to be typed."""
    return bool(min(numbers) > -_MOST_NUMBER and max(numbers) < _MOST_NUMBER)


def _distinct(filled: Sequence[object]) -> int:
    try:
        return min(len(set(filled)), _MOST_DISTINCT)
    except TypeError:  # lists and objects
        return min(len({repr(value) for value in filled[:1_000]}), _MOST_DISTINCT)


def _texts(filled: list[str], nulls: int, *, exact: bool, cell: bool) -> Field | None:
    texts = [text for text in filled if text != ""]
    empty = len(filled) - len(texts)
    if exact and empty and nulls:
        return None
    blank = _blank(nulls, empty)
    different = set(texts)
    joined = "".join(different)
    if not values.plain_text(joined):
        return None
    if not different:
        return inferred(blank=blank)
    for kind, fits in _SHAPES:
        if all(map(fits, different)) and (kind in CELLS or not cell):
            return inferred(kind=kind, blank=blank)
    for moment in Moment:
        read = partial(moments.read_moment, shape=moment, zone=UTC)
        if all(moments.is_stable(read, text) for text in different):
            return inferred(kind=FieldKind.DATETIME, blank=blank, moment=moment)
    if "\n" in joined or max(map(len, different)) > _LONG:
        return inferred(kind=FieldKind.LONG_TEXT, blank=blank)
    return inferred(blank=blank, choices=() if cell else _choices(texts))


def _choices(texts: list[str]) -> tuple[Choice, ...]:
    """Choices for a few often repeated texts, the most frequent first; none if there are too many different ones."""
    if len(texts) < _ENOUGH:
        return ()
    counted = Counter(texts)
    few = 2 <= len(counted) <= _FEW and len(counted) * _EACH <= len(texts)
    if not few or any(len(text) > _CHOICE_LETTERS or text != text.strip() for text in counted):
        return ()
    return tuple(Choice(text, text) for text, _times in counted.most_common())


_SHAPES: tuple[tuple[FieldKind, Callable[[str], bool]], ...] = (
    (FieldKind.EMAIL, values.is_mail),
    (FieldKind.URL, values.is_url),
    (FieldKind.DATE, partial(moments.is_stable, moments.read_day)),
    (FieldKind.TIME, lambda text: text[2:3] == ":" and moments.is_stable(moments.read_time, text)),
    (FieldKind.PHONE, lambda text: text.startswith("+") and values.is_phone(text)),
)


def _lists(filled: list[list[Any]], nulls: int, *, exact: bool) -> Field | None:
    empty = sum(not items for items in filled)
    if (exact and empty and nulls) or max(map(len, filled)) > _MOST_ITEMS:
        return None
    blank = _blank(nulls, 0, empty)
    items = [item for inner in filled for item in inner]
    kinds = set(map(type, items))
    if not items:
        return inferred(kind=FieldKind.LIST, blank=blank)
    if kinds == {str}:
        plain = all(text != "" and "\n" not in text for text in items) and values.plain_text("".join(items))
        return inferred(kind=FieldKind.LIST, blank=blank) if plain else None
    if kinds <= {int, float}:
        return inferred(kind=FieldKind.LIST, blank=blank, item=FieldKind.NUMBER) if _short(items) else None
    if kinds == {dict}:
        columns = columns_of(items, exact=exact)
        return inferred(kind=FieldKind.TABLE, blank=blank, columns=columns) if columns else None
    return None


def columns_of(rows: Sequence[dict[str, object]], *, exact: bool) -> tuple[Column, ...]:
    """The columns of rows; none if a table of controls could not reproduce the rows."""
    keys = dict.fromkeys(key for row in rows for key in row)
    if not 1 <= len(keys) <= MOST_COLUMNS or any(len(key) > 200 for key in keys):
        return ()
    if any(all(value is None or value == "" for value in row.values()) for row in rows):
        return ()  # an empty row is not sent
    columns: list[Column] = []
    for key in keys:
        past = [row[key] for row in rows if key in row]
        columns.append(_column(key, past, len(rows) - len(past), {column.name for column in columns}, exact=exact))
    return tuple(columns)


def _column(key: str, past: list[object], missing: int, taken: set[str], *, exact: bool) -> Column:
    nulls = sum(value is None for value in past)
    texts = sum(value == "" for value in past)
    cell = learn(past, exact=exact, cell=True) or inferred()
    mixed = exact and sum(map(bool, (missing, nulls, texts))) > 1
    column = Column(name_for((key,), taken), key, label_from(key), FieldKind.JSON if mixed else cell.kind)
    if column.kind is FieldKind.JSON:
        return column
    # A text of only spaces is not "filled in".
    blanks = any(text_of(value).isspace() for value in past)
    required = not (missing or nulls or texts or blanks)
    blank = Blank.ABSENT if missing > nulls + texts else cell.blank
    return replace(column, required=required, blank=blank, moment=cell.moment)


def by_key(objects: Iterable[dict[str, object]]) -> dict[str, list[object]]:
    """The values of objects by key, keys in order of first appearance, in one pass over the objects."""
    columns: dict[str, list[object]] = defaultdict(list)
    for item in objects:
        for key, value in item.items():
            columns[key].append(value)
    return columns

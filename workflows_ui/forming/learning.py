"""What past values say about one place: its kind, what an empty one is, and whether a form can give every one of them back.

Values are looked at by column (all values of one place at once), so that thousands of payloads take well under a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from workflows_ui.forming import moments, values
from workflows_ui.forming.document import (
    CELLS,
    MOST_COLUMNS,
    Blank,
    Choice,
    Column,
    Kind,
    Moment,
    label_from,
    name_for,
)

#: A list, or a table, with more than this is JSON: no page shows so many rows of controls well.
_MOST_ITEMS = 200
#: Letters above which a text is a long one.
_LONG = 120
#: Texts are offered as choices where this many were seen, and so few different ones.
_ENOUGH, _FEW, _EACH = 10, 8, 4
_CHOICE_LETTERS = 60
_MOST_NUMBER = 10**4_000
_MOST_DISTINCT = 100


@dataclass(frozen=True)
class Learnt:
    """What was found about a place. `distinct` counts up to 100."""

    kind: Kind
    blank: Blank = Blank.ABSENT
    moment: Moment = Moment.LOCAL_MINUTES
    item: Kind = Kind.TEXT
    columns: tuple[Column, ...] = ()
    choices: tuple[Choice, ...] = ()
    distinct: int = 0


def learn(found: Sequence[Any], *, exact: bool, cell: bool = False) -> Learnt | None:
    """What the values of a place (those that are there) say; None where they say nothing about the kind (none, or nulls only).

    `exact`: a form must give back even the difference between a missing, a null and an empty value, so where they are mixed within
    one payload the place is JSON. `cell`: it is a column of a table.
    """
    kinds = set(map(type, found))
    filled = [value for value in found if value is not None]
    distinct = _distinct(filled)
    if not filled:
        return Learnt(Kind.TEXT, Blank.NULL) if found else None
    kinds.discard(type(None))
    nulls = len(found) - len(filled)
    learnt: Learnt | None = None
    if kinds == {bool}:
        learnt = Learnt(Kind.YES_NO, _blank(nulls))
    elif kinds <= {int, float}:
        learnt = Learnt(Kind.NUMBER, _blank(nulls)) if _short(filled) else None
    elif kinds == {str}:
        learnt = _texts(filled, nulls, exact=exact, cell=cell)
    elif kinds == {list} and not cell:
        learnt = _lists(filled, nulls, exact=exact)
    found_one = learnt or Learnt(Kind.JSON)
    return Learnt(**{**vars(found_one), "distinct": distinct})


def _blank(nulls: int, texts: int = 0, lists: int = 0) -> Blank:
    """What an empty one sends: what empty ones mostly were."""
    most = max(nulls, texts, lists)
    if not most:
        return Blank.ABSENT
    return Blank.NULL if nulls == most else Blank.TEXT if texts == most else Blank.LIST


def _short(some: Sequence[Any]) -> bool:
    """Whether all of these numbers are short enough to be typed."""
    return bool(min(some) > -_MOST_NUMBER and max(some) < _MOST_NUMBER)


def _distinct(filled: Sequence[Any]) -> int:
    try:
        return min(len(set(filled)), _MOST_DISTINCT)
    except TypeError:  # lists and objects
        return min(len({repr(value) for value in filled[:1_000]}), _MOST_DISTINCT)


def _texts(filled: list[str], nulls: int, *, exact: bool, cell: bool) -> Learnt | None:
    some = [text for text in filled if text != ""]
    empty = len(filled) - len(some)
    if exact and empty and nulls:
        return None
    blank = _blank(nulls, empty)
    different = set(some)
    joined = "".join(different)
    if not values.plain_text(joined):
        return None
    if not different:
        return Learnt(Kind.TEXT, blank)
    for kind, fits in _SHAPES:
        if all(map(fits, different)) and (kind in CELLS or not cell):
            return Learnt(kind, blank)
    for moment, shape in moments.SHAPES.items():
        if all(map(shape.fullmatch, different)) and all(_is_moment(text, moment) for text in different):
            return Learnt(Kind.DATETIME, blank, moment)
    if "\n" in joined or max(map(len, different)) > _LONG:
        return Learnt(Kind.LONG_TEXT, blank)
    return Learnt(Kind.TEXT, blank, choices=() if cell else _choices(some))


def _choices(some: list[str]) -> tuple[Choice, ...]:
    """The few texts that are sent again and again, the most frequent first; none where they are many."""
    if len(some) < _ENOUGH:
        return ()
    counted = Counter(some)
    few = 2 <= len(counted) <= _FEW and len(counted) * _EACH <= len(some)
    if not few or any(len(text) > _CHOICE_LETTERS or text != text.strip() for text in counted):
        return ()
    return tuple(Choice(text, text) for text, _times in counted.most_common())


def _stable(read: Callable[[str], str]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            return read(text) == text
        except moments.BadMoment:
            return False

    return fits


_SHAPES: tuple[tuple[Kind, Callable[[str], bool]], ...] = (
    (Kind.EMAIL, values.is_mail),
    (Kind.URL, values.is_url),
    (Kind.DATE, _stable(moments.read_day)),
    (Kind.TIME, lambda text: text[2:3] == ":" and _stable(moments.read_time)(text)),
    (Kind.PHONE, lambda text: text.startswith("+") and values.is_phone(text)),
)


def _is_moment(text: str, shape: Moment) -> bool:
    try:
        return moments.read_moment(text, shape, UTC) == text
    except moments.BadMoment:
        return False


def _lists(filled: list[list[Any]], nulls: int, *, exact: bool) -> Learnt | None:
    empty = sum(not items for items in filled)
    if (exact and empty and nulls) or max(map(len, filled)) > _MOST_ITEMS:
        return None
    blank = _blank(nulls, 0, empty)
    items = [item for held in filled for item in held]
    kinds = set(map(type, items))
    if not items:
        return Learnt(Kind.LIST, blank)
    if kinds == {str}:
        plain = all(text != "" and "\n" not in text for text in items) and values.plain_text("".join(items))
        return Learnt(Kind.LIST, blank) if plain else None
    if kinds <= {int, float}:
        return Learnt(Kind.LIST, blank, item=Kind.NUMBER) if _short(items) else None
    if kinds == {dict}:
        columns = columns_of(items, exact=exact)
        return Learnt(Kind.TABLE, blank, columns=columns) if columns else None
    return None


def columns_of(rows: Sequence[dict[str, Any]], *, exact: bool) -> tuple[Column, ...]:
    """The columns of rows; none where a table of controls could not give the rows back."""
    keys = dict.fromkeys(key for row in rows for key in row)
    if not 1 <= len(keys) <= MOST_COLUMNS or any(len(key) > 200 for key in keys):
        return ()
    if any(all(value is None or value == "" for value in row.values()) for row in rows):
        return ()  # an empty row is not sent
    columns: list[Column] = []
    for key in keys:
        found = [row[key] for row in rows if key in row]
        columns.append(_column(key, found, len(rows) - len(found), {column.name for column in columns}, exact=exact))
    return tuple(columns)


def _column(key: str, found: list[Any], missing: int, taken: set[str], *, exact: bool) -> Column:
    nulls = sum(value is None for value in found)
    texts = sum(value == "" for value in found)
    learnt = learn(found, exact=exact, cell=True) or Learnt(Kind.TEXT)
    if exact and sum(map(bool, (missing, nulls, texts))) > 1:
        learnt = Learnt(Kind.JSON)
    if learnt.kind is Kind.JSON:
        return Column(name_for((key,), taken), key, label_from(key), Kind.JSON)
    # One blank text of spaces is not "filled in".
    required = not (missing or nulls or texts) and all(not isinstance(value, str) or value.strip() for value in found)
    blank = Blank.ABSENT if missing > nulls + texts else learnt.blank
    return Column(name_for((key,), taken), key, label_from(key), learnt.kind, required, blank, learnt.moment)


def by_key(objects: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    """The values of objects by key, keys in the order in which they are first seen. Looks at each object once, which is fast."""
    found: dict[str, list[Any]] = {}
    for held in objects:
        for key, value in held.items():
            column = found.get(key)
            if column is None:
                found[key] = [value]
            else:
                column.append(value)
    return found

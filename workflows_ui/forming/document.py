"""A launch form as Python sees it: its fields, and everything a builder can say about them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Any, Final

#: The most fields a form has. What a flow gets beyond that goes into a field of JSON.
MOST_FIELDS = 200
#: Levels of objects a field can lie in.
MOST_DEPTH = 12
#: Letters of a label and of other short texts, of a help text, and of the note.
SHORT, LONG, NOTE = 200, 2_000, 10_000
MOST_CHOICES = 500
MOST_COLUMNS = 30

#: A field's name is the name of its control on the page and in links that fill the form (`?name=value`). Names that start with
#: an underscore, and these, are the page's own.
RESERVED = frozenset({"csrfmiddlewaretoken", "ticket", "wait", "confirmed", "from", "next", "payload", "saved"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class Nothing(Enum):
    """Stands for "no value", since None is a value (JSON's null). `x is NOTHING` is understood by type checkers."""

    NOTHING = "nothing"

    def __bool__(self) -> bool:
        return False


NOTHING: Final = Nothing.NOTHING


class BadForm(Exception):
    """A form, or a file with one, that breaks the rules. Its text says in the reader's language what, and where."""


class Kind(StrEnum):
    """What a person fills in, and so which control is shown and what is sent."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    INTEGER = "integer"
    YES_NO = "yes_no"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    FILE = "file"
    LIST = "list"
    TABLE = "table"
    JSON = "json"


#: Kinds whose value is one text.
TEXTS = frozenset(
    {Kind.TEXT, Kind.LONG_TEXT, Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.EMAIL, Kind.PHONE, Kind.URL, Kind.FILE}
)
NUMBERS = frozenset({Kind.NUMBER, Kind.INTEGER})
#: Kinds that a cell of a table can have.
CELLS = (TEXTS | NUMBERS | {Kind.YES_NO, Kind.CHOICE, Kind.JSON}) - {Kind.FILE}


class Blank(StrEnum):
    """What an optional field that is left empty sends: nothing at all (its key is absent), null, an empty text, an empty list."""

    ABSENT = "absent"
    NULL = "null"
    TEXT = "text"
    LIST = "list"


class Moment(StrEnum):
    """How a date with a time is written in what is sent. A page shows it in the person's own time zone, except the local ones."""

    LOCAL_MINUTES = "local_minutes"  # 2026-03-01T09:30
    LOCAL = "local"  # 2026-03-01T09:30:00
    UTC = "utc"  # 2026-03-01T02:30:00Z
    UTC_MILLIS = "utc_millis"  # 2026-03-01T02:30:00.000Z, as JavaScript writes it


class When(StrEnum):
    """How a show-if rule looks at the other field."""

    IS = "is"
    IS_NOT = "is_not"
    FILLED = "filled"
    EMPTY = "empty"


@dataclass(frozen=True)
class Choice:
    """`label` is shown, `value` (any JSON) is sent."""

    label: str
    value: Any


@dataclass(frozen=True)
class ShowIf:
    """Shown, and sent, only where the field called `field` passes the test. `value` (JSON) counts for `is` and `is_not` only."""

    field: str
    test: When = When.IS
    value: Any = None


@dataclass(frozen=True)
class TableChoices:
    """Choices are a table's records: the cell of `label_field` is shown, that of `value_field` sent (ids of fields)."""

    table_id: str
    label_field: str
    value_field: str


@dataclass(frozen=True)
class PieceChoices:
    """Choices are the live options of a step's property, as `POST /v1/pieces/options` wants them named (api.md 11.5)."""

    step: str
    property: str


@dataclass(frozen=True)
class Why:
    """What a proposal rests on, as plain data; kit/form_words.py says it in a sentence.

    Attributes:
        read_by: display names of the steps that read it.
        seen, of: in how many of how many past payloads it was there; 0 of 0 where there were none.
        values: how many different values were seen, counted up to 100.
        sample: whether the trigger's stored sample has it.
        trigger: whether the flow's own form asks for it.
    """

    read_by: tuple[str, ...] = ()
    seen: int = 0
    of: int = 0
    values: int = 0
    sample: bool = False
    trigger: bool = False


@dataclass(frozen=True)
class Limits:
    """What a value has to keep to; None and "" mean no limit. `low` and `high` are numbers or ISO dates, both inclusive.

    `pattern` must match the whole text; its language is that of forming/patterns.py. `pattern_words` says it to people.
    `least` and `most` count the items of a list, the rows of a table, or the chosen choices.
    """

    low: float | int | str | None = None
    high: float | int | str | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    pattern_words: str = ""
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table of rows. `key` is the key in each row's object; `name` its part in the names of the controls."""

    name: str
    key: str
    label: str = ""
    kind: Kind = Kind.TEXT
    required: bool = False
    blank: Blank = Blank.ABSENT
    moment: Moment = Moment.LOCAL_MINUTES
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Field:
    """One input.

    Attributes:
        name: unique in the form; the name of its control (`NAME`, not `RESERVED`). Stays when label or path change.
        path: where its value goes in what is sent, such as `("customer", "phone")`; `()` is the whole body (then it is the only one).
        label: what people read; "" stands for a name made from the path (`shown_label`).
        default: filled in at the start. hidden_value: not shown at all, always sent. Builders and files see both: no secrets.
        blank: what it sends where it is optional and left empty.
        other: a choice that also takes what is not among the choices.
        item: for a list, the kind of each item: text or number.
        accept, max_size: for a file, extensions without dot in lower letters (none: any), and bytes.
        searchable: what is typed is also kept unencrypted, so that launches are found by it.
    """

    name: str
    path: tuple[str, ...]
    label: str = ""
    help: str = ""
    kind: Kind = Kind.TEXT
    required: bool = False
    default: Any = NOTHING
    example: str = ""
    choices: tuple[Choice, ...] = ()
    other: bool = False
    choices_from: TableChoices | PieceChoices | None = None
    group: str = ""
    folded: bool = False
    limits: Limits = Limits()
    show_if: ShowIf | None = None
    hidden_value: Any = NOTHING
    searchable: bool = False
    blank: Blank = Blank.ABSENT
    moment: Moment = Moment.LOCAL_MINUTES
    item: Kind = Kind.TEXT
    columns: tuple[Column, ...] = ()
    accept: tuple[str, ...] = ()
    max_size: int | None = None
    why: Why = Why()

    @property
    def hidden(self) -> bool:
        """Whether people do not see it."""
        return self.hidden_value is not NOTHING

    @property
    def shown_label(self) -> str:
        """Its label, or one made from the last key of its path (`customer_phone`, `customerPhone` -> "Customer phone")."""
        return self.label or label_from(self.path[-1] if self.path else "")


@dataclass(frozen=True)
class Form:
    """A whole form; fields in the order of the page. Fields with one `group` stand together where the first of them is.

    `note` is Markdown, shown above the fields. `button` is the sentence on the button, "" for the usual one. `left_out` are places
    that its builders decided not to ask for, so that nobody is told again that they are missing.
    """

    fields: tuple[Field, ...] = ()
    note: str = ""
    button: str = ""
    left_out: tuple[tuple[str, ...], ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of this name."""
        return next((field for field in self.fields if field.name == name), None)

    def with_field(self, changed: Field, *, was: str | None = None) -> Form:
        """The form with this field in place of the one of its name (or of the name `was`); at the end where there is none."""
        name = changed.name if was is None else was
        left_out = tuple(path for path in self.left_out if path != changed.path)
        if self.field(name) is None:
            return replace(self, fields=(*self.fields, changed), left_out=left_out)
        fields = tuple(changed if field.name == name else field for field in self.fields)
        return replace(self, fields=fields, left_out=left_out)

    def leaving_out(self, paths: Iterable[tuple[str, ...]]) -> Form:
        """The form that is not to ask for these places any more: nobody is told that they are missing."""
        known = dict.fromkeys((*self.left_out, *(path for path in paths if path)))
        return replace(self, left_out=tuple(known)[-MOST_FIELDS:])

    def without(self, name: str) -> Form:
        """The form without the field of this name."""
        return replace(self, fields=tuple(field for field in self.fields if field.name != name))

    def moved(self, name: str, by: int) -> Form:
        """The form with that field `by` places further down (negative: up), no further than the ends."""
        fields = list(self.fields)
        at = next((number for number, field in enumerate(fields) if field.name == name), None)
        if at is None:
            return self
        moving = fields.pop(at)
        fields.insert(max(0, min(len(fields), at + by)), moving)
        return replace(self, fields=tuple(fields))

    @property
    def groups(self) -> tuple[tuple[str, tuple[Field, ...]], ...]:
        """The shown fields by group, in the order of the page; "" is a run of fields without one."""
        found: list[tuple[str, list[Field]]] = []
        for field in self.fields:
            if field.hidden:
                continue
            near = found[-1][1] if found and not found[-1][0] else None
            there = next((rows for name, rows in found if name == field.group), None) if field.group else near
            if there is None:
                found.append((field.group, [field]))
            else:
                there.append(field)
        return tuple((name, tuple(rows)) for name, rows in found)


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BREAKS = re.compile(r"[\s_\-.]+")


def label_from(key: str) -> str:
    """A label made from a key: words apart, the first letter large, at most 200 letters. Other scripts stay as they are."""
    words = _BREAKS.sub(" ", _CAMEL.sub(" ", key[:SHORT])).strip()
    words = (
        " ".join(word if word.isupper() else word.lower() for word in words.split(" ")) if words.isascii() else words
    )
    return (words[:1].upper() + words[1:])[:SHORT]


def name_for(path: tuple[str, ...], taken: set[str]) -> str:
    """A new field's name from its path: its keys joined by dots where they are plain letters, always unique in `taken`."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", ".".join(path)).strip("_.-")[:60]
    base = plain if NAME.fullmatch(plain) else "field"
    name, number = base, 1
    while name in taken or name in RESERVED:
        number += 1
        name = f"{base}_{number}"
    return name


def key_of(value: Any) -> str:
    """The text that stands for a choice's value in a control: a text itself, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

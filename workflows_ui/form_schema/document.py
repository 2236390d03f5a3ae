"""A launch form as dataclasses: its fields and their properties."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeGuard

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy, pgettext_lazy

from workflows_ui.form_schema.labels import label_from

#: Most fields of a form. Further inputs of a flow go into a JSON field.
MOST_FIELDS = 200
#: Most levels of objects around a field.
MOST_DEPTH = 12
#: Most characters of a label and of other short texts, of a help text, and of the note.
SHORT, LONG, NOTE = 200, 2_000, 10_000
MOST_CHOICES = 500
MOST_COLUMNS = 30

#: A field's name is the name of its control on the page and in links that fill the form (`?name=value`). Names that start with
#: an underscore, and these, are reserved for the page.
RESERVED = frozenset({"csrfmiddlewaretoken", "ticket", "wait", "confirmed", "from", "next", "payload", "saved"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
#: A field's value in the sentences on what a launch will do.
PLACEHOLDER = re.compile(rf"\{{({NAME.pattern})\}}")


class Nothing(Enum):
    """The marker for "no value", since None is a value (JSON's null). Type checkers understand `x is NOTHING`."""

    NOTHING = "nothing"

    def __bool__(self) -> bool:
        return False


NOTHING: Final = Nothing.NOTHING


class BadForm(Exception):
    """A form, or a file with one, that breaks the rules. The text names problem and position in the reader's language."""


class BadValue(Exception):
    """An invalid text. The message says in the reader's language what to do."""


class FieldKind(TextChoices):
    """The kind of a field, which determines its control and the values that it sends, with an icon."""

    icon: str

    def __new__(cls, value: str, icon: str = "") -> FieldKind:
        member = str.__new__(cls, value)
        member._value_, member.icon = value, icon
        return member

    TEXT = "text", "type", pgettext_lazy("kind of field", "Short text")
    LONG_TEXT = "long_text", "text-align-start", pgettext_lazy("kind of field", "Long text")
    NUMBER = "number", "hash", pgettext_lazy("kind of field", "Number")
    INTEGER = "integer", "hash", pgettext_lazy("kind of field", "Whole number")
    YES_NO = "yes_no", "toggle-right", pgettext_lazy("kind of field", "Yes or no")
    DATE = "date", "calendar", pgettext_lazy("kind of field", "Date")
    TIME = "time", "clock", pgettext_lazy("kind of field", "Time")
    DATETIME = "datetime", "calendar-days", pgettext_lazy("kind of field", "Date and time")
    CHOICE = "choice", "circle-dot", pgettext_lazy("kind of field", "One choice")
    CHOICES = "choices", "list-checks", pgettext_lazy("kind of field", "Several choices")
    EMAIL = "email", "mail", pgettext_lazy("kind of field", "Email address")
    PHONE = "phone", "phone", pgettext_lazy("kind of field", "Phone number")
    URL = "url", "link", pgettext_lazy("kind of field", "Web address")
    FILE = "file", "paperclip", pgettext_lazy("kind of field", "File")
    SECRET = "secret", "key-round", pgettext_lazy("kind of field", "Secret (password, key)")
    LIST = "list", "list", pgettext_lazy("kind of field", "List")
    TABLE = "table", "table", pgettext_lazy("kind of field", "Table of rows")
    JSON = "json", "code", pgettext_lazy("kind of field", "Anything (JSON)")


NUMBERS = frozenset({FieldKind.NUMBER, FieldKind.INTEGER})
#: Kinds whose value is one text.
TEXTS = (
    frozenset(FieldKind)
    - NUMBERS
    - {FieldKind.YES_NO, FieldKind.CHOICE, FieldKind.CHOICES, FieldKind.LIST, FieldKind.TABLE, FieldKind.JSON}
)
#: Kinds that a cell of a table can have.
CELLS = (TEXTS | NUMBERS | {FieldKind.YES_NO, FieldKind.CHOICE, FieldKind.JSON}) - {FieldKind.FILE, FieldKind.SECRET}


class Blank(TextChoices):
    """What an empty optional field sends."""

    ABSENT = "absent", gettext_lazy("Nothing: its name is left out")
    NULL = "null", gettext_lazy("“No value” (null)")
    TEXT = "text", gettext_lazy("An empty text")
    LIST = "list", gettext_lazy("An empty list")


class Moment(TextChoices):
    """The format in which a date with a time is sent. Pages convert it to the person's time zone, except for the local ones."""

    LOCAL_MINUTES = "local_minutes", gettext_lazy("As typed, to the minute: 2026-03-01T09:30")
    LOCAL = "local", gettext_lazy("As typed, with seconds: 2026-03-01T09:30:00")
    UTC = "utc", gettext_lazy("As world time: 2026-03-01T02:30:00Z")
    UTC_MILLIS = "utc_millis", gettext_lazy("As world time with milliseconds: 2026-03-01T02:30:00.000Z")


#: Formats without a time zone.
LOCAL_MOMENTS = frozenset({Moment.LOCAL, Moment.LOCAL_MINUTES})


class When(TextChoices):
    """The test that a show-if rule applies to the other field."""

    IS = "is", pgettext_lazy("rule", "is")
    IS_NOT = "is_not", pgettext_lazy("rule", "is not")
    FILLED = "filled", pgettext_lazy("rule", "is filled in")
    EMPTY = "empty", pgettext_lazy("rule", "is empty")


@dataclass(frozen=True)
class Choice:
    """`label` is shown, `value` (any JSON) is sent."""

    label: str
    value: object


@dataclass(frozen=True)
class ShowIf:
    """Condition of a field: it is shown and sent only if the field named `field` passes the test. `value` is for `is` and `is_not`."""

    field: str
    test: When = When.IS
    value: object = None


@dataclass(frozen=True)
class TableChoices:
    """Choices from a table's records: the cell of `label_field` is displayed, that of `value_field` sent (ids of fields)."""

    table_id: str
    label_field: str
    value_field: str


@dataclass(frozen=True)
class PieceChoices:
    """Choices from the live options of a step's property, named as in `POST /v1/pieces/options` (api.md 11.5)."""

    step: str
    property: str


@dataclass(frozen=True)
class Why:
    """The evidence for a proposed field, as plain data; the text is in launch_forms/messages.py.

    Attributes:
        read_by: display names of the steps that read the value.
        seen, payloads: number of past payloads with the value, and of all past payloads; 0 of 0 if there were none.
        values: number of different values, counted up to 100.
        sample: whether the trigger's stored sample has the value.
        trigger: whether the flow's own form has the field.
    """

    read_by: tuple[str, ...] = ()
    seen: int = 0
    payloads: int = 0
    values: int = 0
    sample: bool = False
    trigger: bool = False


@dataclass(frozen=True)
class Limits:
    """Limits of a value; None and "" mean no limit. `low` and `high` are numbers or ISO dates, both inclusive.

    `pattern` must match the whole text; its language is that of form_schema/patterns.py. `pattern_words` describes it for people.
    `least` and `most` limit the items of a list, the rows of a table, or the selected choices.
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
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    blank: Blank = Blank.ABSENT
    moment: Moment = Moment.LOCAL_MINUTES
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Field:
    """One input.

    Attributes:
        name: unique in the form; the name of its control (`NAME`, not `RESERVED`). Unchanged when label or path change.
        path: the path of its value in the payload, such as `("customer", "phone")`; `()` is the whole body, for the only field.
        label: the displayed name; "" for one made from the path (`shown_label`).
        default: the initial value. hidden_value: never displayed, always sent. Both are visible to builders and in files: no secrets.
        blank: what the field sends if it is optional and empty.
        other: whether a choice also accepts values that are not among the choices.
        item: for a list, the kind of each item: text or number.
        accept, max_size: for a file, lower-case extensions without dot (none: any), and bytes.
        searchable: whether the value is also stored unencrypted for the search of launches.
    """

    name: str
    path: tuple[str, ...]
    label: str = ""
    help: str = ""
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    default: object = NOTHING
    example: str = ""
    choices: tuple[Choice, ...] = ()
    other: bool = False
    choices_from: TableChoices | PieceChoices | None = None
    group: str = ""
    folded: bool = False
    limits: Limits = Limits()
    show_if: ShowIf | None = None
    hidden_value: object = NOTHING
    searchable: bool = False
    blank: Blank = Blank.ABSENT
    moment: Moment = Moment.LOCAL_MINUTES
    item: FieldKind = FieldKind.TEXT
    columns: tuple[Column, ...] = ()
    accept: tuple[str, ...] = ()
    max_size: int | None = None
    why: Why = Why()

    @property
    def hidden(self) -> bool:
        return self.hidden_value is not NOTHING

    @property
    def shown_label(self) -> str:
        """The label, or one made from the last key of the path (`customer_phone`, `customerPhone` -> "Customer phone")."""
        return self.label or label_from(self.path[-1] if self.path else "")


@dataclass(frozen=True)
class Form:
    """A whole form; fields in the order of the page. Fields of one `group` are displayed together at the position of the first.

    `note` is Markdown, displayed above the fields. `button` is the button's label, "" for the default. `left_out` are paths that the
    builders excluded on purpose, so that they are not reported as missing. `effects` says what a launch will do, one sentence a
    line, with `{name}` for the value of a field; "" for sentences made from the flow's steps. With `review`, the values are shown
    once more before launching.
    """

    fields: tuple[Field, ...] = ()
    note: str = ""
    button: str = ""
    left_out: tuple[tuple[str, ...], ...] = ()
    effects: str = ""
    review: bool = False

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)

    def deciding_fields(self, field: Field) -> list[Field]:
        """The fields that decide, by its rule and theirs, whether a field is shown; itself too if the rules form a circle."""
        deciding: list[Field] = []
        while field.show_if and (other := self.field(field.show_if.field)) and other not in deciding:
            deciding.append(other)
            field = other
        return deciding

    @property
    def names(self) -> list[str]:
        return [field.name for field in self.fields]

    @property
    def kinds(self) -> set[FieldKind]:
        return {field.kind for field in self.fields}

    @property
    def named_in_effects(self) -> list[str]:
        """The names of fields in the sentences on what a launch will do."""
        return PLACEHOLDER.findall(self.effects)

    @property
    def live_fields(self) -> list[Field]:
        """The visible fields whose choices come from the engine."""
        return [field for field in self.fields if field.choices_from is not None and not field.hidden]

    def with_field(self, changed: Field) -> Form:
        """The form with this field instead of the one with its name; appended if no field has it."""
        left_out = tuple(path for path in self.left_out if path != changed.path)
        fields = tuple(changed if field.name == changed.name else field for field in self.fields)
        return replace(self, fields=fields if changed in fields else (*fields, changed), left_out=left_out)

    def leaving_out(self, paths: Iterable[tuple[str, ...]]) -> Form:
        """The form with these paths excluded, so that they are not reported as missing."""
        known = dict.fromkeys((*self.left_out, *(path for path in paths if path)))
        return replace(self, left_out=tuple(known)[-MOST_FIELDS:])

    def without(self, name: str) -> Form:
        return replace(self, fields=tuple(field for field in self.fields if field.name != name))

    def moved(self, name: str, by: int) -> Form:
        """The form with the field moved down by `by` positions (negative: up), at most to the ends."""
        fields, index = list(self.fields), self.names.index(name)
        moving = fields.pop(index)
        fields.insert(max(0, min(len(fields), index + by)), moving)
        return replace(self, fields=tuple(fields))

    @property
    def groups(self) -> tuple[tuple[str, tuple[Field, ...]], ...]:
        """The visible fields by group, in the order of the page; "" is a run of fields without a group."""
        groups: dict[tuple[str, int], list[Field]] = {}
        for field in self.fields:
            if not field.hidden:
                # A run of fields without a group ends where a new group starts.
                run = 0 if field.group else sum(bool(name) for name, _run in groups)
                groups.setdefault((field.group, run), []).append(field)
        return tuple((name, tuple(fields)) for (name, _run), fields in groups.items())


def name_for(path: tuple[str, ...], taken: set[str]) -> str:
    """A name for a new field: the keys of its path joined by dots, other characters replaced, not in `taken`."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", ".".join(path)).strip("_.-")[:60]
    base = plain if NAME.fullmatch(plain) else "field"
    name, number = base, 1
    while name in taken or name in RESERVED:
        number += 1
        name = f"{base}_{number}"
    return name


def key_of(value: object) -> str:
    """The text for a choice's value in a control: a text itself, any other value as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def same(first: object, second: object) -> bool:
    """Whether two JSON values are equal: true is not 1."""
    return isinstance(first, bool) == isinstance(second, bool) and bool(first == second)


def overlap(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether two paths are the same, or one lies inside of the other."""
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a JSON value is a number: true is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)

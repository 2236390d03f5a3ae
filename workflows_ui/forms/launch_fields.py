"""A launch form as a page shows it: its fields as plain values for templates/launch_forms/fields.html.

The launch page and the builder's preview are made from the same values. Names of controls are those of forming/checking.py.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workflows_ui.forming import moments
from workflows_ui.forming.cells import Data, cell_name, rows_of
from workflows_ui.forming.checking import Shown
from workflows_ui.forming.document import Choice, Column, Field, Form, Kind, key_of
from workflows_ui.kit import launch_field_words

#: More choices than this are found by typing some letters.
LISTED = 15
#: Live choices by field: a field that is missing could not be asked about.
Options = Mapping[str, Sequence[Choice]]

_TYPES = {Kind.DATE: "date", Kind.TIME: "time", Kind.DATETIME: "datetime-local", Kind.EMAIL: "email", Kind.PHONE: "tel"}
_MODES = {Kind.NUMBER: "decimal", Kind.INTEGER: "numeric", Kind.URL: "url"}
_COMPLETES = {Kind.EMAIL: "email", Kind.PHONE: "tel", Kind.URL: "url"}


@dataclass(frozen=True)
class Option:
    """One of several values to choose: `value` is what the control sends."""

    value: str
    label: str
    chosen: bool = False


@dataclass(frozen=True)
class Control:
    """One control. `kind` is the branch of launch_forms/control.html: input, area, json, yes_no, select, search."""

    name: str
    id: str
    kind: str = "input"
    value: str = ""
    type: str = "text"
    mode: str = ""
    complete: str = "off"
    options: tuple[Option, ...] = ()
    label: str = ""
    error: str = ""
    required: bool = False
    described: str = ""
    focused: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a table: its number in the names of its controls, counted from 1 for people, and its cells."""

    number: int
    place: int
    cells: tuple[Control, ...]


@dataclass(frozen=True)
class FieldView:
    """A field. `shape` is the branch of launch_forms/field.html: one, choices, lines, table, file."""

    field: Field
    id: str
    shape: str
    error: str = ""
    limits: str = ""
    rule: str = ""
    #: What there is to choose from, where the control itself does not show it, and how a moment is meant.
    listing: str = ""
    #: Choices that an app or a table gives could not be had.
    unlisted: bool = False
    control: Control | None = None
    lines: tuple[Control, ...] = ()
    options: tuple[Option, ...] = ()
    rows: tuple[Row, ...] = ()
    accept: str = ""
    #: The name of a file that was chosen and has to be chosen again.
    again: str = ""

    @property
    def label(self) -> str:
        """What people read."""
        return self.field.shown_label

    @property
    def rule_value(self) -> str:
        """The value of the show-if rule as a control sends it."""
        return key_of(self.field.show_if.value) if self.field.show_if else ""

    @property
    def described(self) -> str:
        """Ids of what describes the control."""
        parts = [
            ("help", self.field.help),
            ("listing", self.listing),
            ("limits", self.limits),
            ("example", self.field.example),
        ]
        found = [f"{self.id}-{name}" for name, text in parts if text]
        return " ".join([*found, f"{self.id}-error"])


@dataclass(frozen=True)
class Group:
    """Fields that stand together; `more` are those folded away, `opened` whether they have to be seen all the same."""

    title: str
    fields: tuple[FieldView, ...]
    more: tuple[FieldView, ...] = ()
    opened: bool = False


@dataclass(frozen=True)
class FormView:
    """A whole form."""

    form: Form
    groups: tuple[Group, ...]
    problems: tuple[tuple[str, str, str], ...] = field(default=())

    @property
    def files_again(self) -> list[str]:
        """Names of the files that have to be chosen again."""
        return [one.again for group in self.groups for one in (*group.fields, *group.more) if one.again]

    @property
    def has_files(self) -> bool:
        """Whether anything has to be chosen from one's own device."""
        return any(one.kind is Kind.FILE for one in self.form.fields)


def view(
    form: Form,
    shown: Mapping[str, Shown],
    *,
    errors: Mapping[str, str] | None = None,
    options: Options | None = None,
    files: Mapping[str, str] | None = None,
    focus: str = "",
) -> FormView:
    """The form with these texts in it (`checking.initial` or `checking.typed`), and errors by control.

    Args:
        files: names of files by field that were chosen and are lost.
        focus: the field where a line or row was just added, in which the person goes on typing.
    """
    errors = errors or {}
    places = {one.name: number for number, one in enumerate(form.fields)}
    groups, problems = [], []
    for title, fields in form.groups:
        made = [_field(form, one, places[one.name], shown.get(one.name, ""), errors, options or {}) for one in fields]
        made = [replace(one, again=(files or {}).get(one.field.name, "")) for one in made]
        made = [_going_on(one) if focus and one.field.name == focus else one for one in made]
        problems += [(one.id, one.label, text) for one in made for text in _errors(one)]
        more = tuple(one for one in made if one.field.folded)
        opened = any(_errors(one) for one in more)
        groups.append(Group(title, tuple(one for one in made if not one.field.folded), more, opened))
    return FormView(form, tuple(groups), tuple(problems))


def choices_of(one: Field, options: Options) -> Sequence[Choice] | None:
    """The choices of a field as they are now; None where they could not be had."""
    return options.get(one.name) if one.choices_from is not None else one.choices


def launchable(form: Form) -> Form:
    """The form as this engine can be sent it: a file has to be the value of a key of the body's own (engine/multipart.py), so that
    anywhere else its address is asked for."""
    return replace(
        form,
        fields=tuple(
            replace(one, kind=Kind.URL, accept=(), max_size=None)
            if one.kind is Kind.FILE and len(one.path) != 1
            else one
            for one in form.fields
        ),
    )


def tidied(form: Form, data: Data, options: Options) -> dict[str, Sequence[str]]:
    """What was submitted, with the rows of tables numbered without gaps, as a page shows them again, and with the values of choices in
    place of their labels where people look for them by typing."""
    changed = dict(data)
    for one in form.fields:
        if one.kind is Kind.TABLE:
            rows = rows_of(one, changed)
            changed = {name: texts for name, texts in changed.items() if not name.startswith(f"{one.name}[")}
            for number, (_at, texts) in enumerate(rows):
                for column in one.columns:
                    changed[cell_name(one, number, column)] = [texts.get(column.name, "")]
        choices = choices_of(one, options)
        if one.kind is Kind.CHOICE and choices and one.name in changed:
            keys = {text: key for key, text in _labels(choices).items()}
            known = {key_of(choice.value) for choice in choices}
            changed[one.name] = [text if text in known else keys.get(text, text) for text in changed[one.name]]
    return changed


def with_lines(form: Form, data: Data, *, add: str = "", remove: str = "") -> dict[str, Sequence[str]]:
    """What was submitted, with one more line or row at the field `add`, or without the one that `remove` names (`field:number`)."""
    changed = dict(data)
    target, _, number = remove.rpartition(":")
    one = form.field(add or target)
    if one is None:
        return changed
    if one.kind is Kind.LIST:
        lines = list(changed.get(one.name, ()))
        changed[one.name] = [*lines, ""] if add else [line for at, line in enumerate(lines) if str(at) != number]
    elif one.kind is Kind.TABLE:
        rows = rows_of(one, changed)
        if add:
            last = max((at for at, _texts in rows), default=-1)
            for column in one.columns:
                changed[cell_name(one, last + 1, column)] = [""]
        else:
            gone = [cell_name(one, at, column) for at, _texts in rows if str(at) == number for column in one.columns]
            changed = {name: texts for name, texts in changed.items() if name not in gone}
    return changed


def searchable(form: Form, sent: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What of a form is kept in plain text, so that launches are found by it: name of the field, label, text."""
    for one in form.fields:
        if one.searchable and not one.hidden and one.name in sent:
            value = sent[one.name]
            texts = [key_of(item) for item in value] if isinstance(value, list) else [key_of(value)]
            labels = {key_of(choice.value): choice.label for choice in one.choices}
            yield one.name, one.shown_label, ", ".join(labels.get(text) or text for text in texts)


def _going_on(one: FieldView) -> FieldView:
    """The field with the focus in its last line or row."""
    if one.lines:
        return replace(one, lines=(*one.lines[:-1], replace(one.lines[-1], focused=True)))
    if one.rows:
        last = one.rows[-1]
        cells = (replace(last.cells[0], focused=True), *last.cells[1:])
        return replace(one, rows=(*one.rows[:-1], replace(last, cells=cells)))
    return one


def _errors(one: FieldView) -> list[str]:
    cells = [cell.error for row in one.rows for cell in row.cells if cell.error]
    return [one.error, *cells] if one.error else cells


def _field(form: Form, one: Field, place: int, shown: Shown, errors: Mapping[str, str], options: Options) -> FieldView:
    made = FieldView(
        one,
        f"field-{place}",
        "one",
        error=errors.get(one.name, ""),
        limits=launch_field_words.limits(one),
        rule=launch_field_words.rule(form, one),
    )
    if one.kind is Kind.FILE:
        return replace(made, shape="file", accept=",".join(f".{ending}" for ending in one.accept))
    if one.kind is Kind.TABLE:
        return replace(made, shape="table", rows=tuple(_rows(one, made.id, shown, errors)))
    if one.kind is Kind.LIST:
        return replace(made, shape="lines", lines=tuple(_lines(one, made, shown)))
    choices = choices_of(one, options)
    if one.kind is Kind.CHOICES:
        several = shown if isinstance(shown, list) else []
        if choices is None:
            return replace(made, shape="lines", unlisted=True, lines=tuple(_lines(one, made, shown)))
        return replace(made, shape="choices", options=_options(choices, [str(text) for text in several]))
    text = shown if isinstance(shown, str) else ""
    control = Control(one.name, f"{made.id}-control", label=one.shown_label, error=made.error, required=one.required)
    if one.kind is Kind.CHOICE:
        control = _choice(one, control, choices, text)
        labels = [option.label for option in control.options] if control.kind == "search" else []
        made = replace(made, unlisted=choices is None, listing=launch_field_words.listing(labels, other=one.other))
    else:
        made = replace(made, listing=launch_field_words.moment(one))
        control = _plain(one, control, text)
    return replace(made, control=replace(control, described=made.described))


def _plain(one: Field | Column, control: Control, text: str) -> Control:
    """A control for one value of a field or a cell."""
    kind = one.kind
    if kind is Kind.YES_NO:
        offered = ["true", "false", *([] if one.required else [""])]
        listed = [Option(value, launch_field_words.yes_no(value), value == text) for value in offered]
        return replace(control, kind="yes_no", value=text, options=tuple(listed))
    if kind in (Kind.LONG_TEXT, Kind.JSON):
        return replace(control, kind="json" if kind is Kind.JSON else "area", value=text)
    native = _TYPES.get(kind, "text")
    if kind in (Kind.DATE, Kind.TIME, Kind.DATETIME) and not _native(kind, text):
        native = "text"  # a native control would lose what it cannot show
    return replace(control, value=text, type=native, mode=_MODES.get(kind, ""), complete=_COMPLETES.get(kind, "off"))


def _native(kind: Kind, text: str) -> bool:
    """Whether the browser's own control for dates and times shows this text."""
    if not text:
        return True
    try:
        if kind is Kind.DATE:
            return moments.read_day(text) == text
        if kind is Kind.TIME:
            return moments.read_time(text) == text
    except moments.BadMoment:
        return False
    day, _, time = text.partition("T")
    return len(text) in (16, 19) and _native(Kind.DATE, day) and _native(Kind.TIME, time)


def _choice(one: Field, control: Control, choices: Sequence[Choice] | None, text: str) -> Control:
    if choices is None:
        return replace(control, value=text)
    labels = _labels(choices)
    if one.other or len(choices) > LISTED:
        listed = tuple(Option(label, label) for label in labels.values())
        return replace(control, kind="search", value=labels.get(text, text), options=listed)
    found = [Option(key, label, key == text) for key, label in labels.items()]
    if text and text not in labels:
        found.insert(0, Option(text, text, chosen=True))
    if not one.required or not text:
        found.insert(0, Option("", "–", chosen=not text))
    return replace(control, kind="select", value=text, options=tuple(found))


def _labels(choices: Sequence[Choice]) -> dict[str, str]:
    """Labels by the control's text, told apart by their values where several are alike."""
    counted = Counter(choice.label or key_of(choice.value) for choice in choices)
    found = {}
    for choice in choices:
        key = key_of(choice.value)
        label = choice.label or key
        found[key] = label if counted[label] == 1 else f"{label} ({key})"
    return found


def _options(choices: Sequence[Choice], chosen: Sequence[str]) -> tuple[Option, ...]:
    labels = _labels(choices)
    found = [Option(key, label, key in chosen) for key, label in labels.items()]
    return (*found, *(Option(text, text, chosen=True) for text in chosen if text and text not in labels))


def _lines(one: Field, made: FieldView, shown: Shown) -> Iterator[Control]:
    texts = [text for text in shown if isinstance(text, str)] if isinstance(shown, list) else []
    for number, text in enumerate(texts or [""]):
        yield Control(
            one.name,
            f"{made.id}-{number}",
            value=text,
            mode=_MODES.get(one.item, "") if one.kind is Kind.LIST else "",
            error=made.error,
            described=made.described,
        )


def _rows(one: Field, id: str, shown: Shown, errors: Mapping[str, str]) -> Iterator[Row]:
    given: list[Any] = list(shown) if isinstance(shown, list) and shown else [{}]
    for number, texts in enumerate(given):
        yield Row(number, number + 1, tuple(_cells(one, id, number, texts if isinstance(texts, dict) else {}, errors)))


def _cells(one: Field, id: str, number: int, texts: Mapping[str, str], errors: Mapping[str, str]) -> Iterator[Control]:
    for place, column in enumerate(one.columns):
        name = cell_name(one, number, column)
        cell = Control(
            name,
            f"{id}-{number}-{place}",
            label=column.label or column.key,
            error=errors.get(name, ""),
            required=column.required,
        )
        text = texts.get(column.name, "")
        if column.kind is Kind.CHOICE:
            as_field = Field(column.name, (column.key,), kind=Kind.CHOICE, required=column.required)
            yield _choice(as_field, cell, column.choices, text)
        elif column.kind is Kind.YES_NO:
            words = [
                Option(value, "–" if not value else launch_field_words.yes_no(value), value == text)
                for value in ("", "true", "false")
            ]
            yield replace(cell, kind="select", value=text, options=tuple(words))
        else:
            yield _plain(column, cell, text)

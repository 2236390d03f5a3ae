"""View models of a launch form and its fields, for templates/launch_forms/fields.html.

Used by the launch page and the builder's preview. Controls have the names of launch_forms/schema/checking.py.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.forms.posted import Options
from workflows_ui.launch_forms.messages import fields as field_messages
from workflows_ui.launch_forms.schema import moments
from workflows_ui.launch_forms.schema.checking import Shown, cell_name
from workflows_ui.launch_forms.schema.document import Choice, Column, Field, Form, Kind, key_of

#: More choices than this get a control with a search.
LISTED = 15

_TYPES = {
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.DATETIME: "datetime-local",
    Kind.EMAIL: "email",
    Kind.PHONE: "tel",
    Kind.SECRET: "password",
}
_MODES = {Kind.NUMBER: "decimal", Kind.INTEGER: "numeric", Kind.URL: "url"}
_COMPLETES = {Kind.EMAIL: "email", Kind.PHONE: "tel", Kind.URL: "url"}


@dataclass(frozen=True)
class Option:
    """One selectable value: `value` is what the control sends."""

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
    rows: int = 4


@dataclass(frozen=True)
class Row:
    """A row of a table: its number in the names of its controls, its position counted from 1, and its cells."""

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
    #: The available choices, if the control does not display them, or the time zone of a moment.
    listing: str = ""
    #: Whether the choices of an app or a table could not be loaded.
    unlisted: bool = False
    control: Control | None = None
    lines: tuple[Control, ...] = ()
    options: tuple[Option, ...] = ()
    rows: tuple[Row, ...] = ()
    accept: str = ""
    #: The name of a selected file that has to be selected again.
    again: str = ""
    #: Whether a typed secret has to be typed again.
    retype: bool = False

    @property
    def label(self) -> str:
        return self.field.shown_label

    @property
    def secret(self) -> bool:
        return self.field.kind is Kind.SECRET

    @property
    def rule_value(self) -> str:
        """The value of the show-if rule, in the format of the other control."""
        return key_of(self.field.show_if.value) if self.field.show_if else ""

    @property
    def described(self) -> str:
        """Ids of the elements that describe the control."""
        parts = [
            ("help", self.field.help),
            ("secret", "secret" if self.secret else ""),
            ("listing", self.listing),
            ("limits", self.limits),
            ("example", self.field.example),
        ]
        ids = [f"{self.id}-{name}" for name, text in parts if text]
        return " ".join([*ids, f"{self.id}-error"])


@dataclass(frozen=True)
class Group:
    """Fields of one group; `more` are the folded ones, `opened` whether they are unfolded because of an error."""

    title: str
    fields: tuple[FieldView, ...]
    more: tuple[FieldView, ...] = ()
    opened: bool = False


@dataclass(frozen=True)
class FormView:
    form: Form
    groups: tuple[Group, ...]
    problems: tuple[tuple[str, str, str], ...] = field(default=())

    @property
    def files_again(self) -> list[str]:
        """Names of the files that have to be selected again."""
        return [item.again for group in self.groups for item in (*group.fields, *group.more) if item.again]

    @property
    def has_files(self) -> bool:
        return any(item.kind is Kind.FILE for item in self.form.fields)

    @property
    def has_json(self) -> bool:
        return any(item.kind is Kind.JSON for item in self.form.fields)


def view(
    form: Form,
    shown: Mapping[str, Shown],
    *,
    errors: Mapping[str, str] | None = None,
    options: Options | None = None,
    files: Mapping[str, str] | None = None,
    retype: Collection[str] = (),
    focus: str = "",
) -> FormView:
    """The view of a form with these contents (`checking.initial` or `checking.typed`), and errors by control.

    Args:
        files: names of lost selected files, by field.
        retype: fields whose typed secrets are lost.
        focus: the field in which a line or row was just added, which gets the focus.
    """
    errors = errors or {}
    places = {item.name: number for number, item in enumerate(form.fields)}
    groups, problems = [], []
    for title, fields in form.groups:
        views = [
            _field(form, item, places[item.name], shown.get(item.name, ""), errors, options or {}) for item in fields
        ]
        views = [
            replace(item, again=(files or {}).get(item.field.name, ""), retype=item.field.name in retype)
            for item in views
        ]
        views = [_with_focus(item) if focus and item.field.name == focus else item for item in views]
        problems += [(item.id, item.label, text) for item in views for text in _errors(item)]
        more = tuple(item for item in views if item.field.folded)
        opened = any(_errors(item) for item in more)
        groups.append(Group(title, tuple(item for item in views if not item.field.folded), more, opened))
    return FormView(form, tuple(groups), tuple(problems))


def _with_focus(field_view: FieldView) -> FieldView:
    """The field with the focus in its last line or row."""
    if field_view.lines:
        return replace(field_view, lines=(*field_view.lines[:-1], replace(field_view.lines[-1], focused=True)))
    if field_view.rows:
        last = field_view.rows[-1]
        cells = (replace(last.cells[0], focused=True), *last.cells[1:])
        return replace(field_view, rows=(*field_view.rows[:-1], replace(last, cells=cells)))
    return field_view


def _errors(field_view: FieldView) -> list[str]:
    cells = [cell.error for row in field_view.rows for cell in row.cells if cell.error]
    return [field_view.error, *cells] if field_view.error else cells


def _field(
    form: Form, form_field: Field, number: int, shown: Shown, errors: Mapping[str, str], options: Options
) -> FieldView:
    field_view = FieldView(
        form_field,
        f"field-{number}",
        "one",
        error=errors.get(form_field.name, ""),
        limits=field_messages.limits(form_field),
        rule=field_messages.rule(form, form_field),
    )
    if form_field.kind is Kind.FILE:
        return replace(field_view, shape="file", accept=",".join(f".{ending}" for ending in form_field.accept))
    if form_field.kind is Kind.TABLE:
        return replace(field_view, shape="table", rows=tuple(_rows(form_field, field_view.id, shown, errors)))
    if form_field.kind is Kind.LIST:
        return replace(field_view, shape="lines", lines=tuple(_lines(form_field, field_view, shown)))
    choices = posted.choices_of(form_field, options)
    if form_field.kind is Kind.CHOICES:
        several = shown if isinstance(shown, list) else []
        if choices is None:
            return replace(field_view, shape="lines", unlisted=True, lines=tuple(_lines(form_field, field_view, shown)))
        return replace(field_view, shape="choices", options=_options(choices, [str(text) for text in several]))
    text = shown if isinstance(shown, str) else ""
    control = Control(
        form_field.name,
        f"{field_view.id}-control",
        label=form_field.shown_label,
        error=field_view.error,
        required=form_field.required,
    )
    if form_field.kind is Kind.CHOICE:
        control = _choice(form_field, control, choices, text)
        labels = [option.label for option in control.options] if control.kind == "search" else []
        field_view = replace(
            field_view, unlisted=choices is None, listing=field_messages.listing(labels, other=form_field.other)
        )
    else:
        field_view = replace(field_view, listing=field_messages.moment(form_field))
        control = _plain(form_field, control, text)
    return replace(field_view, control=replace(control, described=field_view.described))


def _plain(form_field: Field | Column, control: Control, text: str) -> Control:
    """The control for one value of a field or a cell."""
    kind = form_field.kind
    if kind is Kind.YES_NO:
        offered = ["true", "false", *([] if form_field.required else [""])]
        listed = [Option(value, field_messages.yes_no(value), value == text) for value in offered]
        return replace(control, kind="yes_no", value=text, options=tuple(listed))
    if kind in (Kind.LONG_TEXT, Kind.JSON):
        whole = isinstance(form_field, Field) and form_field.path == ()
        return replace(control, kind="json" if kind is Kind.JSON else "area", value=text, rows=12 if whole else 4)
    native = _TYPES.get(kind, "text")
    if kind in (Kind.DATE, Kind.TIME, Kind.DATETIME) and not _native(kind, text):
        native = "text"  # a native control would lose a text that it cannot display
    return replace(control, value=text, type=native, mode=_MODES.get(kind, ""), complete=_COMPLETES.get(kind, "off"))


def _native(kind: Kind, text: str) -> bool:
    """Whether the browser's native control for dates and times can display this text."""
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


def _choice(form_field: Field, control: Control, choices: Sequence[Choice] | None, text: str) -> Control:
    if choices is None:
        return replace(control, value=text)
    labels = posted.labels_of(choices)
    if form_field.other or len(choices) > LISTED:
        listed = tuple(Option(label, label) for label in labels.values())
        return replace(control, kind="search", value=labels.get(text, text), options=listed)
    options = [Option(key, label, key == text) for key, label in labels.items()]
    if text and text not in labels:
        options.insert(0, Option(text, text, chosen=True))
    if not form_field.required or not text:
        options.insert(0, Option("", "–", chosen=not text))
    return replace(control, kind="select", value=text, options=tuple(options))


def _options(choices: Sequence[Choice], chosen: Sequence[str]) -> tuple[Option, ...]:
    labels = posted.labels_of(choices)
    options = [Option(key, label, key in chosen) for key, label in labels.items()]
    return (*options, *(Option(text, text, chosen=True) for text in chosen if text and text not in labels))


def _lines(form_field: Field, field_view: FieldView, shown: Shown) -> Iterator[Control]:
    texts = [text for text in shown if isinstance(text, str)] if isinstance(shown, list) else []
    for number, text in enumerate(texts or [""]):
        yield Control(
            form_field.name,
            f"{field_view.id}-{number}",
            value=text,
            mode=_MODES.get(form_field.item, "") if form_field.kind is Kind.LIST else "",
            error=field_view.error,
            described=field_view.described,
        )


def _rows(form_field: Field, id: str, shown: Shown, errors: Mapping[str, str]) -> Iterator[Row]:
    given: list[Any] = list(shown) if isinstance(shown, list) and shown else [{}]
    for number, texts in enumerate(given):
        yield Row(
            number, number + 1, tuple(_cells(form_field, id, number, texts if isinstance(texts, dict) else {}, errors))
        )


def _cells(
    form_field: Field, id: str, number: int, texts: Mapping[str, str], errors: Mapping[str, str]
) -> Iterator[Control]:
    for position, column in enumerate(form_field.columns):
        name = cell_name(form_field, number, column)
        cell = Control(
            name,
            f"{id}-{number}-{position}",
            label=column.label or column.key,
            error=errors.get(name, ""),
            required=column.required,
        )
        text = texts.get(column.name, "")
        if column.kind is Kind.CHOICE:
            as_field = Field(column.name, (column.key,), kind=Kind.CHOICE, required=column.required)
            yield _choice(as_field, cell, column.choices, text)
        elif column.kind is Kind.YES_NO:
            options = [
                Option(value, "–" if not value else field_messages.yes_no(value), value == text)
                for value in ("", "true", "false")
            ]
            yield replace(cell, kind="select", value=text, options=tuple(options))
        else:
            yield _plain(column, cell, text)

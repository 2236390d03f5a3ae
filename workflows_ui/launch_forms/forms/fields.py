"""View models of a launch form and its fields, for templates/launch_forms/fields.html.

Used by the launch page and the builder's preview. Controls have the names of form_schema/checking.py.
"""

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from workflows_ui.form_schema import moments, values
from workflows_ui.form_schema.checking import Shown, cell_name
from workflows_ui.form_schema.document import NUMBERS, Choice, Field, FieldKind, Form, key_of
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.forms.posted import Options

#: More choices than this get a control with a search.
LISTED = 15

_TYPES = {
    FieldKind.DATE: "date",
    FieldKind.TIME: "time",
    FieldKind.DATETIME: "datetime-local",
    FieldKind.EMAIL: "email",
    FieldKind.PHONE: "tel",
    FieldKind.SECRET: "password",
}
_MODES = {FieldKind.NUMBER: "decimal", FieldKind.INTEGER: "numeric", FieldKind.URL: "url"}
_COMPLETES = {FieldKind.EMAIL: "email", FieldKind.PHONE: "tel", FieldKind.URL: "url"}


@dataclass
class Option:
    """One selectable value: `value` is what the control sends."""

    value: str
    label: str
    chosen: bool = False


@dataclass
class Control:
    """One control. `kind` is the branch of launch_forms/control.html: input, area, json, yes_no, select, search."""

    name: str
    id: str
    kind: str = "input"
    value: str = ""
    type: str = "text"
    mode: str = ""
    complete: str = "off"
    options: list[Option] = dataclasses.field(default_factory=list)
    label: str = ""
    error: str = ""
    required: bool = False
    described: str = ""
    focused: bool = False
    rows: int = 4


@dataclass
class FieldView:
    """A field. `shape` is the branch of launch_forms/field.html: one, choices, lines, table, file.

    Attributes:
        listing: the available choices, if the control does not display them, or the time zone of a moment.
        unlisted: whether the choices of an app or a table could not be loaded.
        rows: the cells of a table's rows.
        lost_file: the name of a selected file that has to be selected again.
        retype: whether a typed secret has to be typed again.
    """

    field: Field
    id: str
    shape: str = "one"
    error: str = ""
    limits: str = ""
    rule: str = ""
    listing: str = ""
    unlisted: bool = False
    control: Control | None = None
    lines: list[Control] = dataclasses.field(default_factory=list)
    options: list[Option] = dataclasses.field(default_factory=list)
    rows: list[list[Control]] = dataclasses.field(default_factory=list)
    accept: str = ""
    lost_file: str = ""
    retype: bool = False

    @property
    def rule_value(self) -> str:
        """The value of the show-if rule, in the format of the other control."""
        return key_of(self.field.show_if.value) if self.field.show_if else ""

    @property
    def understood(self) -> str | None:
        """How the typed number is understood; None for other kinds of fields."""
        if self.field.kind not in NUMBERS or self.control is None:
            return None
        return values.understood(self.field, self.control.value)

    @property
    def described(self) -> str:
        """Ids of the elements that describe the control."""
        parts = {
            "help": self.field.help,
            "secret": self.field.kind is FieldKind.SECRET,
            "listing": self.listing,
            "limits": self.limits,
            "example": self.field.example,
            "error": True,
            "understood": self.field.kind in NUMBERS,
        }
        return " ".join(f"{self.id}-{name}" for name, exists in parts.items() if exists)

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """The messages at the field and at its cells, each with the id of its element and the label, such as “Row 1, Quantity”."""
        found = [(self.id, self.field.shown_label, self.error)]
        for number, row in enumerate(self.rows, start=1):
            found += [
                (cell.id, _("Row %(row)d, %(column)s") % {"row": number, "column": cell.label}, cell.error)
                for cell in row
            ]
        return [problem for problem in found if problem[-1]]


@dataclass(frozen=True)
class GroupView:
    """A group of fields, the folded ones (`more`) apart; `opened`: these are unfolded because of an error."""

    title: str
    fields: list[FieldView]
    more: list[FieldView]
    opened: bool


@dataclass
class FormView:
    """A form with its content (`checking.initial` or `checking.typed`).

    Attributes:
        errors: messages by control.
        files: names of lost selected files, by field.
        retype: fields whose typed secrets are lost.
        focus: the field in which a line or row was just added, which gets the focus.
        problems: the id and label of each wrong field or cell, with the message.
    """

    form: Form
    shown: Mapping[str, Shown]
    errors: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: Options = dataclasses.field(default_factory=dict)
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    retype: Collection[str] = ()
    focus: str = ""
    groups: list[GroupView] = dataclasses.field(default_factory=list)
    problems: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        for title, fields in self.form.groups:
            views = [self._field(item) for item in fields]
            more = [view for view in views if view.field.folded]
            unfolded = [view for view in views if not view.field.folded]
            opened = any(view.problems for view in more)
            self.groups.append(GroupView(title, unfolded, more, opened))
            self.problems += [problem for view in views for problem in view.problems]

    @property
    def lost_files(self) -> list[str]:
        """Names of the files that have to be selected again."""
        return [item.lost_file for group in self.groups for item in (*group.fields, *group.more) if item.lost_file]

    def _field(self, field: Field) -> FieldView:
        view = FieldView(
            field,
            f"field-{self.form.names.index(field.name)}",
            error=self.errors.get(field.name, ""),
            limits=form_messages.limits(field),
            rule=form_messages.rule(self.form, field),
            lost_file=self.files.get(field.name, ""),
            retype=field.name in self.retype,
        )
        shown, choices = self.shown.get(field.name, ""), posted.choices_of(field, self.options)
        if field.kind is FieldKind.FILE:
            view.shape, view.accept = "file", ",".join(f".{ending}" for ending in field.accept)
        elif field.kind is FieldKind.TABLE:
            rows = [texts for texts in shown if isinstance(texts, dict)] if isinstance(shown, list) else []
            view.shape = "table"
            view.rows = [
                list(_cells(field, view.id, number, texts, self.errors)) for number, texts in enumerate(rows or [{}])
            ]
        elif field.kind is FieldKind.LIST or (field.kind is FieldKind.CHOICES and choices is None):
            view.shape, view.unlisted = "lines", field.kind is FieldKind.CHOICES
            mode = _MODES.get(field.item, "") if field.kind is FieldKind.LIST else ""
            view.lines = [
                Control(field.name, f"{view.id}-{number}", value=text, mode=mode)
                for number, text in enumerate(_texts(shown) or [""])
            ]
        elif field.kind is FieldKind.CHOICES:
            view.shape, view.options = "choices", _options(choices or (), _texts(shown))
        else:
            _set_control(view, choices, shown if isinstance(shown, str) else "")
        if field.name == self.focus:
            for control in [*view.lines, *(cells[0] for cells in view.rows)][-1:]:
                control.focused = True
        return view


def _texts(shown: Shown) -> list[str]:
    return [text for text in shown if isinstance(text, str)] if isinstance(shown, list) else []


def _set_control(view: FieldView, choices: Sequence[Choice] | None, text: str) -> None:
    """Set the control of a field with one value, and what is displayed below it."""
    field = view.field
    control = Control(field.name, f"{view.id}-control", value=text, error=view.error, required=field.required)
    if field.kind is FieldKind.CHOICE:
        _choose(control, choices, searched=field.other)
        labels = [option.label for option in control.options] if control.kind == "search" else []
        view.unlisted = choices is None
        view.listing = form_messages.listing(labels, other=field.other)
    else:
        view.listing = form_messages.moment(field)
        _type(control, field.kind, rows=4 if field.path else 12)
    control.described = view.described
    view.control = control


def _type(control: Control, kind: FieldKind, *, rows: int = 4) -> None:
    """Set the kind of control in which a value of this kind is typed."""
    text = control.value
    if kind is FieldKind.YES_NO:
        offered = ["true", "false", *([] if control.required else [""])]
        control.kind = "yes_no"
        control.options = [Option(value, form_messages.yes_no(value), value == text) for value in offered]
    elif kind in (FieldKind.LONG_TEXT, FieldKind.JSON):
        control.kind, control.rows = "json" if kind is FieldKind.JSON else "area", rows
    else:
        # A native control would lose a text that it cannot display.
        native = kind not in (FieldKind.DATE, FieldKind.TIME, FieldKind.DATETIME) or _native(kind, text)
        control.type = _TYPES.get(kind, "text") if native else "text"
        control.mode, control.complete = _MODES.get(kind, ""), _COMPLETES.get(kind, "off")


def _native(kind: FieldKind, text: str) -> bool:
    """Whether the browser's native control for dates and times can display this text."""
    if kind is FieldKind.DATETIME:
        day, _separator, time = text.partition("T")
        return not text or (len(text) in (16, 19) and _native(FieldKind.DATE, day) and _native(FieldKind.TIME, time))
    return not text or moments.is_stable(moments.read_day if kind is FieldKind.DATE else moments.read_time, text)


def _choose(control: Control, choices: Sequence[Choice] | None, *, searched: bool = False) -> None:
    """Set the control in which one of the choices is selected; a plain input if they could not be loaded."""
    if choices is None:
        return
    labels, text = posted.labels_of(choices), control.value
    if searched or len(choices) > LISTED:
        control.kind, control.value = "search", labels.get(text, text)
        control.options = [Option(label, label) for label in labels.values()]
        return
    control.kind, control.options = "select", _options(choices, [text])
    control.options.sort(key=lambda option: option.value in labels)  # an unlisted value comes first
    if not control.required or not text:
        control.options.insert(0, Option("", "–", chosen=not text))


def _options(choices: Sequence[Choice], chosen: Sequence[str]) -> list[Option]:
    """The choices, and chosen values that are not among them."""
    labels = posted.labels_of(choices)
    options = [Option(key, label, key in chosen) for key, label in labels.items()]
    return [*options, *(Option(text, text, chosen=True) for text in chosen if text and text not in labels)]


def _cells(
    form_field: Field, id: str, number: int, texts: Mapping[str, str], errors: Mapping[str, str]
) -> Iterator[Control]:
    for position, column in enumerate(form_field.columns):
        name = cell_name(form_field, number, column)
        cell = Control(
            name,
            f"{id}-{number}-{position}",
            value=texts.get(column.name, ""),
            label=column.label or column.key,
            error=errors.get(name, ""),
            required=column.required,
            described=f"{id}-{number}-{position}-error",
        )
        if column.kind is FieldKind.CHOICE:
            _choose(cell, column.choices)
        elif column.kind is FieldKind.YES_NO:
            labels = {"": "–", "true": form_messages.yes_no("true"), "false": form_messages.yes_no("false")}
            cell.kind = "select"
            cell.options = [Option(value, label, value == cell.value) for value, label in labels.items()]
        else:
            _type(cell, column.kind)
        yield cell

"""Base of the Django forms for a field of a launch form: the properties common to all kinds."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.form_choices import set_choices
from workflows_ui.form_schema.document import (
    LONG,
    MOST_DEPTH,
    NOTHING,
    SHORT,
    Blank,
    Field,
    FieldKind,
    Form,
    Limits,
    ShowIf,
    When,
    Why,
    overlap,
)
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.editor import field_values
from workflows_ui.launch_forms.editor.forms import CODE, EditorForm, choice, count, line, lines, tick
from workflows_ui.launch_forms.editor.row_formsets import Rows
from workflows_ui.launch_forms.editor.sources import Sources

#: Initial states of a field.
EMPTY, FILLED, HIDDEN = "empty", "filled", "hidden"
_LIMITS = ("low", "high", "min_length", "max_length", "least", "most", "pattern", "pattern_words")
#: Widths in the page's grid of inputs that share a row.
_WIDTHS = {
    **dict.fromkeys((*_LIMITS[:6], "start", "value"), "col-md-6"),
    **dict.fromkeys(("rule_field", "rule_test", "rule_value"), "col-md-4"),
}
#: The sections of the page: key, title, and inputs, if the kind has them.
_SECTIONS = (
    ("start", gettext_lazy("Default value"), ("start", "value")),
    ("limits", gettext_lazy("Limits"), (*_LIMITS, "pattern_try", "accept", "max_size")),
    (
        "place",
        gettext_lazy("Where and when it is shown"),
        ("group", "position", "folded", "rule_field", "rule_test", "rule_value", "searchable"),
    ),
    ("sending", gettext_lazy("What is sent"), ("blank", "moment", "item")),
)
LAUNCHERS_LEARN_IT = gettext_lazy("Everyone who may launch can learn it: nothing secret belongs here.")


class FieldForm(EditorForm):
    """The properties of a field of any kind. Inputs have the names of the attributes of `Field` and `Limits`.

    `field` is the saved field (a new one has the name ""), `form` the launch form that it belongs to.
    """

    #: What an empty field of this kind may send.
    blanks: Sequence[Blank] = tuple(Blank)
    #: The fixed value of a hidden field without a typed value; NOTHING if the kind has no empty value.
    empty_value: object = NOTHING
    #: Formset of choices or columns, and the input that displays its errors.
    rows: Rows | None = None
    rows_input = "kind"
    typed = EditorForm.typed | {"autocomplete": "off"}

    where = forms.CharField(
        label=gettext_lazy("Input name"),
        max_length=SHORT,
        widget=forms.TextInput(CODE),
        help_text=gettext_lazy(
            "As the flow reads it, such as amount; with dots for nested values, such as customer.phone."
        ),
    )
    label = line(gettext_lazy("Label"), gettext_lazy("If empty, it is made from the input name."))
    kind = forms.TypedChoiceField(label=gettext_lazy("Kind"), choices=FieldKind.choices, coerce=FieldKind)
    required = tick(gettext_lazy("Required"))
    help = lines(gettext_lazy("Help text"), gettext_lazy("A sentence below the field that says what to fill in."))
    example: forms.Field | None = line(gettext_lazy("Example"))
    start: forms.Field | None = forms.ChoiceField(label=gettext_lazy("At the start"))
    group = line(
        gettext_lazy("Group"), gettext_lazy("Fields of a group are shown together under its name."), list="groups"
    )
    position = count(gettext_lazy("Place in the form"), 1, 1000)
    folded = tick(gettext_lazy("Show under “More”"))
    rule_field = forms.ChoiceField(label=gettext_lazy("Show only if the field"), required=False)
    rule_test = choice(gettext_lazy("Rule"), When, When.IS)
    rule_value = line(gettext_lazy("Value to compare with"))
    searchable: forms.Field | None = tick(
        gettext_lazy("Find launches by what is typed here"),
        gettext_lazy("What is typed is then also stored unencrypted, up to 200 characters, for the search."),
    )
    blank = choice(gettext_lazy("What is sent if it is left empty"), Blank, Blank.ABSENT)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        field: Field,
        form: Form,
        sources: Sources | None = None,
        judged: bool = True,
    ) -> None:
        """`judged`: whether to validate, which is skipped if the page is only rendered again, for another kind."""
        self.stored_field, self.form, self.sources = field, form, sources or Sources()
        self.judged = judged and data is not None
        self.chosen = chosen_kind(data, field)
        super().__init__(data, initial=self._initial_data())
        if not judged:
            self._errors = ErrorDict()  # skips validation
        self._set_choices()

    def _initial_data(self) -> dict[str, object]:
        field, names = self.stored_field, self.form.names
        data: dict[str, object] = {**vars(field), **vars(field.limits)} | {
            "where": ".".join(field.path),
            "start": HIDDEN if field.hidden else EMPTY if field.default is NOTHING else FILLED,
            "position": names.index(field.name) + 1 if field.name in names else len(names) + 1,
        }
        if rule := field.show_if:
            other = self.form.field(rule.field) if rule.test in {When.IS, When.IS_NOT} else None
            text = field_values.text_of(rule.value, field_values.single(other)) if other else ""
            data |= {"rule_field": rule.field, "rule_test": rule.test.value, "rule_value": text}
        return data

    def _set_choices(self) -> None:
        """Remove inputs that do not apply to this field, and set the choices of selects."""
        field = self.stored_field
        if field.name and not _has_own_path(field):
            del self.fields["where"]
        self.fields["label"].widget.attrs["placeholder"] = replace(field, label="").shown_label
        if "start" in self.fields:
            hidden = "value" in self.fields or field.hidden
            starts = [(EMPTY, _("Empty")), (FILLED, _("Filled in; people can change it"))]
            starts += [(HIDDEN, _("Not shown; this value is always sent"))] if hidden else []
            set_choices(self, "start", starts)
            if not hidden and field.default is NOTHING:
                del self.fields["start"]
        others = [
            (other.name, other.shown_label[:80])
            for other in self.form.fields
            if other.name != field.name and not other.hidden
        ]
        set_choices(self, "rule_field", [("", _("– (always shown)")), *others])
        set_choices(self, "blank", [(blank.value, blank.label) for blank in self.blanks])
        count = len(self.form.fields) + (0 if field.name else 1)
        self.fields["position"].help_text = _("1 is the first; there are %(n)d fields.") % {"n": count}

    # --- Validation -------------------------------------------------------------------------------

    def clean_where(self) -> tuple[str, ...]:
        """The path of a field added by hand, which must not overlap with another field's."""
        parts = tuple(part.strip() for part in str(self.cleaned_data["where"]).split("."))
        if not all(parts):
            raise ValidationError(_("A dot has nothing before or after it. Write it as customer.phone."))
        if len(parts) > MOST_DEPTH:
            raise ValidationError(_("There are more levels than a form allows. Use fewer dots."))
        for other in self.form.fields:
            if other.name != self.stored_field.name and overlap(other.path, parts):
                raise ValidationError(
                    _("The field “%(label)s” already fills this place (%(place)s).")
                    % {"label": other.shown_label[:80], "place": form_messages.field_location(other)[:120]}
                )
        return parts

    def clean_help(self) -> str:
        return str(self.cleaned_data["help"]).replace("\r\n", "\n")

    def clean(self) -> dict[str, object]:
        """Values that depend on more than one input, under the names of the attributes of `Field`."""
        for name, check in (
            (self.rows_input, self._rows),
            ("value", self._start),
            ("", self._limits),
            ("rule_value", self._rule),
        ):
            try:
                self.cleaned_data |= check()
            except ValidationError as problem:
                self.add_error(name if name in self.fields else None, problem)
        return self.cleaned_data

    def _rows(self) -> dict[str, object]:
        return {}

    def _start(self) -> dict[str, object]:
        field, start = self.stored_field, self.cleaned_data.get("start") or EMPTY
        if start == EMPTY or "source" in self.errors:
            return {"default": NOTHING, "hidden_value": NOTHING}
        value = field.hidden_value if field.hidden else field.default
        if "value" in self.fields:
            value = field_values.value_of(str(self.cleaned_data.get("value") or ""), self.to_field())
            value = self.empty_value if value is NOTHING and start == HIDDEN else value
        if value is NOTHING:
            raise ValidationError(_("Enter the value that the field starts with."))
        if start == HIDDEN:
            return {"default": NOTHING, "hidden_value": value, "required": False}
        return {"default": value, "hidden_value": NOTHING}

    def _limits(self) -> dict[str, object]:
        data = self.cleaned_data
        for low, high in (("low", "high"), ("min_length", "max_length"), ("least", "most")):
            least, most = data.get(low), data.get(high)
            if least is not None and most is not None and least > most:
                raise ValidationError({low: _("The lower limit is above the upper one.")})
        return {"limits": Limits(**{name: data[name] for name in _LIMITS if name in data})}

    def _rule(self) -> dict[str, object]:
        data = self.cleaned_data
        other = self.form.field(str(data.get("rule_field") or ""))
        if other is None:
            return {"show_if": None}
        if self.stored_field.name in {field.name for field in (other, *self.form.deciding_fields(other))}:
            raise ValidationError(
                _("That field is itself shown only if this one is filled in a certain way. Choose another one.")
            )
        test = data.get("rule_test") or When.IS
        if test in {When.FILLED, When.EMPTY}:
            return {"show_if": ShowIf(other.name, test)}
        return {"show_if": ShowIf(other.name, test, field_values.comparable(other, str(data.get("rule_value") or "")))}

    def to_field(self, name: str = "") -> Field:
        """The field made from what is valid, with this name."""
        field, data = self.stored_field, self.cleaned_data
        plain = Field(name, data.get("where") or field.path, kind=self.chosen, moment=field.moment, why=field.why)
        known = {attribute.name for attribute in dataclasses.fields(Field)}
        return replace(plain, **{key: value for key, value in data.items() if key in known})

    # --- Template data ----------------------------------------------------------------------------

    @property
    def groups(self) -> list[str]:
        return sorted({field.group for field in self.form.fields if field.group})

    @property
    def sections(self) -> Iterator[dict[str, object]]:
        """The sections: key, title, summary, inputs, and whether it is open because of an error or a trial."""
        wrong = set(self.errors) if self.judged else set()
        for key, title, names in _SECTIONS:
            controls = [(self[name], _WIDTHS.get(name, "col-12")) for name in names if name in self.fields]
            opened = (key == "limits" and "try" in self.data) or not wrong.isdisjoint(names)
            if controls:
                yield {"key": key, "title": title, "now": self._summary(key), "controls": controls, "open": opened}

    def _summary(self, key: str) -> str:
        """A summary of a section's saved values, for its closed state."""
        if key == "limits":
            return form_messages.limits_summary(self.stored_field.limits)
        if key == "place":
            return "; ".join(
                part
                for part in (self.stored_field.group, form_messages.rule_summary(self.stored_field, self.form))
                if part
            )
        value = self.stored_field.hidden_value if self.stored_field.hidden else self.stored_field.default
        return field_values.text_of(value, self.stored_field) if key == "start" else ""


class ValueForm(FieldForm):
    """A field whose default value can be typed into one input."""

    blanks: Sequence[Blank] = (Blank.ABSENT, Blank.NULL, Blank.TEXT)
    value: forms.Field | None = line(gettext_lazy("Value"), LAUNCHERS_LEARN_IT, most=LONG, strip=False)

    def _initial_data(self) -> dict[str, object]:
        value = self.stored_field.hidden_value if self.stored_field.hidden else self.stored_field.default
        return super()._initial_data() | {
            "value": field_values.text_of(value, replace(self.stored_field, kind=self.chosen))
        }


def chosen_kind(data: Mapping[str, object] | None, field: Field) -> FieldKind:
    """The kind selected in the page, else the field's."""
    wanted = str(data.get("kind", "")) if data is not None else ""
    return FieldKind(wanted) if wanted in list(FieldKind) else field.kind


def _has_own_path(field: Field) -> bool:
    """Whether the path was typed by a builder and may be changed, since the field was not proposed from the flow."""
    return (
        bool(field.path)
        and field.why == Why()
        and all(part.strip() == part and part and "." not in part for part in field.path)
    )

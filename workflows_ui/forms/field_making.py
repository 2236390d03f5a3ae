"""From what a builder typed about one field to the field: every check that needs more than one input, in words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.forming import patterns
from workflows_ui.forming.document import (
    MOST_DEPTH,
    NOTHING,
    NUMBERS,
    Blank,
    Field,
    Form,
    Kind,
    Limits,
    Moment,
    PieceChoices,
    ShowIf,
    TableChoices,
    When,
)
from workflows_ui.forms import field_rows, field_values
from workflows_ui.kit import form_words

CHOOSING = frozenset({Kind.CHOICE, Kind.CHOICES})
#: Kinds that have a smallest and a largest value.
RANGES = NUMBERS | {Kind.DATE}
_MEGABYTE = 1024 * 1024
#: How a field starts.
EMPTY, FILLED, HIDDEN = "empty", "filled", "hidden"
#: Where choices come from.
TYPED, TABLE, APP = "typed", "table", "app"
_TOO_DEEP = gettext_lazy("There are more levels than a form allows. Use fewer points.")


class FieldMaking(forms.Form):
    """The half of FieldEditor that reads: `made` gives the field of a valid form."""

    #: The field as it was, and the form it belongs to.
    kept: Field
    form: Form
    #: The kind that is chosen at the moment.
    chosen: Kind
    #: A field that is added by hand has no name yet.
    new: bool
    choice_rows: list[field_rows.ChoiceRow]
    column_rows: list[field_rows.ColumnRow]

    def clean_pattern(self) -> str:
        """A pattern that can be read."""
        text = str(self.cleaned_data["pattern"])
        if text:
            try:
                patterns.compiled(text)
            except patterns.BadPattern as problem:
                raise ValidationError(
                    _(
                        "This pattern cannot be read from character %(at)d on. Letters, digits, [a-z], ., *, +, ? and {2,5} are understood."
                    )
                    % {"at": problem.at + 1}
                ) from problem
        return text

    def clean_where(self) -> tuple[str, ...]:
        """The path of a field whose place its builder chooses, and that no other field goes there."""
        parts = tuple(part.strip() for part in str(self.cleaned_data["where"]).split("."))
        if not all(parts):
            raise ValidationError(_("There is a point with nothing before or after it. Write it as customer.phone."))
        if len(parts) > MOST_DEPTH:
            raise ValidationError(str(_TOO_DEEP))
        for other in self.form.fields:
            if other.name == self.kept.name:
                continue
            shorter = min(len(other.path), len(parts))
            if other.path[:shorter] == parts[:shorter]:
                raise ValidationError(
                    _("The field “%(label)s” already fills this place (%(place)s).")
                    % {"label": other.shown_label[:80], "place": form_words.place(other)[:120]}
                )
        return parts

    def clean_accept(self) -> tuple[str, ...]:
        """Extensions in lower letters without points."""
        found = str(self.cleaned_data["accept"]).replace(",", " ").split()
        plain = tuple(dict.fromkeys(one.lower().lstrip(".") for one in found))
        wrong = [one for one in plain if not one.isalnum() or len(one) > 10]
        if wrong:
            raise ValidationError(
                _("“%(text)s” is no ending of a file name. Write them as pdf, jpg, docx.") % {"text": wrong[0][:40]}
            )
        return plain

    def clean(self) -> dict[str, Any]:
        """Everything that depends on more than one input."""
        data = super().clean() or {}
        for name, check in (
            ("source", self._choices),
            ("kind", self._columns),
            ("value", self._started),
            ("low", self._limited),
            ("rule_value", self._ruled),
        ):
            try:
                data |= check(data)
            except ValidationError as problem:
                self.add_error(name if name in self.fields else None, problem)
        return data

    def _choices(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if self.chosen not in CHOOSING:
            return {"made_choices": (), "made_from": None}
        if data.get("source") == TABLE:
            wanted = [str(data.get(name) or "") for name in ("table", "table_label", "table_value")]
            if not wanted[0]:
                raise ValidationError(_("Choose the table that the choices come from."))
            if not all(wanted):
                raise ValidationError(_("Choose the column that people read and the one that is sent."))
            return {"made_choices": (), "made_from": TableChoices(*wanted)}
        if data.get("source") == APP:
            step, _separator, name = str(data.get("option") or "").partition(" ")
            if not name:
                raise ValidationError(_("Choose the field of an app that the choices come from."))
            return {"made_choices": (), "made_from": PieceChoices(step, name)}
        choices = field_rows.choices_of(self.choice_rows)
        if not choices:
            raise ValidationError(
                _("There are no choices yet. Type at least one, or take them from a table or an app.")
            )
        return {"made_choices": choices, "made_from": None}

    def _columns(self, _data: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "made_columns": field_rows.columns_of(self.column_rows, self.kept.columns)
            if self.chosen is Kind.TABLE
            else ()
        }

    def _started(self, data: Mapping[str, Any]) -> dict[str, Any]:
        start = data.get("start", EMPTY)
        if start == EMPTY:
            return {"made_default": NOTHING, "made_hidden": NOTHING}
        if "value" in self.fields:
            value = field_values.value_of(str(data.get("value") or ""), self._typed_like(data))
            if value is NOTHING and start == HIDDEN and self.chosen in field_values.TYPED:
                value = self._empty()
        else:
            value = self.kept.hidden_value if self.kept.hidden else self.kept.default
        if value is NOTHING:
            raise ValidationError(_("Type the value that the field starts with."))
        hidden = start == HIDDEN
        return {"made_default": NOTHING if hidden else value, "made_hidden": value if hidden else NOTHING}

    def _typed_like(self, data: Mapping[str, Any]) -> Field:
        """The field as far as it decides how a value is typed."""
        return replace(
            self.kept,
            kind=self.chosen,
            choices=data.get("made_choices", ()),
            choices_from=data.get("made_from"),
            other=bool(data.get("other")),
            moment=Moment(data.get("moment") or self.kept.moment),
            item=Kind(data.get("item") or Kind.TEXT),
        )

    def _empty(self) -> Any:
        """A fixed value that is empty: an empty text for texts, an empty list for lists; nothing else can be empty."""
        if self.chosen in field_values.LINES:
            return []
        return "" if self.chosen in {Kind.TEXT, Kind.LONG_TEXT} else NOTHING

    def _limited(self, data: Mapping[str, Any]) -> dict[str, Any]:
        low, high = (_bound(str(data.get(name) or ""), self.chosen) for name in ("low", "high"))
        pairs = ((low, high), (data.get("min_length"), data.get("max_length")), (data.get("least"), data.get("most")))
        for least, most in pairs:
            if least is not None and most is not None and least > most:
                raise ValidationError(_("The lower limit is above the upper one."))
        made = Limits(
            low=low,
            high=high,
            min_length=data.get("min_length"),
            max_length=data.get("max_length"),
            pattern=str(data.get("pattern") or ""),
            pattern_words=str(data.get("pattern_words") or ""),
            least=data.get("least"),
            most=data.get("most"),
        )
        return {"made_limits": made}

    def _ruled(self, data: Mapping[str, Any]) -> dict[str, Any]:
        other = self.form.field(str(data.get("rule_field") or ""))
        if other is None:
            return {"made_rule": None}
        if _leads_to(self.form, other, self.kept.name):
            raise ValidationError(
                _("That field is itself shown only where this one is filled in a certain way. Choose another one.")
            )
        test = When(str(data.get("rule_test") or When.IS))
        if test in {When.FILLED, When.EMPTY}:
            return {"made_rule": ShowIf(other.name, test)}
        return {
            "made_rule": ShowIf(other.name, test, field_values.comparable(other, str(data.get("rule_value") or "")))
        }

    def made(self, name: str) -> Field:
        """The field that a valid form stands for, under this name."""
        data = self.cleaned_data
        return replace(
            self.kept,
            name=name,
            path=data["where"] if "where" in self.fields else self.kept.path,
            label=data["label"],
            help=data["help"].replace("\r\n", "\n"),
            kind=self.chosen,
            required=data["required"] and data["made_hidden"] is NOTHING,
            default=data["made_default"],
            hidden_value=data["made_hidden"],
            example=data["example"],
            choices=data["made_choices"],
            choices_from=data["made_from"],
            other=bool(data.get("other")),
            group=data["group"],
            folded=data["folded"],
            limits=data["made_limits"],
            show_if=data["made_rule"],
            searchable=data["searchable"],
            blank=Blank(data["blank"] or Blank.ABSENT),
            moment=Moment(data.get("moment") or self.kept.moment),
            item=Kind(data.get("item") or Kind.TEXT),
            columns=data["made_columns"],
            accept=data.get("accept") or (),
            max_size=self._size(data.get("max_size")),
        )

    def _size(self, megabytes: int | None) -> int | None:
        """Bytes; those that were there where the megabytes on the page are still the same."""
        before = self.kept.max_size
        if before and megabytes == shown_size(before):
            return before
        return megabytes * _MEGABYTE if megabytes else None


def shown_size(size: int) -> int:
    """A size in bytes as whole megabytes, at least one."""
    return max(1, size // _MEGABYTE)


def _bound(text: str, kind: Kind) -> Any:
    if not text.strip() or kind not in RANGES:
        return None
    return field_values.value_of(text, Field("", (), kind=kind))


def _leads_to(form: Form, field: Field, name: str) -> bool:
    """Whether a field's rule, or the rule of the field it looks at, and so on, looks at the field called `name`."""
    seen: set[str] = set()
    at: Field | None = field
    while at is not None and at.name not in seen:
        if at.name == name:
            return True
        seen.add(at.name)
        at = form.field(at.show_if.field) if at.show_if else None
    return False

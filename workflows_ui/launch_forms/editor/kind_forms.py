"""Django forms for each kind of field, for the builder's page of one field."""

from collections.abc import Sequence
from functools import partialmethod

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.form_choices import set_choices
from workflows_ui.form_schema import patterns
from workflows_ui.form_schema.document import (
    NOTHING,
    NUMBERS,
    Blank,
    Field,
    FieldKind,
    Form,
    Moment,
    PieceChoices,
    TableChoices,
)
from workflows_ui.launch_forms.editor import field_values, row_formsets
from workflows_ui.launch_forms.editor.field_form import LAUNCHERS_LEARN_IT, FieldForm, ValueForm, chosen_kind
from workflows_ui.launch_forms.editor.forms import CODE, choice, count, line, lines, tick
from workflows_ui.launch_forms.editor.sources import Sources

#: The largest file that a field may accept.
MOST_MEGABYTES = 25
_MEGABYTE = 1024 * 1024


class Source(TextChoices):
    """Where choices come from."""

    TYPED = "typed", gettext_lazy("Typed here")
    TABLE = "table", gettext_lazy("Records of a table, as they are at the moment of the launch")
    APP = "app", gettext_lazy("What an app offers at the moment of the launch")


class TextForm(ValueForm):
    """One text, with a length and a pattern."""

    empty_value: object = ""
    min_length = count(gettext_lazy("Fewest characters"))
    max_length = count(gettext_lazy("Most characters"))
    pattern = line(
        gettext_lazy("Pattern"),
        gettext_lazy(
            "The whole text must match. [A-Z]{2}-\\d{4} matches HN-2026: two capital letters, a dash, four digits."
        ),
        most=patterns.MOST_CHARACTERS,
        strip=False,
        **CODE,
    )
    pattern_words = line(
        gettext_lazy("The pattern in plain words"),
        gettext_lazy("The message for a text that does not match, such as: two letters, a dash, four digits."),
    )
    pattern_try = line(gettext_lazy("Try it with"))

    def clean_pattern(self) -> str:
        text = str(self.cleaned_data["pattern"])
        try:
            patterns.compiled(text)
        except patterns.BadPattern as problem:
            message = _("This pattern cannot be read.")
            if problem.part:
                message = _(
                    "This pattern cannot be read at “%(part)s”. Letters, digits, [a-z], ., *, +, ? and {2,5} are understood."
                ) % {"part": problem.part[:40]}
            raise ValidationError(message) from problem
        return text

    @property
    def trial(self) -> tuple[bool, str]:
        """Whether the trial text matches the pattern, and a message; (False, "") without a pattern."""
        pattern, text = str(self.data.get("pattern") or ""), str(self.data.get("pattern_try") or "")
        if not pattern:
            return False, ""
        try:
            fits = patterns.matches(pattern, text)
        except patterns.BadPattern:
            return False, _("This pattern cannot be read.")
        return fits, _("“%(text)s” matches.") % {"text": text} if fits else _("“%(text)s” does not match.") % {
            "text": text
        }


class AddressForm(TextForm):
    """An e-mail address, a phone number or a link: a fixed one cannot be empty."""

    empty_value = NOTHING


class LongTextForm(TextForm):
    value = lines(gettext_lazy("Value"), LAUNCHERS_LEARN_IT, 3, strip=False)


class SecretForm(TextForm):
    """A secret, which is typed at each launch: it is not stored with the form or in plain text."""

    example = start = searchable = value = None


class NumberForm(ValueForm):
    """A number or a date with bounds."""

    blanks: Sequence[Blank] = (Blank.ABSENT, Blank.NULL)
    low = line(gettext_lazy("Not less than"), most=40)
    high = line(gettext_lazy("Not more than"), most=40)

    def _bound(self, name: str) -> object:
        value = field_values.value_of(self.cleaned_data[name], Field("", (), kind=self.chosen))
        return None if value is NOTHING else value

    clean_low = partialmethod(_bound, "low")
    clean_high = partialmethod(_bound, "high")


class DateForm(NumberForm):
    blanks = ValueForm.blanks
    low = line(gettext_lazy("Not before"), most=40, type="date")
    high = line(gettext_lazy("Not after"), most=40, type="date")


class MomentForm(ValueForm):
    moment = choice(gettext_lazy("How the moment is written"), Moment, Moment.LOCAL_MINUTES)


class YesNoForm(ValueForm):
    blanks: Sequence[Blank] = (Blank.ABSENT, Blank.NULL)
    value = forms.ChoiceField(
        label=gettext_lazy("Value"),
        required=False,
        choices=[("", "–"), ("true", gettext_lazy("Yes")), ("false", gettext_lazy("No"))],
        help_text=LAUNCHERS_LEARN_IT,
    )


class _Entries(FieldForm):
    """A field with several entries."""

    blanks: Sequence[Blank] = (Blank.ABSENT, Blank.NULL, Blank.LIST)

    least = count(gettext_lazy("Fewest entries"), most=1000)
    most = count(gettext_lazy("Most entries"), most=1000)


class _Values(_Entries, ValueForm):
    value = lines(
        gettext_lazy("Value"),
        format_lazy("{} {}", gettext_lazy("One entry per line."), LAUNCHERS_LEARN_IT),
        3,
        strip=False,
    )
    empty_value: object = []


class ListForm(_Values):
    item = choice(gettext_lazy("What its entries are"), (FieldKind.TEXT, FieldKind.NUMBER), FieldKind.TEXT)


class TableForm(_Entries):
    rows: row_formsets.Rows

    def _set_choices(self) -> None:
        super()._set_choices()
        self.rows = row_formsets.ColumnFormSet(
            self.data if self.is_bound else None,
            rows=row_formsets.column_rows(self.stored_field.columns),
            judged=self.judged,
            known={column.name: column for column in self.stored_field.columns},
        )

    def _rows(self) -> dict[str, object]:
        columns = self.rows.cleaned_items(_("Correct the marked columns."))
        if not columns:
            raise ValidationError(_("A table of rows needs at least one column."))
        return {"columns": tuple(columns)}


class FileForm(FieldForm):
    accept = line(
        gettext_lazy("Kinds of files"),
        gettext_lazy("File extensions, such as pdf, jpg, docx. If empty, any file is accepted."),
        spellcheck="false",
        autocapitalize="none",
    )
    max_size = count(gettext_lazy("Largest size in megabytes"), 1, MOST_MEGABYTES)

    def _initial_data(self) -> dict[str, object]:
        size = self.stored_field.max_size
        return super()._initial_data() | {
            "accept": ", ".join(self.stored_field.accept),
            "max_size": size and _shown_size(size),
        }

    def clean_accept(self) -> tuple[str, ...]:
        """Lower-case extensions without dots."""
        parts = str(self.cleaned_data["accept"]).replace(",", " ").split()
        extensions = tuple(dict.fromkeys(extension.lower().lstrip(".") for extension in parts))
        wrong = [extension for extension in extensions if not extension.isalnum() or len(extension) > 10]
        if wrong:
            text = _("“%(text)s” is not a file extension. Write them as pdf, jpg, docx.")
            raise ValidationError(text % {"text": wrong[0][:40]})
        return extensions

    def clean_max_size(self) -> int | None:
        """The size in bytes; unchanged if the displayed megabytes are unchanged."""
        before, megabytes = self.stored_field.max_size, self.cleaned_data["max_size"]
        if before and megabytes == _shown_size(before):
            return before
        return megabytes * _MEGABYTE if megabytes else None


class ChoiceForm(ValueForm):
    """One of several choices: typed in the page, the records of a table, or an app's options."""

    rows: row_formsets.Rows
    rows_input = "source"
    source = forms.ChoiceField(
        label=gettext_lazy("Where the choices come from"), initial=Source.TYPED, choices=Source.choices
    )
    table = forms.ChoiceField(label=gettext_lazy("Table"), required=False)
    table_label = forms.ChoiceField(label=gettext_lazy("Column that people read"), required=False)
    table_value = forms.ChoiceField(label=gettext_lazy("Column that is sent"), required=False)
    option = forms.ChoiceField(label=gettext_lazy("Field of an app"), required=False)
    other = tick(gettext_lazy("People may also type something that is not among the choices"))

    def _initial_data(self) -> dict[str, object]:
        data, chosen = super()._initial_data(), self.stored_field.choices_from
        if isinstance(chosen, TableChoices):
            data |= {"source": Source.TABLE, "table": chosen.table_id}
            data |= {"table_label": chosen.label_field, "table_value": chosen.value_field}
        elif isinstance(chosen, PieceChoices):
            data |= {"source": Source.APP, "option": f"{chosen.step} {chosen.property}"}
        return data

    def _set_choices(self) -> None:
        super()._set_choices()
        column = _("the column as it was chosen")
        chosen = self.stored_field.choices_from
        option = (
            _("%(property)s of the step %(step)s") % {"property": chosen.property, "step": chosen.step}
            if isinstance(chosen, PieceChoices)
            else ""
        )
        for name, offered, words in (
            ("table", self.sources.tables, _("the table as it was chosen")),
            ("table_label", self.sources.columns, column),
            ("table_value", self.sources.columns, column),
            ("option", self.sources.options, option),
        ):
            # The saved selection remains available, even if the engine does not list it now.
            selected = self.initial.get(name)
            lost = [(selected, words)] if selected and selected not in dict(offered) else []
            set_choices(self, name, [("", "–"), *offered, *lost])
        self.rows = row_formsets.ChoiceFormSet(
            self.data if self.is_bound else None,
            rows=row_formsets.choice_rows(self.stored_field.choices),
            judged=self.judged,
        )

    def _rows(self) -> dict[str, object]:
        data = self.cleaned_data
        if data.get("source") == Source.TABLE:
            wanted = [str(data.get(name) or "") for name in ("table", "table_label", "table_value")]
            if not wanted[0]:
                raise ValidationError(_("Choose the table that the choices come from."))
            if not all(wanted):
                raise ValidationError(_("Choose the column that people read and the one that is sent."))
            return {"choices_from": TableChoices(*wanted)}
        if data.get("source") == Source.APP:
            step, _separator, name = str(data.get("option") or "").partition(" ")
            if not name:
                raise ValidationError(_("Choose the field of an app that the choices come from."))
            return {"choices_from": PieceChoices(step, name)}
        choices = self.rows.cleaned_items(_("Correct the marked choices."))
        if not choices:
            raise ValidationError(
                _("There are no choices yet. Type at least one, or take them from a table or an app.")
            )
        return {"choices": tuple(choices)}

    @property
    def source_now(self) -> str:
        """The source of choices that is selected in the page."""
        return str(self["source"].value() or Source.TYPED)


class ChoicesForm(_Values, ChoiceForm):
    """Several of the choices."""


_FORMS: dict[FieldKind, type[FieldForm]] = {
    FieldKind.TEXT: TextForm,
    **dict.fromkeys((FieldKind.EMAIL, FieldKind.PHONE, FieldKind.URL), AddressForm),
    **dict.fromkeys(NUMBERS, NumberForm),
    FieldKind.LONG_TEXT: LongTextForm,
    FieldKind.SECRET: SecretForm,
    FieldKind.YES_NO: YesNoForm,
    FieldKind.DATE: DateForm,
    FieldKind.TIME: ValueForm,
    FieldKind.DATETIME: MomentForm,
    FieldKind.CHOICE: ChoiceForm,
    FieldKind.CHOICES: ChoicesForm,
    FieldKind.LIST: ListForm,
    FieldKind.TABLE: TableForm,
    FieldKind.FILE: FileForm,
    FieldKind.JSON: FieldForm,
}


def field_form(
    data: QueryDict | None = None, *, field: Field, form: Form, sources: Sources | None = None, judged: bool = True
) -> FieldForm:
    """The form for a field, by the kind selected in the page. The arguments are those of FieldForm."""
    return _FORMS[chosen_kind(data, field)](data, field=field, form=form, sources=sources, judged=judged)


def _shown_size(size: int) -> int:
    """A size in bytes as whole megabytes, at least one."""
    return max(1, size // _MEGABYTE)

"""The page on which a builder says everything about one field of a launch form: its inputs by kind, and the field they make."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from django import forms
from django.forms.utils import ErrorDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from workflows_ui.forming import patterns
from workflows_ui.forming.document import (
    LONG,
    NOTHING,
    NUMBERS,
    SHORT,
    Blank,
    Field,
    Form,
    Kind,
    PieceChoices,
    TableChoices,
)
from workflows_ui.forms import field_initial, field_rows, field_values
from workflows_ui.forms import field_inputs as inputs
from workflows_ui.forms.field_making import APP, CHOOSING, EMPTY, FILLED, HIDDEN, RANGES, TABLE, TYPED, FieldMaking
from workflows_ui.kit import form_words

_LENGTHS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.PHONE, Kind.EMAIL, Kind.URL})
_PATTERNS = frozenset({Kind.TEXT, Kind.LONG_TEXT, Kind.PHONE, Kind.EMAIL, Kind.URL})
_COUNTS = frozenset({Kind.LIST, Kind.TABLE, Kind.CHOICES})
#: The largest file that a field may ask for.
MOST_MEGABYTES = 25

#: Columns of the page's grid that inputs take which stand beside one another.
_WIDTHS = {
    **dict.fromkeys(("low", "high", "min_length", "max_length", "least", "most", "start", "value"), "col-md-6"),
    **dict.fromkeys(("rule_field", "rule_test", "rule_value"), "col-md-4"),
}


@dataclass(frozen=True)
class Sources:
    """What the engine has that choices can come from, as (value, words) for selects; empty where it could not be asked."""

    tables: Sequence[tuple[str, str]] = ()
    #: Columns of the chosen table.
    columns: Sequence[tuple[str, str]] = ()
    #: Fields of the flow's steps whose choices their app gives; the value is `step property` as JSON.
    options: Sequence[tuple[str, str]] = ()


class FieldEditor(FieldMaking):
    """The inputs for one field. Which there are follows from the kind that is chosen at the moment.

    `field` is the field as it is (a new one has the name ""), `form` what it belongs to.
    """

    label = forms.CharField(
        label=gettext_lazy("Name that people read"),
        required=False,
        max_length=SHORT,
        widget=inputs.text_input(),
        help_text=gettext_lazy("Left empty, it is made from the name in what is sent."),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=[(kind.value, words) for kind, words in form_words.KINDS.items()]
    )
    help = forms.CharField(
        label=gettext_lazy("Help text"),
        required=False,
        max_length=LONG,
        widget=inputs.area(),
        help_text=gettext_lazy("A sentence below the field that says what to fill in."),
    )
    example = forms.CharField(
        label=gettext_lazy("Example"), required=False, max_length=SHORT, widget=inputs.text_input(), help_text=""
    )
    required = forms.BooleanField(label=gettext_lazy("Has to be filled in"), required=False, widget=inputs.tick())

    def __init__(
        self,
        data: Any = None,
        *,
        field: Field,
        form: Form,
        sources: Sources = Sources(),
        judged: bool = True,
    ) -> None:
        """`judged`: whether mistakes are marked, which they are not while the page is only shown anew for another kind."""
        self.kept, self.form, self.judged = field, form, judged and data is not None
        self.chosen = _kind_of(data, field)
        super().__init__(data, initial=field_initial.of(field, form, self.chosen))
        self.fields["label"].widget.attrs["placeholder"] = replace(field, label="").shown_label
        if not judged:
            self._errors = ErrorDict()  # nothing is looked at yet
        self.fields["kind"].widget = inputs.select()
        self.fields["kind"].widget.choices = self.fields["kind"].choices  # type: ignore[attr-defined]
        self.sections: list[tuple[str, Any, list[str]]] = []
        self.new = not field.name
        if self.new or field_initial.own_place(field):
            self.fields["where"] = inputs.where_field()
        self._add_start()
        if self.chosen in CHOOSING:
            self._add_choices(sources)
        self._add_limits()
        self._add_place()
        self._add_sending()
        for name, width in _WIDTHS.items():
            if name in self.fields:
                self.fields[name].width = width  # type: ignore[attr-defined]
        self.choice_rows = (
            field_rows.choice_rows(field.choices)
            if data is None
            else field_rows.posted_choices(data) or [field_rows.ChoiceRow()]
        )
        self.column_rows = (
            field_rows.column_rows(field.columns)
            if data is None
            else field_rows.posted_columns(data) or [field_rows.ColumnRow()]
        )
        if data is not None:
            self.choice_rows = field_rows.rearranged(self.choice_rows, data, "choice", field_rows.ChoiceRow(new=True))
            self.column_rows = field_rows.rearranged(self.column_rows, data, "column", field_rows.ColumnRow(new=True))

    # --- Which inputs there are -------------------------------------------------------------------

    def _add_start(self) -> None:
        ways = [(EMPTY, _("Empty")), (FILLED, _("Filled in; people can change it"))]
        typed = self.chosen in field_values.TYPED
        if typed or self.kept.hidden:
            ways.append((HIDDEN, _("Not shown; this value is always sent")))
        if not typed and self.kept.default is NOTHING and not self.kept.hidden:
            return
        self.fields["start"] = forms.ChoiceField(label=_("At the start"), choices=ways, widget=inputs.select())
        names = ["start"]
        if typed:
            self.fields["value"] = self._value_field()
            names.append("value")
        self.sections.append(("start", _("What it starts with"), names))

    def _value_field(self) -> forms.Field:
        hint = _("Everybody who may launch can learn it: nothing secret belongs here.")
        if self.chosen is Kind.YES_NO:
            ways = [("", "–"), ("true", _("Yes")), ("false", _("No"))]
            return forms.ChoiceField(
                label=_("Value"), required=False, choices=ways, widget=inputs.select(), help_text=hint
            )
        if self.chosen in field_values.LINES:
            hint = _("One entry a line.") + " " + hint
        lines = self.chosen in field_values.LINES or self.chosen is Kind.LONG_TEXT
        widget = inputs.area(3) if lines else inputs.text_input()
        return forms.CharField(
            label=_("Value"), required=False, max_length=LONG, widget=widget, strip=False, help_text=hint
        )

    def _add_choices(self, sources: Sources) -> None:
        ways = [
            (TYPED, _("Typed here")),
            (TABLE, _("Records of a table, as they are at the moment of the launch")),
            (APP, _("What an app offers at the moment of the launch")),
        ]
        self.fields["source"] = forms.ChoiceField(
            label=_("Where the choices come from"), choices=ways, widget=inputs.select()
        )
        tables, options = [*sources.tables], [*sources.options]
        columns = [*sources.columns]
        now = self.kept.choices_from
        if isinstance(now, TableChoices):
            _keep(tables, now.table_id, _("the table as it was chosen"))
            _keep(columns, now.label_field, _("the column as it was chosen"))
            _keep(columns, now.value_field, _("the column as it was chosen"))
        if isinstance(now, PieceChoices):
            _keep(
                options,
                field_initial.option_key(now),
                _("%(property)s of the step %(step)s") % {"property": now.property, "step": now.step},
            )
        for name, label, choices in (
            ("table", _("Table"), tables),
            ("table_label", _("Column that people read"), columns),
            ("table_value", _("Column that is sent"), columns),
            ("option", _("Field of an app"), options),
        ):
            listed = [("", "–"), *choices]
            self.fields[name] = forms.ChoiceField(label=label, required=False, choices=listed, widget=inputs.select())
        self.fields["other"] = forms.BooleanField(
            label=_("People may also type something that is not among the choices"),
            required=False,
            widget=inputs.tick(),
        )

    def _add_limits(self) -> None:
        names: list[str] = []

        def add(name: str, made: forms.Field) -> None:
            self.fields[name] = made
            names.append(name)

        if self.chosen in RANGES:
            date = self.chosen is Kind.DATE
            for name, label in (("low", _("Not less than")), ("high", _("Not more than"))):
                if date:
                    label = _("Not before") if name == "low" else _("Not after")
                add(
                    name,
                    forms.CharField(
                        label=label, required=False, max_length=40, widget=inputs.text_input("date" if date else "text")
                    ),
                )
        if self.chosen in _LENGTHS:
            add("min_length", inputs.count_field(_("Fewest characters")))
            add("max_length", inputs.count_field(_("Most characters")))
        if self.chosen in _COUNTS:
            add("least", inputs.count_field(_("Fewest entries"), most=1000))
            add("most", inputs.count_field(_("Most entries"), most=1000))
        if self.chosen in _PATTERNS:
            add("pattern", inputs.pattern_field())
            add("pattern_words", inputs.pattern_words_field())
            add(
                "pattern_try",
                forms.CharField(label=_("Try it with"), required=False, max_length=SHORT, widget=inputs.text_input()),
            )
        if self.chosen is Kind.FILE:
            add("accept", inputs.accept_field())
            add("max_size", inputs.count_field(_("Largest size in megabytes"), 1, MOST_MEGABYTES))
        if names:
            self.sections.append(("limits", _("Limits"), names))

    def _add_place(self) -> None:
        others = [
            (one.name, one.shown_label[:80])
            for one in self.form.fields
            if one.name != self.kept.name and not one.hidden
        ]
        groups = sorted({one.group for one in self.form.fields if one.group})
        self.groups = groups
        listed: dict[str, forms.Field] = {
            "group": forms.CharField(
                label=_("Group"),
                required=False,
                max_length=SHORT,
                widget=inputs.text_input(list="groups"),
                help_text=_("Fields of one group stand together under its name."),
            ),
            "position": inputs.count_field(
                _("Place in the form"), 1, 1000, _("1 is the first; there are %(n)d fields.") % {"n": self._count}
            ),
            "folded": forms.BooleanField(
                label=_("Fold it under “More”: for what is seldom needed"), required=False, widget=inputs.tick()
            ),
            "rule_field": forms.ChoiceField(
                label=_("Show it only where the field"),
                required=False,
                choices=[("", _("– (always shown)")), *others],
                widget=inputs.select(),
            ),
            "rule_test": forms.ChoiceField(
                label=_("Rule"),
                required=False,
                choices=[(test.value, words) for test, words in form_words.TESTS.items()],
                widget=inputs.select(),
            ),
            "rule_value": forms.CharField(
                label=_("Value to compare with"), required=False, max_length=SHORT, widget=inputs.text_input()
            ),
            "searchable": forms.BooleanField(
                label=_("Find launches by what is typed here"),
                required=False,
                widget=inputs.tick(),
                help_text=_("What is typed is then also kept unencrypted, up to 200 characters, for the search."),
            ),
        }
        self.fields.update(listed)
        self.sections.append(("place", _("Where and when it is shown"), [*listed]))

    @property
    def _count(self) -> int:
        return len(self.form.fields) + (1 if self.new else 0)

    def _add_sending(self) -> None:
        self.fields["blank"] = forms.ChoiceField(
            label=_("What is sent where it is left empty"),
            required=False,
            choices=[
                (blank.value, words) for blank, words in form_words.BLANKS.items() if _blank_fits(blank, self.chosen)
            ],
            widget=inputs.select(),
        )
        names = ["blank"]
        if self.chosen is Kind.DATETIME:
            self.fields["moment"] = forms.ChoiceField(
                label=_("How the moment is written"),
                required=False,
                choices=[(moment.value, words) for moment, words in form_words.MOMENTS.items()],
                widget=inputs.select(),
            )
            names.append("moment")
        if self.chosen is Kind.LIST:
            kinds = (Kind.TEXT, Kind.NUMBER)
            self.fields["item"] = forms.ChoiceField(
                label=_("What its entries are"),
                required=False,
                choices=[(kind.value, form_words.KINDS[kind]) for kind in kinds],
                widget=inputs.select(),
            )
            names.append("item")
        self.sections.append(("sending", _("What is sent"), names))

    # --- What the page asks -----------------------------------------------------------------------

    @property
    def choosing(self) -> bool:
        """Whether the kind has choices."""
        return self.chosen in CHOOSING

    @property
    def columned(self) -> bool:
        """Whether the kind has columns."""
        return self.chosen is Kind.TABLE

    @property
    def choosing_columns(self) -> bool:
        """Whether a column offers choices."""
        return any(row.choosing for row in self.column_rows)

    @property
    def removed(self) -> str:
        """The sort of row (choice, column) of which one was just taken away."""
        return next((part for part in ("choice", "column") if f"remove-{part}" in self.data), "")

    @property
    def shown_sections(self) -> Iterator[dict[str, Any]]:
        """Each fold: key, title, its inputs, and whether it stands open since something in it is wrong or was just tried."""
        wrong = set(self.errors) if self.judged else set()
        for key, title, names in self.sections:
            tried = key == "limits" and "try" in self.data
            controls = [self[name] for name in names]
            opened = tried or not wrong.isdisjoint(names)
            yield {"key": key, "title": title, "now": self._now(key), "controls": controls, "open": opened}

    def _now(self, key: str) -> str:
        """What a fold holds as the field is saved, in a few words, so that it need not be opened to see that."""
        if key == "limits":
            return form_words.limits(self.kept.limits)
        if key == "place":
            return "; ".join(part for part in (self.kept.group, form_words.rule(self.kept, self.form)) if part)
        value = self.kept.hidden_value if self.kept.hidden else self.kept.default
        return field_values.text_of(value, self.kept) if key == "start" else ""

    @property
    def source_now(self) -> str:
        """Where choices come from, as it is chosen at the moment."""
        return str(self["source"].value() or TYPED) if "source" in self.fields else ""

    @property
    def has_options(self) -> bool:
        """Whether any app offers choices for a field of the flow."""
        return "option" in self.fields and len(cast("forms.ChoiceField", self.fields["option"]).choices) > 1  # type: ignore[arg-type]

    @property
    def has_pattern(self) -> bool:
        """Whether the kind can have a pattern."""
        return "pattern" in self.fields

    @property
    def sorts(self) -> list[tuple[str, Any]]:
        """How the value of a choice can be sent."""
        return [
            (field_values.AS_TEXT, pgettext_lazy("sent as", "text")),
            (field_values.AS_NUMBER, pgettext_lazy("sent as", "number")),
            (field_values.AS_YES_NO, pgettext_lazy("sent as", "yes or no")),
            (field_values.AS_NOTHING, pgettext_lazy("sent as", "no value")),
        ]

    @property
    def trial(self) -> tuple[bool, str]:
        """Whether the trial text fits the pattern, and that in words; ("", False) where there is nothing to try."""
        pattern, text = str(self.data.get("pattern") or ""), str(self.data.get("pattern_try") or "")
        if not self.is_bound or not pattern:
            return False, ""
        try:
            fits = patterns.matches(pattern, text)
        except patterns.BadPattern:
            return False, _("This pattern cannot be read.")
        return fits, _("“%(text)s” fits.") % {"text": text} if fits else _("“%(text)s” does not fit.") % {"text": text}


def _kind_of(data: Any, field: Field) -> Kind:
    wanted = str(data.get("kind", "")) if data is not None else ""
    return Kind(wanted) if wanted in {kind.value for kind in Kind} else field.kind


def _blank_fits(blank: Blank, kind: Kind) -> bool:
    if blank is Blank.LIST:
        return kind in {Kind.LIST, Kind.TABLE, Kind.CHOICES, Kind.JSON, Kind.FILE}
    if blank is Blank.TEXT:
        return kind not in NUMBERS | {Kind.LIST, Kind.TABLE, Kind.CHOICES, Kind.YES_NO}
    return True


def _keep(choices: list[tuple[str, str]], value: str, words: str) -> None:
    """What is chosen stays to be chosen, also where the engine does not name it now."""
    if value and value not in {known for known, _label in choices}:
        choices.append((value, words))

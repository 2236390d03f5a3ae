"""The kinds of inputs that the page of a field is made of."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.forming import patterns
from workflows_ui.forming.document import SHORT


def text_input(kind: str = "text", **attributes: str) -> forms.TextInput:
    """One line of text."""
    return forms.TextInput({"class": "form-control", "type": kind, "autocomplete": "off", "dir": "auto"} | attributes)


def area(rows: int = 2) -> forms.Textarea:
    """Several lines of text."""
    return forms.Textarea({"class": "form-control", "rows": rows, "dir": "auto"})


def select() -> forms.Select:
    """A choice among a few."""
    return forms.Select({"class": "form-select"})


def tick() -> forms.CheckboxInput:
    """Yes or no."""
    return forms.CheckboxInput({"class": "form-check-input"})


def count_field(label: Any, least: int = 0, most: int = 1_000_000, help_text: Any = "") -> forms.IntegerField:
    """A whole number."""
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=least,
        max_value=most,
        widget=forms.NumberInput({"class": "form-control", "inputmode": "numeric"}),
        help_text=help_text,
    )


def where_field() -> forms.CharField:
    """Where the value of a new field goes."""
    return forms.CharField(
        label=gettext_lazy("Name in what is sent"),
        max_length=SHORT,
        widget=text_input(spellcheck="false", autocapitalize="none"),
        help_text=gettext_lazy(
            "As the flow reads it, such as amount; with points for what lies inside, such as customer.phone."
        ),
    )


def pattern_field() -> forms.CharField:
    """A pattern, with an example of one."""
    return forms.CharField(
        label=_("Pattern"),
        required=False,
        max_length=patterns.MOST_LETTERS,
        strip=False,
        widget=text_input(spellcheck="false", autocapitalize="none"),
        help_text=_(
            "The whole text has to fit. [A-Z]{2}-\\d{4} fits HN-2026: two capital letters, a dash, four digits."
        ),
    )


def pattern_words_field() -> forms.CharField:
    """What people are told instead of the pattern."""
    return forms.CharField(
        label=_("The pattern in plain words"),
        required=False,
        max_length=SHORT,
        widget=text_input(),
        help_text=_("What people are told where their text does not fit, such as: two letters, a dash, four digits."),
    )


def accept_field() -> forms.CharField:
    """Endings of the names of files."""
    return forms.CharField(
        label=_("Kinds of files"),
        required=False,
        max_length=SHORT,
        widget=text_input(spellcheck="false", autocapitalize="none"),
        help_text=_("Endings of file names, such as pdf, jpg, docx. Left empty, any file is taken."),
    )

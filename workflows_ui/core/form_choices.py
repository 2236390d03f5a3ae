"""Choices of forms that are known only when the form is made."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from django import forms
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.collation import sort_key

Row = TypeVar("Row", bound=Model)


def set_choices(form: forms.BaseForm, name: str, choices: Iterable[tuple[object, object]]) -> None:
    """Offer these choices in a ChoiceField."""
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)  # noqa: S101
    field.choices = list(choices)


def set_rows(form: forms.BaseForm, name: str, rows: QuerySet[Row]) -> None:
    """Offer these rows in a ModelChoiceField."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  (for the type checker; the caller names such a field)
    field.queryset = rows


def set_flow_choices(form: forms.Form, names: Mapping[str, str]) -> None:
    """Offer flows, given by id, in the filter `flow`. A chosen one that is not among them stays chosen."""
    chosen = str(form.data.get("flow", ""))[:64]
    choices = [(key, name or key) for key, name in {chosen: "", **names}.items() if key]
    set_choices(form, "flow", [("", _("Any")), *sorted(choices, key=lambda choice: sort_key(choice[1]))])

"""Filters of the audit log."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from workflows_ui.forms.days import DaysForm
from workflows_ui.kit import audit_words
from workflows_ui.kit.words import Text
from workflows_ui.models import BEGUN, AuditEvent
from workflows_ui.services import audit_reading


class FilterForm(DaysForm):
    """Persons are offered from what is there; others may be asked for by address, as may kinds and actions without words."""

    field_order = ("person", "action", "kind", "id", "outcome", "since", "until", "request")
    person = forms.IntegerField(label=_("Person"), required=False, min_value=0, max_value=2**31, widget=forms.Select)
    action = forms.CharField(label=_("What was done"), required=False, max_length=60, widget=forms.Select)
    kind = forms.CharField(label=_("Kind of object"), required=False, max_length=40, widget=forms.Select)
    id = forms.CharField(label=_("Id of the object"), required=False, max_length=120)
    outcome = forms.CharField(label=_("Outcome"), required=False, max_length=20, widget=forms.Select)
    request = forms.CharField(label=_("Id of the request"), required=False, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices("action", audit_words.actions())
        self.choices("kind", audit_words.kinds())
        outcomes: dict[str, Text] = {
            name: found.word for name, found in audit_words.OUTCOMES.items() if name != "ended"
        }
        self.choices("outcome", {**outcomes, BEGUN: _("No end recorded")})

    def offer(self, people: dict[str, str]) -> None:
        """The persons to choose from, by number; "0" is the console itself."""
        self.choices("person", people, first={"0": _("The console")})

    def narrow(self, rows: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """The rows that fit a valid form. Days are those of the person's zone."""
        data, fits = self.filled(), self.within("at")
        if "person" in data:
            fits &= Q(user_id=data["person"] or None)
        for name, field in (("action", "action"), ("kind", "object_type"), ("request", "request_id")):
            if name in data:
                fits &= Q(**{field: data[name]})
        if "id" in data:
            fits &= Q(object_id=data["id"])
        rows = rows.filter(fits)
        return audit_reading.with_outcome(rows, data["outcome"]) if "outcome" in data else rows

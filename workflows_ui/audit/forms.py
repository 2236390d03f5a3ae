"""Filters of the audit log."""

from django import forms
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from workflows_ui.audit import messages as audit_messages, page as history
from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.core.text import Text
from workflows_ui.lists.filters import DaysForm
from workflows_ui.members.models import Workspace


class FilterForm(DaysForm):
    """The select boxes offer known values; the query string may also name persons not offered, and kinds and actions without a label."""

    main_filters = ("person", "action", "period")
    field_order = (
        "person",
        "action",
        "kind",
        "id",
        "outcome",
        "period",
        "since",
        "until",
        "credential",
        "job",
        "request",
    )
    person = forms.IntegerField(label=_("Person"), required=False, min_value=0, max_value=2**31, widget=forms.Select)
    action = forms.CharField(label=_("Action"), required=False, max_length=60, widget=forms.Select)
    kind = forms.CharField(label=_("Kind of object"), required=False, max_length=40, widget=forms.Select)
    id = forms.CharField(label=_("ID of the object"), required=False, max_length=120)
    outcome = forms.CharField(label=_("Outcome"), required=False, max_length=20, widget=forms.Select)
    credential = forms.UUIDField(label=_("ID of the credential used"), required=False)
    job = forms.CharField(label=_("ID of the job"), required=False, max_length=21)
    request = forms.CharField(label=_("ID of the request"), required=False, max_length=64)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.choices("action", audit_messages.ACTIONS)
        self.choices("kind", audit_messages.KINDS)
        outcomes: dict[str, Text] = {
            name: badge.word for name, badge in audit_messages.OUTCOMES.items() if name != "ended"
        }
        self.choices("outcome", {**outcomes, BEGUN: _("No end recorded")})

    def narrow(self, rows: QuerySet[AuditEvent], workspace: Workspace | None) -> QuerySet[AuditEvent]:
        """Filter the rows of a workspace, or of the whole console, by a valid form. Days are in the current time zone."""
        data, condition = self.filled(), self.within("at")
        if "person" in data:
            condition &= Q(user_id=data["person"] or None)
        columns = {"action": "action", "kind": "object_type", "id": "object_id", "request": "request_id"}
        if "kind" in data:
            condition &= history.about(workspace, data["kind"], data.get("id", ""))
            del columns["kind"], columns["id"]
        if "id" in columns and "id" in data:
            # The id of a job finds its items, too.
            del columns["id"]
            condition &= Q(object_id=data["id"]) | Q(subject_type="job", subject_id=data["id"])
        for name in columns.keys() & data.keys():
            condition &= Q(**{columns[name]: data[name]})
        if "credential" in data:
            # The credential that acted, and what was done to itself.
            key = str(data["credential"])
            condition &= Q(detail__credential=key) | Q(object_type="credential", object_id=key)
        if "job" in data:
            # Rows of earlier versions name the job in their detail only.
            job = data["job"]
            condition &= (
                Q(object_type="job", object_id=job) | Q(subject_type="job", subject_id=job) | Q(detail__job=job)
            )
        rows = rows.filter(condition)
        return history.with_outcome(rows, data["outcome"]) if "outcome" in data else rows

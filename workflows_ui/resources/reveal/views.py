"""The masked values of a run, a flow or a launch: a builder who gives a reason sees one of them, in a response that is
not stored.
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from workflows_ui.audit.services import audit_log
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import engine_session
from workflows_ui.launch_forms.schema import json_text
from workflows_ui.launches import masking as launch_masking
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Role
from workflows_ui.resources import BY_NAME
from workflows_ui.resources.reveal import values
from workflows_ui.resources.reveal.forms import HiddenForm
from workflows_ui.resources.reveal.values import Hidden
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor

_LONGEST = 1000


@dataclass(frozen=True)
class _Object:
    """An object with hidden values: its names in the audit log and on the page, and its URLs."""

    type: str
    action: str
    title: str
    list_label: Any
    list_url: str
    url: str
    places: list[Hidden]


@never_cache
@member(Role.BUILDER)
@sensitive_variables("found")
def hidden_values(request: ConsoleRequest, slug: str, resource: str, id: str) -> HttpResponse:
    """Hidden values of a run or a flow. Raises EngineError."""
    kind, session = BY_NAME[resource], engine_session.open_session(request.access)
    row = kind.get(session, id)
    (masked,) = kind.masked(session, [row])
    places = values.hidden_values(row, masked)
    title, url = str(kind.title(masked)), kind.url(slug, id)
    return _answer(
        request, id, _Object(resource, f"{resource}.reveal", title, kind.label_plural, kind.url(slug), url, places)
    )


@never_cache
@member(Role.BUILDER)
@sensitive_variables("found")
def of_launch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Hidden values of a launch: in its payload, its answer and its failure."""
    row = get_object_or_404(launches.visible_launches(request.access).select_related("workspace"), pk=id)
    found, masked = {}, {}
    for label, field in ((_("Inputs"), "payload"), (_("Answer"), "answer"), (_("Error"), "failure")):
        found[label] = _value(row, field)
        masked[label] = launch_masking.masked(row, found[label], field)
    launch_url = reverse("launch", args=[slug, row.pk])
    title, above = row.flow_name or row.flow_id, reverse("launches", args=[slug])
    return _answer(
        request,
        row.pk,
        _Object(
            "launch", "launch.reveal", title, _("Launches"), above, launch_url, values.hidden_values(found, masked)
        ),
    )


def _value(row: Launch, field: str) -> Any:
    try:
        text = launches.masked_field(row, field)
        return json_text.parse(text)
    except CannotOpen:
        return None
    except json_text.BadPayload:
        return text


@sensitive_variables("of", "shown", "context")
def _answer(request: ConsoleRequest, id: str, target: _Object) -> HttpResponse:
    """GET lists the masked values, and asks for a reason. POST logs it, and then shows the chosen value.

    No htmx here: a fragment would be stored in the browser's history of the page.
    """
    value = event = None
    form = HiddenForm(
        [(item.key, item.where) for item in target.places], request.POST if request.method == "POST" else None
    )
    if request.method == "POST" and form.is_valid():
        value = next(item for item in target.places if item.key == form.cleaned_data["place"])
        event = audit_log.begin(
            actor(request),
            target.action,
            workspace=request.access.workspace,
            object_type=target.type,
            object_id=id[:120],
            object_name=target.title[:_LONGEST],
            reason=form.cleaned_data["reason"],
            place=value.where[:_LONGEST],
        )
    context: dict[str, Any] = {
        "form": form,
        "places": target.places if value is None else [],
        "shown": value,
        "title": target.title,
        "list_label": target.list_label,
        "list_url": target.list_url,
        "object_url": target.url,
        "most": values.MOST,
    }
    page = responses.page(request, "web/hidden.html", context, status=422 if form.errors else 200)
    if event is not None:
        audit_log.end(event)
    return page


PLACE = "w/<slug:slug>/{0}/<str:id>/hidden/"

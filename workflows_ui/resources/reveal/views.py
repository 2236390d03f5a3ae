"""The masked values of a run, a flow or a launch: a builder who gives a reason sees one of them, in a response that is not stored."""

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


@never_cache
@member(Role.BUILDER)
@sensitive_variables("found")
def hidden_values(request: ConsoleRequest, slug: str, resource: str, id: str) -> HttpResponse:
    """Hidden values of a run or a flow. Raises EngineError."""
    kind, session = BY_NAME[resource], engine_session.open_session(request.access)
    row = kind.get(session, id)
    (masked,) = kind.masked(session, [row])
    links = {"list_label": kind.label_plural, "list_url": kind.url(slug), "object_url": kind.url(slug, id)}
    return _answer(request, id, resource, kind.title(masked), values.hidden_values(row, masked), links)


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
    links = {
        "list_label": _("Launches"),
        "list_url": reverse("launches", args=[slug]),
        "object_url": reverse("launch", args=[slug, row.pk]),
    }
    hidden = values.hidden_values(found, masked)
    return _answer(request, row.pk, "launch", row.flow_name or row.flow_id, hidden, links)


def _value(row: Launch, field: str) -> Any:
    try:
        text = launches.masked_field(row, field)
        return json_text.parse(text)
    except CannotOpen:
        return None
    except json_text.BadPayload:
        return text


@sensitive_variables("hidden", "value", "context")
def _answer(
    request: ConsoleRequest, id: str, kind: str, title: str, hidden: list[Hidden], links: dict[str, Any]
) -> HttpResponse:
    """GET lists the masked values, and asks for a reason. POST logs it, and then shows the chosen value.

    No htmx here: a fragment would be stored in the browser's history of the page.
    """
    value = event = None
    data = request.POST if request.method == "POST" else None
    form = HiddenForm([(item.key, item.where) for item in hidden], data)
    if request.method == "POST" and form.is_valid():
        value = next(item for item in hidden if item.key == form.cleaned_data["place"])
        event = audit_log.begin(
            actor(request),
            f"{kind}.reveal",
            workspace=request.access.workspace,
            object_type=kind,
            object_id=id[:120],
            object_name=title[:_LONGEST],
            reason=form.cleaned_data["reason"],
            place=value.where[:_LONGEST],
        )
    context: dict[str, Any] = {
        "form": form,
        "places": hidden if value is None else [],
        "shown": value,
        "title": title,
        **links,
    }
    page = responses.page(request, "web/hidden.html", context, status=422 if form.errors else 200)
    if event is not None:
        audit_log.end(event)
    return page

"""The masked values of a run or a flow: one of them is shown to a manager who says why, on one answer that nothing keeps."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables

from workflows_ui.forms.reveal import HiddenForm
from workflows_ui.kit import caller, redact, respond, reveal
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.kit.resource import Resource
from workflows_ui.kit.reveal import Hidden
from workflows_ui.models import AuditEvent, Role
from workflows_ui.resources import BY_NAME
from workflows_ui.services import audit

_LONGEST = 1000


@never_cache
@member(Role.MANAGER)
@sensitive_variables("places", "shown", "context")
def hidden(request: ConsoleRequest, slug: str, resource: str, id: str) -> HttpResponse:
    """GET says where values are masked, and asks for a reason. POST writes that down, and then shows the one that was chosen.

    No htmx here: a fragment would come into the browser's history of the page. Raises EngineError.
    """
    if not id.strip(" ."):
        raise Http404
    kind, asking = BY_NAME[resource], caller.of(request.access)
    shown: Hidden | None = None
    begun: AuditEvent | None = None
    if request.method != "POST":
        title, places = _looked(kind, asking, id)
        form = HiddenForm([(one.key, one.where) for one in places])
    else:
        title, places = _looked(kind, asking, id)
        form = HiddenForm([(one.key, one.where) for one in places], request.POST)
        if form.is_valid():
            shown = next(one for one in places if one.key == form.cleaned_data["place"])
            begun = audit.begin(
                actor(request),
                f"{resource}.reveal",
                workspace=request.access.workspace,
                object_type=resource,
                object_id=id[:120],
                object_name=title[:_LONGEST],
                reason=form.cleaned_data["reason"],
                place=shown.where[:_LONGEST],
            )
    context: dict[str, Any] = {
        "form": form,
        "places": places if shown is None else [],
        "shown": shown,
        "title": title,
        "list_label": kind.label_plural,
        "list_url": kind.url(slug),
        "object_url": kind.url(slug, id),
        "most": reveal.MOST,
    }
    page = respond.page(request, "kit/hidden.html", context, status=422 if form.errors else 200)
    if begun is not None:
        audit.end(begun)
    return page


def _looked(kind: Resource, asking: caller.Caller, id: str) -> tuple[str, list[Hidden]]:
    found = kind.get(asking, id)
    masked = redact.step(found, secrets=kind.secrets)
    return str(kind.title(masked)), reveal.hidden(found, masked)


_PLACE = "w/<slug:slug>/{0}/<str:id>/hidden/"
urlpatterns = [
    path(_PLACE.format("runs"), hidden, {"resource": "runs"}, name="run_hidden"),
    path(_PLACE.format("flows"), hidden, {"resource": "flows"}, name="flow_hidden"),
]

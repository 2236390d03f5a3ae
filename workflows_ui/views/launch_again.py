"""Running a launch again with the inputs that it had, by one click; and the files within its answer."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui import tasks
from workflows_ui.crypto import CannotOpen
from workflows_ui.kit import respond
from workflows_ui.kit.access import member
from workflows_ui.kit.launch_page import Page
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Launch, Role
from workflows_ui.services import access, launches
from workflows_ui.services.launches import Order, Outcome

_TYPES = {"json": "application/json", "txt": "text/plain; charset=utf-8"}


@member(Role.LAUNCHER, guests=True)
def again(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Launches the same inputs once more, as the person who clicks. Read by GET it leads to the form with these inputs in it.

    What cannot be done by a click (the inputs are gone, nobody's credential opens the workspace) leads to the form as well, which says why.
    """
    row = _find(request, id)
    place = request.access
    form = reverse("flow_launch", args=[slug, row.flow_id], query={"from": row.pk})
    if request.method != "POST" or access.credential(place.user, place.workspace) is None:
        return respond.redirect(request, form)
    if not Page(row, place).can_run_again:
        messages.warning(request, _("Nothing was launched. Look at the inputs, and launch from here."))
        return respond.redirect(request, form)
    try:
        order = Order(
            flow_id=row.flow_id,
            flow_name=row.flow_name,
            payload=launches.payload_of(row),
            wait=row.wait,
            ticket=request.POST.get("ticket", ""),
            confirmed=True,
            form_version=row.form_version,
            searchable=tuple((one.name, one.label, one.text) for one in row.inputs.order_by("pk")),
        )
        asked = launches.ask(actor(request), place, order)
    except (CannotOpen, ValueError):
        messages.warning(request, _("Nothing was launched. Look at the inputs, and launch from here."))
        return respond.redirect(request, form)
    if asked.outcome == Outcome.HIDDEN:
        messages.warning(request, _("Nothing was launched. Look at the inputs, and launch from here."))
        return respond.redirect(request, form)
    if asked.outcome == Outcome.PAUSED or asked.launch is None:
        messages.warning(request, _("Nothing was launched: launching is paused in this workspace."))
        return respond.redirect(request, reverse("launch", args=[slug, row.pk]))
    if asked.outcome == Outcome.CREATED:
        tasks.ring(asked.launch.pk)
    return respond.redirect(request, reverse("launch", args=[slug, asked.launch.pk]))


@never_cache
@require_safe
@member(Role.VIEWER, guests=True)
def file(request: ConsoleRequest, slug: str, id: str, number: int) -> HttpResponse:
    """A file that the flow's answer holds, by its number from 1, or with 0 the answer itself; only ever to be saved, never shown.
    Raises Http404."""
    page = Page(_find(request, id), request.access)
    answer = page.readable
    whole = page.answer_file if number == 0 else None
    if whole is not None:
        name, content, kind = f"{_('answer')}.{whole[0]}", whole[1], _TYPES[whole[0]]
    elif answer is not None and 0 < number <= len(answer.files):
        found = answer.files[number - 1]
        name, content, kind = found.name, found.content(), found.type
    else:
        raise Http404
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _find(request: ConsoleRequest, id: str) -> Launch:
    return get_object_or_404(launches.of_workspace(request.access).select_related("workspace", "form_version"), pk=id)


urlpatterns = [
    path("w/<slug:slug>/launches/<str:id>/again/", again, name="launch_again"),
    path("w/<slug:slug>/launches/<str:id>/file/<int:number>/", file, name="launch_file"),
]

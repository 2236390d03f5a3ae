"""Plots of launches, which lists and pages load after themselves: launches per day, durations of a flow's launches."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from workflows_ui.launches import panels as plots
from workflows_ui.launches.forms import MORE, FilterForm
from workflows_ui.launches.services import launches, statistics
from workflows_ui.lists.filters import plotted_days
from workflows_ui.members.models import Role
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest


@require_safe
@member(Role.VIEWER, guests=True)
def days(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The visible launches per day by outcome, with the filters of the list. At most plot_days.MOST_DAYS days, the last ones."""
    form = FilterForm(request.GET)
    if not request.access.allows(Role.BUILDER):
        del form.fields["person"]
    plot, number, complete = None, 0, True
    if form.is_valid():
        filled = form.filled()
        listed = plotted_days(filled)
        number = len(listed)
        asked = {name: request.GET.get(name, "") for name in form.fields if name in filled}
        rows, complete = form.matching(request.access.workspace, launches.visible_launches(request.access))
        plot = plots.per_day(statistics.by_day(rows, listed), reverse("launches", args=[slug]), asked, listed)
    context = {"plot": plot, "number": number, "notice": "" if complete else MORE}
    return responses.page(request, "launches/days.html", context, fragments=("launch-days",))


@require_safe
@member(Role.VIEWER, guests=True)
def durations(request: ConsoleRequest, slug: str) -> HttpResponse:
    """How long the latest visible launches of `flow` took; the launch `launch` stands out."""
    flow = request.GET.get("flow", "")[:64]
    rows = launches.visible_launches(request.access).filter(flow_id=flow)
    plot = plots.durations(rows, slug, request.GET.get("launch", ""))
    context = {"plot": plot, "flow_name": rows.values_list("flow_name", flat=True).first() or ""}
    return responses.page(request, "launches/durations.html", context, fragments=("launch-durations",))

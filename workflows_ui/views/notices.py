"""What a person was told: the page, the bell that every page carries, and asking to be told."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _

from workflows_ui.engine import EngineError
from workflows_ui.kit import caller, flow_facts, notice_words, respond
from workflows_ui.kit.access import closed, member, signed_in
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Notice, Role, WatchKind
from workflows_ui.services import launches, notices, watching

ROWS = 50


@signed_in
def listing(request: ConsoleRequest) -> HttpResponse:
    """One's notices, newest first, fifty a page (`?before=<id>` for older ones). Its fragment `bell` is in the top bar of every page."""
    rows = notices.of(request.user)
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        last = rows.filter(pk=int(before)).first()
        rows = rows.filter(created_at__lte=last.created_at).exclude(pk__gte=last.pk) if last else rows.none()
    found = [] if respond.is_fragment(request) else list(rows[: ROWS + 1])
    shut = closed(request, request.user, [row.workspace for row in found if row.workspace])
    context = {
        "news": [
            (row, notice_words.veiled(row) if row.workspace_id in shut else notice_words.of(row))
            for row in found[:ROWS]
        ],
        "older": found[ROWS - 1].pk if len(found) > ROWS else "",
        "first_url": request.path if before else "",
    }
    return respond.page(request, "notices/list.html", context, fragments=("bell",))


@signed_in
def open_one(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Marks one of one's notices as read, and leads to what it is about."""
    row = get_object_or_404(Notice, pk=pk, user=request.user)
    if request.method == "POST":
        notices.read(request.user, row.pk)
    return respond.redirect(request, row.url)


@signed_in
def read_all(request: ConsoleRequest) -> HttpResponse:
    """Marks all of one's notices as read."""
    if request.method == "POST":
        notices.read(request.user)
    return respond.redirect(request, reverse("notices"))


@member(Role.VIEWER, guests=True)
def launch_watch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Tell me when this launch ends, or no longer (`stop`)."""
    launch = get_object_or_404(launches.of_workspace(request.access), pk=id)
    if request.method == "POST":
        name = launch.flow_name or launch.flow_id
        _write(request, WatchKind.LAUNCH, launch.pk, name, _("You will be told when this launch ends."))
    return respond.redirect(request, reverse("launch", args=[slug, launch.pk]))


@member(Role.VIEWER)
def flow_watch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Tell me whenever this flow fails, or no longer (`stop`)."""
    if request.method == "POST":
        name = id
        if "stop" not in request.POST:
            # Whoever cannot see the flow is told nothing of it.
            try:
                name = flow_facts.ask(caller.of(request.access).workflows, id).name
            except EngineError as problem:
                if problem.status in {403, 404}:
                    raise
        _write(request, WatchKind.FLOW, id, name, _("You will be told whenever this flow fails."))
    return respond.redirect(request, reverse("resource_detail", args=[slug, "flows", id]))


def _write(request: ConsoleRequest, kind: WatchKind, object_id: str, name: str, said: str) -> None:
    place = request.access
    if "stop" in request.POST:
        watching.leave(request.user, place.workspace, kind, object_id)
        messages.success(request, _("You will not be told."))
    else:
        watching.ask(request.user, place.workspace, kind, object_id, name)
        messages.success(request, said)


urlpatterns = [
    path("notices/", listing, name="notices"),
    path("notices/read/", read_all, name="notices_read"),
    path("notices/<int:pk>/", open_one, name="notice"),
    path("w/<slug:slug>/launches/<str:id>/tell/", launch_watch, name="launch_watch"),
    path("w/<slug:slug>/flows/<str:id>/tell/", flow_watch, name="flow_watch"),
]

"""One launch: its page (live until it has ended), taking it back, and settling it where its fate is unclear."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext as _

from workflows_ui.forms.launches import SettleForm
from workflows_ui.kit import respond
from workflows_ui.kit.access import member
from workflows_ui.kit.launch_page import Page
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Launch, Role
from workflows_ui.services import launches

LIVE = "launch-live"


@member(Role.VIEWER, guests=True)
def launch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Everything about one launch. Its live part is asked for again by the browser, and answered only where it has changed."""
    page = Page(_find(request, id), request.access)
    if respond.is_fragment(request) and page.live and request.GET.get("seen") == page.version:
        return respond.vary(HttpResponse(status=204))
    return _shown(request, page, SettleForm())


@member(Role.LAUNCHER, guests=True)
def withdraw(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Takes back a launch that has not left yet. Read by GET (after signing in again, say) it leads to the launch."""
    page = Page(_find(request, id), request.access)
    if request.method == "POST":
        if page.can_withdraw and launches.withdraw(actor(request), page.launch):
            messages.success(request, _("The launch is withdrawn. Nothing was sent."))
        else:
            messages.warning(request, _("It was too late to withdraw the launch."))
    return respond.redirect(request, _url(request, page.launch))


@member(Role.LAUNCHER, guests=True)
def settle(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """A person says what became of a launch of unclear fate, and how they know."""
    page = Page(_find(request, id), request.access)
    if request.method != "POST":
        return respond.redirect(request, _url(request, page.launch))
    form = SettleForm(request.POST)
    if page.can_settle and not form.is_valid():
        return _shown(request, page, form, status=422)
    if page.can_settle and launches.settle(
        actor(request), page.launch, ran=form.cleaned_data["ran"] == "yes", why=form.cleaned_data["why"]
    ):
        messages.success(request, _("The launch is settled."))
    else:
        messages.warning(request, _("The launch is no longer unclear. Nothing was changed."))
    return respond.redirect(request, _url(request, page.launch))


def _shown(request: ConsoleRequest, page: Page, form: SettleForm, *, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "page": page,
        "launch": page.launch,
        "settle_form": form,
        "slug": request.access.workspace.slug,
        # The state in the page's heading lies outside of the live part, and is sent along with it.
        "alone": respond.is_fragment(request),
    }
    return respond.page(request, "launches/launch.html", context, fragments=(LIVE,), status=status)


def _find(request: ConsoleRequest, id: str) -> Launch:
    """The launch, if the person may see it. Raises Http404."""
    return get_object_or_404(
        launches.of_workspace(request.access).select_related("workspace", "credential__team"), pk=id
    )


def _url(request: ConsoleRequest, row: Launch) -> str:
    return reverse("launch", args=[request.access.workspace.slug, row.pk])


urlpatterns = [
    path("w/<slug:slug>/launches/<str:id>/", launch, name="launch"),
    path("w/<slug:slug>/launches/<str:id>/withdraw/", withdraw, name="launch_withdraw"),
    path("w/<slug:slug>/launches/<str:id>/settle/", settle, name="launch_settle"),
]

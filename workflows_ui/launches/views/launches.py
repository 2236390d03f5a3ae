"""One launch: its page (live until it has ended), the files of its answer, its withdrawal, its settlement if it is unclear, and the
retry and cancellation of its run."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.failure_rules.page import because_of
from workflows_ui.launch_forms.forms.posted import KeepForm
from workflows_ui.launches.forms import SettleForm
from workflows_ui.launches.page import LaunchPage
from workflows_ui.launches.services import launches, usual_time
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_page
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

LIVE, HISTORY = "launch-live", "history"
_TYPES = {"json": "application/json", "txt": "text/plain; charset=utf-8"}


@require_safe
@member(Role.VIEWER, guests=True)
def launch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The page of one launch. The browser polls the live fragment, which is answered with 204 if unchanged."""
    seen = request.GET.get("seen")
    if seen and responses.is_fragment(request):
        row = launches.polled_launch(request.access, id)
        polled = LaunchPage(row, request.access) if row is not None else None
        if polled is not None and polled.live and polled.version == seen:
            return responses.vary(HttpResponse(status=204))
    return _render(request, find_page(request, id), SettleForm())


@member(Role.LAUNCHER, guests=True)
def withdraw(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Withdraw a launch that has not been sent. GET (after signing in again, for example) redirects to the launch."""
    page = find_page(request, id)
    if request.method == "POST":
        if page.can_withdraw and launches.withdraw(actor(request), page.launch):
            messages.success(request, _("The launch is cancelled. Nothing was sent."))
        else:
            messages.warning(request, _("It was too late to cancel the launch."))
    return responses.redirect_to_view(request, "launch", slug, page.launch.pk)


@member(Role.LAUNCHER, guests=True)
def settle(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Settle an unclear launch, with the person's reason. GET redirects to the launch."""
    page = find_page(request, id)
    if request.method != "POST":
        return responses.redirect_to_view(request, "launch", slug, page.launch.pk)
    form = SettleForm(request.POST)
    if page.can_settle and not form.is_valid():
        return _render(request, page, form, status=422)
    if page.can_settle and launches.settle(
        actor(request), page.launch, ran=form.cleaned_data["ran"] == "yes", why=form.cleaned_data["why"]
    ):
        messages.success(request, _("The launch is resolved."))
    else:
        messages.warning(request, _("The launch is no longer unclear. Nothing was changed."))
    return responses.redirect_to_view(request, "launch", slug, page.launch.pk)


@never_cache
@member(Role.LAUNCHER)
def run_action(request: ConsoleRequest, slug: str, id: str, action: str) -> HttpResponse:
    """Retry or cancel the run of a launch, as the run's own page does, also where that page is hidden from launchers. Redirects to the
    launch if its state or its engine does not allow it. Raises Http404 for a launch that the person may not open; EngineError.
    """
    page = find_page(request, id)
    if not {"retry": page.can_retry, "cancel": page.can_cancel}[action]:
        if request.method == "POST":
            messages.warning(request, _("This cannot be done now"))
        return responses.redirect_to_view(request, "launch", slug, page.launch.pk)
    page_url = reverse("launch", args=[slug, page.launch.pk])
    return action_page.respond(
        request, RESOURCES["runs"], action, page.launch.run_id, page_url=page_url, address=request.path
    )


@never_cache
@require_safe
@member(Role.VIEWER, guests=True)
def file(request: ConsoleRequest, slug: str, id: str, number: int) -> HttpResponseBase:
    """Download a file of the flow's answer by its number from 1, or the answer itself by 0. Never displayed inline. Raises Http404."""
    page = find_page(request, id)
    answer = page.readable
    whole_answer = page.answer_file if number == 0 else None
    if whole_answer is not None:
        name, content, kind = f"{_('answer')}.{whole_answer[0]}", whole_answer[1], _TYPES[whole_answer[0]]
    elif answer is not None and 0 < number <= len(answer.files):
        attachment = answer.files[number - 1]
        name, content, kind = attachment.name, attachment.content(), attachment.type
    else:
        raise Http404
    return responses.download(content, name, kind, **{"X-Content-Type-Options": "nosniff"})


def _render(request: ConsoleRequest, page: LaunchPage, form: SettleForm, *, status: int = 200) -> HttpResponse:
    url = reverse("launch", args=[request.access.workspace.slug, page.launch.pk])
    context: dict[str, object] = {
        "url": url,
        "tab": HISTORY if request.GET.get("tab") == HISTORY else "",
        "history_url": f"{url}?tab={HISTORY}",
        "page": page,
        "launch": page.launch,
        "because": because_of(page.launch, request.access),
        "settle_form": form,
        "keep": KeepForm() if page.can_keep else None,
        "slug": request.access.workspace.slug,
        # The state in the page's heading is outside of the live fragment and is sent along with it.
        "alone": responses.is_fragment(request),
        "usual": usual_time.load(request.access.workspace.pk, page.launch.flow_id) if page.elapsed else None,
    }
    return responses.page(request, "launches/launch.html", context, fragments=(LIVE,), status=status)


def find_page(request: ConsoleRequest, id: str) -> LaunchPage:
    """The page of the launch, if the person may see it. Raises Http404."""
    row = launches.visible_launch(request.access, id)
    if row is None:
        raise Http404
    return LaunchPage(row, request.access)

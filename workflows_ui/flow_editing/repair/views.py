"""The page that repairs what a run failed at, in one order: what failed, the step's form beside what it was given, test, publish, start the
failed runs again."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workflows_ui.audit.requests import actor
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import EngineError
from workflows_ui.flow_editing.repair import retries
from workflows_ui.flow_editing.repair.page import RepairPage, url_of
from workflows_ui.jobs import page as job_page
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_forms, action_page
from workflows_ui.resource_admin.resource import find_resource
from workflows_ui.web import messages as words, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

_TEMPLATE = "flow_editing/repair.html"
#: The part of the page that is asked for again while runs are started.
_RUNS = "repair-runs"


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def page(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The whole page (GET), or the form of the step saved as on its own page (POST). Raises EngineError."""
    repair = _page(request, id)
    action = repair.form_action
    if request.method == "POST" and action is not None:
        return action_page.respond(
            request,
            find_resource(request.access, "flows"),
            action.name,
            repair.sent.flow_id,
            page_url=f"{repair.url}#repair-test",
            address=request.get_full_path(),
            template=_TEMPLATE,
            around=lambda: _context(repair),
        )
    if request.method == "POST":
        messages.warning(request, _("The step is no longer in the flow. Nothing was saved."))
        return responses.redirect(request, repair.url)
    context = _context(repair)
    if responses.requested_fragment(request) != _RUNS:
        context |= _form(request, repair)
    return responses.page(request, _TEMPLATE, context, fragments=(_RUNS,))


def _page(request: ConsoleRequest, id: str) -> RepairPage:
    find_resource(request.access, "runs")
    find_resource(request.access, "flows")
    return RepairPage(request.access, engine_session.open_session(request.access), id, request.GET)


def _context(repair: RepairPage) -> dict[str, object]:
    job = repair.retries.job
    return {"repair": repair, "slug": repair.slug, "job_url": job_page.job_url(repair.slug, job) if job else ""}


def _form(request: ConsoleRequest, repair: RepairPage) -> dict[str, object]:
    """The context of the step's form; without it, why."""
    action = repair.form_action
    if action is None or not action.visible(repair.flow):
        return {}
    try:
        return action_page.form_context(
            request,
            repair.session,
            find_resource(request.access, "flows"),
            action,
            repair.sent.flow_id,
            repair.flow,
            asked={"step": repair.step_name},
            page_url=repair.url,
            address=request.get_full_path(),
        )
    except EngineError as error:
        return {"no_form": words.error_message(error)}


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def act(request: ConsoleRequest, slug: str, id: str, action: str, anchor: str) -> HttpResponse:
    """An action of the flow, which returns to the page. Raises Http404, EngineError."""
    repair = _page(request, id)
    return action_page.respond(
        request,
        find_resource(request.access, "flows"),
        action,
        repair.sent.flow_id,
        page_url=f"{repair.url}#{anchor}",
        address=request.get_full_path(),
    )


@never_cache
@member(Role.BUILDER)
def retry(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Start the runs that failed alike again, by a job. GET (after signing in, for example) redirects to the page. Raises EngineError."""
    if request.method != "POST":
        return responses.redirect(request, url_of(slug, id))
    repair = _page(request, id)
    if reason := repair.no_retry:
        messages.warning(request, reason)
        return responses.redirect(request, repair.url)
    asked = repair.retries
    # What the page said may be another number, or another way, by now.
    if request.POST.get("number") != str(asked.number) or request.POST.get("way") != asked.action.name:
        messages.warning(request, _("This has changed since you opened the page. Nothing was started: look again."))
        return responses.redirect(request, f"{repair.url}#repair-retry")
    # Of the form only the reason is on the page: runs that succeeded meanwhile are left out.
    form = action_forms.bound(asked.action, repair.session, {}, request.POST)
    if not action_forms.validate(form):
        messages.warning(request, _("Enter a reason. Nothing was started."))
        return responses.redirect(request, f"{repair.url}#repair-retry")
    why = action_forms.take_reason(form)
    job = retries.begin(actor(request), request.access, asked, form.cleaned_data, why)
    if job is None:
        messages.info(request, _("They are being started already."))
    else:
        text = ngettext("%(n)d run is being started again.", "%(n)d runs are being started again.", job.total)
        messages.success(request, text % {"n": job.total})
    return responses.redirect(request, f"{url_of(slug, id, repair.query)}#repair-retry")

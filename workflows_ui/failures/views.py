"""Failures with the same cause: the list, the page of one, and the actions on it."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine_objects.runs import Run
from workflows_ui.failures import messages as texts, services, tables
from workflows_ui.failures.forms import AssignForm, FilterForm, HelpedForm, NoteForm, SnoozeForm
from workflows_ui.failures.models import PatternState
from workflows_ui.failures.services import Pattern
from workflows_ui.lists import list_page, local_lists
from workflows_ui.members.models import Role
from workflows_ui.members.services import members
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.capabilities import lacking
from workflows_ui.resource_admin.places import flow_url, list_url, repair_url, run_url
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes, rows as indexed_rows
from workflows_ui.runs import filters as run_filters, indexed, masking, panels, reading
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: A change gets the request, the index and the pattern, and returns a message; "" if it was not possible.
Change = Callable[[ConsoleRequest, RunIndex, Pattern], str]
View = Callable[[ConsoleRequest, str, int], HttpResponse]


@require_safe
@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The failures of the last days by cause; by default the open ones. Without the run index, the page that explains it."""
    index = indexes.for_access(request.access)
    if index is None:
        return _without_index(request)
    indexes.watch(index)
    kind = tables.failure_list(engine_session.open_session(request.access))
    found, more = services.patterns(index)
    form = FilterForm(request.GET, patterns=found, user_id=request.user.pk)
    current = list_page.requested(request, kind, form)
    page = kind.page(form.chosen(found) if current.valid else (), current)
    if more:
        text = _("There are more than %(n)d. Those that failed last are listed.")
        page = replace(page, notice=text % {"n": services.MOST})
    elif notice := indexed.notice(index, services.since()):
        page = replace(page, notice=notice)
    return list_page.respond(request, current, page, above_template="failures/above.html", days=services.DAYS)


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The list as a file. Audited."""
    index = indexes.for_access(request.access)
    found, _more = services.patterns(index) if index else ([], False)
    form = FilterForm(request.GET, patterns=found, user_id=request.user.pk)
    if index is None or not form.is_valid():
        return responses.redirect_to_view(request, "failures", slug)
    declared = tables.failure_list(engine_session.open_session(request.access))
    return local_lists.file(request, declared, form.chosen(found), kind, form)


def _without_index(request: ConsoleRequest) -> HttpResponse:
    return responses.page(request, "failures/no_index.html", {"manages": request.access.allows(Role.MANAGER)})


def _lookup(request: ConsoleRequest, fingerprint: int) -> tuple[RunIndex, Pattern] | None:
    """The index and the pattern; None if the person may not see the index. Raises Http404."""
    workspace = request.access.workspace
    if not services.exists(workspace, fingerprint):
        raise Http404
    index = indexes.for_access(request.access)
    if index is None:
        return None
    pattern = services.find_pattern(index, fingerprint)
    if pattern is None:
        raise Http404
    return index, pattern


@never_cache
@require_safe
@member(Role.VIEWER)
def failure(request: ConsoleRequest, slug: str, fingerprint: int) -> HttpResponse:
    """The page of a pattern: its latest runs, its note, and the actions on it."""
    found = _lookup(request, fingerprint)
    return _page(request, *found) if found else _without_index(request)


def _page(request: ConsoleRequest, index: RunIndex, pattern: Pattern) -> HttpResponse:
    access, row, newest = request.access, pattern.row, pattern.newest
    noted = services.note_context(row, access.workspace, request.user)
    latest = [indexed_rows.to_engine(run) for run in services.latest_runs(index, pattern.fingerprint)]
    runs = masking.masked(engine_session.open_session(access), latest)
    people = members.active_members(access.workspace)
    alike = list_url(
        access.workspace.slug, "runs", failed=run_filters.step_of_flow(newest.failed_step[:80], newest.flow_id)
    )
    context = noted | {
        "affected": services.affected(access, index, pattern),
        "counted": services.COUNTED if pattern.number > services.COUNTED else 0,
        "pattern": replace(pattern, error=reading.error_of(Run(runs[0])) if runs else ""),
        "reason": panels.reason_of(runs[0]) if runs else None,
        "sentence": texts.sentence(pattern),
        "state_text": texts.state_text(pattern),
        "runs": [(run, run_url(access.workspace.slug, run["id"]), reading.error_of(Run(run))) for run in runs],
        "retried": _retried(access, index, pattern),
        "most": services.RETRIED,
        "retry_next": alike,
        "runs_url": alike if newest.failed_step else "",
        "flow_url": flow_url(access.workspace.slug, newest.flow_id),
        "repair_url": repair_url(access, newest.run_id) if newest.failed_step else "",
        "form": NoteForm(initial={"text": noted["note"]}),
        "assign_form": AssignForm(initial={"person": row.assigned_to_id if row else None}, people=people),
        "snooze_form": SnoozeForm(),
        "builds": access.allows(Role.BUILDER),
        "launches": access.allows(Role.LAUNCHER),
        "closed": pattern.state in {PatternState.HANDLED, PatternState.SNOOZED},
    }
    return responses.page(request, "failures/failure.html", context)


def _retried(access: Access, index: RunIndex, pattern: Pattern) -> list[str]:
    """The ids of the runs that the person may retry together; [] without the right, or if the engine cannot retry."""
    runs = RESOURCES["runs"]
    action = next(action for action in runs.actions if action.name == "retry")
    if not access.allows(action.role) or not access.sees("runs") or action.needs in lacking(runs, access.workspace):
        return []
    return services.runs_to_retry(index, pattern.fingerprint)


def _changing(role: Role) -> Callable[[Change], View]:
    """Make a view that changes a pattern by POST, for people with this role, and returns to its page, or to that of the posted `run`."""

    def decorate(change: Change) -> View:
        @require_POST
        @member(role)
        @wraps(change)
        def view(request: ConsoleRequest, slug: str, fingerprint: int) -> HttpResponse:
            found = _lookup(request, fingerprint)
            if found is None:
                return responses.redirect_to_view(request, "failures", slug)
            if text := change(request, *found):
                messages.success(request, text)
            else:
                messages.error(request, _("This cannot be done. Nothing was changed."))
            run = run_url(slug, request.POST.get("run"))
            return responses.redirect(request, run or reverse("failure", args=[slug, fingerprint]))

        return view

    return decorate


@_changing(Role.BUILDER)
def assign(request: ConsoleRequest, index: RunIndex, pattern: Pattern) -> str:
    """Make a member responsible, or nobody."""
    form = AssignForm(request.POST, people=members.active_members(request.access.workspace))
    if not form.is_valid():
        return ""
    person = form.cleaned_data["person"]
    notified = services.assign(actor(request), index, pattern, person)
    if person is None:
        return _("Assigned to no one.")
    text = (
        _("Assigned to %(person)s.")
        if notified
        else _("Assigned to %(person)s, who does not see this page, and was not notified.")
    )
    return text % {"person": person.label}


@_changing(Role.BUILDER)
def snooze(request: ConsoleRequest, index: RunIndex, pattern: Pattern) -> str:
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return ""
    services.snooze(actor(request), index, pattern, form.until)
    return _("The failure is snoozed.")


@_changing(Role.LAUNCHER)
def handled(request: ConsoleRequest, index: RunIndex, pattern: Pattern) -> str:
    services.mark_handled(actor(request), index, pattern)
    return _("The failure is marked as handled.")


@_changing(Role.LAUNCHER)
def reopen(request: ConsoleRequest, index: RunIndex, pattern: Pattern) -> str:
    services.reopen(actor(request), index, pattern)
    return _("The failure is open again.")


@_changing(Role.LAUNCHER)
def note(request: ConsoleRequest, index: RunIndex, pattern: Pattern) -> str:
    form = NoteForm(request.POST)
    if not form.is_valid():
        return ""
    services.save_note(actor(request), index, pattern, form.cleaned_data["text"])
    return _("The note is saved.") if form.cleaned_data["text"] else _("The note is deleted.")


@_changing(Role.VIEWER)
def helped(request: ConsoleRequest, index: RunIndex, pattern: Pattern) -> str:
    """Answer whether the note helped."""
    form = HelpedForm(request.POST)
    if not form.is_valid():
        return ""
    helped = form.cleaned_data["helped"] == "yes"
    voted = services.vote(actor(request), index, pattern, request.user, helped=helped)
    return _("Your answer is saved.") if voted else ""

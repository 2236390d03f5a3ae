"""Jobs: their creation from lists, the list of jobs, and the page of one job with its confirmation, progress and outcomes."""

import json
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import structlog
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core import formats
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.engine import EngineError
from workflows_ui.jobs import page as job_page, tables
from workflows_ui.jobs.models import Job, JobItem, JobKind, JobState
from workflows_ui.jobs.page import JobPage
from workflows_ui.jobs.services import jobs
from workflows_ui.lists import export as export_file, file_formats, list_page, local_lists
from workflows_ui.lists.file_formats import FORMATS
from workflows_ui.lists.listing import Listing, offer
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_forms, bulk, capabilities as missing_capabilities
from workflows_ui.resource_admin.jobs import tasks
from workflows_ui.resource_admin.resource import RESOURCES, Resource, find_resource
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

log = structlog.get_logger(__name__)

LIVE = "job-live"
#: Seconds between polls of a page that waits for its file.
_EXPORT_SECONDS = 2


@member(Role.VIEWER)
def choose(request: ConsoleRequest, slug: str, resource: str, action: str) -> HttpResponse:
    """POST: create the job and redirect to it; for one ticked row, redirect to the action of that object.

    GET (after signing in again, for example): redirect to the list.
    """
    kind = find_resource(request.access, resource)
    chosen = next((item for item in kind.actions if item.name == action and item.bulk), None)
    if chosen is None:
        raise Http404
    request.access.require(chosen.role)
    query = request.POST.get("next", "").partition("?")[2]
    listing = Listing(kind, kind.url(slug), QueryDict(query))
    back = f"{kind.url(slug)}?{query}" if query else kind.url(slug)
    if request.method != "POST":
        return responses.redirect(request, kind.url(slug))
    lacking = missing_capabilities.lacking(kind, request.access.workspace)
    if chosen.needs in lacking or kind.needs in lacking:
        messages.warning(request, lacking.get(chosen.needs) or lacking[kind.needs])
        return responses.redirect(request, back)
    everything = request.POST.get(bulk.EVERYTHING) == "1"
    ids = bulk.ticked_ids(request.POST.getlist(bulk.ID))
    if not listing.valid:
        messages.warning(request, _("These filters cannot be used. Nothing was done."))
        return responses.redirect(request, back)
    if not everything and not ids:
        messages.warning(request, _("Select the rows first, then choose an action."))
        return responses.redirect(request, back)
    if not everything and len(ids) == 1:
        query = urlencode({"next": back})
        return responses.redirect(request, f"{chosen.url(slug, kind.name, ids[0])}?{query}")
    session = engine_session.open_session(request.access)
    offer(listing.form, kind.choices(session))
    job = jobs.ask(
        actor(request),
        request.access,
        resource=kind.name,
        action=chosen.name,
        found=() if everything else bulk.chosen_items(session, kind, chosen, listing, ids),
        everything=everything,
        look=chosen.impact is not None,
        filters=listing.filters_query,
        filters_told=listing.told if everything else (),
    )
    if job.state == JobState.COLLECTING:
        tasks.enqueue(job.pk)
    return responses.redirect(request, job_page.job_url(slug, job))


@require_safe
@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The person's jobs, for managers all jobs, newest first."""
    kind = tables.job_list(request.access, RESOURCES)
    current = list_page.requested(request, kind)
    page = kind.page(jobs.of_workspace(request.access), current)
    return list_page.respond(request, current, page)


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The list of jobs as a file. Audited."""
    declared = tables.job_list(request.access, RESOURCES)
    return local_lists.file(request, declared, jobs.of_workspace(request.access), kind)


@require_safe
@member(Role.VIEWER)
def job(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """One job. The browser polls its live part, which is only sent if it has changed."""
    page = _find(request, id)
    if responses.is_fragment(request) and page.seconds and request.GET.get("seen") == page.version:
        return responses.vary(HttpResponse(status=204))
    return _render(request, page)


@member(Role.VIEWER)
def begin(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The person's confirmation, with the action's form. A second one does nothing."""
    page = _find(request, id)
    if request.method != "POST" or not page.mine or page.action is None:
        return responses.redirect(request, page.url)
    request.access.require(page.action.role)
    if page.job.state == JobState.ASKING:
        form = page.form(engine_session.open_session(request.access), request.POST)
        choices = page.action.bulk.choices if page.action.bulk else {}
        if not action_forms.validate(form) or not _chooses_any(page, form, choices):
            return _render(request, page, form, status=422)
        why = action_forms.take_reason(form)
        logged = action_forms.logged_values(form)
        # What was asked for before the question stays, such as which connections a job is about.
        procedure = page.action.bulk.procedure if page.action.bulk else None
        # A choice that is not offered now was made for an earlier job.
        not_offered = dict.fromkeys(procedure.choices, False) if procedure else {}
        data = json.loads(page.job.open("data") or "{}") | not_offered | form.cleaned_data
        chosen = [reason for name, reason in choices.items() if data.get(name)]
        if jobs.begin(actor(request), page.job, json.dumps(data), logged, chosen, why):
            tasks.enqueue(page.job.pk)
    return responses.redirect(request, page.url)


def _chooses_any(page: JobPage, form: forms.Form, choices: Mapping[str, str]) -> bool:
    """Whether anything is left to do, with what the form chooses; else its field gets an error."""
    if page.to_do or not page.to_choose or any(form.cleaned_data.get(name) for name in choices):
        return True
    form.add_error(next(iter(choices)), _("Unless this is selected, there is nothing to do."))
    return False


@member(Role.VIEWER)
def stop(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Stop the job, or decline its confirmation; anyone who may see it may do this."""
    page = _find(request, id)
    if request.method == "POST":
        unconfirmed = page.job.state == JobState.ASKING
        if not jobs.stop(actor(request), page.job):
            messages.warning(request, _("It had already ended."))
        elif not unconfirmed:
            messages.success(request, _("It is stopped. Anything not done yet will not be done."))
        elif page.list_url:
            messages.info(request, _("Nothing was changed."))
            return responses.redirect(request, page.list_url)
    return responses.redirect(request, page.url)


@member(Role.VIEWER)
def retry(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Create a job for the objects that failed."""
    page = _find(request, id)
    if request.method == "POST" and page.mine and page.action is not None:
        request.access.require(page.action.role)
        new_job = jobs.retry(actor(request), request.access, page.job, look=page.action.impact is not None)
        if new_job is not None:
            tasks.enqueue(new_job.pk)
            return responses.redirect(request, job_page.job_url(slug, new_job))
        messages.warning(request, _("No item failed."))
    return responses.redirect(request, page.url)


@member(Role.VIEWER)
def undo(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Create a job that undoes this one for the objects that succeeded, once."""
    page = _find(request, id)
    if request.method == "POST" and page.can_undo and page.action and page.action.bulk and page.action.bulk.procedure:
        request.access.require(page.action.role)
        data = page.action.bulk.procedure.reverse(json.loads(page.job.open("data")))
        new_job = jobs.undo(actor(request), request.access, page.job, data)
        if new_job is not None:
            tasks.enqueue(new_job.pk)
            return responses.redirect(request, job_page.job_url(slug, new_job))
    if request.method == "POST" and page.undone_by is not None:
        messages.warning(request, _("Another job undoes it, or has undone it already."))
    return responses.redirect(request, page.url)


def _render(
    request: ConsoleRequest, page: JobPage, form: forms.Form | None = None, *, status: int = 200
) -> HttpResponse:
    start = request.GET.get("from", "")
    rows = page.rows(int(start) if start.isdecimal() and len(start) < 8 else 0) if not page.awaits_confirmation else []
    shown = [row[0] for row in rows[: job_page.ROWS]]
    followed = _follow(request, page, shown) if page.follows and shown else {}
    context: dict[str, object] = {
        "page": page,
        "job": page.job,
        "seconds": page.follow_seconds(followed),
        "form": form or (page.form(engine_session.open_session(request.access)) if page.awaits_confirmation else None),
        "rows": [(*row, followed.get(row[0].position)) for row in rows[: job_page.ROWS]],
        "next_from": rows[job_page.ROWS][0].position if len(rows) > job_page.ROWS else "",
        "start": start if start.isdecimal() and start != "0" else "",
        "slug": request.access.workspace.slug,
        # The state in the page's heading lies outside of the live part, and is sent along with it.
        "alone": responses.is_fragment(request),
    }
    return responses.page(request, "jobs/job.html", context, fragments=(LIVE,), status=status)


def _follow(request: ConsoleRequest, page: JobPage, items: Sequence[JobItem]) -> dict[int, tuple[Badge, str]]:
    """The current states of what the job started; empty if the engine, or the person's credential, does not show them now."""
    try:
        return page.follow(engine_session.open_session(request.access), items)
    except (EngineError, NoCredential, CannotOpen) as problem:
        log.info("job.not_followed", job=page.job.pk, problem=type(problem).__name__)
        return {}


def _find(request: ConsoleRequest, id: str) -> JobPage:
    """The job, if the person may see it. Raises Http404."""
    rows = jobs.of_workspace(request.access).filter(kind=JobKind.BULK).select_related("retry_of")
    return JobPage(get_object_or_404(rows, pk=id), request.access, RESOURCES, request.GET.get("show", ""))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, resource: str, kind: str) -> HttpResponseBase:
    """GET: the rows of the current page as a file. POST: everything that matches, by a worker.

    Raises EngineError, NoCredential, CannotOpen.
    """
    declared = find_resource(request.access, resource)
    if kind not in FORMATS:
        raise Http404
    lacking = missing_capabilities.lacking(declared, request.access.workspace)
    if declared.needs in lacking:
        return missing_capabilities.page(request, declared, lacking[declared.needs])
    state = Listing(declared, declared.url(slug), request.GET)
    if not state.valid:
        return responses.redirect(request, f"{declared.url(slug)}?{state.filters_query}")
    if request.method == "POST":
        return _export_everything(request, declared, kind, state)
    session = engine_session.open_session(request.access)
    rows = declared.list(session, state.query).rows
    audit_log.record(
        actor(request),
        f"{declared.name}.export",
        workspace=request.access.workspace,
        object_type=declared.name[:40],
        credential=session.credential_id,
        format=kind,
        rows=len(rows),
        filters=state.filters_query,
    )
    title, told = str(declared.label_plural), state.told
    with file_formats.writer(kind, title, export_file.facts(title, request.access.workspace.name, told)) as file:
        content = file.head(export_file.headings(declared))
        content += file.body(export_file.lines(kind, declared, session, rows))
        content += b"".join(file.tail())
    return export_file.send(content, export_file.name(declared, kind, told), kind)


@require_safe
@member(Role.VIEWER)
def export_page(request: ConsoleRequest, slug: str, job_id: str) -> HttpResponse:
    """The progress of an export, and the link to its file. For its person, or any manager."""
    job = _find_export(request, job_id)
    context = {
        "page": JobPage(job, request.access, RESOURCES),
        "job": job,
        "there": jobs.has_file(job),
        "kept_until": formats.date(timezone.localtime(job.keep_until)) if job.keep_until else "",
        "live": 0 if job.over else _EXPORT_SECONDS,
    }
    return responses.page(request, "jobs/export.html", context, fragments=("export",))


@never_cache
@require_safe
@member(Role.VIEWER)
def export_download(request: ConsoleRequest, slug: str, job_id: str) -> HttpResponseBase:
    """The file of an export, part by part. Leaves an audit row; 410 with an explanation if it has expired."""
    job = _find_export(request, job_id)
    declared = RESOURCES.get(job.resource)
    if declared is not None:
        request.access.require(declared.role)
    if declared is None or not jobs.has_file(job):
        message = Message(
            _("This file no longer exists"),
            _("Files of exports are kept for some days only."),
            _("Export the list again."),
        )
        context = {"words": message, "home_url": job_page.job_url(slug, job)}
        return responses.page(request, "jobs/no_file.html", context, status=410)
    jobs.note(actor(request), job, "download", rows=job.rows, bytes=job.bytes)
    name, size = export_file.name(declared, job.format, job.filters_told), {"Content-Length": str(job.bytes)}
    return export_file.send(jobs.file_content(job), name, job.format, **size)


@require_POST
@member(Role.VIEWER)
def export_stop(request: ConsoleRequest, slug: str, job_id: str) -> HttpResponse:
    """Stop an export that is being written; anyone who may see it may do this."""
    job = _find_export(request, job_id)
    if jobs.stop(actor(request), job):
        messages.success(request, _("The export is stopped. There is no file."))
    else:
        messages.warning(request, _("It had already ended."))
    return responses.redirect(request, job_page.job_url(slug, job))


def _export_everything(request: ConsoleRequest, declared: Resource, kind: str, found: Listing) -> HttpResponse:
    engine_session.open_session(request.access)  # Report a missing credential now, instead of by a job that fails.
    job = jobs.ask_export(
        actor(request),
        request.access,
        resource=declared.name,
        format=kind,
        filters=found.export_query,
        filters_told=found.told,
    )
    tasks.enqueue(job.pk)
    response = responses.redirect(request, job_page.job_url(request.access.workspace.slug, job))
    file_formats.remember(response, kind)
    return response


def _find_export(request: ConsoleRequest, job_id: str) -> Job:
    job = get_object_or_404(jobs.of_workspace(request.access), pk=job_id, kind=JobKind.EXPORT)
    if not request.access.sees(job.resource):
        raise Http404
    return job

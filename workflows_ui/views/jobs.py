"""Jobs: the list, and one job's page: what it waits for, how far it is, what became of each object."""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from workflows_ui import tasks
from workflows_ui.kit import action_forms, caller, job_page, keyset, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.job_page import Page
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Job, JobKind, JobState, Role
from workflows_ui.resources import BY_NAME
from workflows_ui.services import jobs

LIVE = "job-live"
ROWS = 25


@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The person's jobs, for managers everybody's, newest first."""
    found = keyset.window(jobs.of_workspace(request.access), request.GET, moment="asked_at", size=ROWS)
    context = {
        "pages": [Page(job, request.access, BY_NAME) for job in found.rows],
        "everyone": request.access.allows(Role.MANAGER),
        "first_url": request.path if "before" in request.GET or "after" in request.GET else "",
        "newer_url": f"{request.path}?{urlencode({'after': found.newer})}" if found.newer else "",
        "older_url": f"{request.path}?{urlencode({'before': found.older})}" if found.older else "",
    }
    return respond.page(request, "jobs/list.html", context, fragments=("results",))


@member(Role.VIEWER)
def job(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """One job. Its live part is asked for again by the browser, and answered only where it has changed."""
    page = _find(request, id)
    if respond.is_fragment(request) and page.seconds and request.GET.get("seen") == page.version:
        return respond.vary(HttpResponse(status=204))
    return _shown(request, page)


@member(Role.VIEWER)
def begin(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The person's yes, with the action's form. A second one does nothing."""
    page = _find(request, id)
    if request.method != "POST" or not page.mine or page.action is None:
        return respond.redirect(request, _url(request, page.job))
    request.access.require(page.action.role)
    if page.job.state == JobState.ASKING:
        form = action_forms.bound(page.action, caller.of(request.access), {}, request.POST)
        if not action_forms.holds(form):
            return _shown(request, page, form, status=422)
        told = action_forms.told(form, page.action)
        if jobs.begin(actor(request), page.job, json.dumps(form.cleaned_data), told):
            tasks.ring_job(page.job.pk)
    return respond.redirect(request, _url(request, page.job))


@member(Role.VIEWER)
def stop(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Stops it, or says no to its question; whoever may see it may."""
    page = _find(request, id)
    if request.method == "POST":
        asked = page.job.state == JobState.ASKING
        if not jobs.stop(actor(request), page.job):
            messages.warning(request, _("It was over already."))
        elif not asked:
            messages.success(request, _("It is stopped. What was not done yet stays undone."))
        elif page.list_url:
            messages.info(request, _("Nothing was changed."))
            return respond.redirect(request, page.list_url)
    return respond.redirect(request, _url(request, page.job))


@member(Role.VIEWER)
def retry(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Asks about those that failed once more, as a job of its own."""
    page = _find(request, id)
    if request.method == "POST" and page.mine and page.action is not None:
        request.access.require(page.action.role)
        again = jobs.retry(actor(request), request.access, page.job, look=page.action.affected is not None)
        if again is not None:
            tasks.ring_job(again.pk)
            return respond.redirect(request, _url(request, again))
        messages.warning(request, _("Nothing of it failed."))
    return respond.redirect(request, _url(request, page.job))


def _shown(request: ConsoleRequest, page: Page, form: forms.Form | None = None, *, status: int = 200) -> HttpResponse:
    start = request.GET.get("from", "")
    rows = page.rows(int(start) if start.isdecimal() and len(start) < 8 else 0) if not page.asking else []
    context: dict[str, Any] = {
        "page": page,
        "job": page.job,
        "form": form or (page.form(caller.of(request.access)) if page.asking else None),
        "rows": rows[: job_page.ROWS],
        "next_from": rows[job_page.ROWS][0].position if len(rows) > job_page.ROWS else "",
        "start": start if start.isdecimal() and start != "0" else "",
        "slug": request.access.workspace.slug,
        # The state in the page's heading lies outside of the live part, and is sent along with it.
        "alone": respond.is_fragment(request),
    }
    return respond.page(request, "jobs/job.html", context, fragments=(LIVE,), status=status)


def _find(request: ConsoleRequest, id: str) -> Page:
    """The job, if the person may see it. Raises Http404."""
    rows = jobs.of_workspace(request.access).filter(kind=JobKind.BULK).select_related("retry_of")
    return Page(get_object_or_404(rows, pk=id), request.access, BY_NAME, request.GET.get("show", ""))


def _url(request: ConsoleRequest, row: Job) -> str:
    return reverse("job", args=[request.access.workspace.slug, row.pk])


_JOB = "w/<slug:slug>/jobs/<str:id>/"
urlpatterns = [
    path("w/<slug:slug>/jobs/", listing, name="jobs"),
    path(_JOB, job, name="job"),
    path(f"{_JOB}begin/", begin, name="job_begin"),
    path(f"{_JOB}stop/", stop, name="job_stop"),
    path(f"{_JOB}retry/", retry, name="job_retry"),
]

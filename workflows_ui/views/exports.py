"""Lists as files: the page that is shown at once, everything that matches in the background, and the page and file of such an export."""

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_ui.kit import ability, caller, export_file, job_words, respond, show, views, words
from workflows_ui.kit.access import member
from workflows_ui.kit.listing import Listing
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.kit.resource import Resource
from workflows_ui.models import Job, JobKind, Role
from workflows_ui.resources import BY_NAME
from workflows_ui.services import audit, exporting, heartbeat, jobs
from workflows_ui.tasks import ring_job

#: A page that waits for its file looks again after so many seconds.
_LIVE = 2


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, resource: str, kind: str) -> HttpResponse:
    """GET: the rows of this page, as its address asks for them, as a file. POST: everything that matches, by a worker.

    Raises EngineError, NoCredential, CannotOpen.
    """
    declared = views.declared(request.access, resource, BY_NAME)
    if kind not in export_file.TYPES or not declared.exported:
        raise Http404
    lacking = ability.lacking(declared, request.access.workspace)
    if declared.needs in lacking:
        return ability.page(request, declared, lacking[declared.needs])
    found = Listing(declared, declared.url(slug), request.GET)
    if not found.valid:
        return respond.redirect(request, f"{declared.url(slug)}?{found.filters_query}")
    if request.method == "POST":
        return _everything(request, declared, kind, found)
    rows = declared.list(caller.of(request.access), found.query).rows
    audit.record(
        actor(request),
        f"{declared.name}.export",
        workspace=request.access.workspace,
        object_type=declared.name[:40],
        format=kind,
        rows=len(rows),
        filters=found.filters_query,
    )
    parts = (export_file.head(kind, declared), export_file.body(kind, declared, rows, before=0), export_file.tail(kind))
    return HttpResponse(
        b"".join(parts),
        content_type=export_file.TYPES[kind],
        headers={"Content-Disposition": _attached(declared, kind)},
    )


@require_safe
@member(Role.VIEWER)
def page(request: ConsoleRequest, slug: str, job_id: str) -> HttpResponse:
    """How far an export is, and the way to its file. Its person's own, or any for a manager."""
    job = _find(request, job_id)
    declared = BY_NAME.get(job.resource)
    there = exporting.there(job)
    context = {
        "job": job,
        "label": declared.label_plural if declared else job.resource,
        "list_url": f"{declared.url(slug)}?{job.filters}"
        if declared and job.filters
        else declared and declared.url(slug),
        "known": max(job.total, job.rows) if job.total and not job.over else 0,
        "there": there,
        "why": _why(job),
        "kept_until": show.date(timezone.localtime(job.keep_until)) if job.keep_until else "",
        "expired": job.keep_until is not None and not there,
        "own": job.user_id == request.user.pk,
        "live": 0 if job.over else _LIVE,
    }
    return respond.page(request, "jobs/export.html", context, fragments=("export",))


@never_cache
@require_safe
@member(Role.VIEWER)
def download(request: ConsoleRequest, slug: str, job_id: str) -> HttpResponse | StreamingHttpResponse:
    """The file of an export, part by part. Leaves an audit row; 410 in words where its time is over."""
    job = _find(request, job_id)
    declared = BY_NAME.get(job.resource)
    if declared is not None:
        request.access.require(declared.role)
    if declared is None or not exporting.there(job):
        found = words.Words(
            _("This file is not there any more"),
            _("Files of exports are kept for some days only."),
            _("Export the list again."),
        )
        context = {"words": found, "home_url": reverse("export", kwargs={"slug": slug, "job_id": job.pk})}
        return respond.page(request, "jobs/no_file.html", context, status=410)
    jobs.note(actor(request), job, "download", rows=job.rows, bytes=job.bytes)
    return StreamingHttpResponse(
        exporting.content(job),
        content_type=export_file.TYPES[job.format],
        headers={"Content-Disposition": _attached(declared, job.format), "Content-Length": str(job.bytes)},
    )


@require_POST
@member(Role.VIEWER)
def stop(request: ConsoleRequest, slug: str, job_id: str) -> HttpResponse:
    """Ends an export that is being written; whoever may see it may."""
    job = _find(request, job_id)
    if jobs.stop(actor(request), job):
        messages.success(request, _("The export is stopped. There is no file."))
    else:
        messages.warning(request, _("It was over already."))
    return respond.redirect(request, reverse("export", kwargs={"slug": slug, "job_id": job.pk}))


def _everything(request: ConsoleRequest, declared: Resource, kind: str, found: Listing) -> HttpResponse:
    caller.of(request.access)  # Whoever has no credential is told so now, not by a job that fails.
    job = exporting.ask(
        actor(request),
        request.access,
        resource=declared.name,
        format=kind,
        filters=found.filters_query,
        filters_told=[(str(chip.label), str(chip.value)) for chip in found.chips()],
    )
    ring_job(job.pk)
    return respond.redirect(
        request, reverse("export", kwargs={"slug": request.access.workspace.slug, "job_id": job.pk})
    )


def _why(job: Job) -> words.Words | None:
    """Why it does not go on just now, or ended as it did."""
    if not job.over and heartbeat.silent():
        return words.NO_WORKER
    return job_words.of_job(job) if job.reason else None


def _find(request: ConsoleRequest, job_id: str) -> Job:
    job = jobs.of_workspace(request.access).filter(pk=job_id, kind=JobKind.EXPORT).first()
    if job is None:
        raise Http404
    return job


def _attached(declared: Resource, kind: str) -> str:
    return content_disposition_header(True, export_file.name(declared, kind)) or "attachment"


urlpatterns = [
    path("w/<slug:slug>/jobs/<str:job_id>/export/", page, name="export"),
    path("w/<slug:slug>/jobs/<str:job_id>/file/", download, name="export_file"),
    path("w/<slug:slug>/jobs/<str:job_id>/export/stop/", stop, name="export_stop"),
    path("w/<slug:slug>/<slug:resource>/export/<slug:kind>/", export, name="resource_export"),
]

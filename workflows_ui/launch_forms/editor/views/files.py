"""Export of a launch form as a JSON Schema file, and import of a file as the draft."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.services import audit_log
from workflows_ui.launch_forms.editor.forms import ImportForm
from workflows_ui.launch_forms.editor.views import page as launch_form_page
from workflows_ui.launch_forms.messages import forms as form_messages
from workflows_ui.launch_forms.schema.document import BadForm
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import Role
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest, actor

#: Bytes to read of a file: one more than the limit, to detect that it is too large.
_MOST = 1024 * 1024 + 1


@never_cache
@require_safe
@member(Role.BUILDER)
def export(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Download the draft, else the published form; `?version=` selects a version. Writes an audit row."""
    page = launch_form_page.find(request, id, wanted=True)
    number = request.GET.get("version", "")
    form = page.form
    if number and page.row:
        wanted = launch_forms.versions(page.row).filter(number=int(number)) if number.isdecimal() else None
        version = wanted.first() if wanted is not None else None
        if version is None:
            raise Http404
        form = version.open_form()
    if form is None or page.row is None:
        raise Http404
    workspace = request.access.workspace
    audit_log.record(
        actor(request),
        "form.export",
        workspace=workspace,
        object_type="form",
        object_id=page.row.pk,
        object_name=page.row.flow_name,
        flow=id,
    )
    name = f"{slugify(page.name)[:60] or 'form'}.form.json"
    headers = {"Content-Disposition": content_disposition_header(True, name) or "attachment"}
    return HttpResponse(
        launch_forms.export(form), content_type="application/schema+json; charset=utf-8", headers=headers
    )


@never_cache
@member(Role.BUILDER)
def import_file(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Import a file as the draft. Unsupported content is rejected with a message."""
    page = launch_form_page.find(request, id)
    typed = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    stale = ""
    if request.method == "POST" and typed.is_valid():
        try:
            form = launch_forms.read_file(typed.cleaned_data["file"].read(_MOST))
            known = page.flow_or_none() if not page.name else None
            name = launch_form_page.flow_name(known[1]) if known else page.name
            page.save(form, launch_form_page.lock_of(request), flow_name=name)
        except BadForm as problem:
            typed.add_error("file", str(problem))
        except launch_forms.Stale as problem:
            stale = launch_form_page.stale_message(problem)
            page = launch_form_page.find(request, id)
        else:
            text = form_messages.imported(len(form.fields))
            messages.success(request, text)
            return responses.redirect(request, page.url())
    status = 422 if typed.errors or stale else 200
    context = page.context(typed=typed, stale=stale)
    return responses.page(request, "launch_forms/editor/import.html", context, status=status)


HERE = "w/<slug:slug>/flows/<str:id>/form/"

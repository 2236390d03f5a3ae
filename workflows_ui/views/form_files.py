"""A launch form as a file: its JSON Schema to keep or to take elsewhere, and a file that becomes the draft."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.forming.document import BadForm
from workflows_ui.forms.form_builder import ImportForm
from workflows_ui.kit import form_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Role
from workflows_ui.services import audit, launch_forms
from workflows_ui.views import form_place

#: One byte more than a form's file may have is read: enough to see that it is too large.
_MOST = 1024 * 1024 + 1


@never_cache
@require_safe
@member(Role.BUILDER)
def export(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The draft, else what is published; `?version=` names a version. Leaves an audit row."""
    place = form_place.find(request, id, wanted=True)
    number = request.GET.get("version", "")
    form = place.form
    if number and place.row:
        wanted = launch_forms.versions(place.row).filter(number=int(number)) if number.isdecimal() else None
        version = wanted.first() if wanted is not None else None
        if version is None:
            raise Http404
        form = launch_forms.form_of(version)
    if form is None or place.row is None:
        raise Http404
    workspace = request.access.workspace
    audit.record(
        actor(request),
        "form.export",
        workspace=workspace,
        object_type="form",
        object_id=place.row.pk,
        object_name=place.row.flow_name,
        flow=id,
    )
    name = f"{slugify(place.name)[:60] or 'form'}.form.json"
    headers = {"Content-Disposition": content_disposition_header(True, name) or "attachment"}
    return HttpResponse(
        launch_forms.export(form), content_type="application/schema+json; charset=utf-8", headers=headers
    )


@never_cache
@member(Role.BUILDER)
def bring(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Takes a file and makes it the draft. What the file has that no form can hold is refused, in words."""
    place = form_place.find(request, id)
    typed = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    stale = ""
    if request.method == "POST" and typed.is_valid():
        try:
            form = launch_forms.read_file(typed.cleaned_data["file"].read(_MOST))
            known = place.flow_if_told() if not place.name else None
            name = form_place.flow_name(known[1]) if known else place.name
            place.save(form, form_place.lock_of(request), flow_name=name)
        except BadForm as problem:
            typed.add_error("file", str(problem))
        except launch_forms.Stale as problem:
            stale = form_place.stale_words(problem)
            place = form_place.find(request, id)
        else:
            said = form_words.imported(len(form.fields))
            messages.success(request, said)
            return respond.redirect(request, place.url())
    status = 422 if typed.errors or stale else 200
    context = place.context(typed=typed, stale=stale)
    return respond.page(request, "form_builder/import.html", context, status=status)


_HERE = "w/<slug:slug>/flows/<str:id>/form/"
urlpatterns = [
    path(_HERE + "export/", export, name="form_export"),
    path(_HERE + "import/", bring, name="form_import"),
]

"""A launch form as a launcher would see it, to be tried: what is typed is checked and shown as it would be sent. Nothing is launched."""

import logging

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.forming import checking
from workflows_ui.forming.document import Form
from workflows_ui.forms import launch_fields, launch_files
from workflows_ui.kit import caller, launch_choices, markdown, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest
from workflows_ui.models import Role
from workflows_ui.services import clients, payloads
from workflows_ui.views import form_place

_log = logging.getLogger(__name__)


@never_cache
@member(Role.BUILDER)
def preview(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The draft, else what is published. A POST tries it: it writes nothing and sends nothing."""
    place = form_place.find(request, id, wanted=True)
    form = launch_fields.launchable(place.form or Form())
    zone = timezone.get_current_timezone()
    options = _options(request, id, form)
    errors: dict[str, str] = {}
    trial = ""
    if request.method == "POST":
        data = launch_fields.tidied(form, dict(request.POST.lists()), options)
        if "_add" in request.POST or "_remove" in request.POST:
            lines = {"add": request.POST.get("_add", ""), "remove": request.POST.get("_remove", "")}
            data = launch_fields.with_lines(form, data, **lines)
        else:
            uploads = launch_files.uploaded(request)
            checked = checking.check(form, data, files=uploads, options=options, zone=zone)
            errors = {**launch_files.take(form, uploads, checked.shown).errors, **checked.errors}
            trial = payloads.pretty(checked.payload) if not errors else ""
        shown = checking.typed(form, data)
    else:
        shown = checking.initial(form, zone=zone)
    context = place.context(
        note=markdown.html(form.note),
        form_view=launch_fields.view(form, shown, errors=errors, options=options),
        trial=trial,
        whole_error=errors.get("", ""),
        address=place.url("form_preview"),
        button=form.button or _("Launch"),
    )
    return respond.page(request, "form_builder/preview.html", context, status=422 if errors else 200)


def _options(request: ConsoleRequest, flow_id: str, form: Form) -> launch_choices.Choices:
    """The live choices, as far as the engine gives them now."""
    if not any(field.choices_from for field in form.fields):
        return {}
    try:
        return launch_choices.of(caller.of(request.access), flow_id, form)
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        _log.info("preview of a form without live choices: %r", problem)
        return {}


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/form/preview/", preview, name="form_preview")]

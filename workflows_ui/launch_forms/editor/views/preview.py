"""Preview of a launch form: typed values are checked and the payload is displayed. Nothing is launched."""

import logging
from collections.abc import Mapping

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.engine import EngineError
from workflows_ui.launch_forms import choices as launch_choices
from workflows_ui.launch_forms.editor.views import page as launch_form_page
from workflows_ui.launch_forms.forms import fields as launch_fields
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.schema import checking
from workflows_ui.launch_forms.schema.document import Form
from workflows_ui.members.models import Role
from workflows_ui.web import markdown, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

_log = logging.getLogger(__name__)


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def preview(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Preview the draft, else the published form. POST checks it, without saving or sending anything."""
    page = launch_form_page.find(request, id, wanted=True)
    form = posted.launchable(page.form or Form())
    options = _options(request, id, form)
    errors: Mapping[str, str] = {}
    retype: set[str] = set()
    trial = ""
    if request.method == "POST":
        data = posted.typed(request, form, options)
        if not posted.changes_lines(request):
            tried = posted.check(request, form, data, options)
            errors, trial = tried.errors, "" if tried.errors else tried.as_sent
        shown, retype = checking.typed(form, data), posted.typed_secrets(form, data)
    else:
        shown = checking.initial(form, zone=timezone.get_current_timezone())
    context = page.context(
        note=markdown.html(form.note),
        form_view=launch_fields.view(form, shown, errors=errors, options=options, retype=retype),
        trial=trial,
        whole_error=errors.get("", ""),
        address=page.url("form_preview"),
        button=form.button or _("Launch"),
    )
    return responses.page(request, "launch_forms/editor/preview.html", context, status=422 if errors else 200)


def _options(request: ConsoleRequest, flow_id: str, form: Form) -> launch_choices.Choices:
    """The live choices that can be loaded."""
    if not any(field.choices_from for field in form.fields):
        return {}
    try:
        return launch_choices.load_choices(engine_session.open_session(request.access), flow_id, form)
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        _log.info("preview of a form without live choices: %r", problem)
        return {}

"""Launching a flow by a form. Opening the form loads the flow from the engine; posting it only saves the launch.

So a launch can be requested while the engine is down, and no typed value is lost on errors. Browsers send files once: with htmx their
inputs stay in the page, without it the page lists the files to choose again.
"""

from dataclasses import replace

from django.contrib import messages as flash
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workflows_ui.audit.requests import actor
from workflows_ui.core import redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.form_schema import checking
from workflows_ui.form_schema.checking import Data
from workflows_ui.form_schema.document import FieldKind
from workflows_ui.launch_forms import choices as launch_choices
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.forms.posted import KeepForm, Options, PostedForm
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.launch_forms.views import form_page, prefill, review
from workflows_ui.launch_forms.views.form_page import LaunchFormPage
from workflows_ui.launches import flow_facts, tasks
from workflows_ui.launches.models import Launch
from workflows_ui.launches.page import LaunchPage
from workflows_ui.launches.services import launches
from workflows_ui.launches.services.launches import LaunchRequest, LaunchResult, Outcome
from workflows_ui.members.models import Role
from workflows_ui.members.services import access
from workflows_ui.run_index.services import indexes
from workflows_ui.web import messages, responses
from workflows_ui.web.access import launching, member
from workflows_ui.web.requests import ConsoleRequest


@never_cache
@sensitive_post_parameters()
@launching
def flow_launch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Display the form, filled in from the query string, or process it. Raises EngineError, NotFound for a deleted flow."""
    page = form_page.page_for(request, id)
    return _process(page) if request.method == "POST" else _open(page)


def _open(page: LaunchFormPage) -> HttpResponse:
    answers = page.ask_engine()
    prefilled = prefill.requested(page.request, page.flow_id)
    if prefilled is None:
        prefilled = prefill.latest(page.request, page.flow_id, away=answers.away) if page.as_json else prefill.Prefill()
    payload = page.hide(prefilled.payload) if page.as_json else redaction.without_masked(prefilled.payload)
    linked, errors, notes = (
        ({}, {}, []) if page.as_json else prefill.read_link(page.request, page.form, answers.options)
    )
    shown = checking.initial(page.form, payload, zone=timezone.get_current_timezone())
    return page.render(
        answers,
        shown | linked,
        wait=prefilled.wait if prefilled.wait is not None else bool(answers.facts and answers.facts.answers),
        notes=[*prefilled.notes, *prefill.lost(page.form, payload), *notes],
        errors=errors,
        linked=True,
        chosen_credential=prefilled.credential,
    )


def _process(page: LaunchFormPage) -> HttpResponse:
    request = page.request
    live = page.form.live_fields and "_check" not in request.POST
    load = launch_choices.offered if live and page.silence else launch_choices.known
    options = launch_choices.available(request.access, page.flow_id, page.form, load=load) if live else {}
    data = posted.typed(request, page.form, options)
    if posted.changes_lines(request) or "_change" in request.POST:
        return page.render_posted(data, status=200, focus=request.POST.get("_add", ""))
    if page.outdates(data):
        return JsonResponse({}) if "_check" in request.POST else page.render_posted(data, outcome="changed")
    if "_check" in request.POST:
        return JsonResponse(posted.field_errors(request, page.form, data, request.POST["_check"]))
    if "_look" in request.POST:
        return _preview(page, data, options)
    form = posted.check(request, page.form, data, options)
    # By its button, or by Enter if a name for the inputs was typed.
    if "_save" in request.POST or ("_enter" in request.POST and request.POST.get("_save_name", "").strip()):
        return _save(page, form)
    errors = {**form.mask_errors, **form.errors}
    if errors or not page.keep_form.is_valid():
        return page.render_posted(data, errors=errors)
    if not page.credential_options:
        return page.render_posted(data, problem=messages.error_message(clients.NoCredential()))
    if request.POST.get("_credential") and page.chosen_credential is None:
        return page.render_posted(data, outcome="credential_gone")
    if page.builder_form.review and not review.confirmed(page, form):
        return review.render(page, form)
    return _launch(page, form)


def _preview(page: LaunchFormPage, data: Data, options: Options) -> HttpResponse:
    """Display the payload that would be sent, and a link that fills the form. Required fields may be empty."""
    form = posted.check(page.request, checking.optional(page.form), data, options)
    files = [
        field for field in form.checked.form.fields if field.kind is FieldKind.FILE and form.checked.shown[field.name]
    ]
    look = {
        "text": form.as_sent if form.checked.good else "",
        "files": [field.shown_label for field in files],
        "link": prefill.link_to(page.request, page.flow_id, page.form, data),
    }
    return page.render_posted(data, status=200, errors=form.checked.errors, look=look)


def _save(page: LaunchFormPage, form: PostedForm) -> HttpResponse:
    """Save the typed values under a name. Files and secrets are not saved, so missing ones are no error."""
    request, flow_id = page.request, page.flow_id
    skipped = {field.name for field in page.form.fields if field.kind in (FieldKind.FILE, FieldKind.SECRET)}
    errors = {name: text for name, text in form.errors.items() if name not in skipped}
    name = request.POST.get("_save_name", "").strip()
    if errors or not name:
        problem = _("Correct the fields above, then save.") if errors else _("Give the inputs a name.")
        return page.render_posted(form.checked.data, errors=errors, save_error=problem)
    payload = checking.assemble_payload(
        page.form, {name: value for name, value in form.checked.sent.items() if name not in skipped}
    )
    shared = request.POST.get("_save_shared") == "yes"
    try:
        payload = redaction.step(page.hide(payload))
        row = saved_inputs.save(actor(request), request.access, flow_id, name, payload, shared=shared)
    except saved_inputs.TooManySaved:
        problem = _("You have saved %(most)s inputs for this flow. Delete one first.") % {"most": saved_inputs.MOST}
        return page.render_posted(form.checked.data, save_error=problem)
    flash.success(request, _("The inputs are saved as “%(name)s”.") % {"name": row.name})
    query = {"saved": row.pk} | ({"_as": "json"} if request.GET.get("_as") == "json" else {})
    url = reverse("flow_launch", args=[request.access.workspace.slug, flow_id], query=query)
    return responses.redirect(request, url)


def _launch(page: LaunchFormPage, form: PostedForm) -> HttpResponse:
    request, flow_id, payload = page.request, page.flow_id, form.checked.payload
    confirmed = request.POST.get("confirmed") == "yes"
    if page.unclear is not None and request.POST.get("repeated") != "yes":
        return page.render_posted(form.checked.data, reviewed=request.POST.get("_reviewed", ""))
    launch_request = LaunchRequest(
        flow_id=flow_id,
        flow_name=page.posted_name
        or flow_facts.load_facts(engine_session.open_session(request.access).workflows, flow_id).name,
        payload=payload,
        wait=request.POST.get("_how") == "wait",
        ticket=request.POST.get("ticket", ""),
        confirmed=confirmed,
        files=form.files,
        form_version_id=page.version.pk if page.version else None,
        searchable=tuple(form.searchable()),
        secrets=checking.secrets(page.builder_form, payload),
        credential=page.chosen_credential.credential if page.chosen_credential else None,
    )
    try:
        result = _create(request, launch_request, page.keep_form)
    except ValueError:
        return page.render_posted(form.checked.data, outcome="malformed", ticket="")
    if result.launched is not None:
        return responses.redirect_to_view(request, "launch", request.access.workspace.slug, result.launched.pk)
    ticket = "" if result.outcome == Outcome.SPENT else launch_request.ticket
    # What was reviewed need not be reviewed again to be confirmed.
    reviewed = request.POST.get("_reviewed", "")
    return page.render_posted(
        form.checked.data, outcome=result.outcome, earlier=result.launch, ticket=ticket, reviewed=reviewed
    )


def _create(request: ConsoleRequest, launch_request: LaunchRequest, keep: KeepForm) -> LaunchResult:
    """Create the launch and enqueue it; one that is kept until a time is enqueued when it is its turn. Raises ValueError for a malformed
    ticket."""
    if keep.keep_until is not None:
        run = indexes.latest_run(request.access.workspace.pk, launch_request.flow_id)
        version = run.version_id if run else ""
        launch_request = replace(launch_request, keep_until=keep.keep_until, flow_version=version)
    result = launches.create(actor(request), request.access, launch_request)
    if result.outcome == Outcome.CREATED and result.launch is not None and not result.launch.kept:
        tasks.enqueue(result.launch.pk)
    return result


@member(Role.LAUNCHER, guests=True)
def launch_again(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Launch the same inputs again, as the current person, or keep them as a launch for an engine that does not answer. GET redirects
    to the form filled with these inputs.

    Redirects to the form, which displays the reason, also if the inputs were removed or the person has no credential.
    """
    rows = launches.visible_launches(request.access).select_related("workspace", "form_version")
    row = get_object_or_404(rows, pk=id)
    form = reverse("flow_launch", args=[slug, row.flow_id], query={"from": row.pk})
    if request.method != "POST" or access.credential(request.access.user, request.access.workspace) is None:
        return responses.redirect(request, form)
    keep = KeepForm(request.POST)
    if not keep.is_valid():
        flash.warning(request, _("Nothing was launched: choose a time that is not over yet."))
        return responses.redirect_to_view(request, "launch", slug, row.pk)
    result = _run_again(request, row, keep) if LaunchPage(row, request.access).can_run_again else None
    if result is not None and result.launch is not None:
        return responses.redirect_to_view(request, "launch", slug, result.launch.pk)
    if result is not None and result.outcome in _NOT_AGAIN:
        flash.warning(request, str(_NOT_AGAIN[result.outcome]))
        return responses.redirect_to_view(request, "launch", slug, row.pk)
    flash.warning(request, _("Nothing was launched. Look at the inputs, and launch from here."))
    return responses.redirect(request, form)


_NOT_AGAIN = {
    Outcome.TOO_OFTEN: gettext_lazy(
        "Nothing was launched: you have launched too often within a minute. Wait a minute."
    ),
    Outcome.PAUSED: gettext_lazy("Nothing was launched: launching is paused in this workspace."),
}


def _run_again(request: ConsoleRequest, row: Launch, keep: KeepForm) -> LaunchResult | None:
    """The result; None if the inputs cannot be opened, and for a malformed ticket."""
    # The credential that was chosen then, if the person may still use it, else the one that acts for them.
    options = access.credential_options(request.access.user, request.access.workspace) if row.credential_chosen else []
    credentials = (option.credential for option in options if option.credential.pk == row.credential_id)
    try:
        launch_request = LaunchRequest(
            flow_id=row.flow_id,
            flow_name=row.flow_name,
            payload=launches.open_payload(row),
            wait=row.wait,
            ticket=request.POST.get("ticket", ""),
            confirmed=True,
            form_version_id=row.form_version_id,
            searchable=tuple(row.inputs.order_by("pk").values_list("name", "label", "text")),
            credential=next(credentials, None),
        )
        return _create(request, launch_request, keep)
    except (CannotOpen, ValueError):
        return None

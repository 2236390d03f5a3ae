"""Launching by a flow's own form: filled in by a person, by a link, from an earlier launch or from saved inputs; checked field by field.

Sending it needs no engine, and whatever stands in the way, nothing typed is lost. Browsers give files once: with htmx their inputs stay
in the page, without it the page says which to choose again.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from workflows_ui import tasks
from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError, NotFound, Timeouts
from workflows_ui.forming import changes, checking
from workflows_ui.forming.cells import Data
from workflows_ui.forming.checking import Checked, Shown
from workflows_ui.forming.document import NOTHING, Form, Kind
from workflows_ui.forms import launch_fields, launch_files
from workflows_ui.forms.launches import START, WAIT, name_of, signed_name
from workflows_ui.kit import caller, flow_facts, launch_choices, markdown, respond, upload_limit, words
from workflows_ui.kit.flow_facts import Facts
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import LaunchFormVersion
from workflows_ui.services import access, clients, launches, payloads
from workflows_ui.services.launches import Order, Outcome
from workflows_ui.views import filling_links, launch_beside

_log = logging.getLogger(__name__)
#: What the engine says around a form of our own is waited for so long.
PATIENCE = Timeouts(connect=3.0, read=6.0, total=6.0, pause=1.0)
_TEMPLATE = "launches/by_form.html"


@dataclass(frozen=True)
class Sheet:
    """The form that is being filled in. `version` is None for one that nobody has reviewed: then `shape` is its signed document.

    `facts` are the flow's, where they had to be asked for anyway.
    """

    form: Form
    version: LaunchFormVersion | None = None
    shape: str = ""
    facts: Facts | None = None


@dataclass
class Around:
    """What the engine says, as far as it can be asked: the flow's facts, the live choices, and the words for what went wrong."""

    facts: Facts | None = None
    options: launch_choices.Choices = field(default_factory=dict)
    problem: words.Words | None = None


def serve(request: ConsoleRequest, id: str, sheet: Sheet) -> HttpResponse:
    """Shows the form or takes it. Raises NotFound for a flow that is gone."""
    sheet = replace(sheet, form=launch_fields.launchable(sheet.form))
    return _take(request, id, sheet) if request.method == "POST" else _show(request, id, sheet)


# --- Opening it ------------------------------------------------------------------------------------


def _show(request: ConsoleRequest, id: str, sheet: Sheet) -> HttpResponse:
    around = _around(request, id, sheet)
    start = launch_beside.start(request, id, sheet.form)
    zone = timezone.get_current_timezone()
    shown = checking.initial(sheet.form, start.payload, zone=zone)
    link = filling_links.read(request, sheet.form, around.options)
    wait = start.wait if start.wait is not None else bool(around.facts and around.facts.answers)
    return _page(
        request,
        id,
        sheet,
        around,
        shown | link.shown,
        how=WAIT if wait else START,
        told=[*start.told, *link.told],
        errors=link.errors,
        linked=True,
    )


def _around(request: ConsoleRequest, id: str, sheet: Sheet, *, sent: bool = False) -> Around:
    """Asks about the flow and for live choices; of an engine that is slow or down, what is known of the choices. Raises NotFound only."""
    found = Around()
    try:
        # A form that is our own is not kept waiting for what an engine says around it.
        asker = caller.of(request.access, timeouts=PATIENCE if sheet.version is not None else None)
        found.options = launch_choices.offered(asker, id, sheet.form)
        found.facts = replace(sheet.facts or flow_facts.ask(asker.workflows, id), fielded=bool(sheet.form.fields))
        found.options = (launch_choices.known if sent else launch_choices.of)(asker, id, sheet.form)
    except NotFound:
        raise
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        _log.info("launch form without facts: %r", problem)
        found.problem = words.of_error(problem)
    return found


# --- Taking it -------------------------------------------------------------------------------------


@dataclass
class _Sent:
    """A form that was sent: what was typed, what it comes to, and the files."""

    data: dict[str, Sequence[str]]
    checked: Checked
    files: launch_files.Files

    @property
    def errors(self) -> dict[str, str]:
        return {**self.checked.errors, **self.files.errors}


def _take(request: ConsoleRequest, id: str, sheet: Sheet) -> HttpResponse:
    options = _known_options(request, id, sheet.form)
    data = launch_fields.tidied(sheet.form, dict(request.POST.lists()), options)
    if "_add" in request.POST or "_remove" in request.POST:
        lines = {"add": request.POST.get("_add", ""), "remove": request.POST.get("_remove", "")}
        data = launch_fields.with_lines(sheet.form, data, **lines)
        return _again(request, id, sheet, data, status=200, focus=lines["add"])
    if sheet.version is not None and request.POST.get("_version") != sheet.version.pk:
        return _again(request, id, sheet, data, outcome="changed")
    if "_look" in request.POST:
        return _look(request, id, sheet, data, options)
    sent = _checked(request, sheet.form, data, options)
    if launch_beside.wants_to_save(request):
        return _save(request, id, sheet, sent)
    if sent.errors:
        return _again(request, id, sheet, data, errors=sent.errors)
    place = request.access
    if access.credential(place.user, place.workspace) is None:
        return _again(request, id, sheet, data, problem=words.of_error(clients.NoCredential()))
    return _launch(request, id, sheet, sent)


def _checked(request: ConsoleRequest, form: Form, data: Data, options: launch_choices.Choices) -> _Sent:
    zone = timezone.get_current_timezone()
    uploads = launch_files.uploaded(request)
    checked = checking.check(form, data, files=uploads, options=options, zone=zone)
    return _Sent(dict(data), checked, launch_files.take(form, uploads, checked.shown, upload_limit.skipped(request)))


def _launch(request: ConsoleRequest, id: str, sheet: Sheet, sent: _Sent) -> HttpResponse:
    place = request.access
    order = Order(
        flow_id=id,
        flow_name=name_of(place.workspace, id, request.POST.get("_flow", ""))
        or flow_facts.ask(caller.of(place).workflows, id).name,
        payload=sent.checked.payload,
        wait=request.POST.get("_how") == WAIT,
        ticket=request.POST.get("ticket", ""),
        confirmed=request.POST.get("confirmed") == "yes",
        files=tuple(sent.files.files),
        form_version=sheet.version,
        searchable=tuple(launch_fields.searchable(sheet.form, sent.checked.sent)),
    )
    try:
        asked = launches.ask(actor(request), place, order)
    except ValueError:
        return _again(request, id, sheet, sent.data, outcome="malformed")
    if asked.outcome == Outcome.CREATED and asked.launch is not None:
        tasks.ring(asked.launch.pk)
    if asked.outcome in {Outcome.CREATED, Outcome.EXISTING} and asked.launch is not None:
        return respond.redirect(request, reverse("launch", args=[place.workspace.slug, asked.launch.pk]))
    ticket = "" if asked.outcome == Outcome.SPENT else order.ticket
    return _again(request, id, sheet, sent.data, outcome=asked.outcome, earlier=asked.launch, ticket=ticket)


def _look(request: ConsoleRequest, id: str, sheet: Sheet, data: Data, options: launch_choices.Choices) -> HttpResponse:
    """What would be sent as things are, and the link that fills the form so. Nothing has to be complete for it."""
    form = checking.optional(sheet.form)
    checked = checking.check(form, data, options=options, zone=timezone.get_current_timezone())
    look = {
        "text": payloads.pretty(checked.payload) if checked.good else "",
        "files": [one.shown_label for one in form.fields if one.kind is Kind.FILE and one.name in checked.shown],
        "link": filling_links.made(request, id, sheet.form, data),
    }
    errors = {} if checked.good else dict(checked.errors)
    return _again(request, id, sheet, data, status=200, errors=errors, look=look)


def _save(request: ConsoleRequest, id: str, sheet: Sheet, sent: _Sent) -> HttpResponse:
    """Saves what is typed under a name. Files cannot be saved, so one that is missing does not stand in the way."""
    files = {one.name for one in sheet.form.fields if one.kind is Kind.FILE}
    errors = {name: text for name, text in sent.checked.errors.items() if name not in files}
    if errors:
        told = _("Correct the fields above, then save.")
        return _again(request, id, sheet, sent.data, errors=errors, save_error=told)
    payload = sent.checked.payload
    if payload is NOTHING:
        payload = checking.assembled(sheet.form, sent.checked.sent)
    saved = launch_beside.save(request, id, payload)
    return _again(request, id, sheet, sent.data, save_error=saved) if isinstance(saved, str) else saved


def _known_options(request: ConsoleRequest, id: str, form: Form) -> launch_choices.Choices:
    """The live choices for a form that was sent, as far as they are known or can be had."""
    if not any(one.choices_from for one in form.fields):
        return {}
    try:
        return launch_choices.known(caller.of(request.access), id, form)
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        _log.info("launch form without choices: %r", problem)
        return {}


# --- The page --------------------------------------------------------------------------------------


def _again(
    request: ConsoleRequest, id: str, sheet: Sheet, data: Data, *, status: int = 422, **context: Any
) -> HttpResponse:
    """The form with everything typed, whether or not the engine can be asked at the moment."""
    # A line that is added in place needs nothing of what the engine knows.
    around = (
        Around() if context.get("focus") and respond.is_fragment(request) else _around(request, id, sheet, sent=True)
    )
    problem = context.pop("problem", None)
    if problem is not None:
        around.problem = problem
    ticket = context.pop("ticket", request.POST.get("ticket", "") if context.get("outcome") != "malformed" else "")
    how = WAIT if request.POST.get("_how") == WAIT else START
    context["save"] = launch_beside.typed_save(request)
    shown = checking.typed(sheet.form, data)
    return _page(request, id, sheet, around, shown, how=how, ticket=ticket, status=status, **context)


def _page(
    request: ConsoleRequest,
    id: str,
    sheet: Sheet,
    around: Around,
    shown: Mapping[str, Shown],
    *,
    how: str,
    ticket: str = "",
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    focus: str = "",
    **context: Any,
) -> HttpResponse:
    name = around.facts.name if around.facts else name_of(request.access.workspace, id, request.POST.get("_flow", ""))
    name = name or (sheet.version.form.flow_name if sheet.version else "") or id
    # With htmx the inputs of files stay in the page with what was chosen.
    lost = (
        {}
        if respond.is_fragment(request)
        else {key: file.name or "" for key, file in launch_files.uploaded(request).items()}
    )
    view = launch_fields.view(sheet.form, shown, errors=errors, options=around.options, files=lost, focus=focus)
    whole = (errors or {}).get("", "")
    context |= {
        **launch_beside.common(request, id, name, around.facts),
        "form_view": view,
        "sheet": sheet,
        "note": markdown.html(sheet.form.note),
        "how": how,
        "ticket": ticket or launches.ticket(),
        "signed": signed_name(request.access.workspace, id, name),
        "whole_error": whole,
        "lacking": _lacking(sheet, around.facts),
        "problem": around.problem,
        "beside": launch_beside.beside(request, id),
    }
    context.setdefault("outcome", "")
    context.setdefault("told", [])
    context.setdefault("look", None)
    context.setdefault("save", {"name": "", "shared": False})
    context.setdefault("save_error", "")
    context.setdefault("linked", False)
    return respond.page(request, _TEMPLATE, context, status=status)


def _lacking(sheet: Sheet, facts: Facts | None) -> str:
    """What the flow reads by now and a published form does not send, as its launcher should know; empty for nothing."""
    if sheet.version is None or facts is None:
        return ""
    missing = changes.fit(sheet.form, facts.tree).missing
    return ", ".join(" › ".join(str(key)[:40] for key in one.path) for one in missing[:5])

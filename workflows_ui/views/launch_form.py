"""The form that launches a flow. Opening it asks the engine about the flow; sending it only writes the launch down.

So a launch can be asked for while the engine is down, and whatever stands in its way, nothing typed is lost.
"""

import logging
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import path, reverse

from workflows_ui import tasks
from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.forms.launches import START, WAIT, LaunchForm, signed_name
from workflows_ui.kit import caller, flow_facts, payload_words, respond, words
from workflows_ui.kit.access import launching
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.flow_facts import Facts
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Launch, Role
from workflows_ui.services import access, clients, launch_forms, launches, payloads
from workflows_ui.services.launches import Order, Outcome
from workflows_ui.views import launch_beside, launch_by_form, proposed_form
from workflows_ui.views.launch_by_form import Sheet

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Start:
    """What the form is filled with, and where that comes from: a word of launches/form.html, empty for nothing to tell."""

    text: str
    wait: bool
    source: str = ""


@launching
def flow_launch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Shows the form (`?from=<launch>` fills it with that launch's values), or takes it."""
    sheet = _sheet(request, id)
    if sheet is not None:
        return launch_by_form.serve(request, id, sheet)
    if request.method == "POST":
        return _take(request, id)
    asker = caller.of(request.access)
    facts = flow_facts.ask(asker.workflows, id)
    start = _start(request, asker, facts, id)
    form = LaunchForm(
        initial={
            "payload": start.text,
            "how": WAIT if start.wait else START,
            "ticket": launches.ticket(),
            "flow": signed_name(request.access.workspace, id, facts.name),
        }
    )
    return _page(request, id, form, facts, source=start.source)


def _sheet(request: ConsoleRequest, id: str) -> Sheet | None:
    """The form to fill in: the published one; where there is none, for launchers, the one that follows from the flow's steps.

    None where the values are to be typed as JSON: a builder wants to (`?_as=json`), or nobody has made a form and none follows.
    """
    place = request.access
    as_json = request.GET.get("_as") == "json"
    builder = place.allows(Role.BUILDER)
    if as_json and builder:
        return None
    try:
        found = launch_forms.published(place.workspace, id)
    except CannotOpen:
        _log.exception("the launch form of %s cannot be opened", id)
        return None
    if found is not None:
        return Sheet(found[1], found[0])
    if request.method == "POST":
        return proposed_form.sent(place.workspace, id, request.POST.get("_shape", ""))
    return None if as_json or builder else proposed_form.of(request, id)


def _take(request: ConsoleRequest, id: str) -> HttpResponse:
    form = LaunchForm(request.POST)
    saving = launch_beside.wants_to_save(request)
    if not form.is_valid():
        if "ticket" in form.errors or "how" in form.errors:
            form.renew(launches.ticket(), how=form.data.get("how") or START)
        return _again(request, id, form, saving=saving)
    if saving:
        saved = launch_beside.save(request, id, form.value)
        return _again(request, id, form, save_error=saved) if isinstance(saved, str) else saved
    place = request.access
    if access.credential(place.user, place.workspace) is None:
        return _again(request, id, form, problem=words.of_error(clients.NoCredential()))
    order = Order(
        flow_id=id,
        flow_name=form.flow_name(place.workspace, id) or flow_facts.ask(caller.of(place).workflows, id).name,
        payload=form.value,
        wait=form.wait,
        ticket=form.cleaned_data["ticket"],
        confirmed=request.POST.get("confirmed") == "yes",
    )
    try:
        asked = launches.ask(actor(request), place, order)
    except ValueError:
        form.renew(launches.ticket())
        return _again(request, id, form, outcome="malformed")
    if asked.outcome == Outcome.CREATED and asked.launch is not None:
        tasks.ring(asked.launch.pk)
    if asked.outcome in {Outcome.CREATED, Outcome.EXISTING} and asked.launch is not None:
        return respond.redirect(request, reverse("launch", args=[place.workspace.slug, asked.launch.pk]))
    if asked.outcome == Outcome.SPENT:
        form.renew(launches.ticket())
    return _again(request, id, form, outcome=asked.outcome, earlier=asked.launch)


def _again(request: ConsoleRequest, id: str, form: LaunchForm, **context: Any) -> HttpResponse:
    """The form with everything typed, whether or not the engine can be asked about the flow at the moment. Raises NotFound."""
    facts: Facts | None = None
    try:
        facts = flow_facts.ask(caller.of(request.access).workflows, id)
        form.renew(form.data.get("ticket", ""), flow=signed_name(request.access.workspace, id, facts.name))
    except (EngineError, clients.NoCredential, CannotOpen) as problem:
        # Without a code it was not the engine that said so, but perhaps something in between.
        if isinstance(problem, NotFound) and problem.code:
            raise
        _log.info("launch form without facts: %r", problem)
        context.setdefault("problem", words.of_error(problem))
    return _page(request, id, form, facts, status=422, **context)


def _page(
    request: ConsoleRequest, id: str, form: LaunchForm, facts: Facts | None, *, status: int = 200, **context: Any
) -> HttpResponse:
    name = facts.name if facts else form.flow_name(request.access.workspace, id) or id
    as_json = request.GET.get("_as") == "json"
    context |= {
        **launch_beside.common(request, id, name, facts),
        "form": form,
        "as_json": as_json,
        "send_as": "?_as=json" if as_json else "",
        "hints": payload_words.HINTS,
        "problems": payload_words.PROBLEMS,
        "beside": launch_beside.beside(request, id),
        "save": launch_beside.typed_save(request),
    }
    return respond.page(request, "launches/form.html", context, status=status)


def _start(request: ConsoleRequest, asker: Caller, facts: Facts, id: str) -> Start:
    """The values of the launch that is named, else of the last one, else of the flow's sample event, else `{}`."""
    place = request.access
    wanted = request.GET.get("from", "")
    named = launches.of_workspace(place).filter(pk=wanted, flow_id=id).first() if wanted else None
    if named is not None:
        text = _values(named)
        return Start(text or "{}", named.wait, "named" if text else "named_gone")
    saved = launch_beside.saved_payload(request, id)
    if saved is not None:
        return Start(payloads.pretty(saved), facts.answers, "saved")
    last = launches.of_workspace(place).filter(user=place.user, flow_id=id).first()
    wait = last.wait if last is not None else facts.answers
    try:
        value = launches.last_payload(place.user, place.workspace, id)
    except CannotOpen:
        value = None
    if value is not None:
        return Start(payloads.pretty(value), wait, "last")
    sample = _sample(asker, id)
    return Start(payloads.pretty(sample), wait, "sample") if sample is not None else Start("{}", wait)


def _values(launch: Launch) -> str:
    """A launch's values as text; empty where they are no longer kept or cannot be opened."""
    try:
        return payloads.pretty(launches.shown_payload(launch)) if launch.payload else ""
    except CannotOpen:
        return ""


def _sample(asker: Caller, id: str) -> Any | None:
    try:
        return flow_facts.sample(asker.workflows.list_trigger_events(id, limit=1))
    except EngineError as problem:
        _log.info("launch form without a sample: %r", problem)
        return None


urlpatterns = [path("w/<slug:slug>/flows/<str:id>/launch/", flow_launch, name="flow_launch")]

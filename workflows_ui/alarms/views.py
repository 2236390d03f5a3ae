"""Alarms: the list, the page of one, and the mutes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_ui.alarms import folding, messages as texts, services, subscriptions, tables
from workflows_ui.alarms.forms import FilterForm
from workflows_ui.alarms.models import Alarm, AlarmKind, AlarmWatch, FlowRhythm
from workflows_ui.alarms.page import without_index
from workflows_ui.audit.requests import actor
from workflows_ui.core import clock
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.engine import AddressRefused
from workflows_ui.failures import services as failures
from workflows_ui.failures.services import Pattern
from workflows_ui.failures.tables import failure_list
from workflows_ui.launches.services import watching
from workflows_ui.lists import list_page, local_lists
from workflows_ui.members.models import Role
from workflows_ui.notifications.models import WatchKind
from workflows_ui.resource_admin.places import flow_url, list_url, run_url
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: Days before the alarm whose runs its page links to.
_DAYS = timedelta(days=7)
#: Quiet flows that the page of an alarm about many lists.
_FLOWS = 100
#: Failures that it names.
_FAILURES = 3


@require_safe
@member(Role.VIEWER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The open alarms, then those that ended. Without the run index, the page that explains it."""
    index = indexes.for_access(request.access)
    if index is None:
        return without_index(request)
    found = services.listed(index)
    kind, form = tables.Alarms(), FilterForm(request.GET, alarms=found)
    current = list_page.requested(request, kind, form)
    page = kind.page(form.chosen(found) if current.valid else (), current)
    page = replace(page, warning=texts.gap(AlarmWatch.objects.filter(index=index).first(), clock.now()))
    if len(found) >= services.MOST:
        text = _("There may be more than %(n)d. Those that began last are listed.")
        page = replace(page, notice=text % {"n": services.MOST})
    return list_page.respond(
        request,
        current,
        page,
        above_template="alarms/above.html",
        muted=services.muted(index).count(),
        manages=request.access.allows(Role.MANAGER),
        subscription=_subscriptions(request),
    )


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The list as a file. Audited."""
    index = indexes.for_access(request.access)
    found = services.listed(index) if index else []
    form = FilterForm(request.GET, alarms=found)
    if index is None or not form.is_valid():
        return responses.redirect_to_view(request, "alarms", slug)
    return local_lists.file(request, tables.Alarms(), form.chosen(found), kind, form)


def _subscriptions(request: ConsoleRequest) -> dict[str, bool]:
    """Whether the person is notified of every alarm, and of those of their own flows."""
    user, workspace = request.user, request.access.workspace
    return {
        "watched": watching.is_watching(user, workspace, WatchKind.ALARMS, ""),
        "watches_own": watching.is_watching(user, workspace, WatchKind.OWN_ALARMS, ""),
    }


@require_POST
@member(Role.VIEWER)
def watch(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Notify this person of every alarm of the workspace, or, with `stop`, not any more. Who subscribes sees the open ones."""
    workspace, index = request.access.workspace, indexes.for_access(request.access)
    if "stop" in request.POST:
        subscriptions.leave(request.user, workspace)
        messages.success(request, _("You will not be notified of alarms any more, except of flows that you follow."))
    elif index is not None:
        subscriptions.subscribe(request.user, workspace)
        number = len(services.opened(index))
        now = ngettext("%(n)d alarm is open now.", "%(n)d alarms are open now.", number) % {"n": number}
        text = _("You will be notified of every alarm, as your notification settings say.")
        messages.success(request, f"{text} {now if number else _('None is open now.')}")
    return responses.redirect_to_view(request, "alarms", slug)


def _lookup(request: ConsoleRequest, alarm_id: int) -> tuple[RunIndex, Alarm] | None:
    """The index and the alarm; None, whatever the id, if the person may not see the index. Raises Http404."""
    index = indexes.for_access(request.access)
    if index is None:
        return None
    return index, get_object_or_404(services.of_index(index), pk=alarm_id)


def _quiet_flows(row: Alarm) -> Sequence[FlowRhythm]:
    """The flows that are quiet now, of an open alarm about many."""
    if row.kind != AlarmKind.MANY or row.ended_at is not None:
        return ()
    return list(folding.flows_of(row, clock.now()).only("flow_id", "name", "last_run_at")[:_FLOWS])


@never_cache
@require_safe
@member(Role.VIEWER)
def alarm(request: ConsoleRequest, slug: str, alarm_id: int) -> HttpResponse:
    """The page of an alarm: the problem, the runs of that time, and muting. The list, if the person may not see the index."""
    found = _lookup(request, alarm_id)
    if found is None:
        return responses.redirect_to_view(request, "alarms", slug)
    index, row = found
    until = row.ended_at or clock.now()
    days = [timezone.localtime(moment).date().isoformat() for moment in (row.since - _DAYS, until)]
    flow = {"flow": row.flow_id} if row.flow_id else {}
    run = row.facts.get("run") if isinstance(row.facts, dict) and row.kind == AlarmKind.LONGER else None
    context = {
        "alarm": row,
        "sentence": texts.sentence(row.kind, row.facts),
        "detail": texts.detail(row.kind, row.facts),
        "end": texts.reason(row.kind, row.end),
        "since": texts.time(row.since),
        "place": texts.place(),
        "next_step": texts.next_step(row.kind) if row.ended_at is None else "",
        "effect": texts.effect(row.kind),
        "failures": _failures(request, index, row),
        "failures_url": _failures_url(request, row),
        "runs_url": list_url(slug, "runs", **flow, since=days[0], until=days[1]),
        "by_hand": row.ended_at is None and row.kind in {AlarmKind.QUIET, AlarmKind.MISSED},
        "run_url": run_url(slug, run) if isinstance(run, str) else "",
        "flow_url": flow_url(slug, row.flow_id) if row.flow_id else "",
        "flows": [(other, flow_url(slug, other.flow_id)) for other in _quiet_flows(row)],
        "most": _FLOWS,
        "muted": services.is_muted(index, (row.kind, row.flow_id)),
        "builds": request.access.allows(Role.BUILDER),
        "subscription": _subscriptions(request),
    }
    return responses.page(request, "alarms/alarm.html", context)


def _failures(request: ConsoleRequest, index: RunIndex, row: Alarm) -> Sequence[Pattern]:
    """The failures of the flow since the alarm's problem began, the most frequent first, with their errors as the person may see them."""
    if row.kind != AlarmKind.FAILING or not request.access.sees("failures"):
        return ()
    until = row.ended_at or clock.now()
    found = [
        pattern
        for pattern in failures.patterns(index)[0]
        if pattern.newest.flow_id == row.flow_id and pattern.failed_at >= row.since and pattern.first <= until
    ]
    found = sorted(found, key=lambda pattern: -pattern.number)[:_FAILURES]
    try:
        return failure_list(engine_session.open_session(request.access)).masked(None, found) if found else ()
    except (clients.NoCredential, CannotOpen, AddressRefused):
        return found


def _failures_url(request: ConsoleRequest, row: Alarm) -> str:
    """The list of the failures of an alarm's flow; "" for other alarms."""
    if row.kind != AlarmKind.FAILING or not request.access.sees("failures"):
        return ""
    return reverse("failures", args=[request.access.workspace.slug], query={"flow": row.flow_id, "state": "all"})


@require_POST
@member(Role.BUILDER)
def mute(request: ConsoleRequest, slug: str, alarm_id: int) -> HttpResponse:
    found = _lookup(request, alarm_id)
    if found is None or not found[1].flow_id:
        return responses.redirect_to_view(request, "alarms", slug)
    services.mute(actor(request), *found)
    messages.success(request, _("This type of alarm is muted for this flow."))
    return responses.redirect_to_view(request, "alarm", slug, alarm_id)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.BUILDER)
def answer(request: ConsoleRequest, slug: str, alarm_id: int) -> HttpResponse:
    """Ask whether the alarm was right, with a button for each answer: mails link to it. Note the answer."""
    found = _lookup(request, alarm_id)
    if found is None:
        return responses.redirect_to_view(request, "alarms", slug)
    index, row = found
    if request.method != "POST" and row.asks:
        context = {"alarm": row, "effect": texts.effect(row.kind), "sentence": texts.sentence(row.kind, row.facts)}
        return responses.page(request, "alarms/answer.html", context | {"since": texts.since(row.since)})
    given = request.POST.get("answer")
    if given in {"right", "false"} and services.answer(actor(request), index, row, given == "false"):
        messages.success(request, _("Your answer is saved."))
    return responses.redirect_to_view(request, "alarm", slug, alarm_id)


@never_cache
@require_safe
@member(Role.VIEWER)
def muted(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The mutes, which builders can undo."""
    index = indexes.for_access(request.access)
    if index is None:
        return without_index(request)
    rows = [(row, AlarmKind(row.kind).label, flow_url(slug, row.flow_id)) for row in services.muted(index)]
    return responses.page(request, "alarms/muted.html", {"rows": rows, "builds": request.access.allows(Role.BUILDER)})


@require_POST
@member(Role.BUILDER)
def unmute(request: ConsoleRequest, slug: str, mute_id: int) -> HttpResponse:
    index = indexes.for_access(request.access)
    if index is None:
        return responses.redirect_to_view(request, "alarms", slug)
    if services.unmute(actor(request), index, get_object_or_404(services.muted(index), pk=mute_id)):
        messages.success(request, _("This type of alarm is on again for this flow."))
    return responses.redirect_to_view(request, "alarms_muted", slug)

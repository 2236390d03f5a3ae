"""Channels for alarms, for managers who may see the run index, since its data is sent there."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language, gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_ui.alarms import channels, tasks
from workflows_ui.alarms.channel_forms import ChannelForm
from workflows_ui.alarms.failure_posts import FAILURE
from workflows_ui.alarms.messages import trouble
from workflows_ui.alarms.models import TEST, AlarmChannel, AlarmKind
from workflows_ui.alarms.page import without_index
from workflows_ui.audit.requests import actor
from workflows_ui.core import broker
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.members.models import Role
from workflows_ui.run_index.services import indexes
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

View = Callable[..., HttpResponse]


def _seeing_index(view: View) -> View:
    """Admit people who may see the run index, if there is one; others get the page that explains it. The view gets the channel instead
    of its id.
    """

    @wraps(view)
    def checked(request: ConsoleRequest, slug: str, **ids: UUID) -> HttpResponse:
        rows = channels.of_workspace(request.access.workspace)
        found = [get_object_or_404(rows, pk=channel_id) for channel_id in ids.values()]
        for row in found:
            row.workspace = request.access.workspace
        # Without an index, rules for failures post those of launches.
        if hasattr(request.access.workspace, "run_index") and indexes.for_access(request.access) is None:
            return without_index(request)
        return view(request, slug, *found)

    return checked


def _kinds(row: AlarmChannel) -> str:
    return ", ".join(str(kind.label) for kind in AlarmKind if kind in row.kinds)


@never_cache
@require_safe
@member(Role.MANAGER)
@_seeing_index
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    failing = channels.in_trouble(request.access.workspace)
    rows = [(row, _kinds(row), row.pk in failing) for row in channels.of_workspace(request.access.workspace)]
    return responses.page(request, "alarms/channels.html", {"rows": rows, "full": len(rows) >= channels.CHANNELS})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.MANAGER)
@_seeing_index
def add(request: ConsoleRequest, slug: str) -> HttpResponse:
    """GET: the form. POST: add a channel; the answer shows the key of its signatures once."""
    workspace = request.access.workspace
    form = ChannelForm(request.POST or None, initial={"language": get_language()})
    if request.method == "POST" and channels.of_workspace(workspace).count() >= channels.CHANNELS:
        messages.error(request, _("There are enough channels. Remove one first."))
        return responses.redirect_to_view(request, "alarm_channels", slug)
    if request.method != "POST" or not form.is_valid():
        return responses.form_page(request, "alarms/channel_add.html", form)
    row, key = channels.add(actor(request), workspace, **form.cleaned_data)
    if key:
        return responses.page(request, "alarms/channel_key.html", {"channel": row, "key": key})
    messages.success(request, _("The channel is added. Send a test message to it."))
    return responses.redirect_to_view(request, "alarm_channel", slug, row.pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.MANAGER)
@_seeing_index
def channel(request: ConsoleRequest, slug: str, row: AlarmChannel) -> HttpResponse:
    """GET: a channel with its latest messages. POST: change it."""
    initial = {name: getattr(row, name) for name in ("name", "kinds", "causes", "language", "paused")}
    form = ChannelForm(request.POST or None, initial=initial, channel=row)
    if request.method == "POST" and form.is_valid():
        try:
            channels.change(actor(request), row, **form.cleaned_data)
        except CannotOpen:
            messages.error(request, _("This channel was changed outside of the console. Remove it and add it again."))
        else:
            messages.success(request, _("The channel is changed."))
        return responses.redirect_to_view(request, "alarm_channel", slug, row.pk)
    deliveries = list(row.deliveries.order_by("-created_at", "-pk")[: channels.SHOWN])
    context = {
        "channel": row,
        "messages_sent": [(sent, _event(sent.event), trouble(sent.trouble, sent.status)) for sent in deliveries],
        "given_up": any(sent.state == "given_up" for sent in deliveries),
        "moved": row.moves != row.workspace.moves,
    }
    return responses.form_page(request, "alarms/channel.html", form, context)


def _event(event: str) -> str:
    if event == TEST:
        return _("Test message")
    if event == FAILURE:
        return _("A flow failed")
    return _("An alarm began") if event.startswith("opened") else _("An alarm ended")


@require_POST
@member(Role.MANAGER)
@_seeing_index
def test(request: ConsoleRequest, slug: str, row: AlarmChannel) -> HttpResponse:
    delivery = channels.send_test(actor(request), row)
    broker.enqueue(tasks.send, str(delivery.pk))
    messages.success(request, _("A test message is on its way. Its result is shown here."))
    return responses.redirect_to_view(request, "alarm_channel", slug, row.pk)


@require_POST
@member(Role.MANAGER)
@_seeing_index
def resend(request: ConsoleRequest, slug: str, row: AlarmChannel) -> HttpResponse:
    """Enqueue the messages that were given up."""
    number = channels.send_again(actor(request), row)
    text = ngettext("%(n)d message is sent again.", "%(n)d messages are sent again.", number)
    messages.success(request, text % {"n": number})
    return responses.redirect_to_view(request, "alarm_channel", slug, row.pk)


@require_POST
@member(Role.MANAGER)
@_seeing_index
def remove(request: ConsoleRequest, slug: str, row: AlarmChannel) -> HttpResponse:
    channels.remove(actor(request), row)
    messages.success(request, _("The channel is removed."))
    return responses.redirect_to_view(request, "alarm_channels", slug)

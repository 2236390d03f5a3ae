"""A person's notifications: the page, the counter in the top bar, and subscriptions."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import EngineError
from workflows_ui.launches import flow_facts
from workflows_ui.launches.services import launches, watching
from workflows_ui.lists import list_page, local_lists
from workflows_ui.members.models import Role
from workflows_ui.notification_mails.causes import find_causes
from workflows_ui.notifications import page as follow_page, services as notifications, tables
from workflows_ui.notifications.forms import NotificationSettingsForm
from workflows_ui.notifications.models import Notice, WatchKind
from workflows_ui.web import responses
from workflows_ui.web.access import closed, member, signed_in
from workflows_ui.web.elements import Button
from workflows_ui.web.requests import ConsoleRequest


@require_safe
@signed_in
def listing(request: ConsoleRequest) -> HttpResponse:
    """List the person's notifications, newest first. Every page loads the fragment `bell`."""
    if responses.requested_fragment(request) == "bell":
        return responses.page(request, "notifications/bell.html")
    kind = _notice_list(request)
    current = list_page.requested(request, kind)
    page = kind.page(notifications.visible_notifications(request.user), current)
    lines: Sequence[Any] = page.rows
    read = Button(_("Mark all as read"), "check-check", reverse("notices_read"), is_action=True, posts=True)
    return list_page.respond(
        request,
        current,
        page,
        above_template="notifications/above.html",
        muted=follow_page.muted_texts(request.user, partial(closed, request, request.user)),
        below_template="notifications/below.html",
        rest=[read] if any(not line.notice.read_at for line in lines) else [],
    )


@never_cache
@require_safe
@signed_in
def file(request: ConsoleRequest, kind: str) -> HttpResponseBase:
    """The person's notifications as a file. Audited."""
    rows = notifications.visible_notifications(request.user)
    return local_lists.file(request, _notice_list(request), rows, kind)


def _notice_list(request: ConsoleRequest) -> tables.Notices:
    user = request.user
    return tables.notice_list(
        partial(closed, request, user), lambda rows, closed: find_causes(user, rows, closed=closed)
    )


@signed_in
def open_one(request: ConsoleRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Notice, pk=pk, user=request.user)
    if request.method == "POST":
        notifications.read(request.user, row.pk)
    return responses.redirect(request, row.url)


@signed_in
def read_all(request: ConsoleRequest) -> HttpResponse:
    if request.method == "POST":
        notifications.read(request.user)
    return responses.redirect_to_view(request, "notices")


@signed_in
def notification_settings(request: ConsoleRequest) -> HttpResponse:
    """Choose whether and when notifications are mailed. Mails that wait follow the new choice."""
    person = User.objects.get(pk=request.user.pk)
    form = NotificationSettingsForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        notifications.reschedule(person)
        messages.success(request, _("Your notification settings are saved."))
        return responses.redirect_to_view(request, "notification_settings")
    context = {"no_mail": not people.mail_is_set_up(), "address": person.email, "zone": str(person.zone)}
    return responses.form_page(request, "notifications/settings.html", form, context)


@member(Role.VIEWER, guests=True)
def launch_watch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Subscribe to the end of a launch, or unsubscribe (`stop`)."""
    launch = get_object_or_404(launches.visible_launches(request.access), pk=id)
    if request.method == "POST":
        name = launch.flow_name or launch.flow_id
        _change_subscription(
            request, WatchKind.LAUNCH, launch.pk, name, _("You will be notified when this launch ends.")
        )
    return responses.redirect_to_view(request, "launch", slug, launch.pk)


@member(Role.VIEWER)
def flow_watch(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Subscribe to the failures of a flow, or unsubscribe (`stop`)."""
    if request.method == "POST":
        name = id
        if "stop" not in request.POST:
            # Without access to the flow, nobody is notified.
            try:
                name = flow_facts.load_facts(engine_session.open_session(request.access).workflows, id).name
            except EngineError as problem:
                if problem.status in {403, 404}:
                    raise
        _change_subscription(
            request,
            WatchKind.FLOW,
            id,
            name,
            _("You will be notified whenever this flow fails, and of alarms about it."),
        )
    return responses.redirect_to_view(request, "resource_detail", slug, "flows", id)


def _change_subscription(request: ConsoleRequest, kind: WatchKind, object_id: str, name: str, text: str) -> None:
    if "stop" in request.POST:
        watching.stop_watching(request.user, request.access.workspace, kind, object_id)
        messages.success(request, _("You will not be notified."))
    else:
        watching.start_watching(request.user, request.access.workspace, kind, object_id, name)
        messages.success(request, text)

"""What a person follows: the page, muting and unmuting, and leaving."""

from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workflows_ui.accounts.services import people
from workflows_ui.audit.requests import actor
from workflows_ui.credentials.services import engine_session
from workflows_ui.launches import flow_facts
from workflows_ui.members.models import Role
from workflows_ui.members.services import access as member_access
from workflows_ui.members.services.access import Access
from workflows_ui.notifications import mutes, page
from workflows_ui.notifications.forms import MuteForm
from workflows_ui.notifications.models import Mute, Notice, Topic, Watch, WatchKind
from workflows_ui.notifications.mutes import Scope
from workflows_ui.web import responses
from workflows_ui.web.access import closed, member, signed_in
from workflows_ui.web.requests import ConsoleRequest

#: The longest id of a flow.
_ID = 64


@never_cache
@require_safe
@signed_in
def following(request: ConsoleRequest) -> HttpResponse:
    """Everything that the person follows and that is muted, with what each line brings; first the line with the id `?line=`."""
    user = request.user
    found = page.follows(user, closed(request, user, member_access.listed_workspaces(user)))
    context = {
        "follows": found,
        "first": found.section_of(request.GET.get("line", "")),
        "no_mail": not people.mail_is_set_up(),
        "address": user.email,
    }
    return responses.page(request, "notifications/following.html", context)


@require_safe
@signed_in
def line_of_notice(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Redirect to the line of the page that a notification came by."""
    row = get_object_or_404(Notice.objects.select_related("workspace"), pk=pk, user=request.user)
    return _redirect(request, mutes.scope_of(row))


@require_http_methods(["GET", "HEAD", "POST"])
@member(Role.VIEWER, guests=True)
def mute(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Mute `?topic=` (by default flows) of the workspace, of `?flow=` or all its flows, for the person or, as a manager, for everyone.

    A POST without a length mutes for a week; with `?mail=off`, mails only and without an end. Raises EngineError, Http404.
    """
    access, topic = request.access, request.GET.get("topic", Topic.FLOWS.value)
    flow_id = request.GET.get("flow", "") if topic == Topic.FLOWS else ""
    if topic not in {Topic.FLOWS, Topic.ALARMS} or len(flow_id) > _ID:
        raise Http404
    name = _flow_name(access, flow_id) if flow_id else ""
    return _mute(request, Scope(Topic(topic), access.workspace.pk, flow_id), name, access)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def own_mute(request: ConsoleRequest) -> HttpResponse:
    """Mute `?topic=` that comes without following, as `mute` does. The page of what the person follows for another topic."""
    topic = request.GET.get("topic", "")
    if topic not in page.OWN_TOPICS:
        return _redirect(request)
    return _mute(request, Scope(Topic(topic)))


@require_POST
@signed_in
def own_unmute(request: ConsoleRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Mute, pk=pk, user=request.user)
    mutes.unmute(actor(request), row)
    text = _("Emails are on again.") if row.mail_only else _("It is no longer muted.")
    messages.success(request, text)
    return _redirect(request, Scope(Topic(row.topic), row.workspace_id, row.flow_id))


@require_POST
@member(Role.MANAGER)
def unmute(request: ConsoleRequest, slug: str, mute: int) -> HttpResponse:
    """End a mute for everyone in the workspace."""
    row = get_object_or_404(Mute, pk=mute, user=None, workspace=request.access.workspace)
    mutes.unmute(actor(request), row)
    messages.success(request, _("It is no longer muted for everyone."))
    return _redirect(request, Scope(Topic(row.topic), row.workspace_id, row.flow_id))


@require_POST
@signed_in
def leave(request: ConsoleRequest, pk: int) -> HttpResponse:
    """End one of the person's subscriptions."""
    get_object_or_404(Watch, pk=pk, user=request.user).delete()
    messages.success(request, _("You will not be notified."))
    return _redirect(request)


@require_POST
@signed_in
def leave_lost(request: ConsoleRequest) -> HttpResponse:
    """End the person's subscriptions in workspaces that they may not open any more."""
    Watch.objects.filter(user=request.user).exclude(workspace__in=member_access.workspaces(request.user)).delete()
    return _redirect(request)


def _mute(request: ConsoleRequest, scope: Scope, name: str = "", access: Access | None = None) -> HttpResponse:
    """The page that mutes a scope; with the access to its workspace, if it has one."""
    url = (
        f"{request.path}?{urlencode({'topic': scope.topic.value} | ({'flow': scope.flow_id} if scope.flow_id else {}))}"
    )
    mute_for = partial(mutes.mute, actor(request), scope, name=name)
    if request.method == "POST" and request.GET.get("mail") == "off":
        mute_for(request.user, until=None, mail_only=True)
        messages.success(request, _("You will get no more emails about this. The bell still shows it."))
        return _redirect(request, scope)
    data = {"length": "week"} | request.POST.dict() if request.method == "POST" else None
    form = MuteForm(data, workspace=access.workspace.name if access and access.allows(Role.MANAGER) else "")
    if form.is_valid():
        row = mute_for(None if form.cleaned_data.get("everyone") else request.user, until=form.until)
        messages.success(request, f"{page.mute_text(row)}.")
        return _redirect(request, scope)
    context = {"what": page.scope_text(scope.topic, name), "workspace": access and access.workspace, "url": url}
    return responses.form_page(request, "notifications/mute.html", form, context)


def _flow_name(access: Access, flow_id: str) -> str:
    """The name of a flow of the workspace: of one that the person follows as they know it, else as the engine says.

    Raises EngineError, and Http404 for a guest, who knows no other flows.
    """
    watches = Watch.objects.filter(user=access.user, workspace=access.workspace, kind=WatchKind.FLOW, object_id=flow_id)
    name = watches.values_list("name", flat=True).first()
    if name is not None:
        return name or flow_id
    if access.guest:
        raise Http404
    return flow_facts.load_facts(engine_session.open_session(access).workflows, flow_id).name


def _redirect(request: ConsoleRequest, scope: Scope | None = None) -> HttpResponse:
    """The answer that leads to the page, with the line of this scope first."""
    line = page.line_id(request.user, scope)
    return responses.redirect(request, reverse("following") + (f"?{urlencode({'line': line})}" if line else ""))

"""Rights to launch single flows: the list of a workspace, the page of one flow, changes and withdrawals."""

from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.services import engine_session
from workflows_ui.flows.launchable import launchable_flows
from workflows_ui.launches import flow_facts
from workflows_ui.lists import list_page, local_lists
from workflows_ui.lists.declaration import Page
from workflows_ui.lists.listing import Listing
from workflows_ui.members import messages as member_messages, tables
from workflows_ui.members.forms import DaysForm, LaunchRightForm, LimitsForm
from workflows_ui.members.models import LaunchRight, LaunchRights, Role
from workflows_ui.members.services import invitations, launch_rights
from workflows_ui.members.views.invitations import create_invitation
from workflows_ui.web import responses
from workflows_ui.web.access import member, visible_people
from workflows_ui.web.elements import Button
from workflows_ui.web.requests import ConsoleRequest, is_sure

#: Maximum number of rights in force on a page, newest first.
_HELD = 300
#: Maximum number of ended rights on a page.
_ENDED = 50
#: Maximum number of flows to choose from; others are reached by the flow's page.
_FLOWS = 500


@require_safe
@member(Role.MANAGER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """List the rights of the workspace: those in force, then those that ended."""
    kind = tables.LaunchRights()
    current = list_page.requested(request, kind)
    return list_page.respond(
        request,
        current,
        kind.page(_matching(request, current), current) if current.valid else Page((), total=0),
        above_template="members/launch_rights/above.html",
        below_template="members/launch_rights/below.html",
        first=Button(_("Give a launch right"), "plus", reverse("launch_right_choose", args=[slug]), primary=True),
    )


@never_cache
@require_safe
@member(Role.MANAGER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The list of launch rights as a file. Audited."""
    declared = tables.LaunchRights()
    current = Listing(declared, request.path, request.GET)
    if not current.valid:
        return responses.redirect_to_view(request, "launch_rights", slug)
    return local_lists.file(
        request, declared, _matching(request, current), kind, current.form, filters=current.filters_query
    )


@require_safe
@member(Role.MANAGER)
def choose(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Choose the flow of a new right, one that can be launched now. With `?flow=`, redirect to the rights of that flow."""
    chosen = request.GET.get("flow", "").strip()
    if chosen and "/" not in chosen and chosen.strip("."):
        return responses.redirect_to_view(request, "flow_launch_rights", slug, chosen)
    listed = launchable_flows(engine_session.open_session(request.access))
    flows = sorted(listed.flows, key=lambda flow: sort_key(flow[1]))
    context = {"flows": flows[:_FLOWS], "more": len(flows) > _FLOWS, "notice": listed.notice}
    return responses.page(request, "members/launch_rights/choose.html", context)


@member(Role.MANAGER)
def flow_rights(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Show the rights on one flow, and the form for another one. An address that nobody has is invited, and gets the right by joining."""
    form = LaunchRightForm(
        request.POST if request.method == "POST" else None,
        people=visible_people(request, request.user),
        workspace=request.access.workspace,
        giver=request.user,
    )
    if not form.is_valid():
        return _flow_page(request, id, form)
    names = ("until", "most_launches", "credential")
    values = {"flow_id": id[:64], "flow_name": _name(request, id)} | {name: form.cleaned_data[name] for name in names}
    try:
        if form.invited:
            days = int(DaysForm.base_fields["days"].initial)
            values |= {"email": form.invited, "team": form.cleaned_data["team"], "days": days}
            answer = create_invitation(request, form, partial(invitations.invite_to_launch, **values))
            return answer or _flow_page(request, id, form)
        right = launch_rights.give(actor(request), request.access.workspace, holder=form.holder, **values)
    except launch_rights.NothingActs as problem:
        # The team lost its credential after the form was checked.
        form.add_lack(problem)
        return _flow_page(request, id, form)
    messages.success(
        request,
        _("%(holder)s may launch “%(flow)s”: %(limits)s.")
        % {"holder": right.holder, "flow": right.flow_name[:80], "limits": member_messages.limits(right)},
    )
    return responses.redirect(request, request.path)


@member(Role.MANAGER)
def change(request: ConsoleRequest, slug: str, right_id: int) -> HttpResponse:
    right = _find(request, right_id)
    if right.revoked_at is not None:
        messages.warning(request, _("This right was revoked already."))
        return responses.redirect_to_view(request, "launch_rights", slug)
    form = LimitsForm(request.POST or None, initial={"until": right.until, "most_launches": right.most_launches})
    form.used = right.used
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if launch_rights.change(actor(request), right, until=data["until"], most_launches=data["most_launches"]):
            right.refresh_from_db()
            values = {"holder": right.holder, "limits": member_messages.limits(right)}
            messages.success(request, _("The right of %(holder)s: %(limits)s.") % values)
            return responses.redirect_to_view(request, "launch_rights", slug)
        right.refresh_from_db()
        form.add_error(None, _("Nothing was changed: the right was used or revoked meanwhile. Look at it again."))
    context = {"status": member_messages.describe_right(right)}
    return responses.form_page(request, "members/launch_rights/change.html", form, context)


@member(Role.MANAGER)
def revoke(request: ConsoleRequest, slug: str, right_id: int) -> HttpResponse:
    right = _find(request, right_id)
    if not is_sure(request):
        return responses.page(
            request, "members/launch_rights/revoke.html", {"status": member_messages.describe_right(right)}
        )
    if invitations.revoke_right(actor(request), right):
        messages.success(request, _("The right of %(holder)s is revoked.") % {"holder": right.holder})
    else:
        messages.warning(request, _("This right was revoked already."))
    return responses.redirect_to_view(request, "launch_rights", slug)


def _of_workspace(request: ConsoleRequest) -> LaunchRights:
    rows = LaunchRight.objects.filter(workspace=request.access.workspace)
    return rows.select_related("user", "team", "invitation", "workspace", "created_by")


def _matching(request: ConsoleRequest, current: Listing) -> LaunchRights:
    rows, now = _of_workspace(request), timezone.now()
    state = current.query.filters.get("state")
    rows = {"usable": rows.usable, "ended": rows.ended}[state](now) if state else rows
    return rows.with_ended(now)


def _flow_page(request: ConsoleRequest, flow_id: str, form: LaunchRightForm) -> HttpResponse:
    context = _rights_of_flow(request, flow_id) | {"flow_id": flow_id, "name": _name(request, flow_id)}
    return responses.form_page(request, "members/launch_rights/flow.html", form, context)


def _rights_of_flow(request: ConsoleRequest, flow_id: str) -> dict[str, object]:
    rows, now = _of_workspace(request).filter(flow_id=flow_id).order_by("-created_at", "-pk"), timezone.now()
    held = list(rows.usable(now)[:_HELD])
    return {
        "held": [member_messages.describe_right(right) for right in held],
        "keyless": launch_rights.keyless(held),
        "ended": [member_messages.describe_right(right) for right in rows.ended(now)[:_ENDED]],
    }


def _find(request: ConsoleRequest, right_id: int) -> LaunchRight:
    return get_object_or_404(_of_workspace(request), pk=right_id)


def _name(request: ConsoleRequest, id: str) -> str:
    """The flow's name from the engine. Raises EngineError, also if the flow does not exist."""
    session = engine_session.open_session(request.access)
    return session.remember(f"flow-name:{id}", 60, lambda: flow_facts.load_facts(session.workflows, id).name)

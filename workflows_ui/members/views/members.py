"""Members of a workspace, for its managers: roles, access requests and settings; and the page for a person's own requests."""

import re
from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.audit.requests import actor
from workflows_ui.core.collation import sort_key
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import practice, sharing
from workflows_ui.lists import list_page, local_lists
from workflows_ui.members import messages as member_messages, tables
from workflows_ui.members.forms import AddPeopleForm, InviteForm, RoleForm, WorkspaceForm
from workflows_ui.members.models import AccessRequest, LaunchRight, Member, Role, Workspace
from workflows_ui.members.services import invitations, members, teams
from workflows_ui.members.views.invitations import invite_colleague
from workflows_ui.run_index import messages as run_index_messages
from workflows_ui.web import navigation, responses
from workflows_ui.web.access import member, signed_in, stepped, visible_people
from workflows_ui.web.elements import Button
from workflows_ui.web.requests import ConsoleRequest, is_sure

#: The paths for which access can be requested: those of workspaces.
_WORKSPACE_LINK = re.compile(r"/w/(?P<slug>[-\w]{1,60})/[^\s?#\\\x00-\x1f]{0,240}\Z")
#: Maximum number of invitations shown, newest first.
_INVITATIONS = 100


@require_safe
@member(Role.MANAGER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The members, above them the access requests, below them the invitations of colleagues."""
    workspace, kind = request.access.workspace, tables.Members()
    current = list_page.requested(request, kind)
    asking = AccessRequest.objects.filter(workspace=workspace, decided_at=None).select_related("user")
    return list_page.respond(
        request,
        current,
        kind.page(_members(request), current),
        above_template="members/requests.html",
        below_template="members/below.html",
        first=Button(_("Add people"), "user-plus", reverse("member_add", args=[slug]), primary=True),
        asking=member_messages.describe_requests(workspace, asking.order_by("asked_at")),
        invitations=member_messages.describe_invitations(invitations.recent_invitations(workspace)[:_INVITATIONS]),
        roles=Role,
    )


@never_cache
@require_safe
@member(Role.MANAGER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The list of members as a file. Audited."""
    return local_lists.file(request, tables.Members(), _members(request), kind)


@member(Role.MANAGER)
def add(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Add a person or a team with a role. An e-mail address without an account can be invited with the same form.

    `?who=` fills in the person.
    """
    form = _add_form(request, request.POST or None)
    if not form.is_valid():
        return _add_page(request, form, unknown=form.address_to_invite)
    try:
        membership = members.add(actor(request), request.access.workspace, form.holder, form.cleaned_data["role"])
    except members.AlreadyMember:
        if isinstance(form.holder, User):
            text = _("This person belongs to the workspace already. Their role can be changed in the list.")
            form.add_error("who", text)
        else:
            form.add_error(
                "team", _("This team belongs to the workspace already. Its role can be changed in the list.")
            )
        return _add_page(request, form)
    if membership.user:
        practice.equip(membership)
        text = _("%(person)s now belongs to the workspace.") % {"person": membership.holder}
    else:
        text = _("The team %(team)s now belongs to the workspace.") % {"team": membership.holder}
    messages.success(request, text)
    return responses.redirect_to_view(request, "members", slug)


@never_cache
@require_POST
@member(Role.MANAGER)
def invite(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Invite the e-mail address of the form that adds people."""
    data = request.POST.copy()
    data["who"] = email = request.POST.get("email") or request.POST.get("who", "").strip()
    data.setdefault("days", str(InviteForm.base_fields["days"].initial))
    if "no-role" in data:
        data["role"] = ""
    invitation = _invite_form(request, data)
    answer = invite_colleague(request, invitation) if invitation.is_valid() else None
    if answer is not None:
        return answer
    form = _add_form(request, data)
    form.errors.clear()
    form.errors.update({name: errors for name, errors in invitation.errors.items() if name not in ("teams", "days")})
    return _add_page(request, form, invitation, unknown=email)


def _add_form(request: ConsoleRequest, data: QueryDict | None) -> AddPeopleForm:
    people = visible_people(request, request.user)
    initial: dict[str, object] = {"who": request.GET.get("who", "")[:254]}
    return AddPeopleForm(data, initial=initial, people=people, invites_to=request.access.workspace.slug)


def _invite_form(request: ConsoleRequest, data: QueryDict | None = None) -> InviteForm:
    return InviteForm(data, teams=teams.giveable(request.user, request.access.workspace))


def _add_page(
    request: ConsoleRequest, form: AddPeopleForm, invitation: InviteForm | None = None, *, unknown: str = ""
) -> HttpResponse:
    """The form; with `unknown`, an address that nobody has, it offers to invite it."""
    context = {"roles": Role, "invitation": invitation or _invite_form(request), "unknown": unknown}
    return responses.page(request, "members/add.html", {"form": form, **context}, status=422 if form.is_bound else 200)


@require_POST
@member(Role.MANAGER)
def change_role(request: ConsoleRequest, slug: str, member_id: int) -> HttpResponse:
    membership = _member(request, member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
        return responses.redirect_to_view(request, "members", slug)
    role: Role = form.cleaned_data["role"]
    try:
        members.change_role(actor(request), membership, role)
    except members.LeavesNoManager:
        messages.error(
            request,
            _("Nothing was changed: the workspace would be left without a manager. Make someone else a manager first."),
        )
        return responses.redirect_to_view(request, "members", slug)
    except Member.DoesNotExist:
        raise Http404 from None
    messages.success(
        request,
        _("%(person)s: the role is now “%(role)s”.") % {"person": membership.holder, "role": role.label},
    )
    if membership.user_id == request.user.pk and role is not Role.MANAGER:
        return responses.redirect_to_view(request, "workspace", slug)
    return responses.redirect_to_view(request, "members", slug)


@member(Role.MANAGER)
def remove(request: ConsoleRequest, slug: str, member_id: int) -> HttpResponse:
    membership = _member(request, member_id)
    if not is_sure(request):
        own = list(Credential.objects.filter(workspace=membership.workspace, owner=membership.user).order_by("name"))
        shared = sharing.teams_of(own)
        rights = LaunchRight.objects.usable(timezone.now()).filter(workspace=membership.workspace, user=membership.user)
        context = {
            "member": membership,
            "credentials": [row for row in own if row.pk not in shared],
            "shared": [row for row in own if row.pk in shared],
            "rights": rights.order_by("flow_name", "pk") if membership.user else [],
            "oneself": membership.user_id == request.user.pk,
        }
        return responses.page(request, "members/remove.html", context)
    try:
        members.remove(actor(request), membership)
    except members.LeavesNoManager:
        messages.error(
            request,
            _("No one was removed: the workspace would be left without a manager. Make someone else a manager first."),
        )
        return responses.redirect_to_view(request, "members", slug)
    except Member.DoesNotExist:
        raise Http404 from None
    messages.success(request, _("%(person)s no longer belongs to the workspace.") % {"person": membership.holder})
    if membership.user_id == request.user.pk:
        return responses.redirect_to_view(request, "home")
    return responses.redirect_to_view(request, "members", slug)


@require_POST
@member(Role.MANAGER)
def grant(request: ConsoleRequest, slug: str, request_id: int) -> HttpResponse:
    access_request = _access_request(request, request_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
    elif membership := members.grant(actor(request), access_request, form.cleaned_data["role"]):
        practice.equip(membership)
        messages.success(request, _("%(person)s now belongs to the workspace.") % {"person": membership.holder})
    else:
        access_request.refresh_from_db()
        messages.warning(request, member_messages.decision_message(access_request))
    return responses.redirect_to_view(request, "members", slug)


@require_POST
@member(Role.MANAGER)
def refuse(request: ConsoleRequest, slug: str, request_id: int) -> HttpResponse:
    access_request = _access_request(request, request_id)
    if members.refuse(actor(request), access_request):
        text = _("The request of %(person)s is declined. The credential that came with it is deleted.")
        if access_request.link:
            text = _("The request of %(person)s is declined.")
        messages.success(request, text % {"person": access_request.user.label})
    else:
        access_request.refresh_from_db()
        messages.warning(request, member_messages.decision_message(access_request))
    return responses.redirect_to_view(request, "members", slug)


def _members(request: ConsoleRequest) -> list[object]:
    """The rows of tables.Members, managers first."""
    # By way of the workspace, which each row then has.
    rows: list[Any] = list(request.access.workspace.members.select_related("user", "team"))
    by_team, stepped = _by_team(rows), second_step.users_with_step([row.user_id for row in rows if row.user_id])
    for row in rows:
        row.people, row.stepped = by_team.get(row.team_id, []), row.user_id in stepped
    return sorted(rows, key=lambda row: (-Role(row.role).rank, sort_key(row.holder)))


def _by_team(rows: list[Member]) -> dict[int | None, list[User]]:
    """The active people who are members only through a team, by team. One query."""
    own = [row.user_id for row in rows if row.user_id]
    pairs = User.groups.through.objects.filter(group__in=[row.team_id for row in rows if row.team_id])
    pairs = pairs.filter(user__is_active=True).exclude(user__in=own).select_related("user")
    people: dict[int | None, list[User]] = {}
    for pair in sorted(pairs, key=lambda pair: sort_key(pair.user.label)):
        people.setdefault(pair.group_id, []).append(pair.user)
    return people


def _member(request: ConsoleRequest, member_id: int) -> Member:
    rows = Member.objects.filter(workspace=request.access.workspace).select_related("user", "team", "workspace")
    return get_object_or_404(rows, pk=member_id)


def _access_request(request: ConsoleRequest, request_id: int) -> AccessRequest:
    rows = AccessRequest.objects.filter(workspace=request.access.workspace).select_related("user", "workspace")
    return get_object_or_404(rows, pk=request_id)


_LATEST = 10


@member(Role.MANAGER)
def settings(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Edit name, colour bar and switches; show the engine's address."""
    workspace = request.access.workspace
    # The form validates a copy: base.html must show the stored values until they are saved.
    copy = type(workspace).objects.get(pk=workspace.pk)
    own_step = stepped(request, request.user)
    form = WorkspaceForm(request.POST or None, instance=copy, stepped=own_step, pages=navigation.hideable())
    if request.method == "POST" and form.is_valid():
        changed = members.change_settings(actor(request), workspace, **form.cleaned_data)
        if "launching_paused" in changed:
            paused = _("Launching is paused.") if workspace.launching_paused else _("Launching is possible again.")
            messages.success(request, paused)
        if set(changed) - {"launching_paused"}:
            messages.success(request, _("The settings are saved."))
        if not changed:
            messages.info(request, _("Nothing was changed."))
        return responses.redirect_to_view(request, "workspace_settings", slug)
    context = {
        "own_step": own_step,
        "genuine": workspace.genuine,
        "run_index": run_index_messages.summary(workspace),
        "place": [
            (_("Engine"), credential_messages.engine(workspace.flavour, workspace.engine_version)),
            (_("Environment"), navigation.environment(workspace)),
            (_("Address"), workspace.address),
            (_("Organization"), workspace.organization_id),
            (_("Project"), workspace.project_name),
            (_("Project ID"), workspace.project_id),
        ],
    }
    return responses.form_page(request, "members/workspaces/settings.html", form, context)


@require_POST
@signed_in
def ask(request: ConsoleRequest) -> HttpResponse:
    """Request access to the workspace of a link. The response is the same whether that exists."""
    link = request.POST.get("link", "")
    match = _WORKSPACE_LINK.match(link)
    if match is None:
        raise Http404
    if not ratelimit.consume(request, action="access_request", user=request.user):
        messages.warning(request, _("You have requested access many times within an hour. Wait a while."))
        return responses.redirect_to_view(request, "home")
    workspace = Workspace.objects.filter(slug=match["slug"]).first()
    if workspace is not None and not members.managers(workspace).filter(pk=request.user.pk).exists():
        members.ask(actor(request), workspace, request.user, link)
    messages.success(
        request,
        _(
            "If this link leads to a workspace, its managers were asked. You get a notification when one of them decides."
        ),
    )
    return responses.redirect_to_view(request, "home")


@require_safe
@signed_in
def waiting(request: ConsoleRequest) -> HttpResponse:
    """List the person's access requests: the managers who decide, and the decisions."""
    access_requests = AccessRequest.objects.filter(user=request.user).select_related("workspace", "decided_by")
    # That a link leads to a workspace is not shown either, unless a manager has let the person in.
    access_requests = access_requests.filter(Q(link="") | Q(granted=True))
    # The workspace's name may be meant for members only: this page shows the name of the project.
    context = {
        "open": [
            (row, members.managers(row.workspace))
            for row in access_requests.filter(decided_at=None).order_by("-asked_at")
        ],
        "decided": access_requests.filter(decided_at__isnull=False).order_by("-decided_at")[:_LATEST],
    }
    return responses.page(request, "members/workspaces/waiting.html", context)


@require_POST
@signed_in
def withdraw(request: ConsoleRequest, request_id: int) -> HttpResponse:
    rows = AccessRequest.objects.select_related("workspace", "user")
    access_request = get_object_or_404(rows, user=request.user, pk=request_id)
    if not is_sure(request):
        messages.info(request, _("Nothing was changed."))
        return responses.redirect_to_view(request, "waiting")
    if members.withdraw(actor(request), access_request):
        messages.success(request, _("The request is cancelled, and the credential that came with it is deleted."))
    else:
        messages.warning(request, _("This request was decided already."))
    return responses.redirect_to_view(request, "waiting")

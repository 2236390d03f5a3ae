"""Members of a workspace, for its managers: who belongs to it, in which role, and who asks to be let in."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from workflows_ui.forms.members import ROLE_WORDS, AddMemberForm, RoleForm
from workflows_ui.forms.teams import AddTeamForm
from workflows_ui.kit import invitation_words, respond
from workflows_ui.kit.access import member
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import AccessRequest, Credential, LaunchRight, Member, Role
from workflows_ui.services import colleague_invitations, members, practice, second_step

#: Invitations shown, newest first.
_INVITATIONS = 100


@member(Role.MANAGER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Members and open requests."""
    return _page(request, AddMemberForm())


@require_POST
@member(Role.MANAGER)
def add(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Makes somebody who has an account a member."""
    form = AddMemberForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    try:
        added = members.add(actor(request), request.access.workspace, form.cleaned_data["who"], form.chosen)
    except members.NobodyFound:
        form.add_error("who", _("Nobody with this user name or e-mail address has an account here."))
        return _page(request, form)
    except members.AlreadyMember:
        form.add_error("who", _("This person belongs to the workspace already. Their role can be changed in the list."))
        return _page(request, form)
    practice.equip(added)
    messages.success(request, _("%(person)s now belongs to the workspace.") % {"person": _label(added)})
    return _back(request, slug)


@require_POST
@member(Role.MANAGER)
def add_team(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Makes a team a member: everybody who is in it, as long as they are."""
    form = AddTeamForm(request.POST, auto_id="id_team_%s")
    if not form.is_valid():
        return _page(request, AddMemberForm(), form)
    try:
        added = members.add_team(actor(request), request.access.workspace, form.cleaned_data["team"], form.chosen)
    except members.AlreadyMember:
        form.add_error("team", _("This team belongs to the workspace already. Its role can be changed in the list."))
        return _page(request, AddMemberForm(), form)
    messages.success(request, _("The team %(team)s now belongs to the workspace.") % {"team": _label(added)})
    return _back(request, slug)


@require_POST
@member(Role.MANAGER)
def change_role(request: ConsoleRequest, slug: str, member_id: int) -> HttpResponse:
    """Gives a member another role."""
    found = _member(request, member_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
        return _back(request, slug)
    try:
        members.change_role(actor(request), found, form.chosen)
    except members.LastManager:
        messages.error(
            request,
            _(
                "Nothing was changed: the workspace would be left without a manager. Make somebody else a manager first."
            ),
        )
        return _back(request, slug)
    except Member.DoesNotExist:
        raise Http404 from None
    messages.success(
        request,
        _("%(person)s: the role is now “%(role)s”.") % {"person": _label(found), "role": form.chosen.label},
    )
    if found.user_id == request.user.pk and form.chosen is not Role.MANAGER:
        return respond.redirect(request, reverse("workspace", kwargs={"slug": slug}))
    return _back(request, slug)


@member(Role.MANAGER)
def remove(request: ConsoleRequest, slug: str, member_id: int) -> HttpResponse:
    """Asks, then ends a membership."""
    found = _member(request, member_id)
    if request.method != "POST":
        own = (
            Credential.objects.filter(workspace=found.workspace, owner=found.user).order_by("name")
            if found.user
            else []
        )
        rights = LaunchRight.objects.usable(timezone.now()).filter(workspace=found.workspace, user=found.user)
        context = {
            "member": found,
            "credentials": own,
            "rights": rights.order_by("flow_name", "pk") if found.user else [],
            "oneself": found.user_id == request.user.pk,
            "person": _label(found),
        }
        return respond.page(request, "members/remove.html", context)
    try:
        members.remove(actor(request), found)
    except members.LastManager:
        messages.error(
            request,
            _("Nobody was removed: the workspace would be left without a manager. Make somebody else a manager first."),
        )
        return _back(request, slug)
    except Member.DoesNotExist:
        raise Http404 from None
    messages.success(
        request,
        _("%(person)s no longer belongs to the workspace.") % {"person": _label(found)},
    )
    if found.user_id == request.user.pk:
        return respond.redirect(request, reverse("home"))
    return _back(request, slug)


@require_POST
@member(Role.MANAGER)
def grant(request: ConsoleRequest, slug: str, request_id: int) -> HttpResponse:
    """Lets in somebody who asked."""
    asked = _asked(request, request_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose one of the roles."))
        return _back(request, slug)
    try:
        let_in = members.grant(actor(request), asked, form.chosen)
    except members.AlreadyDecided:
        messages.warning(request, _("This request was decided already."))
        return _back(request, slug)
    practice.equip(let_in)
    messages.success(request, _("%(person)s now belongs to the workspace.") % {"person": asked.user.label})
    return _back(request, slug)


@require_POST
@member(Role.MANAGER)
def refuse(request: ConsoleRequest, slug: str, request_id: int) -> HttpResponse:
    """Turns down somebody who asked."""
    asked = _asked(request, request_id)
    try:
        members.refuse(actor(request), asked)
    except members.AlreadyDecided:
        messages.warning(request, _("This request was decided already."))
        return _back(request, slug)
    messages.success(
        request,
        _("%(person)s is not let in. The credential that came with the request is deleted.")
        % {"person": asked.user.label},
    )
    return _back(request, slug)


def _page(request: ConsoleRequest, form: AddMemberForm, team_form: AddTeamForm | None = None) -> HttpResponse:
    workspace = request.access.workspace
    rows = Member.objects.filter(workspace=workspace).select_related("user", "team")
    context = {
        "stepped": second_step.among(row.user_id for row in rows if row.user_id),
        "rows": sorted(
            rows, key=lambda row: (-Role(row.role).rank, str(row.user.label if row.user else row.team).lower())
        ),
        "asking": AccessRequest.objects.filter(workspace=workspace, decided_at=None)
        .select_related("user")
        .order_by("asked_at"),
        "invitations": invitation_words.tell_all(colleague_invitations.listed(workspace)[:_INVITATIONS]),
        "form": form,
        "team_form": team_form or AddTeamForm(auto_id="id_team_%s"),
        "roles": [(role, role.label, ROLE_WORDS[role]) for role in Role],
        "launcher": Role.LAUNCHER,
    }
    refused = form.errors or (team_form is not None and team_form.errors)
    return respond.page(request, "members/list.html", context, status=422 if refused else 200)


def _label(row: Member) -> str:
    return row.user.label if row.user else str(row.team)


def _member(request: ConsoleRequest, member_id: int) -> Member:
    rows = Member.objects.filter(workspace=request.access.workspace).select_related("user", "team", "workspace")
    found = rows.filter(pk=member_id).first()
    if found is None:
        raise Http404
    return found


def _asked(request: ConsoleRequest, request_id: int) -> AccessRequest:
    rows = AccessRequest.objects.filter(workspace=request.access.workspace).select_related("user", "workspace")
    found = rows.filter(pk=request_id).first()
    if found is None:
        raise Http404
    return found


def _back(request: ConsoleRequest, slug: str) -> HttpResponse:
    return respond.redirect(request, reverse("members", kwargs={"slug": slug}))


urlpatterns = [
    path("w/<slug:slug>/members/", listing, name="members"),
    path("w/<slug:slug>/members/add/", add, name="member_add"),
    path("w/<slug:slug>/members/add-team/", add_team, name="member_add_team"),
    path("w/<slug:slug>/members/<int:member_id>/role/", change_role, name="member_role"),
    path("w/<slug:slug>/members/<int:member_id>/remove/", remove, name="member_remove"),
    path("w/<slug:slug>/members/requests/<int:request_id>/grant/", grant, name="access_grant"),
    path("w/<slug:slug>/members/requests/<int:request_id>/refuse/", refuse, name="access_refuse"),
]

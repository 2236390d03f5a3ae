"""People: for superusers the list and the page of each with its actions, for managers and the person what they may do in a workspace."""

from datetime import UTC, datetime
from functools import reduce
from operator import or_

from django.contrib import messages
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step, sessions
from workflows_ui.audit.requests import actor
from workflows_ui.core import database
from workflows_ui.core.collation import by_name, sort_key
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches.models import Launch
from workflows_ui.lists import list_page, local_lists
from workflows_ui.lists.declaration import Page
from workflows_ui.lists.listing import Listing
from workflows_ui.members import messages as member_messages, tables
from workflows_ui.members.forms import InvitingWorkspaceForm, SuccessorForm, is_address
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner, Workspace
from workflows_ui.members.services import access, directory
from workflows_ui.offboarding import services as deactivation
from workflows_ui.web import responses
from workflows_ui.web.access import member, signed_in, superuser, visible_people
from workflows_ui.web.elements import Button
from workflows_ui.web.requests import ConsoleRequest, is_sure

_LATEST = 10
#: Maximum number of forms on the page of permissions.
_FORMS = 50


@require_safe
@superuser
def listing(request: ConsoleRequest) -> HttpResponse:
    """List all accounts, filtered by parts of name, user name or address."""
    kind = tables.People()
    current = list_page.requested(request, kind)
    page = kind.page(_matching(current), current) if current.valid else Page((), total=0)
    invite_url = reverse("people_invite")
    address = current.query.filters.get("search", "").strip() if current.valid else ""
    suggestion = None
    if is_address(address):
        label = _("Invite %(email)s") % {"email": address[:80]}
        suggestion = Button(label, "mail", f"{invite_url}?{urlencode({'who': address})}")
    invite = Button(_("Invite"), "user-plus", invite_url, primary=True)
    return list_page.respond(request, current, page, first=invite, suggestion=suggestion)


@require_safe
@superuser
def invite(request: ConsoleRequest) -> HttpResponse:
    """Choose one of the workspaces that the superuser manages, and go on to its page that adds people; with one, at once.

    `?who=` is the address of the person.
    """
    managing = Member.objects.filter(access.held_by(request.user), role=Role.MANAGER)
    managed = Workspace.objects.filter(pk__in=managing.values("workspace")).order_by(*by_name("name"), "pk")
    who = request.GET.get("who", "").strip()[:254]
    form = InvitingWorkspaceForm(request.GET if "workspace" in request.GET else None, managed=managed)
    chosen = form.cleaned_data["workspace"] if form.is_valid() else None
    spaces = list(managed[:2])
    if len(spaces) == 1:
        chosen = spaces[0]
    if chosen is None:
        context = {"who": who, "managed": bool(spaces)}
        return responses.form_page(request, "members/people/invite.html", form, context)
    query = f"?{urlencode({'who': who})}" if who else ""
    return responses.redirect(request, reverse("member_add", args=[chosen.slug]) + query)


@never_cache
@require_safe
@superuser
def file(request: ConsoleRequest, kind: str) -> HttpResponseBase:
    """The list of people as a file. Audited."""
    declared = tables.People()
    current = Listing(declared, request.path, request.GET)
    if not current.valid:
        return responses.redirect_to_view(request, "people")
    return local_lists.file(request, declared, _matching(current), kind, current.form, filters=current.filters_query)


@require_safe
@signed_in
def suggest(request: ConsoleRequest) -> HttpResponse:
    """The list below a person field: whom the text fits, without the person `but`. 404 for those who add nobody."""
    if not directory.adds_people(request.user):
        raise Http404
    field = request.GET.get("field", "")
    but = request.GET.get("but", "")
    people = visible_people(request, request.user).exclude(pk=int(but) if but.isdecimal() and len(but) < 10 else 0)
    found = directory.search(people, request.GET.get(field, "")[:200])
    text, slug = request.GET.get(field, "").strip()[:254], request.GET.get("invite", "")
    offers = not found and is_address(text) and slug.isascii() and slug.replace("-", "").isalnum()
    context = {"people": found, "field": field, "invite": text if offers else "", "slug": slug}
    return responses.page(request, "members/person_suggestions.html", context)


@require_safe
@superuser
def person(request: ConsoleRequest, person_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=person_id)
    roles: list[tuple[Workspace, str | Promise]] = []
    for space in access.workspaces(user):
        try:
            role = access.access_for(user, space.slug).role
        except access.NoAccess:  # The account is inactive: use the rows.
            row = Member.objects.filter(workspace=space, user=user).first()
            roles.append((space, row.get_role_display() if row else ""))
        else:
            roles.append((space, role.label if role else _("single flows only")))
    managed = set(
        Member.objects.filter(access.held_by(request.user), role=Role.MANAGER).values_list("workspace", flat=True)
    )
    context = {
        "person": user,
        "managed": managed,
        "stepped": second_step.has(user),
        "oneself": user.pk == request.user.pk,
        "places": roles,
        "teams": user.groups.order_by(*by_name("name")),
        "owned": TeamOwner.objects.filter(user=user).select_related("team").order_by(*by_name("team__name")),
        "launches": Launch.objects.filter(user=user).select_related("workspace").order_by("-asked_at")[:_LATEST],
    }
    return responses.page(request, "members/people/person.html", context)


@superuser
def deactivate(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Show what will be affected, then deactivate the account. Refused for one's own."""
    user = get_object_or_404(User, pk=person_id)
    if user.pk == request.user.pk:
        messages.error(request, _("You cannot deactivate your own account. Ask another administrator."))
        return responses.redirect_to_view(request, "person", user.pk)
    data = request.POST if is_sure(request) else None
    initial: dict[str, object] = {"successor": request.user.username}
    form = SuccessorForm(data, initial=initial, leaving=user, people=visible_people(request, request.user))
    if data is None:
        return _confirmation(request, user, form)
    successor = form.cleaned_data["successor"] if form.is_valid() else None
    if successor == user:
        form.add_error("successor", form.fields["successor"].error_messages["unknown"])
    if form.errors:
        return _confirmation(request, user, form)
    try:
        deactivation.deactivate(actor(request), user, successor)
    except deactivation.NeedsSuccessor:
        form.add_error("successor", _("No one else manages the workspaces named here. Say who does from now on."))
        return _confirmation(request, user, form)
    except deactivation.LastSuperuser:
        messages.error(request, _("Nothing was changed: the console would be left without an administrator."))
    else:
        messages.success(
            request,
            _("The account of %(person)s is deactivated, and signed out everywhere.") % {"person": user.label[:80]},
        )
    return responses.redirect_to_view(request, "person", user.pk)


@require_POST
@superuser
def reactivate(request: ConsoleRequest, person_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=person_id)
    if not is_sure(request):
        messages.info(request, _("Nothing was changed."))
        return responses.redirect_to_view(request, "person", user.pk)
    if deactivation.reactivate(actor(request), user):
        messages.success(request, _("The account of %(person)s is reactivated.") % {"person": user.label[:80]})
    return responses.redirect_to_view(request, "person", user.pk)


@require_POST
@superuser
def end_sessions(request: ConsoleRequest, person_id: int) -> HttpResponse:
    user = get_object_or_404(User, pk=person_id)
    if not is_sure(request):
        messages.info(request, _("Nothing was changed."))
        return responses.redirect_to_view(request, "person", user.pk)
    sessions.end_all(actor(request), user)
    messages.success(request, _("%(person)s is signed out everywhere.") % {"person": user.label[:80]})
    return responses.redirect_to_view(request, "person", user.pk)


def _confirmation(request: ConsoleRequest, user: User, form: SuccessorForm) -> HttpResponse:
    context = {"person": user, "gone": deactivation.belongings(user)}
    return responses.form_page(request, "members/people/deactivate.html", form, context)


def _matching(current: Listing) -> QuerySet[User]:
    # To sort by: those who never signed in come before all others.
    seen_at = Coalesce("last_login", Value(datetime(1970, 1, 1, tzinfo=UTC)))
    rows, filters = User.objects.annotate(seen_at=seen_at), current.query.filters
    for word in filters.get("search", "").split()[:6]:
        columns = ("username", "first_name", "last_name", "email")
        matches = (Q((f"{column}__icontains", text)) for column in columns for text in database.spellings(word))
        rows = rows.filter(reduce(or_, matches))
    account = filters.get("account")
    if account == "administrator":
        rows = rows.filter(is_superuser=True)
    return rows.filter(is_active=account == "active") if account in ("active", "off") else rows


@require_safe
@member(Role.VIEWER, guests=True)
def permissions(request: ConsoleRequest, slug: str, person_id: int) -> HttpResponse:
    """Show the person's role and its origin, launch rights, credentials, forms and second step in the workspace.

    404 for a person who has none of these there, 403 for others than the person and managers.
    """
    own, workspace = person_id == request.user.pk, request.access.workspace
    if not own:
        request.access.require(Role.MANAGER)
    person = get_object_or_404(User, pk=person_id)
    memberships = list(Member.objects.filter(access.held_by(person), workspace=workspace).select_related("team"))
    memberships.sort(key=lambda row: (-Role(row.role).rank, row.team is not None, sort_key(str(row.team or ""))))
    rights = LaunchRight.objects.usable(timezone.now()).filter(access.held_by(person), workspace=workspace)
    listed_rights = list(rights.select_related("user", "team", "workspace").order_by("flow_name", "pk"))
    credentials = _credentials(person, workspace)
    if not (own or memberships or listed_rights or credentials):
        raise Http404
    role = Role(memberships[0].role) if memberships else None
    launches = role is not None and role.includes(Role.LAUNCHER)
    forms = launch_forms.all_published(workspace)
    if not launches:
        forms = forms.filter(flow_id__in={right.flow_id for right in listed_rights})
    shown = list(forms[: _FORMS + 1])
    context = {
        "person": person,
        "own": own,
        "manages": request.access.allows(Role.MANAGER),
        "role": role,
        "sources": [(Role(row.role).label, row.team) for row in memberships],
        "launches": launches,
        "builds": role is not None and role.includes(Role.BUILDER),
        "rights": [member_messages.describe_right(right) for right in listed_rights],
        "credentials": credentials,
        "forms": shown[:_FORMS],
        "more_forms": len(shown) > _FORMS,
        "second_step": second_step.has(person),
    }
    return responses.page(request, "members/permissions.html", context)


def _credentials(person: User, workspace: Workspace) -> list[dict[str, object]]:
    """The credentials that the person can use, the one that is used first: their names, and whose they are."""
    through = sharing.genuine(credential__workspace=workspace, team__in=person.groups.all())
    teams: dict[object, list[str]] = {}
    for share in through:
        teams.setdefault(share.credential_id, []).append(share.team.name)
    rows = Credential.objects.filter(Q(owner=person) | Q(pk__in=teams), workspace=workspace).select_related("owner")
    acting = access.acting(person, workspace) if person.is_active else None
    used = acting.credential.pk if acting else None
    listed = sorted(rows, key=lambda row: (row.pk != used, sort_key(row.name)))
    return [
        {
            "name": row.name,
            "used": row.pk == used,
            "source": _("their own")
            if row.owner_id == person.pk
            else _("shared with %(teams)s") % {"teams": ", ".join(teams[row.pk])[:120]},
        }
        for row in listed
    ]

"""Teams: the list, the page of a team with its people, and its actions. Teams are independent of workspaces."""

from copy import copy

from django.contrib import messages
from django.contrib.auth.models import Group
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.accounts.models import User
from workflows_ui.audit.requests import actor
from workflows_ui.lists import list_page, local_lists
from workflows_ui.members import messages as member_messages, tables
from workflows_ui.members.forms import PersonForm, TeamForm
from workflows_ui.members.models import TeamProfile
from workflows_ui.members.services import members, teams
from workflows_ui.web import responses
from workflows_ui.web.access import signed_in, superuser, visible_people
from workflows_ui.web.elements import Button
from workflows_ui.web.requests import ConsoleRequest, is_sure

#: Maximum number of people shown on the page of a team.
_SHOWN = 500


@require_safe
@signed_in
def listing(request: ConsoleRequest) -> HttpResponse:
    """List the teams that the person is in or owns; all for superusers."""
    kind = tables.team_list(request.user)
    current = list_page.requested(request, kind)
    create = Button(_("New team"), "plus", reverse("team_create"), primary=True)
    return list_page.respond(
        request,
        current,
        kind.page(tables.teams_of(request.user), current),
        above_template="members/teams/above.html",
        first=create if request.user.is_superuser else None,
    )


@never_cache
@require_safe
@signed_in
def file(request: ConsoleRequest, kind: str) -> HttpResponseBase:
    """The list of teams as a file. Audited."""
    return local_lists.file(request, tables.team_list(request.user), tables.teams_of(request.user), kind)


@require_safe
@signed_in
def team(request: ConsoleRequest, team_id: int) -> HttpResponse:
    return _page(request, _find(request, team_id), PersonForm())


@superuser
def edit(request: ConsoleRequest, team_id: int | None = None) -> HttpResponse:
    """Create a team, or change its name and description."""
    group = None if team_id is None else _find(request, team_id)
    # A copy: the page shows the stored name, also if the new one is taken.
    context = {"team": copy(group)}
    initial = {"name": group.name, "description": _description(group)} if group else {}
    form = TeamForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        name, description = form.cleaned_data["name"], form.cleaned_data["description"]
        try:
            if group is None:
                group = teams.create(actor(request), name, description)
                messages.success(request, _("The team was created. Now add people to it."))
            else:
                teams.change(actor(request), group, name, description)
                messages.success(request, _("The team is saved."))
            return _redirect(request, group)
        except teams.NameTaken:
            form.add_error("name", _("There is a team with this name. Choose another one."))
    return responses.form_page(request, "members/teams/form.html", form, context)


@superuser
def delete(request: ConsoleRequest, team_id: int) -> HttpResponse:
    group = _find(request, team_id)
    if not is_sure(request):
        return responses.page(request, "members/teams/delete.html", {"team": group, "gone": teams.affected(group)})
    try:
        teams.delete(actor(request), group)
    except members.LeavesNoManager as problem:
        messages.error(request, _no_manager(problem))
        return _redirect(request, group)
    messages.success(request, _("The team %(team)s is deleted.") % {"team": group.name[:80]})
    return responses.redirect_to_view(request, "teams")


@require_POST
@signed_in
def add(request: ConsoleRequest, team_id: int) -> HttpResponse:
    group = _find_editable(request, team_id)
    form = PersonForm(request.POST, people=visible_people(request, request.user))
    if not form.is_valid():
        return _page(request, group, form)
    person = form.cleaned_data["who"]
    try:
        teams.add(actor(request), group, person)
    except teams.AlreadyIn:
        form.add_error("who", _("This person is in the team already."))
        return _page(request, group, form)
    messages.success(request, _("%(person)s is now in the team.") % {"person": person.label[:80]})
    return _redirect(request, group)


@require_POST
@signed_in
def take_out(request: ConsoleRequest, team_id: int, person_id: int) -> HttpResponse:
    """Remove a person from the team, who loses its access with their next request."""
    group, person = _find_editable(request, team_id), get_object_or_404(User, pk=person_id)
    if not is_sure(request):
        messages.info(request, _("Nothing was changed."))
        return _redirect(request, group)
    try:
        removed = teams.take_out(actor(request), group, person)
    except members.LeavesNoManager as problem:
        messages.error(request, _no_manager(problem))
        return _redirect(request, group)
    if not removed:
        raise Http404
    messages.success(request, _("%(person)s is no longer in the team.") % {"person": person.label[:80]})
    return _redirect(request, group)


@require_POST
@superuser
def owner(request: ConsoleRequest, team_id: int, person_id: int) -> HttpResponse:
    """Make a person an owner of the team, or remove an owner."""
    group, person = _find(request, team_id), get_object_or_404(User, pk=person_id)
    if request.POST.get("owner") == "yes":
        try:
            teams.make_owner(actor(request), group, person)
        except teams.AlreadyIn:
            messages.info(request, _("%(person)s is already an owner of the team.") % {"person": person.label[:80]})
        else:
            messages.success(request, _("%(person)s is now an owner of the team.") % {"person": person.label[:80]})
    elif request.POST.get("owner") == "no" and teams.end_owner(actor(request), group, person):
        messages.success(request, _("%(person)s is no longer an owner of the team.") % {"person": person.label[:80]})
    return _redirect(request, group)


def _page(request: ConsoleRequest, group: Group, form: PersonForm) -> HttpResponse:
    people = User.objects.filter(groups=group).order_by("first_name", "last_name", "username")
    owners = User.objects.filter(owned_teams__team=group).order_by("first_name", "last_name", "username")
    affected = teams.affected(group)
    context = {
        "team": group,
        "description": _description(group),
        "people": people[:_SHOWN],
        "more": max(0, affected.people - _SHOWN),
        "owners": owners,
        "owner_ids": {person.pk for person in owners},
        "opens": affected,
        "rights": [member_messages.describe_right(right) for right in affected.rights],
        "may_edit": teams.may_edit(request.user, group),
    }
    return responses.form_page(request, "members/teams/team.html", form, context)


def _find(request: ConsoleRequest, team_id: int) -> Group:
    return get_object_or_404(teams.visible(request.user), pk=team_id)


def _find_editable(request: ConsoleRequest, team_id: int) -> Group:
    group = _find(request, team_id)
    if not teams.may_edit(request.user, group):
        raise Http404
    return group


def _description(group: Group) -> str:
    return TeamProfile.objects.filter(team=group).values_list("description", flat=True).first() or ""


def _no_manager(problem: members.LeavesNoManager) -> str:
    names = ", ".join(name[:60] for name in problem.names[:5])
    return _("Nothing was changed: no one would manage %(names)s any more. Make someone a manager there first.") % {
        "names": names
    }


def _redirect(request: ConsoleRequest, group: Group) -> HttpResponse:
    return responses.redirect_to_view(request, "team", group.pk)

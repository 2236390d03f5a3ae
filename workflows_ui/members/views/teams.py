"""Teams: the list, the page of a team with its people, and its actions. Teams are independent of workspaces."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import people
from workflows_ui.members.forms.teams import PersonForm, TeamForm
from workflows_ui.members.messages import launch_rights as launch_right_messages
from workflows_ui.members.models import TeamOwner, TeamProfile
from workflows_ui.members.services import teams
from workflows_ui.web import responses
from workflows_ui.web.access import signed_in, superuser
from workflows_ui.web.requests import ConsoleRequest, actor

#: Maximum number of people shown on the page of a team.
_SHOWN = 500


@require_safe
@signed_in
def listing(request: ConsoleRequest) -> HttpResponse:
    """List the teams that the person is in or owns; all for superusers."""
    rows = (
        teams.visible(request.user)
        .select_related("profile")
        .annotate(people=Count("user", distinct=True), spaces=Count("memberships", distinct=True))
    )
    joined = set(request.user.groups.values_list("pk", flat=True))
    owned = set(TeamOwner.objects.filter(user=request.user).values_list("team", flat=True))
    context = {"rows": [(team, team.pk in joined, team.pk in owned) for team in rows]}
    return responses.page(request, "members/teams/list.html", context)


@superuser
def create(request: ConsoleRequest) -> HttpResponse:
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.create(actor(request), form.cleaned_data["name"], form.cleaned_data["description"])
        except teams.NameTaken:
            form.add_error("name", _("There is a team with this name. Choose another one."))
        else:
            messages.success(request, _("The team is made. Now put people into it."))
            return responses.redirect(request, reverse("team", args=[team.pk]))
    context = {"form": form, "team": None}
    return responses.page(request, "members/teams/form.html", context, status=422 if form.errors else 200)


@require_safe
@signed_in
def team(request: ConsoleRequest, team_id: int) -> HttpResponse:
    """Show the people of a team, its owners, and what it gives access to."""
    return _page(request, _find(request, team_id), PersonForm())


@superuser
def change(request: ConsoleRequest, team_id: int) -> HttpResponse:
    group = _find(request, team_id)
    initial = {"name": group.name, "description": _description(group)}
    form = TeamForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            teams.change(actor(request), group, form.cleaned_data["name"], form.cleaned_data["description"])
        except teams.NameTaken:
            form.add_error("name", _("There is a team with this name. Choose another one."))
        else:
            messages.success(request, _("The team is saved."))
            return _redirect(request, group)
    context = {"form": form, "team": Group.objects.get(pk=group.pk)}
    return responses.page(request, "members/teams/form.html", context, status=422 if form.errors else 200)


@superuser
def delete(request: ConsoleRequest, team_id: int) -> HttpResponse:
    """Show what will be affected, then delete the team."""
    group = _find(request, team_id)
    if request.method != "POST":
        return responses.page(request, "members/teams/delete.html", {"team": group, "gone": teams.affected(group)})
    try:
        teams.delete(actor(request), group)
    except teams.LeavesNoManager as problem:
        messages.error(request, _no_manager(problem))
        return _redirect(request, group)
    messages.success(request, _("The team %(team)s is deleted.") % {"team": group.name[:80]})
    return responses.redirect(request, reverse("teams"))


@require_POST
@signed_in
def add(request: ConsoleRequest, team_id: int) -> HttpResponse:
    group = _find_editable(request, team_id)
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _page(request, group, form)
    person = people.find_person(form.cleaned_data["who"])
    if person is None:
        form.add_error("who", _("Nobody with this user name or e-mail address has an account here."))
        return _page(request, group, form)
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
    group, person = _find_editable(request, team_id), _person(person_id)
    try:
        removed = teams.take_out(actor(request), group, person)
    except teams.LeavesNoManager as problem:
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
    group, person = _find(request, team_id), _person(person_id)
    if request.POST.get("owner") == "yes":
        try:
            teams.make_owner(actor(request), group, person)
        except teams.AlreadyIn:
            messages.info(request, _("%(person)s is already an owner of the team.") % {"person": person.label[:80]})
        else:
            messages.success(request, _("%(person)s is now an owner of the team.") % {"person": person.label[:80]})
    elif teams.end_owner(actor(request), group, person):
        messages.success(request, _("%(person)s is no longer an owner of the team.") % {"person": person.label[:80]})
    return _redirect(request, group)


def _page(request: ConsoleRequest, group: Group, form: PersonForm) -> HttpResponse:
    members = User.objects.filter(groups=group).order_by("first_name", "last_name", "username")
    owners = User.objects.filter(owned_teams__team=group).order_by("first_name", "last_name", "username")
    affected = teams.affected(group)
    context: dict[str, Any] = {
        "team": group,
        "description": _description(group),
        "people": members[:_SHOWN],
        "more": max(0, affected.people - _SHOWN),
        "owners": owners,
        "owner_ids": {person.pk for person in owners},
        "opens": affected,
        "rights": [launch_right_messages.describe_right(right) for right in affected.rights],
        "may_edit": teams.may_edit(request.user, group),
        "form": form,
    }
    return responses.page(request, "members/teams/team.html", context, status=422 if form.errors else 200)


def _find(request: ConsoleRequest, team_id: int) -> Group:
    group = teams.visible(request.user).filter(pk=team_id).first()
    if group is None:
        raise Http404
    return group


def _find_editable(request: ConsoleRequest, team_id: int) -> Group:
    group = _find(request, team_id)
    if not teams.may_edit(request.user, group):
        raise Http404
    return group


def _person(person_id: int) -> User:
    user = User.objects.filter(pk=person_id).first()
    if user is None:
        raise Http404
    return user


def _description(group: Group) -> str:
    return TeamProfile.objects.filter(team=group).values_list("description", flat=True).first() or ""


def _no_manager(problem: teams.LeavesNoManager) -> str:
    names = ", ".join(name[:60] for name in problem.names[:5])
    return _("Nothing was changed: nobody would manage %(names)s any more. Make somebody a manager there first.") % {
        "names": names
    }


def _redirect(request: ConsoleRequest, group: Group) -> HttpResponse:
    return responses.redirect(request, reverse("team", args=[group.pk]))

"""Teams: the list, one team's page with its people, and everything that is done with a team. They stand above workspaces."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.forms.teams import PersonForm, TeamForm
from workflows_ui.kit import launch_right_words, respond
from workflows_ui.kit.access import signed_in, superuser
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import TeamOwner, TeamProfile, User
from workflows_ui.services import people, teams

#: People of a team that its page shows.
_SHOWN = 500


@require_safe
@signed_in
def listing(request: ConsoleRequest) -> HttpResponse:
    """The teams that the person is in or looks after; all for superusers."""
    rows = (
        teams.visible(request.user)
        .select_related("profile")
        .annotate(people=Count("user", distinct=True), spaces=Count("memberships", distinct=True))
    )
    mine = set(request.user.groups.values_list("pk", flat=True))
    own = set(TeamOwner.objects.filter(user=request.user).values_list("team", flat=True))
    context = {"rows": [(team, team.pk in mine, team.pk in own) for team in rows]}
    return respond.page(request, "teams/list.html", context)


@superuser
def create(request: ConsoleRequest) -> HttpResponse:
    """A new team."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = teams.create(actor(request), form.cleaned_data["name"], form.cleaned_data["description"])
        except teams.NameTaken:
            form.add_error("name", _("There is a team with this name. Choose another one."))
        else:
            messages.success(request, _("The team is made. Now put people into it."))
            return respond.redirect(request, reverse("team", args=[team.pk]))
    context = {"form": form, "team": None}
    return respond.page(request, "teams/form.html", context, status=422 if form.errors else 200)


@require_safe
@signed_in
def team(request: ConsoleRequest, team_id: int) -> HttpResponse:
    """Who is in a team, who looks after it, and what it opens."""
    return _page(request, _find(request, team_id), PersonForm())


@superuser
def change(request: ConsoleRequest, team_id: int) -> HttpResponse:
    """Name and purpose."""
    found = _find(request, team_id)
    initial = {"name": found.name, "description": _description(found)}
    form = TeamForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            teams.change(actor(request), found, form.cleaned_data["name"], form.cleaned_data["description"])
        except teams.NameTaken:
            form.add_error("name", _("There is a team with this name. Choose another one."))
        else:
            messages.success(request, _("The team is saved."))
            return _there(request, found)
    context = {"form": form, "team": Group.objects.get(pk=found.pk)}
    return respond.page(request, "teams/form.html", context, status=422 if form.errors else 200)


@superuser
def delete(request: ConsoleRequest, team_id: int) -> HttpResponse:
    """Says what goes with the team, then deletes it."""
    found = _find(request, team_id)
    if request.method != "POST":
        return respond.page(request, "teams/delete.html", {"team": found, "gone": teams.affected(found)})
    try:
        teams.delete(actor(request), found)
    except teams.LeavesNoManager as problem:
        messages.error(request, _no_manager(problem))
        return _there(request, found)
    messages.success(request, _("The team %(team)s is deleted.") % {"team": found.name[:80]})
    return respond.redirect(request, reverse("teams"))


@require_POST
@signed_in
def add(request: ConsoleRequest, team_id: int) -> HttpResponse:
    """Puts somebody into the team."""
    found = _looked_after(request, team_id)
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form)
    person = people.named(form.cleaned_data["who"])
    if person is None:
        form.add_error("who", _("Nobody with this user name or e-mail address has an account here."))
        return _page(request, found, form)
    try:
        teams.add(actor(request), found, person)
    except teams.AlreadyIn:
        form.add_error("who", _("This person is in the team already."))
        return _page(request, found, form)
    messages.success(request, _("%(person)s is now in the team.") % {"person": person.label[:80]})
    return _there(request, found)


@require_POST
@signed_in
def take_out(request: ConsoleRequest, team_id: int, person_id: int) -> HttpResponse:
    """Takes somebody out of the team; what the team opens is closed to them with their next click."""
    found, person = _looked_after(request, team_id), _person(person_id)
    try:
        done = teams.take_out(actor(request), found, person)
    except teams.LeavesNoManager as problem:
        messages.error(request, _no_manager(problem))
        return _there(request, found)
    if not done:
        raise Http404
    messages.success(request, _("%(person)s is no longer in the team.") % {"person": person.label[:80]})
    return _there(request, found)


@require_POST
@superuser
def owner(request: ConsoleRequest, team_id: int, person_id: int) -> HttpResponse:
    """Lets somebody look after the team, or ends that."""
    found, person = _find(request, team_id), _person(person_id)
    if request.POST.get("owner") == "yes":
        try:
            teams.make_owner(actor(request), found, person)
        except teams.AlreadyIn:
            messages.info(request, _("%(person)s looks after the team already.") % {"person": person.label[:80]})
        else:
            messages.success(request, _("%(person)s looks after the team now.") % {"person": person.label[:80]})
    elif teams.end_owner(actor(request), found, person):
        messages.success(request, _("%(person)s looks after the team no longer.") % {"person": person.label[:80]})
    return _there(request, found)


def _page(request: ConsoleRequest, found: Group, form: PersonForm) -> HttpResponse:
    members = User.objects.filter(groups=found).order_by("first_name", "last_name", "username")
    owners = User.objects.filter(owned_teams__team=found).order_by("first_name", "last_name", "username")
    opens = teams.affected(found)
    context: dict[str, Any] = {
        "team": found,
        "description": _description(found),
        "people": members[:_SHOWN],
        "more": max(0, opens.people - _SHOWN),
        "owners": owners,
        "owner_ids": {person.pk for person in owners},
        "opens": opens,
        "rights": [launch_right_words.tell(right) for right in opens.rights],
        "looks_after": teams.looks_after(request.user, found),
        "form": form,
    }
    return respond.page(request, "teams/team.html", context, status=422 if form.errors else 200)


def _find(request: ConsoleRequest, team_id: int) -> Group:
    found = teams.visible(request.user).filter(pk=team_id).first()
    if found is None:
        raise Http404
    return found


def _looked_after(request: ConsoleRequest, team_id: int) -> Group:
    found = _find(request, team_id)
    if not teams.looks_after(request.user, found):
        raise Http404
    return found


def _person(person_id: int) -> User:
    found = User.objects.filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found


def _description(found: Group) -> str:
    return TeamProfile.objects.filter(team=found).values_list("description", flat=True).first() or ""


def _no_manager(problem: teams.LeavesNoManager) -> str:
    names = ", ".join(name[:60] for name in problem.names[:5])
    return _("Nothing was changed: nobody would manage %(names)s any more. Make somebody a manager there first.") % {
        "names": names
    }


def _there(request: ConsoleRequest, found: Group) -> HttpResponse:
    return respond.redirect(request, reverse("team", args=[found.pk]))


urlpatterns = [
    path("teams/", listing, name="teams"),
    path("teams/new/", create, name="team_create"),
    path("teams/<int:team_id>/", team, name="team"),
    path("teams/<int:team_id>/change/", change, name="team_change"),
    path("teams/<int:team_id>/delete/", delete, name="team_delete"),
    path("teams/<int:team_id>/add/", add, name="team_add"),
    path("teams/<int:team_id>/people/<int:person_id>/remove/", take_out, name="team_take_out"),
    path("teams/<int:team_id>/people/<int:person_id>/owner/", owner, name="team_owner"),
]

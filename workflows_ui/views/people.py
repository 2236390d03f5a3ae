"""People, for superusers: the list with its search, one person's page, and switching an account off and on again."""

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.forms.teams import SuccessorForm
from workflows_ui.kit import respond
from workflows_ui.kit.access import superuser
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Launch, Member, TeamOwner, User, Workspace
from workflows_ui.services import access, database, leaving, people, second_step

ROWS = 50
_LATEST = 10


@require_safe
@superuser
def listing(request: ConsoleRequest) -> HttpResponse:
    """Everybody with an account, by name; found by a part of name, user name or address."""
    asked, off = request.GET.get("q", "").strip()[:200], request.GET.get("off", "") == "yes"
    rows = _found(asked, off=off)
    page = _page_number(request.GET.get("page", ""))
    found = list(rows[(page - 1) * ROWS : page * ROWS + 1])
    shown = found[:ROWS]
    counts = _workspaces(shown)
    stepped = second_step.among(found.pk for found in shown)
    context = {
        "rows": [(found, counts.get(found.pk, 0), found.pk in stepped) for found in shown],
        "asked": asked,
        "off": off,
        "newer": page - 1,
        "older": page + 1 if len(found) > ROWS else 0,
    }
    return respond.page(request, "people/list.html", context)


@require_safe
@superuser
def person(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """One person: where they belong, their teams, their latest launches."""
    found = _find(person_id)
    places: list[tuple[Workspace, str | Promise]] = []
    for space in access.workspaces(found):
        try:
            role = access.find(found, space.slug).role
        except access.NoAccess:  # switched off: what the rows say
            row = Member.objects.filter(workspace=space, user=found).first()
            places.append((space, row.get_role_display() if row else ""))
        else:
            places.append((space, role.label if role else _("single flows only")))
    context = {
        "person": found,
        "stepped": second_step.has(found),
        "oneself": found.pk == request.user.pk,
        "places": places,
        "teams": found.groups.order_by("name"),
        "owned": TeamOwner.objects.filter(user=found).select_related("team").order_by("team__name"),
        "launches": Launch.objects.filter(user=found).select_related("workspace").order_by("-asked_at")[:_LATEST],
    }
    return respond.page(request, "people/person.html", context)


@superuser
def deactivate(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Says by name and number what will happen, then switches the account off."""
    found = _find(person_id)
    if request.method != "POST":
        return _question(request, found, SuccessorForm(initial={"successor": request.user.username}))
    form = SuccessorForm(request.POST)
    successor = None
    if form.is_valid() and form.cleaned_data["successor"]:
        successor = people.named(form.cleaned_data["successor"])
        if successor is None or successor.pk == found.pk:
            form.add_error("successor", _("Name somebody else with an account that is switched on."))
    if form.errors:
        return _question(request, found, form)
    try:
        leaving.deactivate(actor(request), found, successor)
    except leaving.NeedsSuccessor:
        form.add_error("successor", _("Nobody else manages the workspaces named here. Say who does from now on."))
        return _question(request, found, form)
    except leaving.LastSuperuser:
        messages.error(request, _("Nothing was changed: nobody would look after the console any more."))
    except leaving.Oneself:
        messages.error(
            request, _("You cannot switch off your own account. Ask somebody else who looks after the console.")
        )
    else:
        messages.success(
            request,
            _("The account of %(person)s is switched off, and signed out everywhere.") % {"person": found.label[:80]},
        )
    return _there(request, found)


@require_POST
@superuser
def reactivate(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Switches an account on again."""
    found = _find(person_id)
    if leaving.reactivate(actor(request), found):
        messages.success(request, _("The account of %(person)s is switched on again.") % {"person": found.label[:80]})
    return _there(request, found)


@require_POST
@superuser
def end_sessions(request: ConsoleRequest, person_id: int) -> HttpResponse:
    """Signs a person out everywhere."""
    found = _find(person_id)
    leaving.end_sessions(actor(request), found)
    messages.success(request, _("%(person)s is signed out everywhere.") % {"person": found.label[:80]})
    return _there(request, found)


def _question(request: ConsoleRequest, found: User, form: SuccessorForm) -> HttpResponse:
    context: dict[str, Any] = {"person": found, "gone": leaving.belongings(found), "form": form}
    return respond.page(request, "people/deactivate.html", context, status=422 if form.errors else 200)


def _found(asked: str, *, off: bool) -> QuerySet[User]:
    rows = User.objects.order_by("first_name", "last_name", "username", "pk")
    for word in asked.split()[:6]:
        columns = ("username", "first_name", "last_name", "email")
        found = (Q((f"{column}__icontains", text)) for column in columns for text in database.spellings(word))
        rows = rows.filter(reduce(or_, found))
    return rows.filter(is_active=False) if off else rows


def _workspaces(shown: list[User]) -> dict[int, int]:
    """How many workspaces each of these people belongs to, by themselves or through a team."""
    spaces: dict[int, set[int]] = {}
    own = Member.objects.filter(user__in=shown).values_list("user", "workspace")
    through = Member.objects.filter(team__user__in=shown).values_list("team__user", "workspace")
    for who, space in [*own, *through]:
        spaces.setdefault(who, set()).add(space)
    return {who: len(found) for who, found in spaces.items()}


def _page_number(text: str) -> int:
    return min(int(text), 100_000) if text.isdecimal() and len(text) < 7 and int(text) > 0 else 1


def _find(person_id: int) -> User:
    found = User.objects.filter(pk=person_id).first()
    if found is None:
        raise Http404
    return found


def _there(request: ConsoleRequest, found: User) -> HttpResponse:
    return respond.redirect(request, reverse("person", args=[found.pk]))


urlpatterns = [
    path("people/", listing, name="people"),
    path("people/<int:person_id>/", person, name="person"),
    path("people/<int:person_id>/deactivate/", deactivate, name="person_deactivate"),
    path("people/<int:person_id>/reactivate/", reactivate, name="person_reactivate"),
    path("people/<int:person_id>/sessions/", end_sessions, name="person_end_sessions"),
]

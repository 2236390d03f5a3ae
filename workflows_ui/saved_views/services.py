"""Saved views and chosen columns of the lists of a workspace. A person finds their own views and those of their teams."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.core import database
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.saved_views.models import ListChoice, SavedView

#: Most views, and lists with a choice, of a person in a workspace; most hidden columns.
MOST, MOST_HIDDEN = 200, 200
LONGEST_QUERY = 2000
#: Parameters of a list's address that a view does not have: the position, the view itself, and those of a single request.
_PASSING = ("at", "rows", "view", "late", "seen")
_PATH = re.compile(r"[\w-]+(?:/[\w-]+)*", re.ASCII)


class NameTaken(Exception):
    """The person already has a view of this list under this name."""


class TooMany(Exception):
    """The person has as many views, or lists with a choice, as they can have in a workspace."""


@dataclass(frozen=True)
class ListViews:
    """What a person has for a list: the views, by name; the columns hidden without a view; the view that it opens with."""

    access: Access
    path: str
    views: tuple[SavedView, ...]
    hidden: frozenset[str]
    default: SavedView | None

    def find(self, key: str) -> SavedView | None:
        return next((view for view in self.views if str(view.pk) == key), None)

    def own(self, view: SavedView) -> bool:
        return view.owner_id == self.access.user.pk

    def may_change(self, view: SavedView) -> bool:
        return may_change(self.access, view)


def _visible(user: int, workspace: int) -> QuerySet[SavedView]:
    teams = Group.objects.filter(user=user, memberships__workspace=workspace)
    rows = SavedView.objects.filter(Q(owner=user) | Q(team__in=teams), workspace=workspace)
    return rows.select_related("owner", "team").order_by("name", "pk")


_views = Prepared(lambda user, workspace, path: _visible(user, workspace).filter(list_path=path), int, int, str)
_choices = Prepared(
    lambda user, workspace, path: ListChoice.objects.filter(user=user, workspace=workspace, list_path=path),
    int,
    int,
    str,
)


def load(access: Access, url: str) -> ListViews | None:
    """What the person has for the list at a URL; None if it is not one of the workspace's."""
    path = url.removeprefix(reverse("workspace", args=[access.workspace.slug])).strip("/")
    if not is_list_path(path):
        return None
    key = (access.user.pk, access.workspace.pk, path)
    views, choice = tuple(_views(*key)), next(iter(_choices(*key)), None)
    default = next((view for view in views if choice and view.pk == choice.default_view_id), None)
    return ListViews(access, path, views, frozenset(choice.hidden if choice else ()), default)


def is_list_path(path: str) -> bool:
    return len(path) <= 200 and _PATH.fullmatch(path) is not None


def list_url(workspace: Workspace, path: str, query: str = "") -> str:
    url = f"{reverse('workspace', args=[workspace.slug])}{path}/"
    return f"{url}?{query}" if query else url


def view_query(view: SavedView) -> str:
    """The query string that opens a view."""
    return f"view={view.pk}&{view.query}" if view.query else f"view={view.pk}"


def visible_views(access: Access) -> QuerySet[SavedView]:
    """The views that the person finds in the workspace."""
    return _visible(access.user.pk, access.workspace.pk)


def may_change(access: Access, view: SavedView) -> bool:
    """Whether the person saved the view, or is a manager."""
    return view.owner_id == access.user.pk or access.allows(Role.MANAGER)


def teams(access: Access) -> QuerySet[Group]:
    """The teams of the workspace that the person may share a view with: their own, for managers all."""
    found = Group.objects.filter(memberships__workspace=access.workspace).order_by("name")
    return found if access.allows(Role.MANAGER) else found.filter(user=access.user)


def save(actor: audit_log.Actor, access: Access, path: str, name: str, query: str, hidden: Iterable[str]) -> SavedView:
    """Save a list's filters, order and columns under a name. Raises NameTaken, TooMany."""
    view = SavedView(workspace=access.workspace, owner=access.user, list_path=path)
    view.name, view.query, view.hidden = _name(name), _query(query), _keys(hidden)
    with transaction.atomic():
        # Serialised per person, so that the limit holds for two at the same time.
        User.objects.select_for_update().get(pk=access.user.pk)
        own = SavedView.objects.filter(workspace=access.workspace, owner=access.user)
        if own.filter(list_path=path, name=view.name).exists():
            raise NameTaken(name)
        if own.count() >= MOST:
            raise TooMany(path)
        view.save(force_insert=True)
        audit_log.record(actor, "view.save", view, list=path)
    return view


def change(actor: audit_log.Actor, view: SavedView, name: str, team: Group | None) -> None:
    """Rename a view, and share it with a team, or with nobody. Raises NameTaken."""
    view.name, view.team = _name(name), team
    try:
        with transaction.atomic():
            view.save(update_fields=["name", "team", "changed_at"])
            audit_log.record(actor, "view.change", view, list=view.list_path, team=team.name if team else "")
    except IntegrityError:
        raise NameTaken(name) from None


def update(
    actor: audit_log.Actor, view: SavedView, *, query: str | None = None, hidden: Iterable[str] | None = None
) -> None:
    """Give a view other filters and another order, or other columns."""
    if query is not None:
        view.query = _query(query)
    if hidden is not None:
        view.hidden = _keys(hidden)
    with transaction.atomic():
        view.save(update_fields=["query", "hidden", "changed_at"])
        audit_log.record(actor, "view.change", view, list=view.list_path)


def delete(actor: audit_log.Actor, view: SavedView) -> None:
    with transaction.atomic():
        audit_log.record(actor, "view.delete", view, list=view.list_path)
        view.delete()


def hide_columns(access: Access, path: str, hidden: Iterable[str]) -> None:
    """Keep the columns that the person does not want in a list. Raises TooMany."""
    _choose(access, path, hidden=_keys(hidden))


def set_default(access: Access, view: SavedView, *, default: bool) -> None:
    """Let the person's list open with a view, or no longer with it. Raises TooMany."""
    if default:
        _choose(access, view.list_path, default_view=view)
    else:
        ListChoice.objects.filter(user=access.user, default_view=view).update(default_view=None)


def is_default(access: Access, view: SavedView) -> bool:
    return ListChoice.objects.filter(user=access.user, default_view=view).exists()


def _choose(access: Access, path: str, **values: object) -> None:
    with transaction.atomic():
        User.objects.select_for_update().get(pk=access.user.pk)
        own = ListChoice.objects.filter(user=access.user, workspace=access.workspace)
        if own.filter(list_path=path).update(**values):
            return
        if own.count() >= MOST:
            raise TooMany(path)
        ListChoice.objects.create(user=access.user, workspace=access.workspace, list_path=path, **values)


def _name(name: str) -> str:
    return database.storable(name).strip()[:80]


def _keys(hidden: Iterable[str]) -> list[str]:
    return sorted({database.storable(key)[:200] for key in hidden})[:MOST_HIDDEN]


def _query(text: str) -> str:
    """The filters and the order of a list's query string; "" if they are too long."""
    found = parse_qsl(database.storable(text[: LONGEST_QUERY * 2]))
    kept = urlencode([(name, value) for name, value in found if name not in _PASSING])
    return kept if len(kept) <= LONGEST_QUERY else ""

"""Saved views and chosen columns of lists, in a workspace or without one. A person finds their own views and those of their teams."""

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
from workflows_ui.core.collation import by_name
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access
from workflows_ui.saved_views.models import ListChoice, SavedView

#: Most views, and lists with a choice, of a person in a workspace; most hidden columns.
MOST, MOST_HIDDEN = 200, 200
LONGEST_QUERY = 2000
#: Parameters of a list's address that a view does not have: the position, the view itself, and those of a single request.
_PASSING = ("at", "rows", "view", "late", "seen", "newer", "show")
_PATH = re.compile(r"[\w-]+(?:/[\w-]+)*", re.ASCII)


class NameTaken(Exception):
    """The person already has a view of this list under this name."""


class TooMany(Exception):
    """The person has as many views, or lists with a choice, as they can have in a workspace."""


@dataclass(frozen=True)
class Scope:
    """A person and the workspace whose lists are meant; None for lists without a workspace, such as notifications.

    `manages` is whether the person may change the views that others share.
    """

    user: User
    workspace: Workspace | None = None
    manages: bool = False

    @property
    def key(self) -> tuple[int, int | None]:
        return self.user.pk, self.workspace.pk if self.workspace else None

    def url(self, name: str, *arguments: object) -> str:
        """The URL of a view of saved_views.urls."""
        return (
            reverse(name, args=[self.workspace.slug, *arguments])
            if self.workspace
            else reverse(f"own_{name}", args=arguments)
        )


def workspace_scope(access: Access) -> Scope:
    return Scope(access.user, access.workspace, access.allows(Role.MANAGER))


@dataclass(frozen=True)
class ListViews:
    """What a person has for a list: the views, by name; the columns hidden without a view; the view that it opens with; whether its plot is
    open."""

    scope: Scope
    path: str
    views: tuple[SavedView, ...]
    hidden: frozenset[str]
    default: SavedView | None
    plot_open: bool = False

    def find_view(self, key: str) -> SavedView | None:
        return next((view for view in self.views if str(view.pk) == key), None)

    def own(self, view: SavedView) -> bool:
        return view.owner_id == self.scope.user.pk

    def may_change(self, view: SavedView) -> bool:
        return may_change(self.scope, view)

    @property
    def columns_url(self) -> str:
        return self.scope.url("list_columns")

    @property
    def plot_url(self) -> str:
        return self.scope.url("list_plot")

    @property
    def save_url(self) -> str:
        return self.scope.url("saved_views")

    def url(self, view: SavedView) -> str:
        return self.scope.url("saved_view", view.pk)


def _visible(user: int, workspace: int | None) -> QuerySet[SavedView]:
    condition = Q(owner=user)
    if workspace is not None:
        condition |= Q(team__in=Group.objects.filter(user=user, memberships__workspace=workspace))
    rows = SavedView.objects.filter(condition, workspace=workspace)
    return rows.select_related("owner", "team").order_by("name", "pk")


def _views_of_list(user: int, workspace: int | None, path: str) -> QuerySet[SavedView]:
    return _visible(user, workspace).filter(list_path=path)


def _choices_of_list(user: int, workspace: int | None, path: str) -> QuerySet[ListChoice]:
    return ListChoice.objects.filter(user=user, workspace=workspace, list_path=path)


#: For the lists of workspaces, which are requested most.
_views, _choices = Prepared(_views_of_list, int, int, str), Prepared(_choices_of_list, int, int, str)


def load(scope: Scope, url: str) -> ListViews | None:
    """The person's views and columns of the list at a URL; None if the list does not belong to the scope."""
    path = url.removeprefix(base_url(scope.workspace)).strip("/")
    if not is_list_path(path):
        return None
    if scope.workspace is not None:
        key = (scope.user.pk, scope.workspace.pk, path)
        views, choices = tuple(_views(*key)), list(_choices(*key))
    else:
        views, choices = tuple(_views_of_list(*scope.key, path)), list(_choices_of_list(*scope.key, path))
    choice = next(iter(choices), None)
    default = next((view for view in views if choice and view.pk == choice.default_view_id), None)
    hidden = frozenset(choice.hidden if choice else ())
    return ListViews(scope, path, views, hidden, default, choice is not None and choice.plot_open)


def base_url(workspace: Workspace | None) -> str:
    return reverse("workspace", args=[workspace.slug]) if workspace else reverse("home")


def is_list_path(path: str) -> bool:
    return len(path) <= 200 and _PATH.fullmatch(path) is not None


def list_url(workspace: Workspace | None, path: str, query: str = "") -> str:
    url = f"{base_url(workspace)}{path}/"
    return f"{url}?{query}" if query else url


def view_query(view: SavedView) -> str:
    """The query string that opens a view."""
    return f"view={view.pk}&{view.query}" if view.query else f"view={view.pk}"


def visible_views(scope: Scope) -> QuerySet[SavedView]:
    return _visible(*scope.key)


def may_change(scope: Scope, view: SavedView) -> bool:
    """Whether the person saved the view, or is a manager."""
    return view.owner_id == scope.user.pk or scope.manages


def teams(scope: Scope) -> QuerySet[Group] | None:
    """The teams of the workspace that the person may share a view with: their own, for managers all. None without a workspace."""
    if scope.workspace is None:
        return None
    found = Group.objects.filter(memberships__workspace=scope.workspace).order_by(*by_name("name"))
    return found if scope.manages else found.filter(user=scope.user)


def save(actor: audit_log.Actor, scope: Scope, path: str, name: str, query: str, hidden: Iterable[str]) -> SavedView:
    """Save a list's filters, order and columns under a name. Raises NameTaken, TooMany."""
    view = SavedView(workspace=scope.workspace, owner=scope.user, list_path=path)
    view.name, view.query, view.hidden = _name(name), _query(query), _keys(hidden)
    with transaction.atomic():
        # Serialised per person, so that the limit holds for two at the same time.
        User.objects.select_for_update().get(pk=scope.user.pk)
        own = SavedView.objects.filter(workspace=scope.workspace, owner=scope.user)
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


def hide_columns(scope: Scope, path: str, hidden: Iterable[str]) -> None:
    """Keep the columns that the person does not want in a list. Raises TooMany."""
    _choose(scope, path, hidden=_keys(hidden))


def fold_plot(scope: Scope, path: str, *, folded: bool) -> None:
    """Keep whether the plot above a person's list is folded. Raises TooMany."""
    _choose(scope, path, plot_open=not folded)


def set_default(scope: Scope, view: SavedView, *, default: bool) -> None:
    """Let the person's list open with a view, or no longer with it. Raises TooMany."""
    if default:
        _choose(scope, view.list_path, default_view=view)
    else:
        ListChoice.objects.filter(user=scope.user, default_view=view).update(default_view=None)


def is_default(scope: Scope, view: SavedView) -> bool:
    return ListChoice.objects.filter(user=scope.user, default_view=view).exists()


def _choose(scope: Scope, path: str, **values: object) -> None:
    with transaction.atomic():
        User.objects.select_for_update().get(pk=scope.user.pk)
        own = ListChoice.objects.filter(user=scope.user, workspace=scope.workspace)
        if own.filter(list_path=path).update(**values):
            return
        if own.count() >= MOST:
            raise TooMany(path)
        ListChoice.objects.create(user=scope.user, workspace=scope.workspace, list_path=path, **values)


def _name(name: str) -> str:
    return database.storable(name).strip()[:80]


def _keys(hidden: Iterable[str]) -> list[str]:
    return sorted({database.storable(key)[:200] for key in hidden})[:MOST_HIDDEN]


def _query(text: str) -> str:
    """The filters and the order of a list's query string; "" if they are too long."""
    found = parse_qsl(database.storable(text[: LONGEST_QUERY * 2]))
    query = urlencode([(name, value) for name, value in found if name not in _PASSING])
    return query if len(query) <= LONGEST_QUERY else ""

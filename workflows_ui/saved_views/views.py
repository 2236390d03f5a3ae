"""Choosing the columns of a list, saving it as a view, and one view: to rename, share, update or delete, and to open the list with."""

import contextlib
import functools
from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from workflows_ui.audit.requests import actor
from workflows_ui.members.models import Role
from workflows_ui.saved_views import services
from workflows_ui.saved_views.forms import ViewForm
from workflows_ui.saved_views.models import SavedView
from workflows_ui.saved_views.services import Scope
from workflows_ui.web import responses
from workflows_ui.web.access import member, signed_in
from workflows_ui.web.requests import ConsoleRequest


def _scoped(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Call the view with the scope of its URL: the workspace, for its members, or no workspace, for everybody who is signed in."""

    @member(Role.VIEWER, guests=True)
    def in_workspace(request: ConsoleRequest, slug: str, **arguments: object) -> HttpResponse:
        return view(request, services.workspace_scope(request.access), **arguments)

    @signed_in
    def everywhere(request: ConsoleRequest, **arguments: object) -> HttpResponse:
        return view(request, services.Scope(request.user), **arguments)

    @functools.wraps(view)
    def guarded(request: ConsoleRequest, **arguments: object) -> HttpResponse:
        return (in_workspace if "slug" in arguments else everywhere)(request, **arguments)

    return guarded


@require_POST
@_scoped
def columns(request: ConsoleRequest, scope: Scope) -> HttpResponse:
    """Keep which columns are shown: for the view that is open if the person saved it, else for their list without a view."""
    path = request.POST.get("list", "")
    if not services.is_list_path(path):
        return responses.redirect(request, services.base_url(scope.workspace))
    query = QueryDict(request.POST.get("query", ""), mutable=True)
    hidden = set(request.POST.getlist("offered")) - set(request.POST.getlist("shown"))
    view = _open_view(scope, path, query.get("view", ""))
    if view is not None and view.owner_id == scope.user.pk:
        services.update(actor(request), view, hidden=hidden)
    else:
        # The columns of others' views stay as they are: the list goes on without the view, with its filters.
        if view is not None:
            query["view"] = "none"
        try:
            services.hide_columns(scope, path, hidden)
        except services.TooMany:
            messages.error(request, _too_many())
    return responses.redirect(request, services.list_url(scope.workspace, path, query.urlencode()))


@require_POST
@_scoped
def plot(request: ConsoleRequest, scope: Scope) -> HttpResponse:
    """Keep whether the plot above a list is folded, as the person has just left it."""
    path = request.POST.get("list", "")
    if services.is_list_path(path):
        with contextlib.suppress(services.TooMany):
            services.fold_plot(scope, path, folded="folded" in request.POST)
    return responses.vary(HttpResponse(status=204))


@require_POST
@_scoped
def save(request: ConsoleRequest, scope: Scope) -> HttpResponse:
    """Save the list that was open as a view, and open it."""
    path, query = request.POST.get("list", ""), request.POST.get("query", "")
    if not services.is_list_path(path):
        return responses.redirect(request, services.base_url(scope.workspace))
    name = request.POST.get("name", "").strip()
    back = services.list_url(scope.workspace, path, QueryDict(query).urlencode())
    if not name:
        messages.error(request, _("Enter a name for the view."))
        return responses.redirect(request, back)
    try:
        view = services.save(actor(request), scope, path, name, query, request.POST.getlist("hidden"))
    except services.NameTaken:
        messages.error(request, _taken())
    except services.TooMany:
        messages.error(request, _too_many())
    else:
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
        back = _url(view)
    return responses.redirect(request, back)


@require_http_methods(["GET", "HEAD", "POST"])
@_scoped
def view(request: ConsoleRequest, scope: Scope, view_id: int) -> HttpResponse:
    """One view. Raises Http404 if it is neither the person's nor their teams'; NotAllowed if they may only use it."""
    row = get_object_or_404(services.visible_views(scope).select_related("workspace"), pk=view_id)
    changes = services.may_change(scope, row)
    if request.method == "POST" and ("delete" in request.POST or "query" in request.POST):
        if not changes:
            request.access.require(Role.MANAGER)
        return _delete(request, row) if "delete" in request.POST else _update(request, row)
    initial: dict[str, object] = {"name": row.name, "team": row.team_id, "default": services.is_default(scope, row)}
    form = ViewForm(request.POST or None, initial=initial, changes=changes, teams=services.teams(scope))
    if request.method == "POST" and form.is_valid() and _change(request, scope, row, form):
        messages.success(request, _("The view “%(name)s” is saved.") % {"name": row.name})
        return responses.redirect(request, _url(row))
    context = {"view": row, "changes": changes, "own": row.owner_id == scope.user.pk, "url": _url(row)}
    return responses.form_page(request, "saved_views/view.html", form, context)


def _change(request: ConsoleRequest, scope: Scope, row: SavedView, form: ViewForm) -> bool:
    """Save a valid form; if that is not possible, the form has errors."""
    data = form.cleaned_data
    try:
        if "name" in data and (data["name"], data.get("team")) != (row.name, row.team):
            services.change(actor(request), row, data["name"], data.get("team"))
        services.set_default(scope, row, default=data["default"])
    except services.NameTaken:
        form.add_error("name", _taken())
    except services.TooMany:
        form.add_error(None, _too_many())
    return not form.errors


def _update(request: ConsoleRequest, row: SavedView) -> HttpResponse:
    services.update(actor(request), row, query=request.POST["query"])
    messages.success(request, _("The view “%(name)s” is saved.") % {"name": row.name})
    return responses.redirect(request, _url(row))


def _delete(request: ConsoleRequest, row: SavedView) -> HttpResponse:
    services.delete(actor(request), row)
    messages.success(request, _("The view “%(name)s” is deleted.") % {"name": row.name})
    return responses.redirect(request, services.list_url(row.workspace, row.list_path))


def _open_view(scope: Scope, path: str, key: str) -> SavedView | None:
    if not (key.isascii() and key.isdecimal() and len(key) < 16):
        return None
    return services.visible_views(scope).filter(list_path=path, pk=key).first()


def _url(row: SavedView) -> str:
    return services.list_url(row.workspace, row.list_path, services.view_query(row))


def _taken() -> str:
    return _("You already have a view of this list with this name.")


def _too_many() -> str:
    return _("You have %(n)d saved already. Delete some first.") % {"n": services.MOST}

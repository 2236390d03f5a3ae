"""Who may enter a view: decorators that sign-in and membership hang on."""

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import urlencode

from workflows_ui.kit import respond, typed
from workflows_ui.models import Role, User, Workspace
from workflows_ui.services import access, second_step

#: In the session: where somebody was going who has to set up a second step first.
GOING_TO = "second_step_going_to"
#: In the session: of whom (primary key) the provider of a single sign-on says that it asked for a second step.
STEPPED_ELSEWHERE = "second_step_elsewhere"

View = Callable[..., HttpResponse]
#: What a view answers with besides: a file that is streamed is no HttpResponse.
R = TypeVar("R", bound=HttpResponseBase)


def signed_in(view: View) -> View:
    """Lets in whoever is signed in; for pages outside a workspace."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def superuser(view: Callable[..., R]) -> Callable[..., R | HttpResponse]:
    """Lets in superusers; for everybody else there is no such page.

    What they see is of all workspaces: where one of them demands a second step, so do these pages.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> R | HttpResponse:
        if not request.user.is_authenticated:
            return _sign_in(request)
        if not request.user.is_superuser:
            raise Http404
        if not stepped(request, request.user) and second_step.demanded_somewhere():
            return _set_up_first(request, "", request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


def member(role: Role, *, guests: bool = False) -> Callable[[Callable[..., R]], Callable[..., R | HttpResponse]]:
    """Lets in members of the workspace `slug` whose role includes `role`, and sets `request.access`.

    With `guests` also whoever has a right to launch single flows there: the view shows them what is their own, and nothing else.
    Raises services.access.NoAccess and NotAllowed, which the errors' middleware turns into pages.
    """

    def guard(view: Callable[..., R]) -> Callable[..., R | HttpResponse]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> R | HttpResponse:
            if not request.user.is_authenticated:
                return _sign_in(request)
            found = access.find(request.user, slug)
            stopped = second_step_missing(request, found)
            if stopped is not None:
                return stopped
            request.access = found  # type: ignore[attr-defined]
            if not (guests and found.rights):
                found.require(role)
            return view(request, slug, *args, **kwargs)

        return guarded

    return guard


def launching(view: Callable[..., R]) -> Callable[..., R | HttpResponse]:
    """Lets in whoever may launch the flow `id` of the workspace `slug`: launchers, and those with a right on that one flow.

    For a guest every other flow is not there. A form that is sent may find its right used up: by itself, should it be sent twice.
    So services.launches.ask decides there, which knows the launch that exists. Raises services.access.NoAccess and NotAllowed.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, slug: str, id: str, *args: Any, **kwargs: Any) -> R | HttpResponse:
        found: access.Access = request.access  # type: ignore[attr-defined]
        if found.guest and not found.had_right(id):
            raise access.NoAccess(slug)
        if request.method != "POST" or not found.had_right(id):
            found.require_launch(id)
        return view(request, slug, id, *args, **kwargs)

    return member(Role.LAUNCHER, guests=True)(guarded)


def second_step_missing(request: HttpRequest, found: access.Access) -> HttpResponse | None:
    """What is answered instead of a page of a workspace that demands a second step, to somebody who has none; else None.

    Every way into a workspace asks this: each method, whole pages and fragments alike.
    """
    if not closed(request, found.user, [found.workspace]):
        return None
    return _set_up_first(request, found.workspace.name, reverse("workspace", args=[found.workspace.slug]))


def closed(request: HttpRequest, user: User, workspaces: Iterable[Workspace]) -> set[int]:
    """Those of these workspaces (primary keys) that demand a second step which this session lacks: nothing in them may be told."""
    found = {one.pk for one in workspaces if one.second_factor_required}
    return found if found and not stepped(request, user) else set()


def stepped(request: HttpRequest, user: User) -> bool:
    """Whether a second step was asked for: by us, since the person has one, or by the provider of their single sign-on."""
    return request.session.get(STEPPED_ELSEWHERE) == user.pk or second_step.has(user)


def _set_up_first(request: HttpRequest, name: str, home: str) -> HttpResponse:
    """Says why a second step is needed (`name`: the workspace's, empty for superusers' pages), and remembers where to go on."""
    if respond.is_fragment(request):
        stop = respond.STOP_POLLING if request.method == "GET" else 403
        return respond.alert(request, "errors/second_step_alert.html", status=stop)
    request.session[GOING_TO] = request.get_full_path() if request.method == "GET" else home
    context = {"name": name, "typed": typed.values(request) if request.method == "POST" else []}
    return respond.page(request, "errors/second_step.html", context, status=403)


def sign_in_url(request: HttpRequest) -> str:
    """The sign-in page that leads back to where the person is: the page itself, not one of its fragments."""
    where = request.get_full_path()
    htmx = getattr(request, "htmx", None)
    if htmx and htmx.current_url_abs_path:
        where = htmx.current_url_abs_path
    elif request.method not in {"GET", "HEAD"}:
        where = request.path
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': where})}"


def _sign_in(request: HttpRequest) -> HttpResponse:
    url = sign_in_url(request)
    if respond.is_fragment(request):
        stop = respond.STOP_POLLING if request.method == "GET" else 200
        return respond.alert(request, "errors/signed_out_alert.html", {"sign_in_url": url}, status=stop)
    if request.method not in {"GET", "HEAD"}:
        context = {"sign_in_url": url, "typed": typed.values(request)}
        return respond.page(request, "errors/signed_out.html", context, status=403)
    return respond.redirect(request, url)

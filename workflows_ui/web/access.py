"""Decorators for views that require a sign-in, a role or a second step."""

import functools
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import urlencode

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access, directory
from workflows_ui.web import links, responses
from workflows_ui.web.requests import posted_values

#: Session key: the page to return to after the set-up of a second step.
GOING_TO = "second_step_going_to"
#: Session key: the short name of the workspace that the person was in last.
LAST_WORKSPACE = "workspace"
#: Session key: primary key of the person for whom the single sign-on provider reported a second step.
STEPPED_ELSEWHERE = "second_step_elsewhere"

#: A streamed file is not an HttpResponse.
R = TypeVar("R", bound=HttpResponseBase)


def signed_in(view: Callable[..., R]) -> Callable[..., R | HttpResponse]:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> R | HttpResponse:
        if not request.user.is_authenticated:
            return _redirect_to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def superuser(view: Callable[..., R]) -> Callable[..., R | HttpResponse]:
    """Require a superuser; 404 for everybody else.

    These pages show all workspaces: if one of them requires a second step, so do they.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> R | HttpResponse:
        if not request.user.is_authenticated:
            return _redirect_to_sign_in(request)
        if not request.user.is_superuser:
            raise Http404
        if not stepped(request, request.user) and access.second_step_required():
            return _require_second_step(request, "", request.get_full_path())
        return view(request, *args, **kwargs)

    return guarded


def member(role: Role, *, guests: bool = False) -> Callable[[Callable[..., R]], Callable[..., R | HttpResponse]]:
    """Require a member of the workspace `slug` whose role includes `role`, and set `request.access`.

    `guests` also admits people with rights to launch single flows there: the view must show them only their own data.
    Pages that the workspace hides from launchers do not exist for them.
    Raise members.services.access.NoAccess and NotAllowed, which the error middleware turns into pages.
    """

    def guard(view: Callable[..., R]) -> Callable[..., R | HttpResponse]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, slug: str, *args: object, **kwargs: object) -> R | HttpResponse:
            if not request.user.is_authenticated:
                return _redirect_to_sign_in(request)
            person_access = access.access_for(request.user, slug)
            workspace = person_access.workspace
            if closed(request, request.user, [workspace]):
                return _require_second_step(request, workspace.name, reverse("workspace", args=[workspace.slug]))
            request.access = person_access  # type: ignore[attr-defined]
            if request.session.get(LAST_WORKSPACE) != slug and not responses.is_fragment(request):
                request.session[LAST_WORKSPACE] = slug
            links.hidden_pages.set(person_access.hidden_pages)
            if not person_access.sees(access.page_of(request.path)):
                raise Http404
            if not (guests and person_access.rights):
                person_access.require(role)
            return view(request, slug, *args, **kwargs)

        return guarded

    return guard


def launching(view: Callable[..., R]) -> Callable[..., R | HttpResponse]:
    """Require the right to launch the flow `id` of the workspace `slug`, by role or by a launch right.

    For a guest, other flows do not exist. A form that is submitted twice may find its right used up by its first submission, so for a
    POST launches.services.launches.create decides, which knows the existing launch. Raise members.services.access.NoAccess and
    NotAllowed.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, slug: str, id: str, *args: object, **kwargs: object) -> R | HttpResponse:
        person_access: access.Access = request.access  # type: ignore[attr-defined]
        if person_access.guest and not person_access.had_right(id):
            raise access.NoAccess(slug)
        if request.method != "POST" or not person_access.had_right(id):
            person_access.require_launch(id)
        return view(request, slug, id, *args, **kwargs)

    return member(Role.LAUNCHER, guests=True)(guarded)


def last_access(request: HttpRequest, user: User) -> access.Access | None:
    """The access to the workspace that the person was in last, if they still have it and the session may show it."""
    slug = request.session.get(LAST_WORKSPACE)
    try:
        found = access.access_for(user, slug) if slug else None
    except access.NoAccess:
        return None
    return None if found is None or closed(request, user, [found.workspace]) else found


def closed(request: HttpRequest, user: User, workspaces: Iterable[Workspace]) -> set[int]:
    """The primary keys of these workspaces that require a second step which the session lacks: their contents must not be shown."""
    requiring = {workspace.pk for workspace in workspaces if workspace.second_factor_required}
    return requiring if requiring and not stepped(request, user) else set()


def stepped(request: HttpRequest, user: User) -> bool:
    """Whether the sign-in included a second step: the person's own, or one reported by the single sign-on provider."""
    return request.session.get(STEPPED_ELSEWHERE) == user.pk or second_step.has(user)


def acts_as_superuser(request: HttpRequest, user: User) -> bool:
    """Whether the pages of superusers admit this person in this session."""
    return user.is_superuser and (stepped(request, user) or not access.second_step_required())


def visible_people(request: HttpRequest, user: User) -> QuerySet[User]:
    """The people whom a person may find by part of a name, as far as the session may show them."""
    everyone = acts_as_superuser(request, user)
    return directory.visible_people(user, everyone=everyone, closed=closed(request, user, access.workspaces(user)))


def people_for_new_team(request: HttpRequest, user: User) -> QuerySet[User] | None:
    """The people whom a superuser may put into a new team; None for everybody else, who may create no team."""
    return visible_people(request, user) if acts_as_superuser(request, user) else None


def _require_second_step(request: HttpRequest, name: str, next_url: str) -> HttpResponse:
    """Explain why a second step is required (`name`: of the workspace, empty for superusers' pages), and remember the page."""
    if responses.is_fragment(request):
        stop_status = responses.STOP_POLLING if request.method == "GET" else 403
        return responses.alert(request, "web/errors/second_step_alert.html", status=stop_status)
    request.session[GOING_TO] = request.get_full_path() if request.method == "GET" else next_url
    context = {"name": name, "typed": posted_values(request)}
    return responses.page(request, "web/errors/second_step.html", context, status=403)


def sign_in_url(request: HttpRequest) -> str:
    """The URL of the sign-in page, with the current page (not its fragment) as the next one."""
    path = request.get_full_path()
    htmx = getattr(request, "htmx", None)
    if htmx and htmx.current_url_abs_path and responses.is_fragment(request):
        path = htmx.current_url_abs_path
    elif request.method not in {"GET", "HEAD"}:
        path = request.path
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': path})}"


def _redirect_to_sign_in(request: HttpRequest) -> HttpResponse:
    url = sign_in_url(request)
    if responses.is_fragment(request):
        stop_status = responses.STOP_POLLING if request.method == "GET" else 200
        return responses.alert(request, "web/errors/signed_out_alert.html", {"sign_in_url": url}, status=stop_status)
    if request.method not in {"GET", "HEAD"}:
        context = {"sign_in_url": url, "typed": posted_values(request)}
        return responses.page(request, "web/errors/signed_out.html", context, status=403)
    return responses.redirect(request, url)

"""The first pages after sign-in: the person's workspaces, and the home of one. Data from the engine is loaded by a second request."""

from contextlib import suppress

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from workflows_ui.core import collation
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.engine import AddressRefused, EngineError
from workflows_ui.flows import launchable
from workflows_ui.home import queries, services as visits
from workflows_ui.home.page import Home, form_texts
from workflows_ui.launches import flow_facts
from workflows_ui.launches.models import Launch
from workflows_ui.members import messages as launch_right_messages
from workflows_ui.members.models import AccessRequest, Role
from workflows_ui.members.services import access, launch_rights
from workflows_ui.pieces import apps
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import elsewhere as runs_elsewhere
from workflows_ui.web import messages as words, navigation, responses
from workflows_ui.web.access import closed, member, signed_in
from workflows_ui.web.requests import ConsoleRequest

_LATEST = 8
#: Flows per page; the cookie for the chosen layout and its values.
FLOWS, VIEW_COOKIE, VIEWS = 60, "home", ("cards", "rows")
_YEAR = 365 * 24 * 3600
FLOWS_PART, ELSEWHERE_PART = "home-flows", "home-elsewhere"


@require_safe
@signed_in
def home(request: ConsoleRequest) -> HttpResponse:
    """Show workspaces, open access requests and the latest launches. Redirect to the only workspace of a person.

    Without the second step that a workspace requires, only its name is shown.
    """
    workspaces = list(access.workspaces(request.user))
    waiting = AccessRequest.objects.filter(user=request.user, decided_at=None, link="").select_related("workspace")
    if len(workspaces) == 1 and not waiting and "all" not in request.GET:
        return responses.redirect_to_view(request, "workspace", workspaces[0].slug)
    closed_ids = closed(request, request.user, workspaces)
    accessible = [workspace for workspace in workspaces if workspace.pk not in closed_ids]
    launches = (
        Launch.objects.filter(user=request.user, workspace__in=accessible)
        .select_related("workspace")
        .order_by("-asked_at")[:_LATEST]
    )
    acting = access.acting_in(request.user, accessible)
    context = {
        "places": [
            (
                workspace,
                navigation.environment(workspace),
                credential_messages.acting_label(acting[workspace.pk]) if workspace.pk in acting else "",
                workspace.pk in closed_ids,
            )
            for workspace in workspaces
        ],
        "launches": launches,
        "waiting": waiting,
    }
    return responses.page(request, "home/workspaces.html", context)


@require_safe
@member(Role.VIEWER, guests=True)
def workspace(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Show a workspace's home, at first from local rows. Its fragments query the engine (`?flows=1` without htmx): `home-flows` for the
    launchable flows, `home-elsewhere` for runs that the console did not start.

    Guests see only the flows that they may launch.
    """
    person_access = request.access
    rights = launch_rights.flows(person_access) if person_access.rights else []
    texts = form_texts(person_access.workspace, [right.flow_id for right in rights])
    described_rights = [(launch_right_messages.describe_right(right), texts.get(right.flow_id)) for right in rights]
    if person_access.guest:
        return responses.page(request, "members/launch_rights/mine.html", {"rights": described_rights})
    fragment = responses.is_fragment(request)
    last_visit = (visits.previous_visit if fragment else visits.record_visit)(
        person_access.user, person_access.workspace
    )
    page = Home(person_access, last_visit)
    view = request.GET.get("view", "") or request.COOKIES.get(VIEW_COOKIE, "")
    view = view if view in VIEWS else VIEWS[0]
    q = request.GET.get("q", "").strip()[:200]
    # With JavaScript, the first response comes without the engine, and the fragments follow.
    engine_asked = fragment or any(name in request.GET for name in ("flows", "q", "view", "from"))
    context: dict[str, object] = {
        "home": page,
        "rights": described_rights,
        "slug": slug,
        "view": view,
        "q": q,
        "asked": engine_asked,
    }
    target = request.headers.get("HX-Target", "") if fragment else ""
    if page.may_launch and target != ELSEWHERE_PART:
        context |= _flows(request, page, q, engine_asked=engine_asked)
    if page.watches and engine_asked and target != FLOWS_PART:
        with suppress(clients.NoCredential, CannotOpen, AddressRefused):
            context["elsewhere"] = runs_elsewhere.find_runs(indexes.open_session(person_access), page.since)
        context["runs_per_day"] = page.runs_per_day
    parts = (FLOWS_PART, ELSEWHERE_PART)
    response = responses.page(request, "home/workspace.html", context, fragments=parts)
    if request.GET.get("view") in VIEWS:
        response.set_cookie(VIEW_COOKIE, view, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True)
    return response


@member(Role.LAUNCHER)
def star(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Add a flow to the favourites, or remove it (`stop`)."""
    person_access = request.access
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = reverse("workspace", args=[slug])
    if request.method == "POST" and "stop" in request.POST:
        visits.unstar(person_access.user, person_access.workspace, id)
    elif request.method == "POST" and not visits.star(
        person_access.user, person_access.workspace, id, _name(request, id)
    ):
        messages.warning(request, _("You have the maximum number of favourites. Remove one first."))
    return responses.redirect(request, back)


def _name(request: ConsoleRequest, id: str) -> str:
    """The flow's name from the engine, else the posted one. Raises NotFound if the flow does not exist."""
    try:
        return flow_facts.load_facts(engine_session.open_session(request.access).workflows, id).name
    except EngineError as problem:
        if problem.status in {403, 404}:
            raise
    except (clients.NoCredential, CannotOpen, AddressRefused):
        pass  # The engine is optional for a favourite.
    return request.POST.get("name", "")[:1000] or id


def _flows(request: ConsoleRequest, page: Home, q: str, *, engine_asked: bool) -> dict[str, object]:
    """One page of the launchable flows: `forms` with a published form and `others`, each with favourites first, then by name; and
    the other pages. Without the engine, the flows with a form as last saved.
    """
    person_access = request.access
    start = request.GET.get("from", "")
    offset = int(start) if start.isdecimal() and len(start) < 7 else 0
    form_names = dict(queries.forms(person_access.workspace.pk))
    flows = list(form_names.items())
    context: dict[str, object] = {}
    if engine_asked:
        try:
            listed = launchable.launchable_flows(indexes.open_session(person_access), again=bool(q or offset))
            flows = list(listed.flows)
            context = {"notice": listed.notice, "misfits": listed.misfits if not (q or offset) else ()}
        except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
            # Without a usable credential, a launch is not queued: it ends as not sent.
            context = {"problem": words.error_message(problem), "sent_later": isinstance(problem, EngineError)}
    needle = collation.plain(q)
    flows = [flow for flow in flows if needle in collation.plain(flow[1])]
    flows.sort(
        key=lambda flow: (flow[0] not in form_names, flow[0] not in page.favourites, collation.plain(flow[1]), flow[0])
    )
    visible = flows[offset : offset + FLOWS]
    keys = [key for key, _name in visible]
    last, texts = page.last(keys), form_texts(person_access.workspace, [key for key in keys if key in form_names])
    choices = [
        {
            "id": key,
            "name": name,
            "mark": apps.mark(name or key),
            "starred": key in page.favourites,
            "form": texts.get(key),
            "last": last.get(key),
        }
        for key, name in visible
    ]
    return context | {
        "forms": [flow for flow in choices if flow["id"] in form_names],
        "others": [flow for flow in choices if flow["id"] not in form_names],
        "total": len(flows),
        "first": offset + 1,
        "last": offset + len(visible),
        "older": offset + FLOWS if offset + FLOWS < len(flows) else 0,
        "newer": max(0, offset - FLOWS) if offset else None,
    }

"""The first pages after sign-in: the person's workspaces, and the home of one. Data from the engine is loaded by a second request."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import cast

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.core import collation
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.engine import AddressRefused, EngineError
from workflows_ui.flows import launchable
from workflows_ui.flows.reading import folder_names
from workflows_ui.home import queries, services
from workflows_ui.home.page import Home, form_texts
from workflows_ui.home.panels import attention
from workflows_ui.home.panels.attention import Task
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
#: Flows per page.
FLOWS = 60
FLOWS_PART, ATTENTION_PART = "home-flows", "home-attention"


@require_safe
@signed_in
def home(request: ConsoleRequest) -> HttpResponse:
    """Show workspaces, open access requests and the latest launches. Redirect to the only workspace of a person, and a guest who may launch
    one flow to its launch form.

    Without the second step that a workspace requires, only its name is shown.
    """
    workspaces = list(access.workspaces(request.user))
    waiting = AccessRequest.objects.filter(user=request.user, decided_at=None, link="").select_related("workspace")
    if len(workspaces) == 1 and not waiting and "all" not in request.GET:
        slug = workspaces[0].slug
        person_access = access.access_for(request.user, slug)
        rights = launch_rights.flows(person_access) if person_access.guest else []
        if len(rights) == 1:
            return responses.redirect_to_view(request, "flow_launch", slug, rights[0].flow_id)
        return responses.redirect_to_view(request, "workspace", slug)
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
    launchable flows, `home-attention` for what only the engine knows to need attention.

    Guests see only the flows that they may launch.
    """
    person_access = request.access
    rights = launch_rights.flows(person_access) if person_access.rights else []
    texts = form_texts(person_access.workspace, [right.flow_id for right in rights])
    described_rights = [(launch_right_messages.describe_right(right), texts.get(right.flow_id)) for right in rights]
    if person_access.guest:
        return responses.page(request, "members/launch_rights/mine.html", {"rights": described_rights})
    fragment = responses.requested_fragment(request)
    recorded = (services.visit if fragment else services.record_visit)(person_access.user, person_access.workspace)
    page = Home(person_access, recorded)
    q = request.GET.get("q", "").strip()[:200]
    # With JavaScript, the first response comes without the engine, and the fragments follow.
    engine_asked = bool(fragment) or any(name in request.GET for name in ("flows", "q", "from"))
    context: dict[str, object] = {
        "home": page,
        "rights": described_rights,
        "slug": slug,
        "q": q,
        "asked": engine_asked,
        "arranging": "arrange" in request.GET,
        "tasks": page.attention if fragment != FLOWS_PART else (),
    }
    if page.watches and engine_asked and fragment != FLOWS_PART:
        context |= _with_engine(page, person_access)
    tasks = cast("Sequence[Task]", context["tasks"])
    context["number_of_tasks"] = sum(task.number for task in tasks)
    if page.may_launch and fragment != ATTENTION_PART and "flows" in page.shown_keys:
        context |= _flows(request, page, q, engine_asked=engine_asked)
    return responses.page(request, "home/workspace.html", context, fragments=(FLOWS_PART, ATTENTION_PART))


def _with_engine(page: Home, person_access: access.Access) -> dict[str, object]:
    """The `tasks` with those that only the engine knows of: failed runs that were not started here, unless an index has them, and
    forms that no longer fit. Also the runs in progress `elsewhere`, and whether the engine is `silent`.
    """
    more, running, silent = list[Task](), None, False
    try:
        session = indexes.open_session(person_access)
        if page.index is None:
            found = runs_elsewhere.find_runs(session, page.since)
            more += attention.failed_elsewhere(found, first=page.first)
            running, silent = (found["running"], False) if found else (None, True)
        if page.builds:
            more += attention.misfits(
                person_access.workspace.slug, launchable.launchable_flows(session, again=True).misfits
            )
    except (EngineError, clients.NoCredential, CannotOpen, AddressRefused):
        silent = True
    return {"tasks": [*page.attention, *more], "elsewhere": running, "silent": silent}


@require_POST
@member(Role.VIEWER)
def arrange(request: ConsoleRequest, slug: str) -> HttpResponse:
    """Keep how the person arranges the parts of the home page: move one `up` or `down`, `hide` or `show` it, or `reset` all."""
    person_access = request.access
    page = Home(person_access, services.visit(person_access.user, person_access.workspace))
    arranged = page.arrangement
    for verb, key in request.POST.dict().items():
        if verb in {"up", "down"}:
            arranged = page.moved(key, up=verb == "up")
        elif verb in {"hide", "show"}:
            arranged = page.toggled(key, hidden=verb == "hide")
    services.arrange(person_access.user, person_access.workspace, None if "reset" in request.POST else arranged)
    return responses.redirect(request, f"{reverse('workspace', args=[slug])}?arrange=1")


@member(Role.LAUNCHER)
def star(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """Add a flow to the favourites, or remove it (`stop`)."""
    person_access = request.access
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = reverse("workspace", args=[slug])
    if request.method == "POST" and "stop" in request.POST:
        services.unstar(person_access.user, person_access.workspace, id)
    elif request.method == "POST" and not services.star(
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
    """One page of the launchable flows, by folder (`folders`): in each those with a published form first, then favourites, then by name;
    and the other pages. Without the engine, the flows with a form as last saved.
    """
    person_access = request.access
    start = request.GET.get("from", "")
    offset = int(start) if start.isdecimal() and len(start) < 7 else 0
    form_names = dict(queries.forms(person_access.workspace.pk))
    listed = launchable.Listed(tuple(form_names.items()))
    names: Mapping[str, str] = {}
    context: dict[str, object] = {}
    if engine_asked:
        try:
            session = indexes.open_session(person_access)
            listed = launchable.launchable_flows(session, again=bool(q or offset))
            names = folder_names(session) if listed.folders else {}
            context = {"notice": listed.notice}
        except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
            # Without a usable credential, a launch is not queued: it ends as not sent.
            context = {"problem": words.error_message(problem), "sent_later": isinstance(problem, EngineError)}
    needle = collation.plain(q)
    flows = [flow for flow in listed.flows if needle in collation.plain(flow[1])]

    def folder(key: str) -> str:
        return names.get(listed.folders.get(key, ""), "")

    def order(flow: tuple[str, str]) -> tuple[object, ...]:
        key, name = flow
        within = (key not in form_names, key not in page.favourites, collation.plain(name), key)
        # Those in no folder come last.
        return not folder(key), collation.sort_key(folder(key)), *within

    flows.sort(key=order)
    visible = flows[offset : offset + FLOWS]
    keys = [key for key, _name in visible]
    last, texts = page.last(keys), form_texts(person_access.workspace, [key for key in keys if key in form_names])
    choices = [
        {
            "id": key,
            "name": name,
            "folder": folder(key),
            "mark": apps.mark(name or key),
            "starred": key in page.favourites,
            "line": texts.get(key, {}).get("note") or listed.steps.get(key, ""),
            "last": last.get(key),
        }
        for key, name in visible
    ]
    return context | {
        "folders": [(name, list(rows)) for name, rows in groupby(choices, key=lambda row: row["folder"])],
        "in_folders": any(map(folder, keys)),
        "total": len(flows),
        "first": offset + 1,
        "last": offset + len(visible),
        "older": offset + FLOWS if offset + FLOWS < len(flows) else 0,
        "newer": max(0, offset - FLOWS) if offset else None,
    }

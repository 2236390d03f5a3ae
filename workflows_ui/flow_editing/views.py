"""Pages beside the steps of a flow: what can be done to one step; the choice of its app, at addresses, so that the browser's Back works;
values of earlier steps for expressions; and an edit with the versions before and after it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.http import Http404, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.core import redaction
from workflows_ui.core.collation import sort_key
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.engine_objects.pieces import Piece
from workflows_ui.flow_editing import actions, page, places, saved_edits, schedule_forms, services as flow_edits
from workflows_ui.flow_editing.earlier_values import EarlierValues, found_values, steps_at, value_node
from workflows_ui.flow_editing.expressions import MISSING, EarlierStep, Expression, parse, reference, value_at
from workflows_ui.flow_editing.forms import POSITION
from workflows_ui.flow_editing.models import EditState
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flow_editing.prediction import step_named
from workflows_ui.flows import difference, drawing, outline, reading, secret_inputs
from workflows_ui.members.models import Role
from workflows_ui.pieces import apps
from workflows_ui.pieces.apps import App
from workflows_ui.pieces.catalogue import CATEGORIES, matches_filters
from workflows_ui.pieces.fields import operations
from workflows_ui.resource_admin import action_page
from workflows_ui.resource_admin.places import choose_app_url, flow_url
from workflows_ui.resource_admin.resource import Row, Text, id_at
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.usage import usage
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: The most fields whose expressions are resolved together, and the longest text and search.
_MOST_FIELDS, _LONGEST, _LONGEST_SEARCH = 100, 20_000, 100
_FIELD_ID = re.compile(r"[\w-]{1,150}", re.ASCII)


def _read_flow(request: ConsoleRequest, id: str) -> tuple[EngineSession, Row]:
    """The newest version, secrets masked. Raises EngineError, Http404 if the flow is being deleted."""
    session = engine_session.open_session(request.access)
    [flow] = Flows().masked(session, [Flows().get(session, id)])
    if Flow(flow).deleting:
        raise Http404
    return session, flow


def _around(session: EngineSession, flow: Row, id: str, current: str, *, edits: bool = True) -> dict[str, object]:
    """The context of editor.html; `current` is the name of the chosen step, `edits` whether the person may edit."""
    url = flow_url(session.workspace.slug, id)
    return {
        "session": session,
        "flow": flow,
        "name": reading.name_of(flow) or id,
        "flow_url": url,
        "tab_url": f"{url}?tab=steps",
        "current": current,
        # Called by the whole page only.
        "drawing": partial(drawing.editor_panel, session, flow, current, edits=edits),
        "edits": edits,
    }


@never_cache
@require_safe
@member(Role.VIEWER)
def step(request: ConsoleRequest, slug: str, id: str, step: str) -> HttpResponse:
    """One step of the newest version, beside the diagram: for builders its main form, or what can be done to its branches; for others,
    and for a step without such a form, its settings.
    """
    session, flow = _read_flow(request, id)
    trigger, edits = reading.trigger_of(flow), request.access.allows(Role.BUILDER)
    found = step_named(trigger, step)
    if found is None:
        raise Http404
    main = page.main_action(found) if edits else None
    if main is not None and main.visible(flow):
        return action_page.show_form(request, Flows(), main, session, id, flow, {**request.GET.dict(), "step": step})
    names = outline.names_of(trigger, reading.connection_names(session), slug)
    alone = secret_inputs.masked(session, flow_tree.without_steps(found))
    settings = outline.items(alone, names, outline.labels(session, alone))[:1]
    context = _around(session, flow, id, step, edits=edits) | {
        "title": outline.title_of(found),
        "saved": saved_edits.context(session, flow, request.GET.get(saved_edits.SAVED, "")) if edits else None,
        "head": page.step_head(slug, flow, step, edits=edits),
        "settings": settings[0].settings if settings else None,
        "branches": page.branches(slug, flow, alone, names, edits=edits),
    }
    return responses.page(request, "flow_editing/step.html", context, fragments=("action",))


@never_cache
@require_safe
@member(Role.BUILDER)
def edit(request: ConsoleRequest, slug: str, id: str, edit: str) -> HttpResponse:
    """What an edit changed; where the engine did something else than predicted, or somebody else edited too, also what that is."""
    session = engine_session.open_session(request.access)
    flow = Flows().get(session, id)
    found = flow_edits.find_edit(request.access.workspace, id_at(flow), edit)
    if found is None:
        raise Http404
    try:
        versions = flow_edits.open_versions(found)
    except CannotOpen:
        versions = None
    changed = unexpected = since = None
    if versions and versions.after is not None:
        changed = difference.of_versions(session, versions.before, versions.after)
        if found.state == EditState.DIFFERS:
            unexpected = difference.of_versions(session, versions.expected, versions.after)
        if found.meanwhile and versions.after:
            since = difference.of_versions(session, versions.after, dict_at(flow, "version"))
    context = {
        "edit": found,
        "badge": EditState(found.state).badge,
        "name": redaction.step(reading.name_of(flow)) or id,
        "tab_url": f"{flow_url(slug, id)}?tab=steps",
        "undo_url": actions.url_of(actions.UNDO, slug, id),
        "changed": changed,
        "unexpected": unexpected,
        "since": since,
    }
    return responses.page(request, "flow_editing/edit.html", context)


@dataclass(frozen=True)
class Target:
    """The step that gets an app, {} for a new one; `query` are the parameters that name it, or the place, in addresses."""

    slug: str
    flow: Row
    step: Json
    query: dict[str, str]

    @property
    def is_trigger(self) -> bool:
        return bool(self.step) and self.step is reading.trigger_of(self.flow)

    @property
    def kind(self) -> str:
        return "triggers" if self.is_trigger else "actions"

    def url(self, **more: str) -> str:
        """The page for choosing the app, or its action or trigger."""
        return choose_app_url(self.slug, id_at(self.flow), **self.query, **more)

    def form_url(self, piece: str, operation: str) -> str:
        """The form of a chosen action or trigger."""
        action = actions.SETTINGS if self.step else actions.ADD_APP
        return actions.url_of(action, self.slug, id_at(self.flow), **self.query, piece=piece, operation_name=operation)


@never_cache
@require_safe
@member(Role.BUILDER)
def choose(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The apps that have actions, or triggers for the trigger; with `piece` in the address its actions or triggers. Raises EngineError."""
    session, flow = _read_flow(request, id)
    trigger, name = reading.trigger_of(flow), request.GET.get("step", "")
    step = step_named(trigger, name) if name else None
    if trigger is None or (name and step is None):
        raise Http404
    choices, asked = places.place_choices(trigger), request.GET.get("place", "")
    listed = dict(choices)
    place = asked if asked in listed else places.last_place(trigger, choices)
    target = Target(slug, flow, step or {}, {"step": name} if step else {"place": place})
    context = _around(session, flow, id, name) | {
        "title": _title(target),
        "target": target,
        "where": "" if step else listed.get(place, "").strip(),
    }
    if piece := request.GET.get("piece", ""):
        context |= _operations(session, target, piece)
        return responses.page(request, "flow_editing/choose_operation.html", context, fragments=("action",))
    context |= _apps(session, target, request.GET.get("search", "").strip()[:200], request.GET.get("category", ""))
    return responses.page(request, "flow_editing/choose_app.html", context, fragments=("action", "apps"))


def _title(target: Target) -> Text:
    if target.is_trigger:
        return _("What starts the flow?")
    return _("What does the step do?") if target.step else _("Add a step")


def _apps(session: EngineSession, target: Target, search: str, category: str) -> dict[str, object]:
    """The apps that fit the search, those used in this flow and in the workspace first."""
    rows = [
        app
        for app in apps.catalogue(session)
        if (app["triggers"] if target.is_trigger else app["actions"]) and app["name"].strip(" ./")
    ]
    categories = {item for app in rows for item in app["categories"]}
    filters = {"search": search} | ({"category": category} if category in categories else {})
    used = Counter(reading.pieces_of(node.step for node in flow_tree.walk(reading.trigger_of(target.flow))))
    used.update(name for flow in usage.cached_usage(session).flows for name in flow.keys("pieces"))
    fitting = [row for row in rows if matches_filters(row, filters)]
    in_use = sorted((row for row in fitting if used[row["name"]]), key=lambda row: -used[row["name"]])
    known = sorted(((str(CATEGORIES.get(key, key)), key) for key in categories), key=lambda item: sort_key(item[0]))
    return {
        "groups": [
            (_("Used in this workspace"), _lines(target, in_use)),
            (
                _("Other apps") if in_use else _("All apps"),
                _lines(target, [row for row in fitting if row not in in_use]),
            ),
        ],
        "search": search,
        "category": category if category in categories else "",
        "categories": [(key, label) for label, key in known],
        "built_in": [] if target.step or search or category else _built_in(target),
    }


def _lines(target: Target, rows: Sequence[App]) -> list[dict[str, object]]:
    return [
        {"mark": apps.mark_of(row), "about": row["description"], "url": target.url(piece=row["name"])} for row in rows
    ]


def _built_in(target: Target) -> Sequence[tuple[str, Text, Text, str]]:
    """Kinds of steps that need no app: icon, name, what they do, address of the form."""
    kinds = {
        "CODE": _("Calculate or change values in JavaScript or TypeScript"),
        flow_tree.LOOP: _("Do the steps inside once for each item of a list"),
        "ROUTER": _("Continue in one branch or another, depending on conditions"),
    }
    found = []
    for kind, about in kinds.items():
        url = actions.url_of(actions.ADD, target.slug, id_at(target.flow), **target.query, kind=kind)
        found.append((*outline.kind_of({"type": kind}), about, url))
    return found


def _operations(session: EngineSession, target: Target, piece: str) -> dict[str, object]:
    row = apps.piece(session, piece)
    listed = operations(Piece(row).operations(target.kind), target.kind)
    logos = {known["name"]: known for known in apps.catalogue_or_none(session)}
    lines = [(one.title, one.about, one.starts, target.form_url(piece, one.name)) for one in listed]
    if target.is_trigger and piece == schedule_forms.PIECE:
        url = actions.url_of(actions.SCHEDULE, target.slug, id_at(target.flow))
        lines.insert(
            0, (_("At certain times"), _("Choose days and times in words, and see when the flow starts next."), "", url)
        )
    return {
        "mark": apps.mark_of(logos.get(piece, row)),
        "about": text_at(row, "description"),
        "operations": lines,
    }


@never_cache
@require_safe
@member(Role.BUILDER)
def values(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The steps before `?step=`, `?branch=` or `?place=` with what they gave; of `?at=`, an expression, only that value; or what `?q=`
    finds. Raises EngineError.
    """
    flow, earlier = _earlier(request, id)
    position = {name: request.GET[name] for name in POSITION if request.GET.get(name)}
    search = request.GET.get("q", "").strip()[:_LONGEST_SEARCH]
    opened = None if search else _opened(earlier, request.GET)
    listed = [] if opened else [_step_values(earlier, step, search) for step in reversed(earlier.steps.values())]
    context = {
        "name": reading.name_of(flow) or id,
        "flow_url": flow_url(slug, id),
        "position": position,
        "query": urlencode(position),
        "search": search,
        "opened": opened,
        "steps": listed,
        "nothing": bool(search) and not any(step["found"] for step in listed),
    }
    return responses.page(request, "flow_editing/values.html", context, fragments=("values",))


@never_cache
@sensitive_post_parameters()
@require_POST
@member(Role.BUILDER)
def resolved(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """What each `text` becomes, for the line below the field whose id is the `field` of the same number. Raises EngineError.

    A POST, since texts may be long and must not be in a log; it changes nothing.
    """
    _flow, earlier = _earlier(request, id)
    fields = zip(request.POST.getlist("field"), request.POST.getlist("text"), strict=False)
    lines = [
        (field, earlier.resolve(text[:_LONGEST]))
        for field, text in list(fields)[:_MOST_FIELDS]
        if _FIELD_ID.fullmatch(field)
    ]
    return responses.page(request, "flow_editing/values_resolved.html", {"lines": lines})


def _earlier(request: ConsoleRequest, id: str) -> tuple[Row, EarlierValues]:
    session, flow = _read_flow(request, id)
    return flow, EarlierValues(session, flow, steps_at(flow, request.GET))


def _step_values(earlier: EarlierValues, step: EarlierStep, search: str) -> dict[str, object]:
    given, title = earlier.step_value(step.name), places.title(step.step)
    value = given.value if given else {"item": None, "index": None} if step.around else None
    return {
        "title": title,
        "source": given.source if given else "",
        "node": value_node(title, value, step.name) if not search else None,
        "found": found_values(given.value, step.name, search) if search and given else (),
    }


def _opened(earlier: EarlierValues, asked: Mapping[str, str]) -> dict[str, object] | None:
    """The value of the expression `at`, its members from number `from` on; None if there is no such value."""
    match list(parse(asked.get("at", "")[:_LONGEST])):
        case [Expression(root=root, path=path)] if root in earlier.steps and (given := earlier.step_value(root)):
            value = value_at(given.value, path)
            if value is MISSING:
                return None
            start = asked.get("from", "")
            first = int(start) if start.isdecimal() and len(start) < 9 else 0
            *around, name = [places.title(earlier.steps[root].step), *map(str, path)]
            return {
                # From the step on, as (name, expression).
                "above": [(outer, reference(root, path[:depth])) for depth, outer in enumerate(around)],
                "node": value_node(name, value, root, path, first),
                "first": first,
            }
    return None

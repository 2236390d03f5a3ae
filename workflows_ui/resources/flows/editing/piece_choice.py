"""Choosing the app of a step, and what it does there: pages with addresses, so that the browser's Back works."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row, Text, id_at
from workflows_ui.resources import usage
from workflows_ui.resources.flows import drawing, outline, reading
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.resources.flows.editing import actions, places, schedule_forms
from workflows_ui.resources.flows.editing.prediction import LOOP, Json, find
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.pieces.declaration import CATEGORIES, matches_filters
from workflows_ui.resources.pieces.fields import operations
from workflows_ui.resources.places import choose_app_url, flow_url
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.paths import text_at, texts_at
from workflows_ui.web.requests import ConsoleRequest


@dataclass(frozen=True)
class Target:
    """The step that gets an app, or the place of a new one; `query` are the parameters that name it in addresses."""

    slug: str
    flow: Row
    step: Json
    place: str

    @property
    def query(self) -> dict[str, str]:
        return {"step": flow_tree.step_name(self.step)} if self.step else {"place": self.place}

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
        query = urlencode({**self.query, "piece": piece, "operation_name": operation})
        return f"{action.url(self.slug, Flows.name, id_at(self.flow))}?{query}"


@never_cache
@require_safe
@member(Role.BUILDER)
def choose(request: ConsoleRequest, slug: str, id: str) -> HttpResponse:
    """The apps that have actions, or triggers for the trigger; with `piece` in the address its actions or triggers. Raises EngineError."""
    session = engine_session.open_session(request.access)
    [flow] = Flows().masked(session, [Flows().get(session, id)])
    trigger = reading.trigger_of(flow)
    if reading.deleting(flow) or not isinstance(trigger, dict):
        raise Http404
    name = request.GET.get("step", "")
    step = find(trigger, name) if name else None
    if name and step is None:
        raise Http404
    choices = places.place_choices(trigger)
    listed = dict(choices)
    asked = request.GET.get("place", "")
    target = Target(slug, flow, step or {}, asked if asked in listed else places.last_place(trigger, choices))
    context = {
        "name": reading.name_of(flow) or id,
        "flow_url": flow_url(slug, id),
        "current": name,
        # Called by the whole page only.
        "drawing": partial(drawing.editor_panel, session, flow, name),
        "tab_url": f"{flow_url(slug, id)}?tab=steps",
        "title": _title(target),
        "target": target,
        "where": listed.get(target.place, "").strip() if not step else "",
    }
    if piece := request.GET.get("piece", ""):
        context |= _operations(session, target, piece)
        return responses.page(request, "resources/flows/choose_operation.html", context, fragments=("action",))
    context |= _apps(session, target, request.GET.get("search", "").strip()[:200], request.GET.get("category", ""))
    return responses.page(request, "resources/flows/choose_app.html", context, fragments=("action", "apps"))


def _title(target: Target) -> Text:
    if target.is_trigger:
        return _("What starts the flow?")
    return _("What does the step do?") if target.step else _("Add a step")


def _apps(session: EngineSession, target: Target, search: str, category: str) -> dict[str, Any]:
    """The apps that fit the search, those used in this flow and in the workspace first."""
    rows = [row for row in apps.catalogue(session) if row[target.kind] and row["name"].strip(" ./")]
    categories = {item for row in rows for item in texts_at(row, "categories")}
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
                _("All apps") if not in_use else _("Other apps"),
                _lines(target, [row for row in fitting if row not in in_use]),
            ),
        ],
        "search": search,
        "category": category if category in categories else "",
        "categories": [(key, label) for label, key in known],
        "built_in": [] if target.step or search or category else _built_in(target),
    }


def _lines(target: Target, rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [
        {"mark": apps.mark_of(row), "about": row["description"] or "", "url": target.url(piece=row["name"])}
        for row in rows
    ]


def _built_in(target: Target) -> Sequence[tuple[str, Text, Text, str]]:
    """Kinds of steps that need no app: icon, name, what they do, address of the form."""
    url = actions.ADD.url(target.slug, Flows.name, id_at(target.flow))
    kinds = {
        "CODE": _("Calculate or change values in JavaScript or TypeScript"),
        LOOP: _("Do the steps inside once for each item of a list"),
        "ROUTER": _("Continue in one branch or another, depending on conditions"),
    }
    found = []
    for kind, about in kinds.items():
        icon, label = outline.kind_of({"type": kind})
        found.append((icon, label, about, f"{url}?{urlencode({**target.query, 'kind': kind})}"))
    return found


def _operations(session: EngineSession, target: Target, piece: str) -> dict[str, Any]:
    row = apps.piece(session, piece)
    listed = operations(row.get(target.kind), target.kind)
    logos = {known["name"]: known for known in apps.catalogue_or_none(session)}
    lines = [(one.title, one.about, one.starts, target.form_url(piece, one.name)) for one in listed]
    if target.is_trigger and piece == schedule_forms.PIECE:
        url = actions.SCHEDULE.url(target.slug, Flows.name, id_at(target.flow))
        lines.insert(
            0, (_("At certain times"), _("Choose days and times in words, and see when the flow starts next."), "", url)
        )
    return {
        "mark": apps.mark_of(logos.get(piece, row)),
        "about": text_at(row, "description"),
        "operations": lines,
        "apps_url": target.url(),
    }

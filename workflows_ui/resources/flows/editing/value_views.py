"""Values of earlier steps for expressions: to choose from, and what the expressions of a form become with them."""

import re
from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from workflows_ui.credentials.services import engine_session
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources.flows import reading
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.resources.flows.editing import places
from workflows_ui.resources.flows.editing.earlier_values import EarlierValues, steps_at
from workflows_ui.resources.flows.editing.expressions import (
    MISSING,
    EarlierStep,
    Expression,
    Path,
    parse,
    reference,
    value_at,
)
from workflows_ui.resources.flows.editing.forms import POSITION
from workflows_ui.resources.flows.editing.value_tree import found_values, value_node
from workflows_ui.resources.places import flow_url
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

#: The most fields whose expressions are resolved together, and the longest text and search.
_MOST_FIELDS, _LONGEST, _LONGEST_SEARCH = 100, 20_000, 100
_FIELD_ID = re.compile(r"[\w-]{1,150}", re.ASCII)


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
    listed = [] if opened else [_step(earlier, step, search) for step in reversed(earlier.steps.values())]
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
    return responses.page(request, "resources/flows/values.html", context, fragments=("values",))


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
    return responses.page(request, "resources/flows/values_resolved.html", {"lines": lines})


def _earlier(request: ConsoleRequest, id: str) -> tuple[Row, EarlierValues]:
    session = engine_session.open_session(request.access)
    [flow] = Flows().masked(session, [Flows().get(session, id)])
    if reading.deleting(flow):
        raise Http404
    return flow, EarlierValues(session, flow, steps_at(flow, request.GET))


def _step(earlier: EarlierValues, step: EarlierStep, search: str) -> dict[str, Any]:
    given, title = earlier.step_value(step.name), places.title(step.step)
    value = given.value if given else {"item": None, "index": None} if step.around else None
    return {
        "title": title,
        "source": given.source if given else "",
        "node": value_node(title, value, step.name) if not search else None,
        "found": found_values(given.value, step.name, search) if search and given else (),
    }


def _opened(earlier: EarlierValues, asked: Mapping[str, str]) -> dict[str, Any] | None:
    """The value of the expression `at`, its members from number `from` on; None if there is no such value."""
    match list(parse(asked.get("at", "")[:_LONGEST])):
        case [Expression(root=root, path=path)] if root in earlier.steps and (given := earlier.step_value(root)):
            value = value_at(given.value, path)
            if value is MISSING:
                return None
            start = asked.get("from", "")
            first = int(start) if start.isdecimal() and len(start) < 9 else 0
            title = places.title(earlier.steps[root].step)
            return {
                "above": _above(title, root, path),
                "node": value_node(str(path[-1]) if path else title, value, root, path, first),
                "first": first,
            }
    return None


def _above(title: str, root: str, path: Path) -> list[tuple[str, str]]:
    """The values around one, from the step on, as (name, expression)."""
    return [(str(path[depth - 1]) if depth else title, reference(root, path[:depth])) for depth in range(len(path))]

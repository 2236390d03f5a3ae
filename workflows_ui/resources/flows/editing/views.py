"""Pages beside the steps of a flow: what can be done to one step, and an edit with the versions before and after it."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.core import redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import flow_tree
from workflows_ui.flow_edits import services as flow_edits
from workflows_ui.flow_edits.models import EditState
from workflows_ui.flow_edits.services import Versions
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.resources.flows import difference, outline, reading
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.resources.flows.editing import actions, places
from workflows_ui.resources.flows.editing.prediction import FALLBACK, INNER, LOOP, ROUTERS, find
from workflows_ui.resources.places import flow_url
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.messages import Text
from workflows_ui.web.paths import list_at, text_at
from workflows_ui.web.requests import ConsoleRequest

#: What a link says, the action, its address.
Link = tuple[Text, Action, str]
#: By the type of a step.
_OF_TYPE = {"CODE": actions.CODE, LOOP: actions.LOOP, **dict.fromkeys(ROUTERS, actions.ROUTER)}


@never_cache
@require_safe
@member(Role.BUILDER)
def step(request: ConsoleRequest, slug: str, id: str, step: str) -> HttpResponse:
    """The operations on one step of the newest version, and on its branches."""
    session = engine_session.open_session(request.access)
    [flow] = Flows().masked(session, [Flows().get(session, id)])
    trigger = reading.trigger_of(flow)
    found = find(trigger, step)
    if found is None or reading.deleting(flow):
        raise Http404
    is_trigger = found is trigger
    offered = (*actions.ANY_STEP, *(() if is_trigger else (*_OF_TYPE.get(text_at(found, "type"), ()), *actions.STEP)))
    listed = list_at(found, "settings.branches")
    fallbacks = {index for index, branch in enumerate(listed) if pick(branch, "branchType") == FALLBACK}
    branches = [
        (
            places.branch_title(found, index),
            [
                (_("Add a step to the branch"), *_link(actions.ADD, slug, id, place=f"INSIDE_BRANCH:{step}:{index}")),
                *_links(
                    actions.ANY_BRANCH if index in fallbacks else (*actions.BRANCH, *actions.ANY_BRANCH),
                    slug,
                    id,
                    branch=f"{step}:{index}",
                ),
            ],
        )
        for index, _name in enumerate(flow_tree.branch_names(found))
    ]
    links = [(_("Add a step after it"), *_link(actions.ADD, slug, id, place=f"AFTER:{step}"))]
    if text_at(found, "type") == LOOP:
        links.append((_("Add a step to the loop"), *_link(actions.ADD, slug, id, place=f"INSIDE_LOOP:{step}")))
    names = outline.names_of(trigger, reading.connection_names(session), slug)
    alone = {key: value for key, value in found.items() if key not in INNER}
    context = {
        "name": reading.name_of(flow) or id,
        "tab_url": f"{flow_url(slug, id)}?tab=steps",
        "title": outline.title_of(found),
        "step_panel": {"items": outline.items(alone, names, outline.labels(session, alone))[:1]},
        "groups": [
            ("", [*links, *_links([action for action in offered if action.visible(flow)], slug, id, step=step)]),
            *branches,
        ],
    }
    return responses.page(request, "resources/flows/step.html", context)


def _links(offered: Sequence[Action], slug: str, id: str, **asked: str) -> list[Link]:
    return [(action.label, *_link(action, slug, id, **asked)) for action in offered]


def _link(action: Action, slug: str, id: str, **asked: str) -> tuple[Action, str]:
    return action, f"{action.url(slug, Flows.name, id)}?{urlencode(asked)}"


@never_cache
@require_safe
@member(Role.BUILDER)
def edit(request: ConsoleRequest, slug: str, id: str, edit: str) -> HttpResponse:
    """What an edit changed; where the engine did something else than predicted, also what that is."""
    session = engine_session.open_session(request.access)
    flow = Flows().get(session, id)
    found = flow_edits.find(request.access.workspace, id_at(flow), edit)
    if found is None:
        raise Http404
    try:
        versions = flow_edits.open_versions(found)
    except CannotOpen:
        versions = None
    context = {
        "edit": found,
        "badge": EditState(found.state).badge,
        "name": reading.name_of(redaction.step(flow)) or id,
        "tab_url": f"{flow_url(slug, id)}?tab=steps",
        "undo_url": actions.UNDO.url(slug, Flows.name, id),
        "changed": _between(session, versions, "before", "after"),
        "unexpected": _between(session, versions, "expected", "after") if found.state == EditState.DIFFERS else None,
    }
    return responses.page(request, "resources/flows/edit.html", context)


def _between(
    session: engine_session.EngineSession, versions: Versions | None, old: str, new: str
) -> difference.Difference | None:
    before, after = (getattr(versions, name, None) for name in (old, new))
    if before is None or after is None:
        return None
    masked: tuple[Row, Row] = (
        redaction.step(before, secrets=reading.SECRETS),
        redaction.step(after, secrets=reading.SECRETS),
    )
    trigger = pick(masked[1], "trigger")
    names = outline.names_of(
        trigger, reading.connection_names(session), session.workspace.slug, older=pick(masked[0], "trigger")
    )
    return difference.between(before, after, masked=masked, names=names, known=outline.labels(session, trigger))

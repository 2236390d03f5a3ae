"""Pages beside the steps of a flow: what can be done to one step, and an edit with the versions before and after it."""

from collections.abc import Sequence
from functools import partial

from django.http import Http404, HttpResponse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.core import redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import flow_tree
from workflows_ui.engine.flow_tree import ROUTERS
from workflows_ui.flow_edits import services as flow_edits
from workflows_ui.flow_edits.models import EditState
from workflows_ui.flow_edits.services import Versions
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.resources.flows import difference, drawing, outline, outline_rows, reading, secret_inputs
from workflows_ui.resources.flows.declaration import Flows
from workflows_ui.resources.flows.editing import actions, places
from workflows_ui.resources.flows.editing.prediction import FALLBACK, LOOP, find
from workflows_ui.resources.flows.testing import drafts as draft_tests
from workflows_ui.resources.flows.testing import steps as step_tests
from workflows_ui.resources.places import choose_app_url, flow_url
from workflows_ui.resources.triggers import tests as trigger_tests
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.messages import Text
from workflows_ui.web.paths import dict_at, list_at, text_at
from workflows_ui.web.requests import ConsoleRequest

#: What a link says, the action, its address.
Link = tuple[Text, Action, str]
#: By the type of a step.
_OF_TYPE = {
    **dict.fromkeys(("PIECE", "PIECE_TRIGGER"), (actions.SETTINGS,)),
    "CODE": actions.CODE,
    LOOP: actions.LOOP,
    **dict.fromkeys(ROUTERS, actions.ROUTER),
}


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
    offered_tests = (trigger_tests.TEST, draft_tests.TEST) if is_trigger else (step_tests.TEST,)
    tests = _links(flow, offered_tests, slug, id, step=step)
    of_type = _OF_TYPE.get(text_at(found, "type"), ())
    of_any = (*actions.ANY_STEP, *(actions.TRIGGER if is_trigger else actions.STEP))
    listed = list_at(found, "settings.branches")
    fallbacks = {index for index, branch in enumerate(listed) if pick(branch, "branchType") == FALLBACK}
    branches = [
        (
            places.branch_title(found, index),
            [
                _adding(_("Add a step to the branch"), slug, id, f"INSIDE_BRANCH:{step}:{index}"),
                *_links(
                    flow,
                    (actions.RENAME_BRANCH,) if index in fallbacks else actions.BRANCH,
                    slug,
                    id,
                    branch=f"{step}:{index}",
                ),
            ],
        )
        for index, _name in enumerate(flow_tree.branch_names(found))
    ]
    added = [_adding(_("Add a step after it"), slug, id, f"AFTER:{step}")]
    if text_at(found, "type") == LOOP:
        added.append(_adding(_("Add a step to the loop"), slug, id, f"INSIDE_LOOP:{step}"))
    if is_trigger or text_at(found, "type") == "PIECE":
        label = _("Choose the trigger") if is_trigger else _("Change what it does")
        added.insert(0, (label, actions.SETTINGS, choose_app_url(slug, id, step=step)))
    names = outline.names_of(trigger, reading.connection_names(session), slug)
    alone = secret_inputs.masked(session, flow_tree.without_steps(found))
    settings = outline.items(alone, names, outline.labels(session, alone))[:1]
    context = {
        "name": reading.name_of(flow) or id,
        "flow_url": flow_url(slug, id),
        "tab_url": f"{flow_url(slug, id)}?tab=steps",
        "title": outline.title_of(found),
        "untestable": not tests and not is_trigger,
        "current": step,
        # Called by the whole page only.
        "drawing": partial(drawing.editor_panel, session, flow, step),
        "step_panel": {"rows": list(outline_rows.rows(settings, titled=True))},
        "groups": [
            (
                "",
                [
                    *_links(flow, of_type, slug, id, step=step),
                    *tests,
                    *added,
                    *_links(flow, of_any, slug, id, step=step),
                ],
            ),
            *branches,
        ],
    }
    return responses.page(request, "resources/flows/step.html", context, fragments=("action",))


def _links(flow: Row, offered: Sequence[Action], slug: str, id: str, **asked: str) -> list[Link]:
    return [(action.label, *_link(action, slug, id, **asked)) for action in offered if action.visible(flow)]


def _link(action: Action, slug: str, id: str, **asked: str) -> tuple[Action, str]:
    return action, f"{action.url(slug, Flows.name, id)}?{urlencode(asked)}"


def _adding(label: Text, slug: str, id: str, place: str) -> Link:
    return label, actions.ADD, choose_app_url(slug, id, place=place)


@never_cache
@require_safe
@member(Role.BUILDER)
def edit(request: ConsoleRequest, slug: str, id: str, edit: str) -> HttpResponse:
    """What an edit changed; where the engine did something else than predicted, or somebody else edited too, also what that is."""
    session = engine_session.open_session(request.access)
    flow = Flows().get(session, id)
    found = flow_edits.find(request.access.workspace, id_at(flow), edit)
    if found is None:
        raise Http404
    try:
        versions = flow_edits.open_versions(found)
    except CannotOpen:
        versions = None
    left = versions.after if versions and found.meanwhile else None
    context = {
        "edit": found,
        "badge": EditState(found.state).badge,
        "name": redaction.step(reading.name_of(flow)) or id,
        "tab_url": f"{flow_url(slug, id)}?tab=steps",
        "undo_url": actions.UNDO.url(slug, Flows.name, id),
        "changed": _between(session, versions, "before", "after"),
        "unexpected": _between(session, versions, "expected", "after") if found.state == EditState.DIFFERS else None,
        "since": left and difference.of_versions(session, left, dict_at(flow, "version")),
    }
    return responses.page(request, "resources/flows/edit.html", context)


def _between(
    session: engine_session.EngineSession, versions: Versions | None, old: str, new: str
) -> difference.Difference | None:
    before, after = (getattr(versions, name, None) for name in (old, new))
    if before is None or after is None:
        return None
    return difference.of_versions(session, before, after)

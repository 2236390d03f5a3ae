"""What the pages of a flow's steps share: the head of a chosen step, with what can be done to it; whether the steps are live."""

from dataclasses import dataclass
from functools import partial

from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.paths import text_at
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.engine import flow_tree
from workflows_ui.engine_objects.flows import Branch, Flow, Step
from workflows_ui.flow_editing import actions, places
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flow_editing.prediction import step_named
from workflows_ui.flow_editing.testing.actions import STEP_TEST
from workflows_ui.flow_editing.trigger_testing import actions as trigger_tests
from workflows_ui.flows import outline, reading, step_values
from workflows_ui.resource_admin.places import choose_app_url
from workflows_ui.resource_admin.resource import Action, Row, id_at

#: By the type of a step: the action whose form opens when the step is chosen, and further ones.
_MAIN = {
    **dict.fromkeys(("PIECE", "PIECE_TRIGGER"), actions.SETTINGS),
    "CODE": actions.CODE[0],
    flow_tree.LOOP: actions.LOOP[0],
}
_FURTHER = {"CODE": actions.CODE[1:], **dict.fromkeys(flow_tree.ROUTERS, actions.ROUTER)}
#: Of a router, one more button stands beside the test: its branches are what it is about.
_BUTTONS = 2
_DRAFT, _LIVE = Badge(gettext_lazy("Draft"), "pencil", "azure"), Badge(gettext_lazy("Live"), "circle-check", "green")


@dataclass(frozen=True)
class StepHead:
    """The head of a step's panel: what it is, one or two buttons, and the menu of everything else, destroying actions last."""

    name: str
    title: str
    icon: str
    kind: Text
    about: str
    skipped: bool
    incomplete: bool
    buttons: list[actions.Link]
    menu: list[actions.Link]
    #: The engine lacks the test of a single step.
    untestable: bool


@dataclass(frozen=True)
class Standing:
    """Whether the steps that are shown are live, as a sentence."""

    badge: Badge
    text: str | Promise


def main_action(step: Json) -> Action | None:
    """The action whose form opens when a step is chosen; None if it has none, as a router."""
    return _MAIN.get(text_at(step, "type"))


def step_head(slug: str, flow: Row, name: str, *, edits: bool = True) -> StepHead | None:
    """The head of the step of this name in the newest version; without actions unless the person `edits`. None without the step."""
    trigger, key = reading.trigger_of(flow), id_at(flow)
    found = step_named(trigger, name)
    if found is None:
        return None
    step, (icon, kind) = Step(found), outline.kind_of(found)
    links = _step_links(slug, flow, key, found, is_trigger=found is trigger) if edits else []
    number = _BUTTONS if step.type in flow_tree.ROUTERS else 1
    return StepHead(
        name,
        outline.title_of(found),
        icon,
        kind,
        outline.piece_of(found),
        step.skipped,
        step.is_incomplete,
        links[:number],
        links[number:],
        bool(links) and found is not trigger and all(action is not STEP_TEST for _text, action, _url in links),
    )


def _step_links(slug: str, flow: Row, key: str, step: Json, *, is_trigger: bool) -> list[actions.Link]:
    """What can be done to a step, besides its main form, what is usual first."""
    name, kind = flow_tree.step_name(step), text_at(step, "type")
    links = partial(actions.links, flow, slug, key)
    offered = [*links(_FURTHER.get(kind, ()), step=name)] if kind in flow_tree.ROUTERS else []
    if kind == "EMPTY":
        offered.append((_("Choose the trigger"), actions.SETTINGS, choose_app_url(slug, key, step=name)))
    else:
        offered += links((trigger_tests.TEST,) if is_trigger else (STEP_TEST,), step=name)
    offered.append(adding(_("Add a step after it"), slug, key, f"AFTER:{name}"))
    if kind == flow_tree.LOOP:
        offered.append(adding(_("Add a step to the loop"), slug, key, f"INSIDE_LOOP:{name}"))
    if kind in ("PIECE", "PIECE_TRIGGER"):
        label = _("Choose another trigger") if is_trigger else _("Change the action")
        offered.append((label, actions.SETTINGS, choose_app_url(slug, key, step=name)))
    if kind not in flow_tree.ROUTERS:
        offered += links(_FURTHER.get(kind, ()), step=name)
    return [*offered, *links((*actions.ANY_STEP, *(actions.TRIGGER if is_trigger else actions.STEP)), step=name)]


@dataclass(frozen=True)
class BranchLinks:
    """A branch of a router: its name, its conditions as text, and what can be done to it, the main action first."""

    name: str
    conditions: step_values.Line
    links: list[actions.Link]


def branches(slug: str, flow: Row, router: Json, names: step_values.Names, *, edits: bool = True) -> list[BranchLinks]:
    """The branches of a router of the newest version, whose secrets are masked; none of another step."""
    key, name = id_at(flow), flow_tree.step_name(router)
    if text_at(router, "type") not in flow_tree.ROUTERS:
        return []
    found = []
    for index, branch in enumerate(map(Branch, Step(router).settings.listed_branches)):
        fallback, links = flow_tree.is_fallback(branch.raw), list[actions.Link]()
        if edits:
            offered = (actions.RENAME_BRANCH,) if fallback else actions.BRANCH
            links = actions.links(flow, slug, key, offered, branch=f"{name}:{index}")
            added = adding(_("Add a step to the branch"), slug, key, f"INSIDE_BRANCH:{name}:{index}")
            links.insert(0 if fallback else 1, added)
        text = outline.conditions(branch.raw) or _("No condition is set")
        if fallback:
            text = _("If no other branch matches")
        line = step_values.line(("branches",), text, names, {})
        found.append(BranchLinks(places.branch_title(router, index), line, links))
    return found


def adding(label: Text, slug: str, key: str, place: str) -> actions.Link:
    """The link to the choice of a new step for this place."""
    return label, actions.ADD, choose_app_url(slug, key, place=place)


def standing(flow: Row) -> Standing:
    """Whether the newest version is live."""
    shown = Flow(flow)
    if not shown.is_published:
        return Standing(_DRAFT, gettext_lazy("It was never published: nothing of it runs yet."))
    if shown.has_draft:
        return Standing(_DRAFT, gettext_lazy("It has changes that are not live. Runs use the published version."))
    if shown.is_on:
        return Standing(_LIVE, gettext_lazy("Runs use these steps. The first change begins a draft."))
    return Standing(
        _LIVE, gettext_lazy("These steps are published, but the flow is off. The first change begins a draft.")
    )

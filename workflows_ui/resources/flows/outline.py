"""A flow's steps as a readable outline: plain values for templates/resources/flows/outline.html."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.engine import flow_tree
from workflows_ui.resources.flows import step_settings
from workflows_ui.resources.runs import step_values
from workflows_ui.resources.runs.step_values import Line, Names
from workflows_ui.web import formats
from workflows_ui.web.paths import text_at

#: Deeper nesting is shown at this depth, so that lines stay readable.
DEEPEST = 8
#: Maximum characters of settings in one outline, and of a step's settings as JSON: the rest is in the flow's raw data.
_MOST_SETTINGS, _MOST_RAW = 200_000, 4_000

_KINDS: dict[str, tuple[str, str | Promise]] = {
    "EMPTY": ("bolt", gettext_lazy("No trigger chosen yet")),
    "PIECE_TRIGGER": ("bolt", gettext_lazy("Trigger")),
    "CODE": ("code", gettext_lazy("Code")),
    "PIECE": ("puzzle-piece", gettext_lazy("App")),
    "LOOP_ON_ITEMS": ("repeat", gettext_lazy("For each item")),
    "ROUTER": ("code-branch", gettext_lazy("Branches")),
    "MULTIPLE_CHOICE": ("list-ul", gettext_lazy("Multiple choice")),
}


@dataclass(frozen=True)
class Settings:
    """The settings of a step: lines, a sentence on omitted ones, and the same as JSON; `id` is unique in the page."""

    id: str
    lines: list[Line]
    left_out: str
    raw: formats.Pretty


@dataclass(frozen=True)
class Item:
    """A line of the outline: a step, or (`step` False) the heading of a branch. `depth` is 0 to DEEPEST."""

    depth: int
    title: str
    kind: str | Promise
    icon: str
    name: str = ""
    about: str = ""
    step: bool = True
    skipped: bool = False
    invalid: bool = False
    empty: bool = False
    settings: Settings | None = None


@dataclass
class _Router:
    name: str
    depth: int
    shown_at: int
    branches: list[str | None]
    shown: int = 0


def items(trigger: Any, names: Names | None = None, known: step_settings.Labels | None = None) -> list[Item]:
    """The outline of the step tree that starts at `trigger` (api.md 6.3). Accepts malformed trees.

    With `names` (to resolve references) and `known` (labels of fields), each step has its settings as well.
    """
    result: list[Item] = []
    budget = _MOST_SETTINGS if names is not None else 0
    routers: list[_Router] = []
    for node in flow_tree.walk(trigger):
        while routers and node.depth <= routers[-1].depth:
            result.extend(_empty_branches(routers[-1], len(routers[-1].branches)))
            routers.pop()
        if routers and node.branch_index is not None and node.branch_index >= routers[-1].shown:
            router = routers[-1]
            if node.depth == router.depth + 1 and node.parent == router.name:
                result.extend(_empty_branches(router, node.branch_index))
                router.shown = node.branch_index + 1
                result.append(_branch(router, node.branch_index, empty=False))
        # Steps in a branch are indented one level more than the branch's heading.
        indent = node.depth + sum(1 for router in routers if node.depth > router.depth)
        settings = _settings(len(result), node.step, names, known or {}) if names is not None and budget > 0 else None
        budget -= _size(settings)
        result.append(_step(node.step, indent, settings, names))
        branches = flow_tree.branch_names(node.step)
        if branches:
            routers.append(_Router(node.name, node.depth, indent, branches))
    for router in reversed(routers):
        result.extend(_empty_branches(router, len(router.branches)))
    return result


def kind_of(step: Any) -> tuple[str, str | Promise]:
    """Icon and label for a step's type; an unknown type is shown as it is."""
    kind = text_at(step, "type")
    return _KINDS.get(kind, ("circle-dot", kind[:40] or _("Step")))


def short_piece(step: Any) -> str:
    """The name of a step's piece without its package: `google-sheets`."""
    return text_at(step, "settings.pieceName").rpartition("/")[2].removeprefix("piece-")


def piece_of(step: Any) -> str:
    """The piece and action of a step, without the package's prefix: `webhook: return_response`."""
    action = text_at(step, "settings.actionName") or text_at(step, "settings.triggerName")
    short = short_piece(step)
    return f"{short}: {action}" if short and action else short


def title_of(step: Any) -> str:
    """A step's displayed name, else its own name."""
    names = (text_at(step, path) for path in ("displayName", "name"))
    return next(filter(str.strip, names), _("Step without a name"))


def _settings(number: int, step: flow_tree.Step, names: Names, known: step_settings.Labels) -> Settings | None:
    lines, left = step_settings.lines(step, names, known)
    if not lines:
        return None
    raw = formats.pretty(step.get("settings"), _MOST_RAW)
    return Settings(f"step-{number}", lines, step_values.left_out(left), raw)


def _size(settings: Settings | None) -> int:
    if settings is None:
        return 0
    return len(settings.raw.text) + sum(
        len(item.block) + sum(len(part.text) for part in item.parts) + 100 for item in settings.lines
    )


def _step(step: flow_tree.Step, depth: int, settings: Settings | None, names: Names | None) -> Item:
    icon, word = kind_of(step)
    detail = piece_of(step)
    if step.get("type") == "LOOP_ON_ITEMS":
        listed = text_at(step, "settings.items")
        parts = step_values.parts(listed[:300], names) if names else ()
        detail = "".join(part.text for part in parts) or listed
    return Item(
        depth=min(depth, DEEPEST),
        title=title_of(step),
        kind=word,
        icon=icon,
        name=flow_tree.step_name(step),
        about=detail,
        skipped=step.get("skip") is True,
        invalid=step.get("valid") is False,
        settings=settings,
    )


def _empty_branches(router: _Router, until: int) -> Iterator[Item]:
    while router.shown < until:
        yield _branch(router, router.shown, empty=True)
        router.shown += 1


def _branch(router: _Router, index: int, *, empty: bool) -> Item:
    name = router.branches[index] if index < len(router.branches) else None
    title = name or _("Branch %(number)d") % {"number": index + 1}
    return Item(min(router.shown_at + 1, DEEPEST), title, _("If"), "arrow-right", step=False, empty=empty)

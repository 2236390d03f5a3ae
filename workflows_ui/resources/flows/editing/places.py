"""Steps, branches and positions of a flow as choices in a form: steps by their names, positions as "after X", "inside X"."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.engine import flow_tree
from workflows_ui.resources.flows import outline
from workflows_ui.resources.flows.editing.prediction import FALLBACK, LOOP, ROUTERS, Json, own_names
from workflows_ui.web import formats
from workflows_ui.web.paths import list_at

Choices = list[tuple[str, str]]
_LONGEST = 80
#: Spaces for each level, which a list of options keeps.
_INDENT = "\u2003"


def step_choices(trigger: Any, *, first: bool = False, kinds: tuple[str, ...] = ()) -> Choices:
    """Return the steps by name, indented as they lie. `first` includes the trigger; `kinds` limits the types."""
    return [
        (node.name, _INDENT * node.depth + title(node.step))
        for number, node in enumerate(flow_tree.walk(trigger))
        if node.name and (first or number) and (not kinds or node.step.get("type") in kinds)
    ]


def branch_choices(trigger: Any, *, fallback: bool = False) -> Choices:
    """Return the branches of all routers as `step:number`, without those for everything else unless `fallback`."""
    found: Choices = []
    for node in flow_tree.walk(trigger):
        if node.step.get("type") not in ROUTERS:
            continue
        for index, branch in enumerate(_branches(node.step)):
            if fallback or branch.get("branchType") != FALLBACK:
                found.append((f"{node.name}:{index}", f"{title(node.step)}: {branch_title(node.step, index)}"))
    return found


def place_choices(trigger: Any, moving: Json | None = None) -> Choices:
    """Return where a step can be put, as `LOCATION:step[:branch]`: not within `moving`, nor where that already is."""
    own = own_names(moving) if moving else []
    found: Choices = []
    for node in flow_tree.walk(trigger):
        if not node.name or node.name in own:
            continue
        name, indent = node.name, _INDENT * node.depth
        if node.step.get("nextAction") is not moving or moving is None:
            found.append((f"AFTER:{name}", indent + _("After “%(step)s”") % {"step": title(node.step)}))
        found += [
            (value, indent + _INDENT + text)
            for value, text, first in _inside(node.step)
            if first is not moving or moving is None
        ]
    return found


def read_place(value: str) -> tuple[str, str, int | None]:
    """Return the location, the parent and the branch of a chosen place."""
    location, parent, *branch = value.split(":")
    return location, parent, int(branch[0]) if branch else None


def read_branch(value: str) -> tuple[str, int]:
    """Return the router and the number of a chosen branch."""
    name, _colon, index = value.rpartition(":")
    return name, int(index) if index.isdecimal() else -1


def title(step: Json) -> str:
    """A step's displayed name, shortened."""
    return formats.cut(outline.title_of(step), _LONGEST)


def branch_title(router: Json, index: int) -> str:
    """A branch's name, or its number."""
    found = flow_tree.branch_names(router)
    name = found[index] if index < len(found) else None
    return formats.cut(name or _("Branch %(number)d") % {"number": index + 1}, _LONGEST)


def _inside(step: Json) -> Iterator[tuple[str, str, Any]]:
    """The places within a step, each with the step that is there now."""
    name, values = flow_tree.step_name(step), {"step": title(step)}
    if step.get("type") == LOOP:
        yield f"INSIDE_LOOP:{name}", _("First in “%(step)s”, for each item") % values, step.get("firstLoopAction")
    if step.get("type") in ROUTERS:
        children = step.get("children") or []
        for index, _branch in enumerate(_branches(step)):
            text = _("First in the branch “%(branch)s” of “%(step)s”") % {**values, "branch": branch_title(step, index)}
            yield f"INSIDE_BRANCH:{name}:{index}", text, children[index] if index < len(children) else None


def _branches(router: Json) -> list[Json]:
    return [branch if isinstance(branch, dict) else {} for branch in list_at(router, "settings.branches")]

"""Steps, branches and positions of a flow as choices in a form: steps by their names, positions as "after X", "inside X"."""

from collections.abc import Iterator
from typing import cast

from django.utils.translation import gettext as _

from workflows_ui.core import formats, redaction
from workflows_ui.core.paths import list_at
from workflows_ui.core.readers import mapping_of
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing.operations import Json
from workflows_ui.flow_editing.prediction import own_names
from workflows_ui.flows import outline, reading
from workflows_ui.resource_admin.resource import Row

Choices = list[tuple[str, str]]
_LONGEST = 80
#: Spaces for each level, which a list of options keeps.
_INDENT = "\u2003"


def step_choices(trigger: object, *, first: bool = False, kinds: tuple[str, ...] = ()) -> Choices:
    """The steps by name, indented as they lie. `first` includes the trigger; `kinds` limits the types."""
    return [(node.name, _INDENT * node.depth + title(node.step)) for node in steps(trigger, first=first, kinds=kinds)]


def steps(trigger: object, *, first: bool = False, kinds: tuple[str, ...] = ()) -> Iterator[flow_tree.Node]:
    """The steps that have a name. `first` includes the trigger; `kinds` limits the types."""
    return (
        node
        for number, node in enumerate(flow_tree.walk(trigger))
        if node.name and (first or number) and (not kinds or node.step.get("type") in kinds)
    )


def branch_choices(trigger: object, *, fallback: bool = False) -> Choices:
    """The branches of all routers as `step:number`, without those for everything else unless `fallback`."""
    return [
        (f"{node.name}:{index}", f"{title(node.step)}: {branch_title(node.step, index)}")
        for node, indices in branches(trigger, fallback=fallback)
        for index in indices
    ]


def branches(trigger: object, *, fallback: bool = False) -> Iterator[tuple[flow_tree.Node, list[int]]]:
    """The routers with the numbers of their branches, without those for everything else unless `fallback`."""
    for node in flow_tree.walk(trigger):
        if node.step.get("type") in flow_tree.ROUTERS:
            listed = enumerate(_branches(node.step))
            yield node, [index for index, branch in listed if fallback or not flow_tree.is_fallback(branch)]


def place_choices(trigger: object, moving: Json | None = None) -> Choices:
    """Where a step can be put, as `LOCATION:step[:branch]`: not within `moving`, nor where that already is."""
    own = set(own_names(moving)) if moving else set()
    after, found = _("After “%(step)s”"), list[tuple[str, str]]()
    for node in flow_tree.walk(trigger):
        if not node.name or node.name in own:
            continue
        name, indent = node.name, _INDENT * node.depth
        if node.step.get("nextAction") is not moving or moving is None:
            found.append((f"AFTER:{name}", indent + after % {"step": title(node.step)}))
        found += [
            (value, indent + _INDENT + text)
            for value, text, first in _inside(node.step)
            if first is not moving or moving is None
        ]
    return found


def move_sentence(trigger: object, name: str) -> str:
    """Where a step that was moved is in this tree, as a sentence; secrets masked."""
    node = next((node for node in flow_tree.walk(trigger) if node.name == name), None)
    values = {"step": title(_masked(node.step)) if node else name}
    parent = next((other.step for other in flow_tree.walk(trigger) if node and other.name == node.parent), None)
    if node is None or parent is None:
        return _("“%(step)s” is moved") % values
    shown = _masked(parent)
    values["other"] = title(shown)
    if parent.get("nextAction") is node.step:
        return _("“%(step)s” is moved: it comes after “%(other)s”") % values
    if parent.get("type") == flow_tree.LOOP or node.branch_index is None:
        return _("“%(step)s” is moved: it comes first in the loop “%(other)s”") % values
    values["branch"] = branch_title(shown, node.branch_index)
    return _("“%(step)s” is moved: it comes first in the branch “%(branch)s” of “%(other)s”") % values


def _masked(step: Json) -> Json:
    """A step without those after it and inside it, secrets masked."""
    return cast("Json", redaction.step(flow_tree.without_steps(step), secrets=reading.SECRETS))


def last_place(trigger: object, choices: Choices) -> str:
    """The choice after the last step of the flow itself, otherwise the first one; "" without choices."""
    listed = dict(choices)
    top = [node.name for node in flow_tree.walk(trigger) if node.depth == 0]
    return next((place for name in reversed(top) if (place := f"AFTER:{name}") in listed), next(iter(listed), ""))


def read_place(value: str) -> tuple[str, str, int | None]:
    """The location, the parent and the branch of a chosen place."""
    location, parent, *branch = value.split(":")
    return location, parent, int(branch[0]) if branch else None


def read_branch(value: str) -> tuple[str, int]:
    """The router and the number of a chosen branch."""
    name, _colon, index = value.rpartition(":")
    return name, int(index) if index.isdecimal() and len(index) < 6 else -1


def title(step: Json) -> str:
    """A step's displayed name, shortened."""
    return formats.cut(outline.title_of(step), _LONGEST)


def branch_title(router: Json, index: int) -> str:
    """A branch's name, or its number."""
    found = flow_tree.branch_names(router)
    name = found[index] if index < len(found) else None
    return formats.cut(name or _("Branch %(number)d") % {"number": index + 1}, _LONGEST)


def _inside(step: Json) -> Iterator[tuple[str, str, object]]:
    """The places within a step, each with the step that is there now."""
    name, values = flow_tree.step_name(step), {"step": title(step)}
    if step.get("type") == flow_tree.LOOP:
        yield f"INSIDE_LOOP:{name}", _("First in “%(step)s”, for each item") % values, step.get("firstLoopAction")
    if step.get("type") in flow_tree.ROUTERS:
        children = step.get("children") or []
        for index, _branch in enumerate(_branches(step)):
            text = _("First in the branch “%(branch)s” of “%(step)s”") % {**values, "branch": branch_title(step, index)}
            yield f"INSIDE_BRANCH:{name}:{index}", text, children[index] if index < len(children) else None


def _branches(router: Json) -> list[Row]:
    return [mapping_of(branch) for branch in list_at(router, "settings.branches")]

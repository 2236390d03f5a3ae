"""What would be wrong with a flow after an operation that the engine accepts (engine-0.83.md section 5).

A prediction is checked by what must hold for any tree, not by operation: no step lost, no name twice, as many branches as places for
their steps, one fallback at the end.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from workflows_ui.core.paths import dicts_at, list_at, pick
from workflows_ui.engine import flow_tree
from workflows_ui.engine.flow_tree import FALLBACK
from workflows_ui.flow_editing.operations import Json, Operation
from workflows_ui.flow_editing.prediction import names, own_names, step_named
from workflows_ui.flows import outline

#: Operations that replace the whole tree.
_WHOLE = frozenset({"IMPORT_FLOW", "USE_AS_DRAFT"})
#: Operations that may be sent although the tree stays the same.
_MAY_REPEAT = frozenset(
    {"LOCK_AND_PUBLISH", "LOCK_FLOW", "CHANGE_STATUS", "SAVE_SAMPLE_DATA", "UPDATE_SAMPLE_DATA_INFO"}
)


def problems(before: Mapping[str, object], after: Mapping[str, object], operation: Operation) -> list[str]:
    """What the operation would damage, in sentences; empty if nothing.

    `before` and `after` are flows, the second one predicted. What was wrong before and stays so is not reported.
    """
    old, new = pick(before, "version.trigger"), pick(after, "version.trigger")
    old_names, new_names = Counter(names(old)), Counter(names(new))
    found = [
        *_lost(old, old_names, new_names, operation),
        *_misplaced(old, new),
        *_names(old_names, new_names),
        *_routers(old, new),
        *_notes(before, after),
    ]
    if operation.type == "SET_SKIP_ACTION" and flow_tree.step_name(new) in operation.request.get("names", ()):
        found.append(_("The trigger cannot be skipped."))
    gone = operation.type == "UPDATE_SAMPLE_DATA_INFO" and step_named(old, operation.request["stepName"]) is None
    if not found and (gone or (operation.type not in _MAY_REPEAT and before == after)):
        found.append(_("Nothing would change: the flow is like this already, or the step is no longer there."))
    return found


def _lost(old: object, before: Counter[str], after: Counter[str], operation: Operation) -> Iterator[str]:
    if operation.type in _WHOLE:
        return
    gone = before - after
    for name in _meant(old, operation):
        del gone[name]
    for name in gone:
        step = step_named(old, name) or {}
        yield _("The step “%(step)s” would be lost.") % {"step": outline.title_of(step)}
    if operation.type == "ADD_ACTION" and after.total() == before.total():
        yield _("The new step would be lost: there is no such place.")
    elif operation.type == "ADD_ACTION":
        # The engine adds one step, without those after it and inside it.
        for node in list(flow_tree.walk(operation.request["action"]))[1:]:
            yield _("The step “%(step)s” would be lost.") % {"step": outline.title_of(node.step)}


def _misplaced(old: object, new: object) -> Iterator[str]:
    """Triggers among the steps, and a step in place of the trigger: updates change the type of any step."""
    steps = flow_tree.steps_by_name(old)
    for number, node in enumerate(flow_tree.walk(new)):
        known = steps.get(node.name, {})
        is_new = (node.step.get("type") in flow_tree.TRIGGERS) is not (known.get("type") in flow_tree.TRIGGERS)
        if is_new and (node.step.get("type") in flow_tree.TRIGGERS) is not (number == 0):
            title = outline.title_of(node.step)
            yield _("“%(step)s” would be of a type that its place does not allow.") % {"step": title}


def _meant(old: object, operation: Operation) -> Iterator[str]:
    """The names of the steps that the operation is to remove."""
    if operation.type == "DELETE_ACTION":
        for name in operation.request["names"]:
            step = step_named(old, name)
            yield from own_names(step) if step else ()
    elif operation.type == "DELETE_BRANCH":
        router = step_named(old, operation.request["stepName"]) or {}
        children, index = router.get("children") or [], int(operation.request["branchIndex"])
        yield from names(children[index]) if 0 <= index < len(children) else ()


def _names(before: Counter[str], after: Counter[str]) -> Iterator[str]:
    for name, count in after.items():
        if count > 1 and before[name] < count:
            yield _("Two steps would have the name “%(name)s”.") % {"name": name}
        if name not in before and not flow_tree.NAME.fullmatch(name):
            yield _("“%(name)s” is not a name for a step: use letters, digits and underscores.") % {"name": name}


def _routers(old: object, new: object) -> Iterator[str]:
    steps = flow_tree.steps_by_name(old)
    for node in flow_tree.walk(new):
        if node.step.get("type") not in flow_tree.ROUTERS:
            continue
        wrong = list(_wrong_branches(node.step))
        known = steps.get(node.name)
        # A router without branches, as a file may have it, can only get one after the other.
        yield from (text for text in wrong if known is None or text not in list(_wrong_branches(known, empty=True)))


def _wrong_branches(router: Json, *, empty: bool = False) -> Iterator[str]:
    values = {"step": outline.title_of(router)}
    branches = dicts_at(router, "settings.branches")
    if len(branches) != len(list_at(router, "children")):
        yield _("The branches of “%(step)s” would no longer fit the steps in them.") % values
    kinds = [branch.get("branchType") for branch in branches]
    if router.get("type") == "ROUTER" and (branches or empty) and (kinds.count(FALLBACK) != 1 or kinds[-1] != FALLBACK):
        yield _("“%(step)s” needs exactly one branch for everything else, at the end.") % values


def _notes(before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[str]:
    old, new = (
        Counter(note.get("id") for note in dicts_at(flow, "version.notes")).most_common(1) for flow in (before, after)
    )
    if new and new[0][1] > max(1, old[0][1] if old else 0):
        yield _("Two notes would have the same ID.")

"""What would be wrong with a flow after an operation that the engine accepts (engine-0.83.md section 5).

A prediction is checked by what must hold for any tree, not by operation: no step lost, no name twice, as many branches as places for
their steps, one fallback at the end.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.engine import flow_tree
from workflows_ui.resources.flows import outline
from workflows_ui.resources.flows.editing.prediction import FALLBACK, ROUTERS, Json, Operation, find, names, own_names
from workflows_ui.web.paths import dicts_at, list_at

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Operations that replace the whole tree.
_WHOLE = frozenset({"IMPORT_FLOW", "USE_AS_DRAFT"})
#: Operations that may be sent although the tree stays the same.
_MAY_REPEAT = frozenset(
    {"LOCK_AND_PUBLISH", "LOCK_FLOW", "CHANGE_STATUS", "SAVE_SAMPLE_DATA", "UPDATE_SAMPLE_DATA_INFO"}
)


def problems(before: Mapping[str, Any], after: Mapping[str, Any], operation: Operation) -> list[str]:
    """Return what the operation would damage, in sentences; empty if nothing.

    `before` and `after` are flows, the second one predicted. What was wrong before and stays so is not reported.
    """
    old, new = before["version"].get("trigger"), after["version"].get("trigger")
    found = (
        list(_lost(old, new, operation))
        + list(_names(old, new))
        + list(_routers(old, new))
        + list(_notes(before, after))
    )
    if operation.type == "SET_SKIP_ACTION" and flow_tree.step_name(new) in operation.request.get("names", ()):
        found.append(_("The trigger cannot be skipped."))
    if not found and operation.type not in _MAY_REPEAT and before == after:
        found.append(_("Nothing would change: the flow is like this already, or the step is no longer there."))
    return found


def _lost(old: Any, new: Any, operation: Operation) -> Iterator[str]:
    if operation.type in _WHOLE:
        return
    gone = Counter(names(old)) - Counter(names(new))
    for name in _meant(old, operation):
        del gone[name]
    for name in gone:
        step = find(old, name) or {}
        yield _("The step “%(step)s” would be lost.") % {"step": outline.title_of(step)}
    if operation.type == "ADD_ACTION" and len(names(new)) == len(names(old)):
        yield _("The new step would be lost: there is no such place.")


def _meant(old: Any, operation: Operation) -> Iterator[str]:
    """The names of the steps that the operation is to remove."""
    if operation.type == "DELETE_ACTION":
        for name in operation.request["names"]:
            step = find(old, name)
            yield from own_names(step) if step else ()
    elif operation.type == "DELETE_BRANCH":
        router = find(old, operation.request["stepName"]) or {}
        children, index = router.get("children") or [], int(operation.request["branchIndex"])
        yield from names(children[index]) if 0 <= index < len(children) else ()


def _names(old: Any, new: Any) -> Iterator[str]:
    before, after = Counter(names(old)), Counter(names(new))
    for name, count in after.items():
        if count > 1 and before[name] < count:
            yield _("Two steps would have the name “%(name)s”.") % {"name": name}
        if name not in before and not _NAME.fullmatch(name):
            yield _("“%(name)s” is not a name for a step: use letters, digits and underscores.") % {"name": name}


def _routers(old: Any, new: Any) -> Iterator[str]:
    for node in flow_tree.walk(new):
        if node.step.get("type") not in ROUTERS:
            continue
        wrong = list(_wrong_branches(node.step))
        known = find(old, node.name)
        yield from (text for text in wrong if known is None or text not in list(_wrong_branches(known)))


def _wrong_branches(router: Json) -> Iterator[str]:
    values = {"step": outline.title_of(router)}
    branches = dicts_at(router, "settings.branches")
    if len(branches) != len(list_at(router, "children")):
        yield _("The branches of “%(step)s” would no longer fit the steps in them.") % values
    kinds = [branch.get("branchType") for branch in branches]
    if router.get("type") == "ROUTER" and branches and (kinds.count(FALLBACK) != 1 or kinds[-1] != FALLBACK):
        yield _("“%(step)s” needs exactly one branch for everything else, at the end.") % values


def _notes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = (
        Counter(note.get("id") for note in flow["version"].get("notes") or []).most_common(1)
        for flow in (before, after)
    )
    if new and new[0][1] > max(1, old[0][1] if old else 0):
        yield _("Two notes would have the same id.")

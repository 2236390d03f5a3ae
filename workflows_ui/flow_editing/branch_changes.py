"""The one branch of a router that an edit adds, removes, moves or renames, in words for its confirmation."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext

from workflows_ui.core import formats
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing import places
from workflows_ui.flows import outline
from workflows_ui.resource_admin.resource import Row


@dataclass(frozen=True)
class BranchChange:
    """A sentence, and the names of the branches that it is about."""

    text: str
    names: frozenset[str]


def of_router(old: Row, new: Row) -> BranchChange | None:
    """Compare two versions of a router, secrets masked; None if its branches are the same, or differ in another way."""
    before, after = dicts_at(old, "settings.branches"), dicts_at(new, "settings.branches")
    added, removed = _extra(after, before), _extra(before, after)
    if added is not None:
        return _change(gettext("“%(step)s”: the branch “%(branch)s” is added"), new, added)
    if removed is not None:
        return _change(gettext("“%(step)s”: the branch “%(branch)s” is removed"), old, removed)
    differing = [index for index, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]]
    if len(before) != len(after) or not differing:
        return None
    first, last = differing[0], differing[-1]
    for source, target in ((first, last), (last, first)):
        rest = [*before[:source], *before[source + 1 :]]
        if [*rest[:target], before[source], *rest[target:]] == after and source != target:
            text = gettext("“%(step)s”: the branch “%(branch)s” is moved: it is number %(number)d now")
            return _change(text, new, target, number=target + 1)
    if first == last and _nameless(before[first]) == _nameless(after[first]):
        name = text_at(before[first], "branchName")
        text = gettext("“%(step)s”: the branch “%(old)s” is renamed to “%(branch)s”")
        return _change(text, new, first, name, old=formats.cut(name, 60))
    return None


def _extra(longer: Sequence[Row], shorter: Sequence[Row]) -> int | None:
    """The number of the only branch that the first list has more than the second; of equal ones that follow each other, the last."""
    if not shorter or len(longer) != len(shorter) + 1:
        return None
    numbers = range(len(longer) - 1, -1, -1)
    return next((number for number in numbers if [*longer[:number], *longer[number + 1 :]] == shorter), None)


def _nameless(branch: Row) -> dict[str, object]:
    return {key: value for key, value in branch.items() if key != "branchName"}


def _change(text: str, router: Row, index: int, *others: str, **values: object) -> BranchChange:
    named = {"step": formats.cut(outline.title_of(router)), "branch": places.branch_title(dict(router), index)}
    name = flow_tree.branch_names(router)[index] or str(index + 1)
    return BranchChange(text % {**named, **values}, frozenset((name, *others)))

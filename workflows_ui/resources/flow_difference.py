"""What differs between two versions of a flow, told for people: steps added, removed, moved, renamed, and settings field by field."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.engine import flow_tree
from workflows_ui.kit.resource import Row, pick
from workflows_ui.resources import outline, step_settings
from workflows_ui.resources.step_settings import Labels
from workflows_ui.resources.step_values import Line, Names, Path, line

#: Characters a value is compared line by line up to, and lines of a comparison that a page shows.
_MOST_TEXT, _MOST_LINES, _MOST_STEPS, _MOST_FIELDS = 20_000, 400, 500, 2_000
#: What the engine or its builder changes by itself: it makes no difference to anybody.
_NOISE = frozenset({"pieceVersion", "sampleData", "inputUiInfo", "customLogoUrl", "propertySettings"})


@dataclass(frozen=True)
class Change:
    """One field before and after; either is None where it was not set. `text` compares values of several lines, (sign, line) each."""

    label: str
    before: Line | None
    after: Line | None
    text: list[tuple[str, str]] = field(default_factory=list)
    hidden: bool = False


@dataclass(frozen=True)
class StepChange:
    """One step: added, removed, or the same step with `moved`, `renamed` (its old title) and changed fields."""

    kind: str
    title: str
    name: str
    icon: str
    what: str
    moved: bool = False
    renamed: str = ""
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """`names`: the flow's name before and after, where it differs. `steps` in the order of the newer version, removed ones last."""

    names: tuple[str, str] | None
    steps: list[StepChange]
    cut: int = 0

    @property
    def identical(self) -> bool:
        """Nothing that a person sets differs."""
        return self.names is None and not self.steps


@dataclass(frozen=True)
class _Step:
    whole: dict[str, Any]
    masked: dict[str, Any]
    place: tuple[str, str]


def between(old: Row, new: Row, *, masked: tuple[Row, Row], names: Names, known: Labels) -> Difference:
    """The difference of two versions (api.md 6.1).

    Args:
        masked: the same two with their secrets masked: those are shown, the others only compared.
        names: what references are told by.
        known: labels of the pieces' fields.
    """
    before, after = _steps(old, masked[0]), _steps(new, masked[1])
    moved = _moved(before, after)
    found = []
    for name, step in after.items():
        if name not in before:
            found.append(_whole("added", step, names, known))
            continue
        change = _compared(before[name], step, name in moved, names, known)
        if change.moved or change.renamed or change.changes:
            found.append(change)
    found += [_whole("removed", step, names, known) for name, step in before.items() if name not in after]
    called = tuple(str(pick(version, "displayName") or "") for version in masked)
    renamed = (called[0], called[1]) if called[0] != called[1] else None
    return Difference(renamed, found[:_MOST_STEPS], max(0, len(found) - _MOST_STEPS))


def _steps(version: Row, masked: Row) -> dict[str, _Step]:
    """Steps by name, each with the chain it stands in: the loop or router around it, and the branch."""
    shown = flow_tree.steps_by_name(pick(masked, "trigger"))
    places: dict[str, tuple[str, str]] = {}
    depths: dict[str, int] = {}
    found: dict[str, _Step] = {}
    for node in flow_tree.walk(pick(version, "trigger")):
        if not node.name or node.name in found:
            continue
        parent = node.parent or ""
        inside = node.depth > depths.get(parent, node.depth)
        branch = node.branch or ("" if node.branch_index is None else str(node.branch_index))
        places[node.name] = (parent, branch) if inside else places.get(parent, ("", ""))
        depths[node.name] = node.depth
        found[node.name] = _Step(node.step, shown.get(node.name, {}), places[node.name])
    return found


def _moved(before: Mapping[str, _Step], after: Mapping[str, _Step]) -> set[str]:
    """Steps in both versions that stand in another chain, or in another order; a step that is pushed on by a new one has not moved."""
    old, new = [name for name in before if name in after], [name for name in after if name in before]
    kept = {
        old[place]
        for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        for place in range(block.a, block.a + block.size)
    }
    return {name for name in new if name not in kept or before[name].place != after[name].place}


def _whole(kind: str, step: _Step, names: Names, known: Labels) -> StepChange:
    lines, _left = step_settings.lines(step.masked, names, known)
    changes = [Change(one.label, None, one) if kind == "added" else Change(one.label, one, None) for one in lines]
    return _head(kind, step, changes=changes)


def _compared(old: _Step, new: _Step, moved: bool, names: Names, known: Labels) -> StepChange:
    renamed = outline.title_of(old.masked) if outline.title_of(old.whole) != outline.title_of(new.whole) else ""
    changes = _what(old, new) + _fields(old, new, names, known)
    if not changes and _rest(old) != _rest(new):
        changes = [Change(_("Something that only the raw data tells"), None, None)]
    return _head("changed", new, moved=moved, renamed=renamed, changes=changes)


def _head(kind: str, step: _Step, **more: Any) -> StepChange:
    icon, word = outline.kind_of(step.masked)
    what = outline.piece_of(step.masked) or str(word)
    return StepChange(kind, outline.title_of(step.masked), flow_tree.name_of(step.whole), icon, what, **more)


def _what(old: _Step, new: _Step) -> list[Change]:
    """What the step is and does; the version of its app; whether it is passed over."""
    found = []
    for label, read in (
        (_("What it does"), lambda step: outline.piece_of(step) or str(outline.kind_of(step)[1])),
        (_("Version of the app"), _version),
        (_("Complete"), lambda step: _("No") if step.get("valid") is False else _("Yes")),
        (_("Passed over"), lambda step: _("Yes") if step.get("skip") is True else _("No")),
    ):
        before, after = read(old.masked), read(new.masked)
        if before != after:
            found.append(_change(label, before, after))
    return found


def _rest(step: _Step) -> Any:
    settings = step.whole.get("settings")
    return {key: one for key, one in settings.items() if key not in _NOISE} if isinstance(settings, dict) else settings


def _version(step: Mapping[str, Any]) -> str:
    """Without `~` and `^`, which the engine sets and removes by itself (api.md 6.3)."""
    found = pick(step, "settings.pieceVersion")
    return found.lstrip("~^")[:40] if isinstance(found, str) else ""


def _change(label: str, before: str, after: str) -> Change:
    lines = [line((label,), text, Names()) if text else None for text in (before, after)]
    return Change(label, lines[0], lines[1])


def _fields(old: _Step, new: _Step, names: Names, known: Labels) -> list[Change]:
    shown = [_by_path(step.masked, names, known) for step in (old, new)]
    whole = [_by_path(step.whole, names, known) for step in (old, new)]
    found = []
    for path in dict.fromkeys([*shown[1], *shown[0]]):
        if _value(whole[0].get(path)) == _value(whole[1].get(path)):
            continue
        before, after = shown[0].get(path), shown[1].get(path)
        label = (after or before or Line(path, "")).label
        hidden = _value(before) == _value(after)
        found.append(Change(label, before, after, _lines(before, after), hidden))
    return found


def _by_path(step: Mapping[str, Any], names: Names, known: Labels) -> dict[Path, Line]:
    lines, _left = step_settings.lines(step, names, known, _MOST_FIELDS)
    return {one.path: one for one in lines}


def _value(found: Line | None) -> str | None:
    return found.whole if found is not None else None


def _lines(before: Line | None, after: Line | None) -> list[tuple[str, str]]:
    """A comparison line by line where both are texts of several lines; [] else."""
    if before is None or after is None or not (before.block or after.block):
        return []
    old, new = (one.whole[:_MOST_TEXT].splitlines() for one in (before, after))
    compared = difflib.unified_diff(old, new, lineterm="", n=3)
    kept = [one for one in compared if not one.startswith(("---", "+++"))]
    return [(one[:1], one[1:]) for one in kept[:_MOST_LINES]]

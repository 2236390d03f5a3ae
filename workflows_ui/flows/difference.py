"""The difference between two versions of a flow: steps added, removed, moved, renamed, and settings field by field."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.utils.translation import gettext as _

from workflows_ui.core import redaction
from workflows_ui.core.paths import text_at
from workflows_ui.core.readers import mapping_of
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.engine_objects.flows import Step
from workflows_ui.flows import outline, reading, secret_inputs
from workflows_ui.flows.outline import Labels
from workflows_ui.flows.secret_inputs import Mask
from workflows_ui.flows.step_values import Line, Names, Path, line
from workflows_ui.resource_admin.resource import Row, pick

#: Maximum length of values compared line by line; maximum lines, steps and fields on a page.
_MOST_TEXT, _MOST_LINES, _MOST_STEPS, _MOST_FIELDS = 20_000, 400, 500, 2_000
#: Changes by the engine or its builder that are irrelevant to people.
_NOISE = frozenset({"pieceVersion", "sampleData", "inputUiInfo", "customLogoUrl", "propertySettings"})


@dataclass(frozen=True)
class Change:
    """One field before and after; either is None if not set. `text` compares multi-line values, as (sign, line)."""

    label: str
    before: Line | None
    after: Line | None
    text: list[tuple[str, str]] = field(default_factory=list)
    hidden: bool = False


@dataclass(frozen=True)
class StepChange:
    """One step: added, removed, or changed with `moved`, `renamed` (its old title) and changed fields."""

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
    """The flow's `names` before and after, if they differ; `steps` as in the newer version, removed ones last."""

    names: tuple[str, str] | None
    steps: list[StepChange]
    cut: int = 0

    @property
    def identical(self) -> bool:
        """Whether nothing that a person sets differs."""
        return self.names is None and not self.steps


@dataclass(frozen=True)
class _Step:
    """A step without those after it and inside it; `place` is its chain."""

    whole: Step
    place: tuple[str, str]
    mask: Mask

    @cached_property
    def masked(self) -> Step:
        """The step as it is shown, masked when it is first needed: most steps of two versions are the same."""
        return Step(self.mask(self.whole.raw))


def of_versions(session: EngineSession, old: Row, new: Row, *, mask: Mask | None = None) -> Difference:
    """As `between`, with the names of connections and of the fields of apps; `mask` is the one of both trees."""
    trigger, connections = pick(new, "trigger"), reading.connection_names(session)
    names = outline.names_of(trigger, connections, session.workspace.slug, older=pick(old, "trigger"))
    mask = mask or secret_inputs.masking(session, pick(old, "trigger"), trigger)
    return between(old, new, names=names, known=outline.labels(session, trigger), mask=mask)


def between(old: Row, new: Row, *, names: Names, known: Labels, mask: Mask) -> Difference:
    """The difference of two versions (api.md 6.1) as the engine returned them; secrets are masked in what is shown.

    Args:
        names: resolves references.
        known: labels of the pieces' fields.
        mask: masks the secrets of a step.
    """
    before, after = _steps(old, mask), _steps(new, mask)
    moved = _moved(before, after)
    changes = []
    for name, step in after.items():
        if name not in before:
            changes.append(_whole("added", step, names, known))
        elif name in moved or before[name].whole != step.whole:
            change = _compared(before[name], step, name in moved, names, known)
            if change.moved or change.renamed or change.changes:
                changes.append(change)
    changes += [_whole("removed", step, names, known) for name, step in before.items() if name not in after]
    old_name, new_name = redaction.step(
        [text_at(version, "displayName") for version in (old, new)], secrets=reading.SECRETS
    )
    renamed = (old_name, new_name) if old_name != new_name else None
    return Difference(renamed, changes[:_MOST_STEPS], max(0, len(changes) - _MOST_STEPS))


def _steps(version: Row, mask: Mask) -> dict[str, _Step]:
    """Steps by name, each with its chain: the loop or router around it, and the branch."""
    places: dict[str, tuple[str, str]] = {}
    depths: dict[str, int] = {}
    result: dict[str, _Step] = {}
    for node in flow_tree.walk(pick(version, "trigger")):
        if not node.name or node.name in result:
            continue
        parent = node.parent or ""
        inside = node.depth > depths.get(parent, node.depth)
        branch = node.branch or ("" if node.branch_index is None else str(node.branch_index))
        places[node.name] = (parent, branch) if inside else places.get(parent, ("", ""))
        depths[node.name] = node.depth
        result[node.name] = _Step(Step(flow_tree.without_steps(node.step)), places[node.name], mask)
    return result


def _moved(before: Mapping[str, _Step], after: Mapping[str, _Step]) -> set[str]:
    """Steps in both versions that are in another chain, or in another order; a step shifted by a new one has not moved."""
    old, new = [name for name in before if name in after], [name for name in after if name in before]
    unmoved = {
        old[index]
        for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        for index in range(block.a, block.a + block.size)
    }
    return {name for name in new if name not in unmoved or before[name].place != after[name].place}


def _whole(kind: str, step: _Step, names: Names, known: Labels) -> StepChange:
    lines, _left = outline.lines(step.masked, names, known)
    changes = [Change(item.label, None, item) if kind == "added" else Change(item.label, item, None) for item in lines]
    return _head(kind, step, changes)


def _compared(old: _Step, new: _Step, moved: bool, names: Names, known: Labels) -> StepChange:
    renamed = outline.title_of(old.masked) if outline.title_of(old.whole) != outline.title_of(new.whole) else ""
    changes = _type_changes(old, new) + _fields(old, new, names, known)
    if not changes and _without_fields(old) != _without_fields(new):
        changes = [Change(_("Something that only the raw data shows"), None, None)]
    return replace(_head("changed", new, changes), moved=moved, renamed=renamed)


def _head(kind: str, step: _Step, changes: list[Change]) -> StepChange:
    icon, label = outline.kind_of(step.masked)
    detail = outline.piece_of(step.masked) or str(label)
    return StepChange(kind, outline.title_of(step.masked), step.whole.name, icon, detail, changes=changes)


def _type_changes(old: _Step, new: _Step) -> list[Change]:
    """The step's type and action; the version of its app; whether it is skipped."""
    result = []
    readers: tuple[tuple[str, Callable[[Step], str]], ...] = (
        (_("What it does"), lambda step: outline.piece_of(step) or str(outline.kind_of(step)[1])),
        (_("Version of the app"), _version),
        (_("Complete"), lambda step: _("No") if step.is_incomplete else _("Yes")),
        (_("Passed over"), lambda step: _("Yes") if step.skipped else _("No")),
    )
    for label, read in readers:
        texts = read(old.masked), read(new.masked)
        if texts[0] != texts[1]:
            before, after = (line((label,), text, Names()) if text else None for text in texts)
            result.append(Change(label, before, after))
    return result


def _without_fields(step: _Step) -> object:
    """The settings without irrelevant keys; in a malformed step, the value in their place."""
    settings = step.whole.raw.get("settings")
    fields = mapping_of(settings)
    return {key: item for key, item in fields.items() if key not in _NOISE} if fields else settings


def _version(step: Step) -> str:
    """Without `~` and `^`, which the engine sets and removes automatically (api.md 6.3)."""
    return step.settings.piece_version.lstrip("~^")[:40]


def _fields(old: _Step, new: _Step, names: Names, known: Labels) -> list[Change]:
    old_lines, new_lines = (_by_path(step.masked, names, known) for step in (old, new))
    old_whole, new_whole = (_by_path(step.whole, names, known) for step in (old, new))
    result = []
    for path in dict.fromkeys([*new_lines, *old_lines]):
        if _value(old_whole.get(path)) == _value(new_whole.get(path)):
            continue
        before, after = old_lines.get(path), new_lines.get(path)
        label = (after or before or Line(path, "")).label
        hidden = _value(before) == _value(after)
        result.append(Change(label, before, after, _lines(before, after), hidden))
    return result


def _by_path(step: Step, names: Names, known: Labels) -> dict[Path, Line]:
    lines, _left = outline.lines(step, names, known, _MOST_FIELDS)
    return {item.path: item for item in lines}


def _value(found: Line | None) -> str | None:
    return found.whole if found is not None else None


def _lines(before: Line | None, after: Line | None) -> list[tuple[str, str]]:
    """A comparison line by line if both are multi-line texts; else []."""
    if before is None or after is None or not (before.block or after.block):
        return []
    old, new = (item.whole[:_MOST_TEXT].splitlines() for item in (before, after))
    compared = difflib.unified_diff(old, new, lineterm="", n=3)
    changed = [item for item in compared if not item.startswith(("---", "+++"))]
    return [(item[:1], item[1:]) for item in changed[:_MOST_LINES]]

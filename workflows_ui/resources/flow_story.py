"""What a flow will do, in plain words from its steps: a sentence a step, branches and loops folded into it, the rest counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.engine import flow_tree
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import pick
from workflows_ui.resources import apps, flow_uses, step_sentences, step_settings
from workflows_ui.resources.flow_reading import connection_names, table_of
from workflows_ui.resources.step_sentences import Known, Parts, told

#: Sentences that people read; what is nested deeper, or comes later, is counted.
MOST, _DEEPEST = 8, 3
_GENERIC = re.compile(r"(branch|nhánh)?\s*\d*", re.IGNORECASE)
_VALUE = re.compile(r"\{\{(.{1,500}?)\}\}", re.DOTALL)


@dataclass(frozen=True)
class Branch:
    """What happens in one case: `label` says in which ("" for each item of a list)."""

    label: Parts
    sentences: tuple["Sentence", ...]
    #: Steps in it that are not told.
    more: int = 0


@dataclass(frozen=True)
class Sentence:
    """What one step does; `inner` are a router's cases, or what a loop does for each item."""

    parts: Parts
    icon: str
    inner: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Story:
    """What a flow does. `more` counts the steps that are not told; `empty` says that it has no steps at all."""

    sentences: tuple[Sentence, ...]
    more: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not self.sentences and not self.more


def known(caller: Caller, trigger: Any) -> Known:
    """The names that the sentences need: remembered ones, and (unless the caller is quick) those that the engine has to be asked for."""
    steps = [node.step for node in flow_tree.walk(trigger)]
    uses = any("connections" in str(pick(step, "settings.input.auth")) for step in steps)
    tables = any(table_of(step) for step in steps)
    nothing: list[dict[str, Any]] = []
    titles = {row["name"]: apps.title(row) for row in caller.known("pieces", nothing)}
    return Known(
        titles,
        connection_names(caller) if uses else {},
        flow_uses.table_names(caller) if tables else {},
    )


def of(trigger: Any, names: Known | None = None) -> Story:
    """The story of the steps after `trigger` (api.md 6.3). Steps that are skipped are left out. Takes whatever the engine sends."""
    teller = _Teller(names or Known())
    first = trigger.get("nextAction") if isinstance(trigger, dict) else None
    sentences, more = teller.chain(first, 0)
    return Story(sentences, more)


class _Teller:
    def __init__(self, names: Known) -> None:
        self._names = names
        self._left = MOST
        self._seen: set[int] = set()

    def chain(self, first: Any, depth: int) -> tuple[tuple[Sentence, ...], int]:
        """The sentences of one chain of steps, and how many steps of it (and inside of it) are not told."""
        found, more = [], 0
        for step in self._steps(first):
            if step.get("skip") is True:
                continue
            if self._left <= 0 or depth > _DEEPEST:
                more += 1 + sum(_count(inner) for inner in _inner(step))
                continue
            self._left -= 1
            found.append(self._sentence(step, depth))
        return tuple(found), more

    def _steps(self, step: Any) -> Iterator[dict[str, Any]]:
        while isinstance(step, dict) and id(step) not in self._seen and len(self._seen) < flow_tree.MOST_STEPS:
            self._seen.add(id(step))
            yield step
            step = step.get("nextAction")

    def _sentence(self, step: dict[str, Any], depth: int) -> Sentence:
        icon = step_sentences.icon_of(step)
        kind = step.get("type")
        if kind == "LOOP_ON_ITEMS" or isinstance(step.get("firstLoopAction"), dict):
            sentences, more = self.chain(step.get("firstLoopAction"), depth + 1)
            items = _values(pick(step, "settings.items"))
            title = told(_("For each of %(items)s:"), items=items) if items else told(_("For each item of a list:"))
            return Sentence(title, icon, (Branch((), sentences, more),) if sentences or more else ())
        if kind == "ROUTER" or isinstance(step.get("children"), list):
            return Sentence(_router(step), icon, tuple(self._branches(step, depth)))
        return Sentence(step_sentences.of(step, self._names), icon)

    def _branches(self, step: dict[str, Any], depth: int) -> Iterator[Branch]:
        listed = pick(step, "settings.branches")
        branches = listed if isinstance(listed, list) else []
        children = step.get("children")
        for number, child in enumerate(children if isinstance(children, list) else []):
            branch = branches[number] if number < len(branches) else None
            sentences, more = self.chain(child, depth + 1)
            if not sentences and not more:
                sentences = (Sentence(told(_("Nothing more happens here")), "minus"),)
            yield Branch(_case(branch, number), sentences, more)


def _router(step: dict[str, Any]) -> Parts:
    if pick(step, "settings.executionType") == "EXECUTE_ALL_MATCH":
        return told(_("Looks which cases apply, and does what is set for each of them:"))
    return told(_("Looks which case applies first:"))


def _case(branch: Any, number: int) -> Parts:
    """In which case a branch is taken: by its name, where a person gave it one, else by its conditions."""
    name = pick(branch, "branchName")
    name = name.strip() if isinstance(name, str) else ""
    if pick(branch, "branchType") == "FALLBACK":
        generic = not name or name.lower() == "otherwise"
        return told(_("Otherwise:")) if generic else told(_("Otherwise (%(name)s):"), name=name)
    if name and not _GENERIC.fullmatch(name):
        return told(_("If %(name)s:"), name=name)
    ways = pick(branch, "conditions")
    groups = [way for way in ways if isinstance(way, list)] if isinstance(ways, list) else []
    joined = [
        _(" and ").join(_values(step_settings.condition(one)) for one in group[:4]) for group in groups[:3] if group
    ]
    words = _(", or ").join(joined)
    return told(_("If %(condition)s:"), condition=words or name or str(number + 1))


def _values(text: Any) -> str:
    """A text whose `{{references}}` are told by the last name in them: `{{trigger['body']['amount']}}` is "amount"."""
    if not isinstance(text, str):
        return ""

    def last(match: re.Match[str]) -> str:
        keys = re.findall(r"[\w$À-ỹ -]+", match[1])
        return str(keys[-1]).strip() if keys else match[0]

    return _VALUE.sub(last, text)[:120]


def _inner(step: dict[str, Any]) -> list[Any]:
    children = step.get("children")
    return [step.get("firstLoopAction"), *(children if isinstance(children, list) else [])]


def _count(first: Any) -> int:
    """Steps of a chain and inside of it, those that are skipped left out."""
    return sum(1 for node in flow_tree.walk(first) if node.step.get("skip") is not True)

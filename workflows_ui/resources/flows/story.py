"""What a flow will do, from its steps: a sentence per step, with branches and loops inside it, the rest counted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.resource_admin.resource import pick
from workflows_ui.resources.flows import step_sentences, step_settings
from workflows_ui.resources.flows import uses as resource_uses
from workflows_ui.resources.flows.reading import connection_names, table_of
from workflows_ui.resources.flows.step_sentences import Known, Parts, fill_template
from workflows_ui.resources.pieces import apps
from workflows_ui.web.paths import list_at, text_at

#: Maximum sentences and nesting; deeper or later steps are only counted.
MOST, _DEEPEST = 8, 3
_GENERIC = re.compile(r"(branch|nhánh)?\s*\d*", re.IGNORECASE)
_VALUE = re.compile(r"\{\{(.{1,500}?)\}\}", re.DOTALL)


@dataclass(frozen=True)
class Branch:
    """What happens in one case: `label` names the case ("" for each item of a list)."""

    label: Parts
    sentences: tuple["Sentence", ...]
    #: Steps in it without a sentence.
    more: int = 0


@dataclass(frozen=True)
class Sentence:
    """What one step does; `inner` are a router's cases, or what a loop does for each item."""

    parts: Parts
    icon: str
    inner: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Story:
    """What a flow does. `more` counts the steps without a sentence; `empty` is whether it has no steps at all."""

    sentences: tuple[Sentence, ...]
    more: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.sentences and not self.more


def load_names(session: EngineSession, trigger: Any) -> Known:
    """The names for the sentences: cached ones, and (unless the session is quick) those that need a call."""
    steps = [node.step for node in flow_tree.walk(trigger)]
    uses = any("connections" in str(pick(step, "settings.input.auth")) for step in steps)
    tables = any(table_of(step) for step in steps)
    nothing: list[dict[str, Any]] = []
    titles = {row["name"]: apps.title(row) for row in session.known("pieces", nothing)}
    return Known(
        titles,
        connection_names(session) if uses else {},
        resource_uses.table_names(session) if tables else {},
    )


def build_story(trigger: Any, names: Known | None = None) -> Story:
    """The story of the steps after `trigger` (api.md 6.3). Skipped steps are left out. Accepts malformed trees."""
    teller = _Builder(names or Known())
    first = trigger.get("nextAction") if isinstance(trigger, dict) else None
    sentences, more = teller.chain(first, 0)
    return Story(sentences, more)


class _Builder:
    def __init__(self, names: Known) -> None:
        self._names = names
        self._left = MOST
        self._seen: set[int] = set()

    def chain(self, first: Any, depth: int) -> tuple[tuple[Sentence, ...], int]:
        """The sentences of one chain of steps, and how many steps in it (at any depth) have none."""
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
            title = (
                fill_template(_("For each of %(items)s:"), items=items)
                if items
                else fill_template(_("For each item of a list:"))
            )
            return Sentence(title, icon, (Branch((), sentences, more),) if sentences or more else ())
        if kind == "ROUTER" or isinstance(step.get("children"), list):
            return Sentence(_router(step), icon, tuple(self._branches(step, depth)))
        return Sentence(step_sentences.build_sentence(step, self._names), icon)

    def _branches(self, step: dict[str, Any], depth: int) -> Iterator[Branch]:
        branches = list_at(step, "settings.branches")
        for number, child in enumerate(list_at(step, "children")):
            branch = branches[number] if number < len(branches) else None
            sentences, more = self.chain(child, depth + 1)
            if not sentences and not more:
                sentences = (Sentence(fill_template(_("Nothing more happens here")), "minus"),)
            yield Branch(_case(branch, number), sentences, more)


def _router(step: dict[str, Any]) -> Parts:
    if pick(step, "settings.executionType") == "EXECUTE_ALL_MATCH":
        return fill_template(_("Looks which cases apply, and does what is set for each of them:"))
    return fill_template(_("Looks which case applies first:"))


def _case(branch: Any, number: int) -> Parts:
    """The label of a branch: its name, if a person gave it one, else its conditions."""
    name = text_at(branch, "branchName").strip()
    if pick(branch, "branchType") == "FALLBACK":
        generic = not name or name.lower() == "otherwise"
        return fill_template(_("Otherwise:")) if generic else fill_template(_("Otherwise (%(name)s):"), name=name)
    if name and not _GENERIC.fullmatch(name):
        return fill_template(_("If %(name)s:"), name=name)
    groups = [group for group in list_at(branch, "conditions") if isinstance(group, list)]
    joined = [
        _(" and ").join(_values(step_settings.condition(item)) for item in group[:4]) for group in groups[:3] if group
    ]
    text = _(", or ").join(joined)
    return fill_template(_("If %(condition)s:"), condition=text or name or str(number + 1))


def _values(text: Any) -> str:
    """A text whose `{{references}}` are replaced by the last name in them: `{{trigger['body']['amount']}}` is "amount"."""
    if not isinstance(text, str):
        return ""

    def last(match: re.Match[str]) -> str:
        keys = re.findall(r"[\w$À-ỹ -]+", match[1])
        return str(keys[-1]).strip() if keys else match[0]

    return _VALUE.sub(last, text)[:120]


def _inner(step: dict[str, Any]) -> list[Any]:
    return [step.get("firstLoopAction"), *list_at(step, "children")]


def _count(first: Any) -> int:
    """The number of steps in a chain at any depth, without skipped ones."""
    return sum(1 for node in flow_tree.walk(first) if node.step.get("skip") is not True)

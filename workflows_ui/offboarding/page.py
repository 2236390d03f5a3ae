"""The page for handing over a person's belongings: groups of items with their choices, and the posted choices.

A group has a choice for all of its items; an item may have its own. The confirmation carries the choices in one field, by item key, so
that exactly the counted items are changed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from workflows_ui.members.models import Workspace
from workflows_ui.offboarding import messages as offboarding_messages
from workflows_ui.offboarding.messages import KIND_MESSAGES, KindMessage
from workflows_ui.offboarding.services import belongings, handover
from workflows_ui.offboarding.services.belongings import Holder, Item, Kind, Reach
from workflows_ui.offboarding.services.handover import END, KEEP, Plan, Problem, Step
from workflows_ui.web.messages import Text

#: Items of a group that are not collapsed.
SHOWN = 8
#: Maximum number of options in all select boxes of single items; further items follow the choice for their group.
_LINES = 6000


@dataclass
class Line:
    """One item of the page."""

    item: Item
    url: str
    #: Whether the item has its own choice; the posted choice, and its problem.
    chooses: bool = False
    chosen: str = ""
    problem: Text = ""

    @property
    def name(self) -> str:
        return offboarding_messages.name(self.item)

    @property
    def people(self) -> list[tuple[str, str]]:
        """The possible recipients as (value, name)."""
        return _choices(self.item.to)

    @property
    def facts(self) -> list[str]:
        return offboarding_messages.facts(self.item)


@dataclass
class Group:
    """The items of one kind in one workspace, and the choice for all of them."""

    kind: Kind
    workspace: Workspace | None
    lines: list[Line]
    chosen: str = KEEP
    problem: Text = ""
    people: list[tuple[str, str]] = field(default_factory=list)
    ends: bool = False

    @property
    def message(self) -> KindMessage:
        return KIND_MESSAGES[self.kind]

    @property
    def key(self) -> str:
        """The name of the field for the whole group."""
        return f"all-{self.kind}-{self.workspace.pk if self.workspace else 0}"

    @property
    def chooses(self) -> bool:
        return self.ends or bool(self.people)

    @property
    def hint(self) -> Text:
        """A note on handing it over, or why that is not possible."""
        can_be_given = self.kind in handover.GIVES and self.lines[0].item.facts.get("given", True)
        if not can_be_given or any(line.people for line in self.lines):
            return self.message.more if self.chooses else ""
        return offboarding_messages.no_holder_reason(self.lines[0].item)

    @property
    def several(self) -> bool:
        """Whether there is a choice for the whole group besides those for single items."""
        return len(self.lines) > 1

    @property
    def shown(self) -> list[Line]:
        return self.lines[:SHOWN]

    @property
    def folded(self) -> list[Line]:
        return self.lines[SHOWN:]

    @property
    def unfolded(self) -> bool:
        """Whether the collapsed items contain a choice or a problem."""
        return any(line.chosen or line.problem for line in self.folded)


@dataclass
class Section:
    """The groups of a workspace, or of items without a workspace."""

    workspace: Workspace | None
    groups: list[Group]
    alone: bool = False


class Page:
    """All items of the person within the reach. `posted` maps field names to choices."""

    def __init__(
        self, reach: Reach, posted: Mapping[str, str] | None = None, problems: Mapping[str, Problem] | None = None
    ) -> None:
        self.reach = reach
        self.items = belongings.find(reach)
        self._posted = dict(posted or {})
        self._problems = {key: offboarding_messages.problem(problem) for key, problem in (problems or {}).items()}
        self._left = _LINES

    @cached_property
    def sections(self) -> list[Section]:
        sections = []
        for _key, grouped in groupby(self.items, key=lambda item: item.workspace.pk if item.workspace else 0):
            items = list(grouped)
            groups = [self._group(kind, list(members)) for kind, members in groupby(items, key=lambda item: item.kind)]
            alone = any(item.facts.get("alone") for item in items if item.kind is Kind.ROLE)
            sections.append(Section(items[0].workspace, groups, alone))
        return sections

    @property
    def count(self) -> int:
        return len(self.items)

    @property
    def spaces(self) -> int:
        return sum(1 for section in self.sections if section.workspace)

    @property
    def chooses(self) -> bool:
        """Whether anything can be chosen on the page."""
        return any(group.chooses for section in self.sections for group in section.groups)

    def plan(self) -> Plan:
        """Return the plan for the posted choices."""
        choices: dict[str, str] = {}
        problems: dict[str, Problem] = {}
        known_keys = {item.key for item in self.items}
        for section in self.sections:
            for group in section.groups:
                choice = self._posted.get(group.key, KEEP)
                free = [line.item for line in group.lines if not self._posted.get(line.item.key)]
                fit = [item for item in free if not handover.plan([item], {item.key: choice}).problems]
                choices |= {item.key: choice for item in fit}
                if free and not fit:
                    problems[group.key] = Problem.NOT_A_CHOICE
        for key, choice in self._posted.items():
            if choice and key.partition("-")[0] in set(Kind) and (key in known_keys or choice != KEEP):
                choices[key] = choice
        plan = handover.plan(self.items, choices)
        plan.problems.update(problems)
        return plan

    def _group(self, kind: Kind, items: list[Item]) -> Group:
        shared = [holder for holder in items[0].to if all(holder in item.to for item in items)]
        lines = []
        for item in items:
            changeable = bool(item.ends or item.to)
            size = len(item.to) + 3
            chooses = changeable and self._left >= size
            self._left -= size if chooses else 0
            lines.append(
                Line(
                    item,
                    offboarding_messages.url(item, self.reach),
                    chooses,
                    self._posted.get(item.key, ""),
                    self._problems.get(item.key, ""),
                )
            )
        group = Group(kind, items[0].workspace, lines)
        group.chosen = self._posted.get(group.key, KEEP)
        group.problem = self._problems.get(group.key, "")
        group.people = _choices(shared)
        group.ends = any(item.ends for item in items)
        return group


def _choices(holders: Iterable[Holder]) -> list[tuple[str, str]]:
    return [(handover.token(holder), offboarding_messages.holder(holder)) for holder in holders]


@dataclass
class PlannedAction:
    """One line of the confirmation: items of a kind in a workspace with the same choice."""

    message: KindMessage
    workspace: Workspace | None
    to: str
    names: list[str]

    @property
    def shown(self) -> list[str]:
        return self.names[:SHOWN]

    @property
    def folded(self) -> list[str]:
        return self.names[SHOWN:]


def planned_actions(steps: list[Step]) -> list[PlannedAction]:
    """Return the lines of the confirmation."""
    actions: dict[tuple[Any, ...], PlannedAction] = {}
    for step in steps:
        item = step.item
        key = item.workspace.pk if item.workspace else 0, item.kind, step.choice
        to = offboarding_messages.holder(step.to) if step.to else ""
        action = actions.setdefault(key, PlannedAction(KIND_MESSAGES[item.kind], item.workspace, to, []))
        action.names.append(offboarding_messages.name(item))
    return list(actions.values())


def posted(data: QueryDict) -> dict[str, str]:
    """Return the posted choices, from the fields of the page or the one field of the confirmation."""
    try:
        choices = json.loads(data.get("plan", "{}"))
    except (ValueError, RecursionError):
        choices = {}
    if choices and isinstance(choices, dict):
        return {str(key): str(value) for key, value in choices.items()}
    return {key: data.get(key, "") for key in data if "-" in key}


def serialized_choices(steps: list[Step]) -> str:
    """Return the value of the one field of the confirmation."""
    return json.dumps({step.item.key: step.choice for step in steps})


def ended_count(steps: list[Step]) -> int:
    """Return the number of items that are ended, not handed over."""
    return sum(1 for step in steps if step.choice == END)


def gone_summary(keys: list[str]) -> str:
    """Count items that are gone, by kind: `Credentials: 1, Saved inputs: 2`."""
    counts: dict[str, int] = {}
    for key in keys:
        kind = key.partition("-")[0]
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(
        _("%(what)s: %(n)s") % {"what": KIND_MESSAGES[Kind(kind)].title, "n": number}
        for kind, number in counts.items()
        if kind in set(Kind)
    )

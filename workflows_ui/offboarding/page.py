"""The page for handing over a person's belongings: groups of items with their choices, and the posted choices.

A group has a choice for all of its items; an item may have its own. The confirmation carries the choices in one field, by item key, so
that exactly the counted items are changed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Generic, TypeVar

from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.accounts.models import User
from workflows_ui.core.text import Text
from workflows_ui.members.models import Workspace
from workflows_ui.offboarding import belongings, handover
from workflows_ui.offboarding.belongings import KINDS, Holder, Item, Owned, Reach
from workflows_ui.offboarding.handover import KEEP, Plan, Step

E = TypeVar("E")
#: Items of a group that are not collapsed.
_SHOWN = 8
#: Maximum number of options in all select boxes of single items; further items follow the choice for their group.
_LINES = 6000


@dataclass
class Line:
    """One item of the page."""

    item: Item
    #: Whether the item has its own choice; the posted choice, and its problem.
    chooses: bool = False
    chosen: str = ""
    problem: Text = ""

    @property
    def people(self) -> list[tuple[str, str]]:
        """The possible recipients as (value, name)."""
        return _choices(self.item.to)

    @property
    def facts(self) -> list[Text]:
        """Further facts about the item, without its date."""
        return [fact for fact in self.item.facts if fact]


@dataclass
class _Folded(Generic[E]):
    """Entries of one kind in one workspace, of which the page collapses those beyond the first."""

    kind: Owned[Any]
    workspace: Workspace | None
    entries: list[E]

    @property
    def listed(self) -> list[E]:
        return self.entries[:_SHOWN]

    @property
    def folded(self) -> list[E]:
        return self.entries[_SHOWN:]


@dataclass
class Group(_Folded[Line]):
    """The items of one kind in one workspace, and the choice for all of them."""

    people: list[tuple[str, str]]
    ends: bool
    chosen: str = KEEP
    problem: Text = ""

    @property
    def key(self) -> str:
        """The name of the field for the whole group."""
        return f"all-{self.kind.name}-{self.workspace.pk if self.workspace else 0}"

    @property
    def chooses(self) -> bool:
        return self.ends or bool(self.people)

    @property
    def hint(self) -> Text:
        """A note on handing it over, or why that is not possible."""
        item = self.entries[0].item
        if not (self.kind.give and item.gives) or any(line.people for line in self.entries):
            return self.kind.more if self.chooses else ""
        if item.workspace_reach is not None and item.workspace_reach.access.guest:
            return ""
        if self.kind.by_managers and item.workspace_reach is not None and not item.workspace_reach.manages:
            return gettext_lazy("Only a manager of the workspace can hand it over.")
        if self.kind.to_managers:
            return gettext_lazy("Only another manager could take it over, and there is no other yet.")
        return gettext_lazy("No colleague here can take it over.")

    @property
    def several(self) -> bool:
        """Whether there is a choice for the whole group besides those for single items."""
        return len(self.entries) > 1

    @property
    def unfolded(self) -> bool:
        """Whether the collapsed items contain a choice or a problem."""
        return any(line.chosen or line.problem for line in self.folded)


@dataclass
class PlannedAction(_Folded[str]):
    """A line of the confirmation: the names of items that go to the same person, or end (`to` is "")."""

    to: str


@dataclass
class OffboardingPage:
    """All items of the person within the reach. `posted` maps field names to choices, `problems` to what is wrong with them."""

    reach: Reach
    posted: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, Text] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.items = belongings.find_belongings(self.reach)
        self._left = _LINES

    @cached_property
    def sections(self) -> list[dict[str, Any]]:
        """The groups of each workspace, and at last of items without a workspace."""
        sections = []
        for _key, grouped in groupby(self.items, key=lambda item: item.workspace.pk if item.workspace else 0):
            items = list(grouped)
            groups = [self._group(kind, list(members)) for kind, members in groupby(items, key=lambda item: item.kind)]
            sole_manager = any(item.sole_manager for item in items)
            sections.append({"workspace": items[0].workspace, "groups": groups, "sole_manager": sole_manager})
        return sections

    @property
    def chooses(self) -> bool:
        """Whether anything can be chosen on the page."""
        return any(group.chooses for section in self.sections for group in section["groups"])

    def plan(self) -> Plan:
        """The plan for the posted choices."""
        choices: dict[str, str] = {}
        problems: dict[str, Text] = {}
        known_keys = {item.key for item in self.items}
        for section in self.sections:
            for group in section["groups"]:
                choice = self.posted.get(group.key, KEEP)
                free = [line.item for line in group.entries if not self.posted.get(line.item.key)]
                fit = [item for item in free if not handover.plan([item], {item.key: choice}).problems]
                choices |= {item.key: choice for item in fit}
                if free and not fit:
                    problems[group.key] = handover.NOT_A_CHOICE
        for key, choice in self.posted.items():
            if choice and key.partition("-")[0] in KINDS and (key in known_keys or choice != KEEP):
                choices[key] = choice
        plan = handover.plan(self.items, choices)
        plan.problems.update(problems)
        return plan

    def _group(self, kind: Owned[Any], items: list[Item]) -> Group:
        shared = [holder for holder in items[0].to if all(holder in item.to for item in items)]
        lines = []
        for item in items:
            changeable = bool(item.ends or item.to)
            size = len(item.to) + 3
            chooses = changeable and self._left >= size
            self._left -= size if chooses else 0
            lines.append(Line(item, chooses, self.posted.get(item.key, ""), self._problem(item.key)))
        group = Group(kind, items[0].workspace, lines, _choices(shared), any(item.ends for item in items))
        group.chosen, group.problem = self.posted.get(group.key, KEEP), self._problem(group.key)
        return group

    def _problem(self, key: str) -> Text:
        return self.problems.get(key, "")


def _choices(holders: Iterable[Holder]) -> list[tuple[str, str]]:
    return [(handover.token(holder), _label(holder)) for holder in holders]


def _label(recipient: Holder) -> str:
    """The label of a person or team."""
    if not isinstance(recipient, User):
        return _("Team %(team)s") % {"team": recipient.name[:80]}
    return recipient.label if recipient.label == recipient.username else f"{recipient.label} ({recipient.username})"


def planned_actions(steps: list[Step]) -> list[PlannedAction]:
    """The lines of the confirmation."""
    actions: dict[tuple[object, ...], PlannedAction] = {}
    for step in steps:
        item = step.item
        action = PlannedAction(item.kind, item.workspace, [], _label(step.to) if step.to else "")
        key = item.workspace and item.workspace.pk, item.kind, step.choice
        actions.setdefault(key, action).entries.append(item.name)
    return list(actions.values())


def posted(data: QueryDict) -> dict[str, str]:
    """The posted choices, from the fields of the page or the one field of the confirmation."""
    try:
        choices = json.loads(data.get("plan", "{}"))
    except (ValueError, RecursionError):
        choices = {}
    if choices and isinstance(choices, dict):
        return {str(key): str(value) for key, value in choices.items()}
    return {key: data.get(key, "") for key in data if "-" in key}


def gone_summary(keys: list[str]) -> str:
    """Count items that are gone, by kind: `Credentials: 1, Saved inputs: 2`."""
    counts = Counter(key.partition("-")[0] for key in keys)
    return ", ".join(
        _("%(what)s: %(n)s") % {"what": KINDS[kind].title, "n": number}
        for kind, number in counts.items()
        if kind in KINDS
    )

"""Hand a leaving person's belongings to colleagues or end them, by the choice for each, in one transaction.

The choices are validated again under locks, so that a second tab, a double click or a lost role changes nothing that no longer belongs
to the person. Each change gets its own audit row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core.text import Text
from workflows_ui.members.models import Workspace
from workflows_ui.offboarding import belongings
from workflows_ui.offboarding.belongings import Holder, Item, Reach

#: The choices besides a holder's token: leave the item unchanged, or end it.
KEEP, END = "keep", "end"


#: What is wrong with a choice that is not offered.
NOT_A_CHOICE = _("This choice is not available here, or no longer. Choose again.")


class Refused(Exception):
    """Nothing was changed. `problems` maps item keys to reasons."""

    def __init__(self, problems: Mapping[str, Text]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Step:
    """One item that is handed `to` a holder, or ended if that is None."""

    item: Item
    to: Holder | None = None

    @property
    def choice(self) -> str:
        """The choice as the page posts it."""
        return token(self.to) if self.to else END


@dataclass(frozen=True)
class Plan:
    """Validated choices: the steps, the keys of items that are gone, and the problems."""

    steps: list[Step]
    gone: list[str]
    problems: dict[str, Text]

    @property
    def choices(self) -> dict[str, str]:
        """The choices of the steps by item key, as the confirmation posts them."""
        return {step.item.key: step.choice for step in self.steps}

    @property
    def ended(self) -> int:
        """The number of items that are ended, not handed over."""
        return sum(step.to is None for step in self.steps)


def token(holder: Holder) -> str:
    """A holder as the page posts it."""
    return f"{'user' if isinstance(holder, User) else 'team'}-{holder.pk}"


def plan(items: list[Item], choices: Mapping[str, str]) -> Plan:
    """Validate choices (by item key; see Step.choice). Unchanged items are left out."""
    by_key = {item.key: item for item in items}
    checked = Plan([], [], {})
    for key, choice in choices.items():
        item = by_key.get(key)
        if choice == KEEP:
            continue
        if item is None:
            checked.gone.append(key)
            continue
        to = next((holder for holder in item.to if token(holder) == choice), None)
        if to is not None or (choice == END and item.ends):
            checked.steps.append(Step(item, to))
        elif choice in map(token, item.already):
            checked.gone.append(key)
        else:
            checked.problems[key] = NOT_A_CHOICE
    order = {key: number for number, key in enumerate(by_key)}
    checked.steps.sort(key=lambda step: order[step.item.key])
    return checked


def carry_out(actor: Actor, reach: Reach, choices: Mapping[str, str]) -> Plan:
    """Carry out all choices or none; return the executed plan. Raises Refused.

    Items in `gone` no longer belonged to the person, because of a colleague or the first of two clicks.
    """
    with transaction.atomic():
        list(User.objects.select_for_update().filter(pk=reach.person.pk))
        spaces = {
            item.workspace.pk for item in belongings.find_belongings(reach) if item.workspace and item.key in choices
        }
        list(Workspace.objects.select_for_update(no_key=True).filter(pk__in=spaces).order_by("pk"))
        locked_reach = replace(reach)  # A copy without cached permissions.
        checked = plan(belongings.find_belongings(locked_reach), choices)
        if checked.problems:
            raise Refused(checked.problems)
        done = []
        for step in checked.steps:
            if _take(actor, step):
                done.append(step)
            else:
                checked.gone.append(step.item.key)
    return replace(checked, steps=done)


def _take(actor: Actor, step: Step) -> bool:
    """Carry out one step; return whether anything changed."""
    item = step.item
    try:
        return item.end(actor) if step.to is None else item.hand_over(actor, step.to)
    except tuple(item.kind.refusals) as error:
        raise Refused({item.key: item.kind.refusal(error)}) from None

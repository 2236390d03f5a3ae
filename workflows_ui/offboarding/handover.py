"""Hand a leaving person's belongings to colleagues or end them, by the choice for each, in one transaction.

The choices are validated again under locks, so that a second tab, a double click or a lost role changes nothing that no longer belongs
to the person. Each change gets its own audit row.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import launch_rights, members
from workflows_ui.offboarding import kinds
from workflows_ui.offboarding.belongings import Holder, Item, Reach
from workflows_ui.offboarding.kinds import CannotBeOpened

#: The choices besides a holder's token: leave the item unchanged, or end it.
KEEP, END = "keep", "end"


class Problem(TextChoices):
    """Why a choice cannot be carried out."""

    NOT_A_CHOICE = "not_a_choice", _("This choice is not available here, or no longer. Choose again.")
    NO_MANAGER = (
        "no_manager",
        _("Without this membership nobody would manage a workspace. Make somebody else a manager first."),
    )
    TEAMS = "teams", _("This colleague may not put people into the teams of the invitation. Choose somebody else.")
    NO_CREDENTIAL = (
        "no_credential",
        _("No credential acts for this colleague here, so they could launch nothing. Choose somebody else."),
    )
    CANNOT_OPEN = (
        "cannot_open",
        _(
            "The secret cannot be opened, so the credential cannot be handed over. Replace the secret, or delete the credential."
        ),
    )


class Refused(Exception):
    """Nothing was changed. `problems` maps item keys to reasons."""

    def __init__(self, problems: Mapping[str, Problem]) -> None:
        super().__init__(str(dict(problems)))
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
    problems: dict[str, Problem]

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
            checked.problems[key] = Problem.NOT_A_CHOICE
    order = {key: number for number, key in enumerate(by_key)}
    checked.steps.sort(key=lambda step: order[step.item.key])
    return checked


def carry_out(actor: Actor, reach: Reach, choices: Mapping[str, str]) -> Plan:
    """Carry out all choices or none; return the executed plan. Raises Refused.

    Items in `gone` no longer belonged to the person, because of a colleague or the first of two clicks.
    """
    with transaction.atomic():
        list(User.objects.select_for_update().filter(pk=reach.person.pk))
        spaces = {item.workspace.pk for item in kinds.find_belongings(reach) if item.workspace and item.key in choices}
        list(Workspace.objects.select_for_update(no_key=True).filter(pk__in=spaces).order_by("pk"))
        locked_reach = replace(reach)  # A copy without cached permissions.
        checked = plan(kinds.find_belongings(locked_reach), choices)
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
    kind = step.item.kind
    try:
        return kind.end(actor, step.item) if step.to is None else kind.give(actor, step.item, step.to)
    except members.LeavesNoManager:
        raise Refused({step.item.key: Problem.NO_MANAGER}) from None
    except launch_rights.NothingActs:
        raise Refused({step.item.key: Problem.NO_CREDENTIAL}) from None
    except CannotBeOpened:
        raise Refused({step.item.key: Problem.CANNOT_OPEN}) from None
    except PermissionError:
        raise Refused({step.item.key: Problem.TEAMS}) from None

"""Hand a leaving person's belongings to colleagues or end them, by the choice for each, in one transaction.

The choices are validated again under locks, so that a second tab, a double click or a lost role changes nothing that no longer belongs
to the person. Each change gets its own audit row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import clock
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import credentials, sharing
from workflows_ui.jobs.models import Job
from workflows_ui.jobs.services import jobs
from workflows_ui.launch_forms.models import LaunchForm, SavedInputs
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches, watching
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Role, TeamOwner, Workspace
from workflows_ui.members.services import invitations, launch_rights, members, teams
from workflows_ui.notifications.models import Watch, WatchKind
from workflows_ui.offboarding.services import belongings, deactivation
from workflows_ui.offboarding.services.belongings import Holder, Item, Kind, Reach

#: The choices besides a holder's token: leave the item unchanged, or end it.
KEEP, END = "keep", "end"


class Problem(StrEnum):
    """Why a choice cannot be carried out."""

    NOT_A_CHOICE = "not_a_choice"
    NO_MANAGER = "no_manager"
    TEAMS = "teams"
    CANNOT_OPEN = "cannot_open"


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


def token(holder: Holder) -> str:
    """Return a holder as the page posts it."""
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
        elif _done_already(item, choice):
            checked.gone.append(key)
        else:
            checked.problems[key] = Problem.NOT_A_CHOICE
    order = {key: number for number, key in enumerate(by_key)}
    checked.steps.sort(key=lambda step: order[step.item.key])
    return checked


def carry_out(actor: Actor, reach: Reach, choices: Mapping[str, str]) -> Plan:
    """Carry out all choices or none; return the executed plan. Raise Refused.

    Items in `gone` no longer belonged to the person, because of a colleague or the first of two clicks.
    """
    with transaction.atomic():
        list(User.objects.select_for_update().filter(pk=reach.person.pk))
        spaces = {item.workspace.pk for item in belongings.find(reach) if item.workspace and item.key in choices}
        list(Workspace.objects.select_for_update().filter(pk__in=spaces).order_by("pk"))
        locked_reach = replace(reach)  # A copy without cached permissions.
        checked = plan(belongings.find(locked_reach), choices)
        if checked.problems:
            raise Refused(checked.problems)
        done = []
        for step in checked.steps:
            if _take(actor, locked_reach, step):
                done.append(step)
            else:
                checked.gone.append(step.item.key)
    return replace(checked, steps=done)


def _done_already(item: Item, choice: str) -> bool:
    """Return whether the chosen colleague already manages the workspace, as after a second click."""
    if item.kind is not Kind.ROLE or item.workspace_reach is None:
        return False
    return choice in {token(person) for person in item.workspace_reach.people(Role.MANAGER)}


def _take(actor: Actor, reach: Reach, step: Step) -> bool:
    """Carry out one step; return whether anything changed."""
    try:
        if step.to is None:
            return _ENDS[step.item.kind](actor, reach, step.item)
        return GIVES[step.item.kind](actor, step.item, step.to)
    except teams.LeavesNoManager:
        raise Refused({step.item.key: Problem.NO_MANAGER}) from None
    except CannotBeOpened:
        raise Refused({step.item.key: Problem.CANNOT_OPEN}) from None
    except PermissionError:
        raise Refused({step.item.key: Problem.TEAMS}) from None


class CannotBeOpened(Exception):
    """The secret of a credential cannot be decrypted, so it cannot be sealed for another owner."""


def transfer_credential(actor: Actor, credential: Credential, holder: Holder) -> bool:
    """Give a credential to a person or a team; with a team, a manager of the workspace becomes its owner, the actor if possible.

    It is re-sealed for its new owner (sharing.pass_on); the secret is shown to nobody. Requires a transaction. Return whether the
    credential still belonged to the same owner. Raise CannotBeOpened.
    """
    rows = Credential.objects.select_for_update(of=("self",)).select_related("workspace", "owner")
    row = rows.filter(pk=credential.pk, owner=credential.owner_id).first()
    if row is None:
        return False
    owner = holder if isinstance(holder, User) else members.possible_owners(row.workspace, row.owner, actor.user)[0]
    if not sharing.pass_on(actor, row, owner):
        raise CannotBeOpened
    if not isinstance(holder, User):
        sharing.share(actor, row, [*sharing.teams(row), holder])
    return True


def _give_credential(actor: Actor, item: Item, to: Holder) -> bool:
    return transfer_credential(actor, item.row, to)


def _end_credential(actor: Actor, reach: Reach, item: Item) -> bool:
    credentials.remove(actor, item.row)
    return True


def _give_role(actor: Actor, item: Item, to: Holder) -> bool:
    """Make the colleague a manager; the person remains one until they are removed."""
    assert isinstance(to, User)  # noqa: S101  (belongings offers people only)
    assert item.workspace is not None  # noqa: S101
    members.hand_over(actor, item.workspace, to)
    return True


def _give_form(actor: Actor, item: Item, to: Holder) -> bool:
    row: LaunchForm = item.row
    done = LaunchForm.objects.filter(pk=row.pk, lock=row.lock).update(
        updated_by=to, updated_at=clock.now(), lock=F("lock") + 1
    )
    return bool(done) and _record(actor, "form.hand_over", item, "form", to, flow=row.flow_id)


def _end_form(actor: Actor, reach: Reach, item: Item) -> bool:
    """Delete the draft; the published form stays."""
    row: LaunchForm = item.row
    done = LaunchForm.objects.filter(pk=row.pk, lock=row.lock).update(
        draft="", before="", updated_by=actor.user, updated_at=clock.now(), lock=F("lock") + 1
    )
    return bool(done) and _record(actor, "form.drop_draft", item, "form", flow=row.flow_id)


def _give_right(actor: Actor, item: Item, to: Holder) -> bool:
    """Give the rest of the right: the same end, and the unused launches."""
    row: LaunchRight = item.row
    if not launch_rights.revoke(actor, row):
        return False
    launch_rights.give(
        actor,
        row.workspace,
        flow_id=row.flow_id,
        flow_name=row.flow_name,
        holder=to,
        until=row.until,
        most_launches=None if row.most_launches is None else row.most_launches - row.used,
    )
    return True


def _end_right(actor: Actor, reach: Reach, item: Item) -> bool:
    return launch_rights.revoke(actor, item.row)


def _give_given(actor: Actor, item: Item, to: Holder) -> bool:
    row: LaunchRight = item.row
    done = LaunchRight.objects.filter(pk=row.pk, created_by=row.created_by_id, revoked_at=None).update(created_by=to)
    return bool(done) and _record(actor, "launch_right.hand_over", item, "launch_right", to, holder=row.holder)


def _give_invitation(actor: Actor, item: Item, to: Holder) -> bool:
    assert isinstance(to, User)  # noqa: S101  (belongings offers people only)
    row: ColleagueInvitation = item.row
    return invitations.pass_on(actor, row, to)


def _end_invitation(actor: Actor, reach: Reach, item: Item) -> bool:
    return invitations.revoke(actor, item.row)


def _give_inputs(actor: Actor, item: Item, to: Holder) -> bool:
    assert isinstance(to, User)  # noqa: S101  (belongings offers people only)
    row: SavedInputs = item.row
    done = deactivation.give_inputs(row, to)
    return done and _record(actor, "inputs.hand_over", item, "saved_inputs", to, flow=row.flow_id)


def _end_inputs(actor: Actor, reach: Reach, item: Item) -> bool:
    saved_inputs.delete(actor, item.row)
    return True


def _give_watch(actor: Actor, item: Item, to: Holder) -> bool:
    assert isinstance(to, User)  # noqa: S101  (belongings offers people only)
    row: Watch = item.row
    watching.start_watching(to, row.workspace, WatchKind(row.kind), row.object_id, row.name)
    gone, _rows = Watch.objects.filter(pk=row.pk).delete()
    return bool(gone) and _record(actor, "watch.hand_over", item, "watch", to, watched=row.kind)


def _end_watch(actor: Actor, reach: Reach, item: Item) -> bool:
    gone, _rows = Watch.objects.filter(pk=item.row.pk).delete()
    return bool(gone) and _record(actor, "watch.end", item, "watch", watched=item.row.kind)


def _end_launch(actor: Actor, reach: Reach, item: Item) -> bool:
    row: Launch = item.row
    return launches.withdraw(actor, row)


def _end_job(actor: Actor, reach: Reach, item: Item) -> bool:
    row: Job = item.row
    return jobs.stop(actor, row)


def _give_owner(actor: Actor, item: Item, to: Holder) -> bool:
    assert isinstance(to, User)  # noqa: S101  (belongings offers people only)
    row: TeamOwner = item.row
    if not teams.end_owner(actor, row.team, row.user):
        return False
    if not TeamOwner.objects.filter(team=row.team, user=to).exists():
        teams.make_owner(actor, row.team, to)
    return True


def _end_owner(actor: Actor, reach: Reach, item: Item) -> bool:
    return teams.end_owner(actor, item.row.team, reach.person)


def _end_team(actor: Actor, reach: Reach, item: Item) -> bool:
    return teams.take_out(actor, item.row, reach.person)


def _end_sessions(actor: Actor, reach: Reach, item: Item) -> bool:
    deactivation.end_sessions(actor, reach.person)
    return True


#: Kinds that can be handed over; and those that can be ended.
GIVES: dict[Kind, Callable[[Actor, Item, Holder], bool]] = {
    Kind.ROLE: _give_role,
    Kind.CREDENTIAL: _give_credential,
    Kind.FORM: _give_form,
    Kind.RIGHT: _give_right,
    Kind.GIVEN: _give_given,
    Kind.INVITATION: _give_invitation,
    Kind.INPUTS: _give_inputs,
    Kind.WATCH: _give_watch,
    Kind.OWNER: _give_owner,
}
_ENDS: dict[Kind, Callable[[Actor, Reach, Item], bool]] = {
    Kind.CREDENTIAL: _end_credential,
    Kind.FORM: _end_form,
    Kind.RIGHT: _end_right,
    Kind.GIVEN: _end_right,
    Kind.INVITATION: _end_invitation,
    Kind.INPUTS: _end_inputs,
    Kind.WATCH: _end_watch,
    Kind.LAUNCH: _end_launch,
    Kind.JOB: _end_job,
    Kind.OWNER: _end_owner,
    Kind.TEAM: _end_team,
    Kind.SESSION: _end_sessions,
}


def _label(holder: Holder) -> str:
    return holder.label if isinstance(holder, User) else holder.name


def _record(actor: Actor, action: str, item: Item, object_type: str, to: Holder | None = None, **detail: Any) -> bool:
    if to is not None:
        detail["to"] = _label(to)
    audit_log.record(
        actor,
        action,
        workspace=item.workspace,
        object_type=object_type,
        object_id=item.pk,
        object_name=item.name,
        **detail,
    )
    return True

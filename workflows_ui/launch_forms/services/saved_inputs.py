"""Inputs of a flow, saved under a name for later launches: private, or shared with everyone who may launch the flow."""

from itertools import chain, count

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, database, json_text, masking
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access

#: Most saved inputs of one person for a flow.
MOST = 50
LONGEST_NAME = 100


class NameTaken(Exception):
    """The person already has saved inputs of this flow under this name."""


class TooManySaved(Exception):
    """The person has reached the limit for this flow."""


def usable_inputs(access: Access, flow_id: str) -> QuerySet[SavedInputs]:
    """The saved inputs that a person may use for a flow, their own and shared ones, by name."""
    rows = SavedInputs.objects.filter(
        Q(owner=access.user) | Q(shared=True), workspace=access.workspace, flow_id=flow_id
    )
    return rows.select_related("owner", "workspace").order_by("name", "pk")


def may_change(access: Access, row: SavedInputs) -> bool:
    """Whether the person is the owner, or a builder and the row is shared."""
    return row.owner_id == access.user.pk or (row.shared and access.allows(Role.BUILDER))


def open_values(row: SavedInputs) -> object:
    """The values for filling a form, the workspace's keys masked. Raises crypto.CannotOpen."""
    return json_text.parse(masking.workspace_mask(row.workspace).text(row.open("payload")))


def save(
    actor: audit_log.Actor, access: Access, flow_id: str, name: str, payload: object, *, shared: bool
) -> SavedInputs:
    """Save values under a name, replacing those that the person saved for this flow under the same name.

    Raises TooManySaved.
    """
    name = database.storable(name).strip()[:LONGEST_NAME]
    with database.one_at_a_time(access.user):
        own = SavedInputs.objects.filter(workspace=access.workspace, flow_id=flow_id, owner=access.user)
        row = own.filter(name=name).first()
        if row is None:
            if own.count() >= MOST:
                raise TooManySaved(flow_id)
            row = SavedInputs(workspace=access.workspace, flow_id=flow_id, owner=access.user, name=name)
        row.shared, row.updated_at = shared, clock.now()
        row.payload = row.seal("payload", json_text.dump(payload))
        row.save()
        audit_log.record(actor, "inputs.save", row, flow=row.flow_id, shared=shared)
    return row


def rename(actor: audit_log.Actor, row: SavedInputs, name: str, *, shared: bool) -> None:
    """Rename saved inputs, and share or unshare them. Raises NameTaken."""
    try:
        with transaction.atomic():
            row.name, row.shared, row.updated_at = database.storable(name).strip()[:LONGEST_NAME], shared, clock.now()
            row.save(update_fields=["name", "shared", "updated_at"])
            audit_log.record(actor, "inputs.change", row, flow=row.flow_id, shared=shared)
    except IntegrityError:
        raise NameTaken(name) from None


def delete(actor: audit_log.Actor, row: SavedInputs) -> None:
    """Delete saved inputs. Launches made with them keep their values."""
    with transaction.atomic():
        audit_log.record(actor, "inputs.delete", row, flow=row.flow_id)
        row.delete()


def hand_over(actor: audit_log.Actor, row: SavedInputs, to: User) -> bool:
    """Give saved inputs to a colleague; return whether they still belonged to the same owner."""
    with transaction.atomic():
        given = give(row, to)
        if given:
            audit_log.record(actor, "inputs.hand_over", row, flow=row.flow_id, to=to.label)
    return given


def give(row: SavedInputs, to: User) -> bool:
    """Change the owner of saved inputs; return whether they still belonged to the same owner. Audited by the caller."""
    taken = SavedInputs.objects.filter(workspace=row.workspace_id, flow_id=row.flow_id, owner=to)
    numbered = (f"{row.name[:94]} ({number})" for number in count(2))
    names = set(taken.values_list("name", flat=True))
    name = next(name for name in chain([row.name], numbered) if name not in names)
    return bool(SavedInputs.objects.filter(pk=row.pk, owner=row.owner_id).update(owner=to, name=name))

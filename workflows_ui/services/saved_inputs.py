"""Inputs of a flow saved under a name, to launch with another time: one's own, or shared with whoever launches the flow."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from workflows_ui.models import Role, SavedInputs, User
from workflows_ui.services import access, audit, clock, database, masking, payloads

#: A person keeps at most so many for a flow.
MOST = 50
LONGEST_NAME = 100


class NameTaken(Exception):
    """This person already saved inputs of this flow under this name."""


class TooManySaved(Exception):
    """There are as many as one person may have for a flow."""


def of_flow(place: access.Access, flow_id: str) -> QuerySet[SavedInputs]:
    """What a person may use for a flow: their own, and what others share; by name."""
    rows = SavedInputs.objects.filter(Q(owner=place.user) | Q(shared=True), workspace=place.workspace, flow_id=flow_id)
    return rows.select_related("owner").order_by("name", "pk")


def may_change(place: access.Access, row: SavedInputs) -> bool:
    """Its owner, and builders where it is shared."""
    return row.owner_id == place.user.pk or (row.shared and place.allows(Role.BUILDER))


def values_of(row: SavedInputs) -> Any:
    """The values, to fill a form with: the workspace's keys are masked. Raises crypto.CannotOpen."""
    return payloads.parse(masking.of(row.workspace).text(row.open("payload")))


def save(
    actor: audit.Actor, place: access.Access, flow_id: str, name: str, payload: Any, *, shared: bool
) -> SavedInputs:
    """Saves values under a name. A name that the person used before for this flow is given these values instead.

    Raises TooManySaved.
    """
    name = database.storable(name).strip()[:LONGEST_NAME]
    with transaction.atomic():
        # One at a time per person: two tabs that save under one new name must see each other.
        User.objects.select_for_update().get(pk=place.user.pk)
        mine = SavedInputs.objects.filter(workspace=place.workspace, flow_id=flow_id, owner=place.user)
        row = mine.filter(name=name).first()
        if row is None:
            if mine.count() >= MOST:
                raise TooManySaved(flow_id)
            row = SavedInputs(workspace=place.workspace, flow_id=flow_id, owner=place.user, name=name)
        row.shared, row.updated_at = shared, clock.now()
        row.payload = row.seal("payload", payloads.dump(payload))
        row.save()
        _log(actor, row, "inputs.save", shared=shared)
    return row


def rename(actor: audit.Actor, row: SavedInputs, name: str, *, shared: bool) -> None:
    """Gives saved inputs another name, shares them or takes them back. Raises NameTaken."""
    try:
        with transaction.atomic():
            row.name, row.shared, row.updated_at = database.storable(name).strip()[:LONGEST_NAME], shared, clock.now()
            row.save(update_fields=["name", "shared", "updated_at"])
            _log(actor, row, "inputs.change", shared=shared)
    except IntegrityError:
        raise NameTaken(name) from None


def delete(actor: audit.Actor, row: SavedInputs) -> None:
    """Forgets saved inputs; launches made with them keep theirs."""
    with transaction.atomic():
        _log(actor, row, "inputs.delete")
        row.delete()


def _log(actor: audit.Actor, row: SavedInputs, action: str, **detail: Any) -> None:
    audit.record(
        actor,
        action,
        workspace=row.workspace,
        object_type="saved_inputs",
        object_id=row.pk,
        object_name=row.name,
        flow=row.flow_id,
        **detail,
    )

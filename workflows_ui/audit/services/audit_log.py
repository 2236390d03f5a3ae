"""Write the audit log. Callers pass plain values with secrets masked; known secrets of the workspace are masked here as well.

Writers only insert, without locks and without reading other rows. hash_chain.py builds the chain afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.utils import timezone

from workflows_ui.audit import canonical_text
from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.audit.objects import Auditable, AuditedObject
from workflows_ui.core import masking
from workflows_ui.core.database import storable
from workflows_ui.core.masking import HoldsSecrets
from workflows_ui.engine import Mask

if TYPE_CHECKING:
    # The name by which Django's types know the model in AUTH_USER_MODEL, which stands above the audit log.
    from django.contrib.auth.models import _User as User


@dataclass(frozen=True)
class Actor:
    """The acting person and their connection, or the console (`user` None)."""

    user: "User | None"
    address: str | None = None
    request_id: str = ""
    #: A keyed digest of the session, never its key.
    session: str = ""


#: The console as the actor: following runs, periodic tasks.
CONSOLE = Actor(user=None)


def record(
    actor: Actor,
    action: str,
    about: Auditable | Group | None = None,
    *,
    workspace: HoldsSecrets | None = None,
    object_type: str = "",
    object_id: str = "",
    object_name: str = "",
    outcome: str = "done",
    reason: str = "",
    begun: AuditEvent | None = None,
    belongs_to: tuple[str, str] | None = None,
    detail: Mapping[str, object] | None = None,
    **more: object,
) -> AuditEvent:
    """Add one row. `action` is noun.verb (`launch.ask`), `reason` a person's reason; `detail` and further arguments are stored as JSON.

    `about` is the object, if it is a row of the console. `outcome` is the result of the action itself, not of observing it: the
    end of a failed launch is `failed`. `belongs_to` is the type and id of a second object whose history has the row; by default the flow or
    job that these name.
    """
    if about is not None:
        workspace, object_type, object_id, object_name = _identity(about)
    stored = {**more, **(detail or {})}
    subject_type, subject_id = belongs_to or _second_object(object_type, stored)
    mask = masking.workspace_mask(workspace) if workspace is not None else Mask(())
    event = AuditEvent(
        at=timezone.now(),
        user=actor.user,
        user_name=_name(actor.user),
        # A row of the model that the column refers to, which stands above the audit log.
        workspace=workspace,  # type: ignore[misc]
        action=action,
        object_type=object_type,
        object_id=storable(object_id),
        object_name=mask.text(storable(object_name)),
        outcome=outcome,
        reason=mask.text(storable(reason)),
        detail=mask.value(canonical_text.plain(stored)),
        address=actor.address,
        session=actor.session,
        request_id=actor.request_id,
        begun=begun,
        subject_type=subject_type or None,
        subject_id=storable(subject_id)[:120] or None,
    )
    event.canonical = event.compute_canonical()
    event.save(force_insert=True)
    return event


def begin(
    actor: Actor,
    action: str,
    *,
    credential: str,
    workspace: HoldsSecrets | None = None,
    object_type: str = "",
    object_id: str = "",
    object_name: str = "",
    reason: str = "",
    **detail: object,
) -> AuditEvent:
    """Add the row that announces a write to the engine, or the reveal of a secret; `end` adds the result.

    `credential` is the id of the one that acts, "" for secrets that the console keeps itself. The other arguments are those of `record`.
    """
    return record(
        actor,
        action,
        workspace=workspace,
        object_type=object_type,
        object_id=object_id,
        object_name=object_name,
        outcome=BEGUN,
        reason=reason,
        detail={**detail, "credential": credential} if credential else detail,
    )


def _second_object(object_type: str, detail: Mapping[str, object]) -> tuple[str, str]:
    """The second object that a row's detail names; two empty texts without one."""
    for key, kind in (("flow", "flows"), ("job", "job")):
        value = detail.get(key)
        if kind != object_type and isinstance(value, str) and value:
            return kind, value
    return "", ""


def end(
    begun: AuditEvent, outcome: str = "done", *, belongs_to: tuple[str, str] | None = None, **detail: object
) -> AuditEvent:
    """Add the result of a write announced by `begin`: same actor, workspace and object, with its outcome."""
    actor = Actor(begun.user, begun.address, begun.request_id, begun.session)
    return record(
        actor,
        begun.action,
        workspace=begun.workspace,
        object_type=begun.object_type,
        object_id=begun.object_id,
        object_name=begun.object_name,
        outcome=outcome,
        begun=begun,
        belongs_to=belongs_to,
        detail=detail,
    )


def _identity(about: Auditable | Group) -> AuditedObject:
    if isinstance(about, Group):
        return AuditedObject(None, object_type="team", object_id=str(about.pk), object_name=about.name)
    return about.audited_object()


def _name(user: "User | None") -> str:
    if user is None:
        return ""
    name = user.get_full_name()
    return storable(f"{name} ({user.username})" if name and name != user.username else user.username)

"""Objects of audited actions: the identity that the rows of other features give themselves."""

from typing import NamedTuple, Protocol

from workflows_ui.core.masking import HoldsSecrets


class AuditedObject(NamedTuple):
    """Workspace, type, id and name of an object. Without a workspace, it belongs to the whole console."""

    workspace: HoldsSecrets | None
    object_type: str
    object_id: str
    object_name: str


class Auditable(Protocol):
    """A row that is the object of audited actions."""

    def audited_object(self) -> AuditedObject: ...

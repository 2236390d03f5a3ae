"""The owner of a flow: a user of the engine, and the member of the workspace with the same confirmed address."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from workflows_ui.accounts.models import User
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import text_at
from workflows_ui.core.readers import as_text
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine import AddressRefused, EngineError
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flows.reading import person_name
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import members
from workflows_ui.members.services.access import Access
from workflows_ui.run_index.services.indexes import PATIENCE

log = structlog.get_logger(__name__)
_CACHE, _FOR = "flow-owner", 600


@dataclass(frozen=True)
class Owner:
    """The engine's user who owns a flow: their name and address there, each "" if it is not known."""

    name: str = ""
    email: str = ""


def _load_owner(session: EngineSession, flow_id: str) -> Owner:
    owner_id = Flow(session.workflows.get_flow(flow_id)).owner_id
    if not owner_id:
        return Owner()
    user = session.workflows.get_user(owner_id)
    return Owner(as_text(person_name(user)), as_text(text_at(user, "email")))


#: The owner of a flow, which engines have since 0.83 (engine-0.83.md section 3). Two calls.
owner_of_flow = cached(_CACHE, _FOR, Owner())(_load_owner)
#: The same for pages on which the owner is a detail: empty if a quick session would need a call.
known_owner = cached(_CACHE, _FOR, Owner(), optional=True)(_load_owner)


def find_owner(access: Access, flow_id: str) -> Owner:
    """The owner of a flow as the person's credential shows it."""
    try:
        return owner_of_flow(engine_session.open_session(access, timeouts=PATIENCE), flow_id) if flow_id else Owner()
    except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
        log.info("owners.not_read", workspace=access.workspace.pk, error=type(problem).__name__)
        return Owner()


def member_of(workspace: Workspace, owner: Owner) -> User | None:
    """The member with the owner's confirmed address who may open what others launched; None without one."""
    person = members.find_by_email(workspace, owner.email) if owner.email else None
    return person if person is not None and members.has_role(workspace, person, Role.BUILDER) else None


def helpers_for(access: Access, flow_id: str) -> Sequence[User]:
    """Whom to ask about a flow: its owner, else the builders of the workspace, else its managers."""
    person = member_of(access.workspace, find_owner(access, flow_id))
    return [person] if person is not None else members.caretakers(access.workspace)

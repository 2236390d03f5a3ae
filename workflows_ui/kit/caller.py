"""A person at the engine: the client that acts for them in a workspace, and what of its answers may be remembered for a while."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from django.core.cache import cache

from workflows_ui.engine import EngineError, Timeouts, Workflows
from workflows_ui.models import Role, Workspace
from workflows_ui.services import clients
from workflows_ui.services.access import Access, NotAllowed

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Caller:
    """A person at the engine. Makes no call by itself.

    Attributes:
        workflows: makes calls with the person's credential.
        role: theirs in the workspace; None for a guest.
        quick: asks for nothing that merely decorates a page (`decorate`): the first look at a list takes two calls at most.
        put_off: the names of what a quick caller did not ask for; a second look that is not quick has it.
    """

    workflows: Workflows
    workspace: Workspace
    credential_id: str
    role: Role | None = Role.VIEWER
    quick: bool = False
    put_off: list[str] = field(default_factory=list, compare=False)

    def allows(self, needed: Role) -> bool:
        """Whether the role is at least `needed`."""
        return self.role is not None and self.role.includes(needed)

    def require(self, needed: Role) -> None:
        """For a part of a resource that not all may see who see the resource. Raises NotAllowed where the role is too small."""
        if not self.allows(needed):
            raise NotAllowed(needed)

    def remember(self, name: str, seconds: int, call: Callable[[], T]) -> T:
        """What `call` gave, at most so many seconds old; the person's own credential must have got it: others may see other things.

        Raises what `call` raises, and remembers nothing then. The value must be one that can be pickled.
        """
        key = self._key(name)
        found = cache.get(key)
        if found is None:
            found = call()
            cache.set(key, found, seconds)
        return cast("T", found)

    def remember_or(self, default: T, name: str, seconds: int, call: Callable[[], T]) -> T:
        """As `remember`, for what merely decorates a page: where the engine refuses it, the page does without."""
        try:
            return self.remember(name, seconds, call)
        except EngineError as problem:
            _log.warning("page goes without %s: %r", name.split(":", 1)[0], problem)
            return default

    def decorate(self, default: T, name: str, seconds: int, call: Callable[[], T]) -> T:
        """As `remember_or`, for what a list can be read without: a quick caller gives what is remembered already, else the default."""
        if not self.quick:
            return self.remember_or(default, name, seconds, call)
        found = cache.get(self._key(name))
        if found is None:
            self.put_off.append(name)
            return default
        return cast("T", found)

    def known(self, name: str, default: T) -> T:
        """What was remembered under this name, without asking for it."""
        found = cache.get(self._key(name))
        return default if found is None else cast("T", found)

    def forget(self, *names: str) -> None:
        """What was remembered under these names is asked for anew: after something that changes it."""
        cache.delete_many([self._key(name) for name in names])

    def _key(self, name: str) -> str:
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        return f"engine:{self.workspace.pk}:{self.credential_id}:{digest}"


def of(access: Access, *, quick: bool = False, timeouts: Timeouts | None = None) -> Caller:
    """The caller for a person's place in a workspace. Raises NoCredential, CannotOpen."""
    client, credential = clients.of_person(access.user, access.workspace, timeouts=timeouts)
    return Caller(client.workflows, access.workspace, str(credential.pk), access.role, quick)

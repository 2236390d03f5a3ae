"""A person's session at an engine: the client that acts for them in a workspace, and a cache of its answers.

Details of a page are read by functions with the decorator `cached`: the page does without those that the engine refuses.
"""

import contextlib
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.utils import timezone

from workflows_ui.core import crypto
from workflows_ui.core.caching import answers
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients
from workflows_ui.engine import EngineError, Forbidden, NotFound, NotInPlan, Timeouts, Workflows
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services.access import Access, HasRole

_log = logging.getLogger(__name__)
#: Seconds for which a shared value is kept, and after which a call for one counts as lost.
_SHARED, _CALLING = 60, 20
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class EngineSession(HasRole):
    """A person's session at an engine. Creating it makes no call.

    Attributes:
        workflows: makes calls with the person's credential.
        role: the person's role in the workspace; None for a guest.
        user_id: the person's primary key; 0 if not needed.
        quick: skip calls for details that a page can do without (`decorate`), so that the first request of a list makes at most two calls.
        put_off: the names of the skipped details; a second request that is not quick loads them.
    """

    workflows: Workflows
    workspace: Workspace
    credential_id: str
    role: Role | None = Role.VIEWER
    user_id: int = 0
    quick: bool = False
    put_off: list[str] = field(default_factory=list, compare=False)
    #: Cached values that this session has read: a list asks for the same ones for each row.
    _read: dict[str, object] = field(default_factory=dict, init=False, compare=False, repr=False)

    def remember(self, name: str, seconds: int, call: Callable[[], T]) -> T:
        """The result of `call`, from a cache for this credential, since others may have access to other objects.

        The exceptions of `call` are raised, and nothing is cached then. The value must be picklable.
        """
        value = self._cached(name)
        if value is None:
            value = self._read[name] = call()
            answers.set(self._key(name), value, seconds)
        return cast("T", value)

    def remember_or(self, default: T, name: str, seconds: int, call: Callable[[], T]) -> T:
        """As `remember`, for details of a page: returns the default if the engine refuses the call."""
        try:
            return self.remember(name, seconds, call)
        except EngineError as problem:
            _log.warning("page goes without %s: %r", name.split(":", 1)[0], problem)
            return default

    def decorate(self, default: T, name: str, seconds: int, call: Callable[[], T]) -> T:
        """As `remember_or`, for details that a list can do without: a quick session returns a cached value, else the default."""
        if not self.quick:
            return self.remember_or(default, name, seconds, call)
        value = self._cached(name)
        if value is None:
            self.put_off.append(name)
            return default
        return cast("T", value)

    def known(self, name: str, default: T) -> T:
        """The cached value of this name, without a call."""
        value = self._cached(name)
        return default if value is None else cast("T", value)

    def share(self, name: str, seconds: float, call: Callable[[], T], *, poll: bool) -> T:
        """The result of `call`, a value of JSON, which everybody shares who uses this credential.

        A `poll` gets one that is at most so many seconds old; of several that find an older one, one calls, and the others get the older
        one. Anything else calls. Kept sealed, since it may repeat what people sent. The exceptions of `call` are raised.
        """
        key = self._key(f"shared:{name}")
        calling = f"{key}:calling"
        if poll and (stored := answers.get(key)) is not None:
            age, sealed = timezone.now().timestamp() - stored[0], stored[1]
            if 0 <= age < seconds or not answers.add(calling, 1, _CALLING):
                with contextlib.suppress(CannotOpen):
                    return cast("T", json.loads(crypto.unseal(sealed, key)))
        try:
            value = call()
        finally:
            answers.delete(calling)
        answers.set(key, (timezone.now().timestamp(), crypto.seal(json.dumps(value), key)), _SHARED)
        return value

    def once(self, name: str, call: Callable[[], T]) -> T:
        """The result of `call`, which this session calls once for each name. For what is not cached beyond the request."""
        name = f"once:{name}"
        if name not in self._read:
            self._read[name] = call()
        return cast("T", self._read[name])

    def forget(self, *names: str) -> None:
        """Remove the cached values of these names, after a change."""
        for name in names:
            self._read.pop(name, None)
        answers.delete_many([self._key(name) for name in names])

    def _cached(self, name: str) -> object:
        """The cached value, or None, which is not remembered."""
        value = self._read.get(name)
        if value is None:
            value = answers.get(self._key(name))
            if value is not None:
                self._read[name] = value
        return value

    def _key(self, name: str) -> str:
        digest = hashlib.sha256(name.encode()).hexdigest()[:32]
        return f"engine:{self.workspace.pk}:{self.credential_id}:{digest}"


def open_session(access: Access, *, quick: bool = False, timeouts: Timeouts | None = None) -> EngineSession:
    """The session for a person's access to a workspace. Before a call with an id, its client checks that the id belongs to the
    workspace. Raises NoCredential, CannotOpen."""
    key = f"client {timeouts}"
    if key not in access.found:
        access.found[key] = clients.client_for_person(access.user, access.workspace, timeouts=timeouts, checked=True)
    client, credential = access.found[key]
    return EngineSession(client.workflows, access.workspace, str(credential.pk), access.role, access.user.pk, quick)


def cached(
    name: str, seconds: int, default: object, *, optional: bool = False
) -> Callable[[Callable[Concatenate[EngineSession, P], T]], Callable[Concatenate[EngineSession, P], T]]:
    """Cache a function's result by its name and arguments; return the default if the engine refuses the call.

    Permanent refusals are cached too, so that the engine is not called at each request. With `optional`, a quick session
    makes no call (`EngineSession.decorate`).
    """

    def decorator(function: Callable[Concatenate[EngineSession, P], T]) -> Callable[Concatenate[EngineSession, P], T]:
        # Of an empty list alone, the type of its items is not known.
        fallback = cast(T, default)

        @wraps(function)
        def wrapper(session: EngineSession, /, *args: P.args, **kwargs: P.kwargs) -> T:
            def call() -> T:
                try:
                    return function(session, *args, **kwargs)
                except (Forbidden, NotFound, NotInPlan):
                    return fallback

            remember = session.decorate if optional else session.remember_or
            return remember(fallback, ":".join([name, *map(str, args)]), seconds, call)

        return wrapper

    return decorator

"""The errors of calls to the engine.

`response_errors.py` maps answers to them; `transport.py` and `trigger.py` map failed connections.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any


@dataclass(eq=False)
class EngineError(Exception):
    """A call to the engine failed; the subclass gives the kind of failure."""

    #: The cause in plain English, for staff and logs. It may contain the engine's message; never a secret.
    message: str
    _: KW_ONLY
    #: The HTTP status of the answer, None without an answer.
    status: int | None = None
    #: The engine's code (`ENTITY_NOT_FOUND`) or the client's (`CONNECT_FAILED`); "" if there is neither.
    code: str = ""
    #: The engine's or gateway's id of the request, "" if unknown.
    request_id: str = ""
    #: False: nothing of the request was sent. True: a complete answer arrived. None: not known.
    sent: bool | None = None
    #: Seconds to wait as requested by the engine, None if it gives none.
    retry_after: float | None = field(default=None, repr=False)
    #: One line for debugging: method, path, exception, size.
    technical: str = field(default="", repr=False)


class Refused(EngineError):
    """The engine read the request and refused it (400, 409, `FLOW_IN_USE`, `VALIDATION`, ...)."""


class InProgress(Refused):
    """The engine is still processing this flow, deleting it for instance (recordings `flow_del_published_03_delete_again`,
    `flow_del_04_delete_again` of 0.72.4)."""


class UnknownReference(Refused):
    """The request refers to an object that does not exist, such as a folder or an owner: a 500 with the database's code 23503
    (recordings `op_change_folder_unknown`, `op_update_owner_unknown`, `records_create_unknown_table` of 0.72.4)."""


class HiddenValue(Refused):
    """The request contains the replacement text of a masked secret (`masking.HIDDEN`). Nothing was sent."""


class CredentialRefused(EngineError):
    """The credential is not accepted: 401, or the 403 of Activepieces for an unknown caller."""


class SessionEnded(CredentialRefused):
    """The engine ended the session of the token: another password was set, or the user was deactivated (recordings
    `session_revoked_*`, `session_inactive_*` of 0.83.0)."""


class ScopedKey(CredentialRefused):
    """The API key has a list of permissions: the gateway opens no workflow route to such keys (api.md 2.2)."""


class WrongOrganization(CredentialRefused):
    """The token is valid but does not belong to the organization in the request (api.md 2.2)."""


class Forbidden(EngineError):
    """The credential is valid, but not for this project, row or action (403)."""


class WrongProject(Forbidden):
    """The project of the call does not exist, or is closed to the credential: 404 on 0.83 and 403 before (recordings
    `err_other_project_403` of both, `member_flows_of_other_project`)."""


class UserInactive(Forbidden):
    """The engine's user was deactivated: no sign-in (recording `session_inactive_sign_in`)."""


class NotInPlan(EngineError):
    """The engine's plan does not include this, or a quota is used up (402)."""


class NotFound(EngineError):
    """The object does not exist (404, 410, and the 400 `FLOW_RUN_NOT_FOUND` of 0.72). See also `NoRoute`."""


class NoRoute(NotFound):
    """The engine has no such route: it is older or newer than the call (recording `err_route_not_found`). Nothing was done."""


class RateLimited(EngineError):
    """The engine limits the rate of calls (429). `retry_after` is set if it gives a time."""


class Unavailable(EngineError):
    """The engine is temporarily unavailable or the answer is not an engine's: 5xx, a proxy's page, garbage, a broken read."""


class TooLarge(Unavailable):
    """The answer exceeds the limit; the rest was not read."""


class FlowFailed(EngineError):
    """The flow of a waiting trigger failed (api.md 7.2). Raised by `trigger_flow_sync` only."""


class NotSent(EngineError):
    """Nothing of the request reached the engine. `sent` is False; it may be sent again."""


class Unreachable(Unavailable, NotSent):
    """A read could not connect: no address, no connection, no TLS. It is both Unavailable and NotSent."""


class AddressRefused(NotSent):
    """The address is not allowed (see `safety.py`). Nothing was sent."""


class InvalidArgument(ValueError):
    """The caller's mistake: nothing was sent."""


@dataclass(frozen=True)
class Write:
    """A write whose outcome is not known: what its looks need, as JSON. May contain secrets of flows and records."""

    operation: str
    arguments: dict[str, Any]
    before: Any = None

    def of_one(self, key: str, keys: Sequence[str]) -> "Write":
        """The same write about one object of those that it was about, by their ids."""
        return replace(self, arguments={k: [key] if v == keys else v for k, v in self.arguments.items()})


@dataclass(eq=False)
class Unknown(EngineError):
    """A write was sent, and no conclusive answer arrived: it may or may not have taken effect. The client never repeats it."""

    _: KW_ONLY
    #: The kind of error that the answer would be if it were the engine's own; None if there was no whole answer.
    cause: type[EngineError] | None = None
    #: What later looks need (`writes.see`); None for calls that are not declared as writes.
    write: Write | None = field(default=None, repr=False)
    #: What the caller adds for the record of the write: the ids of rows that wait for the outcome, whether more had to follow.
    about: dict[str, Any] = field(default_factory=dict, repr=False)

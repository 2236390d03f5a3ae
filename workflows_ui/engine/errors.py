"""The tree of everything that can go wrong between the console and the engine.

Which of these an answer becomes is decided in `verdict.py`; which of them a broken connection becomes, in `wire.py`.
"""

from __future__ import annotations


class EngineError(Exception):
    """Something went wrong with a call to the engine; the subclass says what kind of thing.

    Attributes:
        message: plain English about the cause, for staff and logs. It may hold the engine's own words; never a secret.
        status: the HTTP status of the answer, None where no answer came.
        code: the engine's own code (`ENTITY_NOT_FOUND`), or one of ours in capitals (`CONNECT_FAILED`); "" where neither.
        request_id: the engine's or gateway's id of the request, "" where unknown.
        sent: False: certainly nothing of the request left. True: a whole answer arrived. None: not known.
        retry_after: seconds that the engine asks to wait, None where it does not say.
        technical: one line for whoever looks into it: method, path, exception, size.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        sent: bool | None = None,
        retry_after: float | None = None,
        technical: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.sent = sent
        self.retry_after = retry_after
        self.technical = technical

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.message!r}, status={self.status}, code={self.code!r}, "
            f"request_id={self.request_id!r}, sent={self.sent})"
        )


class Refused(EngineError):
    """The engine read the request and said no to what it asks for (400, 409, `FLOW_IN_USE`, `VALIDATION`, ...)."""


class HiddenValue(Refused):
    """What was to be written holds the words that stand in a secret's place (`masking.HIDDEN`). Nothing was sent."""


class CredentialRefused(EngineError):
    """The credential is not accepted: 401, or the 403 that Activepieces gives to a caller it does not know."""


class ScopedKey(CredentialRefused):
    """The API key has a list of permissions: the gateway lets such keys reach no workflow route (api.md 2.2)."""


class WrongOrganization(CredentialRefused):
    """The token is good but does not belong to the organization that was named (api.md 2.2)."""


class Forbidden(EngineError):
    """The credential is good, but not for this project, row or action (403)."""


class NotInPlan(EngineError):
    """The engine's plan does not hold this, or a quota is used up (402)."""


class NotFound(EngineError):
    """There is no such thing (404, 410, and the 400 `FLOW_RUN_NOT_FOUND`), or this engine has no such route."""


class TooMany(EngineError):
    """The engine asks for fewer calls (429). `retry_after` where it says how long."""


class Unavailable(EngineError):
    """The engine cannot be used just now or does not talk as an engine does: 5xx, a proxy's page, garbage, a broken read."""


class TooLarge(Unavailable):
    """The answer is larger than the console reads; the rest of it was not fetched."""


class FlowFailed(EngineError):
    """A waiting trigger started its flow, and the flow failed (api.md 7.2). Raised by `trigger_flow_sync` only."""


class NotSent(EngineError):
    """No connection was made: nothing of the request reached the engine. `sent` is False; it may be sent again."""


class Unreachable(Unavailable, NotSent):
    """A read found no way to the engine: no address, no connection, no TLS. Both what it is and what it means."""


class AddressRefused(NotSent):
    """The address is one the console does not talk to (see `safety.py`). Nothing was sent."""


class Unknown(EngineError):
    """A write left, and no whole answer came back: it may or may not have been acted on. Never sent again by us."""

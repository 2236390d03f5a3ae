"""The table of what services say when a step fails: how it is recognised, what is said of it, what usually helps.

Longer than 300 lines: it is data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit.words import Words

#: What helps: correcting the values, waiting and running again, somebody who mends the connection, somebody who mends the flow.
Cure = Literal["values", "wait", "connection", "flow"]


@dataclass(frozen=True)
class Kind:
    """One kind of failure: how it is recognised (a service's HTTP status, or words), what is said of it, and what helps."""

    words: Words
    cure: Cure
    statuses: frozenset[int] = frozenset()
    pattern: re.Pattern[str] | None = None


def _like(*ways: str) -> re.Pattern[str]:
    return re.compile("|".join(ways), re.IGNORECASE)


_HELP_WAIT = _("Wait a few minutes, then run it again with the same inputs.")
_HELP_FLOW = _("Show this page to whoever looks after the flow.")
_HELP_CONNECTION = _(
    "Ask a builder to test the step's connection and to sign in again. Then retry from the failed step."
)
_HELP_VALUES = _("Check the inputs, change what is wrong, and run it again.")

#: What HTTP services mean is told by the status first; among the words the first that fit count, so the particular ones stand before
#: the general ones.
KINDS: tuple[Kind, ...] = (
    Kind(
        Words(
            _("An e-mail address is not valid"),
            _("The service does not accept an address that it was given."),
            _HELP_VALUES,
        ),
        "values",
        pattern=_like(
            r"invalid[\w\s\"']{0,20}e-?mail",
            r"e-?mail[\w\s\"':@.-]{0,60}(is )?(not valid|invalid)",
            r"invalid to header",
            r"recipient address (rejected|required)",
        ),
    ),
    Kind(
        Words(
            _("A phone number is not valid"), _("The service does not accept a number that it was given."), _HELP_VALUES
        ),
        "values",
        pattern=_like(
            r"(invalid|not a valid)[\w\s\"']{0,20}(phone|number 'to'|'to' number|recipient number)",
            r"phone number[\w\s\"':+]{0,60}(invalid|not valid|not in allowed)",
            r"not a valid whatsapp",
        ),
    ),
    Kind(
        Words(
            _("The service's quota is used up"),
            _("The account has used all that its plan allows for now."),
            _("Wait until the quota starts anew, or ask whoever manages the account. Then retry from the failed step."),
        ),
        "wait",
        frozenset({402}),
        _like(
            r"quota",
            r"insufficient (credit|balance|funds)",
            r"billing",
            r"payment required",
            r"credit balance",
            r"usage limit",
            r"plan limit",
        ),
    ),
    Kind(
        Words(
            _("The service asks for a pause"),
            _("It was asked too often in a short time."),
            _HELP_WAIT,
        ),
        "wait",
        frozenset({429}),
        _like(r"rate.?limit", r"too many requests", r"throttl", r"slow down"),
    ),
    Kind(
        Words(
            _("The service no longer accepts the flow's sign-in"),
            _("The key or sign-in of the step's connection was refused: it may have expired or been withdrawn."),
            _HELP_CONNECTION,
        ),
        "connection",
        frozenset({401, 407}),
        _like(
            r"unauthori[sz]ed",
            r"invalid_grant",
            r"invalid[_ ](api[_ ]?key|token|credentials|access token|client)",
            r"token (has |is )?(been )?(expired|revoked|invalid)",
            r"not authenticated",
            r"authentication (failed|required|error)",
            r"expired token",
            r"incorrect api key",
            r"session has expired",
            r"invalid login",
            r"bad credentials",
        ),
    ),
    Kind(
        Words(
            _("The step's connection is missing"),
            _("The flow wants to use a connection that is no longer there."),
            _HELP_CONNECTION,
        ),
        "connection",
        pattern=_like(
            r"connection[\w\s'\"().:-]{0,80}(not found|does not exist|is missing|was deleted)", r"missing[_ ]connection"
        ),
    ),
    Kind(
        Words(
            _("The service does not allow this"),
            _("It knows who asks, but the account has no right to do what the step wants."),
            _(
                "Ask whoever manages the account for the right, or a builder for another connection. Then retry from the failed step."
            ),
        ),
        "connection",
        frozenset({403}),
        _like(
            r"forbidden",
            r"permission denied",
            r"access denied",
            r"not allowed",
            r"insufficient (permission|scope|privilege)",
            r"insufficient_scope",
            r"lacks? permission",
            r"not authori[sz]ed",
            r"missing_scope",
        ),
    ),
    Kind(
        Words(
            _("The service takes less at once"),
            _("What the step sent is too large."),
            _("Send less, or split it over several launches."),
        ),
        "values",
        frozenset({413}),
        _like(
            r"too large",
            r"payload size",
            r"request entity",
            r"maximum (size|length)",
            r"exceeds? the (maximum|limit)",
            r"max(imum)?[_ ]length",
        ),
    ),
    Kind(
        Words(
            _("It is there already"),
            _("The step wanted to make something that the service already has, or that was changed meanwhile."),
            _("Look there first: it may be done. Otherwise change the inputs and run it again."),
        ),
        "values",
        frozenset({409}),
        _like(r"already exists", r"duplicate", r"unique constraint", r"conflict"),
    ),
    Kind(
        Words(
            _("The service did not answer in time"),
            _("It took longer than the step waits. What it was asked for may have been done all the same."),
            _("Look there first whether it was done. If not, wait a few minutes and retry from the failed step."),
        ),
        "wait",
        frozenset({408, 504, 524}),
        _like(
            r"timed? ?out",
            r"timeout",
            r"etimedout",
            r"esockettimedout",
            r"econnaborted",
            r"deadline exceeded",
            r"does not answer",
            r"no response",
        ),
    ),
    Kind(
        Words(
            _("The service's address was not found"),
            _("No server has the name that the step calls. It may be mistyped, or gone."),
            _HELP_FLOW,
        ),
        "flow",
        pattern=_like(
            r"enotfound", r"getaddrinfo", r"eai_again", r"invalid url", r"name or service not known", r"err_invalid_url"
        ),
    ),
    Kind(
        Words(
            _("The service could not be reached"),
            _("No connection came about, or it broke."),
            _("Wait a few minutes, then retry from the failed step."),
        ),
        "wait",
        frozenset({502, 503, 520, 521, 522, 523}),
        _like(
            r"econnrefused",
            r"econnreset",
            r"socket hang up",
            r"ehostunreach",
            r"enetunreach",
            r"epipe",
            r"network error",
            r"fetch failed",
            r"service unavailable",
            r"bad gateway",
            r"temporarily unavailable",
            r"connection (refused|reset|closed)",
        ),
    ),
    Kind(
        Words(
            _("The secure connection failed"),
            _("The service's certificate is not accepted. It may have run out."),
            _HELP_FLOW,
        ),
        "flow",
        pattern=_like(r"certificate", r"self.signed", r"unable to verify", r"\bssl\b", r"\btls\b", r"err_cert"),
    ),
    Kind(
        Words(
            _("The service had an error of its own"),
            _("It took the request and broke down over it."),
            _(
                "Wait a few minutes, then retry from the failed step. If it comes again, tell whoever looks after the flow."
            ),
        ),
        "wait",
        frozenset(range(500, 600)),
        _like(r"internal server error", r"server error", r"something went wrong", r"overloaded"),
    ),
    Kind(
        Words(
            _("Something was not found"),
            _(
                "The step looked for something that is not there: it was deleted or renamed, or the inputs name it wrongly."
            ),
            _("Check names and numbers in the inputs. If they are right, ask whoever looks after the flow."),
        ),
        "values",
        frozenset({404, 410}),
        _like(
            r"not found",
            r"no such",
            r"does not exist",
            r"doesn't exist",
            r"unknown (id|record|table|channel|user)",
            r"channel_not_found",
            r"enoent",
            r"could not find",
        ),
    ),
    Kind(
        Words(
            _("Something that the step needs is missing"),
            _("A value that the flow counts on was not there."),
            _("Look whether an input was left empty. If all are there, tell whoever looks after the flow."),
        ),
        "values",
        pattern=_like(
            r"cannot (read|set) propert",
            r"(is|are) (undefined|null|required|missing)",
            r"missing (required|column|field|parameter|value)",
            r"required (field|property|parameter)",
            r"must not be (empty|blank|null)",
            r"can(no|')t be (empty|blank|null)",
            r"undefined is not",
            r"null is not",
            r"thiếu",
        ),
    ),
    Kind(
        Words(
            _("A value has the wrong kind"),
            _("The flow got something else than it works with: text instead of a number, one thing instead of a list."),
            _HELP_VALUES,
        ),
        "values",
        pattern=_like(
            r"is not (a function|iterable|a number|a valid|an? (array|object|string|integer))",
            r"typeerror",
            r"must be (a|an|of type|one of|greater|less|at)",
            r"expected .{1,40}(but |, )(got|received)",
            r"invalid (type|date|time|number|value|input|parameter|argument|format)",
            r"nan\b",
            r"unexpected token",
            r"json\.parse",
            r"not valid json",
            r"unexpected end of json",
            r"cannot parse",
            r"invalid json",
            r"out of range",
        ),
    ),
    Kind(
        Words(
            _("The step's code cannot run"),
            _("There is a mistake in the flow itself, whatever the inputs are."),
            _HELP_FLOW,
        ),
        "flow",
        pattern=_like(
            r"compilation error",
            r"syntaxerror",
            r"referenceerror",
            r"is not defined",
            r"cannot find module",
            r"module not found",
        ),
    ),
    Kind(
        Words(
            _("The service does not accept what it was sent"),
            _("It read the request and found something wrong in it."),
            _HELP_VALUES,
        ),
        "values",
        frozenset(range(400, 500)),
        _like(r"bad request", r"validation (error|failed)", r"unprocessable", r"invalid request", r"invalid_request"),
    ),
)
UNKNOWN = Kind(
    Words(
        _("The step stopped with an error"),
        _("What it said stands below, in its own words."),
        _("If the words do not help, show this page to whoever looks after the flow."),
    ),
    "flow",
)

#: How the run's own end is told where no step failed (api.md 8.1).
ENDS: Mapping[str, tuple[Cure, str | Promise]] = {
    "TIMEOUT": ("flow", _("Give it less to do at once, or ask a builder to split the flow.")),
    "MEMORY_LIMIT_EXCEEDED": ("flow", _("Give it less to do at once, or ask a builder to split the flow.")),
    "QUOTA_EXCEEDED": ("wait", _("Ask whoever runs the engine for more room, then run it again.")),
    "INTERNAL_ERROR": ("wait", _HELP_WAIT),
    "CANCELED": ("wait", _("Ask who cancelled it before you run it again.")),
}

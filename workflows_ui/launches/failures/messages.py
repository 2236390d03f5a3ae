"""Explanations of failed steps: the meaning of an error that reading.py has parsed and rules.py recognises, and what helps.

Each text must be true for everything that the rules of its kind recognise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.text import Message
from workflows_ui.launches.failures import (
    phrases as failure_phrases,
    reading as failure_reading,
    rules as failure_rules,
)
from workflows_ui.launches.failures.reading import Report

#: Longest displayed message of a service, in characters.
_SHOWN = 400


@dataclass(frozen=True)
class FailureMessage(Message):
    """A message with its remedy: correct the values, wait and run again, repair the connection, or (by default) repair the flow."""

    cure: Literal["values", "wait", "connection", "flow"] = "flow"


@dataclass(frozen=True)
class Failure:
    """The explanation of a failure, with the service's own message or "". `kind` is the key in KINDS, "" if no rule is certain."""

    message: FailureMessage
    service_message: str = ""
    kind: str = ""


_HELP_WAIT = _("Wait a few minutes, then run it again with the same inputs.")
_HELP_FLOW = _("Ask the flow's owner.")
_HELP_CONNECTION = _(
    "Ask a builder to test the step's connection and to sign in again. Then retry from the failed step."
)
_HELP_VALUES = _("Check and correct the inputs, and run it again.")
_HELP_LESS = _("Give it less to do at once, or ask a builder to split the flow.")
_LOOK_FIRST = _("Look there first whether it was done. If not, wait a few minutes and retry from the failed step.")

#: Kinds by their remedy.
_by_values, _by_waiting = partial(FailureMessage, cure="values"), partial(FailureMessage, cure="wait")
_by_connection = partial(FailureMessage, cure="connection")
KINDS: Mapping[str, FailureMessage] = {
    "email": _by_values(
        _("An email address is not valid"),
        _("An address was refused: it is mistyped, or no one has it."),
        _HELP_VALUES,
    ),
    "phone": _by_values(
        _("A phone number is not valid"),
        _("The service does not accept a number that it was given."),
        _HELP_VALUES,
    ),
    "quota": _by_waiting(
        _("The service's quota is used up"),
        _("The account has used all that its plan allows for now."),
        _("Wait until the quota is renewed, or ask the account's administrator. Then retry from the failed step."),
    ),
    "pause": _by_waiting(
        _("The service asks for a pause"),
        _("It got more requests than it takes in a certain time."),
        _HELP_WAIT,
    ),
    "sign_in": _by_connection(
        _("The service does not accept the flow's sign-in"),
        _("The key or sign-in of the step was refused: it may have expired, been revoked, or be the wrong one."),
        _HELP_CONNECTION,
    ),
    "connection_missing": _by_connection(
        _("The step's connection is missing"),
        _("The flow wants to use a connection that is no longer there."),
        _HELP_CONNECTION,
    ),
    "permission": _by_connection(
        _("The service does not allow this"),
        _(
            "It refuses what the step wants to do. The account may lack the right to it, or the service blocks such requests."
        ),
        _(
            "Ask the account's administrator for the right, or a builder for another connection. Then retry from the failed step."
        ),
    ),
    "too_large": _by_values(
        _("The service takes less at once"),
        _("What the step sent is too large or too long."),
        _("Send less, or split it over several launches."),
    ),
    "exists": _by_values(
        _("It already exists"),
        _("The step tried to create something that already exists."),
        _("Look there first: it may be done. Otherwise change the inputs and run it again."),
    ),
    "choice": _by_values(
        _("A value is not one of those allowed"),
        _("Only certain values are accepted there: those of a list, or numbers and dates within limits."),
        _HELP_VALUES,
    ),
    "reference": _by_values(
        _("Linked records do not match"),
        _("A record refers to another one that is not there, or cannot be deleted while others refer to it."),
        _("Check that everything the inputs refer to exists and is not still in use. Then run it again."),
    ),
    "declined": _by_values(
        _("The payment was declined"),
        _(
            "The payer's card, account or wallet was refused. It may have too little money, have reached a limit, or be expired or blocked."
        ),
        _("Ask the payer to use another card or account, or to contact their bank. Then run it again."),
    ),
    "credit": _by_waiting(
        _("The account at the service has no credit left"),
        _("The account that the step uses does not have enough money or credits for this."),
        _("Ask the account's administrator to top it up. Then retry from the failed step."),
    ),
    "recipient": _by_values(
        _("The recipient cannot receive the message"),
        _(
            "They do not accept messages from this sender, or their account or mailbox is full, closed or does not exist."
        ),
        _("Reach the recipient another way, or ask them to accept messages. Then run it again."),
    ),
    "content": _by_values(
        _("The content was not accepted"),
        _("A filter of the service refused the text, image or email because of what it says."),
        _("Change the content and run it again. If it is harmless, ask the flow's owner."),
    ),
    "busy": _by_waiting(
        _("The data was in use"),
        _("Someone else, or another run, was changing the same data at that moment."),
        _("Wait a few minutes, then retry from the failed step."),
    ),
    "conflict": _by_values(
        _("The service reports a conflict"),
        _(
            "The step conflicts with the current state: the object may already exist, or may have been changed meanwhile."
        ),
        _("Look there first: it may be done. Otherwise change the inputs and run it again."),
    ),
    "timeout": _by_waiting(
        _("There was no answer in time"),
        _("It took longer than the step or the service waits. What was asked for may have been done all the same."),
        _LOOK_FIRST,
    ),
    "address": FailureMessage(
        _("The service's address was not found"),
        _("No server has the name that the step calls. It may be mistyped, or gone."),
        _HELP_FLOW,
    ),
    "url": _by_values(
        _("A web address is not valid"),
        _("The step was given something as an address that is not a whole web address."),
        _("Check the addresses in the inputs. If they are right, ask the flow's owner."),
    ),
    "unreachable": _by_waiting(
        _("The service could not be reached"),
        _("No connection came about."),
        _("Wait a few minutes, then retry from the failed step."),
    ),
    "broken": _by_waiting(
        _("The connection to the service broke"),
        _("It ended before a whole answer came. What was asked for may have been done all the same."),
        _LOOK_FIRST,
    ),
    "unavailable": _by_waiting(
        _("The service is not available"),
        _("It, or something in front of it, answered that it cannot serve requests at the moment."),
        _("Wait a few minutes, then retry from the failed step."),
    ),
    "tls": FailureMessage(
        _("The secure connection failed"),
        _("The encrypted connection was not accepted. The service's certificate may have expired, or not fit."),
        _HELP_FLOW,
    ),
    "server_error": _by_waiting(
        _("The service had an error of its own"),
        _("It answered with an internal error."),
        _("Wait a few minutes, then retry from the failed step. If it happens again, ask the flow's owner."),
    ),
    "not_found": _by_values(
        _("Something was not found"),
        _(
            "The step asked for something that is not there: it was deleted or renamed, or is named wrongly in the inputs or in "
            "the flow."
        ),
        _("Check names and numbers in the inputs. If they are right, ask the flow's owner."),
    ),
    "missing": _by_values(
        _("Something that the step needs is missing"),
        _("A value that the flow counts on was not there."),
        _("Check whether an input was left empty. If none was, ask the flow's owner."),
    ),
    "wrong_kind": _by_values(
        _("A value has the wrong kind"),
        _("Text was given where a number or a date is needed, or the like."),
        _HELP_VALUES,
    ),
    "code_value": _by_values(
        _("The step's code cannot work with a value"),
        _("A value is of another kind than the code expects, or the code has a mistake."),
        _("Check the inputs. If they are right, ask the flow's owner."),
    ),
    "not_json": _by_values(
        _("A text is not valid JSON"),
        _("The step expected JSON, in an input or in a service's answer, and got something else."),
        _("Check the inputs. If they are right, ask the flow's owner."),
    ),
    "code": FailureMessage(
        _("The step's code cannot run"),
        _("There is a mistake in the flow itself, regardless of the inputs."),
        _HELP_FLOW,
    ),
    "memory": FailureMessage(
        _("The step's code ran out of memory"),
        _("It needed more memory than the engine gives a step."),
        _HELP_LESS,
    ),
    "run_data": FailureMessage(
        _("The run has too much data"),
        _("What its steps took in and gave back is more than the engine keeps of a run."),
        _HELP_LESS,
    ),
    "called_flow": FailureMessage(
        _("The flow that it called failed"),
        _("The step waited for another flow. The run of that flow says what went wrong."),
        _("Look at the child run of this run, and correct the other flow or what it was given."),
    ),
    "rejected": _by_values(
        _("The service did not accept the request"),
        _(
            "It answered that something in the request, or in what it asks for, is not right. Its own message says what."
        ),
        _("Read the message. If it names a value, correct it in the inputs and run it again."),
    ),
}
UNKNOWN = FailureMessage(
    _("The step stopped with an error"),
    _("The error message is shown below."),
    _("If the message does not help, ask the flow's owner."),
)

#: The ends of runs in which no step failed (api.md 8.1; LOG_SIZE_EXCEEDED: engine-0.83.md section 8). Their states are their titles.
ENDS: Mapping[str, FailureMessage] = {
    "TIMEOUT": FailureMessage(
        "",
        _("The run took longer than the engine allows and was stopped. Steps that already ran are not undone."),
        _HELP_LESS,
    ),
    "MEMORY_LIMIT_EXCEEDED": FailureMessage(
        "", _("The run needed more memory than the engine allows and was stopped."), _HELP_LESS
    ),
    "LOG_SIZE_EXCEEDED": FailureMessage(
        "",
        _("The run's steps held more data than the engine keeps of a run, so it stopped the run."),
        _HELP_LESS,
    ),
    "QUOTA_EXCEEDED": _by_waiting(
        "",
        _("The engine's quota is used up, so it stopped the run."),
        _("Ask the engine's administrator for more, then run it again."),
    ),
    "INTERNAL_ERROR": _by_waiting(
        "",
        _("The engine itself broke down while it ran the flow. How far it got is not known."),
        _HELP_WAIT,
    ),
    "CANCELED": _by_waiting("", "", _("Ask who cancelled it before you run it again.")),
}


def explain_failure(text: str, run_status: str = "") -> Failure | None:
    """The meaning of a step's error (`errorMessage`, api.md 8.1: a text that may contain JSON); None without a failure or a text.

    Secrets must be masked before. `run_status` is the engine's status of the run.
    """
    text = text[: failure_reading.READ].strip()
    if not text:
        return Failure(ENDS[run_status]) if run_status in ENDS else None
    report = failure_reading.read(text)
    kind = _kind(report)
    return Failure(KINDS.get(kind, UNKNOWN), " ".join(report.sentence.split()).strip(" :")[:_SHOWN], kind)


def _kind(report: Report) -> str:
    """The kind by code, else by phrase, else by HTTP status. Contradicting codes are ignored; a phrase says more than "rejected"."""
    codes = report.codes - {"rejected"}
    if len(codes) == 1:
        return next(iter(codes))
    lines = [line for line in report.lines if failure_phrases.ANY_PHRASE.match(line)]
    for kind, pattern in failure_phrases.PHRASES if lines else ():
        if any(pattern.match(line) for line in lines):
            return kind
    for name, kind, pattern in failure_phrases.NAMED:
        if any(error_name.endswith(name) for error_name in report.names) and any(
            pattern.match(line) for line in report.lines
        ):
            return kind
    if report.status == 429 and any(failure_phrases.ALLOWANCE.search(line) for line in report.lines):
        return "quota"
    if report.codes == {"rejected"}:
        return "rejected"
    if report.status is not None:
        return failure_rules.STATUSES.get(report.status, "")
    return ""


def headline(text: str) -> str:
    """The first non-empty line of an error, repeated error names reduced to one: "Error: Error: soft" becomes "Error: soft"."""
    return formats.first_line(failure_reading.collapsed(text))

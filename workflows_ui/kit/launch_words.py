"""Plain words for what became of a launch: one entry a state, one a Reason, one for each kind of answer."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.kit.words import Words
from workflows_ui.models import Launch, State
from workflows_ui.services.launches import Reason

_RUNS_ON = _("This page shows what becomes of it.")
_AGAIN = _("Nothing has run. You can launch the same values again.")

#: What a state says by itself; a Reason says it better where there is one.
STATES: dict[State, Words] = {
    State.QUEUED: Words(
        _("Waiting to be sent"),
        _("The launch is written down. It is sent as soon as it is its turn, usually within a second."),
        _("You can still withdraw it."),
    ),
    State.CLAIMED: Words(
        _("Waiting to be sent"),
        _("The console is connecting to the engine."),
        _("You can still withdraw it."),
    ),
    State.SENDING: Words(
        _("Being sent"),
        _("The request is on its way. It can no longer be withdrawn."),
        _RUNS_ON,
    ),
    State.ACCEPTED: Words(
        _("Sent, run not seen yet"),
        _("The engine has taken the request. Its run appears here shortly."),
        _RUNS_ON,
    ),
    State.RUNNING: Words(_("Running"), _("The flow has started and is at work."), _RUNS_ON),
    State.PAUSED: Words(
        _("Paused"),
        _("The run waits: for a time, or for something that has to happen first. A pause may last up to 30 days."),
        _("It goes on by itself. You can close this page and come back."),
    ),
    State.SUCCEEDED: Words(_("Done"), _("The flow ran to its end.")),
    State.FAILED: Words(
        _("Failed"),
        _("The flow started and did not get to its end. What its earlier steps did is done."),
        _("Look at the failed step before you launch it again: earlier steps would run a second time."),
    ),
    State.REFUSED: Words(
        _("Refused by the engine"),
        _("The engine read the request and did not start the flow."),
        _("The technical part says what it answered."),
    ),
    State.NOT_SENT: Words(_("Not sent"), _("Nothing reached the engine."), _AGAIN),
    State.UNKNOWN: Words(
        _("Unclear: it may have run"),
        _("The request left, and what became of it could not be found out."),
        _("Look at the flow's runs around that time before you launch it again."),
    ),
}

_LOOK_FIRST = _("Look at the flow's runs around that time. Then say below whether it ran.")

REASONS: dict[Reason, Words] = {
    Reason.NOT_REACHED: Words(
        _("The engine cannot be reached just now"),
        _("No connection was made, so nothing has been sent. The console tries again by itself for a while."),
        _("You can wait, or withdraw the launch."),
    ),
    Reason.TOO_LATE: Words(
        _("Not sent: too late"),
        _("It could not be sent in time, and was given up rather than run when nobody expects it any more."),
        _AGAIN,
    ),
    Reason.WITHDRAWN: Words(_("Withdrawn"), _("It was taken back before anything was sent. Nothing has run.")),
    Reason.NO_CREDENTIAL: Words(
        _("Not sent: no credential"),
        _("Neither you nor your teams have a credential that opens this workspace."),
        _("Add a credential, then launch the same values again."),
    ),
    Reason.CREDENTIAL_UNREADABLE: Words(
        _("Not sent: the credential or the values cannot be opened"),
        _("What is stored encrypted for this launch could not be read. Its key may be gone."),
        _("Add the credential again, then launch again. Tell whoever runs the console if that does not help."),
    ),
    Reason.NO_ACCESS: Words(
        _("Not sent: no right to launch here any more"),
        _("The role in this workspace was taken away before the launch was sent."),
        _("Ask a manager of the workspace."),
    ),
    Reason.ADDRESS_REFUSED: Words(
        _("Not sent: the console does not call this address"),
        _("The engine's address lies in a network that is closed to the console."),
        _("Whoever runs the console can open private networks in its settings."),
    ),
    Reason.UNWRITABLE: Words(
        _("Not sent: it cannot be written as a request"),
        _("The values, the flow's address or the secret hold something that no request can carry."),
        _("Look at the values for odd characters and launch again; if they are plain, test your credential."),
    ),
    Reason.FLOW_OFF: Words(
        _("The flow is off"),
        _("The engine did not start it, since it is switched off or was never published."),
        _("Ask a builder to publish it and switch it on, then launch the same values again."),
    ),
    Reason.FLOW_GONE: Words(
        _("The flow is gone"),
        _("The engine does not know this flow any more. It was probably deleted."),
        _("Look for it by name in the list of flows."),
    ),
    Reason.BAD_REQUEST: Words(
        _("The engine did not accept the request"),
        _("It found something wrong with the request itself and did not start the flow."),
        _("The technical part says what it answered. Check the values."),
    ),
    Reason.CREDENTIAL_REFUSED: Words(
        _("The engine refuses the credential"),
        _("The flow was not started. The credential may have expired or been withdrawn."),
        _("Test the credential, or put a new one in its place, then launch the same values again."),
    ),
    Reason.NOT_IN_PLAN: Words(
        _("Not part of the engine's plan"),
        _("The flow was not started: the engine's plan does not include this, or a quota is used up."),
        _("Ask whoever runs the engine."),
    ),
    Reason.FORBIDDEN: Words(
        _("The credential may not start this flow"),
        _("The engine knows the credential, but does not let it do this. The flow was not started."),
        _("Use a credential with more rights, or ask whoever manages it."),
    ),
    Reason.TOO_LARGE: Words(
        _("The values are too large"),
        _("The engine takes less at once. The flow was not started."),
        _("Send less, or split it over several launches."),
    ),
    Reason.TOO_MANY: Words(
        _("The engine asks for a pause"),
        _("It got more requests than it takes at once, and did not start the flow."),
        _("Wait a minute, then launch the same values again."),
    ),
    Reason.WAITED_OUT: Words(
        _("No answer within the engine's time limit"),
        _("The engine waits about 30 seconds for a flow's answer. That time is over; the run goes on."),
        _("This page will show its result."),
    ),
    Reason.FLOW_FAILED: Words(
        _("Failed"),
        _("The flow started and failed before it gave an answer. What its earlier steps did is done."),
        _("Look at the failed step before you launch it again: earlier steps would run a second time."),
    ),
    Reason.STEP_FAILED: Words(
        _("Done, but a step failed"),
        _("A step failed on the way. The flow is made to go on then, and ran to its end."),
        _("“What happened” says which step. Check whether what it was to do has to be done by hand."),
    ),
    Reason.RUN_NOT_FOUND: Words(
        _("Done"),
        _("The flow answered. Its run could not be found in the engine's list, so there is no link to it."),
    ),
    Reason.RUN_GONE: Words(
        _("Unclear: the run is gone"),
        _("The flow started, but the engine no longer has its run. It was probably removed before it had ended."),
        _("Check where the flow does its work. Then say below whether it ran."),
    ),
    Reason.CUT_OFF: Words(
        _("Unclear: the connection broke"),
        _("The request left, and no whole answer came back. The console does not send it a second time by itself."),
        _LOOK_FIRST,
    ),
    Reason.ODD_ANSWER: Words(
        _("Unclear: something else answered"),
        _(
            "The answer came from something between the console and the engine. The request may have got through or not."
        ),
        _LOOK_FIRST,
    ),
    Reason.WORKER_LOST: Words(
        _("Unclear: the console was interrupted"),
        _("The console was stopped while it was sending. The request may have got through or not."),
        _LOOK_FIRST,
    ),
    Reason.NO_RUN: Words(
        _("Unclear: no run was found"),
        _("The engine took the request, but no run of it has appeared. The flow's trigger may have turned it down."),
        _LOOK_FIRST,
    ),
    Reason.NO_TRACE: Words(
        _("Unclear: no trace was found"),
        _("The request left without an answer, and the engine shows no run of it. Very likely it has not run."),
        _LOOK_FIRST,
    ),
    Reason.SETTLED_RAN: Words(
        _("Done, as a person decided"), _("It was unclear. Somebody looked, and found that it ran.")
    ),
    Reason.SETTLED_NOT_RUN: Words(
        _("Not sent, as a person decided"),
        _("It was unclear. Somebody looked, and found that it did not run."),
        _("You can launch the same values again."),
    ),
}

_STILL_LOOKING = _("The console is still looking for its run. Wait a few minutes before you decide anything.")
#: Outcomes of runs that say more than "failed" (api.md 8.1).
_FAILURES: dict[str, str | Promise] = {
    "TIMEOUT": _("The run took longer than the engine allows and was stopped. What its earlier steps did is done."),
    "MEMORY_LIMIT_EXCEEDED": _("The run needed more memory than the engine allows and was stopped."),
    "QUOTA_EXCEEDED": _("The engine's quota is used up, so it stopped the run."),
    "INTERNAL_ERROR": _("The engine itself broke down while it ran the flow. How far it got is not known."),
    "CANCELED": _("Somebody cancelled the run in the engine. What its earlier steps did is done."),
}


def of(launch: Launch) -> Words:
    """What happened to a launch, what it means, and what can be done about it."""
    state = State(launch.state)
    reason = next((reason for reason in Reason if reason == launch.reason), None)
    found = REASONS[reason] if reason is not None else STATES[state]
    if state == State.FAILED and launch.run_status in _FAILURES:
        return Words(found.title, _FAILURES[launch.run_status], found.next_step)
    if state == State.UNKNOWN and launch.look_at is not None:
        return Words(found.title, found.text, _STILL_LOOKING)
    if state == State.PAUSED and reason == Reason.WAITED_OUT:
        return STATES[state]
    if found is STATES[State.SUCCEEDED] and launch.answer_from == "flow" and (launch.answer_status or 0) >= 400:
        return Words(_("Done, but the flow answers that something is wrong"), found.text, _("Read its answer below."))
    return found


#: Statuses that a flow's answer often has, in words; the flow decides them, the engine does not.
_ANSWERS: dict[int, str | Promise] = {
    400: _("The flow says that something in the values is wrong."),
    401: _("The flow says that it does not accept who asks."),
    403: _("The flow says that this is not allowed."),
    404: _("The flow says that it did not find what it was asked for."),
    409: _("The flow says that this clashes with something that is there already."),
    422: _("The flow read the values and does not accept them. Its answer should say why."),
    429: _("The flow says that it was asked too often."),
}


def of_answer(status: int | None) -> str | Promise:
    """What the status of a flow's own answer means; empty for the usual good ones and where there is none."""
    if status is None or 200 <= status < 300:
        return ""
    if status in _ANSWERS:
        return _ANSWERS[status]
    if 300 <= status < 400:
        return _("The flow points to another address. The console does not go there by itself.")
    if 400 <= status < 500:
        return _("The flow says that something about the request is not right.")
    return _("The flow says that it met an error of its own.")


#: Names of errors that a poll may leave in Follow.trouble and that lie with the credential.
_CREDENTIAL_TROUBLE = {"CredentialRefused", "ScopedKey", "WrongOrganization", "Forbidden", "NoCredential"}


def of_trouble(name: str) -> Words | None:
    """Why the engine cannot be asked about launches at the moment, by the error's class name; None where it can."""
    if not name:
        return None
    if name in _CREDENTIAL_TROUBLE:
        return Words(
            _("The engine does not let the console ask"),
            _("No credential that launched here is accepted just now, so what you see may be out of date."),
            _("The launch itself is not affected. Test your credential."),
        )
    return Words(
        _("The engine cannot be asked at the moment"),
        _("What you see may be out of date. The console keeps trying."),
        _("The launch itself is not affected."),
    )

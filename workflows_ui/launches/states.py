"""States of launches, and their reasons with the texts of each."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from workflows_ui.core.states import StateChoices
from workflows_ui.core.text import Text

_AGAIN_ALLOWED = _("You can launch the same values again.")
_AGAIN = _("Nothing has run. You can launch the same values again.")
_LOOK_FIRST = _("Look at the flow's runs around that time. Then say below whether it ran.")


class State(StateChoices):
    """The state of a launch: value, icon, colour, label. The texts are in launches/messages.py."""

    QUEUED = "queued", "clock", "secondary", _("Waiting to be sent")
    CLAIMED = "claimed", "clock", "secondary", _("Waiting to be sent")
    SENDING = "sending", "send", "blue", _("Sending")
    ACCEPTED = "accepted", "send", "blue", _("Sent, waiting for the run")
    ENQUEUED = "enqueued", "clock", "blue", _("Queued in the engine")
    RUNNING = "running", "loader-circle", "blue", _("Running")
    PAUSED = "paused", "circle-pause", "yellow", _("Paused")
    SUCCEEDED = "succeeded", "circle-check", "green", _("Succeeded")
    FAILED = "failed", "circle-x", "red", _("Failed")
    CANCELLED = "cancelled", "ban", "secondary", _("Cancelled")
    REFUSED = "refused", "hand", "red", _("Refused by the engine")
    NOT_SENT = "not_sent", "circle-minus", "orange", _("Not sent")
    UNKNOWN = "unknown", "circle-question-mark", "orange", _("Unclear: it may have run")
    #: The run has a state unknown to the console. Neither a success nor a failure; not ended while `ended_at` is empty.
    OTHER = "other", "circle-question-mark", "secondary", _("Unknown state")


#: States in which nothing was sent: safe to send (again) or to withdraw.
UNSENT = (State.QUEUED, State.CLAIMED)
#: States without further changes, except that a run found later still settles UNKNOWN.
ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.REFUSED, State.NOT_SENT, State.UNKNOWN, State.OTHER)
#: All other states, listed because an index does not support "none of".
UNDER_WAY = tuple(state for state in State if state not in ENDED)
#: Number of consecutive complete run lists without a run that are needed to conclude that it does not exist.
CONFIRMED = 2
#: Ended without success. A launch cancelled by a person is no failure.
WENT_WRONG = (State.FAILED, State.REFUSED, State.NOT_SENT, State.UNKNOWN)


class Reason(StrEnum):
    """Why a launch is in its state: value, label, text, next step if there is one. The texts replace those of the state."""

    label: Text
    text: Text
    next_step: Text

    def __new__(cls, value: str, label: Text = "", text: Text = "", next_step: Text = "") -> "Reason":
        member = str.__new__(cls, value)
        member._value_ = value
        member.label, member.text, member.next_step = label, text, next_step
        return member

    NOT_REACHED = (
        "not_reached",
        _("The engine cannot be reached right now"),
        _("No connection was established, so nothing has been sent. The console keeps trying for a while."),
        _("You can wait, or cancel the launch."),
    )
    TOO_LATE = (
        "too_late",
        _("Not sent: too late"),
        _("It couldn't be sent in time, so it was cancelled to avoid running late."),
        _AGAIN,
    )
    #: Of a kept launch; launches/messages.py names the time.
    NOT_BACK = (
        "not_back",
        _("Not sent: the engine was not back in time"),
        _("The launch was kept until the time that was chosen for it, and has ended. Nothing has run."),
        _("You can launch the same values again."),
    )
    FLOW_CHANGED = (
        "flow_changed",
        _("Not sent: the flow was changed meanwhile"),
        _("It was published again after the launch was requested. The launch was kept for the flow as it was then."),
        _("Check what the flow does now, then launch the same values again."),
    )
    WITHDRAWN = "withdrawn", _("Cancelled"), _("It was cancelled before anything was sent. The flow did not run.")
    NO_CREDENTIAL = (
        "no_credential",
        _("Not sent: no credential"),
        _("Neither you nor your teams have a credential that opens this workspace."),
        _("Add a credential, then launch the same values again."),
    )
    CHOSEN_CREDENTIAL = (
        "chosen_credential",
        _("Not sent: the chosen credential cannot be used any more"),
        _("It was deleted, refused, or is no longer shared with you."),
        _("Launch the same values again with another credential."),
    )
    CREDENTIAL_UNREADABLE = (
        "credential_unreadable",
        _("Not sent: the credential or the values cannot be opened"),
        _("What is stored encrypted for this launch could not be read. Its key may be gone."),
        _("Add the credential again, then launch again. If that does not help, tell your administrator."),
    )
    CREDENTIAL_CHANGED = (
        "credential_changed",
        _("Not sent: the credential was changed"),
        _("It was changed outside of the console, so its secret is not used."),
        _("Its owner or a manager can replace the secret. Then launch the same values again."),
    )
    PLACE_CHANGED = (
        "place_changed",
        _("Not sent: the workspace's address was changed"),
        _("It was changed outside of the console, so no secret is sent there."),
        _(
            "A manager can move the workspace in its settings, or have the change undone. Then launch the same values again."
        ),
    )
    NOT_ENTERED = (
        "not_entered",
        _("Not sent: the secret must be entered again"),
        _("The workspace moved to another address, and this credential's secret has not been entered for it yet."),
        _("Ask its owner to replace the secret, then launch the same values again."),
    )
    MOVED = (
        "moved",
        _("Not sent: the workspace moved"),
        _("A manager moved the workspace to another address before the launch was sent."),
        _AGAIN,
    )
    LAUNCH_CHANGED = (
        "launch_changed",
        _("Not sent: the launch was changed"),
        _("Its person, flow, workspace or time was changed outside of the console."),
        _("Launch the flow again, and tell your administrator."),
    )
    NO_ACCESS = (
        "no_access",
        _("Not sent: no right to launch here any more"),
        _("The role in this workspace was taken away before the launch was sent."),
        _("Ask a manager of the workspace."),
    )
    ADDRESS_REFUSED = (
        "address_refused",
        _("Not sent: the console does not call this address"),
        _("The engine's address lies in a network that is closed to the console."),
        _("Your administrator can allow private networks in the settings."),
    )
    UNWRITABLE = (
        "unwritable",
        _("Not sent: it cannot be written as a request"),
        _("The values, the flow's address or the secret hold something that no request can carry."),
        _("Look at the values for odd characters and launch again; if they are plain, test your credential."),
    )
    NOT_READY = (
        "not_ready",
        _("The engine does not answer properly right now"),
        _("The console reads the flow before it sends anything, and could not. It keeps trying for a while."),
        _("You can wait, or cancel the launch."),
    )
    ENGINE_BUSY = (
        "engine_busy",
        _("Not sent: the engine is busy"),
        _("It asked for fewer requests, and its complete list of runs shows no run of this launch."),
        _AGAIN_ALLOWED,
    )
    NO_RUN_MADE = (
        "no_run_made",
        _("Not sent: no run was created"),
        _(
            "The connection or the worker was lost while the request was sent. The engine's complete list of runs shows no "
            "run of this launch."
        ),
        _AGAIN_ALLOWED,
    )
    FLOW_OFF = (
        "flow_off",
        _("The flow is off"),
        _("The engine did not start it, since it is turned off or was never published."),
        _("Ask a builder to publish it and turn it on, then launch the same values again."),
    )
    FLOW_GONE = (
        "flow_gone",
        _("The flow is gone"),
        _("The engine does not know this flow any more. It was probably deleted."),
        _("Look for it by name in the list of flows."),
    )
    BAD_REQUEST = (
        "bad_request",
        _("The engine did not accept the request"),
        _("It found something wrong with the request itself and did not start the flow."),
        _("See the technical details for its answer. Check the values."),
    )
    CREDENTIAL_REFUSED = (
        "credential_refused",
        _("The credential was refused"),
        _("The flow was not started. The credential may have expired or been revoked."),
        _("Test the credential, or replace it, then launch the same values again."),
    )
    NOT_IN_PLAN = (
        "not_in_plan",
        _("Not included in the engine's plan"),
        _("The flow was not started: the engine's plan does not include this, or a quota is used up."),
        _("Ask the engine's administrator."),
    )
    FORBIDDEN = (
        "forbidden",
        _("Access was denied"),
        _(
            "The engine, or something in front of it, does not let the credential start this flow. The flow was not started."
        ),
        _("Use a credential with more rights, or ask its owner."),
    )
    TOO_LARGE = (
        "too_large",
        _("The values are too large"),
        _("The request is too large for the engine. The flow was not started."),
        _("Send less, or split it over several launches."),
    )
    TOO_MANY = (
        "too_many",
        _("The engine asks for a pause"),
        _("It received more requests than it accepts at once, and did not start the flow."),
        _("Wait a minute, then launch the same values again."),
    )
    NOTHING_THERE = (
        "nothing_there",
        _("The address does not work"),
        _("Nothing that starts flows answers where the request went. The flow was not started."),
        _("Ask your administrator to check the workspace's address."),
    )
    #: Shown while the run is at work; in its other states, these say more.
    WAITED_OUT = (
        "waited_out",
        _("Still running"),
        _("The engine waits about 30 seconds for a flow's answer. That limit has passed; the run continues."),
        _("This page will show its result."),
    )
    FLOW_FAILED = (
        "flow_failed",
        _("Failed"),
        _("The flow failed before it gave an answer. Steps that already ran are not undone."),
        _("Look at the failed step before you launch it again: earlier steps would run a second time."),
    )
    STEP_FAILED = (
        "step_failed",
        _("Succeeded, but a step failed"),
        _("A step failed. The flow is built to continue in that case, and it finished."),
        _("“What happened” says which step. Check whether what it was to do has to be done by hand."),
    )
    RUN_NOT_FOUND = (
        "run_not_found",
        _("Succeeded"),
        _("The flow answered. Its run could not be found in the engine's list, so there is no link to it."),
    )
    RUN_GONE = (
        "run_gone",
        _("Unclear: the run is gone"),
        _("The flow started, but the engine no longer has its run. It was probably removed before it had ended."),
        _("Check where the flow does its work. Then say below whether it ran."),
    )
    CUT_OFF = (
        "cut_off",
        _("Unclear: the connection broke"),
        _("The request was sent, but no complete answer came back. The console does not send it a second time."),
        _LOOK_FIRST,
    )
    ODD_ANSWER = (
        "odd_answer",
        _("Unclear: something else answered"),
        _(
            "The answer came from something between the console and the engine. The request may have got through or not."
        ),
        _LOOK_FIRST,
    )
    OFF_OR_ANSWERED = (
        "off_or_answered",
        _("Unclear: the flow is off, or it answered that nothing is there"),
        _(
            "The answer is the one of an engine whose flow is off or gone, and a flow can give the same answer. Only a run of this launch "
            "shows which."
        ),
        _LOOK_FIRST,
    )
    WORKER_LOST = (
        "worker_lost",
        _("Unclear: the console was interrupted"),
        _("The console was stopped while it was sending. The request may have got through or not."),
        _LOOK_FIRST,
    )
    NO_RUN = (
        "no_run",
        _("Unclear: no run was found"),
        _(
            "The engine took the request, but no run has appeared. The flow's trigger may have turned it down, or the flow "
            "uses an app that the engine does not have."
        ),
        _LOOK_FIRST,
    )
    #: Until the last of the later searches (run_results.LATER); launches/messages.py adds the answer's status and the time.
    NO_TRACE = (
        "no_trace",
        _("No trace so far"),
        _(
            "The engine's complete lists of runs show no run of this launch, so very likely it has not run. An engine may start a run "
            "minutes late."
        ),
        _LOOK_FIRST,
    )
    SETTLED_RAN = (
        "settled_ran",
        _("Succeeded, as a person decided"),
        _("It was unclear. Someone checked and found that it ran."),
    )
    SETTLED_NOT_RUN = (
        "settled_not_run",
        _("Not sent, as a person decided"),
        _("It was unclear. Someone checked and found that it did not run."),
        _AGAIN_ALLOWED,
    )

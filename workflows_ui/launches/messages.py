"""Messages about a launch, from its state or reason (launches.states) and from its other columns."""

import math

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.text import Message, Text
from workflows_ui.launches.failures.messages import ENDS
from workflows_ui.launches.models import CONFIRMED, Launch, Reason, State
from workflows_ui.launches.services import run_results, sending

_WITHDRAWABLE, _RUNS_ON = _("You can still cancel it."), _("This page will show the result.")
#: Text and next step of each state; its label is the title.
STATES: dict[State, tuple[Text, Text]] = {
    State.QUEUED: (
        _("The launch is saved. It is sent when it is its turn, usually within a second."),
        _WITHDRAWABLE,
    ),
    State.CLAIMED: (_("The console is connecting to the engine."), _WITHDRAWABLE),
    State.SENDING: (_("The request is on its way. It can no longer be cancelled."), _RUNS_ON),
    State.ACCEPTED: (_("The engine has taken the request. Its run appears here shortly."), _RUNS_ON),
    State.ENQUEUED: (_("The engine has the run, and starts it as soon as it has capacity."), _RUNS_ON),
    State.RUNNING: (_("The flow is running."), _RUNS_ON),
    State.PAUSED: (
        _("The run waits: for a time, or for something that has to happen first. A pause may last up to 30 days."),
        _("It continues automatically. You can close this page and come back."),
    ),
    State.SUCCEEDED: (_("The flow finished."), ""),
    State.FAILED: (
        _("The flow failed partway through. Steps that already ran are not undone."),
        _("Look at the failed step before you launch it again: earlier steps would run a second time."),
    ),
    State.CANCELLED: (
        _("The run was cancelled before it ended. Steps that already ran are not undone."),
        _("If launched again, the flow starts from the beginning."),
    ),
    State.REFUSED: (
        _("The engine read the request and did not start the flow."),
        _("See the technical details for its answer."),
    ),
    State.NOT_SENT: (
        _("Nothing reached the engine."),
        _("Nothing has run. You can launch the same values again."),
    ),
    State.UNKNOWN: (
        _("The request was sent, but its result could not be determined."),
        _("Look at the flow's runs around that time before you launch it again."),
    ),
    State.OTHER: (
        _("The engine calls the run's state “%(state)s”, which this console does not know."),
        _("It counts neither as a success nor as a failure. The run's page shows the engine's state."),
    ),
}
#: Titles and texts for reasons that the flow check found before anything was sent.
NOT_SENT: dict[Reason, tuple[Text, Text]] = {
    Reason.CREDENTIAL_REFUSED: (
        _("Not sent: the engine refuses the credential"),
        _("The console reads the flow before it sends anything, and the credential was not accepted."),
    ),
    Reason.FORBIDDEN: (
        _("Not sent: the credential has no access to the flow"),
        _("The console reads the flow before it sends anything, and the credential may not."),
    ),
    Reason.FLOW_GONE: (
        _("Not sent: the flow is gone"),
        _("The console reads the flow before it sends anything, and it is not there. It was probably deleted."),
    ),
    Reason.FLOW_OFF: (
        _("Not sent: the flow is off"),
        _("It is turned off or was never published, so nothing was sent."),
    ),
    Reason.NOT_IN_PLAN: (
        _("Not sent: not included in the engine's plan"),
        _("The console reads the flow before it sends anything. The engine's plan does not include that."),
    ),
    Reason.BAD_REQUEST: (
        _("Not sent: the flow cannot be read"),
        _("The console reads the flow before it sends anything, and the engine did not accept that request."),
    ),
}


def state_message(state: State | Reason) -> Message:
    texts = (state.text, state.next_step) if isinstance(state, Reason) else STATES[state]
    return Message(state.label, *texts)


def launch_message(launch: Launch) -> Message:
    state = State(launch.state)
    reason = Reason(launch.reason) if launch.reason in set(Reason) else None
    if state == State.NOT_SENT and reason in NOT_SENT:
        next_step = STATES[State.REFUSED][1] if reason == Reason.BAD_REQUEST else reason.next_step
        return Message(*NOT_SENT[reason], next_step)
    if launch.kept and (launch.waits_for_engine or reason == Reason.NOT_BACK):
        return _kept_message(launch, reason)
    waited = state != State.RUNNING and reason == Reason.WAITED_OUT
    message = state_message(state if reason is None or waited else reason)
    if launch.misses >= CONFIRMED and state in (State.REFUSED, State.NOT_SENT):
        return _no_run_message(launch, message)
    if state == State.FAILED and launch.run_status in ENDS:
        return Message(message.title, ENDS[launch.run_status].text, message.next_step)
    if state == State.UNKNOWN and reason == Reason.NO_TRACE:
        return _no_trace_message(launch, message)
    if launch.searched_for:
        return Message(_("Checking whether it ran"), message.text, _search_message(launch))
    if state == State.QUEUED and reason is None and launch.size > sending.LARGE:
        text = _("The launch is saved. It is large, and large launches are sent one after the other.")
        return Message(message.title, text, message.next_step)
    if state == State.OTHER:
        return Message(message.title, message.text % {"state": launch.run_status[:60]}, message.next_step)
    refused = launch.answer_from == "flow" and (launch.answer_status or 0) >= 400
    if state == State.SUCCEEDED and reason is None and refused:
        title = _("Succeeded, but the flow answers that something is wrong")
        return Message(title, message.text, _("Read its answer below."))
    return message


def _kept_message(launch: Launch, reason: Reason | None) -> Message:
    """The message for a launch that is kept, or was until its time was over."""
    time = {"time": formats.minute(launch.send_by)}
    if reason == Reason.NOT_BACK:
        return Message(_("Not sent: the engine was not back by %(time)s") % time, reason.text, reason.next_step)
    titles: dict[Reason | None, Text] = {
        Reason.NOT_REACHED: _("Kept until %(time)s: the engine does not answer"),
        Reason.NOT_READY: _("Kept until %(time)s: the engine does not answer properly"),
    }
    return Message(
        titles.get(reason, _("Kept until %(time)s")) % time,
        _(
            "Nothing has been sent. The console tries again every minute, and sends kept launches in the order in which they were asked "
            "for. Before that, the right to launch and the flow are checked again."
        ),
        _("You can close this page, or cancel the launch."),
    )


def _no_run_message(launch: Launch, message: Message) -> Message:
    """The message for a launch without a run in complete run lists: the answer's status, and when to try again."""
    text, next_step = message.text, message.next_step
    if launch.answer_status is not None and launch.reason != Reason.ENGINE_BUSY:
        text = _(
            "The answer was status %(status)d. The engine's complete list of runs shows no run of this launch: the flow was not started."
        ) % {"status": launch.answer_status}
    if launch.try_after is not None and launch.try_after > timezone.now():
        next_step = _("Launch the same values again after %(time)s.") % {"time": formats.minute(launch.try_after)}
    return Message(message.title, text, next_step)


def _no_trace_message(launch: Launch, message: Message) -> Message:
    """The message for a launch without a trace so far: the answer's status, and until when the console looks again."""
    text = message.text
    if launch.answer_status is not None:
        text = _("The answer was status %(status)d. %(text)s") % {"status": launch.answer_status, "text": text}
    last = run_results.last_search(launch)
    if last is None:
        return Message(message.title, text, message.next_step)
    next_step = _(
        "The console looks again a few times, until about %(time)s. Then it is final. If you know whether it ran, say so below: launched "
        "again, it could run twice."
    ) % {"time": formats.minute(last)}
    return Message(message.title, text, next_step)


def _search_message(launch: Launch) -> Text:
    if run_results.search_is_over(launch, timezone.now()):
        return _(
            "It takes longer than usual: the engine cannot be asked, or its list of runs proves nothing yet. The console keeps looking; "
            "if you know whether it ran, say so below."
        )
    minutes = math.ceil(settings.LAUNCH_SEARCH.total_seconds() / 60)
    return ngettext_lazy(
        "The console is still looking for its run, for about %(n)d minute. Nothing is sent a second time meanwhile.",
        "The console is still looking for its run, for up to %(n)d minutes. Nothing is sent a second time meanwhile.",
        minutes,
    ) % {"n": minutes}


#: Messages for frequent statuses of a flow's answer. The flow chooses the status, not the engine.
_ANSWERS: dict[int, Text] = {
    400: _("The flow says that something in the values is wrong."),
    401: _("The flow says that it does not accept the caller."),
    403: _("The flow says that this is not allowed."),
    404: _("The flow says that it did not find what was requested."),
    409: _("The flow says that this conflicts with something that already exists."),
    422: _("The flow read the values and does not accept them. Its answer should say why."),
    429: _("The flow says that it was called too often."),
}


def answer_status_message(status: int | None) -> Text:
    """What the status of a flow's own answer means; empty for 2xx and without a status."""
    if status is None or 200 <= status < 300:
        return ""
    if status in _ANSWERS:
        return _ANSWERS[status]
    if 300 <= status < 400:
        return _("The flow points to another address. The console does not open it.")
    if 400 <= status < 500:
        return _("The flow says that something about the request is not right.")
    return _("The flow says that it had an internal error.")


#: Values of Follow.trouble that are caused by the credential.
_UNACCEPTED = {"CredentialRefused", "ScopedKey", "WrongOrganization", "Forbidden", "WrongProject", "NoCredential"}


def poll_error_message(name: str) -> Message | None:
    """Why the last poll failed, from the error's class name; None for an empty name."""
    if not name:
        return None
    if name in _UNACCEPTED:
        return Message(
            _("The engine does not let the console check"),
            _("No credential that launched here is accepted right now, so what you see may be out of date."),
            _("The launch itself is not affected. Test your credential."),
        )
    return Message(
        _("The engine cannot be reached at the moment"),
        _("What you see may be out of date. The console keeps trying."),
        _("The launch itself is not affected."),
    )

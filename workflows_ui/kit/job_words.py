"""Plain words for jobs: one entry a state, one a Reason, and the badges of jobs and of what became of each object."""

from django.utils.translation import gettext_lazy as _

from workflows_ui.kit.words import StateWord, Text, Words
from workflows_ui.models import ItemState, Job, JobState
from workflows_ui.services.jobs import Reason

JOBS: dict[str, StateWord] = {
    JobState.COLLECTING: StateWord(JobState.COLLECTING.label, "circle-notch", "blue", moving=True),
    JobState.ASKING: StateWord(_("Waits for confirmation"), "circle-question", "orange"),
    JobState.RUNNING: StateWord(JobState.RUNNING.label, "circle-notch", "blue", moving=True),
    JobState.ENDED: StateWord(JobState.ENDED.label, "circle-check", "green"),
    JobState.STOPPED: StateWord(JobState.STOPPED.label, "circle-stop", "secondary"),
    JobState.FAILED: StateWord(JobState.FAILED.label, "triangle-exclamation", "red"),
}
_PARTLY = StateWord(_("Finished, not all done"), "triangle-exclamation", "orange")
ITEMS: dict[str, StateWord] = {
    ItemState.WAITING: StateWord(ItemState.WAITING.label, "clock", "secondary"),
    ItemState.SENDING: StateWord(ItemState.SENDING.label, "paper-plane", "blue"),
    ItemState.DONE: StateWord(ItemState.DONE.label, "circle-check", "green"),
    ItemState.SKIPPED: StateWord(ItemState.SKIPPED.label, "forward", "secondary"),
    ItemState.FAILED: StateWord(ItemState.FAILED.label, "circle-xmark", "red"),
    ItemState.UNCLEAR: StateWord(ItemState.UNCLEAR.label, "circle-question", "orange"),
}
_REST = _("What was not done yet stays undone.")
_STATES: dict[str, Words] = {
    JobState.COLLECTING: Words(
        _("Being prepared"),
        _("The console finds out what this is about. Nothing is changed before you have confirmed it."),
        _("You can leave this page and come back: it is listed under “Jobs”."),
    ),
    JobState.ASKING: Words(_("Please confirm"), _("Nothing has been changed yet.")),
    JobState.RUNNING: Words(
        _("Being done"),
        _("The console works through the list in the background."),
        _("You can leave this page and come back: it is listed under “Jobs”."),
    ),
    JobState.ENDED: Words(_("Finished"), _("The list below says what became of each.")),
    JobState.STOPPED: Words(_("Stopped"), _("Somebody stopped it."), _REST),
    JobState.FAILED: Words(_("Ended early"), _("The console could not go on."), _REST),
}
_REASONS: dict[str, Words] = {
    Reason.NOTHING_FOUND: Words(
        _("Nothing to do"),
        _("Nothing matches, or nothing of it is in a state in which this can be done. Nothing was changed."),
    ),
    Reason.NOT_CONFIRMED: Words(_("Not done"), _("It was not confirmed. Nothing was changed.")),
    Reason.FORGOTTEN: Words(
        _("Not done"),
        _("It was not confirmed within a day. Nothing was changed."),
        _("Ask for it again from the list."),
    ),
    Reason.NO_ACCESS: Words(
        _("Ended early: no longer allowed"),
        _("The role of the person who asked for it does not reach any more."),
        _REST,
    ),
    Reason.NO_CREDENTIAL: Words(
        _("Ended early: no credential"),
        _("The person who asked for it has no credential here any more, and neither have their teams."),
        _REST,
    ),
    Reason.CREDENTIAL_REFUSED: Words(
        _("Ended early: the engine refuses the credential"),
        _("It may have expired, or been withdrawn."),
        _("Put a new credential in its place, then ask for the rest again."),
    ),
    Reason.CREDENTIAL_UNREADABLE: Words(
        _("Ended early: the credential cannot be opened"),
        _("Its encrypted secret is damaged, or the key that it was encrypted with is gone."),
        _("Add the credential anew, then ask for the rest again."),
    ),
    Reason.ADDRESS_REFUSED: Words(
        _("Ended early: the console does not call this address"),
        _("The engine's address lies in a network that is closed to the console."),
        _REST,
    ),
    Reason.BAD_FILTERS: Words(_("Ended early: the filters cannot be used"), _("Nothing was changed.")),
    Reason.NOT_DECLARED: Words(
        _("Ended early: the console cannot do this any more"),
        _("The console was changed meanwhile."),
        _REST,
    ),
    Reason.FORBIDDEN: Words(
        _("Ended early: the engine does not allow it"),
        _("The engine said no to one after the other, so the rest was not tried."),
        _("Use a credential with more rights in the engine, or ask whoever manages it."),
    ),
    Reason.NOT_IN_PLAN: Words(
        _("Ended early: not part of the engine's plan"),
        _("The engine says that its plan does not include this, or that a quota is used up. The rest was not tried."),
        _("Ask whoever runs the engine."),
    ),
    Reason.UNAVAILABLE: Words(
        _("Ended early: the engine does not answer properly"),
        _("It failed at one after the other, so the rest was not tried."),
        _("Ask for the rest again once the engine is well."),
    ),
    Reason.NOT_REACHED: Words(
        _("Ended early: the engine cannot be reached"),
        _("The console tried for a long time."),
        _REST,
    ),
    Reason.REFUSED: Words(
        _("Ended early: the engine refuses the request"),
        _("The technical part says what it answered."),
        _REST,
    ),
}
#: While the engine is not reached, the job waits.
_PAUSED = Words(
    _("Waiting for the engine"),
    _("The engine cannot be reached, or asks for a pause. The console tries again by itself."),
    _("You can leave this page and come back: it is listed under “Jobs”."),
)
#: Why an object was skipped or failed, or is unclear.
_WHY: dict[str, Text] = {
    Reason.NOT_OFFERED: _("Not possible in the state it is in."),
    Reason.GONE: _("No longer there."),
    Reason.REFUSED: _("The engine refused it."),
    Reason.IN_USE: _("Someone is editing it. Try again in a minute."),
    Reason.FORBIDDEN: _("The engine does not allow it with this credential."),
    Reason.NOT_IN_PLAN: _("Not part of the engine's plan, or a quota is used up."),
    Reason.INVALID: _("It cannot be done to this one."),
    Reason.UNAVAILABLE: _("The engine did not answer properly. It was not done."),
    Reason.NOT_TAKEN: _("The engine left this one out."),
    Reason.CUT_OFF: _("The request left, and no whole answer came back. Look at it before you try again."),
    Reason.WORKER_LOST: _("The console was interrupted while it was being done. Look at it before you try again."),
}


def of_job(job: Job) -> Words:
    """What is said about a job in its state."""
    if job.reason and not job.over:
        return _PAUSED
    return (_REASONS.get(job.reason) if job.reason else None) or _STATES[job.state]


def badge(job: Job) -> StateWord:
    """Its state in a word; that not everything went well is said by it too (`troubled`, jobs.of_workspace)."""
    if job.state == JobState.ENDED and getattr(job, "troubled", False):
        return _PARTLY
    return JOBS[job.state]


def why(reason: str) -> Text:
    """Why an object is as it is; empty where its state says it all."""
    return _WHY.get(reason, "")

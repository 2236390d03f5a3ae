"""Texts for jobs: one entry per state and per Reason, and the badges of jobs and items."""

from django.utils.translation import gettext_lazy as _

from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message, Text
from workflows_ui.jobs.models import ItemState, Job, JobItem, JobState
from workflows_ui.jobs.services.jobs import Reason

_PARTLY = Badge(_("Finished, not all succeeded"), "triangle-alert", "orange")
_CHECKED = Badge(_("Finished, some are being checked"), "loader-circle", "blue")
_ASKING = Badge(_("Waits for confirmation"), JobState.ASKING.icon, JobState.ASKING.colour)
_REST = _("Anything not done yet will not be done.")
_STATES: dict[str, Message] = {
    JobState.COLLECTING: Message(
        _("Being prepared"),
        _("The console is working out what is affected. Nothing changes until you confirm."),
        _("You can leave this page and come back: it is listed under “Jobs”."),
    ),
    JobState.ASKING: Message(_("Please confirm"), _("Nothing has been changed yet.")),
    JobState.RUNNING: Message(
        _("In progress"),
        _("The console works through the list in the background."),
        _("You can leave this page and come back: it is listed under “Jobs”."),
    ),
    JobState.ENDED: Message(_("Finished"), _("The list below shows the results.")),
    JobState.STOPPED: Message(_("Stopped"), _("Someone stopped it."), _REST),
    JobState.FAILED: Message(_("Ended early"), _("The console could not continue."), _REST),
}
_REASONS: dict[str, Message] = {
    Reason.NOTHING_FOUND: Message(
        _("Nothing to do"),
        _("Nothing matches, or nothing that matches is in a state that allows this. Nothing was changed."),
    ),
    Reason.NOT_CONFIRMED: Message(_("Not done"), _("It was not confirmed. Nothing was changed.")),
    Reason.FORGOTTEN: Message(
        _("Not done"),
        _("It was not confirmed within a day. Nothing was changed."),
        _("Request it again from the list."),
    ),
    Reason.NO_ACCESS: Message(
        _("Ended early: no longer allowed"),
        _("The role of the person who requested it is no longer sufficient."),
        _REST,
    ),
    Reason.NO_CREDENTIAL: Message(
        _("Ended early: no credential"),
        _("The person who requested it has no credential here any more, and neither have their teams."),
        _REST,
    ),
    Reason.CREDENTIAL_REFUSED: Message(
        _("Ended early: the engine refuses the credential"),
        _("It may have expired or been revoked."),
        _("Replace the credential, then request the rest again."),
    ),
    Reason.CREDENTIAL_UNREADABLE: Message(
        _("Ended early: the credential cannot be opened"),
        _("It was changed outside of the console, must be entered again, or its encryption key is gone."),
        _("The credential's page says which. Replace its secret, then request the rest again."),
    ),
    Reason.ADDRESS_REFUSED: Message(
        _("Ended early: the console does not call this address"),
        _("The engine's address lies in a network that is closed to the console."),
        _REST,
    ),
    Reason.BAD_FILTERS: Message(_("Ended early: the filters cannot be used"), _("Nothing was changed.")),
    Reason.NOT_DECLARED: Message(
        _("Ended early: the console cannot do this any more"), _("The console was changed meanwhile."), _REST
    ),
    Reason.FORBIDDEN: Message(
        _("Ended early: the engine does not allow it"),
        _("The engine refused several items in a row, so the rest were skipped."),
        _("Use a credential with more rights in the engine, or ask its owner."),
    ),
    Reason.NOT_IN_PLAN: Message(
        _("Ended early: not included in the engine's plan"),
        _("The engine says that its plan does not include this, or that a quota is used up. The rest was not tried."),
        _("Ask the engine's administrator."),
    ),
    Reason.UNAVAILABLE: Message(
        _("Ended early: the engine does not answer properly"),
        _("The engine failed at several items in a row, so the rest were skipped."),
        _("Request the rest again once the engine has recovered."),
    ),
    Reason.BROKEN: Message(
        _("Ended early: console error"),
        _("The error was logged. What already has a result keeps it."),
        _("Tell your administrator."),
    ),
    Reason.GONE: Message(
        _("Ended early: the object no longer exists"),
        _("One of the connections was deleted. Nothing was changed."),
    ),
    Reason.STILL_THERE: Message(
        _("Finished, and the old connection is still there"),
        _("It is deleted only if all flows succeeded, and none refers to it in its published version or draft."),
        _("Its page names the flows that use it."),
    ),
    Reason.USED_BY_SERVER: Message(
        _("Finished, and the old connection is still there"),
        _("An MCP server uses it, or the engine does not show which do. The flows use the new one."),
        _("Look at the tools of the MCP servers, then delete the connection on its page."),
    ),
    Reason.NOT_REACHED: Message(
        _("Ended early: the engine cannot be reached"), _("The console tried for a long time."), _REST
    ),
    Reason.REFUSED: Message(
        _("Ended early: the engine refuses the request"), _("See the technical details for its answer."), _REST
    ),
}
#: The job waits while the engine cannot be reached.
_PAUSED = Message(
    _("Waiting for the engine"),
    _("The engine cannot be reached, or asks for a pause. The console tries again automatically."),
    _("You can leave this page and come back: it is listed under “Jobs”."),
)


def of_job(job: Job) -> Message:
    """The message for a job in its state."""
    if job.reason and not job.over:
        return _PAUSED
    return (_REASONS.get(job.reason) if job.reason else None) or _STATES[job.state]


def badge(job: Job) -> Badge:
    """The job's state as a badge, which also shows that not everything succeeded (`troubled`, jobs.of_workspace), or that the console still
    finds out about some (`checked`, there).
    """
    if job.state == JobState.ENDED and getattr(job, "checked", False):
        return _CHECKED
    if job.state == JobState.ENDED and getattr(job, "troubled", False):
        return _PARTLY
    return _ASKING if job.state == JobState.ASKING else JobState(job.state).badge


def why(item: JobItem, *, checked: bool) -> Text:
    """Why an object is in its state; empty if the state is enough. `checked`: the console still finds out whether it was done."""
    if checked:
        return _(
            "The answer did not prove whether it was done. The console looks for it in the engine, which takes some minutes."
        )
    if item.state == ItemState.UNCLEAR and item.reason == Reason.UNAVAILABLE:
        return Reason.CUT_OFF.label
    return dict(Reason.choices).get(item.reason, "")

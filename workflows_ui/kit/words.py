"""Plain words for what goes wrong and for the states of things: one table, used by pages, credentials and launches alike."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import errors as engine
from workflows_ui.models import Role, State
from workflows_ui.services.access import NoAccess, NotAllowed, RightEnded
from workflows_ui.services.clients import NoCredential

Text = str | Promise


@dataclass(frozen=True)
class Words:
    """What happened, what it means, what can be done."""

    title: Text
    text: Text
    next_step: Text = ""


#: First match wins, so a class stands before the ones it descends from.
_ERRORS: tuple[tuple[type[Exception], Words], ...] = (
    (
        engine.ScopedKey,
        Words(
            _("This API key may not reach workflows"),
            _("The key is limited to certain permissions, and the engine lets such keys reach no workflow."),
            _("Use a key without a list of permissions, or an access token."),
        ),
    ),
    (
        engine.WrongOrganization,
        Words(
            _("The organization does not fit the token"),
            _("The token is good, but it does not belong to the organization named with it."),
            _("Correct the organization of the credential."),
        ),
    ),
    (
        engine.CredentialRefused,
        Words(
            _("The engine refuses the credential"),
            _("It may have expired, been withdrawn or been typed wrongly. You are still signed in to the console."),
            _("Test the credential, or put a new one in its place."),
        ),
    ),
    (
        engine.Forbidden,
        Words(
            _("The credential does not reach this"),
            _("The engine knows the credential, but does not let it do this here."),
            _("Use a credential with more rights in the engine, or ask whoever manages it."),
        ),
    ),
    (
        engine.NotInPlan,
        Words(
            _("Not part of the engine's plan"),
            _("The engine says that its plan does not include this, or that a quota is used up."),
            _("Ask whoever runs the engine."),
        ),
    ),
    (
        engine.NotFound,
        Words(
            _("No longer there"),
            _("The engine does not know this. It may have been deleted, or the link may be wrong."),
            _("Go back to the list and look for it by name."),
        ),
    ),
    (
        engine.TooMany,
        Words(
            _("The engine asks for a pause"),
            _("It got more requests than it takes at once."),
            _("Wait a minute, then try again."),
        ),
    ),
    (
        engine.TooLarge,
        Words(
            _("The answer is too large"),
            _("The engine sent more than the console reads, so nothing of it is shown."),
            _("Ask for less: use a filter, or fewer rows a page."),
        ),
    ),
    (
        engine.AddressRefused,
        Words(
            _("The console does not call this address"),
            _("The engine's address lies in a network that is closed to the console."),
            _("Check the address. Whoever runs the console can open private networks in its settings."),
        ),
    ),
    (
        engine.NotSent,
        Words(
            _("The engine cannot be reached"),
            _("No connection was made, so nothing was sent and nothing was changed."),
            _("Try again in a moment. If it lasts, tell whoever runs the engine."),
        ),
    ),
    (
        engine.Unavailable,
        Words(
            _("The engine does not answer properly"),
            _("It is down, too slow, or something between it and the console is broken. Nothing is lost."),
            _("Try again in a moment. If it lasts, tell whoever runs the engine."),
        ),
    ),
    (
        engine.Unknown,
        Words(
            _("It is unclear whether this was done"),
            _("The request left, but no whole answer came back. The console does not send it a second time by itself."),
            _("Look whether it was done before you try again."),
        ),
    ),
    (
        engine.HiddenValue,
        Words(
            _("A hidden value cannot be written back"),
            _("Something in this is a key of the workspace, which the console never shows. Nothing was sent."),
            _("Put the real value in its place in the engine itself, or use a connection there."),
        ),
    ),
    (
        engine.Refused,
        Words(
            _("The engine refuses this request"),
            _("It read the request and said no to what it asks for."),
            _("Check the values. The technical part says what the engine found."),
        ),
    ),
    (
        NoCredential,
        Words(
            _("You have no credential here"),
            _("Neither you nor your teams have a credential that opens this workspace."),
            _("Add a credential, or ask a manager of the workspace for one."),
        ),
    ),
    (
        CannotOpen,
        Words(
            _("The credential cannot be opened"),
            _("Its encrypted secret is damaged, or the key that it was encrypted with is gone."),
            _("Delete the credential and add it anew, or ask whoever runs the console."),
        ),
    ),
    (
        NoAccess,
        Words(
            _("There is nothing here for you"),
            _("The page does not exist, or it belongs to a workspace that you are not a member of."),
            _("Check the link, or ask a manager of the workspace to let you in."),
        ),
    ),
)
_IN_USE = Words(
    _("Someone is editing this flow"),
    _("The engine lets only one person change a flow at a time. Nothing was changed."),
    _("Try again in a minute."),
)
_TOO_MUCH = Words(
    _("Too large for the engine"),
    _("What was sent is more than the engine takes at once. Nothing was changed."),
    _("Send less: a smaller file, or shorter values."),
)
_TEST_FAILED = Words(
    _("The test of the trigger failed"),
    _("The app refused, or gave something that the trigger cannot read. No sample was kept."),
    _("Check the trigger's fields and its connection. The technical part says what the app said."),
)
_ANY = Words(
    _("Something went wrong with the engine"),
    _("The engine answered in a way that the console does not know."),
    _("Try again in a moment."),
)
#: While no worker gives a sign of life.
NO_WORKER = Words(
    _("Nothing works in the background just now"),
    _(
        "The part of the console that does this gives no sign of life. Nothing is lost: it goes on by itself once that part runs again."
    ),
    _("If this stays, tell whoever looks after the console."),
)
_NEEDED: dict[Role, Text] = {
    Role.VIEWER: _("This needs the role of a viewer."),
    Role.LAUNCHER: _("This needs the role of a launcher."),
    Role.BUILDER: _("This needs the role of a builder."),
    Role.MANAGER: _("This needs the role of a manager."),
}


def of_error(error: BaseException) -> Words:
    """Words for an engine's error, a missing or unopenable credential, or a missing right."""
    if isinstance(error, RightEnded):
        return Words(
            _("Your right to launch this flow has ended"),
            _("Its date is over, or all of its launches are used. Nothing was launched."),
            _("Ask a manager of the workspace for more."),
        )
    if isinstance(error, NotAllowed):
        return Words(_("Not yours to do"), _NEEDED[error.needed], _("Ask a manager of the workspace for it."))
    if isinstance(error, engine.Refused) and error.code == "FLOW_IN_USE":
        return _IN_USE
    if isinstance(error, engine.Refused) and error.status == 413:
        return _TOO_MUCH
    if isinstance(error, engine.Refused) and error.code == "TEST_TRIGGER_FAILED":
        return _TEST_FAILED
    return next((words for kind, words in _ERRORS if isinstance(error, kind)), _ANY)


@dataclass(frozen=True)
class StateWord:
    """A state as people read it: word, icon (Font Awesome) and colour (Tabler); `own` is the engine's own word."""

    word: Text
    icon: str
    colour: str
    moving: bool = False
    own: str = ""


_LAUNCH: dict[str, StateWord] = {
    State.QUEUED: StateWord(State.QUEUED.label, "clock", "secondary"),
    State.CLAIMED: StateWord(State.CLAIMED.label, "clock", "secondary"),
    State.SENDING: StateWord(State.SENDING.label, "paper-plane", "blue"),
    State.ACCEPTED: StateWord(State.ACCEPTED.label, "paper-plane", "blue"),
    State.RUNNING: StateWord(State.RUNNING.label, "circle-notch", "blue", moving=True),
    State.PAUSED: StateWord(State.PAUSED.label, "circle-pause", "yellow"),
    State.SUCCEEDED: StateWord(State.SUCCEEDED.label, "circle-check", "green"),
    State.FAILED: StateWord(State.FAILED.label, "circle-xmark", "red"),
    State.REFUSED: StateWord(State.REFUSED.label, "ban", "red"),
    State.NOT_SENT: StateWord(State.NOT_SENT.label, "circle-minus", "orange"),
    State.UNKNOWN: StateWord(State.UNKNOWN.label, "circle-question", "orange"),
}
#: States of runs (api.md 8.1), in the order of the filter; the second group are states of steps only.
RUN_STATES: dict[str, StateWord] = {
    "QUEUED": StateWord(_("Waiting in the engine"), "clock", "secondary"),
    "RUNNING": StateWord(_("Running"), "circle-notch", "blue", moving=True),
    "PAUSED": StateWord(_("Paused"), "circle-pause", "yellow"),
    "SUCCEEDED": StateWord(_("Done"), "circle-check", "green"),
    "FAILED": StateWord(_("Failed"), "circle-xmark", "red"),
    "TIMEOUT": StateWord(_("Stopped: took too long"), "hourglass-end", "red"),
    "MEMORY_LIMIT_EXCEEDED": StateWord(_("Stopped: too much memory"), "memory", "red"),
    "QUOTA_EXCEEDED": StateWord(_("Stopped: quota used up"), "gauge-high", "red"),
    "INTERNAL_ERROR": StateWord(_("Engine error"), "triangle-exclamation", "red"),
    "CANCELED": StateWord(_("Cancelled"), "ban", "secondary"),
}
_STEP: dict[str, StateWord] = {"STOPPED": StateWord(_("Done, ended the run"), "circle-stop", "green")}
FLOW_STATES: dict[str, StateWord] = {
    "ENABLED": StateWord(pgettext_lazy("flow", "On"), "toggle-on", "green"),
    "DISABLED": StateWord(pgettext_lazy("flow", "Off"), "toggle-off", "secondary"),
}


def _own(table: dict[str, StateWord], state: object) -> StateWord:
    name = state if isinstance(state, str) else ""
    found = table.get(name)
    if found is None:
        return StateWord(name[:60] or _("Not known"), "circle-question", "secondary")
    return StateWord(found.word, found.icon, found.colour, found.moving, own=name)


def launch_state(state: object) -> StateWord:
    """A launch's state (models.State) in words."""
    found = _LAUNCH.get(str(state))
    return found or StateWord(str(state)[:60], "circle-question", "secondary")


def run_state(status: object) -> StateWord:
    """A run's or step's status in words; an unknown one is its own word, in grey."""
    return _own(RUN_STATES | _STEP, status)


def flow_state(status: object) -> StateWord:
    """A flow's status in words."""
    return _own(FLOW_STATES, status)

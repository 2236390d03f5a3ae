"""Texts for errors and states, shared by pages, credentials and launches."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core import crypto, formats
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Message, Text
from workflows_ui.credentials.services.clients import NoCredential
from workflows_ui.engine import errors as engine
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import runs
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import NoAccess, NotAllowed, RightEnded

#: First match wins, so subclasses come before their bases.
_ERRORS: dict[type[BaseException], Message] = {
    RightEnded: Message(
        _("Your right to launch this flow has ended"),
        _("It has expired, or all of its launches are used. Nothing was launched."),
        _("Ask a manager of the workspace for more."),
    ),
    engine.ScopedKey: Message(
        _("This API key may not reach workflows"),
        _("The key is limited to certain permissions, and the engine lets such keys reach no workflow."),
        _("Use an API key without a list of permissions, or an access token."),
    ),
    engine.WrongOrganization: Message(
        _("The organization does not fit the token"),
        _("The token is good, but it does not belong to the organization named with it."),
        _("Correct the organization of the credential."),
    ),
    engine.SessionEnded: Message(
        _("The credential no longer works"),
        _(
            "The engine ended its session: another password was set there, or its user was deactivated. You are still signed in to the "
            "console."
        ),
        _("Replace the secret of the credential by signing in again. If its password is kept, a test of it does so."),
    ),
    engine.CredentialRefused: Message(
        _("The engine refuses the credential"),
        _("It may have expired, been revoked or been mistyped. You are still signed in to the console."),
        _("Test the credential, or replace it."),
    ),
    engine.WrongProject: Message(
        _("The credential does not open this project"),
        _("The project of this workspace was deleted in the engine, or is closed to the credential."),
        _("Test the credential, or ask the project's manager in the engine."),
    ),
    engine.Forbidden: Message(
        _("The credential has no access to this"),
        _("The credential is valid but lacks permission for this."),
        _("Use a credential with more rights in the engine, or ask its owner."),
    ),
    engine.NotInPlan: Message(
        _("Not included in the engine's plan"),
        _("The engine says that its plan does not include this, or that a quota is used up."),
        _("Ask the engine's administrator."),
    ),
    engine.NoRoute: Message(
        _("This engine does not offer this"),
        _("The version of the engine has no such function, or another one since it was upgraded."),
        _("Load the page again. If this stays, the console cannot do it with this engine."),
    ),
    engine.NotFound: Message(
        _("Deleted"),
        _("The engine does not know this. It may have been deleted, or the link may be wrong."),
        _("Go back to the list and look for it by name."),
    ),
    engine.RateLimited: Message(
        _("The engine asks for a pause"),
        _("It received more requests than it accepts at once."),
        _("Wait a minute, then try again."),
    ),
    engine.TooLarge: Message(
        _("The answer is too large"),
        _("The engine sent more than the console reads, so nothing is shown."),
        _("Request less: use a filter, or fewer rows per page."),
    ),
    engine.AddressRefused: Message(
        _("The console does not call this address"),
        _("The engine's address lies in a network that is closed to the console."),
        _("Check the address. Your administrator can allow private networks in the settings."),
    ),
    engine.NotSent: Message(
        _("The engine cannot be reached"),
        _("No connection was made, so nothing was sent and nothing was changed."),
        _("Try again in a moment. If it continues, tell the engine's administrator."),
    ),
    engine.Unavailable: Message(
        _("The engine does not answer properly"),
        _("It is down, too slow, or something between it and the console is broken. Nothing is lost."),
        _("Try again in a moment. If it continues, tell the engine's administrator."),
    ),
    engine.Unknown: Message(
        _("It is unclear whether this happened"),
        _(
            "The request was sent, but its answer does not prove whether it was done. The console does not send it a second time."
        ),
        _("Check whether it was done before you try again."),
    ),
    engine.HiddenValue: Message(
        _("A hidden value cannot be written back"),
        _("This contains a secret of the workspace, which the console never shows. Nothing was sent."),
        _("Put the real value in its place in the engine itself, or use a connection there."),
    ),
    engine.InProgress: Message(
        _("The engine is still working on this flow"),
        _("An earlier change to it, or its deletion, is not finished. Nothing was changed."),
        _("Wait a moment, then look at the flow again."),
    ),
    engine.UnknownReference: Message(
        _("Something this refers to no longer exists"),
        _("The folder, owner or table that was chosen is not in the engine. Nothing was changed."),
        _("Load the page again and choose another one."),
    ),
    engine.Refused: Message(
        _("The engine refuses this request"),
        _("It read the request and said no to what it asks for."),
        _("Check the values. See the technical details for what the engine found."),
    ),
    NoCredential: Message(
        _("You have no credential here"),
        _("Neither you nor your teams have a credential that opens this workspace."),
        _("Add a credential, or ask a manager of the workspace for one."),
    ),
    crypto.NotEntered: Message(
        _("The secret must be entered again"),
        _(
            "The workspace moved to another address. Nothing is sent there until the credential's secret is entered for it."
        ),
        _("Open the credential and replace its secret, or ask its owner to."),
    ),
    crypto.PlaceChanged: Message(
        _("The workspace's address was changed"),
        _("It was changed outside of the console. No secret is sent there."),
        _("A manager can move the workspace in its settings, or have the change undone. Tell your administrator."),
    ),
    crypto.Changed: Message(
        _("The credential was changed"),
        _("It was changed outside of the console. Its secret is not used."),
        _("Its owner or a manager can replace the secret. Tell your administrator."),
    ),
    CannotOpen: Message(
        _("The credential cannot be opened"),
        _("Its encrypted secret is damaged, or the key that it was encrypted with is gone."),
        _("Delete the credential and add it again, or ask your administrator."),
    ),
    NoAccess: Message(
        _("Page not found"),
        _("The page does not exist, or it belongs to a workspace that you are not a member of."),
        _("Check the link, or ask a manager of the workspace for access."),
    ),
}
_TOO_LARGE = Message(
    _("Too large for the engine"),
    _("What was sent is more than the engine accepts at once. Nothing was changed."),
    _("Send less: a smaller file, or shorter values."),
)
_ANY = Message(
    _("Something went wrong with the engine"),
    _("The engine answered in a way that the console does not know."),
    _("Try again in a moment."),
)
#: While no worker sends a heartbeat.
NO_WORKER = Message(
    _("Background work is not running right now"),
    _(
        "The part of the console that does this is not running. Nothing is lost: it continues automatically once "
        "that part runs again."
    ),
    _("If this continues, tell your administrator."),
)
_NEEDED: dict[Role, Text] = {
    Role.VIEWER: _("This needs the role of a viewer."),
    Role.LAUNCHER: _("This needs the role of a launcher."),
    Role.BUILDER: _("This needs the role of a builder."),
    Role.MANAGER: _("This needs the role of a manager."),
}


def error_message(error: BaseException) -> Message:
    """The text for an engine's error, a missing or undecryptable credential, or a missing right."""
    if isinstance(error, NotAllowed) and not isinstance(error, RightEnded):
        return Message(
            _("You don't have permission"), _NEEDED[error.needed], _("Ask a manager of the workspace for it.")
        )
    if isinstance(error, engine.Refused) and error.status == 413:
        return _TOO_LARGE
    return next((message for kind, message in _ERRORS.items() if isinstance(error, kind)), _ANY)


#: The same errors and their kinds by the names of their classes, for those that were recorded by name.
_NAMED = {kind.__name__: kind for known in _ERRORS for kind in (*known.__subclasses__(), known)}


def recorded_error_message(name: str) -> Message:
    """The text for the error of a class with this name."""
    kind = _NAMED.get(name)
    return next((message for known, message in _ERRORS.items() if kind and issubclass(kind, known)), _ANY)


#: States of runs, in the order of the filter; and states of steps only.
RUN_STATES = runs.STATES
_RUN_OR_STEP = {**RUN_STATES, "STOPPED": Badge(_("Succeeded, ended the run"), "circle-stop", "green")}
FLOW_STATES: dict[str, Badge] = {
    "ENABLED": Badge(pgettext_lazy("flow", "On"), "circle-dot", "green"),
    "DISABLED": Badge(pgettext_lazy("flow", "Off"), "circle-minus", "secondary"),
}


def engine_badge(table: Mapping[str, Badge], state: object) -> Badge:
    """The badge of one of the engine's states; an unknown one is shown as the engine names it, in grey."""
    name = state if isinstance(state, str) else ""
    if name not in table:
        return Badge(name[:60] or _("Not known"), "circle-question-mark", "secondary")
    badge = table[name]
    return Badge(badge.word, badge.icon, badge.colour, badge.moving, own=name)


_NO_TRACE = Badge(Reason.NO_TRACE.label, "search", "orange")


def launch_state(state: object, reason: object = "") -> Badge:
    if state == State.UNKNOWN and reason == Reason.NO_TRACE:
        return _NO_TRACE
    try:
        return State(str(state)).badge
    except ValueError:
        return Badge(str(state)[:60], "circle-question-mark", "secondary")


_CHECKING = Badge(_("Checking whether it ran"), "search", "blue")


def launch_badge(launch: Launch) -> Badge:
    """The badge of a launch: of its state, or of more specific information. Unknown states of runs are shown as the engine
    sends them."""
    if launch.searched_for:
        return _CHECKING
    if launch.waits_for_engine:
        return Badge(_("Kept until %(time)s") % {"time": formats.minute(launch.send_by)}, "hourglass", "secondary")
    if launch.state == State.OTHER and launch.run_status:
        return run_state(launch.run_status)
    return launch_state(launch.state, launch.reason)


#: Said of what is under way for longer than its flow usually takes (launches/services/usual_time.py).
LATE = _("Longer than usual")


def run_state(status: object) -> Badge:
    """The badge of a run's or step's status; an unknown one is shown unchanged, in grey."""
    return engine_badge(_RUN_OR_STEP, status)


def flow_state(status: object) -> Badge:
    return engine_badge(FLOW_STATES, status)

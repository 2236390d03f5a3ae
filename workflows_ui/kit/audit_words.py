"""The audit log in words: what every action, kind of object and outcome is called. A test finds actions that have no words here.

What is done with declared resources takes its words from their declarations (`install`).
"""

from collections.abc import Iterable
from datetime import timedelta

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.kit.resource import Resource
from workflows_ui.kit.words import StateWord, Text
from workflows_ui.models import BEGUN, AuditEvent

#: A write that began so long ago and has no end was cut off.
CUT_OFF = timedelta(minutes=5)

#: Kinds of objects that are not declared resources.
KINDS: dict[str, Text] = {
    "access_request": _("Request to be let in"),
    "audit": _("Audit log"),
    "credential": _("Credential"),
    "fields": pgettext_lazy("of a table", "Column"),
    "form": _("Launch form"),
    "job": _("Job"),
    "invitation": _("Invitation of a colleague"),
    "launch": _("Launch"),
    "launch_right": _("Right to launch"),
    "member": _("Member"),
    "person": _("Person"),
    "records": pgettext_lazy("of a table", "Record"),
    "saved_inputs": _("Saved values"),
    "team": _("Team"),
    "workspace": _("Workspace"),
}
#: Actions that no resource declares.
ACTIONS: dict[str, Text] = {
    "access_request.ask": _("Asked to be let in"),
    "access_request.grant": _("Let somebody in"),
    "access_request.refuse": _("Refused to let somebody in"),
    "access_request.withdraw": _("Took back the request to be let in"),
    "audit.export": _("Took the audit log as a file"),
    "audit.prune": _("Removed old rows of the audit log"),
    "credential.add": _("Added a credential"),
    "credential.destroy_old": _("Destroyed the secret that was replaced"),
    "credential.hand_over": _("Handed a credential over"),
    "credential.remove": _("Deleted a credential"),
    "credential.rename": _("Renamed a credential"),
    "credential.put_back": _("Put the replaced secret back"),
    "credential.renew": _("Renewed a credential"),
    "credential.replace": _("Replaced the secret of a credential"),
    "credential.test": _("Tested a credential"),
    "fields.delete": _("Deleted a column"),
    "fields.edit": _("Changed a column"),
    "fields.new": _("Added a column"),
    "flows.test-cancel": _("Stopped testing a trigger"),
    "form.drop_draft": _("Discarded the draft of a launch form"),
    "form.export": _("Took a launch form as a file"),
    "form.publish": _("Published a launch form"),
    "form.restore": _("Made an old version of a launch form the draft"),
    "form.undo": _("Took back the last change of a launch form"),
    "form.save": _("Changed a launch form"),
    "form.unpublish": _("Withdrew a launch form"),
    "inputs.change": _("Changed saved values"),
    "inputs.delete": _("Deleted saved values"),
    "inputs.save": _("Saved values for later"),
    "invitation.accept": _("Accepted an invitation"),
    "invitation.create": _("Invited a colleague"),
    "invitation.renew": _("Made a new link for an invitation"),
    "invitation.revoke": _("Took back an invitation"),
    "job.ask": _("Asked for a job"),
    "job.begin": _("Started a job"),
    "job.download": _("Took the file of an export"),
    "job.end": _("A job ended"),
    "job.retry": _("Tried what failed of a job again"),
    "job.stop": _("Stopped a job"),
    "launch.ask": _("Launched a flow"),
    "launch.end": _("A launch ended"),
    "launch.settle": _("Decided what became of a launch"),
    "launch.withdraw": _("Took back a launch"),
    "launch_right.change": _("Changed a right to launch"),
    "launch_right.give": _("Gave a right to launch"),
    "launch_right.revoke": _("Withdrew a right to launch"),
    "mcp.reveal": _("Looked at the token of an MCP server"),
    "member.add": _("Added a member"),
    "member.change_role": _("Changed the role of a member"),
    "member.hand_over": _("Handed the managing of a workspace over"),
    "member.remove": _("Removed a member"),
    "person.address_change": _("Changed the e-mail address"),
    "person.create": _("Made an account"),
    "person.deactivate": _("Switched an account off"),
    "person.end_sessions": _("Signed somebody out everywhere"),
    "person.join": _("Made an account by an invitation"),
    "person.passkey_rename": _("Renamed a passkey"),
    "person.password_change": _("Changed the password"),
    "person.password_reset": _("Set a new password by mail"),
    "person.reactivate": _("Switched an account on again"),
    "person.recovery_code_use": _("Used a recovery code"),
    "person.recovery_codes_look": _("Looked at the recovery codes"),
    "person.recovery_codes_make": _("Made new recovery codes"),
    "person.second_step": _("Second step of signing in"),
    "person.second_step_add": _("Set up a second step"),
    "person.second_step_remove": _("Removed a second step"),
    "person.second_step_reset": _("Took the second step away"),
    "person.sessions_end": _("Ended sessions"),
    "person.sign_in": _("Sign-in"),
    "person.single_sign_on_join": _("Joined an account to single sign-on"),
    "person.sign_out": _("Signed out"),
    "records.delete": _("Deleted records"),
    "records.edit": _("Changed a record"),
    "records.new": _("Added a record"),
    "team.add": _("Added somebody to a team"),
    "team.change": _("Changed a team"),
    "team.create": _("Made a team"),
    "team.delete": _("Deleted a team"),
    "team.end_owner": _("Made somebody no longer owner of a team"),
    "team.make_owner": _("Made somebody owner of a team"),
    "team.remove": _("Took somebody out of a team"),
    "workspace.change": _("Changed the settings of the workspace"),
    "workspace.create": _("Made the workspace"),
    "workspace.look": _("Asked what the engine can do"),
}
OUTCOMES: dict[str, StateWord] = {
    "done": StateWord(pgettext_lazy("outcome", "Done"), "circle-check", "green"),
    "refused": StateWord(pgettext_lazy("outcome", "Refused"), "ban", "red"),
    "failed": StateWord(pgettext_lazy("outcome", "Failed"), "circle-xmark", "red"),
    "not_sent": StateWord(pgettext_lazy("outcome", "Not sent"), "circle-minus", "orange"),
    "unclear": StateWord(pgettext_lazy("outcome", "Unclear: it may have happened"), "circle-question", "orange"),
    "works": StateWord(pgettext_lazy("outcome", "Works"), "circle-check", "green"),
    "unreachable": StateWord(pgettext_lazy("outcome", "Engine not reachable"), "plug-circle-xmark", "orange"),
    "ended": StateWord(pgettext_lazy("outcome", "Done"), "circle-check", "green"),
    "stopped": StateWord(pgettext_lazy("outcome", "Stopped"), "circle-stop", "secondary"),
}
_UNDER_WAY = StateWord(pgettext_lazy("outcome", "Under way"), "circle-notch", "blue")
_NO_END = StateWord(pgettext_lazy("outcome", "No end recorded"), "triangle-exclamation", "orange")
#: Words of declared resources by their names, and of their actions.
_kinds: dict[str, Text] = {}
_actions: dict[str, Text] = {}


def install(resources: Iterable[Resource]) -> None:
    """Takes the words of declared resources. Called once, at start."""
    for resource in resources:
        _kinds[resource.name] = resource.label
        for action in resource.actions:
            _actions[f"{resource.name}.{action.name}"] = format_lazy("{}: {}", resource.label, action.label)
        for name, label in (
            (f"{resource.name}.export", _("Taken as a file")),
            (f"{resource.name}.reveal", _("Looked at something hidden")),
        ):
            _actions.setdefault(name, format_lazy("{}: {}", resource.label, label))


def kinds() -> dict[str, Text]:
    """All kinds of objects."""
    return {**KINDS, **_kinds}


def actions() -> dict[str, Text]:
    """All actions."""
    return {**_actions, **ACTIONS}


def kind(name: str) -> Text:
    """A kind of object; one that has no words stays as it is."""
    return KINDS.get(name) or _kinds.get(name) or name


def action(name: str) -> Text:
    """An action; one that has no words stays as it is."""
    return ACTIONS.get(name) or _actions.get(name) or name


def outcome(name: str) -> StateWord:
    """An outcome; one that has no words stays as it is."""
    return OUTCOMES.get(name) or StateWord(name[:60], "circle-question", "secondary")


def outcome_of(event: AuditEvent, end: AuditEvent | None) -> StateWord:
    """The outcome of a row, or of the write that it began."""
    if event.outcome != BEGUN:
        return outcome(event.outcome)
    if end is not None:
        return outcome(end.outcome)
    return _NO_END if cut_off(event, end) else _UNDER_WAY


def cut_off(event: AuditEvent, end: AuditEvent | None) -> bool:
    """Whether a write began so long ago that its end should be recorded, and is not."""
    return event.outcome == BEGUN and end is None and timezone.now() - event.at > CUT_OFF


def who(event: AuditEvent) -> Text:
    """The person as they were called then; the console itself; or whoever was at a browser without being signed in."""
    if event.user_name or event.user_id is not None:
        return event.user_name or str(event.user_id)
    return _("Somebody not signed in") if event.address else _("The console")


def url(event: AuditEvent) -> str:
    """The page of the object that a row is about; "" where there is none. It may be gone."""
    if event.workspace is None:
        return ""
    slug, key = event.workspace.slug, event.object_id
    try:
        if event.object_type in _kinds:
            named = {"slug": slug, "resource": event.object_type}
            return (
                reverse("resource_detail", kwargs={**named, "id": key})
                if key
                else reverse("resource_list", kwargs=named)
            )
        if event.object_type in _PAGES and key:
            name, argument = _PAGES[event.object_type]
            return reverse(name, kwargs={"slug": slug, argument: key})
        if event.object_type in _LISTS:
            return reverse(_LISTS[event.object_type], kwargs={"slug": slug})
    except NoReverseMatch:
        pass  # An id that no address can hold.
    return ""


_PAGES = {
    "launch": ("launch", "id"),
    "credential": ("credential", "credential_id"),
    "job": ("job", "job_id"),
    "invitation": ("invitation", "invitation_id"),
}
_LISTS = {
    "member": "members",
    "access_request": "members",
    "workspace": "workspace_settings",
    "launch_right": "launch_rights",
}

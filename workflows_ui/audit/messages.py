"""Labels of the audit log: actions, kinds of objects and outcomes. A test finds actions without a label.

Actions on declared resources take their labels from the declarations (`install`).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.audit.models import BEGUN, AuditEvent
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.lists.file_formats import FORMATS
from workflows_ui.members.models import Colour, Role
from workflows_ui.notifications.models import Topic
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.web.messages import FLOW_STATES

#: A write without a recorded end counts as interrupted after this time.
CUT_OFF = timedelta(minutes=5)

#: Kinds of objects; declared resources are added by `install`.
KINDS: dict[str, Text] = {
    "access_request": _("Access request"),
    "alarm": _("Alarm"),
    "alarm_channel": _("Channel for alarms"),
    "audit": _("Audit log"),
    "failure_rule": _("Rule for failures"),
    "credential": _("Credential"),
    "failure": _("Failure"),
    "fields": pgettext_lazy("of a table", "Column"),
    "form": _("Launch form"),
    "job": _("Job"),
    "invitation": _("Invitation of a colleague"),
    "launch": _("Launch"),
    "launch_right": _("Launch right"),
    "member": _("Member"),
    "mute": _("Muted notifications"),
    "person": _("Person"),
    "records": pgettext_lazy("of a table", "Record"),
    "report": _("Week report"),
    "run_index": _("Run index"),
    "saved_inputs": _("Saved inputs"),
    "saved_view": _("Saved view"),
    "team": _("Team"),
    "watch": _("Watch"),
    "workspace": _("Workspace"),
}
#: Actions; those of declared resources are added by `install`.
ACTIONS: dict[str, Text] = {
    "access_request.ask": _("Requested access"),
    "access_request.grant": _("Approved an access request"),
    "access_request.refuse": _("Declined an access request"),
    "access_request.withdraw": _("Cancelled an access request"),
    "alarm_channel.add": _("Added a channel for alarms"),
    "alarm_channel.change": _("Changed a channel for alarms"),
    "alarm_channel.remove": _("Removed a channel for alarms"),
    "alarm_channel.send_again": _("Resent messages to a channel"),
    "alarm_channel.test": _("Sent a test message to a channel"),
    "alarm.answer": _("Marked whether an alarm was false"),
    "alarm.mute": _("Muted a type of alarm for a flow"),
    "alarm.unmute": _("Unmuted a type of alarm for a flow"),
    "alarms.export": _("Exported the list of alarms"),
    "audit.export": _("Exported the audit log"),
    "audit.prune": _("Removed old rows of the audit log"),
    "credentials.export": _("Exported the list of credentials"),
    "deleted.export": _("Exported the list of deleted objects"),
    "launch_rights.export": _("Exported the list of launch rights"),
    "members.export": _("Exported the list of members"),
    "notices.export": _("Exported their notifications"),
    "people.export": _("Exported the list of people"),
    "teams.export": _("Exported the list of teams"),
    # The change itself is a job, which a person confirms.
    "connections.replace": _("Connection: Previewed a replacement"),
    "credential.add": _("Added a credential"),
    "credential.destroy_old": _("Destroyed the secret that was replaced"),
    "credential.hand_over": _("Handed over a credential"),
    "credential.pass_on": _("Changed the owner of a credential"),
    "credential.refused": _("Noticed that a credential was changed outside of the console"),
    "credential.ask_share": _("Asked the owner to share a credential"),
    "credential.consent": _("Agreed to share a credential"),
    "credential.refuse": _("Declined to share a credential"),
    "credential.withdraw": _("Revoked the consent to share a credential"),
    "credential.share": _("Shared a credential with teams"),
    "credential.unshare": _("Stopped sharing a credential"),
    "credential.remove": _("Deleted a credential"),
    "credential.rename": _("Renamed a credential"),
    "credential.put_back": _("Restored the previous secret"),
    "credential.renew": _("Renewed a credential"),
    "credential.replace": _("Replaced the secret of a credential"),
    "credential.test": _("Tested a credential"),
    "report.export": _("Exported a week report"),
    "failures.export": _("Exported the list of failures"),
    "failure_rule.add": _("Added a rule for failures"),
    "failure_rule.launch": _("Launched a flow because of a failure"),
    "failure_rule.pause": _("Paused a rule for failures"),
    "failure_rule.remove": _("Removed a rule for failures"),
    "failure_rule.resume": _("Let a rule for failures act again"),
    "failure_rule.stop": _("Stopped a rule for failures"),
    "failure_rule.turn_off": _("Turned a flow off after failures in a row"),
    "failure.assign": _("Assigned a failure"),
    "failure.handle": _("Marked a failure as handled"),
    "failure.hand_over": _("Handed over a failure"),
    "failure.note": _("Noted what to do about a failure"),
    "failure.reopen": _("Reopened a failure"),
    "failure.snooze": _("Snoozed a failure"),
    "failure.vote": _("Answered whether the note on a failure helped"),
    "fields.delete": _("Deleted a column"),
    "fields.edit": _("Changed a column"),
    "fields.new": _("Added a column"),
    "flows.test-cancel": _("Stopped testing a trigger"),
    "flows.restore": _("Restored a deleted flow"),
    "form.drop_draft": _("Discarded the draft of a launch form"),
    "form.export": _("Exported a launch form"),
    "form.hand_over": _("Handed over a launch form"),
    "form.publish": _("Published a launch form"),
    "form.restore": _("Used an old version of a launch form as the draft"),
    "form.undo": _("Undid the last change of a launch form"),
    "form.save": _("Changed a launch form"),
    "form.unpublish": _("Unpublished a launch form"),
    "inputs.change": _("Changed saved inputs"),
    "inputs.delete": _("Deleted saved inputs"),
    "inputs.hand_over": _("Handed over saved inputs"),
    "note.add": _("Added a note"),
    "note.change": _("Changed a note"),
    "note.delete": _("Deleted a note"),
    "inputs.save": _("Saved inputs for later"),
    "invitation.accept": _("Accepted an invitation"),
    "invitation.ask": _("Requested to use an invitation for another address"),
    "invitation.confirm": _("Confirmed a request to use an invitation"),
    "invitation.create": _("Invited a colleague"),
    "invitation.pass_on": _("Handed over an invitation"),
    "invitation.refuse": _("Declined a request to use an invitation"),
    "invitation.renew": _("Created a new link for an invitation"),
    "invitation.revoke": _("Revoked an invitation"),
    "job.ask": _("Requested a job"),
    "job.begin": _("Started a job"),
    "job.download": _("Downloaded an export"),
    "job.end": _("A job ended"),
    "job.retry": _("Tried the failed part of a job again"),
    "job.stop": _("Stopped a job"),
    "jobs.export": _("Exported the list of jobs"),
    "launch.ask": _("Launched a flow"),
    "launch.end": _("A launch ended"),
    "launch.reveal": _("Revealed a hidden value"),
    "launch.settle": _("Resolved a launch"),
    "launch.withdraw": _("Cancelled a launch"),
    "launches.export": _("Exported launches"),
    "launch_right.accept": _("Received a launch right by an invitation"),
    "launch_right.change": _("Changed a launch right"),
    "launch_right.give": _("Gave a launch right"),
    "launch_right.hand_over": _("Handed over responsibility for a launch right"),
    "launch_right.revoke": _("Revoked a launch right"),
    "mute.add": _("Muted notifications for everyone"),
    "mute.end": _("Unmuted notifications for everyone"),
    "mcp.reveal": _("Revealed the token of an MCP server"),
    "member.add": _("Added a member"),
    "member.change_role": _("Changed the role of a member"),
    "member.hand_over": _("Handed over a workspace"),
    "member.remove": _("Removed a member"),
    "person.address_change": _("Changed the email address"),
    "person.create": _("Created an account"),
    "person.deactivate": _("Deactivated an account"),
    "person.end_sessions": _("Signed someone out everywhere"),
    "person.join": _("Created an account from an invitation"),
    "person.passkey_use": _("Used a passkey that may have been copied"),
    "person.passkey_rename": _("Renamed a passkey"),
    "person.password_change": _("Changed the password"),
    "person.password_reset": _("Set a new password by email"),
    "person.reactivate": _("Reactivated an account"),
    "person.recovery_code_use": _("Used a recovery code"),
    "person.recovery_codes_look": _("Viewed the recovery codes"),
    "person.recovery_codes_make": _("Created new recovery codes"),
    "person.second_step": _("Two-factor authentication"),
    "person.second_step_add": _("Set up two-factor authentication"),
    "person.second_step_remove": _("Removed two-factor authentication"),
    "person.second_step_reset": _("Removed two-factor authentication"),
    "person.sessions_end": _("Ended sessions"),
    "person.sign_in": _("Sign-in"),
    "person.single_sign_on_join": _("Joined an account to single sign-on"),
    "person.sign_out": _("Signed out"),
    "records.delete": _("Deleted records"),
    "records.edit": _("Changed a record"),
    "records.new": _("Added a record"),
    "run_index.erase": _("Erased a run from the run index"),
    "run_index.start": _("Started the run index or changed it"),
    "run_index.stop": _("Ended the run index"),
    "tables.restore": _("Restored a deleted table"),
    "team.add": _("Added someone to a team"),
    "team.change": _("Changed a team"),
    "team.create": _("Created a team"),
    "team.delete": _("Deleted a team"),
    "team.end_owner": _("Removed an owner of a team"),
    "team.make_owner": _("Added an owner of a team"),
    "team.remove": _("Removed someone from a team"),
    "watch.end": _("Ended someone's notifications"),
    "watch.hand_over": _("Handed over notifications"),
    "view.change": _("Changed a saved view"),
    "view.delete": _("Deleted a saved view"),
    "view.save": _("Saved a view of a list"),
    "workspace.change": _("Changed the settings of the workspace"),
    "workspace.create": _("Created the workspace"),
    "workspace.look": _("Checked what the engine can do"),
    "workspace.move": _("Moved the workspace to another address"),
    "workspace.refused": _("Noticed that the workspace's address was changed outside of the console"),
}
#: Labels for the values of a row's detail, and for fields of forms that are made for one object. Tests find values without a label.
FIELDS: dict[str, Text] = {
    "action": _("Action"),
    "address": pgettext_lazy("on the network", "Address"),
    "author": _("Written by"),
    "by": _("Requested by"),
    "bytes": _("Size in bytes"),
    "case": _("Match case"),
    "cause": _("Reason"),
    "channel": _("Channel"),
    "causes": _("Name the cause of failures"),
    "causes_in_notices": _("Causes in emails and notifications"),
    "code": _("Error code"),
    "colour": _("Colour bar"),
    "connection": _("Connection"),
    "content": _("Content"),
    "count": _("Number"),
    "counter": _("Counter of the passkey"),
    "counts": _("Numbers"),
    "credential": _("Credential"),
    "credentials_destroyed": _("Keys destroyed"),
    "credentials_shared": _("Credentials that were shared with it"),
    "cut": _("Not all rows"),
    "days": _("Days"),
    "days_off": _("Days off"),
    "description": _("Description"),
    "done": _("Done before that"),
    "edit": _("An edit"),
    "email_proven": _("Email address confirmed"),
    "ends_at": _("Ends"),
    "error": _("Error"),
    "everything": _("All that match the filters"),
    "external_id": _("External ID"),
    "false_alarm": _("False alarm"),
    "failed_flow": _("Flow that failed"),
    "field": _("Field"),
    "fields": _("Fields"),
    "files": _("Files"),
    "filters": _("Filters"),
    "findings": _("Found by the test"),
    "first": _("First value"),
    "flavour": _("Kind of engine"),
    "flow": _("Flow"),
    "folder": _("Folder"),
    "format": _("Format"),
    "group": _("Group"),
    "head": _("Head of the audit chain"),
    "helped": _("The note helped"),
    "hidden_pages": _("Hidden from launchers"),
    "holder": _("Holder"),
    "holder_kind": _("Kind of holder"),
    "host": _("Server"),
    "how": _("How"),
    "ids": _("IDs"),
    "issuer": _("Provider of single sign-on"),
    "job": _("Job"),
    "kept": _("Kept of inputs and outputs"),
    "kept_until": _("Kept until"),
    "kind": _("Kind"),
    "kinds": _("Kinds"),
    "last": _("Last known counter"),
    "launched_flow": _("Flow that is launched"),
    "launch_rights": _("Launch rights"),
    "launching_paused": _("Launching is paused"),
    "left": _("Others are left"),
    "link": _("Link"),
    "list": _("List"),
    "looked": _("Found by checking the engine"),
    "most_launches": _("Number of launches"),
    "name": _("Name"),
    "name_digest": _("Digest of the name that was typed"),
    "note": _("Number of the note"),
    "number": _("Number"),
    "old_kept_until": _("Old secret kept until"),
    "operation_name": _("Operation"),
    "operator": _("Comparison"),
    "owner": _("Owner"),
    "paused": _("Paused"),
    "people": _("People"),
    "person": _("Person"),
    "person_id": _("Number of the account"),
    "piece": _("App"),
    "place": _("Place"),
    "problem": _("Problem"),
    "project": _("Project"),
    "ran": _("It has run"),
    "reasons_asked": _("Asks for reasons"),
    "restored": _("ID of the restored object"),
    "retry_of": _("Earlier job"),
    "role": _("Role"),
    "rows": _("Rows"),
    "rule": _("Rule for failures"),
    "run": _("Run"),
    "runs": _("Most runs"),
    "saved_inputs": _("Saved inputs"),
    "search": _("Search"),
    "second": _("Second value"),
    "second_factor_required": _("Two-factor authentication required"),
    "seen": pgettext_lazy("in the audit log", "Seen"),
    "server": _("MCP server"),
    "shared": _("Shared with colleagues"),
    "sign_in": _("Sign-in"),
    "starter": _("Starter"),
    "state": _("State"),
    "status": _("Status of the answer"),
    "subject": _("Account at the provider"),
    "succeeded": _("Done again although it had succeeded"),
    "successor": _("Successor"),
    "superuser": _("Administrator"),
    "tags": _("Tags"),
    "target": _("Connection that takes over"),
    "team": _("Team"),
    "teams": _("Teams"),
    "to": _("Handed over to"),
    "tool": _("Tool"),
    "tools": _("Tools"),
    "topic": _("Notifications"),
    "unfinished": _("Saved although not finished"),
    "until": _("Until"),
    "used": _("Launches used"),
    "value": _("Value"),
    "values": _("Entered"),
    "values_days": _("Days to keep inputs and outputs"),
    "values_kb": _("Most kB of a run"),
    "version": _("Version"),
    "wait": _("Waits for the answer"),
    "watched": _("Watched"),
    "way": _("Kind of connection"),
    "ways": _("Ways of signing in"),
    "week": _("Week"),
    "which": _("Flow of the file"),
    "why": _("Reason"),
    "words": _("Searchable fields"),
    "workspaces": _("Workspaces"),
}
#: Labels for the choices among these values.
CHOICES: dict[str, dict[str, Text]] = {
    "colour": dict(Colour.choices),
    "format": {key: each.label for key, each in FORMATS.items()},
    "holder_kind": {"person": _("Person"), "team": _("Team"), "invited": _("Invited address")},
    "role": dict(Role.choices),
    "state": {name: badge.word for name, badge in FLOW_STATES.items()},
    "topic": dict(Topic.choices),
}
#: Labels of the fields of declared actions' forms, by action.
_FORM_FIELDS: dict[str, Mapping[str, Text]] = {}
#: A field of a row of a form: its name, and the number of the row.
_OF_ROW = re.compile(r"([a-z]+)([0-9]+)")
OUTCOMES: dict[str, Badge] = {
    "done": Badge(pgettext_lazy("outcome", "Done"), "circle-check", "green"),
    "refused": Badge(pgettext_lazy("outcome", "Refused"), "ban", "red"),
    "failed": Badge(pgettext_lazy("outcome", "Failed"), "circle-x", "red"),
    "cancelled": Badge(pgettext_lazy("outcome", "Cancelled"), "ban", "secondary"),
    "not_sent": Badge(pgettext_lazy("outcome", "Not sent"), "circle-minus", "orange"),
    "partly": Badge(pgettext_lazy("outcome", "Done in part"), "triangle-alert", "orange"),
    "not_done": Badge(pgettext_lazy("outcome", "Not done"), "circle-minus", "secondary"),
    "unclear": Badge(pgettext_lazy("outcome", "Unclear: it may have happened"), "circle-question-mark", "orange"),
    "other": Badge(pgettext_lazy("outcome", "Unknown state"), "circle-question-mark", "secondary"),
    "works": Badge(pgettext_lazy("outcome", "Works"), "circle-check", "green"),
    "unreachable": Badge(pgettext_lazy("outcome", "Engine not reachable"), "unplug", "orange"),
    "ended": Badge(pgettext_lazy("job", "Finished"), "circle-check", "green"),
    "stopped": Badge(pgettext_lazy("outcome", "Stopped"), "circle-stop", "secondary"),
}
_UNDER_WAY = Badge(pgettext_lazy("outcome", "Under way"), "loader-circle", "blue")
_NO_END = Badge(pgettext_lazy("outcome", "No end recorded"), "triangle-alert", "orange")
#: Names of declared resources.
_resources: set[str] = set()


def install(resources: Iterable[Resource]) -> None:
    """Take the labels of declared resources. Called once, at start-up."""
    for resource in resources:
        _resources.add(resource.name)
        KINDS.setdefault(resource.name, resource.label)
        actions = (*resource.actions, *resource.job_actions)
        for action in actions:
            fields = action.form.base_fields if action.form else {}
            labelled = {name: field.label for name, field in fields.items() if field.label}
            _FORM_FIELDS.setdefault(f"{resource.name}.{action.name}", labelled)
        labels = {action.name: action.label for action in actions}
        labels = {"export": _("Exported"), "reveal": _("Revealed a hidden value"), **labels}
        for name, label in labels.items():
            ACTIONS.setdefault(f"{resource.name}.{name}", format_lazy("{}: {}", resource.label, label))


def kind(name: str) -> Text:
    return KINDS.get(name, name)


def action(name: str) -> Text:
    return ACTIONS.get(name, name)


def field(name: str, action: str = "") -> Text:
    """The label of a detail, or of a field of an action's form; its name without a label, as of an app's own fields."""
    label = _FORM_FIELDS.get(action, {}).get(name) or FIELDS.get(name)
    if label is None and (of_row := _OF_ROW.fullmatch(name)) and of_row[1] in FIELDS:
        label = format_lazy("{} {}", FIELDS[of_row[1]], of_row[2])
    return label or name


def object_name(event: AuditEvent) -> Text:
    """The recorded name of the object, else its id; a job is named by its action."""
    name = event.object_name or event.object_id
    if event.object_type != "job":
        return name
    # A job without an action is an export.
    return action(f"{name}export" if name.endswith(".") else name)


def outcome(name: str) -> Badge:
    """The badge of an outcome; one without a label shows its name."""
    return OUTCOMES.get(name) or Badge(name[:60], "circle-question-mark", "secondary")


def event_outcome(event: AuditEvent, end: AuditEvent | None) -> Badge:
    last = end or event
    if last.outcome != BEGUN:
        return outcome(last.outcome)
    return _NO_END if cut_off(event, end) else _UNDER_WAY


def cut_off(event: AuditEvent, end: AuditEvent | None) -> bool:
    """Whether a write has no recorded end after CUT_OFF."""
    return event.outcome == BEGUN and end is None and timezone.now() - event.at > CUT_OFF


def actor_label(event: AuditEvent) -> Text:
    """The recorded name of the person, or a label for the console or for an anonymous visitor."""
    if event.user_name or event.user_id is not None:
        return event.user_name or str(event.user_id)
    return _("Someone not signed in") if event.address else _("The console")


def url(event: AuditEvent) -> str:
    """The URL of the row's object, or "". The object may no longer exist."""
    if event.workspace is None:
        return ""
    slug, key = event.workspace.slug, event.object_id
    try:
        if event.object_type in _resources:
            if key:
                return reverse("resource_detail", args=[slug, event.object_type, key])
            return reverse("resource_list", args=[slug, event.object_type])
        if event.object_type in _PAGES and key:
            return reverse(event.object_type, args=[slug, key])
        if event.object_type in _LISTS:
            return reverse(_LISTS[event.object_type], args=[slug])
    except NoReverseMatch:
        pass  # An id that does not fit the URL pattern.
    return ""


#: Kinds whose name is also the name of their page's URL, and kinds that are shown in a list.
_PAGES = {"launch", "credential", "failure", "failure_rule", "job", "invitation"}
_LISTS = {
    "report": "report",
    "run_index": "run_index",
    "member": "members",
    "access_request": "members",
    "workspace": "workspace_settings",
    "launch_right": "launch_rights",
}

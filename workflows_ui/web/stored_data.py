"""What the tables of the database contain, in a line each: the folded part of the first page of /admin/, grouped by feature."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Model
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from workflows_ui.core.text import Text

#: Models by feature, in the order of the page: the label of the model in lower case, and what a row is.
_FEATURES: tuple[tuple[Text, dict[str, Text]], ...] = (
    (
        _("People and sign-in"),
        {
            "workflows_ui.user": _("A person's account, language and time zone."),
            "workflows_ui.identity": _("A person's account at the single sign-on provider."),
            "workflows_ui.knownbrowser": _("A browser in which a person has signed in before."),
            "workflows_ui.passkeycounter": _("How often a passkey was used, to detect a copy of it."),
        },
    ),
    (
        _("Workspaces and teams"),
        {
            "workflows_ui.workspace": _("One project on one engine."),
            "workflows_ui.member": _("The role of a person or team in a workspace."),
            "auth.group": _("A team: people who share credentials and rights."),
            "workflows_ui.teamprofile": _("What a team is for."),
            "workflows_ui.teamowner": _("A person who adds people to a team and removes them."),
            "workflows_ui.colleagueinvitation": _("An invitation to a workspace, open, accepted or revoked."),
            "workflows_ui.invitationrequest": _("Someone wants to use an invitation with another address."),
            "workflows_ui.accessrequest": _("A person's request to join a workspace, and the decision."),
            "workflows_ui.launchright": _("The right to launch one flow, with its limits."),
        },
    ),
    (
        _("Credentials and engines"),
        {
            "workflows_ui.credential": _("A person's credential for a workspace, with the result of its last test."),
            "workflows_ui.credentialshare": _("A credential that a team uses, or a request for it."),
            "workflows_ui.credentialsecret": _("When a secret was replaced, and how long it can be restored."),
            "workflows_ui.credentialreminder": _("A reminder that a credential ends, already sent."),
            "workflows_ui.capability": _("What the engine of a workspace can do."),
            "workflows_ui.inspection": _("When the capabilities of an engine are determined next."),
        },
    ),
    (
        _("Launches"),
        {
            "workflows_ui.launch": _("One request to run a flow, and its state."),
            "workflows_ui.launchfile": _("The size of a file sent with a launch."),
            "workflows_ui.launchinput": _("A value that a launch can be found by."),
            "workflows_ui.launchword": _("A word of a launch, as a hash, for the search."),
            "workflows_ui.launchtext": _("The words of a launch, for the search for parts of words."),
            "workflows_ui.runretry": _("A run that a person started again."),
            "workflows_ui.follow": _("How far the runs of a workspace's launches are followed."),
            "workflows_ui.unclearwrite": _("A change whose outcome at the engine is not known yet."),
        },
    ),
    (
        _("Launch forms"),
        {
            "workflows_ui.launchform": _("The form of a flow."),
            "workflows_ui.launchformversion": _("A published version of a form."),
            "workflows_ui.savedinputs": _("Inputs that a person saved under a name."),
        },
    ),
    (
        _("Jobs and changes of flows"),
        {
            "workflows_ui.job": _("A bulk action or an export."),
            "workflows_ui.jobitem": _("One object of a bulk action, and its outcome."),
            "workflows_ui.jobpart": _("A part of the file of an export."),
            "workflows_ui.flowedit": _("An edit of a flow that can be undone."),
            "workflows_ui.deletedobject": _("A deleted flow or table that can be restored."),
        },
    ),
    (
        _("Run index and failures"),
        {
            "workflows_ui.runindex": _("The settings of a workspace's run index, and how far it has been read."),
            "workflows_ui.indexedrun": _("A run, with its state and times."),
            "workflows_ui.runvalues": _("That the values of a run are kept, and since when."),
            "workflows_ui.runword": _("A word of a run, as a hash, for the search."),
            "workflows_ui.runtext": _("The words of a run, for the search for parts of words."),
            "workflows_ui.indexedkind": _("How far flows, connections or tables have been read."),
            "workflows_ui.indexedobject": _("A flow, connection, table, folder or MCP server."),
            "workflows_ui.objectuse": _("A step of a flow that uses another object."),
            "workflows_ui.failurepattern": _("What people did about a failure that repeats."),
            "workflows_ui.notevote": _("Whether the note on a failure helped someone."),
            "workflows_ui.failurerule": _("What happens automatically when a flow fails."),
            "workflows_ui.failure": _("A failure for which a workspace has a rule."),
            "workflows_ui.failureaction": _("What a rule did about a failure."),
        },
    ),
    (
        _("Alarms"),
        {
            "workflows_ui.alarm": _("A flow that is late, quiet, slow or failing, with its beginning and end."),
            "workflows_ui.alarmmute": _("A kind of alarm that is not wanted for a flow."),
            "workflows_ui.alarmchannel": _("A chat or server to which alarms are sent."),
            "workflows_ui.alarmdelivery": _("A message to a channel, and whether it arrived."),
            "workflows_ui.alarmwatch": _("When the flows of a workspace are checked next."),
            "workflows_ui.flowrhythm": _("How often a flow usually runs."),
        },
    ),
    (
        _("Notifications and personal choices"),
        {
            "workflows_ui.notice": _("A notification to a person."),
            "workflows_ui.watch": _("What a person wants to be notified about."),
            "workflows_ui.defaultwatch": _("That a person was subscribed to a flow once, without asking."),
            "workflows_ui.mute": _("What a person or workspace is not notified of, and until when."),
            "workflows_ui.watchpoll": _("When the watched flows of a workspace are checked next."),
            "workflows_ui.note": _("Who wrote a note on which object."),
            "workflows_ui.favourite": _("A flow at the top of a person's home page."),
            "workflows_ui.visit": _("A person's last visits to a home page, and how they arranged it."),
            "workflows_ui.savedview": _("Filters, order and columns of a list, saved under a name."),
            "workflows_ui.listchoice": _("The columns that a person chose for a list."),
        },
    ),
    (
        _("Audit log and upkeep"),
        {
            "workflows_ui.auditevent": _("Who did what to which object, when, and with what outcome."),
            "workflows_ui.auditchain": _("The signed end of the audit log."),
            "workflows_ui.auditcheckpoint": _("Up to where old rows of the audit log were removed."),
            "workflows_ui.expiringvalue": _("Short-lived counters and tickets, such as those of sign-ins."),
        },
    ),
)
#: What a row of each model is, by the model's label in lower case.
DESCRIPTIONS: dict[str, Text] = {
    label: description for _title, models in _FEATURES for label, description in models.items()
}
#: Names of models that would be unclear beside those of others.
_NAMES: dict[str, Text] = {
    "auth.group": _("Teams"),
    "workflows_ui.teamprofile": _("Descriptions of teams"),
    "workflows_ui.alarmdelivery": _("Messages to alarm channels"),
    "workflows_ui.mute": _("Muted notifications"),
}


@dataclass(frozen=True)
class Table:
    """The list of a model: its name, its address, and what a row is."""

    name: Text
    url: str
    description: Text


@dataclass(frozen=True)
class Feature:
    """The tables of a feature."""

    title: Text
    tables: Sequence[Table]


def features(models: Iterable[type[Model]]) -> list[Feature]:
    """The lists of these models by feature. A model without a description comes last, with its name only."""
    by_label = {_label(model): model for model in models}
    groups = [
        Feature(title, [_table(by_label[label]) for label in rows if label in by_label]) for title, rows in _FEATURES
    ]
    others = [_table(model) for label, model in by_label.items() if label not in DESCRIPTIONS]
    return [*groups, Feature(_("Other"), others)] if others else groups


def list_url(model: type[Model]) -> str:
    """The address of the list of a model's rows in /admin/."""
    return reverse(f"admin:{_label(model).replace('.', '_')}_changelist")


def row_url(row: Model) -> str:
    """The address of a row in /admin/."""
    return reverse(f"admin:{_label(type(row)).replace('.', '_')}_change", args=[row.pk])


def _label(model: type[Model]) -> str:
    return model._meta.label_lower  # noqa: SLF001  (documented by Django as public)


def _table(model: type[Model]) -> Table:
    label = _label(model)
    name = model._meta.verbose_name_plural or label  # noqa: SLF001
    return Table(_NAMES.get(label) or capfirst(name), list_url(model), DESCRIPTIONS.get(label, ""))

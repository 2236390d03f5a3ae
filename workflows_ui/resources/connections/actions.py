"""Actions on connections: replace the secret, replace by another connection, rename, delete."""

import json
from typing import TypedDict, Unpack

from django import forms
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _, ngettext_lazy

from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import formats
from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.paths import text_at
from workflows_ui.core.text import filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.flow_editing import replacement_job
from workflows_ui.jobs.services import jobs
from workflows_ui.members.services import access
from workflows_ui.pieces import connections as connection_list
from workflows_ui.resource_admin.actions import delete_action, rename_action
from workflows_ui.resource_admin.places import object_url
from workflows_ui.resource_admin.resource import Action, Affected, Bulk, Row, Text
from workflows_ui.resources.connections import connecting, testing
from workflows_ui.run_index.services import uses
from workflows_ui.run_index.services.object_rows import FLOWS, SERVERS
from workflows_ui.usage import usage

_LONGEST = 200
_UNUSED = _("No flow uses it.")


def _editable(row: Row) -> bool:
    """Connections of the platform are managed in the engine: it accepts a delete and keeps them (api.md 10.2)."""
    return row.get("scope") != "PLATFORM"


class RenameForm(forms.Form):
    name = forms.CharField(label=_("New name"), max_length=_LONGEST)


class ReplaceData(TypedDict):
    """The cleaned data of a ReplaceForm: the id of the connection that takes over."""

    target: str


class ReplaceForm(forms.Form):
    """The connection of the same app that takes over."""

    def __init__(self, *, session: EngineSession, row: Row, **arguments: Unpack[FormArguments]) -> None:
        super().__init__(**arguments)
        same_app = connection_list.choices(connection_list.connections_of_app(session, str(row.get("pieceName"))), "id")
        listed = [choice for choice in same_app if choice[0] != row.get("id")]
        self.fields["target"] = forms.ChoiceField(
            label=_("Connection that takes over"),
            choices=[("", "–"), *listed],
            help_text="" if listed else _("There is no other connection of this app. Connect the app again first."),
        )


def _flows_affected(session: EngineSession, row: Row, none: Text = _UNUSED) -> Affected:
    return usage.affected(session, "connections", row, none)


def _replacement_impact(session: EngineSession, row: Row) -> Affected:
    """The flows that use a connection, and the MCP servers, which keep it."""
    affected = _flows_affected(session, row, none=_("No flow uses it: nothing would change."))
    if uses.as_of(session):
        return affected
    servers = replacement_job.servers_using(session, text_at(row, "externalId"))[0]
    if not servers:
        return affected
    text = ngettext_lazy("%(count)d MCP server uses it.", "%(count)d MCP servers use it.", len(servers))
    slug = session.workspace.slug
    lines = [(text_at(server, "name"), object_url(slug, SERVERS, text_at(server, "id"))) for server in servers]
    summary = format_lazy("{} {}", affected.summary, filled(text, count=len(servers)))
    return Affected(summary, [*affected.lines, *lines])


def _replace(session: EngineSession, id: str, typed: ReplaceData) -> str:
    """Create the job and return its id. The engine's own call publishes drafts and turns flows on (recordings `conn_replace_off_*`)."""
    old, new = connection_list.find_connection(session, id), connection_list.find_connection(session, typed["target"])
    if new["id"] == old["id"] or new.get("pieceName") != old.get("pieceName"):
        text = _("Only another connection of the same app can take over. Nothing was changed.")
        raise forms.ValidationError({"target": text})
    _require_flows(session, old)
    person = get_user_model().objects.get(pk=session.user_id)
    job = jobs.ask(
        Actor(person),
        access.access_for(person, session.workspace.slug),
        resource="flows",
        action=replacement_job.NAME,
        look=True,
        data=json.dumps(replacement_job.asked(old, new)),
        resumes=True,
    )
    return job.pk


def _require_flows(session: EngineSession, row: Row) -> None:
    """Raise ValidationError if no flow uses a connection: a job would have nothing to do. Raises EngineError."""
    known = usage.find_users(session, "connections", text_at(row, "id"), row, now=True)
    external = text_at(row, "externalId")
    if not known.complete or any(line.kind == FLOWS for line in known.lines):
        return
    named, complete = replacement_job.users(session, external, lambda: None)
    if named or not complete:
        return
    text = _(
        "No flow uses “%(name)s”, so there is nothing to change. Nothing was started. “Delete” on its page removes it."
    )
    if replacement_job.servers_using(session, external)[0]:
        text = _(
            "No flow uses “%(name)s”, so there is nothing to change. Nothing was started. The MCP servers named below act with it: choose "
            "the other connection for their tools. After that, “Delete” on its page removes it."
        )
    raise forms.ValidationError(text % {"name": formats.cut(text_at(row, "displayName"))})


def _delete(session: EngineSession, id: str, _typed: dict[str, object]) -> None:
    session.workflows.delete_connection(id)
    usage.forget(session)


RENEW = Action(
    name="replace-secret",
    label=_("Replace the secret"),
    icon="key-round",
    form=connecting.SecretForm,
    run=lambda session, key, typed: connecting.renew(session, connection_list.find_connection(session, key), typed),
    confirm=_(
        "The old secret is removed from the engine at once. The name stays, and flows that use the connection "
        "continue with the new secret. The engine tests it at the app first, which may take some seconds."
    ),
    impact=_flows_affected,
    button=_("Replace the secret of “%(name)s”"),
    visible=lambda row: _editable(row) and row.get("type") != "NO_AUTH",
    primary=lambda row: row.get("status") in ("ERROR", "MISSING"),
    done=_("The new secret is in use."),
    in_rows=True,
)
REPLACE = Action(
    name="replace",
    label=_("Use another one instead"),
    icon="arrow-right-left",
    form=ReplaceForm,
    run=_replace,
    confirm=_(
        "The flows that use “%(name)s” use the connection you choose from then on, in what is live and in their drafts. First the console "
        "looks at all flows and says what happens to each; nothing changes before you confirm that. MCP servers keep the connection "
        "that they act with."
    ),
    impact=_replacement_impact,
    button=_("See what would change"),
    success_url=lambda slug, _row, job: reverse("job", args=[slug, job]),
)
RENAME = rename_action(
    lambda session, key, typed: session.workflows.rename_connection(key, typed["name"]),
    form=RenameForm,
    initial=lambda row: {"name": text_at(row, "displayName")},
    visible=_editable,
    done=_("The connection is renamed."),
)
DELETE = delete_action(
    _delete,
    confirm=_(
        "The engine deletes “%(name)s” and its secret. Flows that use it fail from then on. At the "
        "app, the secret stays valid until it is revoked there."
    ),
    impact=_flows_affected,
    button=_("Delete the connection “%(name)s”"),
    visible=_editable,
    done=_("The connection is deleted."),
    bulk=Bulk(
        _(
            "The engine deletes the connections and their secrets. Flows that use them fail from then "
            "on. At the apps, the secrets stay valid until they are revoked there."
        )
    ),
)
ALL = (RENEW, testing.TEST, REPLACE, RENAME, DELETE)

"""The job that makes flows use another connection: which flows, what happens to each, and the old connection at the end."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypedDict

from django import forms
from django.utils.translation import gettext, gettext_lazy as _

from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import formats
from workflows_ui.core.form_arguments import Cleaned
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.text import Text, deferred, filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Forbidden, NoRoute, NotFound, NotInPlan
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flow_editing.connection_replacement import Change, lost_samples, plan, replace_in_flow, samples_text
from workflows_ui.flows import pages
from workflows_ui.jobs.services.jobs import UNDOES, Reason
from workflows_ui.jobs.services.turns import Progress
from workflows_ui.members.models import Workspace
from workflows_ui.pieces import connections
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.actions import Action, Affected, Bulk, Procedure
from workflows_ui.resource_admin.resource import Row
from workflows_ui.run_index.services.object_rows import CONNECTIONS, LONGEST, Use, uses_of_flow, uses_of_server
from workflows_ui.usage import usage

NAME = "replace-connection"
_LEFT = _("Left as it is: %(why)s")


class ReplacementForm(forms.Form):
    """What happens to the old connection, and to flows that lose something."""

    lossy = forms.BooleanField(
        label=_("Also change flows that lose something"),
        required=False,
        help_text=_("Unless selected, they are left as they are. What they lose is listed above."),
    )
    delete = forms.BooleanField(
        label=_("Delete the old connection at the end"),
        required=False,
        help_text=_(
            "Only if all flows succeed, and a new look finds no flow and no MCP server that uses it. It cannot be undone: the secret is "
            "gone."
        ),
    )


def asked(old: Row, new: Row, **more: object) -> dict[str, object]:
    """The data of a job: the ids of the connections, and their external ids, by which steps name them."""
    return {
        "old": text_at(old, "id"),
        "new": text_at(new, "id"),
        "change": [text_at(old, "externalId"), text_at(new, "externalId")],
        "names": [text_at(old, "displayName"), text_at(new, "displayName")],
        **more,
    }


def _change(data: Cleaned, undone: Cleaned | None = None) -> Change:
    old, new = data["change"]
    return Change(old, new, None if undone is None else undone.get("steps", {}))


def users(session: EngineSession, external: str, hold: Callable[[], None]) -> tuple[list[tuple[str, str]], bool]:
    """The flows whose newest or published version names a connection, as (id, name), and whether all flows were seen. Raises EngineError.

    One call for each flow whose newest version is not the published one and does not name it.
    """

    def reduced(row: Row) -> _Reduced:
        flow, named = Flow(row), _is_named(uses_of_flow(row), external)
        return {"id": flow.id, "name": flow.version.display_name, "named": named, "other": flow.has_draft}

    hold()
    rows, complete = pages.all_flows(session, reduced)
    found = []
    for row in rows:
        if not row["named"] and row["other"]:
            hold()
            row["named"] = _live_names(session, row["id"], external)
        if row["named"]:
            found.append((row["id"], row["name"]))
    return found, complete


class _Reduced(TypedDict):
    """A flow: whether its newest version names the connection, and whether another version runs."""

    id: str
    name: str
    named: bool
    other: bool


def _live_names(session: EngineSession, flow_id: str, external: str) -> bool:
    try:
        published = text_at(session.workflows.get_flow(flow_id), "publishedVersionId")
        flow = session.workflows.get_flow(flow_id, published)
    except NotFound:
        return False
    return _is_named(uses_of_flow(flow), external)


def _is_named(uses: Iterable[Use], external: str) -> bool:
    return any(use.kind == CONNECTIONS and use.key == external[:LONGEST] for use in uses)


def servers_using(session: EngineSession, external: str) -> tuple[Sequence[Row], bool]:
    """The MCP servers that act with a connection, and whether the engine shows all of them. Raises EngineError."""
    try:
        answer = session.workflows.list_mcp_servers(limit=whole_lists.AT_ONCE)
    except (NoRoute, NotInPlan):
        return [], True
    except Forbidden:
        return [], False
    found = [server for server in whole_lists.rows_of(answer) if _is_named(uses_of_server(server), external)]
    return found, not whole_lists.following(answer)


def _collect(session: EngineSession, data: Cleaned, hold: Callable[[], None]) -> tuple[list[tuple[str, str]], bool]:
    hold()
    for key in ("old", "new"):
        connections.find_connection(session, data[key])
    return users(session, data["change"][0], hold)


def _missing(session: EngineSession, data: Cleaned) -> Text:
    """Why flows cannot use the new connection: it was deleted; "" if it is there. Raises EngineError."""
    try:
        connections.find_connection(session, data["new"])
    except NotFound:
        return filled(_("The connection “%(name)s” is no longer there."), name=formats.cut(data["names"][1]))
    return ""


def _impact(session: EngineSession, row: Row, data: Cleaned) -> Affected:
    """What happens to a flow, or why nothing does."""
    flow = session.workflows.get_flow(text_at(row, "id"))
    if missing := _missing(session, data):
        return Affected(filled(_LEFT, why=missing))
    try:
        planned = plan(session, flow, _change(data))
    except forms.ValidationError as problem:
        return Affected(filled(_LEFT, why=deferred(partial(_messages, problem))))
    if titles := lost_samples(flow, planned):
        text = _("Left as it is, unless you choose otherwise below: %(why)s")
        return Affected(filled(text, why=deferred(partial(samples_text, titles))), choice="lossy")
    return Affected(deferred(lambda: " ".join(_sentences(flow, planned))))


def _messages(problem: forms.ValidationError) -> str:
    return " ".join(problem.messages)


def _sentences(flow: Row, planned: Mapping[str, object]) -> list[str]:
    if not planned["published"]:
        return [gettext("Only its draft changes. It was never published, and stays so.")]
    if not planned["live"]:
        if not planned["draft"]:
            return [gettext("It does not use the connection any more, and stays as it is.")]
        return [gettext("Only its draft changes: the published version does not use the connection.")]
    if planned["status"] == "ENABLED":
        text = gettext(
            "It is published again with the same steps and stays on. Its trigger “%(trigger)s” registers again, which may miss or repeat "
            "what happens in that moment."
        )
        said = [text % {"trigger": formats.cut(text_at(dict_at(flow, "version"), "trigger.displayName"), 60)}]
    else:
        said = [gettext("What is published changes, with the same steps, and it stays off.")]
    if planned["newest"] != planned["published"]:
        said.append(gettext("Its draft stays a draft; its version gets a new number."))
    return said


def _run(session: EngineSession, id: str, data: Cleaned) -> None:
    progress: Progress = data["progress"]
    undone = progress.of_job(data[UNDOES]) if data.get(UNDOES) else None
    missing = str(_missing(session, data))
    replace_in_flow(session, id, _change(data, undone), progress, lossy=bool(data.get("lossy")), missing=missing)


def _finish(session: EngineSession, data: Cleaned, actor: Actor, succeeded: bool) -> str:
    """Delete the old connection, if that was asked for and nothing refers to it."""
    usage.forget(session)
    if not data.get("delete"):
        return ""
    if not succeeded:
        return Reason.STILL_THERE
    pages.forget(session)
    named, complete = users(session, data["change"][0], lambda: None)
    if named or not complete:
        return Reason.STILL_THERE
    servers, all_shown = servers_using(session, data["change"][0])
    if servers or not all_shown:
        return Reason.USED_BY_SERVER
    try:
        row = connections.find_connection(session, data["old"])
    except NotFound:
        return ""
    event = audit_log.begin(
        actor,
        "connections.delete",
        workspace=session.workspace,
        object_type="connections",
        object_id=text_at(row, "id"),
        object_name=text_at(row, "displayName"),
        credential=session.credential_id,
    )
    try:
        session.workflows.delete_connection(data["old"])
    except EngineError:
        # Only a look says whether it was done.
        try:
            connections.find_connection(session, data["old"])
        except NotFound:
            audit_log.end(event)
            return ""
        audit_log.end(event, "unclear")
        return Reason.STILL_THERE
    audit_log.end(event)
    return ""


def _reversed(data: Cleaned) -> dict[str, object]:
    return {
        "old": data["new"],
        "new": data["old"],
        "change": data["change"][::-1],
        "names": data["names"][::-1],
    }


def _final(workspace: Workspace, data: Cleaned) -> str:
    """Why the job cannot be undone: the old connection was deleted here. A deletion elsewhere shows when the flows are looked at."""
    deleted = AuditEvent.objects.filter(
        workspace=workspace,
        object_type="connections",
        object_id=data["old"],
        action="connections.delete",
        outcome="done",
    )
    if not deleted.exists():
        return ""
    text = gettext("It cannot be undone, since the connection “%(name)s” was deleted.")
    return text % {"name": formats.cut(data["names"][0])}


def _subject(data: Cleaned) -> str:
    old, new = (formats.cut(name) for name in data["names"])
    return gettext("“%(new)s” takes the place of “%(old)s”.") % {"old": old, "new": new}


REPLACE_CONNECTION = Action(
    NAME,
    _("Use another connection instead"),
    "arrow-right-left",
    _run,
    form=ReplacementForm,
    bulk=Bulk(
        _(
            "In each of these flows, the steps use the other connection from then on: in the published version and in the draft. Nothing "
            "else changes: a flow that was never published stays so, one that is off stays off, and a draft stays a draft. The old "
            "connection stays until all flows have succeeded, so this can be undone on the page of this job."
        ),
        procedure=Procedure(_collect, _impact, _finish, _subject, _reversed, _final, choices=frozenset({"lossy"})),
    ),
)

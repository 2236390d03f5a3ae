"""Reading flows as the engine sends them, with missing or malformed parts: name, trigger, draft, folder, connections."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Forbidden, NotFound, NotInPlan
from workflows_ui.resource_admin.resource import Row, pick
from workflows_ui.resources import whole_lists
from workflows_ui.resources.connections import reading as connection_list
from workflows_ui.web import formats, messages
from workflows_ui.web.paths import text_at, texts_at

#: The cache name of folders (credentials.services.engine_session), seconds in the cache, and maximum length.
FOLDERS, _FOLDERS_FOR, _LONGEST = "folders", 60, 200
CONNECTIONS = "connection-names"
#: Permanent refusals: cached as empty, so that a page that only wants names does not call the engine at each request.
REFUSALS = (Forbidden, NotFound, NotInPlan)


def folder_names(session: EngineSession) -> dict[str, str]:
    """Names of the workspace's folders by id, at most a minute old; empty if the engine does not give them."""

    def ask() -> dict[str, str]:
        rows = whole_lists.rows_of(session.workflows.list_folders(limit=whole_lists.AT_ONCE))
        return {str(row["id"]): _visible_name(row.get("displayName"), str(row["id"])) for row in rows if row.get("id")}

    nothing: dict[str, str] = {}
    return session.remember_or(nothing, FOLDERS, _FOLDERS_FOR, ask)


def connection_names(session: EngineSession) -> dict[str, tuple[str, str]]:
    """(id, name) of the workspace's connections by the external id that flows use; empty if the engine does not give
    them, or if a quick session would need a call.
    """

    def ask() -> dict[str, tuple[str, str]]:
        try:
            rows, _following = connection_list.chunk(session, "")
        except REFUSALS:
            return {}
        listed = [(row.get("externalId"), row.get("id"), row.get("displayName")) for row in rows]
        return {
            external: (key if isinstance(key, str) else "", _visible_name(name, external))
            for external, key, name in listed
            if isinstance(external, str) and external
        }

    nothing: dict[str, tuple[str, str]] = {}
    return session.decorate(nothing, CONNECTIONS, _FOLDERS_FOR, ask)


def _visible_name(name: Any, key: str) -> str:
    """A visible name, else the key."""
    return name[:_LONGEST] if formats.visible(name) else key


def name_of(flow: Row) -> str:
    """A flow's name, which is in its version; empty without one."""
    return text_at(flow, "version.displayName")


def trigger_of(flow: Row) -> Any:
    """The trigger, the root of its steps."""
    return pick(flow, "version.trigger")


def tags_of(flow: Row) -> list[str]:
    """The tags, the one part of a flow's metadata that the engine itself reads (api.md 6.1)."""
    return texts_at(flow, "metadata.tags")


def has_draft(flow: Row) -> bool:
    """Whether there are unpublished changes (api.md 6.2)."""
    published = flow.get("publishedVersionId")
    return bool(published) and published != pick(flow, "version.id")


def deleting(flow: Row) -> bool:
    """Whether the engine is about to delete it (recording `flow_del_03_get_right_after`)."""
    return flow.get("operationStatus") == "DELETING"


def state_note(flow: Row) -> messages.Text:
    """A message in addition to on and off."""
    if deleting(flow):
        return _("Being deleted")
    if not flow.get("publishedVersionId"):
        return _("Never published")
    return _("Has changes that are not published") if has_draft(flow) else ""


def table_of(step: Any) -> str:
    """The id or external id by which a step names the table that it reads or writes; "" for other steps."""
    if not str(pick(step, "settings.pieceName")).endswith("/piece-tables"):
        return ""
    return text_at(step, "settings.input.table_id")

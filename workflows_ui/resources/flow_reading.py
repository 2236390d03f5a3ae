"""Reading flows as the engine sends them, whatever is missing or odd in them: name, trigger, draft, folder, connections."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from workflows_ui.engine import Forbidden, NotFound, NotInPlan
from workflows_ui.kit import show, words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, pick
from workflows_ui.resources import connection_list, whole_lists

#: What folders are remembered as (kit.caller.Caller.remember), for so many seconds.
FOLDERS, _FOLDERS_FOR, _LONGEST = "folders", 60, 200
CONNECTIONS = "connection-names"
#: What will be answered again next time: remembered as nothing, so that a page that only wants names does not ask at each look.
REFUSALS = (Forbidden, NotFound, NotInPlan)


def folder_names(caller: Caller) -> dict[str, str]:
    """Names of the workspace's folders by id, at most a minute old; none where the engine does not give them."""

    def ask() -> dict[str, str]:
        rows = whole_lists.rows_of(caller.workflows.list_folders(limit=whole_lists.AT_ONCE))
        return {str(row["id"]): _named(row.get("displayName"), str(row["id"])) for row in rows if row.get("id")}

    nothing: dict[str, str] = {}
    return caller.remember_or(nothing, FOLDERS, _FOLDERS_FOR, ask)


def connection_names(caller: Caller) -> dict[str, tuple[str, str]]:
    """(id, name) of the workspace's connections by the external id that flows use; none where the engine does not give them,
    or where a quick caller would have to ask."""

    def ask() -> dict[str, tuple[str, str]]:
        try:
            rows, _following = connection_list.chunk(caller, "")
        except REFUSALS:
            return {}
        listed = [(row.get("externalId"), row.get("id"), row.get("displayName")) for row in rows]
        return {
            external: (key if isinstance(key, str) else "", _named(name, external))
            for external, key, name in listed
            if isinstance(external, str) and external
        }

    nothing: dict[str, tuple[str, str]] = {}
    return caller.decorate(nothing, CONNECTIONS, _FOLDERS_FOR, ask)


def _named(name: Any, key: str) -> str:
    """A name to choose by, the key where it cannot be seen."""
    return name[:_LONGEST] if show.visible(name) else key


def name_of(flow: Row) -> str:
    """A flow's name; it lives in its version. Empty where there is none."""
    found = pick(flow, "version.displayName")
    return found if isinstance(found, str) else ""


def trigger_of(flow: Row) -> Any:
    """Its trigger, the root of its steps."""
    return pick(flow, "version.trigger")


def tags_of(flow: Row) -> list[str]:
    """Its tags, the one part of its metadata that the engine itself reads (api.md 6.1)."""
    found = pick(flow, "metadata.tags")
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def has_draft(flow: Row) -> bool:
    """Whether there are changes that are not published (api.md 6.2)."""
    published = flow.get("publishedVersionId")
    return bool(published) and published != pick(flow, "version.id")


def deleting(flow: Row) -> bool:
    """Whether the engine is about to delete it (recording `flow_del_03_get_right_after`)."""
    return flow.get("operationStatus") == "DELETING"


def state_note(flow: Row) -> words.Text:
    """What is to be said beside on and off."""
    if deleting(flow):
        return _("Being deleted")
    if not flow.get("publishedVersionId"):
        return _("Never published")
    return _("Has changes that are not published") if has_draft(flow) else ""


def table_of(step: Any) -> str:
    """What a step calls the table that it reads or writes: its id or its external id; "" for other steps."""
    if not str(pick(step, "settings.pieceName")).endswith("/piece-tables"):
        return ""
    named = pick(step, "settings.input.table_id")
    return named if isinstance(named, str) else ""

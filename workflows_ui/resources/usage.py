"""Which flows use which apps, connections and tables, read from all flows at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.core.collation import sort_key
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resource_admin.resource import Panel, Row, Subject, Text
from workflows_ui.resources.cached import cached
from workflows_ui.resources.flows import pages as flow_pages
from workflows_ui.resources.places import flow_url
from workflows_ui.web.paths import text_at, texts_at

#: Cache names.
_CACHED, _NOW = "usage", "usage-now"


@dataclass(frozen=True)
class Use:
    """A flow's latest version: the whole names of its pieces, the external ids of its connections, and the piece of its trigger.

    `published` is whether any version was ever published; `tables` are the ids by which its steps name tables.
    """

    id: str
    name: str
    pieces: frozenset[str]
    connections: frozenset[str]
    starts_with: str = ""
    published: bool = False
    tables: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Usage:
    """All flows that the engine gave; `complete` is False if it refused, or counts more than it gives."""

    flows: tuple[Use, ...]
    complete: bool

    def of_table(self, *names: str) -> list[Use]:
        """The flows with a step for the table with this id or external id."""
        return [flow for flow in self.flows if not flow.tables.isdisjoint(names)]

    def of_connection(self, row: Row) -> list[Use]:
        """The flows with this connection, and those that the engine itself names (only by id if nothing else is known)."""
        ids, external = texts_at(row, "flowIds"), text_at(row, "externalId")
        flows = [flow for flow in self.flows if flow.id in ids or (external and external in flow.connections)]
        known_ids = {flow.id for flow in flows}
        nameless = [item for item in dict.fromkeys(ids) if item and item not in known_ids]
        return [*flows, *(Use(item, "", frozenset(), frozenset()) for item in nameless)]


NOTHING = Usage((), complete=False)


def _load(session: EngineSession) -> Usage:
    rows, complete = flow_pages.all_flows(session)
    return Usage(tuple(_use(str(row["id"]), row) for row in rows if row.get("id")), complete)


#: At most a minute old; NOTHING if the engine does not give its flows.
cached_usage = cached(_CACHED, 60, NOTHING)(_load)
#: The same at most ten seconds old, for actions that change something: many objects checked one after the other share
#: one walk through the flows.
current_usage = cached(_NOW, 10, NOTHING)(_load)


def forget(session: EngineSession) -> None:
    """Clear the cache after a change to what flows use."""
    session.forget(_CACHED, _NOW)


def lines(slug: str, flows: list[Use]) -> list[tuple[str, str]]:
    """(name, URL) of flows, by name."""
    listed = [(flow.name or flow.id, flow_url(slug, flow.id)) for flow in flows]
    return sorted(listed, key=lambda line: sort_key(line[0]))


def current_users(session: EngineSession, select: Callable[[Usage], list[Use]]) -> tuple[list[tuple[str, str]], str]:
    """(name, URL) of the flows that use an object now; and a sentence if the engine did not give all flows, else ""."""
    known = current_usage(session)
    flows = lines(session.workspace.slug, select(known))
    text = _("%(count)d flows are known to use it; the engine did not give all its flows, so there may be more.")
    return flows, "" if known.complete else text % {"count": len(flows)}


def panel(label: Text, select: Callable[[Subject, Usage], list[Use]], none: Text) -> Panel:
    """The panel with the flows that use an object; `none` is shown without any."""

    def build(subject: Subject) -> dict[str, Any]:
        known = cached_usage(subject.session)
        return {"lines": lines(subject.slug, select(subject, known)), "complete": known.complete, "none": none}

    return Panel(label, "resources/pieces/used_by.html", build)


def _use(id: str, row: dict[str, Any]) -> Use:
    return Use(
        id,
        text_at(row, "version.displayName"),
        frozenset(row.get("pieces") or []),
        frozenset(texts_at(row, "version.connectionIds")),
        text_at(row, "version.trigger.settings.pieceName"),
        bool(row.get("publishedVersionId")),
        frozenset(row.get("tables") or []),
    )

"""Which flows use which apps, connections and tables, read from all flows at once; remembered for a minute where it only informs."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import id_at, pick
from workflows_ui.resources import flow_pages

#: The names under which it is remembered.
REMEMBERED_AS, _NOW = "usage", "usage-now"
_SECONDS, _NOW_SECONDS = 60, 10


@dataclass(frozen=True)
class Use:
    """A flow's latest version: the whole names of the pieces in it, the external ids of its connections, and the piece that starts it.

    `published` says whether any version of it was ever published; `tables` are what its steps call their tables.
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
    """All flows that the engine gave; `complete` is False where it counts more than it gives (flow_pages.py) or refused."""

    flows: tuple[Use, ...]
    complete: bool

    def of_piece(self, name: str) -> list[Use]:
        """The flows with a step of this piece."""
        return [flow for flow in self.flows if name in flow.pieces]

    def started_by(self, name: str) -> list[Use]:
        """The flows whose trigger is of this piece."""
        return [flow for flow in self.flows if flow.starts_with == name]

    def of_table(self, *names: str) -> list[Use]:
        """The flows with a step for the table that has this id or external id."""
        return [flow for flow in self.flows if not flow.tables.isdisjoint(names)]

    def of_connection(self, external_id: object, flow_ids: object) -> list[Use]:
        """The flows with this connection, and those that the engine itself names (by id where nothing else is known)."""
        told = [one for one in flow_ids if isinstance(one, str)] if isinstance(flow_ids, list) else []
        found = [flow for flow in self.flows if flow.id in told or external_id in flow.connections]
        known = {flow.id for flow in found}
        nameless = [Use(one, "", frozenset(), frozenset()) for one in dict.fromkeys(told) if one and one not in known]
        return [*found, *nameless]


NOTHING = Usage((), complete=False)


def remembered(caller: Caller) -> Usage:
    """At most a minute old; NOTHING where the engine does not give its flows."""
    return caller.remember_or(NOTHING, REMEMBERED_AS, _SECONDS, lambda: _asked(caller))


def fresh(caller: Caller) -> Usage:
    """At most ten seconds old, for what is about to change something; NOTHING where the engine does not give its flows.

    Many objects that are asked about one after the other share one walk through the flows.
    """
    return caller.remember_or(NOTHING, _NOW, _NOW_SECONDS, lambda: _asked(caller))


def forget(caller: Caller) -> None:
    """Something changed what flows use."""
    caller.forget(REMEMBERED_AS, _NOW)


def lines(slug: str, flows: list[Use]) -> list[tuple[str, str]]:
    """(name, address) of flows, by name."""
    listed = [(flow.name or flow.id, _url(slug, flow.id)) for flow in flows]
    return sorted(listed, key=lambda line: line[0].casefold())


def _url(slug: str, id: str) -> str:
    key = id_at({"id": id})
    return reverse("resource_detail", kwargs={"slug": slug, "resource": "flows", "id": key}) if key else ""


def _asked(caller: Caller) -> Usage:
    rows, complete = flow_pages.everything(caller)
    return Usage(tuple(_use(str(row["id"]), row) for row in rows if row.get("id")), complete)


def _use(id: str, row: dict[str, Any]) -> Use:
    name, told = pick(row, "version.displayName"), pick(row, "version.connectionIds")
    connections = told if isinstance(told, list) else []
    starts_with = pick(row, "version.trigger.settings.pieceName")
    return Use(
        id,
        name if isinstance(name, str) else "",
        frozenset(row.get("pieces") or []),
        frozenset(one for one in connections if isinstance(one, str)),
        starts_with if isinstance(starts_with, str) else "",
        bool(row.get("publishedVersionId")),
        frozenset(row.get("tables") or []),
    )

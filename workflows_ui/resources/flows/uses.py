"""What a flow needs to work: its apps, connections and tables by name, each a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.resource_admin.resource import Subject, id_at
from workflows_ui.resources.cached import cached
from workflows_ui.resources.flows.reading import connection_names, pieces_of, table_of, trigger_of
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.pieces.apps import Mark
from workflows_ui.resources.places import object_url, piece_url
from workflows_ui.resources.whole_lists import AT_ONCE
from workflows_ui.web.paths import dicts_at, text_at, texts_at

_TABLES_MOST, _MOST = 1000, 50


@dataclass(frozen=True)
class Use:
    """A thing that the flow uses: its name, and its page ("" for none). `missing`: the workspace does not list it."""

    text: str
    url: str = ""
    mark: Mark | None = None
    missing: bool = False


def panel(subject: Subject) -> dict[str, Any] | None:
    """`apps`, `connections`, `tables`; left out if the flow uses none."""
    slug, session = subject.slug, subject.session
    steps = [node.step for node in flow_tree.walk(trigger_of(subject.object))]
    pieces = pieces_of(steps)[:_MOST]
    connections = list(dict.fromkeys(texts_at(subject.object, "version.connectionIds")))[:_MOST]
    tables = list(dict.fromkeys(filter(None, map(table_of, steps))))[:_MOST]
    known_connections = connection_names(session) if connections else {}
    known_tables = table_names(session) if tables else {}
    context = {
        "apps": [
            Use(mark.text, piece_url(slug, name), mark)
            for name, mark in zip(pieces, marks(session, pieces), strict=True)
        ],
        "connections": [_use(slug, "connections", key, known_connections, AT_ONCE) for key in connections],
        "tables": [_use(slug, "tables", key, known_tables, _TABLES_MOST) for key in tables if "{{" not in key],
    }
    return context if any(context.values()) else None


def app_titles(session: EngineSession) -> dict[str, str]:
    """Names of the apps by their pieces, if the catalogue is cached. Makes no call."""
    nothing: list[dict[str, Any]] = []
    return {row["name"]: apps.title(row) for row in session.known("pieces", nothing)}


def marks(session: EngineSession, pieces: list[str]) -> list[Mark]:
    """Apps by name, if the catalogue is cached, else by a short form of their whole names. Makes no call."""
    titles = app_titles(session)
    return [apps.mark(titles.get(name) or apps.short(name)) for name in pieces]


def _use(slug: str, resource: str, used: str, known: Mapping[str, tuple[str, str]], most: int) -> Use:
    """A connection or table among the known ones, which are all of them if they are fewer than `most`."""
    key, name = known.get(used, ("", used))
    return Use(name, object_url(slug, resource, key), missing=0 < len(known) < most and used not in known)


@cached("table-names", 60, {}, optional=True)
def table_names(session: EngineSession) -> dict[str, tuple[str, str]]:
    """(id, name) of the workspace's tables by their ids and external ids; empty if the engine does not give them, or if
    a quick session would need a call.
    """
    result: dict[str, tuple[str, str]] = {}
    for row in dicts_at(session.workflows.list_tables(limit=_TABLES_MOST), "data"):
        if id_at(row):
            entry = (id_at(row), text_at(row, "name")[:200] or id_at(row))
            result |= dict.fromkeys(filter(None, (id_at(row), text_at(row, "externalId"))), entry)
    return result

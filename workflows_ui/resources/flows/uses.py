"""What a flow needs to work: its apps, connections and tables by name, each a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import flow_tree
from workflows_ui.resource_admin.resource import Subject, id_at, pick
from workflows_ui.resources.flows.reading import connection_names, table_of, trigger_of
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.pieces.apps import Mark
from workflows_ui.resources.places import object_url
from workflows_ui.resources.whole_lists import AT_ONCE
from workflows_ui.web.paths import texts_at

_TABLES_FOR, _TABLES_MOST, _MOST = 60, 1000, 50


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
    pieces = dict.fromkeys(_texts(pick(step, "settings.pieceName") for step in steps))
    context = {
        "apps": [_app(session, slug, name) for name in list(pieces)[:_MOST]],
        "connections": _connections(subject),
        "tables": _tables(session, slug, steps),
    }
    return context if any(context.values()) else None


def marks(session: EngineSession, pieces: object) -> list[Mark]:
    """Apps by name, if the catalogue is cached, else by a short form of their whole names. Makes no call."""
    nothing: list[dict[str, Any]] = []
    known = session.known("pieces", nothing)
    titles = {row["name"]: apps.title(row) for row in known}
    listed = _texts(pieces) if isinstance(pieces, list) else []
    return [apps.mark(titles.get(name) or apps.short(name)) for name in listed]


def _app(session: EngineSession, slug: str, name: str) -> Use:
    (mark,) = marks(session, [name])
    return Use(mark.text, _url(slug, "pieces", name), mark)


def _connections(subject: Subject) -> list[Use]:
    used = list(dict.fromkeys(texts_at(subject.object, "version.connectionIds")))[:_MOST]
    if not used:
        return []
    known = connection_names(subject.session)
    result = []
    for external in used:
        key, name = known.get(external, ("", external))
        result.append(
            Use(
                name, _url(subject.slug, "connections", key), missing=0 < len(known) < AT_ONCE and external not in known
            )
        )
    return result


def _tables(session: EngineSession, slug: str, steps: list[dict[str, Any]]) -> list[Use]:
    used = list(dict.fromkeys(_texts(table_of(step) for step in steps)))[:_MOST]
    if not used:
        return []
    known = table_names(session)
    result = []
    for item in used:
        if "{{" in item:
            continue
        key, name = known.get(item, ("", item))
        result.append(Use(name, _url(slug, "tables", key), missing=0 < len(known) < _TABLES_MOST and item not in known))
    return result


def table_names(session: EngineSession) -> dict[str, tuple[str, str]]:
    """(id, name) of the workspace's tables by their ids and external ids; empty if the engine does not give them, or if
    a quick session would need a call.
    """

    def ask() -> dict[str, tuple[str, str]]:
        rows = session.workflows.list_tables(limit=_TABLES_MOST).get("data") or []
        result: dict[str, tuple[str, str]] = {}
        for row in rows:
            if isinstance(row, Mapping) and id_at(row):
                name = row.get("name")
                entry = (id_at(row), name[:200] if isinstance(name, str) and name else id_at(row))
                result |= {key: entry for key in (id_at(row), row.get("externalId")) if isinstance(key, str) and key}
        return result

    nothing: dict[str, tuple[str, str]] = {}
    return session.decorate(nothing, "table-names", _TABLES_FOR, ask)


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]


def _url(slug: str, resource: str, id: str) -> str:
    key = id_at({"id": id})
    return object_url(slug, resource, key)

"""What a flow needs to work: the apps in it, its connections and tables by name, each a link."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from workflows_ui.engine import flow_tree
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Subject, id_at, pick
from workflows_ui.resources import apps
from workflows_ui.resources.apps import Mark
from workflows_ui.resources.flow_reading import connection_names, table_of, trigger_of
from workflows_ui.resources.whole_lists import AT_ONCE

_TABLES_FOR, _TABLES_MOST, _MOST = 60, 1000, 50


@dataclass(frozen=True)
class Use:
    """A thing that the flow uses: what it is called, and its page ("" for none). `missing`: the workspace does not list it."""

    text: str
    url: str = ""
    mark: Mark | None = None
    missing: bool = False


def panel(subject: Subject) -> dict[str, Any] | None:
    """`apps`, `connections`, `tables`; left out where the flow uses none of them."""
    slug, caller = subject.slug, subject.caller
    steps = [node.step for node in flow_tree.walk(trigger_of(subject.object))]
    pieces = dict.fromkeys(_texts(pick(step, "settings.pieceName") for step in steps))
    found = {
        "apps": [_app(caller, slug, name) for name in list(pieces)[:_MOST]],
        "connections": _connections(subject),
        "tables": _tables(caller, slug, steps),
    }
    return found if any(found.values()) else None


def marks(caller: Caller, pieces: object) -> list[Mark]:
    """Apps by their names, where the catalogue is known already, else by a short form of their whole names. Makes no call."""
    nothing: list[dict[str, Any]] = []
    known = caller.known("pieces", nothing)
    titles = {row["name"]: apps.title(row) for row in known}
    listed = _texts(pieces) if isinstance(pieces, list) else []
    return [apps.mark(titles.get(name) or apps.short(name)) for name in listed]


def _app(caller: Caller, slug: str, name: str) -> Use:
    (mark,) = marks(caller, [name])
    return Use(mark.text, _url(slug, "pieces", name), mark)


def _connections(subject: Subject) -> list[Use]:
    told = pick(subject.object, "version.connectionIds")
    used = list(dict.fromkeys(_texts(told if isinstance(told, list) else [])))[:_MOST]
    if not used:
        return []
    known = connection_names(subject.caller)
    found = []
    for external in used:
        key, name = known.get(external, ("", external))
        found.append(
            Use(
                name, _url(subject.slug, "connections", key), missing=0 < len(known) < AT_ONCE and external not in known
            )
        )
    return found


def _tables(caller: Caller, slug: str, steps: list[dict[str, Any]]) -> list[Use]:
    used = list(dict.fromkeys(_texts(table_of(step) for step in steps)))[:_MOST]
    if not used:
        return []
    known = table_names(caller)
    found = []
    for one in used:
        if "{{" in one:
            continue
        key, name = known.get(one, ("", one))
        found.append(Use(name, _url(slug, "tables", key), missing=0 < len(known) < _TABLES_MOST and one not in known))
    return found


def table_names(caller: Caller) -> dict[str, tuple[str, str]]:
    """(id, name) of the workspace's tables by their ids and external ids; none where the engine does not give them, or where a quick
    caller would have to ask."""

    def ask() -> dict[str, tuple[str, str]]:
        rows = caller.workflows.list_tables(limit=_TABLES_MOST).get("data") or []
        found: dict[str, tuple[str, str]] = {}
        for row in rows:
            if isinstance(row, Mapping) and id_at(row):
                name = row.get("name")
                told = (id_at(row), name[:200] if isinstance(name, str) and name else id_at(row))
                found |= {key: told for key in (id_at(row), row.get("externalId")) if isinstance(key, str) and key}
        return found

    nothing: dict[str, tuple[str, str]] = {}
    return caller.decorate(nothing, "table-names", _TABLES_FOR, ask)


def _texts(values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]


def _url(slug: str, resource: str, id: str) -> str:
    key = id_at({"id": id})
    return reverse("resource_detail", kwargs={"slug": slug, "resource": resource, "id": key}) if key else ""

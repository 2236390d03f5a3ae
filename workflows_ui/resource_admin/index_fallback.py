"""Lists and objects from the run index while the engine does not answer: one place for all resources that the index keeps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.collation import plain
from workflows_ui.core.paths import text_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import TooLarge
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Page, Panel, Query, Resource, Row, Tab, Text
from workflows_ui.run_index.models import IndexedObject, ObjectUse
from workflows_ui.run_index.services import indexes, uses

T = TypeVar("T")

#: Why an action or a link is not possible.
NOT_NOW: Text = gettext_lazy("Not available now: the engine does not answer.")
#: The values of `Resource.index_filters` that are no column: a part of the name, a connection that is used, and the engine's owner.
NAME, CONNECTION, OWNER = "name", "connection", "owner"
#: All valid values.
COLUMNS = (NAME, CONNECTION, OWNER, "state", "folder_id", "piece")


@dataclass(frozen=True)
class StandIn:
    """What stands in for an answer of the engine: what the index knew at a time."""

    as_of: datetime

    @property
    def text(self) -> str:
        text = _(
            "The engine does not answer. This is what the run index knew at %(time)s. Names, states and uses can be looked at; "
            "changes wait until the engine answers."
        )
        return text % {"time": formats.short_time(self.as_of)}


def open_session(kind: Resource, access: Access, *, quick: bool) -> EngineSession:
    """The session for a page of such objects, which waits less for the engine if the index can stand in for it."""
    opens = engine_session.open_session if kind.index_filters is None else indexes.open_session
    return opens(access, quick=quick)


def load_list(kind: Resource, session: EngineSession, query: Query) -> tuple[Page, StandIn | None]:
    """A page of the list, from the index if the engine does not answer. Raises EngineError."""
    return _asked(
        kind, session, lambda: kind.list(session, query), lambda stand_in: _page(kind, session, query, stand_in)
    )


def load_object(kind: Resource, session: EngineSession, id: str) -> tuple[Row, StandIn | None]:
    """An object, from the index if the engine does not answer. Raises EngineError."""

    def row(_stand_in: StandIn) -> Row | None:
        found = uses.row_of(session, kind.name, id)
        return kind.from_index(session, [found])[0] if found else None

    return _asked(kind, session, lambda: kind.get(session, id), row)


def _asked(
    kind: Resource, session: EngineSession, ask: Callable[[], T], look_up: Callable[[StandIn], T | None]
) -> tuple[T, StandIn | None]:
    """The engine's answer, or what the index has: at once if the engine did not answer the index's reader either."""
    if kind.index_filters is None:
        return ask(), None
    index = indexes.for_session(session)
    if indexes.is_silent(index) and (found := _looked_up(kind, session, look_up)):
        return found
    try:
        return ask(), None
    except TooLarge:
        raise
    except indexes.UNANSWERED:
        if found := _looked_up(kind, session, look_up):
            # Its reader finds out now, so that the next page need not wait.
            indexes.read_soon(session.workspace)
            return found
        raise


def _looked_up(
    kind: Resource, session: EngineSession, look_up: Callable[[StandIn], T | None]
) -> tuple[T, StandIn] | None:
    index, known = indexes.for_session(session), uses.known_kinds(session).get(kind.name)
    if index is None or known is None or known.read_at is None:
        return None
    indexes.try_soon(index)
    stand_in = StandIn(known.read_at)
    found = look_up(stand_in)
    return None if found is None else (found, stand_in)


def _page(kind: Resource, session: EngineSession, query: Query, stand_in: StandIn) -> Page:
    rows: list[Row] = list(_matching(kind, session, query.filters).values_list("data", flat=True))
    rows.sort(key=lambda row: text_at(row, "updated"), reverse=True)
    if query.order:
        rows = query.order.sorted(kind.from_index(session, rows))
    start = int(query.position) if query.position.isdecimal() and len(query.position) < 7 else 0
    end = start + query.rows
    return Page(
        rows[start:end] if query.order else kind.from_index(session, rows[start:end]),
        older=str(end) if end < len(rows) else "",
        warning=stand_in.text,
        total=len(rows),
        start=start,
        sortable=True,
    )


def _matching(kind: Resource, session: EngineSession, filters: Mapping[str, object]) -> QuerySet[IndexedObject]:
    rows = uses.current(session.workspace.pk, kind.name)
    for name, column in (kind.index_filters or {}).items():
        value = filters.get(name)
        if not isinstance(value, str) or not value:
            continue
        if column == NAME:
            rows = rows.filter(plain_name__contains=plain(value))
        elif column == CONNECTION:
            rows = rows.filter(pk__in=ObjectUse.objects.filter(kind="connections", key=value[:200]).values("user"))
        elif column == OWNER:
            rows = rows.filter(data__ownerId=value)
        else:
            # The engine's word for "in no folder" (api.md 6.4).
            rows = rows.filter(**{column: "" if (column, value) == ("folder_id", "NULL") else value})
    return rows


def choices(kind: Resource, session: EngineSession) -> dict[str, list[tuple[str, Text]]]:
    """The choices of filters that the index knows."""
    found: dict[str, list[tuple[str, Text]]] = {}
    for name, column in (kind.index_filters or {}).items():
        if column == CONNECTION:
            rows = uses.current(session.workspace.pk, "connections").exclude(external_id="")
            found[name] = list(rows.order_by("plain_name").values_list("external_id", "name"))
        elif column == "folder_id":
            folders = uses.current(session.workspace.pk, "folders").order_by("plain_name")
            found[name] = list(folders.values_list("object_id", "name"))
    return found


def panels(declared: Sequence[Panel]) -> list[Panel]:
    """The panels that need no call."""
    return [panel for panel in declared if panel.without_engine]


def tabs(declared: Sequence[Tab]) -> list[Tab]:
    """The tabs with panels that need no call, without the others."""
    return [replace(tab, panels=left) for tab in declared if (left := panels(tab.panels))]

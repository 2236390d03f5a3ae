"""Values of the list of flows that the engine's rows do not have: names of folders and owners, results, plots of runs, apps, triggers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from workflows_ui.core.paths import id_at, texts_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.flows import Step
from workflows_ui.flows import reading
from workflows_ui.launches import flow_facts
from workflows_ui.launches.flow_facts import Start
from workflows_ui.lists.declaration import Row
from workflows_ui.resources.flows import panels, results
from workflows_ui.run_index.services import uses
from workflows_ui.web import elements

_ICONS: Mapping[Start, str] = {
    "call": "webhook",
    "form": "clipboard-list",
    "schedule": "calendar-clock",
    "event": "zap",
    "nothing": "circle-question-mark",
}
#: Starts by parts of the engine itself, which are no apps of a flow.
_OWN_STARTS: frozenset[Start] = frozenset({"call", "form", "schedule"})


@dataclass(frozen=True)
class Trigger:
    """What starts a flow, and its label."""

    start: Start
    label: str

    def __str__(self) -> str:
        return self.label

    def __html__(self) -> SafeString:
        """The icon and the label."""
        return elements.named_icon(_ICONS[self.start], self.label, "trigger")


def apps_text(flow: Row) -> str:
    """The names of a flow's apps, by which the list is sorted."""
    found = flow.get("apps")
    return ", ".join(map(str, found)) if isinstance(found, list) else ""


#: Returns the value of a column for each of the rows, in their order.
Values = Callable[[EngineSession, Sequence[Row]], Iterable[object]]


def _starts(_session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    return (Trigger(flow_facts.start_of(reading.trigger_of(row)), reading.start_label(row)) for row in rows)


def _folders(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    names = reading.folder_names(session)
    return (names.get(str(row.get("folderId"))) for row in rows)


def _owners(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    owners = [id_at(row, "ownerId") for row in rows]
    names = reading.owner_names(session, set(owners) - {""}) if any(owners) else {}
    return map(names.get, owners)


def _results(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    found = results.latest(session, [id_at(row) for row in rows if id_at(row)])
    return (found.get(id_at(row)) for row in rows)


def _last(_session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    return map(results.last_run, rows)


def _days(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    found = results.sparks(session, [id_at(row) for row in rows if id_at(row)])
    return (found.get(id_at(row)) for row in rows)


def _apps(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    known = reading.known_apps(session)
    return (reading.app_marks(known, _used_pieces(row)) for row in rows)


def _used_pieces(row: Row) -> Sequence[str]:
    """The pieces of a flow, without the one that only starts it."""
    step = reading.trigger_of(row)
    own = Step(step).settings.piece_name if flow_facts.start_of(step) in _OWN_STARTS else ""
    return [name for name in texts_at(row, "pieces") if name != own]


def _alarms(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    found = panels.alarm_marks(session, [id_at(row) for row in rows if id_at(row)])
    return (found.get(id_at(row)) for row in rows)


def _indexed_folders(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    names = {key: name for key, (_id, name) in uses.names(session, "folders").items()}
    return (names.get(str(row.get("folderId"))) for row in rows)


def _remembered_owners(session: EngineSession, rows: Sequence[Row]) -> Iterable[object]:
    names = reading.remembered_people(session)
    return (names.get(id_at(row, "ownerId")) for row in rows)


#: By the names of the values. Each may need those before it.
COMPLETED: Mapping[str, Values] = {
    "start": _starts,
    "folder": _folders,
    "results": _results,
    "last": _last,
    "days": _days,
    "apps": _apps,
    "owner": _owners,
    "alarm": _alarms,
}
#: The same while the engine does not answer.
INDEXED: Mapping[str, Values] = {
    "start": _starts,
    "folder": _indexed_folders,
    "days": _days,
    "apps": _apps,
    "owner": _remembered_owners,
    "alarm": _alarms,
}


def complete(
    session: EngineSession, rows: Sequence[Row], values: Mapping[str, Values] = COMPLETED
) -> list[dict[str, object]]:
    """Copies of rows with the values of these columns."""
    completed = [dict(row) for row in rows]
    for name, of_rows in values.items():
        for row, value in zip(completed, list(of_rows(session, completed)), strict=True):
            row[name] = value
    return completed

"""Matches what an exported flow used with what this workspace has: a form field for each, with the likely choice.

An app in a version that the engine does not have gets the version that it has. Connections, tables and sub-flows are chosen.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.text import Text
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree, references
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flow_editing.imports import contents
from workflows_ui.flow_editing.imports.contents import CHOOSE, App, Columns, Matches, Use
from workflows_ui.flows import pages, reading
from workflows_ui.pieces import apps, connections as connection_list, missing_apps
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.resource import Row
from workflows_ui.tables import reading as table_list
from workflows_ui.web import elements, links

#: The choice of no replacement: the step stays incomplete until it is filled in.
NONE = "-"
_UNCHOSEN = _("Choose a replacement, or “None for now”.")
_MOST_STEPS = 5
#: Each has all choices of its kind.
_MOST_FIELDS = 100
#: Tables whose columns are requested.
_MOST_TABLES = 20

Choices = list[tuple[str, str | Promise]]


@dataclass(frozen=True)
class AppMatch:
    """An app of a file: its mark, the version that the file has, the one that the engine has ("" without the app)."""

    mark: apps.Mark
    version: str
    here: str
    missing: bool
    steps: str

    @property
    def replaced(self) -> bool:
        """Whether another version takes the place of the file's."""
        return bool(self.here and self.version and self.here != self.version)


@dataclass
class Matching:
    """What the trees of a file use, and the fields for choosing the replacements.

    Attributes:
        fields: by name; the initial value is "" where nothing is likely.
        apps: with the version that is used.
        versions: the engine's version of each app that it has in another one.
        left_out: how many connections, tables and flows have no field, since there are too many.
        tables: those of the workspace, if the trees use any.
    """

    fields: dict[str, forms.ChoiceField] = field(default_factory=dict)
    apps: list[AppMatch] = field(default_factory=list)
    versions: dict[App, str] = field(default_factory=dict)
    left_out: int = 0
    tables: list[Row] = field(default_factory=list)
    _named: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, kind: str, key: str, label: str, choices: Choices, likely: str, help_text: Text) -> None:
        """Add the field for what the file names `key`: `choices` of this workspace, and none. If there is no room, it is counted."""
        if len(self.fields) >= _MOST_FIELDS:
            self.left_out += 1
            return
        name = f"{kind}-{len(self.fields)}"
        none: Choices = [(NONE, _("None for now"))]
        self.fields[name] = forms.ChoiceField(
            label=label,
            choices=[*([] if likely else [("", "–")]), *choices, *none],
            initial=likely,
            help_text=str(help_text),
            error_messages={"required": _UNCHOSEN, "invalid_choice": _UNCHOSEN},
        )
        self._named[name] = (kind, key)

    def open_keys(self, values: Mapping[str, object]) -> frozenset[str]:
        """What the file names and no replacement was chosen for yet."""
        return frozenset(key for name, (_kind, key) in self._named.items() if not values.get(name))

    def matches(self, values: Mapping[str, object]) -> Matches:
        """The submitted replacements; what was not chosen yet stays as in the file."""
        chosen: dict[str, dict[str, str]] = {"connection": {}, "table": {}, "flow": {}}
        for name, (kind, key) in self._named.items():
            if value := values.get(name):
                chosen[kind][key] = "" if value == NONE else str(value)
        return Matches(self.versions, chosen["connection"], chosen["table"], chosen["flow"])


def match(session: EngineSession, triggers: Iterable[object]) -> Matching:
    """The matching of trees with what the workspace has. Leaves out what the engine does not return; catches its errors."""
    trees = list(triggers)
    used, result = contents.read(trees), Matching()
    _match_apps(session, trees, used, result)
    if used.connections:
        _match_connections(session, used, apps.names(session), result)
    if used.tables:
        rows = _rows(lambda: whole_lists.rows_of(session.workflows.list_tables(limit=whole_lists.AT_ONCE)))
        result.tables = [*(rows or ())]
        _match_rows(used.tables, rows, "table", lambda row: text_at(row, "name"), result)
    if used.flows:
        rows = _rows(lambda: pages.all_flows(session, pages.brief)[0])
        if rows is not None:
            starts = [(row, Flow(row).version.trigger.settings.piece_name) for row in rows]
            rows = [row for row, piece in starts if piece.endswith(references.SUBFLOWS)]
        _match_rows(used.flows, rows, "flow", lambda row: Flow(row).version.display_name, result)
    return result


def match_columns(
    session: EngineSession, matching: Matching, matches: Matches, triggers: Iterable[object]
) -> tuple[Matches, list[str]]:
    """The matches with the columns of tables that take the place of others, and a line for each step that uses other columns.

    Leaves out what the engine does not return; catches its errors.
    """
    ids = {
        key: text_at(row, "id")
        for row in matching.tables
        for key in (text_at(row, "externalId"), text_at(row, "id"))
        if key and text_at(row, "id")
    }
    found: dict[str, Columns] = {}
    lacking: list[str] = []
    for node in (node for trigger in triggers for node in flow_tree.walk(trigger)):
        table = contents.replacing_table(node.step, matches)
        names = contents.used_columns(dict_at(node.step, "settings")) if table in ids else []
        if names and table not in found and len(found) < _MOST_TABLES:
            rows = _rows(partial(table_list.fields, session, ids[table], fresh=False))
            found[table] = {name: row for row in reversed(rows or ()) if (name := text_at(row, "name"))}
        if unknown := [name for name in names if found.get(table) and name not in found[table]]:
            quoted = ", ".join(f"“{formats.cut(name, 40)}”" for name in unknown[:_MOST_STEPS])
            lacking.append(f"{contents.title_of(node)}: {quoted}")
    return replace(matches, columns=found), lacking


Listed = TypeVar("Listed")


def _rows(load: Callable[[], list[Listed]]) -> list[Listed] | None:
    """The rows; None if the engine does not give them."""
    try:
        return load()
    except EngineError:
        return None


def _match_apps(session: EngineSession, trees: list[object], used: contents.Contents, result: Matching) -> None:
    known = {row["name"]: row for row in apps.catalogue_or_none(session)}
    lacking = {(item.name, item.version): item for item in missing_apps.of_trees(session, *trees, versions=True)}
    for app, use in used.apps.items():
        name, version = app
        item = lacking.get(app)
        here = item.here if item else version or text_at(known.get(name), "version")
        if here and here != version:
            result.versions[app] = here
        [mark] = reading.app_marks(known, [name])
        missing = item is not None and not item.here
        result.apps.append(AppMatch(mark, version, here, missing, _steps(use)))


def _match_connections(
    session: EngineSession, used: contents.Contents, titles: Mapping[str, str], result: Matching
) -> None:
    rows = _rows(lambda: connection_list.chunk(session, None)[0])
    nameable = [row for row in rows or () if connection_list.reference(text_at(row, "externalId"))]
    for external, use in used.connections.items() if rows is not None else ():
        pieces = [piece for piece in use.pieces if piece]
        fitting = [row for row in nameable if text_at(row, "pieceName") in pieces or not pieces]
        listed = connection_list.choices(fitting)
        keys = [key for key, _label in listed]
        likely = external if external in keys else (keys[0] if len(keys) == 1 and pieces else ("" if keys else NONE))
        app = ", ".join(titles.get(piece) or apps.short(piece) for piece in pieces[:3])
        values = {"name": formats.cut(external), "app": formats.cut(app)}
        label = gettext("Connection of %(app)s") if external == CHOOSE else gettext("Connection “%(name)s” of %(app)s")
        if not app:
            label = gettext("Connection “%(name)s”")
        result.add("connection", external, label % values, [*listed], likely, _connection_help(session, use, titles))


def _connection_help(session: EngineSession, use: Use, titles: Mapping[str, str]) -> Text:
    """Where it is used, and a link to connect an app that the engine has."""
    used, piece = _used_by(use), next((piece for piece in use.pieces if piece in titles), "")
    if not piece:
        return used
    link = links.object_url("resource_action", piece, slug=session.workspace.slug, resource="pieces", action="connect")
    text = gettext("Create a connection (opens a new tab)")
    return elements.linked(used, link, text, new_tab=True)


def _match_rows(
    used: Mapping[str, Use], rows: Sequence[Row] | None, kind: str, name: Callable[[Row], str], result: Matching
) -> None:
    """The fields for tables or flows. What the steps name is an external id; engines and files also have ids."""
    if rows is None:
        return
    for key, use in used.items():
        listed: Choices = []
        likely = ""
        for row in rows:
            ids = [text for text in (text_at(row, "externalId"), text_at(row, "id")) if text]
            if ids:
                value = key if key in ids else ids[0]
                likely = value if value == key else likely
                listed.append((value, name(row)[:100] or value))
        listed.sort(key=lambda choice: sort_key(str(choice[1])))
        if not likely and len(listed) < 2:
            likely = listed[0][0] if listed else NONE
        labels = {
            "table": (gettext("Table"), gettext("Table “%(name)s”")),
            "flow": (gettext("Flow that it calls"), gettext("Flow “%(name)s” that it calls")),
        }[kind]
        label = labels[0] if key == CHOOSE else labels[1] % {"name": formats.cut(key)}
        result.add(kind, key, label, listed, likely, _used_by(use))


def _used_by(use: Use) -> str:
    count = len(use.steps)
    return ngettext("Used by the step %(steps)s.", "Used by the steps %(steps)s.", count) % {"steps": _steps(use)}


def _steps(use: Use) -> str:
    named = [f"“{title}”" for title in use.steps[:_MOST_STEPS]]
    if (more := len(use.steps) - _MOST_STEPS) > 0:
        named.append(gettext("and %(n)d more") % {"n": more})
    return ", ".join(named)

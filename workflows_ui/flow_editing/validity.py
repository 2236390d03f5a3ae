"""What is missing in the steps of a flow, and the form where it is filled in.

The engine publishes incomplete drafts (recording `op_lock_and_publish_invalid_step`), and believes what an imported file says about its
steps (`op_import_flow_known_piece_wrong_input_valid_true`): so each step is checked here, by what makes it `valid` when it is edited
(api.md 11.3).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from django.utils.http import urlencode
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.paths import dict_at, list_at, text_at
from workflows_ui.core.text import Text, deferred, filled
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.engine_objects.flows import Branch
from workflows_ui.engine_objects.pieces import Piece, Property
from workflows_ui.flow_editing import unmet_references
from workflows_ui.flows import outline, step_values
from workflows_ui.pieces import apps, connections as connection_list, missing_apps
from workflows_ui.resource_admin.resource import Row
from workflows_ui.web import links

#: Maximum apps that are read for one flow.
_APPS = 10
_VALUELESS = frozenset({"MARKDOWN", "CUSTOM"})
_TEXTS = frozenset({"SHORT_TEXT", "LONG_TEXT", "DYNAMIC"})
App = tuple[str, str]


@dataclass(frozen=True)
class Finding:
    """What is missing in a step. `action`, `query` and `anchor` lead to the form and field where it is filled in; without, its page."""

    step: str
    title: str
    reason: Text
    action: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    anchor: str = ""

    @property
    def text(self) -> Text:
        return format_lazy("{}: {}", formats.cut(self.title, 60), self.reason)

    def url(self, slug: str, flow_id: str) -> str:
        if not self.step or "/" in self.step + flow_id:
            return ""
        if not self.action:
            return links.view_url("flow_step", slug, flow_id, self.step)
        names = {"slug": slug, "resource": "flows", "action": self.action}
        url = f"{links.object_url('resource_action', flow_id, **names)}?{urlencode(self.query)}"
        return f"{url}#{self.anchor}" if self.anchor else url


@dataclass(frozen=True)
class Report:
    """The findings in the order of the steps, and the names of the steps that could not be checked."""

    findings: list[Finding]
    unchecked: list[str]


@dataclass(frozen=True)
class _Known:
    """What the engine says: the apps that it lacks, the apps of the steps, the states of the connections (None: it does not say)."""

    gone: Mapping[App, missing_apps.MissingApp]
    pieces: Mapping[App, Row]
    connections: Mapping[str, str] | None


def check_steps(session: EngineSession, trigger: object, *, open_keys: frozenset[str] | None = None) -> Report:
    """Check the steps of a tree. Calls the engine for the apps and connections that are not cached; catches its errors.

    Args:
        open_keys: for a tree of a file, the connections that are still to be chosen, which does not count as missing.
    """
    steps = [(node.step, _app_of(node.step)) for node in flow_tree.walk(trigger)]
    gone = {(item.name, item.version): item for item in missing_apps.of_trees(session, trigger, versions=True)}
    used = [app for app in dict.fromkeys(app for _step, app in steps) if app[0] and app not in gone]
    pieces = {app: apps.piece_or_empty(session, *app) for app in used[:_APPS]}
    connections = _connections(session) if used else None
    if connections is not None:
        connections = connections | dict.fromkeys(open_keys or (), "")
    known = _Known(gone, pieces, connections)
    incomplete = _("The engine says that it is not complete.")
    if open_keys is not None:
        incomplete = _("The file says that it is not complete.")
    findings, unchecked = [], []
    unmet = _unmet_references(trigger)
    for step, app in steps:
        found = [*_findings(step, app, known), *unmet.get(flow_tree.step_name(step), ())]
        if app[0] and app not in gone and not pieces.get(app):
            unchecked.append(outline.title_of(step))
        elif not found and step.get("valid") is False:
            found = [_finding(step, incomplete)]
        findings += found
    return Report(findings, unchecked)


#: Where the expressions of a step are, by its type; those of a router are in its branches.
_WHERE_READ = {
    "PIECE": ("step-settings", ""),
    "CODE": ("step-code", ""),
    "LOOP_ON_ITEMS": ("step-items", "id_items"),
}


def _unmet_references(trigger: object) -> dict[str, list[Finding]]:
    """What the steps read and will not find, by the name of the step that reads."""
    nodes, found = flow_tree.nodes_by_name(trigger), dict[str, list[Finding]]()
    for item in unmet_references.find_unmet(nodes):
        name = flow_tree.step_name(item.reader)
        action, anchor = _WHERE_READ.get(text_at(item.reader, "type"), ("", ""))
        query = {"step": name}
        if item.branch is not None:
            action, query = "branch-conditions", {"branch": f"{name}:{item.branch}"}
        found.setdefault(name, []).append(
            Finding(name, item.title, deferred(partial(item.text, nodes)), action, query, anchor)
        )
    return found


def lines(report: Report, slug: str, flow_id: str) -> list[tuple[Text, str]]:
    """The findings, each with its address, and a line on what was not checked."""
    found = [(finding.text, finding.url(slug, flow_id)) for finding in report.findings]
    if report.unchecked:
        names = ", ".join(f"“{formats.cut(name, 60)}”" for name in report.unchecked[:5])
        text = _("Not checked, because the engine did not return the app: %(steps)s.")
        found.append((filled(text, steps=names), ""))
    return found


def _app_of(step: Row) -> App:
    return text_at(step, "settings.pieceName"), missing_apps.exact(text_at(step, "settings.pieceVersion"))


def _finding(step: Row, reason: Text, action: str = "", anchor: str = "", **query: str) -> Finding:
    name = flow_tree.step_name(step)
    return Finding(name, outline.title_of(step), reason, action, query or {"step": name}, anchor)


def _findings(step: Row, app: App, known: _Known) -> Iterator[Finding]:
    kind = step.get("type")
    if kind == "EMPTY":
        yield _finding(step, _("No trigger is chosen yet: the engine does not publish such a flow."))
    elif kind == "CODE" and not text_at(step, "settings.sourceCode.code").strip():
        yield _finding(step, _("It has no code."), "step-code", "id_code")
    elif kind == flow_tree.LOOP and not text_at(step, "settings.items").strip():
        yield _finding(step, _("It has no list of items."), "step-items", "id_items")
    elif kind in flow_tree.ROUTERS:
        yield from _of_router(step)
    elif app[0]:
        for reason, anchor in _of_app(step, app, known):
            yield _finding(step, reason, "step-settings" if anchor else "", anchor)


def _of_router(step: Row) -> Iterator[Finding]:
    branches, name = [Branch(item) for item in list_at(step, "settings.branches")], flow_tree.step_name(step)
    if not branches:
        yield _finding(step, _("It has no branches."), "branch-add")
    for index, branch in enumerate(branches):
        if branch.type == flow_tree.FALLBACK:
            continue
        listed = [condition for group in branch.groups for condition in group]
        title = formats.cut(branch.name or str(index + 1), 60)
        reason = filled(_("The branch “%(branch)s” has a condition without a value."), branch=title)
        for number, condition in enumerate(listed, 1):
            wanted = ("firstValue",) if condition.operator in outline.ALONE else ("firstValue", "secondValue")
            empty = next((key for key in wanted if condition.raw.get(key) in (None, "")), "")
            if empty:
                anchor = f"id_{'first' if empty == 'firstValue' else 'second'}{number}"
                yield _finding(step, reason, "branch-conditions", anchor, branch=f"{name}:{index}")
                break


def _of_app(step: Row, app: App, known: _Known) -> Iterator[tuple[Text, str]]:
    """What is missing, each with the element of the form of the step's settings that has it; "" if no form helps."""
    if missing := known.gone.get(app):
        names = {"app": formats.cut(missing.title), "version": app[1][:40], "here": missing.here[:40]}
        if missing.here:
            yield filled(_("The engine does not have version %(version)s of “%(app)s”, but %(here)s."), **names), ""
        else:
            yield filled(_("The engine does not have the app “%(app)s”."), **names), ""
    piece = known.pieces.get(app)
    if not piece:
        return
    kind, key = ("triggers", "triggerName") if step.get("type") == "PIECE_TRIGGER" else ("actions", "actionName")
    called = text_at(step, f"settings.{key}")
    whole = Piece(piece)
    operation = whole.operations(kind).get(called)
    if operation is None:
        names = {"app": formats.cut(apps.title(piece)), "name": formats.cut(called or "–")}
        yield filled(_("“%(app)s” does not have what the step does (%(name)s)."), **names), ""
        return
    values = dict_at(step, "settings.input")
    if whole.auths and operation.requires_auth and not values.get("auth"):
        yield _("It has no connection."), "prop-connection"
    for reason in _of_connection(values.get("auth"), known.connections):
        yield reason, "prop-connection"
    if values.get("table_id") and values.get("values") == {}:
        yield _("It has no values for the columns of its table."), ""
    for number, (name, prop) in enumerate(operation.props.items()):
        if _is_empty(prop, values.get(name)):
            field_name = formats.cut(prop.display_name if formats.visible(prop.display_name) else name)
            yield filled(_("“%(field)s” is not filled in."), field=field_name), f"prop-{number}"


def _of_connection(auth: object, connections: Mapping[str, str] | None) -> Iterator[Text]:
    external = step_values.external_id(auth)
    if not external or connections is None:
        return
    names = {"name": formats.cut(external)}
    if external not in connections:
        yield filled(_("Its connection “%(name)s” is not in this workspace."), **names)
    elif connections[external] in ("ERROR", "MISSING"):
        yield filled(_("Its connection “%(name)s” does not work."), **names)


def _is_empty(prop: Property, value: object) -> bool:
    if prop.type in _VALUELESS or not prop.required:
        return False
    return value is None or (value == "" and prop.type in _TEXTS)


def _connections(session: EngineSession) -> dict[str, str] | None:
    """States of the workspace's connections by external id; None if the engine does not give all of them."""

    def read() -> tuple[bool, dict[str, str]]:
        rows, following = connection_list.chunk(session, "")
        return not following, {text_at(row, "externalId"): text_at(row, "status") for row in rows}

    try:
        complete, states = session.remember("connection-states-of-all", 60, read)
    except EngineError:
        return None
    return states if complete else None

"""What does not fit the engine in an imported tree: missing apps, fields and connections, step by step.

The engine takes over from the file which steps are complete and checks none of them (recordings
`op_import_flow_known_piece_wrong_input_valid_true`, `op_import_flow_unknown_piece`). The checks here are those by which
it sets a step's `valid` when the step is edited (api.md 11.3).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, flow_tree
from workflows_ui.resource_admin.resource import Row, pick
from workflows_ui.resources.cached import cached
from workflows_ui.resources.connections import reading as connection_list
from workflows_ui.resources.pieces import apps, missing_apps
from workflows_ui.resources.pieces.missing_apps import exact
from workflows_ui.resources.runs import step_values
from workflows_ui.web import formats
from workflows_ui.web.paths import dict_at, text_at

#: Maximum apps read for one tree; maximum findings shown.
_APPS, MOST = 10, 20
_FOR = 60
#: Properties without a value of their own.
_VALUELESS = frozenset({"MARKDOWN", "CUSTOM"})
_TEXTS = frozenset({"SHORT_TEXT", "LONG_TEXT", "DYNAMIC"})


def find_problems(session: EngineSession, trigger: Any) -> list[str]:
    """The steps that do not fit, in their order, and why: one line per step. Unknown facts count as fitting.

    One call for each app in a version that is not cached, and one for the connections. Catches the engine's errors.
    """
    missing = {(item.name, item.version): item for item in missing_apps.of_tree(session, trigger, versions=True)}
    nodes = list(flow_tree.walk(trigger))
    used = dict.fromkeys(key for node in nodes if (key := _app_of(node.step)) not in missing and key[0])
    pieces = {key: _piece(session, *key) for key in list(used)[:_APPS]}
    connections = _connections(session)
    result = []
    for node in nodes:
        title = node.step.get("displayName")
        reason = next(_reasons(node.step, missing, pieces, connections), "")
        if reason:
            result.append(f"{formats.cut(title if formats.visible(title) else node.name, 40)}: {reason}")
    return result


def _app_of(step: Row) -> tuple[str, str]:
    return text_at(step, "settings.pieceName"), exact(pick(step, "settings.pieceVersion"))


@cached("piece", _FOR, {})
def _piece(session: EngineSession, name: str, version: str) -> Row:
    return apps.fetch_app(session, name, version)


def _reasons(
    step: Row,
    gone: Mapping[tuple[str, str], missing_apps.MissingApp],
    pieces: Mapping[tuple[str, str], Row],
    connections: set[str] | None,
) -> Iterator[str]:
    app = name, version = _app_of(step)
    if name:
        missing = gone.get(app)
        if missing is not None and not missing.here:
            yield _("The engine does not have the app “%(app)s”.") % {"app": formats.cut(missing.title)}
        elif missing is not None:
            yield _("The engine does not have version %(version)s of “%(app)s”, but %(here)s.") % {
                "version": version[:40],
                "app": formats.cut(missing.title),
                "here": missing.here[:40],
            }
        yield from _unfilled(step, pieces.get(app), connections)
    if step.get("valid") is False:
        yield _("The file says that it is not complete.")


def _unfilled(step: Row, piece: Row | None, connections: set[str] | None) -> Iterator[str]:
    """What the app requires and the step lacks."""
    if not piece:
        return
    kind, key = ("triggers", "triggerName") if step.get("type") == "PIECE_TRIGGER" else ("actions", "actionName")
    called = pick(step, f"settings.{key}")
    operation = dict_at(piece, kind).get(called) if isinstance(called, str) else None
    if not isinstance(operation, Mapping):
        yield _("“%(app)s” does not have what the step does (%(name)s).") % {
            "app": formats.cut(apps.title(piece)),
            "name": formats.cut(str(called)),
        }
        return
    values = dict_at(step, "settings.input")
    external = step_values.external_id(values.get("auth"))
    if apps.auths(piece.get("auth")) and operation.get("requireAuth") is not False and not values.get("auth"):
        yield _("It has no connection.")
    if external and connections is not None and external not in connections:
        yield _("Its connection “%(name)s” is not in this workspace.") % {"name": formats.cut(external)}
    for field, prop in dict_at(operation, "props").items():
        if isinstance(prop, Mapping) and _empty(prop, values.get(field)):
            label = prop.get("displayName")
            yield _("“%(field)s” is not filled in.") % {
                "field": formats.cut(label if formats.visible(label) else str(field))
            }


def _empty(prop: Row, value: Any) -> bool:
    if text_at(prop, "type") in _VALUELESS or not prop.get("required"):
        return False
    return value is None or (value == "" and text_at(prop, "type") in _TEXTS)


def _connections(session: EngineSession) -> set[str] | None:
    """The external ids of the workspace's connections; None if the engine does not give all of them."""
    try:
        rows, following = connection_list.chunk(session, "")
    except EngineError:
        return None
    return None if following else {str(row.get("externalId")) for row in rows}

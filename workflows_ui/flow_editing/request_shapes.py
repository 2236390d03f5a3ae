"""The shape of each operation's request (api.md 6.5; engine-0.83.md section 5), since the engine only answers "Invalid input"; and a
request to begin with.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.readers import as_count, as_items, mapping_of
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing.forms import new_settings
from workflows_ui.flow_editing.operations import TREE, Json, step_body
from workflows_ui.flow_editing.prediction import free_name, names
from workflows_ui.flows import notes
from workflows_ui.resource_admin.resource import Row, id_at

#: What the engine's database takes.
MOST_MINUTES = 2**31 - 1


@dataclass(frozen=True)
class Part:
    """One value of a request: its kind (a key of _KINDS), whether it may be omitted or null, its allowed values, its own parts."""

    kind: str
    optional: bool = False
    null: bool = False
    choices: tuple[str, ...] = ()
    parts: Mapping[str, "Part"] = field(default_factory=dict)


_KINDS: dict[str, tuple[JsonType, str | Promise]] = {
    "text": (JsonType.TEXT, gettext_lazy("a text in quotation marks")),
    "number": (JsonType.NUMBER, gettext_lazy("a number")),
    "minutes": (JsonType.NUMBER, gettext_lazy("a whole number from 0 to 2147483647")),
    "flag": (JsonType.TRUTH, gettext_lazy("true or false")),
    "list": (JsonType.LIST, gettext_lazy("a list: […]")),
    "texts": (JsonType.LIST, gettext_lazy('a list of texts: ["…"]')),
    "object": (JsonType.OBJECT, gettext_lazy("an object: {…}")),
}
_TEXT, _NUMBER, _OBJECT = Part("text"), Part("number"), Part("object")
_INDEX = Part("number", optional=True)
_LOCATION = Part("text", optional=True, choices=("AFTER", "INSIDE_LOOP", "INSIDE_BRANCH"))
_STATUS = ("ENABLED", "DISABLED")
_FLAG = Part("flag", optional=True)
_STEP = {"name": _TEXT, "type": _TEXT, "displayName": _TEXT, "settings": _OBJECT, "valid": _FLAG, "skip": _FLAG}
_BRANCH = {"stepName": _TEXT, "branchIndex": _NUMBER}
_NOTE = {
    "id": _TEXT,
    "content": _TEXT,
    "color": Part("text", choices=tuple(notes.COLORS)),
    "position": Part("object", parts={"x": _NUMBER, "y": _NUMBER}),
    "size": Part("object", parts={"width": _NUMBER, "height": _NUMBER}),
}
SHAPES: dict[str, Mapping[str, Part]] = {
    "CHANGE_NAME": {"displayName": _TEXT},
    "CHANGE_FOLDER": {"folderId": Part("text", null=True)},
    "CHANGE_STATUS": {"status": Part("text", choices=_STATUS)},
    "LOCK_AND_PUBLISH": {"status": Part("text", optional=True, choices=_STATUS)},
    "LOCK_FLOW": {},
    "USE_AS_DRAFT": {"versionId": _TEXT},
    "IMPORT_FLOW": {
        "displayName": _TEXT,
        "trigger": Part("object", parts=_STEP),
        "schemaVersion": Part("text", optional=True, null=True),
        "notes": Part("list", optional=True, null=True),
    },
    "UPDATE_TRIGGER": _STEP,
    "ADD_ACTION": {
        "parentStep": _TEXT,
        "stepLocationRelativeToParent": _LOCATION,
        "branchIndex": _INDEX,
        "action": Part("object", parts=_STEP),
    },
    "UPDATE_ACTION": _STEP,
    "DELETE_ACTION": {"names": Part("texts")},
    "MOVE_ACTION": {
        "name": _TEXT,
        "newParentStep": _TEXT,
        "stepLocationRelativeToNewParent": _LOCATION,
        "branchIndex": _INDEX,
    },
    "DUPLICATE_ACTION": {"stepName": _TEXT},
    "SET_SKIP_ACTION": {"names": Part("texts"), "skip": Part("flag")},
    "ADD_BRANCH": _BRANCH | {"branchName": _TEXT, "conditions": Part("list", optional=True)},
    "DELETE_BRANCH": _BRANCH,
    "DUPLICATE_BRANCH": _BRANCH,
    "MOVE_BRANCH": {"stepName": _TEXT, "sourceBranchIndex": _NUMBER, "targetBranchIndex": _NUMBER},
    "UPDATE_METADATA": {"metadata": Part("object", optional=True, null=True)},
    "UPDATE_OWNER": {"ownerId": _TEXT},
    "UPDATE_MINUTES_SAVED": {"timeSavedPerRun": Part("minutes", null=True)},
    "SAVE_SAMPLE_DATA": {
        "stepName": _TEXT,
        "type": Part("text", choices=("OUTPUT", "INPUT")),
        "dataType": Part("text", optional=True, choices=("JSON", "STRING")),
    },
    "UPDATE_SAMPLE_DATA_INFO": {"stepName": _TEXT, "sampleDataSettings": Part("object", optional=True, null=True)},
    "ADD_NOTE": _NOTE,
    "UPDATE_NOTE": _NOTE,
    "DELETE_NOTE": {"id": _TEXT},
}


def problems(type: str, request: Mapping[str, object], typed: str = "") -> list[str]:
    """The problems of a request as sentences, with the line of the typed text if it is certain."""
    return [f"{_line(typed, key)}{text}" for key, text in _wrong(SHAPES.get(type, {}), request, "")]


def _wrong(parts: Mapping[str, Part], request: Mapping[str, object], at: str) -> Iterator[tuple[str, str]]:
    for key, part in parts.items():
        path, names = f"{at}{key}", {"key": f"{at}{key}", "what": _expected(part)}
        if key not in request:
            if not part.optional:
                yield "", _("“%(key)s” is missing: it has to be %(what)s.") % names
            continue
        value = request[key]
        if value is None and part.null:
            continue
        if not _fits(part, value):
            yield key, _("“%(key)s” has to be %(what)s.") % names
        elif part.parts:
            yield from _wrong(part.parts, mapping_of(value), f"{path}.")


def _expected(part: Part) -> str:
    words = str(_KINDS[part.kind][1])
    if part.choices:
        words = _("one of %(choices)s") % {"choices": ", ".join(f'"{choice}"' for choice in part.choices)}
    return _("%(what)s, or null") % {"what": words} if part.null else words


def _fits(part: Part, value: object) -> bool:
    if json_type(value) is not _KINDS[part.kind][0]:
        return False
    if part.kind == "minutes":
        number = as_count(value)
        return number is not None and number <= MOST_MINUTES
    if part.kind == "texts" and any(json_type(item) is not JsonType.TEXT for item in as_items(value)):
        return False
    return not part.choices or value in part.choices


def _line(typed: str, key: str) -> str:
    """ "Line 3: ", if the text has this key once."""
    found = list(re.finditer(rf'"{re.escape(key)}"\s*:', typed)) if key else []
    if len(found) != 1:
        return ""
    return _("Line %(line)d: ") % {"line": typed.count("\n", 0, found[0].start()) + 1}


def template(type: str, flow: Row) -> Json:
    """A request of this type for a flow (secrets masked); empty for an unknown type."""
    version = dict_at(flow, "version")
    trigger = dict_at(version, "trigger")
    steps = [node.step for node in flow_tree.walk(trigger)]
    action: Mapping[str, object] = steps[1] if len(steps) > 1 else {}
    name = text_at(action, "name") or "step_1"
    router = next((text_at(step, "name") for step in steps if step.get("type") in flow_tree.ROUTERS), name)
    new = {"name": free_name(names(trigger)), "type": "CODE", "valid": True, "displayName": "Code"}
    note = {"content": "", "color": "yellow", "position": {"x": -600, "y": 0}, "size": {"width": 240, "height": 140}}
    note_id = id_at(next(iter(notes.notes_of(flow)), {})) or "note_1"
    title = text_at(version, "displayName")
    branch = {"stepName": router, "branchIndex": 0}
    by_type: dict[str, Json] = {
        "CHANGE_NAME": {"displayName": title},
        "CHANGE_FOLDER": {"folderId": flow.get("folderId")},
        "CHANGE_STATUS": {"status": "ENABLED"},
        "LOCK_AND_PUBLISH": {"status": "ENABLED"},
        "LOCK_FLOW": {},
        "USE_AS_DRAFT": {"versionId": id_at(version)},
        "IMPORT_FLOW": {key: version[key] for key in TREE if key in version},
        "UPDATE_TRIGGER": step_body(trigger),
        "ADD_ACTION": {
            "parentStep": text_at(trigger, "name"),
            "stepLocationRelativeToParent": "AFTER",
            "action": new | {"settings": new_settings("CODE")},
        },
        "UPDATE_ACTION": step_body(action),
        "DELETE_ACTION": {"names": [name]},
        "MOVE_ACTION": {
            "name": name,
            "newParentStep": text_at(trigger, "name"),
            "stepLocationRelativeToNewParent": "AFTER",
        },
        "DUPLICATE_ACTION": {"stepName": name},
        "SET_SKIP_ACTION": {"names": [name], "skip": True},
        "ADD_BRANCH": branch
        | {"branchName": "Branch", "conditions": new_settings("ROUTER")["branches"][0]["conditions"]},
        "DELETE_BRANCH": branch,
        "DUPLICATE_BRANCH": branch,
        "MOVE_BRANCH": {"stepName": router, "sourceBranchIndex": 0, "targetBranchIndex": 1},
        "UPDATE_METADATA": {"metadata": flow.get("metadata")},
        "UPDATE_OWNER": {"ownerId": flow.get("ownerId")},
        "UPDATE_MINUTES_SAVED": {"timeSavedPerRun": flow.get("timeSavedPerRun")},
        "SAVE_SAMPLE_DATA": {"stepName": name, "payload": {}, "type": "OUTPUT", "dataType": "JSON"},
        "UPDATE_SAMPLE_DATA_INFO": {"stepName": name, "sampleDataSettings": None},
        "ADD_NOTE": {"id": "note_new", **note},
        "UPDATE_NOTE": {"id": note_id, **note},
        "DELETE_NOTE": {"id": note_id},
    }
    return by_type.get(type, {})

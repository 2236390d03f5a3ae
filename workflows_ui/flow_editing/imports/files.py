"""Flows as files: the engine's exports, and all shapes that can be imported.

0.72 exports one flow as `template` (recording `flow_template` of 0.72.4), 0.83 a list of them as `flows` (recording
`flow_template_branches_loop_notes`).
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from workflows_ui.core import formats, redaction
from workflows_ui.core.json_text import HALF
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import dicts_at, list_at, text_at
from workflows_ui.core.readers import as_items, mapping_of
from workflows_ui.engine import flow_tree
from workflows_ui.flow_editing.operations import Json

#: Maximum size of a file in bytes, far more than flows of hundreds of steps need; maximum number of flows in a file.
LARGEST, MOST_FLOWS = 5 * 1024 * 1024, 100
_INNER = ("template", "version")
_LISTS = ("flows", "data")
#: The engine numbered the versions of its trees, of which 0.72.4 has this one; later trees have the date of each step.
_UNDATED = 8
_LONGEST_VERSION = 9

Request = Json


def name(template: Mapping[str, object]) -> str:
    """A file name. In newer templates only the flow has a name, theirs is empty."""
    inner = list_at(template, "flows") or [{}]
    called = text_at(template, "name") or text_at(inner[0], "displayName")
    return formats.file_name(called, "flow", "json")


def read(file: "UploadedFile[bytes]") -> list[Request]:
    """The flows in a file, as returned by `parse`. Raises ValidationError."""
    if (file.size or 0) > LARGEST:
        raise forms.ValidationError(_("The file is too large: the console reads up to 5 MB."))
    try:
        return parse(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise forms.ValidationError(
            _("This is not a JSON file. Choose a file that was exported from a flow.")
        ) from None


def parse(text: str) -> list[Request]:
    """The flows in a text, at least one, each as the request of IMPORT_FLOW: displayName, trigger, schemaVersion, notes.

    Accepts exports of engines of both versions, with one flow or several; a flow or a version of one as the API gives it; and a bare tree.
    Raises ValidationError if it has no flow, and for trees that the engine is known to fail at.
    """
    try:
        # Half of a surrogate pair can neither be shown nor sent.
        whole = HALF.sub("\ufffd", json.dumps(json.loads(text), ensure_ascii=False))
        versions = list(_versions(json.loads(whole), ""))
    except (ValueError, RecursionError):
        raise forms.ValidationError(
            _("This is not a JSON file. Choose a file that was exported from a flow.")
        ) from None
    flows = [_request(version, called) for version, called in versions]
    if not flows:
        raise forms.ValidationError(_("There is no flow in this file. Choose a file that was exported from a flow."))
    if len(flows) > MOST_FLOWS:
        raise forms.ValidationError(_("There are more than %(most)d flows in this file.") % {"most": MOST_FLOWS})
    for flow in flows:
        _check(flow)
    return flows


def _versions(found: object, called: str) -> Iterator[tuple[Mapping[str, object], str]]:
    """All objects with a tree, with the name of the object around them."""
    for item in as_items(found):
        yield from _versions(item, "")
    version = mapping_of(found)
    if _is_tree(version):
        yield {"trigger": version}, called
    elif _is_tree(version.get("trigger")):
        yield version, called
    else:
        inner = _inner(version)
        for item in inner:
            yield from _versions(item, (text_at(version, "name") or called) if len(inner) == 1 else "")


def _inner(found: Mapping[str, object]) -> list[object]:
    """The object in which an export has its flow, else the list with its flows."""
    objects = [found[key] for key in _INNER if json_type(found.get(key)) is JsonType.OBJECT]
    lists = [as_items(found[key]) for key in _LISTS if json_type(found.get(key)) is JsonType.LIST]
    return objects[:1] or next(iter(lists), [])


def shown_name(flow: Request) -> str:
    """The flow's name, or "" if it has no visible one."""
    name = flow["displayName"]
    return name if formats.visible(name) else ""


def _is_tree(found: object) -> bool:
    return text_at(found, "type") in flow_tree.TRIGGERS


def _request(version: Mapping[str, object], called: str) -> Request:
    return {
        "displayName": text_at(version, "displayName") or called,
        "trigger": version["trigger"],
        "schemaVersion": _schema(version),
        "notes": dicts_at(version, "notes"),
    }


def _schema(version: Mapping[str, object]) -> str | None:
    """The tree version; with None the engine migrates the tree from the beginning.

    A tree that claims a later version than 0.72's and lacks the date of a step is refused, and accepted with None
    (recordings `op_import_flow_plain_tree_schema_20`, `op_import_flow_plain_tree_schema_null`).
    """
    version_number = text_at(version, "schemaVersion")
    if not version_number.isdecimal() or len(version_number) > _LONGEST_VERSION:
        return None
    dated = all(
        json_type(node.step.get("lastUpdatedDate")) is JsonType.TEXT for node in flow_tree.walk(version["trigger"])
    )
    return version_number if dated or int(version_number) <= _UNDATED else None


def _check(flow: Request) -> None:
    """Raise ValidationError for what the engine fails at (`op_import_flow_duplicate_names`), and what no page could show."""
    if redaction.is_cut(flow):
        raise forms.ValidationError(
            _("“%(flow)s” is nested too deeply to be shown here, so it is not imported.")
            % {"flow": formats.cut(flow["displayName"])}
        )
    names = Counter(node.name for node in flow_tree.walk(flow["trigger"]))
    twice = next((item for item, number in names.items() if item and number > 1), "")
    if twice:
        raise forms.ValidationError(
            _("Two steps of “%(flow)s” in this file have the same name, “%(step)s”. The engine does not accept this.")
            % {"flow": formats.cut(flow["displayName"]), "step": formats.cut(twice)}
        )

"""Edits of flows: stored before the engine is asked, ended with its answer, removed when they expire."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import dict_at, pick
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine.flow_shape import shape
from workflows_ui.flow_editing.models import EditState, FlowEdit
from workflows_ui.members.models import Workspace

#: Maximum size of the versions' JSON in bytes: a larger edit is made without being kept.
MOST_BYTES = 10_000_000
#: What is kept of a version (api.md 6.1): what an import takes.
_KEPT = ("displayName", "trigger", "schemaVersion", "notes", "updated")

#: Operations that have no inverse, and that an import does not undo either.
_OUTSIDE = frozenset({"LOCK_AND_PUBLISH", "LOCK_FLOW", "SAVE_SAMPLE_DATA"})
#: What a flow has besides its version, and the operations that change it: they are undone only with what was kept of that.
_PARTS = ("status", "folderId", "ownerId", "metadata", "timeSavedPerRun")
_ON_FLOW = frozenset({"CHANGE_FOLDER", "CHANGE_STATUS", "UPDATE_METADATA", "UPDATE_MINUTES_SAVED", "UPDATE_OWNER"})


@dataclass(frozen=True)
class Versions:
    """The newest version of a flow before an edit, as it was predicted, and as the engine returned it (None if it did not answer).

    `parts` is what the edit changed of the flow besides its version, as it was; `undoes` is the id of the edit that it undoes.
    """

    before: Mapping[str, object]
    expected: Mapping[str, object]
    after: Mapping[str, object] | None
    parts: Mapping[str, object]
    undoes: str = ""


def version_mark(flow: Mapping[str, object]) -> str:
    """A digest of the version that a page shows, which the forms on it send along."""
    return digest([pick(flow, "version.id"), pick(flow, "version.updated")])


def digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def begin(
    session: EngineSession,
    flow_id: str,
    operation: str,
    before: Mapping[str, object],
    expected: Mapping[str, object],
    *,
    undoes: FlowEdit | None = None,
) -> FlowEdit:
    """Store an edit that is about to be sent. `before` and `expected` are flows; `undoes` is the edit that it undoes."""
    now = clock.now()
    edit = FlowEdit(
        workspace=session.workspace,
        moves=session.workspace.moves,
        flow_id=flow_id,
        operation=operation,
        edited_by_id=session.user_id,
        edited_at=now,
        expires_at=now + settings.DELETED_RETENTION,
    )
    versions = {"before": _kept(dict_at(before, "version")), "expected": _kept(dict_at(expected, "version"))}
    parts = {key: before.get(key) for key in _PARTS if before.get(key) != expected.get(key)}
    more: dict[str, object] = {"parts": parts} if parts else {}
    if undoes:
        more["undoes"] = undoes.pk
    _seal(edit, _json({**versions, **more}))
    with database.turn():
        edit.save(force_insert=True)
    return edit


def is_undoable(operation: str, before: Mapping[str, object], expected: Mapping[str, object]) -> bool:
    """Whether an edit of this type can be undone: depends on what it changes, and on the size of the versions to store."""
    sizes = [len(json.dumps(_kept(version))) for version in (before, expected)]
    return operation not in _OUTSIDE and sizes[0] + 2 * sizes[1] <= MOST_BYTES


def can_undo(edit: FlowEdit) -> bool:
    return edit.operation not in _OUTSIDE and bool(edit.content)


def forget(edit: FlowEdit) -> None:
    """Remove an edit that the engine refused."""
    with database.turn():
        edit.delete()


def end(edit: FlowEdit, after: Mapping[str, object], *, as_expected: bool, meanwhile: bool) -> None:
    """Store the version that the engine returned."""
    if edit.content:
        # What was stored is an object: it is extended without being parsed.
        _seal(edit, f'{edit.open("content")[:-1]},"after":{_json(_kept(after))}}}')
    edit.state = EditState.DONE if as_expected else EditState.DIFFERS
    edit.meanwhile = meanwhile
    with database.turn():
        edit.save(update_fields=["content", "state", "meanwhile"])


def settle(key: str, outcome: str, flow: Mapping[str, object]) -> None:
    """End an edit that was unclear, by what was found out: `done` with the flow as it is, `not_done`; else it stays unclear."""
    edit = FlowEdit.objects.filter(pk=key, state=EditState.SENT).select_related("workspace").first()
    if edit is None:
        return
    if outcome == "done":
        versions = open_versions(edit)
        end(edit, dict_at(flow, "version"), as_expected=True, meanwhile=False)
        if versions is not None and versions.undoes:
            mark_undone(edit, *_of_flow(edit.workspace, edit.flow_id).filter(pk=versions.undoes))
    elif outcome == "not_done":
        forget(edit)


def find_edit(workspace: Workspace, flow_id: str, key: str) -> FlowEdit | None:
    """An edit of this flow that has not expired."""
    return _of_flow(workspace, flow_id).filter(pk=key).select_related("edited_by").first()


def latest(workspace: Workspace, flow_id: str) -> FlowEdit | None:
    """The last edit of a flow that can be undone."""
    rows = _of_flow(workspace, flow_id).filter(moves=workspace.moves).exclude(state=EditState.UNDONE)
    for edit in rows.exclude(operation__in=_OUTSIDE).order_by("-edited_at"):
        if edit.operation not in _ON_FLOW or _has_parts(edit):
            return edit
    return None


def _has_parts(edit: FlowEdit) -> bool:
    """Whether what the edit changed besides the version was kept; before 1 December 2026 it was not."""
    try:
        versions = open_versions(edit)
    except CannotOpen:
        return True
    return versions is None or bool(versions.parts)


def _of_flow(workspace: Workspace, flow_id: str) -> QuerySet[FlowEdit]:
    """The edits of a flow that have not expired."""
    rows = FlowEdit.objects.filter(workspace=workspace, flow_id=flow_id, expires_at__gt=clock.now())
    return rows.select_related("workspace")


def open_versions(edit: FlowEdit) -> Versions | None:
    """The versions of an edit; None if they were too large. Raises CannotOpen."""
    if not edit.content:
        return None
    found = json.loads(edit.open("content"))
    return Versions(
        found["before"], found["expected"], found.get("after"), found.get("parts", {}), found.get("undoes", "")
    )


def is_newest(versions: Versions, flow: Mapping[str, object]) -> bool:
    """Whether the flow still has the steps that the edit left. Of one with its secrets masked, only if nothing at all was changed."""
    left, now = versions.after or {}, dict_at(flow, "version")
    if left.get("updated") and left.get("updated") == now.get("updated"):
        return True
    try:
        # A sample may have been saved since.
        return bool(left) and shape({"version": left}) == shape({"version": now})
    except (TypeError, KeyError, AttributeError, RecursionError):
        return False


def mark_undone(*edits: FlowEdit) -> None:
    """The version before them is the draft again."""
    with database.turn():
        FlowEdit.objects.filter(pk__in=[edit.pk for edit in edits]).update(state=EditState.UNDONE)


def purge() -> None:
    FlowEdit.objects.filter(expires_at__lt=clock.now()).delete()


def _kept(version: Mapping[str, object]) -> dict[str, object]:
    return {key: version[key] for key in _KEPT if key in version}


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _seal(edit: FlowEdit, text: str) -> None:
    edit.content = edit.seal("content", text) if len(text) <= MOST_BYTES else ""

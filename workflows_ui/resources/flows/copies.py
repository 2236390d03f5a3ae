"""Creating flows: empty, as a copy, from a file; and importing a file into a flow's draft."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Refused, flow_tree
from workflows_ui.resource_admin.resource import Row
from workflows_ui.resources import usage
from workflows_ui.resources.flows import pages
from workflows_ui.resources.flows.import_findings import find_problems
from workflows_ui.resources.flows.reading import name_of, trigger_of
from workflows_ui.web import formats, messages
from workflows_ui.web.paths import dict_at, text_at

_DATE = "lastUpdatedDate"


def operate(session: EngineSession, id: str, operation: str, **request: Any) -> Any:
    """Run one of the engine's operations on a flow (api.md 6.5) and return the whole flow. Raises EngineError."""
    return session.workflows.apply_flow_operation(id, {"type": operation, "request": request})


def _import_into(session: EngineSession, flow: Row, request: Mapping[str, Any], name: str) -> Any:
    """Replace the steps of a flow's draft. Raises EngineError, ValidationError if the engine refuses the tree."""
    tree_request = _fitting(request, flow)
    try:
        return operate(session, str(flow["id"]), "IMPORT_FLOW", displayName=name, **tree_request)
    except Refused as refusal:
        if refusal.code != "FST_ERR_VALIDATION":
            raise
        # The engine only says that the input is invalid (recording `op_import_flow_bad_trigger`).
        text = _("The engine does not take this flow: something in it is not as it expects. It does not say what.")
        raise forms.ValidationError({"file": text}) from refusal


def _fitting(request: Mapping[str, Any], flow: Row) -> dict[str, Any]:
    """The tree for the engine of this flow: an older engine knows neither the notes and dates of a newer file, nor its
    tree version (engine-0.83.md 11, row 7). The flow's own version shows which it is.
    """
    trigger, version = request.get("trigger"), dict_at(flow, "version")
    schema, known = text_at(request, "schemaVersion"), text_at(version, "schemaVersion")
    later = schema.isdecimal() and known.isdecimal() and int(schema) > int(known)
    tree = {"trigger": trigger, "schemaVersion": None if later else request.get("schemaVersion")}
    if "notes" in version:
        return tree | {"notes": request.get("notes") or []}
    return tree | {"trigger": _undated(trigger)}


def _undated(step: Any) -> Any:
    """A copy of a tree without the dates of its steps; the steps' settings are not copied."""
    if not isinstance(step, dict):
        return step
    copies: dict[int, dict[str, Any]] = {}
    for node in flow_tree.walk(step):
        copies[id(node.step)] = {key: value for key, value in node.step.items() if key != _DATE}
    for copy in copies.values():
        for key in ("nextAction", "firstLoopAction"):
            if id(copy.get(key)) in copies:
                copy[key] = copies[id(copy[key])]
        if isinstance(copy.get("children"), list):
            copy["children"] = [copies.get(id(child), child) for child in copy["children"]]
    return copies[id(step)]


def _create(session: EngineSession, name: str, request: Mapping[str, Any], folder: str = "") -> Any:
    """Create a flow with these steps, in two calls. If the second one fails, the error reports an incomplete flow."""
    flow = session.workflows.create_flow(name, folder_id=folder or None)
    pages.forget(session)
    usage.forget(session)
    try:
        return _import_into(session, flow, request, name)
    except (EngineError, forms.ValidationError) as error:
        text = _(
            "A flow “%(name)s” was made, but its steps could not be brought in: %(why)s It is empty; delete it, or import into it."
        )
        raise forms.ValidationError(text % {"name": name, "why": _why(error)}) from error


def _why(error: EngineError | forms.ValidationError) -> str:
    if isinstance(error, forms.ValidationError):
        return " ".join(error.messages)
    return str(messages.error_message(error).text)


def make(session: EngineSession, _id: str, data: dict[str, Any]) -> Any:
    """Create a flow without steps."""
    flow = session.workflows.create_flow(data["name"], folder_id=data["folder"] or None)
    pages.forget(session)
    return flow


def duplicate(session: EngineSession, id: str, data: dict[str, Any]) -> Any:
    """Create a flow of this name with the newest version's steps, in the same folder."""
    flow = session.workflows.get_flow(id)
    return _create(session, data["name"], dict_at(flow, "version"), text_at(flow, "folderId"))


def import_new(session: EngineSession, _id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Create a flow from each request of the chosen file. Return `flows`, and `check`: the steps of each that need a
    check.

    Raises EngineError, ValidationError; if some flows were already created, the error says which.
    """
    created: list[Row] = []
    for request in data["file"]:
        name = data["name"] or _shown_name(request) or _("Imported flow")
        try:
            created.append(_create(session, name[:200], request))
        except (EngineError, forms.ValidationError) as error:
            if not created:
                raise
            text = _("Created so far: %(made)s. Then: %(why)s Clear the flows that were created before you continue.")
            names = ", ".join(f"“{formats.cut(name_of(flow))}”" for flow in created)
            raise forms.ValidationError(text % {"made": names, "why": _why(error)}) from error
    return {"flows": created, "check": [find_problems(session, trigger_of(flow)) for flow in created]}


def import_here(session: EngineSession, id: str, data: dict[str, Any]) -> dict[str, Any]:
    """Replace the draft by the content of the file; the flow keeps its name."""
    (request,) = data["file"]
    flow = session.workflows.get_flow(id)
    imported = _import_into(session, flow, request, name_of(flow) or _shown_name(request) or id)
    usage.forget(session)
    return {"flows": [imported], "check": [find_problems(session, trigger_of(imported))]}


def _shown_name(request: Mapping[str, Any]) -> str:
    name = request.get("displayName")
    return name if formats.visible(name) else ""

"""Flows made: empty, as a copy, from a file; and a file brought into a flow's draft."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from workflows_ui.engine import EngineError
from workflows_ui.kit import words
from workflows_ui.kit.caller import Caller
from workflows_ui.resources import flow_pages
from workflows_ui.resources.flow_reading import name_of


def operate(caller: Caller, id: str, operation: str, **request: Any) -> Any:
    """One of the engine's operations on a flow (api.md 6.5): the whole flow afterwards. Raises EngineError."""
    return caller.workflows.apply_flow_operation(id, {"type": operation, "request": request})


def _import_into(caller: Caller, id: str, request: Mapping[str, Any], name: str) -> Any:
    return operate(
        caller,
        id,
        "IMPORT_FLOW",
        displayName=name,
        trigger=request.get("trigger"),
        schemaVersion=request.get("schemaVersion"),
    )


def _made(caller: Caller, name: str, request: Mapping[str, Any], folder: str | None = None) -> Any:
    """A new flow with these steps: two calls, since the engine copies nothing. What the second one leaves behind is told."""
    flow = caller.workflows.create_flow(name, folder_id=folder or None)
    flow_pages.forget(caller)
    key = str(flow.get("id"))
    try:
        return _import_into(caller, key, request, name)
    except EngineError as error:
        told = words.of_error(error)
        text = _(
            "A flow “%(name)s” was made, but its steps could not be brought in: %(why)s It is empty; delete it, or import into it."
        )
        raise forms.ValidationError(text % {"name": name, "why": told.text}) from error


def make(caller: Caller, _id: str, data: dict[str, Any]) -> Any:
    """A new flow without steps."""
    flow = caller.workflows.create_flow(data["name"], folder_id=data["folder"] or None)
    flow_pages.forget(caller)
    return flow


def duplicate(caller: Caller, id: str, data: dict[str, Any]) -> Any:
    """A new flow of this name with the newest version's steps, in the same folder."""
    flow = caller.workflows.get_flow(id)
    version = flow.get("version")
    folder = flow.get("folderId")
    steps = version if isinstance(version, dict) else {}
    return _made(caller, data["name"], steps, folder if isinstance(folder, str) else None)


def import_new(caller: Caller, _id: str, data: dict[str, Any]) -> Any:
    """A new flow from a file's request."""
    request = data["file"]
    return _made(caller, data["name"] or request["displayName"] or _("Imported flow"), request)


def import_here(caller: Caller, id: str, data: dict[str, Any]) -> Any:
    """The draft replaced by what is in the file; the flow keeps its name."""
    request = data["file"]
    name = name_of(caller.workflows.get_flow(id))
    return _import_into(caller, id, request, name or request["displayName"] or id)

"""The address of an object in the engine's own web pages."""

from urllib.parse import quote, urlsplit

from workflows_ui.core.paths import usable_id
from workflows_ui.members.models import Flavour, Workspace
from workflows_ui.resource_admin.resource import Resource


def url(resource: Resource, workspace: Workspace, id: str) -> str:
    """The object's page there; "" without one, or if its address does not follow from that of the API.

    Activepieces serves its pages beside its API (`https://flows.example.com/api`). The practice engine has none, an Imbrace gateway does
    not say where they are, and a name without a dot (`http://activepieces/api`) is one of an internal network, which browsers do not
    know.
    """
    if not resource.editor_path or workspace.flavour != Flavour.ACTIVEPIECES or workspace.practice or not usable_id(id):
        return ""
    try:
        parts = urlsplit(workspace.address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not ("." in host or ":" in host or host == "localhost"):
        return ""
    place = f"[{host}]" if ":" in host else host
    base = f"{parts.scheme}://{place}{f':{port}' if port else ''}{parts.path.rstrip('/').removesuffix('/api')}"
    path = resource.editor_path.format(project=quote(workspace.project_id, safe=""), id=quote(id, safe=""))
    return f"{base}{path}"

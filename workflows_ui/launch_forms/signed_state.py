"""Signed state in the page of a flow, to accept its form without the engine; valid only for this workspace and flow."""

from django.core import signing

from workflows_ui.members.models import Workspace


def sign(workspace: Workspace, flow_id: str, text: str, *, salt: str) -> str:
    """The signed text for a hidden field, as proof that the workspace has this flow. `salt` identifies the kind of text."""
    return signing.dumps([workspace.pk, flow_id, text], salt=salt, compress=True)


def read(workspace: Workspace, flow_id: str, signed: str, *, salt: str) -> str:
    """The signed text, or "" if the signature is invalid or for another flow, workspace or kind."""
    try:
        parts = signing.loads(signed, salt=salt)
    except signing.BadSignature:
        return ""
    matches = isinstance(parts, list) and len(parts) == 3 and parts[:2] == [workspace.pk, flow_id]
    return str(parts[2]) if matches else ""

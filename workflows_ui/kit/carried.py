"""What a page of a flow carries so that its form can be taken without the engine: signed, and good for this workspace's flow only."""

from django.core import signing

from workflows_ui.models import Workspace


def sign(workspace: Workspace, flow_id: str, text: str, *, salt: str) -> str:
    """The text for a hidden field: it also says that this workspace has such a flow. `salt` tells what kind of text it is."""
    return signing.dumps([workspace.pk, flow_id, text], salt=salt, compress=True)


def read(workspace: Workspace, flow_id: str, signed: str, *, salt: str) -> str:
    """The text that was signed; "" where there is none, or where it is another flow's, another workspace's or of another kind."""
    try:
        found = signing.loads(signed, salt=salt)
    except signing.BadSignature:
        return ""
    good = isinstance(found, list) and len(found) == 3 and found[:2] == [workspace.pk, flow_id]
    return str(found[2]) if good else ""

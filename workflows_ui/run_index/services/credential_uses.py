"""The use of a credential in the background: by the run index, and by its test."""

from datetime import datetime

from workflows_ui.credentials.models import Credential
from workflows_ui.run_index.models import IndexedKind, RunIndex


def background_uses(credential: Credential) -> dict[str, datetime | None]:
    """When the console itself used a credential last: the run index and its objects, and the test. Two queries.

    A name is missing if the credential does not serve for it; the time is None if it was not used yet.
    """
    found: dict[str, datetime | None] = {}
    runs = list(RunIndex.objects.filter(credential=credential).values_list("read_at", flat=True))
    objects = list(IndexedKind.objects.filter(credential=credential).values_list("read_at", flat=True))
    if runs:
        found["runs"] = runs[0]
    if objects:
        found["objects"] = max((moment for moment in objects if moment), default=None)
    return found | {"test": credential.tested_at}

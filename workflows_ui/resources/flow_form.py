"""The launch form on a flow's page: whether there is one, who published it when, and the way to its builder."""

from typing import Any

from django.urls import reverse

from workflows_ui.kit.resource import Row, Subject, id_at
from workflows_ui.models import Role
from workflows_ui.services import launch_forms


def url(slug: str, flow: Row) -> str:
    """The builder of a flow's form; "" where its id fits no address."""
    key = id_at(flow)
    return reverse("form_builder", args=[slug, key]) if key and "/" not in key else ""


def panel(subject: Subject) -> dict[str, Any] | None:
    """The state of the form, for builders; None for others."""
    if not subject.access.allows(Role.BUILDER) or not url(subject.slug, subject.object):
        return None
    row = launch_forms.of(subject.workspace, subject.id)
    return {
        "row": row,
        "drafted": bool(row and row.draft),
        "flow_id": subject.id,
        "url": url(subject.slug, subject.object),
    }

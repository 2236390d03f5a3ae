"""The launch form on a flow's page: whether there is one, who published it and when, and the link to its builder."""

import logging
from typing import Any

from django.urls import reverse

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.launch_forms import form_fit
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row, Subject, sole_id_at
from workflows_ui.resources.flows.reading import deleting

_log = logging.getLogger(__name__)


def url(slug: str, flow: Row) -> str:
    """The builder of a flow's form; "" if a URL cannot hold the id, and if the flow is being deleted."""
    key = sole_id_at(flow)
    return reverse("form_builder", args=[slug, key]) if key and not deleting(flow) else ""


def panel(subject: Subject) -> dict[str, Any] | None:
    """The state of the form, for builders; None for others."""
    if not subject.access.allows(Role.BUILDER) or not url(subject.slug, subject.object):
        return None
    row = launch_forms.find_form(subject.workspace, subject.id)
    return {
        "row": row,
        "drafted": bool(row and row.draft),
        "flow_id": subject.id,
        "url": url(subject.slug, subject.object),
        "fits": _mismatches(subject, row),
    }


def _mismatches(subject: Subject, row: LaunchForm | None) -> list[str]:
    """What of the published form no longer fits the flow. The page's own flow is masked, so the flow is read again."""
    if row is None or row.published is None:
        return []
    try:
        form = row.published.open_form()
        return form_fit.lines(subject.session, subject.session.workflows.get_flow(subject.id), form)
    except (EngineError, CannotOpen) as problem:
        _log.info("a flow's page without a look at its form: %r", problem)
        return []

"""The launch form on a flow's page: whether there is one, who published it when, and the way to its builder."""

import logging
from typing import Any

from django.urls import reverse

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.kit.resource import Row, Subject, sole_id_at
from workflows_ui.models import LaunchForm, Role
from workflows_ui.resources import form_fit
from workflows_ui.resources.flow_reading import deleting
from workflows_ui.services import launch_forms

_log = logging.getLogger(__name__)


def url(slug: str, flow: Row) -> str:
    """The builder of a flow's form; "" where its id fits no address, and where the flow is being deleted."""
    key = sole_id_at(flow)
    return reverse("form_builder", args=[slug, key]) if key and not deleting(flow) else ""


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
        "fits": _fits(subject, row),
    }


def _fits(subject: Subject, row: LaunchForm | None) -> list[str]:
    """What of the form that launchers see no longer fits the flow. The page's own flow is masked, so it is read once more."""
    if row is None or row.published is None:
        return []
    try:
        form = launch_forms.form_of(row.published)
        return form_fit.lines(subject.caller, subject.caller.workflows.get_flow(subject.id), form)
    except (EngineError, CannotOpen) as problem:
        _log.info("a flow's page without a look at its form: %r", problem)
        return []

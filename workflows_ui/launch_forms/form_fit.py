"""Comparison of a launch form with its flow: what the running version reads, and what the form sends."""

import logging
from collections.abc import Mapping

from workflows_ui.core.caching import answers
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.form_schema.document import Form
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launch_forms.proposal import changes

_log = logging.getLogger(__name__)
_DAY = 24 * 3600


def trigger(session: EngineSession, row: Mapping[str, object]) -> Mapping[str, object] | None:
    """The step tree that a launch runs: of the published version, else of the latest; None without one. Loads it if the latest is a draft.

    `row`, a flow, must be unmasked, since masking removes references. Raises EngineError.
    """
    flow = Flow(row)
    if flow.has_draft:
        flow = Flow(session.workflows.get_flow(flow.id, version_id=flow.published_version_id))
    return flow.version.trigger.raw or None


def lines(session: EngineSession, flow: Mapping[str, object], form: Form) -> list[str]:
    """A sentence for each difference; none if the form fits, or if the engine cannot be called."""
    try:
        return form_messages.fit(changes.fit(form, trigger(session, flow)))
    except EngineError as problem:
        _log.info("a form without a look at its flow: %r", problem)
        return []


def still_fits(version: LaunchFormVersion, row: Mapping[str, object]) -> bool:
    """Whether a published form fits a flow from the engine's list; True if the list does not show that.

    Neither changes once it is published, so the result is cached for a day.
    """
    flow = Flow(row)
    if not flow.is_published or flow.has_draft:
        return True
    key = f"form-fit:{version.pk}:{flow.version.id[:64]}"
    fits: bool | None = answers.get(key)
    if fits is None:
        try:
            fits = changes.fit(version.open_form(), flow.version.trigger.raw).good
        except CannotOpen:
            _log.exception("the launch form %s cannot be opened", version.pk)
            return True
        answers.set(key, fits, _DAY)
    return fits

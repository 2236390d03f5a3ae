"""Whether a launch form still fits its flow: what the version that runs reads, against what the form sends."""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.cache import cache

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.forming import changes
from workflows_ui.forming.document import Form
from workflows_ui.kit import form_words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import pick
from workflows_ui.models import LaunchFormVersion
from workflows_ui.services import launch_forms

_log = logging.getLogger(__name__)
_DAY = 24 * 3600


def trigger(caller: Caller, flow: Mapping[str, Any]) -> Any:
    """The step tree that a launch runs: of the published version, else of the newest. Asks for it where the newest is a draft.

    `flow` must be as the engine sent it: in what is masked, references are missing. Raises EngineError.
    """
    published, newest = flow.get("publishedVersionId"), pick(flow, "version.id")
    if isinstance(published, str) and published and published != newest:
        flow = caller.workflows.get_flow(str(flow.get("id")), version_id=published)
    return pick(flow, "version.trigger")


def lines(caller: Caller, flow: Mapping[str, Any], form: Form) -> list[str]:
    """What no longer fits, a sentence each; none where it fits, or where the engine cannot be asked."""
    try:
        return form_words.fit(changes.fit(form, trigger(caller, flow)), form)
    except EngineError as problem:
        _log.info("a form without a look at its flow: %r", problem)
        return []


def still(version: LaunchFormVersion, flow: Mapping[str, Any]) -> bool:
    """Whether a published form fits a flow as the engine's list has it; yes where that cannot be told from it.

    Neither changes once it is published, so what was found is remembered for a day.
    """
    runs = pick(flow, "version.id")
    if not isinstance(runs, str) or runs != flow.get("publishedVersionId"):
        return True
    key = f"form-fit:{version.pk}:{runs[:64]}"
    found: bool | None = cache.get(key)
    if found is None:
        try:
            found = changes.fit(launch_forms.form_of(version), pick(flow, "version.trigger")).good
        except CannotOpen:
            _log.exception("the launch form %s cannot be opened", version.pk)
            return True
        cache.set(key, found, _DAY)
    return found

"""The panels of a run's page: summary, steps with their times, related runs, and the raw JSON."""

import json
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.text import slugify

from workflows_ui.core import redaction
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound, flow_tree
from workflows_ui.launches.failures import messages as failure_messages
from workflows_ui.launches.services import runs
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row, Subject, id_at, pick
from workflows_ui.resources.runs import family as resource_family
from workflows_ui.resources.runs import reading, starters
from workflows_ui.resources.runs import times as resource_times
from workflows_ui.resources.runs.steps import Reader, error_text, failed_place, shows
from workflows_ui.web import messages

_VERSION_FOR = 600
#: States in which the active step is not among the steps (recording `run_odd_MEMORY_LIMIT_EXCEEDED_Memory_hog_2`).
_INCOMPLETE = ("MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR")
#: Maximum length of the raw data on the page; the file is complete.
_RAW = 200_000


def summary(subject: Subject) -> dict[str, Any]:
    """State, sentence, the failure's first line, what started it, and the polling of the page."""
    run = subject.object
    seconds = reading.poll_seconds(run)
    launch = starters.launches_of(subject.workspace, [run]).get(id_at(run))
    known = known_steps(subject.session, run) if run.get("steps") else {}
    alone = launch is None and not id_at(run, "parentRunId")
    failure_text = _failure_message(run)
    return {
        "state": messages.run_state(run.get("status")),
        "sentence": reading.sentence(run, resource_times.Times(run, known).total),
        "retried": reading.retried(run),
        "error": failure_messages.headline(failure_text),
        "diagnosis": failure_messages.explain_failure(failure_text, str(run.get("status") or "")),
        "failed_step": _failed_step_url(subject),
        "run": run,
        "launch": launch,
        "by_itself": starters.by_itself(known.get("trigger")) if alone else "",
        "slug": subject.slug,
        "seconds": seconds,
        "still": not seconds and not runs.ended(run),
        "at_work": run.get("status") == "RUNNING" and subject.access.allows(Role.LAUNCHER),
    }


def failure(run: Row) -> str:
    """The first line of the failed step's message, in loops too; "" without one."""
    return failure_messages.headline(_failure_message(run))


def _failure_message(run: Row) -> str:
    """The failed step's message. A run that was retried, or cancelled, may still name the failed step of an earlier
    try.
    """
    text = runs.failure(dict(run)) if reading.failing(run) else ""
    try:
        data = json.loads(text) if text[:1] in ("{", "[") else text
    except (ValueError, RecursionError):
        data = text
    return error_text(data or pick(run, "failedStep.message")) if reading.failing(run) else ""


def _failed_step_url(subject: Subject) -> str:
    """The link to the failed step: further down on the page, or its own page if the run has too many steps; "" if there
    is none.
    """
    run = subject.object
    name = pick(run, "failedStep.name")
    position = failed_place(run.get("steps"), name) if reading.failing(run) and isinstance(name, str) else ""
    if not position:
        return ""
    views = Reader({}).read(run.get("steps"))
    return (
        f"#step-{position}"
        if shows(views, position)
        else reverse("run_step", args=[subject.slug, subject.id, position])
    )


def known_steps(session: EngineSession, run: Row) -> Mapping[str, Any]:
    """The steps of the version that ran, by name, without their inner chains; a locked version never changes. {} if the
    engine no longer has it.
    """
    flow, version = id_at(run, "flowId"), id_at(run, "flowVersionId")
    if not flow or not version:
        return {}

    def ask() -> Mapping[str, Any]:
        try:
            flow_row = session.workflows.get_flow(flow, version)
        except NotFound:
            return {}
        return {name: _head(step) for name, step in flow_tree.steps_by_name(pick(flow_row, "version.trigger")).items()}

    nothing: Mapping[str, Any] = {}
    return session.remember_or(nothing, f"version:{flow}:{version}", _VERSION_FOR, ask)


def _head(step: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("pieceName", "actionName", "triggerName")
    settings = {key: pick(step, f"settings.{key}") for key in keys}
    return {"name": step.get("name"), "displayName": step.get("displayName"), "settings": settings}


def steps(subject: Subject) -> dict[str, Any]:
    """The steps with their bars, and where the run's time went."""
    run = subject.object
    if not run.get("steps"):
        return {"steps": [], "ended": runs.ended(run), "parts": resource_times.Times(run, {}).parts()}
    known = known_steps(subject.session, run)
    times = resource_times.Times(run, known)
    reader = Reader(known, times, run)
    return {
        "steps": reader.read(run.get("steps")),
        "left_out": reader.left_out,
        "ended": runs.ended(run),
        "incomplete": run.get("status") in _INCOMPLETE,
        "mixed": times.mixed,
        "retried": reading.retried(run) is not None,
        "parts": times.parts(),
        "slug": subject.slug,
        "run_id": subject.id,
    }


def family(subject: Subject) -> dict[str, Any] | None:
    """The link to the related runs; they are loaded at once only if there is a sign of them. None while the run is in
    progress.
    """
    run = subject.object
    if not runs.ended(run) or not id_at(run):
        return None
    known = known_steps(subject.session, run) if run.get("steps") else {}
    return {
        "url": reverse("run_family", args=[subject.slug, subject.id]),
        "at_once": bool(resource_family.parent_id(subject.workspace, run)) or resource_family.starts_others(known),
    }


def raw(subject: Subject) -> dict[str, Any]:
    """The raw JSON, truncated; and the complete file."""
    return {
        "value": {key: value for key, value in subject.object.items() if key != reading.RETRIED},
        "limit": _RAW,
        "file": reverse("run_file", args=[subject.slug, subject.id]),
        "hidden": reverse("run_hidden", args=[subject.slug, subject.id]) if redaction.masks(subject.object) else "",
    }


def file_name(run: Row, id: str) -> str:
    """The name of a run's file: the flow's name, as far as file names allow it, and the run's id."""
    return f"{slugify(reading.name_of(run), allow_unicode=True)[:80] or 'run'}-{slugify(id)[:30]}.json"

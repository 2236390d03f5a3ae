"""What stands on a run's page: what happened, its steps with their times, the runs it belongs together with, and all of it as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from workflows_ui.engine import NotFound, flow_tree
from workflows_ui.kit import failure_words, redact, show, words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, Subject, id_at, pick
from workflows_ui.resources import run_family, run_reading, run_starters, run_times
from workflows_ui.resources.run_actions import ended
from workflows_ui.resources.steps import Reader, error_text
from workflows_ui.services import runs

_VERSION_FOR = 600
#: Characters of the raw data on the page; the file has all of it.
_RAW = 200_000


def summary(subject: Subject) -> dict[str, Any]:
    """State, sentence, the failure's first line, what started it, and how the page goes on looking."""
    run = subject.object
    seconds = run_reading.poll_seconds(run)
    launch = run_starters.launches_of(subject.workspace, [run]).get(id_at(run))
    alone = launch is None and not id_at(run, "parentRunId") and bool(run.get("steps"))
    return {
        "state": words.run_state(run.get("status")),
        "sentence": run_reading.sentence(run),
        "error": failure(run),
        "diagnosis": failure_words.of(_said(run), str(run.get("status") or "")),
        "run": run,
        "launch": launch,
        "by_itself": run_starters.by_itself(known_steps(subject.caller, run).get("trigger")) if alone else "",
        "slug": subject.slug,
        "seconds": seconds,
        "still": not seconds and not ended(run),
    }


def failure(run: Row) -> str:
    """The first line of what the failed step said, in loops too; "" where it said nothing."""
    return show.first_line(_said(run))


def _said(run: Row) -> str:
    text = runs.failure(dict(run))
    try:
        told = json.loads(text) if text[:1] in ("{", "[") else text
    except (ValueError, RecursionError):
        told = text
    return error_text(told)


def known_steps(caller: Caller, run: Row) -> Mapping[str, Any]:
    """The steps of the version that ran, by name, without their inner chains; a version that is locked never changes. {} where the
    engine does not have it any more."""
    flow, version = id_at(run, "flowId"), id_at(run, "flowVersionId")
    if not flow or not version:
        return {}

    def ask() -> Mapping[str, Any]:
        try:
            found = caller.workflows.get_flow(flow, version)
        except NotFound:
            return {}
        return {name: _head(step) for name, step in flow_tree.steps_by_name(pick(found, "version.trigger")).items()}

    nothing: Mapping[str, Any] = {}
    return caller.remember_or(nothing, f"version:{flow}:{version}", _VERSION_FOR, ask)


def _head(step: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("pieceName", "actionName", "triggerName")
    settings = {key: pick(step, f"settings.{key}") for key in kept}
    return {"name": step.get("name"), "displayName": step.get("displayName"), "settings": settings}


def steps(subject: Subject) -> dict[str, Any]:
    """The steps with their bars, and where the run's time went."""
    run = subject.object
    if not run.get("steps"):
        return {"steps": [], "ended": ended(run), "parts": run_times.Times(run, {}).parts()}
    known = known_steps(subject.caller, run)
    times = run_times.Times(run, known)
    reader = Reader(known, times)
    return {
        "steps": reader.read(run.get("steps")),
        "left_out": reader.left_out,
        "ended": ended(run),
        "parts": times.parts(),
        "slug": subject.slug,
        "run_id": subject.id,
    }


def family(subject: Subject) -> dict[str, Any] | None:
    """The way to the runs it belongs together with; looked for at once only where there is a sign of them. None while it goes on."""
    run = subject.object
    if not ended(run) or not id_at(run):
        return None
    known = known_steps(subject.caller, run) if run.get("steps") else {}
    launch = run_starters.launches_of(subject.workspace, [run]).get(id_at(run))
    return {
        "url": reverse("run_family", args=[subject.slug, subject.id]),
        "at_once": bool(run_family.parent_id(run, launch)) or run_family.starts_others(known),
    }


def raw(subject: Subject) -> dict[str, Any]:
    """All of it as JSON, cut; and the file that is not."""
    return {
        "value": subject.object,
        "id": "raw",
        "title": _("The run as the engine has it (JSON)"),
        "limit": _RAW,
        "file": reverse("run_file", args=[subject.slug, subject.id]),
        "hidden": reverse("run_hidden", args=[subject.slug, subject.id]) if redact.masks(subject.object) else "",
    }


def file_name(run: Row, id: str) -> str:
    """What a run's file is called: the flow's name, as far as file names hold it, and the run's id."""
    return f"{slugify(run_reading.name_of(run), allow_unicode=True)[:80] or 'run'}-{slugify(id)[:30]}.json"

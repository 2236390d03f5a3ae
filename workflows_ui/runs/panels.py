"""The panels of a run's page: summary, steps with their times, and related runs."""

import json
from collections.abc import Mapping

from django.urls import reverse

from workflows_ui.core.paths import dict_at
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine import flow_tree
from workflows_ui.engine_objects.runs import Run
from workflows_ui.failures import services as failures
from workflows_ui.flows.owners import known_owner
from workflows_ui.launches import flow_facts
from workflows_ui.launches.failures.reasons import FailureReason, find_reason
from workflows_ui.launches.services import launches, repairs, runs
from workflows_ui.members.models import Role
from workflows_ui.members.services import members
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.places import launch_url, repair_url, run_url
from workflows_ui.resource_admin.resource import Row, Subject, id_at, pick
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes, kept_steps, rows
from workflows_ui.runs import indexed, masking, reading, starters, times as resource_times
from workflows_ui.runs.steps import Reader, error_text, failed_position, shows
from workflows_ui.web import messages
from workflows_ui.web.links import reachable, view_url

#: States in which the active step is not among the steps (recording `run_odd_MEMORY_LIMIT_EXCEEDED_Memory_hog_2`).
_INCOMPLETE = ("MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR")


def summary(subject: Subject) -> dict[str, object]:
    """A sentence, the failure's first line, what started it, and the polling of the page."""
    run, sent = subject.object, Run(subject.object)
    seconds = reading.poll_seconds(sent)
    launch = starters.launches_of(subject.session, [run]).get(id_at(run))
    known = known_steps(subject.session, run) if run.get("steps") else {}
    unlinked = launch is None and not id_at(run, "parentRunId")
    reason, flow_id = reason_of(run), id_at(run, "flowId")
    return {
        "kept": indexed.kept_note(run),
        "sentence": reading.sentence(sent, resource_times.Times(sent, known).total),
        "retried": reading.retried(sent),
        "helped": _helped(subject),
        "run_id": id_at(run),
        "reason": reason,
        "state": messages.run_state(sent.status).word,
        "caretakers": members.find_caretakers(subject.workspace, flow_id) if reason else None,
        "owner": known_owner(subject.session, flow_id).name if reason and flow_id else "",
        "failed_step": _failed_step_url(subject),
        "repair_url": repair_url(subject.access, subject.id) if reading.failing(sent) and sent.failed_step.name else "",
        "launch": launch,
        "launch_url": launch_url(subject.session, launch) if launch else "",
        "retries": _retries(subject),
        "by_itself": starters.AUTOMATIC.get(flow_facts.start_of(known.get("trigger"))) if unlinked else "",
        "again_url": _again_url(subject, launch, flow_facts.start_of(known.get("trigger"))),
        "erase_url": _erase_url(subject),
        "seconds": seconds,
        "still": not seconds and not runs.ended(sent),
        "at_work": sent.status == "RUNNING" and subject.access.allows(Role.LAUNCHER),
    }


def _retries(subject: Subject) -> list[dict[str, object]]:
    """The runs that were made of this one, and the run that it was made of, with the launch that led to that one."""
    run_id = id_at(subject.object)
    return [
        {
            "newer": retry.run_id == run_id,
            "url": run_url(subject.slug, retry.new_run_id if retry.run_id == run_id else retry.run_id),
            "person": retry.user.label,
            "at": retry.asked_at,
            "launch_url": launch_url(subject.session, retry.launch) if retry.launch is not None else "",
        }
        for retry in repairs.retries_of(subject.workspace.pk, [run_id])
    ]


def _again_url(subject: Subject, launch: launches.Launched | None, start: flow_facts.Start) -> str:
    """The launch form filled with what the run was given, for who may launch the flow and see the inputs; else ""."""
    run, flow = subject.object, id_at(subject.object, "flowId")
    if not flow or start not in flow_facts.LAUNCHED or not subject.access.may_launch(flow):
        return ""
    query = {}
    if launch is None and masking.body(run) is not None:
        query = {"_run": subject.id}
    elif launch is not None and launches.may_open(launch, subject.access.user.pk, subject.access.role):
        query = {"from": launch.pk}
    return reverse("flow_launch", args=[subject.slug, flow], query=query) if query else ""


def _erase_url(subject: Subject) -> str:
    """Where a manager who sees the index erases the run from it; "" if it does not keep the run."""
    if not subject.access.allows(Role.MANAGER) or indexes.for_session(subject.session) is None:
        return ""
    if not rows.keeps(subject.workspace.pk, id_at(subject.object)):
        return ""
    return reverse("run_index_erase", args=[subject.slug], query={"run": id_at(subject.object)})


def _helped(subject: Subject) -> dict[str, object] | None:
    """What is known about failures of the same cause, where the person may see the run index."""
    index = indexes.for_session(subject.session) if reading.failing(Run(subject.object)) else None
    return (
        known_failure(subject.access, index, failures.fingerprint_of(index, id_at(subject.object))) if index else None
    )


def known_failure(access: Access, index: RunIndex, fingerprint: int) -> dict[str, object] | None:
    """The context of templates/failures/helped.html; None if nothing is known.

    To a person who does not see the page of the failure, only the note is shown.
    """
    found = failures.known(index, fingerprint, access.workspace, access.user)
    url = reachable(view_url("failure", access.workspace.slug, fingerprint)) if found else ""
    if found is None or not (url or found["note"]):
        return None
    return found | {"url": url} | ({} if url else {"votes": None})


def reason_of(run: Row) -> FailureReason | None:
    """Why a run failed, secrets masked before; None if it did not."""
    sent = Run(run)
    return find_reason(reading.failed_at(sent), failure_message(run), sent.status) if reading.failing(sent) else None


def failure_message(run: Row) -> str:
    """The failed step's message; not the one of an earlier try, which a retried or cancelled run may still have."""
    sent = Run(run)
    if not reading.failing(sent):
        return ""
    text = sent.failure
    try:
        data = json.loads(text) if text[:1] in ("{", "[") else text
    except (ValueError, RecursionError):
        data = text
    return error_text(data or sent.failed_step.raw.get("message"))


def _failed_step_url(subject: Subject) -> str:
    """The failed step on this page, or its own page if the run has too many steps, or ""."""
    run = Run(subject.object)
    name = run.failed_step.name
    position = failed_position(run.chain, name) if reading.failing(run) and name else ""
    if not position:
        return ""
    if shows(Reader({}).read(run.chain), position):
        return f"#step-{position}"
    return reverse("run_step", args=[subject.slug, subject.id, position])


def known_steps(session: EngineSession, run: Row) -> Mapping[str, object]:
    """The steps of the version that ran, by name, without inner chains; {} if the engine does not have it.

    For a run from the index the engine is not asked: its steps have the titles that they had.
    """
    flow, version = id_at(run, "flowId"), id_at(run, "flowVersionId")
    if indexed.kept_note(run):
        outputs = {name: step.raw for name, step in Run(run).steps.items()}
        inner = {name: title for step in outputs.values() for name, title in dict_at(step, kept_steps.INNER).items()}
        return {
            **{name: {"name": name, "displayName": title} for name, title in inner.items()},
            **{name: {"name": name, **step} for name, step in outputs.items()},
        }
    return _version_steps(session, flow, version) if flow and version else {}


def cached_steps(session: EngineSession, run: Row) -> Mapping[str, object]:
    """The same if they were read lately, without a call; else {}."""
    return session.known(f"version:{id_at(run, 'flowId')}:{id_at(run, 'flowVersionId')}", {})


@cached("version", 600, {})
def _version_steps(session: EngineSession, flow: str, version: str) -> Mapping[str, object]:
    steps = flow_tree.steps_by_name(pick(session.workflows.get_flow(flow, version), "version.trigger"))
    return {name: _head(step) for name, step in steps.items()}


def _head(step: Mapping[str, object]) -> dict[str, object]:
    settings = {key: pick(step, f"settings.{key}") for key in ("pieceName", "actionName", "triggerName")}
    return {"name": step.get("name"), "displayName": step.get("displayName"), "settings": settings}


def steps(subject: Subject) -> dict[str, object] | None:
    """The steps with their bars, and where the run's time went; None for a run from the index without steps."""
    run = Run(subject.object)
    if not run.raw.get("steps"):
        if indexed.kept_note(run.raw):
            return None
        return {"steps": [], "ended": runs.ended(run), "parts": resource_times.Times(run, {}).parts()}
    known = known_steps(subject.session, run.raw)
    times = resource_times.Times(run, known)
    reader = Reader(known, times, run)
    return {
        "steps": reader.read(run.chain),
        "left_out": reader.left_out,
        "ended": runs.ended(run),
        "incomplete": run.status in _INCOMPLETE,
        "mixed": times.mixed,
        "retried": reading.retried(run) is not None,
        "parts": times.parts(),
        "ticks": times.ticks(),
    }


def compared(subject: Subject) -> dict[str, object] | None:
    """What differs from the last good run, which is loaded after the page: at once where the run went wrong. None without the index."""
    run = Run(subject.object)
    if not runs.ended(run) or indexed.kept_note(run.raw) or indexes.for_session(subject.session) is None:
        return None
    url = reverse("run_compared", args=[subject.slug, subject.id])
    return {"url": url, "at_once": reading.failing(run)}


def has_family(run: Row) -> bool:
    """Whether the related runs can be looked for: not while the run is in progress."""
    return runs.ended(Run(run)) and bool(id_at(run))


def family(subject: Subject) -> dict[str, object]:
    """The related runs, which are loaded after the page: they take several calls."""
    return {"url": reverse("run_family", args=[subject.slug, subject.id])}


def parent_id(session: EngineSession, run: Row) -> str:
    """The id of the run that started this one; "" if it is the marker of a launch of the console, or without one."""
    run_id = id_at(run, "parentRunId")
    return "" if any(launch.pk == run_id for launch in starters.related_launches(session, [run])) else run_id

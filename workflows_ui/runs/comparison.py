"""What differs between a failed launch or run and the last successful one of its flow: inputs, the flow's version, steps, durations."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.core import formats
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.readers import as_number, as_text
from workflows_ui.core.secret_names import MASK
from workflows_ui.engine_objects.runs import Run
from workflows_ui.flows import step_values
from workflows_ui.launches import answers as launch_answers
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches, runs, secrets as launch_secrets
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.run_index.models import LISTED, IndexedRun, RunIndex
from workflows_ui.runs import masking, reading, story, times as resource_times

#: Maximum fields compared, differences shown of launches and of runs, length of a value, and steps shown.
_MOST_FIELDS, _MOST_CHANGES, _FEW_CHANGES, _LONGEST_VALUE, _MOST_TIMES = 400, 30, 12, 200, 12
#: The duration of a step differs if it changed by this factor and by at least this many milliseconds.
_FACTOR, _LEAST = 2.0, 500.0
#: Successful runs whose durations are the usual one, and the fewest of them.
_USUAL, _FEWEST = 30, 3


@dataclass(frozen=True)
class Change:
    """A field that differs: `kind` is added, removed or changed; its values as text, truncated."""

    label: str
    kind: str
    before: str = ""
    after: str = ""


def last_good(access: Access, launch: Launch) -> Launch | None:
    """The newest successful launch of the flow before this one, among those that the person may see."""
    rows = launches.visible_launches(access).filter(flow_id=launch.flow_id, state=State.SUCCEEDED)
    return rows.filter(asked_at__lt=launch.asked_at).first()


def compare_launches(
    access: Access, launch: Launch, good: Launch, run: Row | None, good_run: Row | None, known: Mapping[str, object]
) -> dict[str, object]:
    """The context of templates/launches/comparison.html; without the runs only of the inputs. Makes no call. The runs'
    secrets must be masked.

    `changes` is None if the inputs of one are no longer stored. `version` is same, other, or missing if unknown;
    `versions_url` leads to the difference, "" for those who may not see it. `times` are the steps whose duration differs
    or that did not run in the good launch, as (title, before or "", after).
    """
    changes, left = _inputs(launch, good)
    context: dict[str, object] = {"good": good, "changes": changes, "left_out": left}
    if run is None or good_run is None:
        return context
    return context | _of_runs(access, run, good_run, known)


def _of_runs(access: Access, run: Row, good_run: Row, known: Mapping[str, object]) -> dict[str, object]:
    now, before, flow = id_at(run, "flowVersionId"), id_at(good_run, "flowVersionId"), id_at(run, "flowId")
    version = ("same" if now == before else "other") if now and before else ""
    url = ""
    if version == "other" and flow and access.allows(Role.VIEWER) and access.sees("flows"):
        slug, query = access.workspace.slug, {"old": before, "new": now}
        url = reverse("flow_difference", args=[slug, flow], query=query)
    return {"version": version, "versions_url": url, "times": _times(run, good_run, known)}


class Good(NamedTuple):
    """The last successful run before another one, and the usual duration of such runs in milliseconds; None if unknown."""

    run_id: str
    created: datetime
    usual: float | None


def last_good_run(index: RunIndex, run: Row) -> Good | None:
    """The newest successful run of the flow before this one that the engine still has, from the index."""
    flow, created = id_at(run, "flowId"), formats.moment(run.get("created"))
    if not flow or created is None:
        return None
    succeeded = [name for name, state in runs.STATES.items() if state.launch == State.SUCCEEDED]
    rows = IndexedRun.objects.filter(LISTED, workspace_id=index.pk, flow_id=flow, status__in=succeeded)
    found = rows.filter(created__lt=created, gone_at__isnull=True).order_by("-created", "-pk")
    latest = list(found.values_list("run_id", "created", "duration")[:_USUAL])
    if not latest:
        return None
    took = [duration for _run, _created, duration in latest if duration >= 0]
    return Good(*latest[0][:2], statistics.median(took) if len(took) >= _FEWEST else None)


def compare_runs(
    access: Access, run: Row, good_run: Row, known: Mapping[str, object], usual: float | None
) -> dict[str, object]:
    """The context of templates/runs/comparison.html. Both runs must be masked. Makes no call.

    `changes` is None, and `unknown` says why, if the inputs of one of the two are not given. `missing` are the titles of the steps that
    ran in the good run only, without those behind the failed step. `took` and `usual` are durations, `slow` whether they differ.
    """
    now, before = _sent(run), _sent(good_run)
    context = _of_runs(access, run, good_run, known) | {"changes": None, "unknown": "kept", "left_out": 0}
    if now is not None and before is not None:
        if str(masking.WITHHELD) in [*now.values(), *before.values()]:
            context["unknown"] = "shown"
        else:
            found = _differences(now, before)
            context |= {"changes": found[:_FEW_CHANGES], "left_out": max(0, len(found) - _FEW_CHANGES)}
    took = reading.length(Run(run))
    slow = took is not None and usual is not None and _differs(usual, took)
    times = {"took": formats.duration(took), "usual": formats.duration(usual), "slow": slow}
    return context | times | {"missing": _missing(run, good_run, known)}


def _sent(run: Row) -> dict[step_values.Path, object] | None:
    """What the trigger was given, by path; None if the run does not have it. Of a call not its headers."""
    output = Run(run).trigger.output
    if output is None:
        return None
    parts: list[tuple[object, step_values.Path]] = [(output, ())]
    if masking.is_call(output):
        parts = [(output.get("body"), ()), (output.get("queryParams"), ("queryParams",))]
    return {path: leaf for value, at in parts for path, leaf in step_values.leaves(value, at, _MOST_FIELDS)}


def _missing(run: Row, good_run: Row, known: Mapping[str, object]) -> list[str]:
    sent = Run(run)
    now, before = sent.steps, Run(good_run).steps
    failed = sent.failed_step.name if reading.failing(sent) else ""
    if failed:
        order = next((list(names) for names in (known, before) if failed in names), [])
        before = {name: before[name] for name in order[: order.index(failed)] if name in before} if order else {}
    return [story.title_of(name, known) for name in before if name not in now and name != "trigger"][:_MOST_TIMES]


def _inputs(launch: Launch, good: Launch) -> tuple[list[Change] | None, int]:
    try:
        if not launch.payload or not good.payload:
            return None, 0
        raw = [launch_secrets.payload_without_keys(row) for row in (launch, good)]
        masked = [launch_secrets.masked(row, value, "payload") for row, value in zip((launch, good), raw, strict=True)]
        now, before = (dict(step_values.leaves(value, (), _MOST_FIELDS)) for value in masked)
    except CannotOpen:
        return None, 0
    found = _differences(now, before)
    if not found and raw[0] != raw[1]:
        found.append(Change(_("A secret"), "changed", MASK, MASK))
    return found[:_MOST_CHANGES], max(0, len(found) - _MOST_CHANGES)


def _differences(now: Mapping[step_values.Path, object], before: Mapping[step_values.Path, object]) -> list[Change]:
    """The values that differ, of values by path."""
    found = []
    for path in dict.fromkeys([*now, *before]):
        label = " › ".join(launch_answers.humanised(key) for key in path)
        if path not in before:
            found.append(Change(label, "added", after=_value_text(now[path])))
        elif path not in now:
            found.append(Change(label, "removed", _value_text(before[path])))
        elif _kind(now[path]) != _kind(before[path]) or now[path] != before[path]:
            found.append(Change(label, "changed", _value_text(before[path]), _value_text(now[path])))
    return found


def _kind(value: object) -> str:
    """1, "1" and true are three different values here, though Python considers the first and the last equal."""
    return "number" if as_number(value) is not None else type(value).__name__


def _value_text(value: object) -> str:
    """A value as truncated text that shows its type: a text is in quotes if it could be a number."""
    text = step_values.plain(value)
    if as_text(value) and text.replace(".", "", 1).lstrip("-").isdecimal():
        text = f"“{text}”"
    return formats.cut(text, _LONGEST_VALUE)


def _times(run: Row, good_run: Row, known: Mapping[str, object]) -> list[tuple[str, str, str]]:
    now, before = Run(run).steps, Run(good_run).steps
    found = []
    for name in dict.fromkeys([*now, *before]):
        if name == "trigger":
            continue
        took = [resource_times.worked(steps[name]) if name in steps else None for steps in (before, now)]
        # Steps after the failed step never ran: that is no difference.
        if took[1] is not None and _differs(took[0], took[1]):
            found.append((story.title_of(name, known), formats.duration(took[0]), formats.duration(took[1])))
    return found[:_MOST_TIMES]


def _differs(before: float | None, after: float) -> bool:
    if before is None:
        return True
    low, high = sorted((before, after))
    return high - low >= _LEAST and high >= _FACTOR * low

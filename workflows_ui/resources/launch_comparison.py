"""What differs between a failed launch and the last good one before it: inputs field by field, the flow's version, how long steps took."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from workflows_ui.crypto import CannotOpen
from workflows_ui.kit import launch_answer, show
from workflows_ui.kit.resource import Row, id_at
from workflows_ui.models import Launch, Role, State
from workflows_ui.resources import outline, run_times, step_values
from workflows_ui.services import launches, runs
from workflows_ui.services.access import Access

#: Fields that are compared, differences that are shown, characters of a value; steps that are shown.
_FIELDS, _MOST, _LONGEST, _STEPS = 400, 30, 200, 12
#: A step took another time when it took this many times as long (or less), and so many milliseconds make the difference.
_FACTOR, _LEAST = 2.0, 500.0


@dataclass(frozen=True)
class Change:
    """A field that differs: `kind` is added, removed or changed; its values as text, cut."""

    label: str
    kind: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class StepTime:
    """A step that took another time, or did not run in the good launch (`before` is "" then)."""

    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Comparison:
    """Beside a failed launch. `changes` is None where the inputs of one are no longer kept.

    `version` is "" where nothing is known, same or other; `versions_url` leads to what differs, "" for who may not see it.
    """

    good: Launch
    changes: list[Change] | None
    left_out: int = 0
    version: str = ""
    versions_url: str = ""
    times: tuple[StepTime, ...] = ()


def last_good(place: Access, launch: Launch) -> Launch | None:
    """The newest launch of the flow before this one that went well, among those that the person may see."""
    rows = launches.of_workspace(place).filter(flow_id=launch.flow_id, state=State.SUCCEEDED)
    return rows.filter(asked_at__lt=launch.asked_at).first()


def of(
    place: Access, launch: Launch, good: Launch, run: Row | None, good_run: Row | None, known: Mapping[str, Any]
) -> Comparison:
    """The comparison; without the runs it tells the inputs only. Makes no call. Secrets in runs must be masked before."""
    changes, left = _inputs(launch, good)
    if run is None or good_run is None:
        return Comparison(good, changes, left)
    now, before = id_at(run, "flowVersionId"), id_at(good_run, "flowVersionId")
    version = ("same" if now == before else "other") if now and before else ""
    url = ""
    if version == "other" and place.allows(Role.VIEWER):
        url = reverse("flow_difference", args=[place.workspace.slug, launch.flow_id], query={"old": before, "new": now})
    return Comparison(good, changes, left, version, url, _times(run, good_run, known))


def _inputs(launch: Launch, good: Launch) -> tuple[list[Change] | None, int]:
    try:
        if not launch.payload or not good.payload:
            return None, 0
        now, before = _flat(launches.shown_payload(launch)), _flat(launches.shown_payload(good))
    except CannotOpen:
        return None, 0
    found = []
    for path in dict.fromkeys([*now, *before]):
        label = " › ".join(launch_answer.humanised(key) for key in path)
        if path not in before:
            found.append(Change(label, "added", after=_cut(now[path])))
        elif path not in now:
            found.append(Change(label, "removed", _cut(before[path])))
        elif _kind(now[path]) != _kind(before[path]) or now[path] != before[path]:
            found.append(Change(label, "changed", _cut(before[path]), _cut(now[path])))
    return found[:_MOST], max(0, len(found) - _MOST)


def _flat(value: Any) -> dict[tuple[str, ...], Any]:
    return dict(step_values.leaves(value, (), _FIELDS))


def _kind(value: Any) -> str:
    """1, "1" and true are three things, though the first and the last are equal here."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _cut(value: Any) -> str:
    """A value as text that shows its kind where that may be what differs: a number as it is, a text in quotes where it looks like one."""
    text = step_values.plain(value)
    if isinstance(value, str) and text.replace(".", "", 1).lstrip("-").isdecimal():
        text = f"“{text}”"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _times(run: Row, good_run: Row, known: Mapping[str, Any]) -> tuple[StepTime, ...]:
    now, before = runs.steps(dict(run)), runs.steps(dict(good_run))
    found = []
    for name in dict.fromkeys([*now, *before]):
        if name == "trigger":
            continue
        took = [run_times.worked(steps[name]) if name in steps else None for steps in (before, now)]
        # What stands after the failed step never ran: that says nothing.
        if took[1] is not None and _differs(took[0], took[1]):
            title = (outline.title_of(known[name]) if name in known else name)[:120]
            found.append(StepTime(title, _length(took[0]), _length(took[1])))
    return tuple(found[:_STEPS])


def _differs(before: float | None, after: float) -> bool:
    if before is None:
        return True
    low, high = sorted((before, after))
    return high - low >= _LEAST and high >= _FACTOR * low


def _length(took: float | None) -> str:
    return "" if took is None else show.duration(took)

"""What differs between a failed launch and the last successful one: inputs, the flow's version, durations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.secret_names import MASK
from workflows_ui.launches import answers as launch_answers
from workflows_ui.launches import masking as launch_masking
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches, runs
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.resources.flows import outline
from workflows_ui.resources.runs import step_values
from workflows_ui.resources.runs import times as resource_times
from workflows_ui.web import formats

#: Maximum fields compared, differences shown, length of a value, and steps shown.
_FIELDS, _MOST, _LONGEST, _STEPS = 400, 30, 200, 12
#: The duration of a step differs if it changed by this factor and by at least this many milliseconds.
_FACTOR, _LEAST = 2.0, 500.0


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
    access: Access, launch: Launch, good: Launch, run: Row | None, good_run: Row | None, known: Mapping[str, Any]
) -> dict[str, Any]:
    """The context of templates/launches/comparison.html; without the runs only of the inputs. Makes no call. The runs'
    secrets must be masked.

    `changes` is None if the inputs of one are no longer stored. `version` is same, other, or missing if unknown;
    `versions_url` leads to the difference, "" for those who may not see it. `times` are the steps whose duration differs
    or that did not run in the good launch, as (title, before or "", after).
    """
    changes, left = _inputs(launch, good)
    context = {"good": good, "changes": changes, "left_out": left}
    if run is None or good_run is None:
        return context
    now, before = id_at(run, "flowVersionId"), id_at(good_run, "flowVersionId")
    version = ("same" if now == before else "other") if now and before else ""
    url = ""
    if version == "other" and access.allows(Role.VIEWER):
        slug, query = access.workspace.slug, {"old": before, "new": now}
        url = reverse("flow_difference", args=[slug, launch.flow_id], query=query)
    return context | {"version": version, "versions_url": url, "times": _times(run, good_run, known)}


def _inputs(launch: Launch, good: Launch) -> tuple[list[Change] | None, int]:
    try:
        if not launch.payload or not good.payload:
            return None, 0
        raw = [launches.payload_without_keys(row) for row in (launch, good)]
        masked = [launch_masking.masked(row, value, "payload") for row, value in zip((launch, good), raw, strict=True)]
        now, before = (dict(step_values.leaves(value, (), _FIELDS)) for value in masked)
    except CannotOpen:
        return None, 0
    found = []
    for path in dict.fromkeys([*now, *before]):
        label = " › ".join(launch_answers.humanised(key) for key in path)
        if path not in before:
            found.append(Change(label, "added", after=_cut(now[path])))
        elif path not in now:
            found.append(Change(label, "removed", _cut(before[path])))
        elif _kind(now[path]) != _kind(before[path]) or now[path] != before[path]:
            found.append(Change(label, "changed", _cut(before[path]), _cut(now[path])))
    if not found and raw[0] != raw[1]:
        found.append(Change(_("A secret"), "changed", MASK, MASK))
    return found[:_MOST], max(0, len(found) - _MOST)


def _kind(value: Any) -> str:
    """1, "1" and true are three different values here, though Python considers the first and the last equal."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _cut(value: Any) -> str:
    """A value as truncated text that shows its type: a text is in quotes if it could be a number."""
    text = step_values.plain(value)
    if isinstance(value, str) and text.replace(".", "", 1).lstrip("-").isdecimal():
        text = f"“{text}”"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _times(run: Row, good_run: Row, known: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    now, before = runs.steps(dict(run)), runs.steps(dict(good_run))
    found = []
    for name in dict.fromkeys([*now, *before]):
        if name == "trigger":
            continue
        took = [resource_times.worked(steps[name]) if name in steps else None for steps in (before, now)]
        # Steps after the failed step never ran: that is no difference.
        if took[1] is not None and _differs(took[0], took[1]):
            title = (outline.title_of(known[name]) if name in known else name)[:120]
            found.append((title, formats.duration(took[0]), formats.duration(took[1])))
    return found[:_STEPS]


def _differs(before: float | None, after: float) -> bool:
    if before is None:
        return True
    low, high = sorted((before, after))
    return high - low >= _LEAST and high >= _FACTOR * low

"""A launch and its run as a story: sentences with their times, as plain text that can be copied; and what differs between a failed launch
and the last successful one: inputs, the flow's version, durations.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.secret_names import MASK
from workflows_ui.launches import answers as launch_answers
from workflows_ui.launches import masking as launch_masking
from workflows_ui.launches import messages as launch_messages
from workflows_ui.launches.failures import messages as failure_messages
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches, runs
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import Row, id_at, pick
from workflows_ui.resources.flows import outline
from workflows_ui.resources.runs import reading, step_values, steps
from workflows_ui.resources.runs import times as resource_times
from workflows_ui.web import formats
from workflows_ui.web.paths import text_at

#: Maximum steps in the story, and characters of a name and of a step's message.
MOST, _NAME, _SAID = 60, 120, 300
#: A wait of at least this many milliseconds is mentioned instead of the step's own work.
_PAUSE = 500.0
#: Tone and icon of final states other than failures.
_ENDINGS = {
    State.SUCCEEDED: ("good", "flag"),
    State.CANCELLED: ("", "ban"),
    State.OTHER: ("", "circle-question-mark"),
}
#: Milliseconds beyond which a time is considered invalid.
_LONGEST = 1e12
#: States of a run that a failed step did not stop.
_GOING = ("SUCCEEDED", "PAUSED", "RUNNING", "QUEUED")
#: Of a comparison: maximum fields compared, differences shown, length of a value, and steps shown.
_MOST_FIELDS, _MOST_CHANGES, _LONGEST_VALUE, _MOST_TIMES = 400, 30, 200, 12
#: The duration of a step differs if it changed by this factor and by at least this many milliseconds.
_FACTOR, _LEAST = 2.0, 500.0


@dataclass(frozen=True)
class Line:
    """A sentence and its time; `at` is None if unknown, and `about` if approximate. `tone` is "", good, bad or wait."""

    text: str
    at: datetime | None = None
    tone: str = ""
    icon: str = "circle-dot"
    about: bool = False


def build_story(launch: Launch, run: Row | None = None, known: Mapping[str, Any] | None = None) -> list[Line]:
    """The story of a launch, with its run and the flow's steps step by step. Secrets must already be masked."""
    row: Row = run if run is not None else _of_row(launch)
    (row,) = reading.with_retries(launch.workspace, [row])
    person = launch.user.label[:_NAME]
    story = [Line(_("%(person)s requested the launch.") % {"person": person}, launch.asked_at, icon="pointer")]
    if launch.sending_at:
        story.append(Line(_("The console sent it to the engine."), launch.sending_at, icon="send"))
    if (again := reading.retried(row)) is not None:
        story.append(Line(_("The run was retried: what follows is of all its tries."), again, icon="rotate-cw"))
    elif launch.run_started_at:
        story.append(Line(_("The flow started."), launch.run_started_at, icon="play"))
    story += _steps(row, known or {})
    if launch.answered_at and launch.answer_from == "flow":
        story.append(Line(_("The flow answered."), launch.answered_at, icon="reply"))
    return [*story, _ending(launch, row, known or {})]


def _of_row(launch: Launch) -> Row:
    """The facts about the run in a launch's row, in the engine's shape."""
    moments = {"startTime": launch.run_started_at, "finishTime": launch.run_finished_at}
    facts = {key: time.isoformat() for key, time in moments.items() if time}
    return {"id": launch.run_id, "status": launch.run_status, "steps": {}, **facts}


def text(title: str, lines: list[Line]) -> str:
    return "\n".join([title, *map(_plain, lines)])


def _plain(line: Line) -> str:
    if line.at is None:
        return line.text
    at = formats.exact(line.at)
    return f"{_('about %(time)s') % {'time': at} if line.about else at}  {line.text}"


def _ending(launch: Launch, run: Row, known: Mapping[str, Any]) -> Line:
    took = formats.roughly(resource_times.Times(run, known).total)
    at = launch.run_finished_at or launch.ended_at
    step = launch.failed_step[:_NAME]
    if launch.state == State.SUCCEEDED and launch.run_finished_at:
        sentence = _("It finished after %(time)s.") % {"time": took} if took else _("It finished.")
        bad = [_title(name, known) for name, item in runs.steps(dict(run)).items() if runs.any_failed({name: item})]
        if bad:
            sentence = _("It finished although “%(steps)s” failed: the flow is built to continue in that case.")
            return Line(sentence % {"steps": "”, “".join(bad[:5])}, at, "wait", "flag")
        return Line(sentence, at, "good", "flag")
    if launch.state == State.FAILED and step:
        sentence = _("It failed at “%(step)s” after %(time)s.") if took else _("It failed at “%(step)s”.")
        return Line(sentence % {"step": step, "time": took}, at, "bad", "circle-x")
    if not launch.ended and run.get("status") == "PAUSED":
        return Line(_waiting(run, known), None, "wait", "hourglass")
    meaning = launch_messages.launch_message(launch)
    explanation = f"{meaning.title}: {meaning.text}"
    if not launch.ended:
        return Line(explanation, None, "wait" if launch.state == State.PAUSED else "", "hourglass")
    tone, icon = _ENDINGS.get(State(launch.state), ("bad", "circle-x"))
    return Line(explanation, at, tone, icon)


def _waiting(run: Row, known: Mapping[str, Any]) -> str:
    """What a paused run waits for, as far as its paused step shows: the engine gives no reason (api.md 8.1)."""
    paused = (item for item in runs.steps(dict(run)).items() if item[1].get("status") == "PAUSED")
    name, step = next(paused, ("", {}))
    if not name:
        return _("It waits: for a time, or for something that has to happen first.")
    title, until = _title(name, known), _until(run, known, name, step)
    if until is not None:
        time = formats.exact(until, seconds=False)
        return _("It waits at “%(step)s” until %(time)s.") % {"step": title, "time": time}
    action = text_at(known.get(name), "settings.actionName")
    if text_at(known.get(name), "settings.pieceName").endswith("piece-approval"):
        sentence = _("It waits at “%(step)s” until someone approves or refuses. Then it continues automatically.")
    elif "webhook" in action or "event" in action:
        sentence = _("It waits at “%(step)s” until an answer arrives from elsewhere. Then it continues automatically.")
    else:
        sentence = _("It waits at “%(step)s” for a time or an answer. Then it continues automatically.")
    return sentence % {"step": title}


def _until(run: Row, known: Mapping[str, Any], name: str, step: Mapping[str, Any]) -> datetime | None:
    """When a delay ends: from its step as a moment, or as a duration from when it began."""
    fixed = formats.moment(pick(step, "input.delayUntilTimestamp"))
    planned, start = resource_times.planned_wait(step), reading.started(run)
    times = resource_times.Times(run, known)
    if fixed is not None or planned is None or start is None or times.mixed:
        return fixed
    waits, elapsed = times.waits, 0.0
    for other, item in runs.steps(dict(run)).items():
        elapsed += resource_times.worked(item) + (waits.get(other, 0.0) if other != name else 0.0)
        if other == name:
            break
    return start + timedelta(milliseconds=elapsed + planned) if elapsed < _LONGEST else None


def _title(name: str, known: Mapping[str, Any]) -> str:
    return (outline.title_of(known[name]) if known.get(name) else name)[:_NAME]


def _steps(run: Row, known: Mapping[str, Any]) -> Iterator[Line]:
    """A sentence per step, with its end if it can be calculated (times.py)."""
    ran = runs.steps(dict(run))
    times = resource_times.Times(run, known)
    left = reading.left_behind(run)
    listed = [(name, step) for name, step in ran.items() if name != "trigger" and not steps.is_left(name, step, left)]
    for number, (name, step) in enumerate(listed):
        if run.get("status") == step.get("status") == "PAUSED":
            return  # The end of the story says what it waits for.
        failed = step.get("status") == reading.FAILED
        went_on = number + 1 < len(listed) or run.get("status") in _GOING
        if number < MOST or failed:
            line = _step(name, step, known, times.waits.get(name, 0.0), going=went_on)
            end = times.end_of(name) if step.get("status") not in ("RUNNING", "PAUSED") else None
            yield replace(line, at=end[0], about=end[1]) if end is not None else line
    more = len(listed) - MOST
    if more > 0:
        sentence = ngettext("%(n)d more step is not shown here.", "%(n)d more steps are not shown here.", more)
        yield Line(sentence % {"n": more}, icon="ellipsis")


def _step(name: str, step: dict[str, Any], known: Mapping[str, Any], wait: float, *, going: bool) -> Line:
    """`going`: whether the run continued after this step, or is still in progress."""
    title = _title(name, known)
    icon = str(outline.kind_of(step)[0])
    took = formats.roughly(resource_times.worked(step)) if resource_times.worked(step) else ""
    names = {"step": title, "time": took, "wait": formats.duration(wait)}
    if step.get("status") == reading.FAILED:
        failure = failure_messages.explain_failure(steps.error_text(step.get("errorMessage")))
        error = failure.service_message[:_SAID] if failure is not None else ""
        sentence = _("“%(step)s” failed: %(said)s") if error else _("“%(step)s” failed.")
        if going and error:
            sentence = _("“%(step)s” failed, and the flow continued: %(said)s")
        elif going:
            sentence = _("“%(step)s” failed, and the flow continued.")
        return Line(sentence % (names | {"said": error}), tone="bad", icon=icon)
    rounds = pick(step, "output.iterations")
    if isinstance(rounds, list):
        return Line(_rounds(title, rounds), tone="bad" if any(map(runs.any_failed, rounds)) else "", icon=icon)
    branches = pick(step, "output.branches")
    if step.get("type") == "ROUTER" and isinstance(branches, list):
        return Line(_way(title, branches), icon=icon)
    if wait >= _PAUSE:
        return Line(_("“%(step)s” waited for %(wait)s.") % names, tone="wait", icon="hourglass")
    if step.get("status") == "PAUSED":
        return Line(_("“%(step)s” waits.") % names, tone="wait", icon="hourglass")
    if step.get("status") == "RUNNING":
        if going:
            return Line(_("“%(step)s” is running.") % names, tone="wait", icon=icon)
        return Line(_("“%(step)s” started and did not finish.") % names, tone="bad", icon=icon)
    return Line((_("“%(step)s” finished in %(time)s.") if took else _("“%(step)s” finished.")) % names, icon=icon)


def _rounds(title: str, rounds: list[Any]) -> str:
    bad = sum(1 for turn in rounds if runs.any_failed(turn))
    template = ngettext("“%(step)s” was done for %(n)d item", "“%(step)s” was done for %(n)d items", len(rounds))
    sentence = template % {"step": title, "n": len(rounds)}
    if not bad:
        return _("%(sentence)s.") % {"sentence": sentence}
    failed = ngettext("%(n)d of them failed", "%(n)d of them failed", bad) % {"n": bad}
    return _("%(sentence)s; %(failed)s.") % {"sentence": sentence, "failed": failed}


def _way(title: str, branches: list[Any]) -> str:
    taken_branches = [
        str(pick(item, "branchName") or _("Branch"))[:_NAME] for item in branches if pick(item, "evaluation") is True
    ]
    if not taken_branches:
        return _("“%(step)s”: no case applied.") % {"step": title}
    return _("“%(step)s” went the way of “%(branch)s”.") % {"step": title, "branch": "”, “".join(taken_branches[:5])}


# --- Comparison with the last successful launch ------------------------------------------------------


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
        now, before = (dict(step_values.leaves(value, (), _MOST_FIELDS)) for value in masked)
    except CannotOpen:
        return None, 0
    found = []
    for path in dict.fromkeys([*now, *before]):
        label = " › ".join(launch_answers.humanised(key) for key in path)
        if path not in before:
            found.append(Change(label, "added", after=_value_text(now[path])))
        elif path not in now:
            found.append(Change(label, "removed", _value_text(before[path])))
        elif _kind(now[path]) != _kind(before[path]) or now[path] != before[path]:
            found.append(Change(label, "changed", _value_text(before[path]), _value_text(now[path])))
    if not found and raw[0] != raw[1]:
        found.append(Change(_("A secret"), "changed", MASK, MASK))
    return found[:_MOST_CHANGES], max(0, len(found) - _MOST_CHANGES)


def _kind(value: Any) -> str:
    """1, "1" and true are three different values here, though Python considers the first and the last equal."""
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def _value_text(value: Any) -> str:
    """A value as truncated text that shows its type: a text is in quotes if it could be a number."""
    text = step_values.plain(value)
    if isinstance(value, str) and text.replace(".", "", 1).lstrip("-").isdecimal():
        text = f"“{text}”"
    return formats.cut(text, _LONGEST_VALUE)


def _times(run: Row, good_run: Row, known: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    now, before = runs.steps(dict(run)), runs.steps(dict(good_run))
    found = []
    for name in dict.fromkeys([*now, *before]):
        if name == "trigger":
            continue
        took = [resource_times.worked(steps[name]) if name in steps else None for steps in (before, now)]
        # Steps after the failed step never ran: that is no difference.
        if took[1] is not None and _differs(took[0], took[1]):
            found.append((_title(name, known), formats.duration(took[0]), formats.duration(took[1])))
    return found[:_MOST_TIMES]


def _differs(before: float | None, after: float) -> bool:
    if before is None:
        return True
    low, high = sorted((before, after))
    return high - low >= _LEAST and high >= _FACTOR * low

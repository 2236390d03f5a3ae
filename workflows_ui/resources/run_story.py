"""A launch and its run told as a story: sentences with their times, from the click to the end. Plain text, so that it can be copied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.kit import failure_words, launch_words, show
from workflows_ui.kit.resource import Row, pick
from workflows_ui.models import Launch, State
from workflows_ui.resources import outline, run_reading, run_times, steps
from workflows_ui.services import runs

#: Steps that are told, and characters of a name and of what a step said.
MOST, _NAME, _SAID = 60, 120, 300
#: A wait of so many milliseconds is told instead of the step's own work.
_PAUSE = 500.0
#: Milliseconds beyond which a time makes no sense.
_LONGEST = 1e12
#: States of a run in which a failed step did not stop it.
_GOING = ("SUCCEEDED", "PAUSED", "RUNNING", "QUEUED")


@dataclass(frozen=True)
class Line:
    """A sentence and when that was; `at` is None where it cannot be told. `tone` is "", good, bad or wait."""

    text: str
    at: datetime | None = None
    tone: str = ""
    icon: str = "circle-dot"


def of(launch: Launch, run: Row | None = None, known: Mapping[str, Any] | None = None) -> list[Line]:
    """The story of a launch from its row; with its run and its flow's steps by name also step by step. Secrets must be masked before."""
    person = launch.user.label[:_NAME]
    told = [Line(_("%(person)s asked for it.") % {"person": person}, launch.asked_at, icon="hand-pointer")]
    if launch.sending_at:
        told.append(Line(_("The console sent it to the engine."), launch.sending_at, icon="paper-plane"))
    if launch.run_started_at:
        told.append(Line(_("The flow started."), launch.run_started_at, icon="play"))
    if run is not None:
        told += _steps(run, known or {})
    if launch.answered_at and launch.answer_from == "flow":
        told.append(Line(_("The flow answered."), launch.answered_at, icon="reply"))
    ending = _ending(launch, run or {}, known or {})
    return [*told, ending]


def text(title: str, lines: list[Line]) -> str:
    """The story as text to copy."""
    told = [f"{show.exact(line.at)}  {line.text}" if line.at else line.text for line in lines]
    return "\n".join([title, *told])


def _ending(launch: Launch, run: Row, known: Mapping[str, Any]) -> Line:
    took = show.roughly(show.between(launch.run_started_at, launch.run_finished_at))
    at = launch.run_finished_at or launch.ended_at
    step = launch.failed_step[:_NAME]
    if launch.state == State.SUCCEEDED and launch.run_finished_at:
        words = _("It got to its end after %(time)s.") % {"time": took} if took else _("It got to its end.")
        bad = [_title(name, known) for name, one in runs.steps(dict(run)).items() if runs.any_failed({name: one})]
        if bad:
            words = _("It got to its end, although “%(steps)s” failed: the flow is made to go on then.")
            return Line(words % {"steps": "”, “".join(bad[:5])}, at, "wait", "flag-checkered")
        return Line(words, at, "good", "flag-checkered")
    if launch.state == State.FAILED and step:
        words = _("It failed at “%(step)s” after %(time)s.") if took else _("It failed at “%(step)s”.")
        return Line(words % {"step": step, "time": took}, at, "bad", "circle-xmark")
    if not launch.ended and run.get("status") == "PAUSED":
        return Line(_waiting(run, known), None, "wait", "hourglass-half")
    meaning = launch_words.of(launch)
    told = f"{meaning.title}: {meaning.text}"
    if not launch.ended:
        return Line(told, None, "wait" if launch.state == State.PAUSED else "", "hourglass-half")
    tone = "good" if launch.state == State.SUCCEEDED else "bad"
    return Line(told, at, tone, "flag-checkered" if tone == "good" else "circle-xmark")


def _waiting(run: Row, known: Mapping[str, Any]) -> str:
    """What a paused run waits for, as far as its paused step tells: the engine keeps the reason of a pause to itself (api.md 8.1)."""
    name, step = next(
        ((name, one) for name, one in runs.steps(dict(run)).items() if one.get("status") == "PAUSED"), ("", {})
    )
    title = _title(name, known)
    if not name:
        return _("It waits: for a time, or for something that has to happen first.")
    until = _until(run, known, name, step)
    if until is not None:
        return _("It waits at “%(step)s” until %(time)s.") % {"step": title, "time": show.exact(until, seconds=False)}
    action = str(pick(known.get(name), "settings.actionName") or "")
    if str(pick(known.get(name), "settings.pieceName") or "").endswith("piece-approval"):
        words = _(
            "It waits at “%(step)s” until somebody answers there: approves or refuses. Then it goes on by itself."
        )
    elif "webhook" in action or "event" in action:
        words = _("It waits at “%(step)s” until an answer comes in from elsewhere. Then it goes on by itself.")
    else:
        words = _(
            "It waits at “%(step)s”: for a time, or for an answer that has to come in. Then it goes on by itself."
        )
    return words % {"step": title}


def _until(run: Row, known: Mapping[str, Any], name: str, step: Mapping[str, Any]) -> datetime | None:
    """When a delay is over: told by its step as a moment, or as a time from when it began."""
    fixed = show.moment(pick(step, "input.delayUntilTimestamp"))
    planned, start = run_times.planned_wait(step), show.moment(run.get("startTime"))
    if fixed is not None or planned is None or start is None:
        return fixed
    waits, gone = run_times.Times(run, known).waits, 0.0
    for other, one in runs.steps(dict(run)).items():
        gone += run_times.worked(one) + (waits.get(other, 0.0) if other != name else 0.0)
        if other == name:
            break
    return start + timedelta(milliseconds=gone + planned) if gone < _LONGEST else None


def _title(name: str, known: Mapping[str, Any]) -> str:
    return (outline.title_of(known[name]) if known.get(name) else name)[:_NAME]


def _steps(run: Row, known: Mapping[str, Any]) -> Iterator[Line]:
    """A sentence a step. The engine tells how long each worked, not when it began: so they are laid one after another (run_times.py)."""
    ran = runs.steps(dict(run))
    times = run_times.Times(run, known)
    start, gone = show.moment(run.get("startTime")), 0.0
    listed = [(name, step) for name, step in ran.items() if name != "trigger"]
    for number, (name, step) in enumerate(listed):
        if run.get("status") == step.get("status") == "PAUSED":
            return  # the story's end tells what it waits for
        failed = step.get("status") == run_reading.FAILED
        went_on = number + 1 < len(listed) or run.get("status") in _GOING
        at = start + timedelta(milliseconds=gone) if start is not None and gone < _LONGEST else None
        wait = times.waits.get(name, 0.0)
        gone += run_times.worked(step) + wait
        if number < MOST or failed:
            yield _step(name, step, known, wait, at, going=went_on)
    left = len(listed) - MOST
    if left > 0:
        words = ngettext("%(n)d more step is not told here.", "%(n)d more steps are not told here.", left)
        yield Line(words % {"n": left}, icon="ellipsis")


def _step(
    name: str, step: dict[str, Any], known: Mapping[str, Any], wait: float, at: datetime | None, *, going: bool
) -> Line:
    """`going`: whether the run went on after this step, or still goes on."""
    title = _title(name, known)
    icon = str(outline.kind_of(step)[0])
    took = show.roughly(run_times.worked(step)) if run_times.worked(step) else ""
    names = {"step": title, "time": took, "wait": show.duration(wait)}
    if step.get("status") == run_reading.FAILED:
        told = failure_words.of(steps.error_text(step.get("errorMessage")))
        said = told.said[:_SAID] if told is not None else ""
        if going:
            words = (
                _("“%(step)s” failed, and the flow went on: %(said)s")
                if said
                else _("“%(step)s” failed, and the flow went on.")
            )
        else:
            words = _("“%(step)s” failed: %(said)s") if said else _("“%(step)s” failed.")
        return Line(words % (names | {"said": said}), at, "bad", icon)
    rounds = pick(step, "output.iterations")
    if isinstance(rounds, list):
        return Line(_rounds(title, rounds), at, "bad" if any(map(runs.any_failed, rounds)) else "", icon)
    branches = pick(step, "output.branches")
    if step.get("type") == "ROUTER" and isinstance(branches, list):
        return Line(_way(title, branches), at, icon=icon)
    if wait >= _PAUSE:
        return Line(_("“%(step)s” waited for %(wait)s.") % names, at, "wait", "hourglass-half")
    if step.get("status") == "PAUSED":
        return Line(_("“%(step)s” waits.") % names, at, "wait", "hourglass-half")
    if step.get("status") == "RUNNING":
        if going:
            return Line(_("“%(step)s” is at work.") % names, at, "wait", icon)
        return Line(_("“%(step)s” began and did not come to its end.") % names, at, "bad", icon)
    return Line((_("“%(step)s” was done in %(time)s.") if took else _("“%(step)s” was done.")) % names, at, icon=icon)


def _rounds(title: str, rounds: list[Any]) -> str:
    bad = sum(1 for turn in rounds if runs.any_failed(turn))
    words = ngettext("“%(step)s” was done for %(n)d item", "“%(step)s” was done for %(n)d items", len(rounds))
    told = words % {"step": title, "n": len(rounds)}
    if not bad:
        return _("%(sentence)s.") % {"sentence": told}
    failed = ngettext("%(n)d of them failed", "%(n)d of them failed", bad) % {"n": bad}
    return _("%(sentence)s; %(failed)s.") % {"sentence": told, "failed": failed}


def _way(title: str, branches: list[Any]) -> str:
    taken = [str(pick(one, "branchName") or _("Branch"))[:_NAME] for one in branches if pick(one, "evaluation") is True]
    if not taken:
        return _("“%(step)s”: no case applied.") % {"step": title}
    return _("“%(step)s” went the way of “%(branch)s”.") % {"step": title, "branch": "”, “".join(taken[:5])}

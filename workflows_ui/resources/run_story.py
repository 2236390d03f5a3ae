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
    ending = _ending(launch)
    return [*told, ending] if ending else told


def text(title: str, lines: list[Line]) -> str:
    """The story as text to copy."""
    told = [f"{show.exact(line.at)}  {line.text}" if line.at else line.text for line in lines]
    return "\n".join([title, *told])


def _ending(launch: Launch) -> Line | None:
    took = show.duration(show.between(launch.run_started_at, launch.run_finished_at))
    at = launch.run_finished_at or launch.ended_at
    step = launch.failed_step[:_NAME]
    if launch.state == State.SUCCEEDED and launch.run_finished_at:
        words = _("It got to its end after %(time)s.") % {"time": took} if took else _("It got to its end.")
        return Line(words, at, "good", "flag-checkered")
    if launch.state == State.FAILED and step:
        words = _("It failed at “%(step)s” after %(time)s.") if took else _("It failed at “%(step)s”.")
        return Line(words % {"step": step, "time": took}, at, "bad", "circle-xmark")
    meaning = launch_words.of(launch)
    told = f"{meaning.title}: {meaning.text}"
    if not launch.ended:
        return Line(told, None, "wait" if launch.state == State.PAUSED else "", "hourglass-half")
    tone = "good" if launch.state == State.SUCCEEDED else "bad"
    return Line(told, at, tone, "flag-checkered" if tone == "good" else "circle-xmark")


def _steps(run: Row, known: Mapping[str, Any]) -> Iterator[Line]:
    """A sentence a step. The engine tells how long each worked, not when it began: so they are laid one after another (run_times.py)."""
    ran = runs.steps(dict(run))
    times = run_times.Times(run, known)
    start, gone = show.moment(run.get("startTime")), 0.0
    listed = [(name, step) for name, step in ran.items() if name != "trigger"]
    for number, (name, step) in enumerate(listed):
        failed = step.get("status") == run_reading.FAILED
        at = start + timedelta(milliseconds=gone) if start is not None and gone < 1e12 else None
        wait = times.waits.get(name, 0.0)
        gone += run_times.worked(step) + wait
        if number < MOST or failed:
            yield _step(name, step, known.get(name), wait, at)
    left = len(listed) - MOST
    if left > 0:
        words = ngettext("%(n)d more step is not told here.", "%(n)d more steps are not told here.", left)
        yield Line(words % {"n": left}, icon="ellipsis")


def _step(name: str, step: dict[str, Any], known: Any, wait: float, at: datetime | None) -> Line:
    title = (outline.title_of(known) if known else name)[:_NAME]
    icon = str(outline.kind_of(step)[0])
    took = show.duration(run_times.worked(step)) if run_times.worked(step) else ""
    names = {"step": title, "time": took, "wait": show.duration(wait)}
    if step.get("status") == run_reading.FAILED:
        told = failure_words.of(steps.error_text(step.get("errorMessage")))
        said = told.said[:_SAID] if told is not None else ""
        words = _("“%(step)s” failed: %(said)s") if said else _("“%(step)s” failed.")
        return Line(words % (names | {"said": said}), at, "bad", icon)
    rounds = pick(step, "output.iterations")
    if isinstance(rounds, list):
        return Line(_rounds(title, rounds), at, "bad" if any(map(run_reading.any_failed, rounds)) else "", icon)
    branches = pick(step, "output.branches")
    if step.get("type") == "ROUTER" and isinstance(branches, list):
        return Line(_way(title, branches), at, icon=icon)
    if wait >= _PAUSE:
        return Line(_("“%(step)s” waited for %(wait)s.") % names, at, "wait", "hourglass-half")
    if step.get("status") == "PAUSED":
        return Line(_("“%(step)s” waits.") % names, at, "wait", "hourglass-half")
    if step.get("status") == "RUNNING":
        return Line(_("“%(step)s” began and did not come to its end.") % names, at, "bad", icon)
    return Line((_("“%(step)s” was done in %(time)s.") if took else _("“%(step)s” was done.")) % names, at, icon=icon)


def _rounds(title: str, rounds: list[Any]) -> str:
    bad = sum(1 for turn in rounds if run_reading.any_failed(turn))
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

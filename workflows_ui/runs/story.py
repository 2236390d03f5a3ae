"""A launch and its run as a story: sentences with their times, as plain text that can be copied."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import formats
from workflows_ui.engine_objects.flows import Step
from workflows_ui.engine_objects.runs import RanBranch, Run, StepResult, any_failed
from workflows_ui.flows import outline
from workflows_ui.launches import messages as launch_messages
from workflows_ui.launches.failures import messages as failure_messages
from workflows_ui.launches.models import Launch, State
from workflows_ui.resource_admin.resource import Row
from workflows_ui.runs import reading, steps, times as resource_times

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


@dataclass(frozen=True)
class Line:
    """A sentence and its time; `at` is None if unknown, and `about` if approximate. `tone` is "", good, bad or wait."""

    text: str
    at: datetime | None = None
    tone: str = ""
    icon: str = "circle-dot"
    about: bool = False


def build_story(launch: Launch, run: Row | None = None, known: Mapping[str, object] | None = None) -> list[Line]:
    """The story of a launch, with its run and the flow's steps step by step. Secrets must already be masked."""
    (row,) = map(Run, reading.with_retries(launch.workspace, [run if run is not None else _of_row(launch)]))
    person = launch.user.label[:_NAME]
    story = [Line(_("%(person)s requested the launch.") % {"person": person}, launch.asked_at, icon="pointer")]
    if launch.sending_at:
        story.append(Line(_("The console sent it to the engine."), launch.sending_at, icon="send"))
    if (again := reading.retried(row)) is not None:
        story.append(Line(_("The run was retried. What follows covers all of its tries."), again, icon="rotate-cw"))
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


def _ending(launch: Launch, run: Run, known: Mapping[str, object]) -> Line:
    took = formats.roughly(resource_times.Times(run, known).total)
    at = launch.run_finished_at or launch.ended_at
    step = launch.failed_step[:_NAME]
    if launch.state == State.SUCCEEDED and launch.run_finished_at:
        sentence = _("It finished after %(time)s.") % {"time": took} if took else _("It finished.")
        bad = [title_of(name, known) for name, item in run.steps.items() if item.any_failed]
        if bad:
            sentence = _("It finished although “%(steps)s” failed: the flow is built to continue in that case.")
            return Line(sentence % {"steps": "”, “".join(bad[:5])}, at, "wait", "flag")
        return Line(sentence, at, "good", "flag")
    if launch.state == State.FAILED and step:
        sentence = _("It failed at “%(step)s” after %(time)s.") if took else _("It failed at “%(step)s”.")
        return Line(sentence % {"step": step, "time": took}, at, "bad", "circle-x")
    if not launch.ended and run.status == "PAUSED":
        return Line(_waiting(run, known), None, "wait", "hourglass")
    meaning = launch_messages.launch_message(launch)
    explanation = f"{meaning.title}: {meaning.text}"
    if not launch.ended:
        return Line(explanation, None, "wait" if launch.state == State.PAUSED else "", "hourglass")
    tone, icon = _ENDINGS.get(State(launch.state), ("bad", "circle-x"))
    return Line(explanation, at, tone, icon)


def _waiting(run: Run, known: Mapping[str, object]) -> str:
    """What a paused run waits for, as far as its paused step shows: the engine gives no reason (api.md 8.1)."""
    paused = (item for item in run.steps.items() if item[1].status == "PAUSED")
    name, step = next(paused, ("", StepResult({})))
    if not name:
        return _("It waits: for a time, or for something that has to happen first.")
    title, until = title_of(name, known), _until(run, known, name, step)
    if until is not None:
        time = formats.exact(until, seconds=False)
        return _("It waits at “%(step)s” until %(time)s.") % {"step": title, "time": time}
    settings = Step(known.get(name)).settings
    action = settings.action_name
    if settings.piece_name.endswith("piece-approval"):
        sentence = _("It waits at “%(step)s” until someone approves or declines. Then it continues automatically.")
    elif "webhook" in action or "event" in action:
        sentence = _("It waits at “%(step)s” until an answer arrives from elsewhere. Then it continues automatically.")
    else:
        sentence = _("It waits at “%(step)s” for a time or an answer. Then it continues automatically.")
    return sentence % {"step": title}


def _until(run: Run, known: Mapping[str, object], name: str, step: StepResult) -> datetime | None:
    """When a delay ends: from its step as a moment, or as a duration from when it began."""
    fixed = formats.moment(step.fields.get("delayUntilTimestamp"))
    planned, start = resource_times.planned_wait(step), reading.started(run)
    times = resource_times.Times(run, known)
    if fixed is not None or planned is None or start is None or times.mixed:
        return fixed
    elapsed = times.begins[name] + resource_times.worked(step)
    return start + timedelta(milliseconds=elapsed + planned) if elapsed < _LONGEST else None


def title_of(name: str, known: Mapping[str, object]) -> str:
    return (outline.title_of(known[name]) if known.get(name) else name)[:_NAME]


def _steps(run: Run, known: Mapping[str, object]) -> Iterator[Line]:
    """A sentence per step, with its end if it can be calculated (times.py)."""
    times = resource_times.Times(run, known)
    left = reading.left_behind(run)
    listed = [
        (name, step) for name, step in run.steps.items() if name != "trigger" and not steps.is_left(name, step, left)
    ]
    for number, (name, step) in enumerate(listed):
        if run.status == step.status == "PAUSED":
            return  # The end of the story says what it waits for.
        failed = step.status == reading.FAILED
        went_on = number + 1 < len(listed) or run.status in _GOING
        if number < MOST or failed:
            line = _step(name, step, known, times.waits.get(name, 0.0), going=went_on)
            end = times.end_of(name) if step.status not in ("RUNNING", "PAUSED") else None
            yield replace(line, at=end[0], about=end[1]) if end is not None else line
    more = len(listed) - MOST
    if more > 0:
        sentence = ngettext("%(n)d more step is not shown here.", "%(n)d more steps are not shown here.", more)
        yield Line(sentence % {"n": more}, icon="ellipsis")


def _step(name: str, step: StepResult, known: Mapping[str, object], wait: float, *, going: bool) -> Line:
    """`going`: whether the run continued after this step, or is still in progress."""
    title = title_of(name, known)
    icon = str(outline.kind_of(step)[0])
    took = formats.roughly(resource_times.worked(step)) if resource_times.worked(step) else ""
    names = {"step": title, "time": took, "wait": formats.duration(wait)}
    if step.status == reading.FAILED:
        failure = failure_messages.explain_failure(steps.error_text(step.error_message))
        error = failure.service_message[:_SAID] if failure is not None else ""
        sentence = _("“%(step)s” failed: %(said)s") if error else _("“%(step)s” failed.")
        if going and error:
            sentence = _("“%(step)s” failed, and the flow continued: %(said)s")
        elif going:
            sentence = _("“%(step)s” failed, and the flow continued.")
        return Line(sentence % (names | {"said": error}), tone="bad", icon=icon)
    if step.is_loop:
        tone = "bad" if any(map(any_failed, step.iterations)) else ""
        return Line(_rounds(title, step.iterations), tone=tone, icon=icon)
    if step.is_router:
        return Line(_way(title, step.branches), icon=icon)
    if wait >= _PAUSE:
        return Line(_("“%(step)s” waited for %(wait)s.") % names, tone="wait", icon="hourglass")
    if step.status == "PAUSED":
        return Line(_("“%(step)s” waits.") % names, tone="wait", icon="hourglass")
    if step.status == "RUNNING":
        if going:
            return Line(_("“%(step)s” is running.") % names, tone="wait", icon=icon)
        return Line(_("“%(step)s” started and did not finish.") % names, tone="bad", icon=icon)
    return Line((_("“%(step)s” finished in %(time)s.") if took else _("“%(step)s” finished.")) % names, icon=icon)


def _rounds(title: str, rounds: Sequence[object]) -> str:
    bad = sum(1 for turn in rounds if any_failed(turn))
    template = ngettext("“%(step)s” was done for %(n)d item", "“%(step)s” was done for %(n)d items", len(rounds))
    sentence = template % {"step": title, "n": len(rounds)}
    if not bad:
        return _("%(sentence)s.") % {"sentence": sentence}
    failed = ngettext("%(n)d of them failed", "%(n)d of them failed", bad) % {"n": bad}
    return _("%(sentence)s; %(failed)s.") % {"sentence": sentence, "failed": failed}


def _way(title: str, branches: Sequence[RanBranch]) -> str:
    taken_branches = [str(branch.name or _("Branch"))[:_NAME] for branch in branches if branch.taken]
    if not taken_branches:
        return _("“%(step)s”: no case applied.") % {"step": title}
    return _("“%(step)s” took the branch “%(branch)s”.") % {"step": title, "branch": "”, “".join(taken_branches[:5])}

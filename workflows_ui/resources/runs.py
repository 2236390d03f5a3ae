"""Runs: the list with its filters, and the page of one run: what happened in one sentence, then step by step."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from workflows_ui.engine import flow_tree
from workflows_ui.kit import show, words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import (
    Column,
    Facts,
    Live,
    Page,
    Panel,
    Query,
    Resource,
    Row,
    Shortcut,
    Subject,
    id_at,
    pick,
)
from workflows_ui.models import Launch
from workflows_ui.resources import run_actions
from workflows_ui.resources.flows import name_of as flow_name
from workflows_ui.resources.run_actions import ENDED as ENDED
from workflows_ui.resources.run_actions import ended as ended
from workflows_ui.resources.run_filters import RunFilters
from workflows_ui.resources.steps import Reader, any_failed, error_text

_NAMES_FOR, _NAMES_MOST, _VERSION_FOR = 60, 100, 600
#: Rows asked for beyond a page, since those of the boundary's millisecond come again; the second number is for when all of them did.
_OVERLAPS = (50, 950)


def _length(run: Row) -> float | None:
    return show.between(run.get("startTime"), run.get("finishTime"))


def _failed_at(run: Row) -> str:
    for path in ("failedStep.displayName", "failedStep.name"):
        found = pick(run, path)
        if isinstance(found, str) and found:
            return found
    return ""


def _where(run: Row) -> words.Text:
    found = _failed_at(run)
    return _("at “%(step)s”") % {"step": found[:80]} if found else ""


def _name(run: Row) -> str:
    found = pick(run, "flowVersion.displayName")
    return found if isinstance(found, str) and found.strip() else ""


def _flow_url(slug: str, run: Row) -> str:
    key = id_at(run, "flowId")
    if not key:
        return ""
    return reverse("resource_detail", kwargs={"slug": slug, "resource": "flows", "id": key})


def sentence(run: Row) -> str:
    """What happened, in one sentence of plain words."""
    status = run.get("status")
    length, step = show.duration(_length(run)), _failed_at(run)[:200]
    if status == "SUCCEEDED" and any_failed(run.get("steps")):
        return _("It ran to its end, although a step in it failed: the flow is made to go on then.")
    if status == "SUCCEEDED":
        return _("It ran to its end in %(length)s.") % {"length": length} if length else _("It ran to its end.")
    if status == "FAILED":
        if step and length:
            return _("It failed at “%(step)s” after %(length)s.") % {"step": step, "length": length}
        return _("It failed at “%(step)s”.") % {"step": step} if step else _("It failed.")
    return str(_SENTENCES.get(str(status), "")) or _(
        "The engine calls its state “%(state)s”; nothing more is known."
    ) % {"state": str(status or "–")[:60]}


_SENTENCES: Mapping[str, str | Promise] = {
    "QUEUED": gettext_lazy("It waits until the engine has room to start it."),
    "RUNNING": gettext_lazy("It is running. The engine tells the steps once it has stopped."),
    "PAUSED": gettext_lazy(
        "It is paused, and goes on by itself when its delay is over or the answer it waits for comes in."
    ),
    "TIMEOUT": gettext_lazy("The engine stopped it because it took too long."),
    "MEMORY_LIMIT_EXCEEDED": gettext_lazy(
        "The engine stopped it because it used too much memory. The steps are not kept then."
    ),
    "QUOTA_EXCEEDED": gettext_lazy("The engine stopped it because a quota of its plan is used up."),
    "INTERNAL_ERROR": gettext_lazy("The engine itself failed while running it. The steps are not kept then."),
    "CANCELED": gettext_lazy("Somebody cancelled it."),
}


def poll_seconds(run: Row, now: datetime.datetime | None = None) -> int:
    """How often the page of a run that has not ended asks again: often at first, then more and more seldom, in the end never."""
    if ended(run):
        return 0
    started = show.moment(run.get("created")) or show.moment(run.get("startTime"))
    if started is None:
        return 15
    age = ((now or timezone.now()) - started).total_seconds()
    return next((seconds for limit, seconds in _PACE if age < limit), 0)


#: (age of the run in seconds, seconds between two looks). After a day the page is still: it can be loaded again.
_PACE = ((30, 2), (300, 5), (1800, 15), (86_400, 60))


def _summary(subject: Subject) -> dict[str, Any]:
    run = subject.object
    failing = pick(run, "steps")
    name = pick(run, "failedStep.name")
    step = failing.get(name) if isinstance(failing, dict) and isinstance(name, str) else None
    launch = Launch.objects.filter(workspace=subject.workspace, run_id=subject.id).select_related("user").first()
    seconds = poll_seconds(run)
    return {
        "state": words.run_state(run.get("status")),
        "sentence": sentence(run),
        "error": show.first_line(error_text(pick(step, "errorMessage"))),
        "run": run,
        "launch": launch,
        "slug": subject.slug,
        "seconds": seconds,
        "still": not seconds and not ended(run),
    }


def _known_steps(subject: Subject) -> dict[str, Any]:
    """The steps of the version that ran, by name, without their inner chains; a version that is locked never changes."""
    run = subject.object
    flow, version = run.get("flowId"), run.get("flowVersionId")
    if not isinstance(flow, str) or not flow or not isinstance(version, str) or not version:
        return {}

    def ask() -> dict[str, Any]:
        found = subject.caller.workflows.get_flow(flow, version)
        steps = flow_tree.steps_by_name(pick(found, "version.trigger"))
        return {name: _head(step) for name, step in steps.items()}

    nothing: dict[str, Any] = {}
    return subject.caller.remember_or(nothing, f"version:{flow}:{version}", _VERSION_FOR, ask)


def _head(step: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("pieceName", "actionName", "triggerName")
    settings = {key: pick(step, f"settings.{key}") for key in kept}
    return {"name": step.get("name"), "displayName": step.get("displayName"), "settings": settings}


def _steps(subject: Subject) -> dict[str, Any]:
    run = subject.object
    if not run.get("steps"):
        return {"steps": [], "ended": ended(run)}
    reader = Reader(_known_steps(subject))
    return {"steps": reader.read(run.get("steps")), "cut": reader.cut, "ended": ended(run)}


def _raw(subject: Subject) -> dict[str, Any]:
    return {"value": subject.object, "id": "raw", "title": _("The run as the engine has it (JSON)")}


class Runs(Resource):
    """What the engine did when a flow was started."""

    name = "runs"
    label, label_plural = pgettext_lazy("noun", "Run"), pgettext_lazy("noun", "Runs")
    icon, group = "clock-rotate-left", "watch"
    empty = gettext_lazy("Nothing has run in this workspace yet")
    empty_hint = gettext_lazy("Launch a flow, or wait until one starts by itself: its run is listed here at once.")
    filters = RunFilters
    list_display = (
        Column(lambda row: _name(row) or row.get("flowId"), gettext_lazy("Flow"), link=True),
        Column(lambda row: words.run_state(row.get("status")), gettext_lazy("State"), kind="badge", below=_where),
        Column("created", gettext_lazy("Started"), kind="when"),
        Column(_length, gettext_lazy("Took"), kind="duration", phone=False),
    )
    shortcuts = (Shortcut(gettext_lazy("To the flow"), "diagram-project", _flow_url),)
    actions = run_actions.ACTIONS
    panels = (
        Panel("", "runs/summary.html", _summary),
        Facts(
            gettext_lazy("Facts"),
            (
                Column(_name, gettext_lazy("Flow"), link=_flow_url),
                Column("startTime", gettext_lazy("Started"), kind="exact"),
                Column("finishTime", gettext_lazy("Ended"), kind="exact"),
                Column(_length, gettext_lazy("Took"), kind="duration"),
                Column("tags", gettext_lazy("Tags"), kind="list"),
                Column("id", gettext_lazy("Id in the engine"), kind="code"),
            ),
        ),
        Panel(gettext_lazy("Steps"), "runs/steps.html", _steps),
        Panel("", "kit/panels/raw.html", _raw),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """A page by time, newest first. A position is the last row's `created` and id: the next page asks for everything up to that
        millisecond again and leaves out what was shown, since the engine's own cursor loses the rows of the boundary second
        (api.md 4.1)."""
        moment, _bar, last = query.position.partition("~")
        boundary = show.moment(moment)
        until = _end_of_day(query.filters.get("until"))
        # One millisecond more: the engine keeps more digits than it tells.
        limit = boundary + datetime.timedelta(milliseconds=1) if boundary else None
        for overlap in _OVERLAPS:
            asked = query.rows + (overlap if boundary else 1)
            page = caller.workflows.list_runs(
                limit=asked,
                flow_id=query.filters.get("flow"),
                status=query.filters.get("status"),
                tags=query.filters.get("tag"),
                created_after=_start_of_day(query.filters.get("since")),
                created_before=min(filter(None, (limit, until)), default=None),
            )
            data = page.get("data") or []
            rows = _after(last, [row for row in data if isinstance(row, dict)])
            if rows or len(data) < asked:
                break
        shown = rows[: query.rows]
        more = bool(shown) and (len(rows) > query.rows or len(data) >= asked)
        return Page(shown, f"{shown[-1].get('created')}~{shown[-1].get('id')}" if more else "")

    def get(self, caller: Caller, id: str) -> Row:
        """The run with its steps."""
        return caller.workflows.get_run(id)

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, str | Promise]]]:
        """The workspace's flows by name, at most a minute old."""

        def ask() -> list[tuple[str, str]]:
            page = caller.workflows.list_flows(limit=_NAMES_MOST)
            rows = [row for row in page.get("data") or [] if isinstance(row, dict) and row.get("id")]
            return [(str(row["id"]), (flow_name(row) or str(row["id"]))[:80]) for row in rows]

        nothing: list[tuple[str, str]] = []
        names = caller.remember_or(nothing, "flow-names", _NAMES_FOR, ask)
        return {"flow": sorted(names, key=lambda pair: pair[1].lower())}

    def title(self, row: Row) -> str:
        """The flow's name at the time of the run."""
        return _name(row)

    def call(self, id: str) -> tuple[str, str, str]:
        """`GET /v1/flow-runs/{id}`."""
        return "GET", f"/v1/flow-runs/{quote(id, safe='')}", f"workflows.get_run({id!r})"

    def live(self, row: Row) -> Live:
        """Until the run has ended."""
        return Live(poll_seconds(row))


def _after(last: str, rows: Sequence[Row]) -> list[Row]:
    """The rows, each once, that come after the one with the id `last`; all of them where it is not among them."""
    once = list({str(row.get("id")): row for row in rows}.values())
    place = next((index for index, row in enumerate(once) if last and row.get("id") == last), -1)
    return once[place + 1 :]


def _start_of_day(day: datetime.date | None) -> datetime.datetime | None:
    day = _thinkable(day)
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min)) if day else None


def _thinkable(day: datetime.date | None) -> datetime.date | None:
    """The day, moved to where every zone can hold it and a run may be."""
    return min(max(day, datetime.date(1970, 1, 1)), datetime.date(9000, 1, 1)) if day else None


def _end_of_day(day: datetime.date | None) -> datetime.datetime | None:
    day = _thinkable(day)
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.max)) if day else None

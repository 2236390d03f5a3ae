"""Runs: the list with its filters, and the page of one run: what happened in one sentence, then step by step."""

import datetime
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

from workflows_ui.kit import show, words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Column, Facts, Live, Page, Panel, Query, Resource, Row, Shortcut, id_at, pick
from workflows_ui.resources import run_actions, run_flows, run_panels, run_starters
from workflows_ui.resources.places import flow_url
from workflows_ui.resources.run_filters import RunFilters
from workflows_ui.resources.run_reading import failed_at, length, name_of, poll_seconds, waited

#: Rows asked for beyond a page, since those of the boundary's millisecond come again; the second number is for when all of them did.
_OVERLAPS = (50, 950)


def _flow_url(slug: str, run: Row) -> str:
    return flow_url(slug, run.get("flowId"))


def _failed_alike_url(slug: str, run: Row) -> str:
    """The list of the runs of the same flow that failed at the same step."""
    step, flow = pick(run, "failedStep.name"), id_at(run, "flowId")
    if not isinstance(step, str) or not step or not flow:
        return ""
    return reverse("resource_list", args=[slug, "runs"], query={"failed": run_flows.of_flow(step[:80], flow)})


class Runs(Resource):
    """What the engine did when a flow was started."""

    name = "runs"
    label, label_plural = pgettext_lazy("noun", "Run"), pgettext_lazy("noun", "Runs")
    icon, group = "clock-rotate-left", "watch"
    empty = gettext_lazy("Nothing has run in this workspace yet")
    empty_hint = gettext_lazy("Launch a flow, or wait until one starts by itself: its run is listed here at once.")
    filters = RunFilters
    spans = gettext_lazy(
        "The engine looks through all runs that it still keeps. What went into the steps and came out of them is not searched. "
        "The hundred flows that were changed last are offered here, with their steps."
    )
    list_display = (
        Column(lambda row: name_of(row) or row.get("flowId"), gettext_lazy("Flow"), link=True),
        Column(lambda row: words.run_state(row.get("status")), gettext_lazy("State"), kind="badge"),
        Column(failed_at, gettext_lazy("Failed step"), link=_failed_alike_url, wide=True),
        Column("created", gettext_lazy("Started"), kind="when"),
        Column(waited, gettext_lazy("Waited"), kind="duration", wide=True),
        Column(length, gettext_lazy("Ran"), kind="duration", phone=False),
        Column(run_starters.name_of, gettext_lazy("Launched by"), link=run_starters.url_of, phone=False),
    )
    shortcuts = (Shortcut(gettext_lazy("To the flow"), "diagram-project", _flow_url),)
    actions = run_actions.ACTIONS
    panels = (
        Panel("", "runs/summary.html", run_panels.summary),
        Panel(gettext_lazy("Steps"), "runs/steps.html", run_panels.steps),
        Facts(
            gettext_lazy("Facts"),
            (
                Column(name_of, gettext_lazy("Flow"), link=_flow_url),
                Column("created", gettext_lazy("Came in"), kind="exact"),
                Column("startTime", gettext_lazy("Started"), kind="exact"),
                Column("finishTime", gettext_lazy("Ended"), kind="exact"),
                Column(waited, gettext_lazy("Waited"), kind="duration"),
                Column(length, gettext_lazy("Ran"), kind="duration"),
                Column(failed_at, gettext_lazy("Failed step"), link=_failed_alike_url),
                Column("tags", gettext_lazy("Tags"), kind="list"),
                Column("archivedAt", gettext_lazy("Archived"), kind="exact"),
                Column("id", gettext_lazy("Id in the engine"), kind="code"),
            ),
        ),
        Panel(gettext_lazy("Parent and child runs"), "runs/family.html", run_panels.family),
        Panel("", "kit/panels/raw.html", run_panels.raw),
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
        step, of_flow = run_flows.step_and_flow(query.filters.get("failed", ""))
        for overlap in _OVERLAPS:
            asked = query.rows + (overlap if boundary else 1)
            page = caller.workflows.list_runs(
                limit=asked,
                flow_id=of_flow or query.filters.get("flow"),
                status=query.filters.get("status"),
                tags=query.filters.get("tag"),
                created_after=_start_of_day(query.filters.get("since")),
                created_before=min(filter(None, (limit, until)), default=None),
                failed_step_name=step or None,
                # Without a word about it the engine lists archived runs among the others (recording `runs_list_final`).
                archived=query.filters.get("archived") == "only",
            )
            data = page.get("data") or []
            listed = [row for row in data if isinstance(row, dict)]
            rows = _after(last, listed)
            # Without the last row in it, an answer that is full may hold nothing but rows of its millisecond that were shown before.
            if len(data) < asked or (rows and (not last or any(row.get("id") == last for row in listed))):
                break
        shown = rows[: query.rows]
        more = bool(shown) and (len(rows) > query.rows or len(data) >= asked)
        starts = {flow.id: flow.start for flow in run_flows.known(caller)}
        named = run_starters.named(caller.workspace, shown, starts) if shown else []
        return Page(named, f"{shown[-1].get('created')}~{shown[-1].get('id')}" if more else "")

    def get(self, caller: Caller, id: str) -> Row:
        """The run with its steps."""
        return caller.workflows.get_run(id)

    def choices(self, caller: Caller) -> Mapping[str, Sequence[tuple[str, str | Promise]]]:
        """The workspace's flows and their steps by name, at most a minute old."""
        flows = run_flows.known(caller)
        return {"flow": run_flows.flow_choices(flows), "failed": run_flows.step_choices(flows)}

    def title(self, row: Row) -> str:
        """The flow's name at the time of the run."""
        return name_of(row)

    def told(self, row: Row) -> str:
        """With its time: runs of a flow have one name."""
        came = show.moment(row.get("created"))
        return f"{show.cut(name_of(row), 200)}, {show.exact(came)}" if came else name_of(row)

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

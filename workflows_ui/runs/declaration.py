"""Runs: the list with its filters, and the page of one run: a summary in one sentence, then step by step."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, wraps
from typing import TypeVar

from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy as _, pgettext_lazy

from workflows_ui.core import formats
from workflows_ui.core.collation import by_name
from workflows_ui.core.paths import id_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import Forbidden, NotFound, Unavailable
from workflows_ui.engine_objects.runs import Run
from workflows_ui.lists.declaration import Column, Page, Query, Row, Shortcut
from workflows_ui.lists.filters import first_day
from workflows_ui.resource_admin.places import link_to, list_url
from workflows_ui.resource_admin.resource import Panel, Resource, Subject, Tab
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import (
    actions as resource_actions,
    filters as run_filters,
    indexed,
    launched,
    masking,
    panels as resource_panels,
    reading,
    starters,
)
from workflows_ui.search.services import Text
from workflows_ui.web import messages

#: Extra rows requested beyond a page, since those of the boundary's millisecond come again; the second number is used if all of them did.
_OVERLAPS = (50, 950)
#: How old an answer may be that open lists share: with `live_seconds`, a new run appears within ten seconds.
_SHARED_SECONDS = 3
#: Maximum length of the raw data on the page; the file is complete.
_RAW = 200_000
T = TypeVar("T")


def _failed_alike_url(slug: str, run: Row) -> str:
    """The list of the runs of the same flow that failed at the same step."""
    step, flow = Run(run).failed_step.name, id_at(run, "flowId")
    if not step or not flow:
        return ""
    return list_url(slug, "runs", failed=run_filters.step_of_flow(step[:80], flow))


def _of_run(read: Callable[[Run], T]) -> Callable[[Row], T]:
    """A column's value: addresses call the column by the name of `read`."""
    return wraps(read)(lambda row: read(Run(row)))


class Runs(Resource):
    name = "runs"
    label, label_plural = pgettext_lazy("noun", "Run"), pgettext_lazy("noun", "Runs")
    icon, group, menu_order = "history", "watch", 10
    empty = _("Nothing has run in this workspace yet")
    empty_hint = _("Launch a flow, or wait until one starts automatically: its run is listed here at once.")
    filters = run_filters.RunFilters
    search_by_id = True
    filter_help = _(
        "The engine looks through all runs that it still keeps. What went into the steps and came out of them is "
        "searched only where the run index keeps values. "
        "The hundred flows that were changed last are offered here, with their steps."
    )
    title_path = "flowVersion.displayName"
    hidden_url = "run_hidden"
    recipe = ("/v1/flow-runs/{id}", "workflows.get_run({id!r})")
    # The list can be sorted where there is a run index; the fields are those of IndexedRun.
    list_display = (
        Column(
            lambda row: reading.name_of(Run(row)) or row.get("flowId"),
            _("Flow"),
            link=True,
            below=indexed.gone_note,
            name="flow",
            sort=("flow_name",),
        ),
        Column(
            lambda row: messages.run_state(row.get("status")), _("State"), kind="badge", name="state", sort=("status",)
        ),
        Column(
            _of_run(reading.failed_at), _("Failed step"), link=_failed_alike_url, wide=True, sort=("failed_step_title",)
        ),
        Column(_of_run(reading.error_of), _("Error"), kind="message", sort=False),
        Column("created", _("Received"), kind="when", below=_of_run(reading.long_wait), sort=("created",)),
        Column(
            _of_run(reading.length),
            _("Duration"),
            kind="duration",
            below=lambda row: messages.LATE if row.get(reading.LATE) else "",
            sort=("duration",),
        ),
        Column(
            starters.name_of,
            _("Launched by"),
            link=starters.url_of,
            phone=False,
            name="launcher",
            sort=by_name(launched.LAUNCHER),
        ),
    )
    shortcuts = (Shortcut(_("View flow"), "workflow", link_to("flows", "flowId")),)
    actions = resource_actions.ACTIONS
    key_facts = (
        Column(lambda run: reading.name_of(Run(run)) or run.get("flowId"), _("Flow"), link=link_to("flows", "flowId")),
        Column("created", _("Received"), kind="when"),
        Column(_of_run(reading.length), _("Duration"), kind="duration"),
    )
    details = (
        Column("created", _("Received"), kind="exact"),
        Column(_of_run(reading.engine_start), _("Started"), kind="exact"),
        Column(_of_run(reading.retried), _("Retried"), kind="exact"),
        Column(_of_run(reading.finished), _("Ended"), kind="exact"),
        Column(_of_run(reading.waited), _("Time in queue"), kind="duration"),
        Column(_of_run(reading.length), _("Duration"), kind="duration"),
        Column(_of_run(reading.failed_at), _("Failed step"), link=_failed_alike_url),
        Column("tags", _("Tags"), kind="list"),
        Column("archivedAt", _("Archived"), kind="exact"),
        Column("id", _("Engine ID"), kind="id"),
    )
    style_sheet = "steps.css"
    panels = (
        Panel("", "runs/summary.html", resource_panels.summary),
        Panel(_("Compared with the last successful run"), "runs/compared.html", resource_panels.compared),
        Panel(_("Steps"), "runs/steps.html", resource_panels.steps),
    )
    tabs = (
        Tab(
            "related",
            _("Parent and child runs"),
            (Panel("", "runs/family.html", resource_panels.family),),
            visible=resource_panels.has_family,
        ),
    )
    editor_path = "/projects/{project}/runs/{id}"
    notes = True
    created = "created"
    live_seconds = 4
    preview_view = "run_preview"
    plot_template = "runs/days_later.html"

    def list(self, session: EngineSession, query: Query) -> Page:
        """A page of the workspace's run index; without one, of the engine's list."""
        index = indexes.for_session(session)
        if index is None and query.filters.get("hour"):
            return Page((), warning=gettext("Runs are found by the hour with a run index only."))
        if index is None:
            page = self._searched(session, query) if query.filters.get("search") else self._engine_page(session, query)
        else:
            indexes.watch(index)
            page = indexed.page(session, index, query)
        flows = indexed.flows_of(session, index)
        rows = starters.with_starters(session, page.rows, {flow.id: flow.start for flow in flows})
        return replace(
            page, rows=reading.with_lateness(session.workspace, reading.with_retries(session.workspace, rows))
        )

    def _searched(self, session: EngineSession, query: Query) -> Page:
        """What the engine can find without an index: a run by its id, else those of the flows with that name."""
        text = query.filters["search"]
        try:
            if typed_id := Text.read(text).id:
                return Page([session.workflows.get_run(typed_id)])
        except (NotFound, Forbidden):
            pass
        flows = run_filters.named(run_filters.load_flows(session), text)
        if flows:
            return self._engine_page(session, replace(query, filters={**query.filters, "flow": flows}))
        hint = gettext(
            "Without a run index, runs are found by their ID or their flow's name only. Managers start one on the page of settings."
        )
        return Page((), warning=hint)

    def _engine_page(self, session: EngineSession, query: Query) -> Page:
        """A page by time, newest first. A position is the last row's `created` and id: the next page requests
        everything up to that millisecond again and leaves out the rows already shown, since the engine's own cursor
        loses the rows of the boundary second (api.md 4.1).
        """
        moment, _bar, last = query.position.partition("~")
        boundary = formats.moment(moment)
        until = run_filters.moment(query.filters.get("until"), datetime.time.max)
        # One millisecond more: the engine stores more digits than it sends.
        limit = boundary + datetime.timedelta(milliseconds=1) if boundary else None
        step, of_flow = run_filters.step_and_flow(query.filters.get("failed", ""))
        if of_flow or query.filters.get("flow"):
            # Filling the cache here proves once that the flow belongs to the workspace, instead of by a call for each flow.
            run_filters.load_flows(session)
        wanted = partial(
            session.workflows.list_runs,
            status=query.filters.get("status"),
            tags=query.filters.get("tag"),
            created_after=run_filters.moment(first_day(query.filters), datetime.time.min),
            created_before=min(filter(None, (limit, until)), default=None),
            failed_step_name=step or None,
            archived=query.filters.get("archived") == "only",
        )
        if query.filters.get("person"):

            def read(ids: list[str]) -> Row:
                call = partial(wanted, limit=len(ids), flow_run_ids=ids, created_before=until)
                return session.share(f"runs {ids} {call.keywords}", _SHARED_SECONDS, call, poll=query.poll)

            return launched.page(session, query, [of_flow] if of_flow else query.filters.get("flow"), read)
        for overlap in _OVERLAPS:
            limit_rows = query.rows + (overlap if boundary else 1)
            call = partial(wanted, limit=limit_rows, flow_id=of_flow or query.filters.get("flow"))
            name = f"runs {call.keywords}"
            page = call() if boundary else session.share(name, _SHARED_SECONDS, call, poll=query.poll)
            listed = page["data"]
            rows = _after(last, listed)
            # Without the last row in it, a full answer may hold only rows of its millisecond that were already shown.
            if len(listed) < limit_rows or (rows and (not last or any(row.get("id") == last for row in listed))):
                break
        page_rows = rows[: query.rows]
        more = bool(page_rows) and (len(rows) > query.rows or len(listed) >= limit_rows)
        older = f"{page_rows[-1].get('created')}~{page_rows[-1].get('id')}" if more else ""
        # Archived runs may be so few among the others that the client stopped searching.
        if not older and formats.moment(page.get("next")):
            older = f"{page['next']}~"
        return Page(page_rows, older)

    def get(self, session: EngineSession, id: str) -> Row:
        """The run with its steps; what the index keeps of one that the engine has no longer, or does not give now."""
        index = indexes.for_session(session)
        run = indexed.get(index, id) if index and indexes.is_silent(index) else None
        if run is None:
            try:
                run = session.workflows.get_run(id)
            except (NotFound, Unavailable):
                run = indexed.get(index, id) if index else None
                if run is None:
                    raise
        return reading.with_retries(session.workspace, [run])[0]

    def masked(self, session: EngineSession, rows: Sequence[Row]) -> Sequence[Row]:
        """Without secrets, and without the inputs of launches that the person may not open."""
        return masking.masked(session, rows)

    def choices(self, session: EngineSession) -> Mapping[str, Sequence[tuple[str, str]]]:
        """The workspace's flows and their steps by name, at most a minute old; and the people who launched."""
        flows = indexed.flows_of(session, indexes.for_session(session))
        return {**run_filters.filter_choices(flows), "person": launched.choices(session)}

    def search_hint(self, session: EngineSession) -> str:
        return indexed.search_hint(session, indexes.for_session(session))

    def full_title(self, row: Row) -> str:
        """With its time: all runs of a flow have the same title."""
        run = Run(row)
        name, came = reading.name_of(run), run.created
        return f"{formats.cut(name, 200)}, {formats.exact(came)}" if came else name

    def raw(self, subject: Subject) -> dict[str, object]:
        """Truncated, with a link to the whole run."""
        value = {key: value for key, value in subject.object.items() if key not in indexed.ADDED}
        file = reverse("run_file", args=[subject.slug, subject.id])
        return super().raw(subject) | {"value": value, "limit": _RAW, "file": file}

    def refresh_seconds(self, row: Row) -> int:
        """Until the run has ended."""
        return reading.poll_seconds(Run(row))


def _after(last: str, rows: Sequence[Row]) -> list[Row]:
    """The rows after the one with the id `last`, without duplicates; all of them if it is not among them."""
    once = list({str(row.get("id")): row for row in rows}.values())
    index = next((index for index, row in enumerate(once) if last and row.get("id") == last), -1)
    return once[index + 1 :]

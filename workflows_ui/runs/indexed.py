"""Runs from the index instead of the engine: lists with totals and any order, and a run that the engine does not give."""

import datetime
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core import clock, formats
from workflows_ui.core.days import MOST_DAYS
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.lists.filters import first_day, plotted_days
from workflows_ui.lists.numbering import local_page
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Page, Query, Row
from workflows_ui.run_index.models import LISTED, IndexedRun, Kept, RunIndex
from workflows_ui.run_index.services import (
    indexes,
    retention,
    rows as indexed_rows,
    run_words,
    spans,
    statistics,
    values,
)
from workflows_ui.run_index.services.parts import Found
from workflows_ui.runs import filters as run_filters, launched, reading
from workflows_ui.search.services import Text

#: The most runs that a search for words lists: it would take long to count all runs with a frequent word.
MOST_FOUND = 10_000
#: Said of a search for parts of words that finds very many runs.
MORE = gettext_lazy(
    "Not all runs with these words are listed: only the newest and some others. Add a word, or choose days."
)
#: The keys of a run from the index: when the runs were last read, and when the engine was found not to have this one any more.
READ_AT, GONE_AT = reading.READ_AT, "indexGoneAt"
#: The keys of a run that the console adds, and its file leaves out.
ADDED = frozenset({READ_AT, GONE_AT, reading.RETRIED})


class Matched(NamedTuple):
    """The runs that the filters of a list choose, whether these are all, and whether they were found by words."""

    rows: QuerySet[IndexedRun]
    complete: bool = True
    by_words: bool = False


def page(session: EngineSession, index: RunIndex, query: Query) -> Page:
    """The requested page of the runs in the index."""
    order = query.order.fields if query.order else ()
    rows, complete, by_words = matching(session, index, query)
    if query.order and query.order.column.name == launched.LAUNCHER:
        rows = launched.with_launcher(rows, descending=query.order.descending)

    def count(rows: QuerySet[IndexedRun]) -> int:
        if query.filters.get("person"):
            # Which runs these are changes with the launches, too.
            return rows.count()
        if not by_words:
            return statistics.number(index, rows)
        rows = rows.order_by()[: MOST_FOUND + 1]
        return min(MOST_FOUND, indexes.remember(index, f"number {rows.query}", rows.count))

    found = local_page(
        rows,
        query.position,
        moment="created",
        size=query.rows,
        order=order,
        keys_first=True,
        count=count,
        most=MOST_FOUND if by_words else None,
    )
    following = found.start + len(found.rows)
    suffix = f"@{found.as_of}" if found.as_of else ""
    more = _cut_note(found.total, by_words=by_words) if complete else str(MORE)
    return Page(
        [_run(row, index) for row in found.rows],
        older=f"{following}{suffix}" if following < found.total else "",
        total=found.total,
        start=found.start,
        sortable=True,
        as_of=found.as_of,
        warning=trouble(index),
        partial=bool(more),
        notice=more
        or notice(index, run_filters.moment(first_day(query.filters), datetime.time.min))
        or _unwritten_note(index, by_words=by_words),
    )


def _unwritten_note(index: RunIndex, *, by_words: bool) -> str:
    """What is said of a search for words while those of older runs are written again."""
    if not by_words or not index.words_left:
        return ""
    return _("The words of older runs are still being prepared, so that the search does not find all of them yet.")


def _cut_note(total: int, *, by_words: bool) -> str:
    """What is said of a search for words that finds more runs than are counted and listed."""
    if not by_words or total < MOST_FOUND:
        return ""
    values = {"n": formats.number(MOST_FOUND)}
    return _("The search matches at least %(n)s runs; the first %(n)s are listed. Add a word or a filter.") % values


def matching(session: EngineSession, index: RunIndex, query: Query) -> Matched:
    """The indexed runs that the filters of the list choose, of those that the person may find.

    Of very many with the words of a search, only the newest and some others are chosen.
    """
    values = query.filters
    step, of_flow = run_filters.step_and_flow(values.get("failed", ""))
    archived = values.get("archived") == "only"
    rows = IndexedRun.objects.filter(workspace_id=index.pk, erased_at__isnull=True, archived__isnull=not archived)
    if flows := [of_flow] if of_flow else values.get("flow"):
        rows = rows.filter(flow_id__in=flows)
    if states := values.get("status"):
        rows = rows.filter(status__in=states)
    if step:
        rows = rows.exclude(failed_step="").filter(failed_step=step[:100])
    if since := run_filters.moment(first_day(values), datetime.time.min):
        rows = rows.filter(created__gte=since)
    if until := run_filters.moment(values.get("until"), datetime.time.max):
        rows = rows.filter(created__lte=until)
    if hour := values.get("hour"):
        rows = rows.filter(run_filters.in_hour(hour, plotted_days(values, MOST_DAYS)))
    if person := values.get("person"):
        rows = rows.filter(launched.condition(session, person))
    if tag := values.get("tag"):
        rows = rows.filter(indexed_rows.with_tag(tag))
    if not (text := values.get("search")):
        return Matched(rows)
    if (named := _named(session, index, text)) is not None:
        return Matched(rows.filter(named))
    # Words of errors may be those of inputs that only builders may see.
    found = run_words.found_by(index, rows, text) if session.allows(Role.BUILDER) else Found()
    return Matched(rows.filter(found.condition), found.complete, by_words=True)


def _named(session: EngineSession, index: RunIndex, text: str) -> Q | None:
    """The condition of a search for an id, or for names of flows; None for a text that is neither."""
    if typed_id := Text.read(text).id:
        # Each by an index of its own: one query for both would read all runs.
        rows = IndexedRun.objects.filter(workspace_id=index.pk)
        children = rows.filter(~Q(parent_id=""), parent_id=typed_id).order_by("-pk")
        found = [*rows.filter(run_id=typed_id).values_list("pk", flat=True)]
        found += children.values_list("pk", flat=True)[:MOST_FOUND]
        if found:
            return Q(pk__in=found)
    # What a search finds must not wait for the second request.
    flows = run_filters.known_flows(session) if index.failures else run_filters.load_flows(session)
    named = run_filters.named(flows, text)
    return Q(flow_id__in=named) if named else None


def search_hint(session: EngineSession, index: RunIndex | None) -> str:
    """What a search in the list finds by words; "" if it finds none for this person."""
    if index is None or not session.allows(Role.BUILDER):
        return ""
    parts = index.finds_parts
    if index.kept == Kept.VALUES and parts:
        return _("Flow, part of an error, input or output, or ID")
    if index.kept == Kept.VALUES:
        return _("Flow, words of an error, input or output, or ID")
    return _("Flow, part of an error, or ID") if parts else _("Flow, words of an error, or ID")


def flows_of(session: EngineSession, index: RunIndex | None) -> Sequence[run_filters.Named]:
    """The flows of the list: with an index those that were read before, and otherwise for its second request, which may wait for the
    engine."""
    if index is None:
        return run_filters.load_flows(session)
    if index.failures:
        return run_filters.known_flows(session)
    return session.once("flows of the index", lambda: run_filters.load_optional_flows(session))


def search(session: EngineSession, text: str, most: int) -> Sequence[Row]:
    """The newest runs with every word of a text, for builders."""
    index = indexes.for_session(session)
    if index is None or not session.allows(Role.BUILDER):
        return []
    rows = IndexedRun.objects.filter(LISTED, workspace_id=index.pk)
    found = rows.filter(run_words.found_by(index, rows, text).condition).order_by("-created", "-pk")
    return [_run(row, index) for row in found[:most]]


def get(index: RunIndex, run_id: str) -> dict[str, object] | None:
    """What the index keeps of one run, with its steps as far as they are kept; None if it has none."""
    row = IndexedRun.objects.filter(workspace_id=index.pk, run_id=run_id, erased_at__isnull=True).first()
    return {**_run(row, index), "steps": values.steps(row)} if row else None


def _run(row: IndexedRun, index: RunIndex) -> dict[str, object]:
    return {**indexed_rows.to_engine(row), READ_AT: index.read_at, GONE_AT: row.gone_at}


def is_gone(run: Row) -> bool:
    """Whether the index has a run that the engine has no longer."""
    return bool(run.get(GONE_AT))


def kept_note(run: Row) -> str:
    """What is said on the page of a run that comes from the index; "" for one that comes from the engine."""
    if is_gone(run):
        if run.get("steps"):
            return _("The engine has deleted this run. This is what the run index has kept of it.")
        return _("The engine has deleted this run. This is what the run index has kept of it, without its steps.")
    if read_at := formats.moment(run.get(READ_AT)):
        text = _(
            "The engine does not give this run now. This is what the run index knew at %(time)s, without its steps."
        )
        if run.get("steps"):
            text = _("The engine does not give this run now. This is what the run index knew at %(time)s.")
        return text % {"time": formats.exact(read_at)}
    return ""


def gone_note(run: Row) -> str:
    """The second line of a row whose run the engine does not have any more."""
    return _("No longer in the engine") if is_gone(run) else ""


def trouble(index: RunIndex) -> str:
    """What is to be said while the engine does not answer."""
    if not index.failures or index.read_at is None:
        return ""
    text = _("The engine does not answer. These are the runs as of %(time)s.")
    if not indexes.is_silent(index):
        text = _("The runs cannot be read at present. These are the runs as of %(time)s.")
    return text % {"time": formats.exact(index.read_at)}


def notice(index: RunIndex, begin: datetime.datetime | None = None) -> str:
    """What is to be said while the past is being read, and where a page that shows runs since `begin` has only later ones."""
    if any(not span.compares for span in spans.load(index.spans)):
        return _("Older runs are still being read into the run index, so that totals are not complete yet.")
    since = retention.floor(index, clock.now())
    if begin is None or begin >= since:
        return ""
    return _("The run index keeps runs since %(time)s.") % {"time": formats.exact(since, seconds=False)}

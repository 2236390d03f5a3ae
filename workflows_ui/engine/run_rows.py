"""Rows of the run list: their reduction, and one page from several calls. Pure functions over the engine's dictionaries."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from .calls import REPEATED, Json, Texts, moment

#: Rows per call to an engine whose rows contain the whole flow (recording `runs_list` of 0.83: 5 kB each with small flows), and the
#: fewest that are requested after an answer that was too large.
FAT_PAGE, SMALLEST_PAGE = 60, 5


def slim(run: Json) -> Json:
    """A run with only the name of its flow version, which 0.83 sends twice with the code of all its steps, and without the output of steps
    that wait: it says `approved: true` before anybody has decided (recording `approval_01_run_paused`).
    """
    if isinstance(run.get("steps"), dict):
        run = run | {"steps": _without_pending(run["steps"])}
    if not is_fat(run):
        return run
    version = run.get("flowVersion")
    name = version.get("displayName") if isinstance(version, dict) else run.get("flowVersion_displayName")
    own_fields = {key: value for key, value in run.items() if not key.startswith("flowVersion_")}
    return own_fields | {"flowVersion": {"displayName": name}}


def _without_pending(steps: Json) -> Json:
    """A copy of the steps of a run, or of a loop's iteration, without the outputs of those that wait."""
    copy = dict(steps)
    waiting = [copy]
    while waiting:
        chain = waiting.pop()
        for name, step in chain.items():
            if not isinstance(step, dict):
                continue
            output = step.get("output")
            if step.get("status") == "PAUSED" and "output" in step:
                chain[name] = {key: value for key, value in step.items() if key != "output"}
            elif isinstance(output, dict) and isinstance(output.get("iterations"), list):
                turns = [dict(turn) if isinstance(turn, dict) else turn for turn in output["iterations"]]
                chain[name] = step | {"output": output | {"iterations": turns}}
                waiting += [turn for turn in turns if isinstance(turn, dict)]
    return copy


def is_fat(run: Json) -> bool:
    """Whether a run contains more of its flow version than the name."""
    version = run.get("flowVersion")
    more = isinstance(version, dict) and set(version) - {"displayName"}
    return bool(more) or any(key.startswith("flowVersion_") for key in run)


def filter_batches(values: Texts) -> list[Texts]:
    """A filter's values in batches that one call accepts (`REPEATED`)."""
    if values is None or isinstance(values, str) or len(values) <= REPEATED:
        return [values]
    distinct = list(dict.fromkeys(values))
    return [distinct[start : start + REPEATED] for start in range(0, len(distinct), REPEATED)]


def merge_pages(pages: Sequence[Json], limit: int) -> Json:
    """The `limit` newest rows of several lists as one page. `next` is no cursor: see `Runs.list_runs`.

    Rows older than the end of an incomplete list are left out, since unread rows of that list may belong between them.
    """
    rows: dict[str, Json] = {}
    horizon = ""
    for page in pages:
        rows |= {str(row.get("id")): row for row in page["data"]}
        if page["data"] and (page.get("next") or len(page["data"]) >= limit):
            horizon = max(horizon, created(page["data"][-1]))
    newest = sorted(rows.values(), key=created, reverse=True)
    reliable = [row for row in newest if created(row) >= horizon][:limit]
    more = bool(horizon) or len(reliable) < len(newest)
    return {
        "data": reliable,
        "next": next_created_before(reliable[-1]) if more and reliable else None,
        "previous": None,
    }


def created(run: Json) -> str:
    """The run's time of creation as the engine sent it; "" without one."""
    value = run.get("created")
    return value if isinstance(value, str) else ""


def next_created_before(run: Json) -> str | None:
    """`created_before` of a next page, which begins with this run again; None if its time cannot be parsed.

    One millisecond later: the engine keeps more digits than it sends.
    """
    try:
        time = datetime.fromisoformat(created(run))
        return moment((time if time.tzinfo else time.replace(tzinfo=UTC)) + timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        return None


def filter_archived(rows: Iterable[Any], archived: bool | None) -> list[Json]:
    """The rows that are archived, or that are not; all rows for None. Null, "" and a missing key mean "not archived"."""
    return [row for row in rows if archived is None or bool(row.get("archivedAt")) is archived]

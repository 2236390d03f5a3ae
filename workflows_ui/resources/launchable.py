"""The flows that a launch starts, by the names of their live versions; and the published forms that no longer fit theirs."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from workflows_ui.engine import NotFound
from workflows_ui.kit import flow_facts
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row, Text, id_at, sole_id
from workflows_ui.models import LaunchForm, Role
from workflows_ui.resources import flow_pages, form_fit
from workflows_ui.resources.flow_reading import name_of, trigger_of
from workflows_ui.services import launch_forms

_FOR = 60
_NAME, _STARTS = "launchable", "flow-starts"


@dataclass(frozen=True)
class Listed:
    """Flows that can be launched, as (id, name).

    Attributes:
        notice: what is to be said about the list, "" for nothing.
        misfits: flows, of any start, whose published form no longer fits what they read; told to builders only.
        long: whether it took more than one call to learn.
    """

    flows: tuple[tuple[str, str], ...]
    notice: Text = ""
    misfits: tuple[tuple[str, str], ...] = ()
    long: bool = False


def of(caller: Caller, *, again: bool = False) -> Listed:
    """The flows as they are now: one call for each hundred that are on. `again` is for a look that goes on from an earlier one, by a
    search or to the next page, and takes what is a minute old at most; so does every look at a long list. Raises EngineError."""
    builder = caller.allows(Role.BUILDER)
    name = f"{_NAME}:{builder}"
    nothing: Listed | None = None
    known = caller.known(name, nothing)
    if known is not None and (again or known.long):
        return known
    caller.forget(name)
    return caller.remember(name, _FOR, lambda: _ask(caller, check=builder))


def starts(caller: Caller) -> Mapping[str, str]:
    """How the flows that are on start (flow_facts.Facts.start), by id, as far as it was learnt within the last minutes."""
    nothing: Mapping[str, str] = {}
    return caller.known(_STARTS, nothing)


def plain(text: str) -> str:
    """A text as it is searched and sorted by: without case and accents."""
    parts = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _ask(caller: Caller, *, check: bool) -> Listed:
    forms = {row.flow_id: row for row in launch_forms.all_published(caller.workspace)} if check else {}
    keep = partial(_kept, forms)
    asked = flow_pages.Asked(status="ENABLED", live=True)
    try:
        rows, notice = flow_pages.whole(caller, asked, keep)
    except NotFound:  # one that is on and was never published: then the engine gives none of them (api.md 6.4)
        rows, notice = flow_pages.whole(caller, flow_pages.Asked(status="ENABLED"), keep)
    found = {row["id"]: row for row in rows if row["id"]}
    caller.forget(_STARTS)
    caller.remember(_STARTS, 5 * _FOR, lambda: {key: row["start"] for key, row in found.items()})
    return Listed(
        tuple(
            (key, row["name"]) for key, row in found.items() if row["published"] and row["start"] in flow_facts.LAUNCHED
        ),
        notice,
        tuple((key, row["name"]) for key, row in found.items() if row["misfit"]),
        len(rows) > flow_pages.AT_ONCE,
    )


def _kept(forms: Mapping[str, LaunchForm], row: Row) -> dict[str, Any]:
    key = id_at(row)
    form = forms.get(key)
    return {
        "id": sole_id(key),
        "name": name_of(row)[:1000] or key,
        "published": bool(row.get("publishedVersionId")),
        "start": flow_facts.start_of(trigger_of(row)),
        "misfit": form is not None and form.published is not None and not form_fit.still(form.published, row),
    }

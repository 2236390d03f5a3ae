"""The flows that can be launched, by the names of their live versions; and the forms that no longer fit theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypedDict

from django.utils.translation import get_language

from workflows_ui.core.paths import sole_id
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.engine_objects.flows import Flow
from workflows_ui.flows import pages, story
from workflows_ui.flows.reading import name_of, trigger_of
from workflows_ui.launch_forms import form_fit
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launches import flow_facts
from workflows_ui.members.models import Role
from workflows_ui.resource_admin.resource import Row, Text, id_at

_FOR = 60
_NAME, _STARTS = "launchable-flows", "flow-starts"


@dataclass(frozen=True)
class Listed:
    """Flows that can be launched, as (id, name).

    Attributes:
        notice: a message about the list, "" for none.
        misfits: flows, of any trigger, whose published form no longer fits what they read; shown to builders only.
        long: whether more than one call was needed.
        folders: the id of the folder of each flow that is in one.
        steps: what the steps of each flow do, in one line.
    """

    flows: tuple[tuple[str, str], ...]
    notice: Text = ""
    misfits: tuple[tuple[str, str], ...] = ()
    long: bool = False
    folders: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)


def launchable_flows(session: EngineSession, *, again: bool = False) -> Listed:
    """One call per hundred flows that are on. With `again` (a search, a next page) a minute old, a long list always. Raises EngineError."""
    builder = session.allows(Role.BUILDER)
    name = f"{_NAME}:{builder}:{get_language()}"
    nothing: Listed | None = None
    known = session.known(name, nothing)
    if known is not None and (again or known.long):
        return known
    session.forget(name)
    return session.remember(name, _FOR, lambda: _load(session, check=builder))


def starts(session: EngineSession) -> Mapping[str, str]:
    """How the flows that are on start (flow_facts.Facts.start), by id, as learnt within the last minutes."""
    nothing: Mapping[str, str] = {}
    return session.known(_STARTS, nothing)


def _load(session: EngineSession, *, check: bool) -> Listed:
    forms = {row.flow_id: row for row in launch_forms.all_published(session.workspace)} if check else {}
    reduce = partial(_reduced, forms)
    try:
        rows, notice = pages.whole(session, pages.Filters(status="ENABLED", live=True), reduce)
    except NotFound:  # One that is on and was never published: then the engine gives none of them (api.md 6.4).
        rows, notice = pages.whole(session, pages.Filters(status="ENABLED"), reduce)
    flows_by_id = {row["id"]: row for row in rows if row["id"]}
    session.forget(_STARTS)
    session.remember(_STARTS, 5 * _FOR, lambda: {key: row["start"] for key, row in flows_by_id.items()})
    launched = [row for row in flows_by_id.values() if row["published"] and row["start"] in flow_facts.LAUNCHED]
    return Listed(
        tuple((row["id"], row["name"]) for row in launched),
        notice,
        tuple((row["id"], row["name"]) for row in flows_by_id.values() if row["misfit"]),
        len(rows) > pages.AT_ONCE,
        {row["id"]: row["folder"] for row in launched if row["folder"]},
        {row["id"]: row["steps"] for row in launched if row["steps"]},
    )


class _Reduced(TypedDict):
    """What is needed of a flow."""

    id: str
    name: str
    published: bool
    start: flow_facts.Start
    misfit: bool
    folder: str
    steps: str


def _reduced(forms: Mapping[str, LaunchForm], row: Row) -> _Reduced:
    key = id_at(row)
    form, trigger, flow = forms.get(key), trigger_of(row), Flow(row)
    start = flow_facts.start_of(trigger)
    return {
        "id": sole_id(key),
        "name": name_of(row)[:1000] or key,
        "published": flow.is_published,
        "start": start,
        "misfit": form is not None and form.published is not None and not form_fit.still_fits(form.published, row),
        "folder": flow.folder_id,
        "steps": story.in_short(trigger) if start in flow_facts.LAUNCHED else "",
    }

"""A flow's latest results, for its row in the list: the project's newest runs, and launches without a run."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.launches.models import Launch
from workflows_ui.resources.cached import cached
from workflows_ui.resources.places import run_url
from workflows_ui.web import formats, messages
from workflows_ui.web.paths import dicts_at, text_at

_RUNS, _LAUNCHES, _SHOWN = 100, 200, 5


@dataclass(frozen=True)
class Outcome:
    """One run, or a launch without one: its state, its time, and its page ("" for none)."""

    state: Badge
    at: datetime.datetime
    url: str

    @property
    def when(self) -> str:
        """How long ago, for a page."""
        return formats.relative(self.at)

    def __str__(self) -> str:
        """With the day and time, for exports."""
        return f"{self.state.word} ({formats.exact(self.at, seconds=False)})"


@dataclass(frozen=True)
class Results:
    """The newest outcome, and earlier ones, newest first."""

    newest: Outcome
    before: tuple[Outcome, ...]

    def __str__(self) -> str:
        """All of them as text, newest first, for exports."""
        return "; ".join(str(item) for item in (self.newest, *self.before))


def latest(session: EngineSession, flow_ids: Sequence[str]) -> dict[str, Results]:
    """Results by flow. The project's newest hundred runs, at most a minute old, are the one call; a quick session does
    without if they are not cached, and so does the page if the engine refuses them. Flows that ran long ago have none.
    """
    slug, wanted_ids = session.workspace.slug, set(flow_ids)
    outcomes_by_flow: dict[str, list[Outcome]] = {}
    run_ids = set()
    for flow, run, status, created in _runs(session):
        run_ids.add(run)
        if flow in wanted_ids and (outcome := _outcome(messages.run_state(status), created, run_url(slug, run))):
            outcomes_by_flow.setdefault(flow, []).append(outcome)
    launches = Launch.objects.filter(workspace=session.workspace, flow_id__in=wanted_ids).order_by("-asked_at")
    for launch in launches.defer("payload", "answer", "failure", "technical")[:_LAUNCHES]:
        if launch.run_id and launch.run_id in run_ids:
            continue
        outcome = _outcome(messages.launch_badge(launch), launch.asked_at, reverse("launch", args=[slug, launch.pk]))
        if outcome:
            outcomes_by_flow.setdefault(launch.flow_id, []).append(outcome)
    return {flow: _newest(outcomes) for flow, outcomes in outcomes_by_flow.items()}


def _newest(outcomes: Sequence[Outcome]) -> Results:
    first, *rest = sorted(outcomes, key=lambda item: item.at, reverse=True)[:_SHOWN]
    return Results(first, tuple(rest))


def _outcome(state: Badge, moment: object, url: str) -> Outcome | None:
    time = formats.moment(moment)
    return Outcome(state, time, url) if time else None


@cached("flow-results", 60, [], optional=True)
def _runs(session: EngineSession) -> list[tuple[str, str, str, str]]:
    """(flow, run, state, created) of the newest runs."""
    rows = dicts_at(session.workflows.list_runs(limit=_RUNS), "data")
    return [
        (text_at(row, "flowId"), text_at(row, "id"), text_at(row, "status"), text_at(row, "created")) for row in rows
    ]

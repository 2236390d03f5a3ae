"""How a flow's latest runs ended, for its row in the list: from the project's newest runs, and from launches that led to none."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from workflows_ui.kit import show, words
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Column
from workflows_ui.models import Launch
from workflows_ui.resources.flow_reading import REFUSALS
from workflows_ui.resources.places import run_url

_RUNS, _LAUNCHES, _FOR, _SHOWN = 100, 200, 60, 5


@dataclass(frozen=True)
class Outcome:
    """One run, or a launch without one: its state, when it was, and its page ("" for none)."""

    state: words.StateWord
    at: datetime.datetime
    url: str

    @property
    def when(self) -> str:
        """How long ago, for a page."""
        return show.relative(self.at)

    def __str__(self) -> str:
        """With the day and time: what a file holds."""
        return f"{self.state.word} ({show.exact(self.at, seconds=False)})"


@dataclass(frozen=True)
class Results:
    """The newest outcome, and those before it, newest first."""

    newest: Outcome
    before: tuple[Outcome, ...]

    def __str__(self) -> str:
        """All of them in words, newest first: what a file holds."""
        return "; ".join(str(one) for one in (self.newest, *self.before))


@dataclass(frozen=True)
class ResultsColumn(Column):
    """A column whose value is Results, or None."""

    @property
    def template(self) -> str:
        """The newest in words, the others as icons with their words beside them for those who cannot see."""
        return "flows/results.html"


def latest(caller: Caller, flow_ids: Sequence[str]) -> dict[str, Results]:
    """Results by flow. The project's newest hundred runs, at most a minute old, are the one call; a quick caller does without
    where they are not remembered, and so does the page where the engine refuses them. Flows that ran long ago have none."""
    slug, wanted = caller.workspace.slug, set(flow_ids)
    found: dict[str, list[Outcome]] = {}
    told = set()
    for flow, run, status, created in _runs(caller):
        told.add(run)
        if flow in wanted and (outcome := _outcome(words.run_state(status), created, run_url(slug, run))):
            found.setdefault(flow, []).append(outcome)
    launches = Launch.objects.filter(workspace=caller.workspace, flow_id__in=wanted).order_by("-asked_at")
    for key, flow, run, state, asked in launches.values_list("pk", "flow_id", "run_id", "state", "asked_at")[
        :_LAUNCHES
    ]:
        if run and run in told:
            continue
        outcome = _outcome(words.launch_state(state), asked, reverse("launch", args=[slug, key]))
        if outcome:
            found.setdefault(flow, []).append(outcome)
    return {flow: _newest(outcomes) for flow, outcomes in found.items()}


def _newest(outcomes: Sequence[Outcome]) -> Results:
    first, *rest = sorted(outcomes, key=lambda one: one.at, reverse=True)[:_SHOWN]
    return Results(first, tuple(rest))


def _outcome(state: words.StateWord, moment: object, url: str) -> Outcome | None:
    found = show.moment(moment)
    return Outcome(state, found, url) if found else None


def _runs(caller: Caller) -> list[tuple[str, str, str, str]]:
    """(flow, run, state, created) of the newest runs."""

    def ask() -> list[tuple[str, str, str, str]]:
        try:
            rows = caller.workflows.list_runs(limit=_RUNS).get("data") or []
        except REFUSALS:
            return []
        keys = ("flowId", "id", "status", "created")
        listed = [row for row in rows if isinstance(row, Mapping)]
        values = [tuple(row.get(key) if isinstance(row.get(key), str) else "" for key in keys) for row in listed]
        return [(str(flow), str(run), str(status), str(created)) for flow, run, status, created in values]

    nothing: list[tuple[str, str, str, str]] = []
    return caller.decorate(nothing, "flow-results", _FOR, ask)

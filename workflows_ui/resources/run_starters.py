"""What started a run: a launch of ours, another run, the clock, something elsewhere; and nothing where that is not known."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from workflows_ui.kit import flow_facts
from workflows_ui.kit.resource import Row, id_at, pick
from workflows_ui.models import Launch, Workspace
from workflows_ui.resources.places import run_url

#: The key under which a row of the list says what started it.
KEY = "startedBy"
#: What starts a flow by itself, by flow_facts.Facts.start. A call from outside may be anybody's: nothing is said about it.
BY_ITSELF: Mapping[str, str | Promise] = {
    "schedule": gettext_lazy("The clock"),
    "form": gettext_lazy("A form"),
    "event": gettext_lazy("Something elsewhere"),
}
ANOTHER_RUN = gettext_lazy("Another run")


def launches_of(workspace: Workspace, runs: Sequence[Row]) -> dict[str, Launch]:
    """The launches that led to these runs, by run id: one query. A launch is known by the run it found, or by its marker."""
    ids = [key for run in runs if (key := id_at(run))]
    markers = [key for run in runs if (key := id_at(run, "parentRunId"))]
    if not ids:
        return {}
    found = list(
        Launch.objects.filter(Q(run_id__in=ids) | Q(pk__in=markers), workspace=workspace)
        .select_related("user")
        .defer("payload", "answer", "failure", "technical")
        .order_by("asked_at")
    )
    by_marker, by_run = {launch.pk: launch for launch in found}, {launch.run_id: launch for launch in found}
    together = ((run, by_run.get(id_at(run)) or by_marker.get(id_at(run, "parentRunId"))) for run in runs)
    return {id_at(run): launch for run, launch in together if launch is not None}


def named(workspace: Workspace, runs: Sequence[Row], starts: Mapping[str, str]) -> list[Row]:
    """The rows, each with what started it under KEY. `starts` says for a flow's id how it starts (flow_facts.Facts.start)."""
    launches = launches_of(workspace, runs)
    return [{**run, KEY: _of(workspace.slug, run, launches.get(id_at(run)), starts)} for run in runs]


def _of(slug: str, run: Row, launch: Launch | None, starts: Mapping[str, str]) -> dict[str, str] | None:
    if launch is not None:
        return {"name": launch.user.label[:60], "url": reverse("launch", args=[slug, launch.pk])}
    parent = id_at(run, "parentRunId")
    if parent:
        return {"name": str(ANOTHER_RUN), "url": run_url(slug, parent)}
    by_itself = BY_ITSELF.get(starts.get(id_at(run, "flowId"), ""))
    return {"name": str(by_itself), "url": ""} if by_itself else None


def by_itself(trigger: Any) -> str | Promise:
    """What starts a flow with this trigger, in words; "" where that may be anybody."""
    return BY_ITSELF.get(flow_facts.start_of(trigger), "")


def name_of(run: Row) -> str:
    """What started the row's run, in words."""
    return str(pick(run, f"{KEY}.name") or "")


def url_of(_slug: str, run: Row) -> str:
    """The page of what started the row's run."""
    return str(pick(run, f"{KEY}.url") or "")

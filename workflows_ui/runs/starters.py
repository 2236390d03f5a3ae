"""What started a run: a launch of the console, another run, a schedule, something elsewhere; or unknown."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from workflows_ui.core.paths import text_at
from workflows_ui.core.prepared import Prepared
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import Launch, RunRetry
from workflows_ui.launches.services import run_search
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin.places import launch_url, run_url
from workflows_ui.resource_admin.resource import Row, id_at

#: The key of a list's row for what started it.
KEY = "startedBy"
#: Automatic triggers of a flow, by flow_facts.Facts.start. A call from outside may be anybody's: it is not listed.
AUTOMATIC: Mapping[str, str | Promise] = {
    "schedule": gettext_lazy("A schedule"),
    "form": gettext_lazy("A form"),
    "event": gettext_lazy("Something elsewhere"),
}
ANOTHER_RUN = gettext_lazy("Another run")
A_RETRY = gettext_lazy("A retry of another run")


class RelatedLaunch(NamedTuple):
    """What pages of runs show of a launch, and what decides on it."""

    pk: str
    run_id: str
    secret_marks: list[object]
    user_id: int
    username: str
    first_name: str
    last_name: str

    @property
    def person(self) -> str:
        """The launcher's name (User.label)."""
        return f"{self.first_name} {self.last_name}".strip() or self.username


_retries = Prepared(
    lambda workspace, ids: (
        RunRetry.objects.filter(workspace=workspace, new_run_id__in=ids, launch__isnull=False)
        .order_by("pk")
        .values_list("new_run_id", "launch_id")
    ),
    int,
    [str],
)
_launches = Prepared(
    lambda workspace, ids: (
        Launch.objects.filter(Q(run_id__in=ids) | Q(pk__in=ids), workspace=workspace)
        .order_by("asked_at")
        .values_list("pk", "run_id", "secret_marks", "user_id", "user__username", "user__first_name", "user__last_name")
    ),
    int,
    [str],
)


def launches_of(session: EngineSession, rows: Sequence[Row]) -> dict[str, RelatedLaunch]:
    """The launches that led to these runs, by run id. A launch is identified by the run it found or, while it has found none, by its
    marker: a run that was retried on the latest version may still have the marker, and is not the launch's.
    """
    found = related_launches(session, rows)
    by_marker = {launch.pk: launch for launch in found if not launch.run_id}
    by_run = {launch.run_id: launch for launch in found}
    together = ((run, by_run.get(id_at(run)) or by_marker.get(id_at(run, "parentRunId"))) for run in rows)
    return {id_at(run): launch for run, launch in together if launch is not None}


def related_ids(run: Row) -> set[str]:
    """Its own id, that of the run that started it, and the launch's marker, which a retry has in its headers only."""
    marker = Run(run).trigger.header(run_search.HEADER)
    return {key for key in (id_at(run), id_at(run, "parentRunId"), marker) if key}


def retried_launches(session: EngineSession, rows: Sequence[Row]) -> dict[str, str]:
    """The keys of the launches of which these runs are retries on the latest version, by run id: such a run has the launch's inputs, but
    neither its id nor, in lists, its marker. One query for a page.
    """
    ids = sorted(filter(None, map(id_at, rows)))

    def read() -> dict[str, str]:
        return dict(_retries(session.workspace.pk, ids))

    return session.once(f"retries {ids}", read) if ids else {}


def related_launches(session: EngineSession, rows: Sequence[Row]) -> list[RelatedLaunch]:
    """The launches with the ids or markers of these runs or of those that they repeat, with their people's names and nothing large. Two
    queries for a page.
    """
    ids = sorted(set(retried_launches(session, rows).values()).union(*map(related_ids, rows)))

    def read() -> list[RelatedLaunch]:
        return [RelatedLaunch(*row) for row in _launches(session.workspace.pk, ids)]

    return session.once(f"launches {ids}", read) if ids else []


def is_from_launch(workspace: Workspace, run: Row) -> bool:
    """Whether a launch led to this run, or to the run that it repeats. Two queries."""
    retried = dict(_retries(workspace.pk, [id_at(run)]))
    return bool(_launches(workspace.pk, sorted({*related_ids(run), *retried.values()})))


def with_starters(session: EngineSession, rows: Sequence[Row], starts: Mapping[str, str]) -> list[Row]:
    """The rows, each with what started it under KEY. `starts` is how each flow starts, by its id (flow_facts)."""
    led = launches_of(session, rows)
    retried = {launch.pk: launch.run_id for launch in related_launches(session, rows) if launch.run_id}
    return [{**run, KEY: _starter(session, run, led.get(id_at(run)), starts, retried)} for run in rows]


def _starter(
    session: EngineSession,
    run: Row,
    launch: RelatedLaunch | None,
    starts: Mapping[str, str],
    retried: Mapping[str, str],
) -> dict[str, str] | None:
    slug = session.workspace.slug
    if launch is not None:
        return {"name": launch.person[:60], "url": launch_url(session, launch)}
    parent = id_at(run, "parentRunId")
    if parent in retried:
        return {"name": str(A_RETRY), "url": run_url(slug, retried[parent])}
    if parent:
        return {"name": str(ANOTHER_RUN), "url": run_url(slug, parent)}
    automatic = AUTOMATIC.get(starts.get(id_at(run, "flowId"), ""))
    return {"name": str(automatic), "url": ""} if automatic else None


def name_of(run: Row) -> str:
    return text_at(run, f"{KEY}.name")


def url_of(_slug: str, run: Row) -> str:
    return text_at(run, f"{KEY}.url")

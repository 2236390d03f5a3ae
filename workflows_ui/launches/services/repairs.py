"""Runs that were started again through the console: the links between the old run, the new one and the launch, and the news for the
launcher that a failed launch was repaired.

A run retried from its failed step keeps its id; on the latest version a new run is made, which no launch would find.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Q
from django.urls import reverse

from workflows_ui.accounts.models import User
from workflows_ui.core import clock, database
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients
from workflows_ui.engine import AddressRefused, Client, EngineError
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.models import UNDER_WAY, WENT_WRONG, Launch, RunRetry, State
from workflows_ui.launches.services import run_search, runs
from workflows_ui.members.models import Workspace
from workflows_ui.members.services import access
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind

log = structlog.get_logger(__name__)

#: Pauses between two looks at a run that was started again: a tenth of its age, within these limits.
SHORTEST, LONGEST = timedelta(seconds=3), timedelta(minutes=10)
#: A run is looked at no longer than this: a pause may last 30 days.
AT_MOST = timedelta(days=31)


def record(workspace: Workspace, user_id: int, run_id: str, new_run_id: str) -> None:
    """Record that a person started a run again, as `new_run_id` or, from its failed step, as itself."""
    if not run_id or not new_run_id:
        return
    now = clock.now()
    launch = _launch_of(workspace, run_id)
    # Where a retry is found later, its run may have reopened the launch already.
    wrong = (*WENT_WRONG, *UNDER_WAY) if run_id == new_run_id else WENT_WRONG
    failed = launch is not None and launch.state in wrong
    RunRetry.objects.create(
        workspace=workspace,
        user_id=user_id,
        launch=launch,
        run_id=run_id[:64],
        new_run_id=new_run_id[:64],
        asked_at=now,
        poll_at=now + SHORTEST if failed else None,
    )


def _launch_of(workspace: Workspace, run_id: str) -> Launch | None:
    """The launch of a run, or of the run that it is itself a retry of."""
    launch = Launch.objects.filter(workspace=workspace, run_id=run_id).first()
    if launch is None:
        earlier = RunRetry.objects.filter(workspace=workspace, new_run_id=run_id).select_related("launch")
        launch = next((retry.launch for retry in earlier.order_by("-pk")[:1]), None)
    return launch


def retries_of(workspace_id: int, run_ids: Iterable[str]) -> list[RunRetry]:
    """The new runs that were made of these runs, and the runs that these were made of, oldest first."""
    known = list(run_ids)
    found = RunRetry.objects.filter(Q(run_id__in=known) | Q(new_run_id__in=known), workspace=workspace_id)
    found = found.select_related("user", "launch").defer("launch__answer", "launch__failure", "launch__payload")
    return [retry for retry in found.order_by("pk")[:100] if retry.run_id != retry.new_run_id]


def new_runs(workspace_id: int, run_ids: Iterable[str]) -> dict[str, str]:
    """The newest run that was made of each of these runs, by its id."""
    found = RunRetry.objects.filter(workspace=workspace_id, run_id__in=list(run_ids)).exclude(new_run_id=F("run_id"))
    return dict(found.order_by("pk").values_list("run_id", "new_run_id"))


def retries_of_launch(launch: Launch) -> list[RunRetry]:
    """The latest retries of a launch's run, oldest first; one from the failed step keeps the run."""
    return list(RunRetry.objects.filter(launch=launch).select_related("user").order_by("-pk")[:20])[::-1]


def successful_retry(launch: Launch, retries: Iterable[RunRetry]) -> RunRetry | None:
    """The one of a launch's retries that is known to have succeeded: the launcher is notified of it. None if none has."""
    keys = {_key(retry): retry for retry in retries}
    delivered = notifications.delivered_keys([launch.user], keys)
    return next((retry for key, retry in keys.items() if (launch.user_id, key) in delivered), None)


def _key(retry: RunRetry) -> str:
    return f"launch:{retry.launch_id}:repaired:{retry.pk}"


def due() -> list[int]:
    """Ids of the workspaces with a run to look at now."""
    rows = RunRetry.objects.filter(poll_at__lte=clock.now()).order_by()
    return sorted(set(rows.values_list("workspace_id", flat=True)))


def poll(workspace_id: int) -> None:
    """Look at the runs of failed launches that were started again, and tell the launcher of those that succeeded. Safe to call any number
    of times: a look is taken by one conditional update, and a notification has a key.
    """
    with database.turn():
        now = clock.now()
        retries = [
            retry
            for retry in RunRetry.objects.filter(workspace_id=workspace_id, poll_at__lte=now)
            .select_related("workspace", "user", "launch__user", "launch__workspace")
            .order_by("poll_at")[: run_search.IDS]
            if RunRetry.objects.filter(pk=retry.pk, poll_at=retry.poll_at).update(poll_at=_next_look(retry, now))
        ]
        by_launcher = _by_launcher(retries)
    for client, own in by_launcher:
        ids = sorted({retry.new_run_id for retry in own})
        try:
            found = [Run(row) for row in client.workflows.list_runs(limit=len(ids), flow_run_ids=ids)["data"]]
        except EngineError as problem:
            log.info("repairs.not_read", workspace=workspace_id, error=type(problem).__name__)
            continue
        states = {run.id: runs.state(run) for run in found if runs.ended(run)}
        with database.turn():
            _apply(own, states)


def _apply(retries: Iterable[RunRetry], states: Mapping[str, State]) -> None:
    for retry in retries:
        state = states.get(retry.new_run_id)
        if state is None:
            continue
        if state == State.SUCCEEDED and retry.launch is not None:
            _notify(retry, retry.launch)
        RunRetry.objects.filter(pk=retry.pk).update(poll_at=None)


def _notify(retry: RunRetry, launch: Launch) -> None:
    try:
        access.access_for(launch.user, launch.workspace.slug)
    except access.NoAccess:
        return
    by: User = retry.user
    notifications.notify(
        launch.user,
        NoticeKind.LAUNCH_REPAIRED,
        _key(retry),
        url=reverse("launch", args=[launch.workspace.slug, launch.pk]),
        workspace=launch.workspace,
        flow=(launch.flow_name or launch.flow_id)[:200],
        by=by.label[:100] if by.pk != launch.user_id else "",
    )


def _next_look(retry: RunRetry, now: datetime) -> datetime | None:
    age = now - retry.asked_at
    return now + min(max(age / 10, SHORTEST), LONGEST) if age < AT_MOST else None


def _by_launcher(retries: Iterable[RunRetry]) -> list[tuple[Client, list[RunRetry]]]:
    """The retries of each launcher with the client that acts for them now, so that nobody is notified of what their credential does not
    show. Those without a launch, of which nobody is notified, are with the first.
    """
    by_user: dict[int | None, list[RunRetry]] = {}
    for retry in retries:
        by_user.setdefault(retry.launch.user_id if retry.launch else None, []).append(retry)
    found: list[tuple[Client, list[RunRetry]]] = []
    for launch in [own[0].launch for own in by_user.values()]:
        if launch is None:
            continue
        try:
            person = access.access_for(launch.user, launch.workspace.slug)
            client = clients.client_for_person(person.user, person.workspace)[0]
            found.append((client, by_user[launch.user_id]))
        except (access.NoAccess, clients.NoCredential, CannotOpen, AddressRefused, ValueError) as problem:
            log.info("repairs.no_client", error=type(problem).__name__)
    if found:
        found[0][1].extend(by_user.get(None, ()))
    return found

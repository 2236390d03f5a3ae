"""Causes of failures in notices. They are looked up when a notice is shown or sent, and never stored with it: who reads a notification may
open the launch or run at that time, and secrets are masked as on its page.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

import structlog

from workflows_ui.accounts.models import User
from workflows_ui.core import redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session, sharing
from workflows_ui.engine import AddressRefused, EngineError
from workflows_ui.launches.failures.reasons import FailureReason
from workflows_ui.launches.models import State
from workflows_ui.launches.page import LaunchPage
from workflows_ui.launches.services import launches, runs
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access as member_access
from workflows_ui.members.services.access import Access
from workflows_ui.notifications.models import Notice, NoticeKind
from workflows_ui.resource_admin.places import repair_url
from workflows_ui.run_index.models import LISTED, IndexedRun
from workflows_ui.run_index.services import indexes, rows as indexed_rows
from workflows_ui.runs import masking, starters
from workflows_ui.runs.panels import reason_of

log = structlog.get_logger(__name__)
_FAILURES = {NoticeKind.LAUNCH_ENDED, NoticeKind.FLOW_FAILED}
_KINDS = {NoticeKind.LAUNCH_ENDED, NoticeKind.FLOW_FAILED, NoticeKind.NOTE}


def find_causes(
    person: User, notices: Sequence[Notice], *, closed: Collection[int] = (), engine_reads: int = 0
) -> Mapping[int, FailureReason]:
    """The causes of the failures among a person's notices, by the notice's primary key.

    A notice is left out if the person may not open the launch or run now, or if the workspace leaves causes out.

    Args:
        closed: primary keys of workspaces whose contents must not be shown.
        engine_reads: how many runs that the run index does not have are read from the engine, with the person's credential.
    """
    by_workspace: dict[int, tuple[Workspace, list[Notice]]] = {}
    for row in notices:
        if row.kind in _KINDS and row.workspace is not None and row.workspace.pk not in closed:
            by_workspace.setdefault(row.workspace.pk, (row.workspace, []))[1].append(row)
    found: dict[int, FailureReason] = {}
    for workspace, rows in by_workspace.values():
        try:
            access = member_access.access_for(person, workspace.slug)
        except member_access.NoAccess:
            continue
        if access.workspace.causes_in_notices:
            found |= _of_launches(access, _by_object(rows, "launch"))
            of_runs = _by_object(rows, "run")
            found |= _of_runs(access, of_runs, engine_reads)
            engine_reads = max(0, engine_reads - len(of_runs))
    return found


def find_repairs(person: User, notices: Sequence[Notice], *, closed: Collection[int] = ()) -> Mapping[int, str]:
    """The paths of the pages that repair what failed, by the primary key of the notice: for builders.

    Args:
        closed: primary keys of workspaces whose contents must not be shown.
    """
    found: dict[int, str] = {}
    for row in notices:
        if row.kind not in _FAILURES or row.workspace is None or row.workspace.pk in closed:
            continue
        try:
            access = member_access.access_for(person, row.workspace.slug)
        except member_access.NoAccess:
            continue
        if url := repair_url(access, _failed_run(access, row)):
            found[row.pk] = url
    return found


def _failed_run(access: Access, notice: Notice) -> str:
    """The id of the failed run that a notice is about; "" without one."""
    about = notice.about if isinstance(notice.about, dict) else {}
    if run_id := about.get("run"):
        return str(run_id) if notice.kind == NoticeKind.FLOW_FAILED else ""
    launch = launches.visible_launches(access).filter(pk=str(about.get("launch") or ""), state=State.FAILED).first()
    return LaunchPage(launch, access).repair_url and launch.run_id if launch is not None else ""


def find_alarm_causes(person: User, notice: Notice, runs_by_alarm: Sequence[str]) -> Mapping[int, FailureReason]:
    """The causes of the latest failed runs of a notice's alarms, by the alarm's position; as `find_causes`, without reading the engine.

    Args:
        runs_by_alarm: for each alarm the engine's id of the run; "" for none.
    """
    if notice.workspace is None or not any(runs_by_alarm):
        return {}
    try:
        access = member_access.access_for(person, notice.workspace.slug)
    except member_access.NoAccess:
        return {}
    keys: dict[str, list[int]] = {}
    for position, run_id in enumerate(runs_by_alarm):
        if run_id:
            keys.setdefault(run_id, []).append(position)
    return _of_runs(access, keys, 0) if access.workspace.causes_in_notices else {}


def latest_cause(workspace: Workspace, flow_id: str) -> FailureReason | None:
    """The cause of a flow's latest failed run in the run index: for channels, whose readers are not known.

    None without such a run, if a launch led to it (its message may repeat inputs in any form), if the index's credential is not shared
    any more, or if the workspace leaves causes out.
    """
    index = indexes.index_of(workspace)
    if not workspace.causes_in_notices or index is None or index.credential is None or index.moves != workspace.moves:
        return None
    if not sharing.genuine(credential=index.credential_id):
        return None
    failed = IndexedRun.objects.filter(LISTED, workspace=workspace, flow_id=flow_id, status__in=runs.FAILED)
    row = failed.order_by("-created", "-pk").first()
    if row is None:
        return None
    run = indexed_rows.to_engine(row)
    return None if starters.is_from_launch(workspace, run) else reason_of(redaction.step(run))


def _by_object(rows: Iterable[Notice], name: str) -> dict[str, list[int]]:
    """The primary keys of notices by the id that they have under `name`."""
    keys: dict[str, list[int]] = {}
    for row in rows:
        value = row.about.get(name) if isinstance(row.about, dict) else None
        if isinstance(value, str) and value:
            keys.setdefault(value, []).append(row.pk)
    return keys


def _of_launches(access: Access, keys: Mapping[str, Sequence[int]]) -> dict[int, FailureReason]:
    if not keys:
        return {}
    visible = launches.visible_launches(access).filter(pk__in=keys, state=State.FAILED).select_related("workspace")
    found: dict[int, FailureReason] = {}
    for launch in visible.defer("payload", "answer", "technical"):
        if (reason := LaunchPage(launch, access).reason) is not None:
            found |= dict.fromkeys(keys[launch.pk], reason)
    return found


def _of_runs(access: Access, keys: Mapping[str, Sequence[int]], engine_reads: int) -> dict[int, FailureReason]:
    if not keys or not access.allows(Role.VIEWER) or not access.sees("runs"):
        return {}
    index = indexes.for_access(access)
    known = {}
    if index is not None:
        stored = IndexedRun.objects.filter(LISTED, workspace_id=index.pk, run_id__in=keys)
        known = {row.run_id: indexed_rows.to_engine(row) for row in stored}
    try:
        session = engine_session.open_session(access)
        for run_id in [key for key in keys if key not in known][:engine_reads]:
            known[run_id] = session.workflows.get_run(run_id)
        shown = masking.masked(session, list(known.values()))
    except (EngineError, clients.NoCredential, CannotOpen, AddressRefused) as problem:
        log.info("notices.no_cause", workspace=access.workspace.pk, error=type(problem).__name__)
        return {}
    found: dict[int, FailureReason] = {}
    for run_id, run in zip(known, shown, strict=True):
        if (reason := reason_of(run)) is not None:
            found |= dict.fromkeys(keys[run_id], reason)
    return found

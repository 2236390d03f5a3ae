"""The sample data a practice engine starts with: a trading company, its flows, and two weeks of runs."""

from __future__ import annotations

import copy
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from workflows_ui.practice_engine import ids, tree, validity
from workflows_ui.practice_engine.accounts import ANH, HOA_SEN_PROJECT, SAO_MAI_PROJECT
from workflows_ui.practice_engine.http import Json
from workflows_ui.practice_engine.operations import refresh
from workflows_ui.practice_engine.schedules import schedule_of

from .flows import BY_SLUG, ELSEWHERE, FLOWS, SampleFlow

if TYPE_CHECKING:
    from workflows_ui.practice_engine.engine import PracticeEngine

DAYS = 14
__all__ = ["BY_SLUG", "FLOWS", "SampleFlow", "fill"]


def fill(engine: PracticeEngine) -> None:
    """Fill an empty engine."""
    from . import company

    for project, flows in ((SAO_MAI_PROJECT, FLOWS), (HOA_SEN_PROJECT, ELSEWHERE)):
        for number, sample in enumerate(flows):
            _flow(engine, project, sample, number)
    company.connect(engine)
    company.tabulate(engine)
    company.surround(engine)
    for sample in FLOWS + ELSEWHERE:
        _runs(engine, sample)


def _folder(engine: PracticeEngine, project: str, name: str | None) -> str | None:
    if name is None:
        return None
    identity = ids.named(f"folder {project} {name}")
    moment = ids.stamp(ids.now() - timedelta(days=90 - len(engine.state.folders)))
    row: Json = {"id": identity, "created": moment, "updated": moment, "displayName": name, "projectId": project}
    engine.state.folders.setdefault(identity, {**row, "displayOrder": 0})
    return identity


def _flow(engine: PracticeEngine, project: str, sample: SampleFlow, number: int) -> None:
    created = ids.now() - timedelta(days=80 - number, hours=number)
    edited = ids.stamp(ids.now() - timedelta(days=20 - number % 5, minutes=13 * number))
    trigger = sample.build()
    for step in tree.walk(trigger):
        validity.prepare(step, project)
    version: Json = {
        "id": ids.named(f"version {sample.slug} 1"),
        "created": ids.stamp(created),
        "updated": edited,
        "flowId": sample.id,
        "displayName": sample.name,
        "trigger": trigger,
        "valid": False,
        "agentIds": [],
        "state": "DRAFT",
        "connectionIds": [],
        "updatedBy": ANH,
        "schemaVersion": "8",
        "backupFiles": None,
    }
    refresh(version)
    version["updated"] = edited
    flow: Json = {
        "id": sample.id,
        "created": ids.stamp(created),
        "updated": edited,
        "projectId": project,
        "externalId": ids.named(f"external {sample.slug}"),
        "status": "DISABLED",
        "operationStatus": "NONE",
        "folderId": _folder(engine, project, sample.folder),
        "publishedVersionId": None,
        "metadata": {"tags": sample.tags} if sample.tags else None,
        "versionId": version["id"],
    }
    engine.state.flows[flow["id"]] = flow
    engine.state.versions[version["id"]] = version
    if sample.state != "draft":
        _publish(engine, flow, version, sample)
    if sample.payload:
        _event(engine, flow, sample)


def _publish(engine: PracticeEngine, flow: Json, version: Json, sample: SampleFlow) -> None:
    for step in tree.walk(version["trigger"]):
        if "pieceVersion" in step["settings"]:
            step["settings"]["pieceVersion"] = validity.exact(step["settings"]["pieceVersion"])
    version["state"] = "LOCKED"
    flow["publishedVersionId"] = version["id"]
    if sample.state != "disabled":
        flow |= {"status": "ENABLED", "triggerSource": {"schedule": schedule_of(version["trigger"])}}
    if sample.state == "changed":
        draft = {**copy.deepcopy(version), "id": ids.named(f"version {sample.slug} 2"), "state": "DRAFT"}
        draft |= {"displayName": f"{sample.name} (new text)", "created": flow["updated"]}
        engine.state.versions[draft["id"]] = draft
        flow["versionId"] = draft["id"]


def _event(engine: PracticeEngine, flow: Json, sample: SampleFlow) -> None:
    from workflows_ui.practice_engine.routes.webhooks import source_name

    identity = ids.named(f"event {sample.slug}")
    engine.state.events[identity] = {
        "id": identity,
        "created": flow["updated"],
        "updated": flow["updated"],
        "flowId": flow["id"],
        "projectId": flow["projectId"],
        "sourceName": source_name(engine.state.versions[flow["versionId"]]["trigger"]),
        "fileId": ids.named(f"file {sample.slug}"),
        "payload": _request(sample.payload),
    }


def _request(payload: Json) -> Json:
    return {
        "method": "POST",
        "headers": {"host": "practice.example", "user-agent": "sample", "content-type": "application/json"},
        "body": payload,
        "queryParams": {},
    }


def _runs(engine: PracticeEngine, sample: SampleFlow) -> None:
    """Runs over two weeks, the last a few minutes ago; most by day, a few of them paused or in an odd state."""
    dice = random.Random(sample.slug)  # noqa: S311  practice data, no secrets
    flow = engine.state.flows[sample.id]
    for number in range(sample.often):
        payload = (
            sample.payload if not sample.other_payloads or dice.random() < 0.8 else dice.choice(sample.other_payloads)
        )
        version = engine.state.versions[flow["publishedVersionId"]]
        start = ids.now() - timedelta(days=dice.uniform(0.02, DAYS), seconds=dice.uniform(0, 60))
        row = engine.runs.row(flow, version, _request(payload))
        row["visibleAt"] = start.timestamp()
        seconds = engine.runs.play_out(row)
        finish = start + timedelta(seconds=seconds + dice.uniform(0.03, 0.9))
        if row["status"] == "PAUSED":
            _settle(row, dice, number)
            finish += timedelta(seconds=60)
        ended = row["status"] not in ("PAUSED", "CANCELED")
        row |= {
            "created": ids.stamp(start),
            "updated": ids.stamp(finish),
            "startTime": ids.stamp(start - timedelta(milliseconds=12)),
            "finishTime": ids.stamp(finish) if ended else None,
            "logsFileId": None if row["steps"] == {} else engine.ids.new(),
            "archivedAt": ids.stamp() if number == 0 and sample.slug == "orders" else None,
        }


def _settle(row: Json, dice: random.Random, number: int) -> None:
    """What became of a paused run: still paused (waiting for a long time), cancelled, or gone on and done."""
    if number == 0:
        row["resumeAt"] = ids.stamp(ids.now() + timedelta(days=2))
        return
    if dice.random() < 0.3:
        row |= {"status": "CANCELED", "requestId": None}
        return
    row["steps"]["step_1"] |= {"status": "SUCCEEDED", "output": {"success": True}}
    row["steps"]["step_2"] = {
        "type": "CODE",
        "status": "SUCCEEDED",
        "input": {},
        "output": {"reminded": True},
        "duration": 1.4,
    }
    row |= {"status": "SUCCEEDED", "requestId": None}

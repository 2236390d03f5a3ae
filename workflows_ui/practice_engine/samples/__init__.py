"""The sample data a practice engine starts with: a trading company, its flows, and two weeks of runs."""

import copy
import random
from datetime import timedelta

from workflows_ui.practice_engine import ids, tree, validity
from workflows_ui.practice_engine.accounts import ANH
from workflows_ui.practice_engine.core import Engine
from workflows_ui.practice_engine.http import V072, Json
from workflows_ui.practice_engine.operations import refresh, set_piece_versions
from workflows_ui.practice_engine.routes import mcp
from workflows_ui.practice_engine.routes.webhooks import source_name
from workflows_ui.practice_engine.schedules import schedule_for

from .flows import SampleFlow, sample_flows
from .rows import load_rows, load_tables

DAYS = 14
__all__ = ["SampleFlow", "fill", "load_rows", "sample_flows"]


def fill(engine: Engine) -> None:
    """Add the sample data to an engine that has users and projects only."""
    for sample in sample_flows().values():
        _add_flow(engine, sample)
    load_rows(engine, "company")
    for server in engine.state.mcp_servers.values():
        server["tools"] = [mcp.new_tool(engine, server, data) for data in server["tools"]]
    load_tables(engine)
    for sample in sample_flows().values():
        _add_runs(engine, sample)


def _folder_id(engine: Engine, project: str, name: str | None) -> str | None:
    if name is None:
        return None
    identity = ids.named_id(f"folder {project} {name}")
    moment = ids.stamp(ids.now() - timedelta(days=90 - len(engine.state.folders)))
    row: Json = {"id": identity, "created": moment, "updated": moment, "displayName": name, "projectId": project}
    engine.state.folders.setdefault(identity, {**row, "displayOrder": 0})
    return identity


def _add_flow(engine: Engine, sample: SampleFlow) -> None:
    project, number = sample.project, sample.number
    created = ids.now() - timedelta(days=80 - number, hours=number)
    edited = ids.stamp(ids.now() - timedelta(days=20 - number % 5, minutes=13 * number))
    trigger = copy.deepcopy(sample.trigger)
    rules = engine.rules(V072)
    for step in tree.walk(trigger):
        validity.prepare(step, project, rules)
    version: Json = {
        "id": ids.named_id(f"version {sample.slug} 1"),
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
        "backupFiles": None,
    }
    refresh(version)
    version["updated"] = edited
    flow: Json = {
        "id": sample.id,
        "created": ids.stamp(created),
        "updated": edited,
        "projectId": project,
        "externalId": ids.named_id(f"external {sample.slug}"),
        "status": "DISABLED",
        "operationStatus": "NONE",
        "folderId": _folder_id(engine, project, sample.folder),
        "publishedVersionId": None,
        "metadata": {"tags": sample.tags} if sample.tags else None,
        "versionId": version["id"],
    }
    engine.state.flows[flow["id"]] = flow
    engine.state.versions[version["id"]] = version
    if sample.state != "draft":
        _publish(engine, flow, version, sample)
    if sample.payload:
        _add_event(engine, flow, sample)


def _publish(engine: Engine, flow: Json, version: Json, sample: SampleFlow) -> None:
    set_piece_versions(version["trigger"], validity.exact_version)
    version["state"] = "LOCKED"
    flow["publishedVersionId"] = version["id"]
    if sample.state != "disabled":
        flow |= {"status": "ENABLED", "triggerSource": {"schedule": schedule_for(version["trigger"])}}
    if sample.state == "changed":
        draft = {**copy.deepcopy(version), "id": ids.named_id(f"version {sample.slug} 2"), "state": "DRAFT"}
        draft |= {"displayName": f"{sample.name} (new text)", "created": flow["updated"]}
        engine.state.versions[draft["id"]] = draft
        flow["versionId"] = draft["id"]


def _add_event(engine: Engine, flow: Json, sample: SampleFlow) -> None:
    identity = ids.named_id(f"event {sample.slug}")
    engine.state.events[identity] = {
        "id": identity,
        "created": flow["updated"],
        "updated": flow["updated"],
        "flowId": flow["id"],
        "projectId": flow["projectId"],
        "sourceName": source_name(engine.state.versions[flow["versionId"]]["trigger"]),
        "fileId": ids.named_id(f"file {sample.slug}"),
        "payload": _trigger_output(sample, sample.payload),
    }


def _trigger_output(sample: SampleFlow, payload: Json) -> Json:
    """The values of a form as they are, else a request."""
    if sample.slug == "form":
        return payload
    return {
        "method": "POST",
        "headers": {"host": "practice.example", "user-agent": "sample", "content-type": "application/json"},
        "body": payload,
        "queryParams": {},
    }


def _add_runs(engine: Engine, sample: SampleFlow) -> None:
    """Add runs of the last two weeks, a few of them paused or canceled."""
    dice = random.Random(sample.slug)  # noqa: S311  practice data, no secrets
    flow = engine.state.flows[sample.id]
    for number in range(sample.run_count):
        payload = (
            sample.payload if not sample.other_payloads or dice.random() < 0.8 else dice.choice(sample.other_payloads)
        )
        version = engine.state.versions[flow["publishedVersionId"]]
        start = ids.now() - timedelta(days=dice.uniform(0.02, DAYS), seconds=dice.uniform(0, 60))
        row = engine.runs.add(flow, version, _trigger_output(sample, payload), version=engine.version)
        row["visibleAt"] = start.timestamp()
        seconds = engine.runs.run_at_once(row)
        finish = start + timedelta(seconds=seconds + dice.uniform(0.03, 0.9))
        if row["status"] == "PAUSED":
            _finish_paused(row, dice, number)
            finish += timedelta(seconds=60)
        ended = row["status"] not in ("PAUSED", "CANCELED")
        row |= {
            "created": ids.stamp(start),
            "updated": ids.stamp(finish),
            "startTime": ids.stamp(start - timedelta(milliseconds=12)),
            "finishTime": ids.stamp(finish) if ended else None,
            "logsFileId": engine.ids.new(),
            "archivedAt": ids.stamp() if number == 0 and sample.slug == "orders" else None,
        }


def _finish_paused(row: Json, dice: random.Random, number: int) -> None:
    """Let the first run that paused wait for two days, cancel some, and complete the others."""
    if number == 0:
        row["resumeAt"] = ids.stamp(ids.now() + timedelta(days=2))
        return
    if dice.random() < 0.3:
        row |= {"status": "CANCELED", "requestId": None}
        return
    row["steps"]["step_1"] |= {"status": "SUCCEEDED", "output": {"success": True}}
    step: Json = {"type": "CODE", "status": "SUCCEEDED", "input": {}, "output": {"reminded": True}, "duration": 1.4}
    row["steps"]["step_2"] = step
    row |= {"status": "SUCCEEDED", "requestId": None}

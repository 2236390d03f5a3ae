"""The sample data a practice engine starts with: a trading company, its flows, and two weeks of runs."""

import copy
import random
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from practice_engine import ids, subflows, tree, validity
from practice_engine.accounts import ANH, SAO_MAI_PROJECT
from practice_engine.code_steps import Call
from practice_engine.core import Engine
from practice_engine.http import V072, Json, map_texts
from practice_engine.routes import flows, mcp, records, tables
from practice_engine.routes.webhooks import add_event
from practice_engine.state import read_data

DAYS = 14
#: Kinds of rows without times.
UNDATED = ("organizations", "automations")


@dataclass
class SampleFlow:
    """One sample flow, the one with this ``number`` in its project. Its id follows from ``slug`` and never changes.

    ``payload`` is what one would launch it with. ``state``: live, disabled, draft (never published) or changed (with
    unpublished changes). ``run_count`` runs started within the last two weeks.
    """

    project: str
    number: int
    slug: str
    name: str
    folder: str | None
    trigger: Json
    payload: Json
    state: str = "live"
    tags: list[str] = field(default_factory=list)
    run_count: int = 0
    other_payloads: list[Json] = field(default_factory=list)
    notes: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        return ids.named_id(f"flow {self.slug}")


@cache
def sample_flows() -> dict[str, SampleFlow]:
    """The flows of both companies by slug, made once per process."""
    companies = map_texts(read_data("samples/flows.json"), _with_id)
    return {
        row["slug"]: SampleFlow(ids.named_id(f"project {company}"), number, **row)
        for company, rows in companies.items()
        for number, row in enumerate(rows)
    }


def fill(engine: Engine, *, without_runs: Collection[str] = ()) -> None:
    """Add the sample data to an engine that has users and projects only, without runs of the flows with these slugs."""
    for sample in sample_flows().values():
        _add_flow(engine, sample)
    load_rows(engine, "company")
    for server in engine.state.mcp_servers.values():
        server["tools"] = [mcp.new_tool(engine, server, data) for data in server["tools"]]
    load_tables(engine)
    for sample in sample_flows().values():
        if sample.slug not in without_runs:
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
    created = ids.stamp(ids.now() - timedelta(days=80 - number, hours=number))
    edited = ids.stamp(ids.now() - timedelta(days=20 - number % 5, minutes=13 * number))
    trigger = copy.deepcopy(sample.trigger)
    rules = engine.rules(V072)
    for step in tree.walk(trigger):
        validity.prepare(step, project, rules)
    notes = [{**note, "ownerId": ANH, "createdAt": edited, "updatedAt": edited} for note in sample.notes]
    times = {"created": created, "updated": edited}
    draft = {"displayName": sample.name, "trigger": trigger, "updatedBy": ANH, "notes": notes}
    columns = {
        "externalId": ids.named_id(f"external {sample.slug}"),
        "folderId": _folder_id(engine, project, sample.folder),
        "metadata": {"tags": sample.tags} if sample.tags else None,
    }
    version_id = ids.named_id(f"version {sample.slug} 1")
    flow, version = flows.add_flow(
        engine.state, project, {"id": version_id, **draft, **times}, {"id": sample.id, **columns, **times}
    )
    tree.refresh(version)
    version["updated"] = edited
    if sample.state != "draft":
        _publish(engine, flow, version, sample)
    if sample.payload:
        event = add_event(engine, flow, trigger_output(sample, sample.payload))
        event |= {"created": edited, "updated": edited, "fileId": ids.named_id(f"file {sample.slug}")}
        _rename(engine.state.events, event, f"event {sample.slug}")


def _publish(engine: Engine, flow: Json, version: Json, sample: SampleFlow) -> None:
    tree.set_piece_versions(version["trigger"], validity.exact_version)
    version["state"] = "LOCKED"
    flow["publishedVersionId"] = version["id"]
    if sample.state != "disabled":
        flow |= {"status": "ENABLED", "triggerSource": {"schedule": tree.schedule_for(version["trigger"])}}
    if sample.state == "changed":
        draft = {**copy.deepcopy(version), "id": ids.named_id(f"version {sample.slug} 2"), "state": "DRAFT"}
        draft |= {"displayName": f"{sample.name} (new text)", "created": flow["updated"]}
        engine.state.versions[draft["id"]] = draft
        flow["versionId"] = draft["id"]


def trigger_output(sample: SampleFlow, payload: Json) -> Json:
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
        start = ids.now() - timedelta(days=dice.uniform(0.02, DAYS), seconds=dice.uniform(0, 60))
        row = add_past_run(engine, flow, trigger_output(sample, payload), start, dice, waits=number == 0)
        if number == 0 and sample.slug == "orders":
            row["archivedAt"] = ids.stamp()


def add_past_run(
    engine: Engine, flow: Json, output: Any, start: datetime, dice: random.Random, *, waits: bool, **columns: Any
) -> Json:
    """Add a run of the past of a flow's published version, and those that it called, and return its row. If it paused, it ``waits`` still,
    or has ended. ``columns`` are values of the row besides those of a plain run.
    """
    version = engine.state.versions[flow["publishedVersionId"]]
    row = engine.runs.add(flow, version, output, version=engine.version, **columns)
    row["visibleAt"] = start.timestamp()

    def call(made: Call, after: float) -> float:
        called = subflows.called_flow(engine.state, row, made)
        if called is None:
            return 0.0
        begun = start + timedelta(seconds=after + dice.uniform(0.05, 0.2))
        payload = subflows.trigger_output(made, "")
        child = add_past_run(engine, called, payload, begun, dice, waits=False, **subflows.columns(row, made))
        made.answered = subflows.failure(child) if subflows.has_failed(child) else _answer(child)
        ended = child["finishTime"] if made.waits else None
        return (ids.parse(ended) - start).total_seconds() - after if ended else 0.0

    seconds = engine.runs.run_at_once(row, call)
    finish = start + timedelta(seconds=seconds + dice.uniform(0.03, 0.9))
    if row["status"] == "PAUSED":
        _finish_paused(row, dice, waits=waits)
        finish += timedelta(seconds=60)
    ended = row["status"] not in ("PAUSED", "CANCELED")
    row |= {
        "created": ids.stamp(start),
        "updated": ids.stamp(finish),
        "startTime": ids.stamp(start - timedelta(milliseconds=12)),
        "finishTime": ids.stamp(finish) if ended else None,
        "logsFileId": ids.new_id(),
    }
    return row


def _answer(child: Json) -> Json | None:
    """What the run of a called flow has answered, by its last step; None if nobody waits for it."""
    return subflows.success(list(child["steps"].values())[-1].get("output")) if child["failParentOnFailure"] else None


def _finish_paused(row: Json, dice: random.Random, *, waits: bool) -> None:
    """Let a run that paused wait for two days, else cancel some, and complete the others."""
    if waits:
        row["resumeAt"] = ids.stamp(ids.now() + timedelta(days=2))
        return
    if dice.random() < 0.3:
        row |= {"status": "CANCELED", "requestId": None}
        return
    row["steps"]["step_1"] |= {"status": "SUCCEEDED", "output": {"success": True}}
    step: Json = {"type": "CODE", "status": "SUCCEEDED", "input": {}, "output": {"reminded": True}, "duration": 1.4}
    row["steps"]["step_2"] = step
    row |= {"status": "SUCCEEDED", "requestId": None}


def load_rows(engine: Engine, name: str) -> None:
    """Fill the state from the file ``name``, which has rows by kind. They are made now unless they say otherwise.

    A text ``id:user anh`` stands for the id that belongs to this name, ``id:*`` for a new one, ``id:*72`` for a longer one.
    """
    moment = ids.stamp()
    for kind, rows in read_data(f"samples/{name}.json").items():
        for data in rows:
            times = {} if kind in UNDATED else {"created": moment, "updated": moment}
            row = {**times, **map_texts(data, _with_id)}
            # A project has one server of its own at most, and it is found by the project.
            key = "projectId" if kind == "mcp_own_servers" else "id"
            getattr(engine.state, kind)[row[key]] = row


def load_tables(engine: Engine) -> None:
    """Make the tables of Sao Mai with their fields and records."""
    state = engine.state
    for data in copy.deepcopy(read_data("samples/tables.json")):
        table = tables.add_table(engine, SAO_MAI_PROJECT, data["name"])
        _rename(state.tables, table, f"table {data['slug']}")
        fields = [tables.add_field(engine, table, one["name"], one["type"], one.get("data")) for one in data["fields"]]
        for column in fields:
            _rename(state.fields, column, f"field {data['slug']} {column['name']}")
        for number, values in enumerate(data["records"]):
            cells = {column["id"]: value for column, value in zip(fields, values, strict=True)}
            _rename(state.records, records.add_record(engine, table, cells), f"record {data['slug']} {number}")


def _with_id(text: str) -> str:
    if not text.startswith("id:"):
        return text
    name = text.removeprefix("id:")
    return ids.new_id(int(name[1:] or ids.ID_LENGTH)) if name.startswith("*") else ids.named_id(name)


def _rename(rows: dict[str, Json], row: Json, name: str) -> None:
    """Give a new row the id that belongs to ``name``."""
    rows[ids.named_id(name)] = rows.pop(row["id"])
    row["id"] = ids.named_id(name)

"""Lists: cursors that lose rows, lists that never page, coercion (api.md sections 4 and 13)."""

from datetime import timedelta
from typing import Any

import pytest

from practice_engine.ids import now, stamp
from tests.practice_engine.fixtures import Practice

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

#: What only the older version does, or does otherwise.
OLDER = pytest.mark.usefixtures("older")
Json = dict[str, Any]


def runs_at(practice: Practice, moments: list[float]) -> list[str]:
    """Runs created so many seconds ago, and no others; gives their ids, newest first."""
    engine = practice.engine
    base = now().replace(microsecond=0)
    with engine.state.lock:
        engine.state.runs.clear()
        flow = engine.state.flows[practice.sample("quick").id]
        version = engine.state.versions[flow["publishedVersionId"]]
        rows = [engine.runs.add(flow, version, {}, version=engine.version) for _ in moments]
        for row, ago in zip(rows, moments, strict=True):
            row |= {"created": stamp(base - timedelta(seconds=ago)), "visibleAt": 0}
    return [row["id"] for row in sorted(rows, key=lambda row: str(row["created"]), reverse=True)]


def walk(practice: Practice, limit: int) -> list[str]:
    """All ids that one gets by following the cursors."""
    found: list[str] = []
    cursor = None
    while True:
        query: Json = {"projectId": practice.credentials.project_id, "limit": limit}
        page = practice.call("GET", "/v1/flow-runs", params={**query, **({"cursor": cursor} if cursor else {})}).json()
        found += [run["id"] for run in page["data"]]
        cursor = page["next"]
        if not cursor:
            return found


def test_a_walk_by_cursor_loses_the_rows_of_the_boundary_second(practice: Practice) -> None:
    ids = runs_at(practice, [number / 4 for number in range(32)])
    walked = walk(practice, 3)
    assert len(walked) < len(ids)
    assert set(walked) < set(ids)
    assert walk(practice, 100) == ids


def test_nothing_is_lost_where_rows_are_seconds_apart(practice: Practice) -> None:
    ids = runs_at(practice, [number * 2 for number in range(20)])
    assert walk(practice, 3) == ids


@OLDER
def test_flows_are_sorted_by_their_last_change_and_cut_by_their_making(practice: Practice) -> None:
    project = practice.credentials.project_id
    rows = practice.call("GET", "/v1/flows", params={"projectId": project, "limit": 100}).json()["data"]
    assert [row["updated"] for row in rows] == sorted((row["updated"] for row in rows), reverse=True)
    assert [row["created"] for row in rows] != sorted((row["created"] for row in rows), reverse=True)
    first = practice.call("GET", "/v1/flows", params={"projectId": project, "limit": 5}).json()
    second = practice.call(
        "GET", "/v1/flows", params={"projectId": project, "limit": 5, "cursor": first["next"]}
    ).json()
    boundary = first["data"][-1]["created"]
    assert all(row["created"] < boundary for row in second["data"])


def test_ten_rows_without_a_limit(practice: Practice) -> None:
    query = {"projectId": practice.credentials.project_id}
    assert len(practice.call("GET", "/v1/flow-runs", params=query).json()["data"]) == 10
    assert len(practice.call("GET", "/v1/flows", params=query).json()["data"]) == 10


@OLDER
def test_records_never_page(practice: Practice) -> None:
    table = next(row for row in practice.call("GET", "/v1/tables").json()["data"] if row["name"] == "Đơn hàng")
    page = practice.call("GET", "/v1/records", params={"tableId": table["id"], "limit": 5, "cursor": "any"}).json()
    assert (len(page["data"]), page["next"], page["previous"]) == (5, None, None)
    assert len(practice.call("GET", "/v1/records", params={"tableId": table["id"]}).json()["data"]) == 10
    assert len(practice.call("GET", "/v1/records", params={"tableId": table["id"], "limit": 1500}).json()["data"]) == 42


@OLDER
def test_filters_of_records(practice: Practice) -> None:
    table = next(row for row in practice.call("GET", "/v1/tables").json()["data"] if row["name"] == "Đơn hàng")
    fields = {
        field["name"]: field["id"]
        for field in practice.call("GET", "/v1/fields", params={"tableId": table["id"]}).json()
    }

    def count(name: str, operator: str, value: str) -> int:
        query = {"tableId": table["id"], "limit": 1500, "filters[0][fieldId]": fields[name]}
        query |= {"filters[0][operator]": operator, "filters[0][value]": value}
        return len(practice.call("GET", "/v1/records", params=query).json()["data"])

    assert count("Mã đơn", "eq", "DH-1007") == 1
    assert count("Mã đơn", "neq", "DH-1007") == 41
    assert count("Mã đơn", "co", "dh-100") == 10
    assert count("Tổng tiền", "gt", "0") == 42
    assert count("Tổng tiền", "lte", "0") == 0


@OLDER
def test_a_table_takes_no_more_than_its_limits(practice: Practice) -> None:
    table = practice.call("POST", "/v1/tables", json={"name": "T"}).json()["id"]
    body: Json = {"tableId": table, "type": "TEXT"}
    statuses = [
        practice.call("POST", "/v1/fields", json={**body, "name": f"f{number}"}).status_code for number in range(16)
    ]
    assert statuses == [201] * 15 + [409]
    field = practice.call("GET", "/v1/fields", params={"tableId": table}).json()[0]["id"]
    rows = [[{"fieldId": field, "value": "x"}]]
    assert practice.call("POST", "/v1/records", json={"tableId": table, "records": rows * 1500}).status_code == 201
    assert practice.call("POST", "/v1/records", json={"tableId": table, "records": rows}).json()["code"] == "VALIDATION"
    assert practice.call("POST", f"/v1/tables/{table}/clear", json={}).status_code == 204
    assert practice.call("GET", "/v1/records", params={"tableId": table}).json()["data"] == []


def test_pieces_and_fields_are_plain_arrays(practice: Practice) -> None:
    pieces = practice.call("GET", "/v1/pieces", params={"limit": 3}).json()
    assert isinstance(pieces, list)
    assert len(pieces) > 3
    assert practice.call("GET", "/v1/pieces", params={"searchQuery": "zalo"}).json()[0]["displayName"] == "Zalo OA"


def test_a_piece_is_found_by_its_scoped_name_either_way_of_writing(practice: Practice) -> None:
    for path in ("/v1/pieces/@activepieces/piece-gmail", "/v1/pieces/%40activepieces%2Fpiece-gmail"):
        piece = practice.call("GET", path).json()
        assert piece["actions"]["send_email"]["props"]["receiver"]["type"] == "ARRAY"
        assert piece["triggers"]["gmail_new_email_received"]["type"] == "POLLING"


def test_every_kind_of_property_occurs_in_the_pieces(practice: Practice) -> None:
    kinds = set()
    for row in practice.call("GET", "/v1/pieces").json():
        piece = practice.call("GET", f"/v1/pieces/{row['name']}").json()
        kinds |= {piece["auth"]["type"]} if piece["auth"] else set()
        for operation in [*piece["actions"].values(), *piece["triggers"].values()]:
            kinds |= {prop["type"] for prop in operation["props"].values()}
    assert kinds >= {
        "SHORT_TEXT",
        "LONG_TEXT",
        "MARKDOWN",
        "NUMBER",
        "CHECKBOX",
        "DATE_TIME",
        "FILE",
        "COLOR",
        "JSON",
        "OBJECT",
    }
    assert kinds >= {
        "STATIC_DROPDOWN",
        "DROPDOWN",
        "DYNAMIC",
        "ARRAY",
        "SECRET_TEXT",
        "BASIC_AUTH",
        "CUSTOM_AUTH",
        "OAUTH2",
    }


def test_one_value_is_taken_as_a_list_and_text_as_a_number(practice: Practice) -> None:
    query: Json = {"projectId": practice.credentials.project_id, "limit": "3"}
    for status in ({"status": "FAILED"}, {"status[]": "FAILED"}, {"status": ["FAILED", "FAILED"]}):
        rows = practice.call("GET", "/v1/flow-runs", params={**query, **status}).json()["data"]
        assert [row["status"] for row in rows] == ["FAILED"] * 3


@OLDER
def test_filters_of_runs(practice: Practice) -> None:
    query: Json = {"projectId": practice.credentials.project_id, "limit": 500}

    def runs(**more: Any) -> list[Json]:
        found: list[Json] = practice.call("GET", "/v1/flow-runs", params={**query, **more}).json()["data"]
        return found

    everything = runs()
    failing, looping = practice.sample("failing").id, practice.sample("looping").id
    assert {run["flowId"] for run in runs(flowId=[failing, looping])} == {failing, looping}
    assert {run["failedStep"]["name"] for run in runs(failedStepName="step_1")} == {"step_1"}
    chosen = [everything[3]["id"], everything[7]["id"]]
    assert [run["id"] for run in runs(flowRunIds=chosen)] == chosen
    middle = everything[10]["created"]
    assert len(runs(createdAfter=middle)) == 11
    assert len(runs(createdBefore=middle)) == len(everything) - 10
    assert len(runs(archived="true")) == 1
    assert len(runs(archived="false")) == len(everything) - 1

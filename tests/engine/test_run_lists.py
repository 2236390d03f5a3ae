"""The run list of two versions behind one method: large rows, long filters, archived runs (recordings `runs_list*` of both versions)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from workflows_ui.engine import NoRoute, NotFound, TooLarge, Unknown, Workflows
from workflows_ui.engine.run_rows import FAT_PAGE

from . import servers
from .servers import Recorder, Reply, Seen

START = datetime(2026, 11, 26, 20, tzinfo=UTC)


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Engine(Recorder):
    """Runs, newest first, filtered as 0.83 or as 0.72 does; counted in microseconds, given in milliseconds."""

    def __init__(
        self, runs: int, *, version: str = "0.83", step: timedelta = timedelta(seconds=1), size: int = 10
    ) -> None:
        self.version = version
        self.size = size
        self.gives = 10_000
        self.runs = [self.run(number, step) for number in reversed(range(runs))]
        super().__init__(answer=self._answer)

    def run(self, number: int, step: timedelta) -> dict[str, Any]:
        """One row as this version sends it."""
        at = START + step * number
        tree = {"name": "trigger", "settings": {"sourceCode": {"code": "x" * self.size}}}
        row: dict[str, Any] = {"id": f"run{number:04}", "flowId": f"flow{number % 50:02}", "at": at, "created": iso(at)}
        row |= {"archivedAt": iso(at) if number % 10 == 0 else None, "flowVersionId": "V" * 21}
        if self.version == "0.72":
            return row | {"parentRunId": "", "finishTime": "", "failedStep": {}, "flowVersion": {"displayName": "Flow"}}
        version = {"id": "V" * 21, "displayName": "Flow", "trigger": tree, "valid": True}
        flat = {f"flowVersion_{key}": value for key, value in version.items()}
        return row | {"parentRunId": None, "finishTime": None, "failedStep": None, "flowVersion": version} | flat

    def _answer(self, seen: Seen) -> Reply:
        query = parse_qs(seen.query)
        if max(map(len, query.values()), default=0) > 20:
            return Reply(400, {"statusCode": 400, "code": "FST_ERR_VALIDATION", "error": "Bad Request", "message": "m"})
        rows = [row for row in self.runs if self._fits(row, query)]
        limit = min(int(query["limit"][0]), self.gives)
        page = [{key: value for key, value in row.items() if key != "at"} for row in rows[:limit]]
        return Reply(200, {"data": page, "next": "cursor" if len(rows) > limit else None, "previous": None})

    def _fits(self, row: dict[str, Any], query: dict[str, list[str]]) -> bool:
        before = datetime.fromisoformat(query["createdBefore"][0]) if "createdBefore" in query else None
        archived = query.get("archived", [""])[0] if self.version == "0.72" else ""
        if self.version == "0.83" and "includeArchived" not in query and row["archivedAt"]:
            return False
        return (
            row["flowId"] in query.get("flowId", [row["flowId"]])
            and row["id"] in query.get("flowRunIds", [row["id"]])
            and (before is None or row["at"] <= before)
            and (not archived or (archived == "true") is bool(row["archivedAt"]))
        )


def client(engine: Engine, **options: Any) -> Workflows:
    return servers.client(engine.url, **options).workflows


def names(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["data"]]


def test_of_the_flow_version_only_its_name_is_kept() -> None:
    with Engine(3) as engine:
        engine.runs[1].pop("flowVersion")
        engine.runs[2] |= {"flowVersion": None, "flowVersion_displayName": None}
        rows = client(engine).list_runs()["data"]
        assert [row["flowVersion"] for row in rows] == [
            {"displayName": "Flow"},
            {"displayName": "Flow"},
            {"displayName": None},
        ]
        assert all(row["flowVersionId"] == "V" * 21 for row in rows)
        assert not any(key.startswith("flowVersion_") for row in rows for key in row)
        engine.answer = lambda seen: Reply(200, engine.run(1, timedelta(0)) | {"at": "", "steps": {}})
        run = client(engine).get_run("R")
        assert (run["flowVersion"], run["steps"], "flowVersion_trigger" in run) == ({"displayName": "Flow"}, {}, False)


def test_runs_are_counted_by_state_and_an_older_engine_has_no_such_route() -> None:
    counts = [
        {"status": "FAILED", "count": 19},
        {"status": "SUCCEEDED", "count": 57},
        {"status": "ODD", "count": "x"},
        None,
    ]
    with Recorder(Reply(200, {"data": counts})) as engine:
        assert servers.client(engine.url).workflows.count_runs() == {"FAILED": 19, "SUCCEEDED": 57}
    for status in (400, 404):
        with (
            Recorder(Reply(status, {"code": "FST_ERR_VALIDATION", "message": "no run"})) as engine,
            pytest.raises(NoRoute),
        ):
            servers.client(engine.url).workflows.count_runs()


def test_an_engine_with_large_rows_is_asked_for_smaller_pages_which_make_one() -> None:
    with Engine(250) as engine:
        calls = client(engine)
        calls.list_runs(10)
        engine.seen.clear()
        page = calls.list_runs(200)
        assert names(page) == [row["id"] for row in engine.runs[:200]]
        assert [parse_qs(seen.query)["limit"] for seen in engine.seen] == [[str(FAT_PAGE)]] * len(engine.seen)
        rest = calls.list_runs(200, created_before=page["next"])
        assert set(names(page) + names(rest)) == {row["id"] for row in engine.runs}
        assert rest["next"] is None


@pytest.mark.parametrize("step", [timedelta(0), timedelta(microseconds=10), timedelta(milliseconds=1)])
def test_runs_of_one_moment_are_not_lost_between_pages(step: timedelta) -> None:
    with Engine(250, step=step) as engine:
        calls = client(engine)
        calls.list_runs(1)
        assert names(calls.list_runs(250)) == [row["id"] for row in engine.runs]


def test_an_engine_with_small_rows_is_asked_once() -> None:
    with Engine(250, version="0.72") as engine:
        for _ in range(2):
            page = client(engine).list_runs(200)
            assert (len(page["data"]), page["next"]) == (200, "cursor")
        assert len(engine.seen) == 2


def test_an_answer_that_is_too_large_is_asked_for_in_smaller_parts() -> None:
    with Engine(30, size=10_000) as engine:
        page = client(engine, largest_answer=200_000).list_runs(30)
        assert names(page) == [row["id"] for row in engine.runs]
    with Engine(30, size=100_000) as engine, pytest.raises(TooLarge):
        client(engine, largest_answer=200_000).list_runs(30)


@pytest.mark.parametrize("version", ["0.72", "0.83"])
def test_long_filters_are_asked_for_in_parts_of_twenty(version: str) -> None:
    with Engine(100, version=version) as engine:
        calls = client(engine)
        wanted = [f"run{number:04}" for number in range(90)]
        assert sorted(names(calls.list_runs(90, flow_run_ids=[*wanted, *wanted[:5], "unknown"]))) == wanted
        assert len(names(calls.list_runs(90, flow_run_ids=wanted[:20]))) == 20
        flows = [f"flow{number:02}" for number in range(45)]
        page = calls.list_runs(30, flow_id=flows)
        expected = [row["id"] for row in engine.runs if row["flowId"] in flows]
        assert names(page) == expected[:30]
        rest = calls.list_runs(100, flow_id=flows, created_before=page["next"])
        assert (set(names(page) + names(rest)), rest["next"]) == (set(expected), None)
        assert all(len(parse_qs(seen.query).get("flowId", [])) <= 20 for seen in engine.seen)
        with pytest.raises(ValueError, match="at most 20"):
            calls.list_runs(cursor="x", flow_id=flows)
        with pytest.raises(ValueError, match="at most 20"):
            calls.list_flows(tags=flows)


def test_no_row_is_passed_over_where_one_part_has_less_than_was_asked_for_and_more_to_come() -> None:
    with Engine(100) as engine:
        engine.gives = 7
        flows = [f"flow{number:02}" for number in range(45)]
        expected = [row["id"] for row in engine.runs if row["flowId"] in flows]
        found: list[str] = []
        before = None
        while True:
            page = client(engine).list_runs(30, flow_id=flows, created_before=before)
            found += [name for name in names(page) if name not in found]
            if not page["next"]:
                break
            before = page["next"]
        assert found == expected


@pytest.mark.parametrize("version", ["0.72", "0.83"])
def test_archived_runs_are_distinguished_from_the_others_whichever_word_the_engine_knows(version: str) -> None:
    with Engine(100, version=version) as engine:
        calls = client(engine)
        archived = [row["id"] for row in engine.runs if row["archivedAt"]]
        assert names(calls.list_runs(5, archived=True)) == archived[:5]
        assert names(calls.list_runs(50, archived=True)) == archived
        assert names(calls.list_runs(100, archived=False)) == [
            row["id"] for row in engine.runs if not row["archivedAt"]
        ]
        assert names(calls.list_runs(100)) == [row["id"] for row in engine.runs]


def test_a_page_of_archived_runs_that_took_several_calls_says_where_it_goes_on() -> None:
    with Engine(100) as engine:
        archived = [row["id"] for row in engine.runs if row["archivedAt"]]
        page = client(engine).list_runs(5, archived=True)
        assert names(client(engine).list_runs(6, archived=True, created_before=page["next"])) == archived[5:]


def test_archived_is_read_from_odd_rows() -> None:
    with Engine(4, version="0.72") as engine:
        engine.version = "0.83"
        odd: tuple[Any, ...] = (None, "", {}, "2026-11-26T21:20:59.177Z")
        for row, value in zip(engine.runs, odd, strict=True):
            row["archivedAt"] = value
        engine.runs[0].pop("archivedAt")
        engine.answer = lambda seen: Reply(200, {"data": [row | {"at": ""} for row in engine.runs], "next": None})
        assert names(client(engine).list_runs(10, archived=True)) == [engine.runs[3]["id"]]
        assert len(client(engine).list_runs(10, archived=False)["data"]) == 3


def test_a_time_that_cannot_be_read_ends_the_page() -> None:
    with Engine(250) as engine:
        for row in engine.runs:
            row["created"] = None
        page = client(engine).list_runs(200, flow_id=[f"flow{number:02}" for number in range(50)])
        assert page["data"]


def test_the_calls_that_0_83_wants_a_project_for_name_it() -> None:
    with Recorder(Reply(404, {"code": "ENTITY_NOT_FOUND", "params": {}})) as server:
        calls = servers.client(server.url).workflows
        for call in (
            lambda: calls.count_flows(),
            lambda: calls.list_tables(),
            lambda: calls.create_table("x"),
            lambda: calls.list_trigger_events("F"),
            lambda: calls.save_trigger_event("F", {}),
            lambda: calls.test_trigger({"flowId": "F"}),
            lambda: calls.cancel_test_trigger({"flowId": "F"}),
            lambda: calls.retry_run("R", "ON_LATEST_VERSION"),
            lambda: calls.cancel_runs(["R"]),
            lambda: calls.list_invitations("PROJECT"),
            lambda: calls.piece_options(
                piece_name="p",
                piece_version="1",
                action_or_trigger_name="a",
                property_name="x",
                flow_id="F",
                flow_version_id="V",
            ),
        ):
            with pytest.raises((NotFound, Unknown)):
                call()
            seen = server.seen[-1]
            named = seen.json if seen.body else {key: value[0] for key, value in parse_qs(seen.query).items()}
            assert named["projectId"] == "P" * 21, seen

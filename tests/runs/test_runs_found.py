"""Finding runs on the practice engine, in either flavour: by flows, by failed step, archived ones, and those that belong together."""

import re

import pytest

from tests.practice_engine.fixtures import until
from tests.stage import Stage, stage
from tests.stub_engine import text

__all__ = ["stage"]
RUNS = "/w/sales/runs/"


def listed(stage: Stage, query: str) -> list[str]:
    """The ids of the runs on the list's first page."""
    page = text(stage.browser.get(f"{RUNS}?rows=100&{query}").content)
    return list(dict.fromkeys(re.findall(r'class="kind-text first[^>]*> ?<a href="/w/sales/runs/(\w{21})/"', page)))


def test_runs_of_two_flows_that_failed_at_a_step_are_those_that_the_engine_has(stage: Stage) -> None:
    flows = {stage.practice.sample(slug).id for slug in ("failing", "orders")}
    rows = stage.practice.runs()
    failed = [row for row in rows if row["flowId"] in flows and (row["failedStep"] or {}).get("name") == "step_1"]
    wanted = [row["id"] for row in failed if not row["archivedAt"]]
    assert len({row["flowId"] for row in failed}) == 2
    assert listed(stage, "&".join([*(f"flow={flow}" for flow in flows), "failed=step_1"])) == wanted[:100]
    alone = stage.practice.sample("failing").id
    assert listed(stage, f"failed=step_1@{alone}") == [row["id"] for row in failed if row["flowId"] == alone]
    assert listed(stage, "failed=no_such_step") == []


@pytest.mark.slow
def test_an_archived_run_is_in_the_list_of_archived_ones_only(stage: Stage) -> None:
    archived = [row["id"] for row in stage.practice.runs() if row["archivedAt"]]
    assert archived
    assert listed(stage, "archived=only") == archived
    assert not set(archived) & set(listed(stage, ""))


def test_a_run_that_another_run_started_is_found_from_both(stage: Stage) -> None:
    flow = stage.practice.sample("quick").id
    before = {row["id"] for row in stage.practice.runs()}
    stage.practice.call("POST", f"/v1/webhooks/{flow}", json={})

    def new() -> str:
        found = [row for row in stage.practice.runs(flow) if row["finishTime"] and row["id"] not in before]
        return str(found[0]["id"]) if found else ""

    parent = until(new)
    before |= {parent}
    stage.practice.call("POST", f"/v1/webhooks/{flow}", json={}, headers={"ap-parent-run-id": parent})
    child = until(new)
    assert f'href="{RUNS}{parent}/"' in text(stage.browser.get(f"{RUNS}{child}/family/").content)
    below = text(stage.browser.get(f"{RUNS}{parent}/family/").content)
    assert re.search(rf'<a class="long" href="{RUNS}{child}/">', below)
    assert "Another run" in text(stage.browser.get(RUNS).content)

"""Every column of runs gets its value where the client and the run index shorten a run."""

from typing import Any

import pytest
from django.utils import timezone

from tests.stub_engine import identity, run
from workflows_ui.core import formats
from workflows_ui.engine import run_rows
from workflows_ui.engine_objects.runs import Run
from workflows_ui.lists.declaration import Column
from workflows_ui.run_index.services import rows
from workflows_ui.runs.declaration import Runs

#: The columns, by their keys, whose values the run index does not keep: "–" in a workspace that has one.
NOT_KEPT: frozenset[str] = frozenset()
VERSION: dict[str, Any] = {
    "id": "V1",
    "displayName": "Order intake",
    "schemaVersion": "12",
    "state": "LOCKED",
    "valid": True,
}
#: A failed run with a value for each key of recording `runs_list`, as 0.83 sends it: of its flow version twice.
RUN = run(
    status="FAILED",
    updated="2026-11-24T22:38:26.000Z",
    created="2026-11-24T22:38:20.000Z",
    projectId=identity(2),
    parentRunId=identity(3),
    triggeredBy=identity(4),
    failParentOnFailure=True,
    logsFileId=identity(5),
    tags=["urgent"],
    stepsCount=3,
    failedStep={"name": "step_1", "displayName": "Send", "message": "No such address"},
    archivedAt="2026-11-25T22:38:26.000Z",
    flowVersion=VERSION,
    displayName="Order intake",
    **{f"flowVersion_{name}": value for name, value in VERSION.items()},
)
#: The columns of what the console itself knows of a run.
OWN = {"retried", "launcher"}


def columns() -> dict[str, Column]:
    declared = {column.key: column for column in (*Runs.list_display, *Runs.key_facts, *Runs.details)}
    return {key: column for key, column in declared.items() if key not in OWN}


def _from_index() -> dict[str, Any]:
    row = rows.from_engine(1, Run(RUN), timezone.now(), "key")
    assert row is not None
    return rows.to_engine(row)


def _value(column: Column, found: dict[str, Any]) -> Any:
    value = column.value(found)
    return formats.moment(value) if column.kind in {"when", "exact"} else value


@pytest.mark.parametrize("name", columns())
def test_no_column_of_runs_reads_a_key_that_the_client_or_the_run_index_leaves_out(name: str) -> None:
    column = columns()[name]
    whole = _value(column, RUN)
    assert whole not in (None, "", []), "no recording has this key, or RUN lacks it"
    assert _value(column, run_rows.slim(RUN)) == whole, (
        "left out by the client: keep it in `slim` of engine/run_rows.py"
    )
    if name not in NOT_KEPT:
        text = "not in the run index: keep it (run_index/services/rows.py), or add the column to NOT_KEPT"
        assert _value(column, _from_index()) == whole, text

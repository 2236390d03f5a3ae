"""What pages and the worker ask again and again reads a handful of rows, however many launches there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.cast import gather, workspace
from workflows_ui.models import Visit, WatchKind
from workflows_ui.services import sweeping, watching

#: Every tenth failed, one in a thousand is unclear; each has a file that has left.
LAUNCHES = """
INSERT INTO workflows_ui_launch (id, workspace_id, user_id, ticket, flow_id, flow_name, wait, payload, payload_digest, state, reason,
    technical, asked_at, not_before, send_by, tries, claim, ended_at, answer_type, answer, answer_cut, answer_from, answer_location,
    clock_offset, run_id, run_status, failed_step, failure)
SELECT 'launch' || n, %(space)s, %(person)s, 'ticket' || n, 'flow' || n %% 3, '', false, '', '',
    CASE WHEN n %% 10 = 0 THEN 'failed' WHEN n %% 1000 = 1 THEN 'unknown' ELSE 'succeeded' END, '', '', now() - n * interval '1 hour',
    now(), now(), 1, '', now() - n * interval '1 hour', '', '', false, '', '', 0, '', '', '', ''
FROM generate_series(1, 10000) AS n;
INSERT INTO workflows_ui_launchfile (id, launch_id, key, name, content_type, size, data)
SELECT 'file' || n, 'launch' || n, 'file', 'a.txt', 'text/plain', 1, '' FROM generate_series(1, 10000) AS n;
ANALYZE
"""
#: Rows that one query may look at, all tables together.
FEW = 1000


@pytest.mark.postgres
@pytest.mark.django_db
def test_what_is_asked_again_and_again_reads_few_of_ten_thousand_launches() -> None:
    cast = gather(workspace("sales"), "secret")
    with connection.cursor() as cursor:
        cursor.execute(LAUNCHES, {"space": cast.workspace.pk, "person": cast.owner.pk})
    Visit.objects.create(user=cast.owner, workspace=cast.workspace, seen_at=timezone.now() - timedelta(hours=35))
    watching.ask(cast.owner, cast.workspace, WatchKind.FLOW, "flow1", "Flow")
    browser = Client()
    browser.force_login(cast.owner)
    acts: dict[str, Callable[[], object]] = {
        "the home of a workspace": lambda: browser.get("/w/sales/"),
        **{
            f"the list of launches, {state}": lambda state=state: browser.get("/w/sales/launches/", {"state": state})  # type: ignore[misc]
            for state in ("unknown", "running", "open", "failed")
        },
        "files to forget": sweeping.forget_files,
        "bells": sweeping.bells,
        "launches that are late": sweeping.end_late,
        "launches that were lost": sweeping.notice_lost,
        "news": watching.look,
    }
    read = {name: _most_read(act) for name, act in acts.items()}
    assert {name: rows for name, rows in read.items() if rows > FEW} == {}


def _most_read(act: Callable[[], object]) -> int:
    """How many rows the greediest query of an act takes into its hands, also those that it then leaves out."""
    with CaptureQueriesContext(connection) as asked:
        act()
    selects = [query["sql"] for query in asked.captured_queries if query["sql"].startswith("SELECT")]
    assert selects
    return max(_read(sql) for sql in selects)


def _read(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        ((found,),) = cursor.fetchall()
    return _of_node(found[0]["Plan"])


def _of_node(node: dict[str, Any]) -> int:
    below = sum(_of_node(one) for one in node.get("Plans", []))
    left_out = sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
    own = left_out + (node["Actual Rows"] if node["Node Type"].endswith("Scan") else 0)
    return int(below + own * node["Actual Loops"])

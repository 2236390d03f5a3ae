"""What pages and the worker ask again and again reads a handful of rows, however many launches there are."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.users import Users, gather, workspace
from workflows_ui.launches.models import Launch, LaunchFile, State
from workflows_ui.launches.services import sweeping, watching
from workflows_ui.notifications.models import Visit, WatchKind

pytestmark = pytest.mark.both_databases

COUNT = 10_000
#: Rows that one query may look at, all tables together.
FEW = 1000


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db
def test_what_is_asked_again_and_again_reads_few_of_ten_thousand_launches() -> None:
    users = gather(workspace("sales"), "secret")
    _fill(users)
    Visit.objects.create(user=users.owner, workspace=users.workspace, seen_at=timezone.now() - timedelta(hours=35))
    watching.start_watching(users.owner, users.workspace, WatchKind.FLOW, "flow1", "Flow")
    browser = Client()
    browser.force_login(users.owner)
    acts: dict[str, Callable[[], object]] = {
        "the home of a workspace": lambda: browser.get("/w/sales/"),
        **{
            f"the list of launches, {state}": lambda state=state: browser.get("/w/sales/launches/", {"state": state})  # type: ignore[misc]
            for state in ("unknown", "running", "open", "failed")
        },
        "files to forget": sweeping.forget_files,
        "bells": sweeping.to_enqueue,
        "launches that are late": sweeping.end_late,
        "launches that were lost": sweeping.notice_lost,
        "news": watching.find_news,
    }
    read = {name: _most_read(act) for name, act in acts.items()}
    # The total of a list is counted: each of its 2,000 rows once, beside those of the page.
    counted = {"the list of launches, failed": 2_000 + FEW}
    assert {name: rows for name, rows in read.items() if rows > counted.get(name, FEW)} == {}


def _fill(users: Users) -> None:
    """Launches, one an hour: every tenth failed, one in a thousand is unclear; each has a file that has left."""
    now = timezone.now()
    rows = []
    for number in range(1, COUNT + 1):
        state = State.FAILED if number % 10 == 0 else State.UNKNOWN if number % 1000 == 1 else State.SUCCEEDED
        asked = now - timedelta(hours=number)
        rows.append(
            Launch(
                id=f"launch{number}",
                workspace=users.workspace,
                user=users.owner,
                ticket=f"ticket{number}",
                flow_id=f"flow{number % 3}",
                state=state,
                asked_at=asked,
                ended_at=asked,
                not_before=now,
                send_by=now,
                tries=1,
            )
        )
    Launch.objects.bulk_create(rows, batch_size=1000)
    files = [
        LaunchFile(id=f"file{row.pk}", launch=row, key="file", name="a.txt", content_type="text/plain", size=1)
        for row in rows
    ]
    LaunchFile.objects.bulk_create(files, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


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

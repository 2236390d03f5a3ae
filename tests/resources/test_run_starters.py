"""What started a run: a launch of the workspace's people, another run, the clock; in the list and on the run's page."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.cast import Cast
from tests.shelf import Shelf, flow, identity, run, text
from workflows_ui.models import Launch
from workflows_ui.models.launch import new_id

RUNS = "/w/sales/runs/"
ONE = f"{RUNS}{identity(1)}/"


def launched(cast: Cast, **changes: Any) -> Launch:
    now = timezone.now()
    moments = {"asked_at": now, "not_before": now, "send_by": now}
    given = {"workspace": cast.workspace, "user": cast.colleague, "flow_id": identity(1), "payload_digest": "d"}
    return Launch.objects.create(ticket=new_id(), **(given | moments | changes))


def test_rows_say_who_launched_them_by_run_or_by_marker_in_one_query(cast: Cast, owner: Client, shelf: Shelf) -> None:
    by_run, by_marker = launched(cast, run_id=identity(1)), launched(cast, user=cast.owner)
    shelf.runs = [run(1), run(2, parentRunId=by_marker.pk), run(3, parentRunId=identity(1)), run(4)]
    with CaptureQueriesContext(connection) as asked:
        page = text(owner.get(RUNS).content)
    assert f'<a href="/w/sales/launches/{by_run.pk}/"><span class="long">colleague</span> </a>' in page
    assert f'<a href="/w/sales/launches/{by_marker.pk}/"><span class="long">owner</span> </a>' in page
    assert f'<a href="{ONE}"><span class="long">Another run</span> </a>' in page
    assert len([one for one in asked if 'FROM "workflows_ui_launch"' in one["sql"]]) == 1


def test_launches_of_another_workspace_are_nobodys(cast: Cast, owner: Client, shelf: Shelf) -> None:
    elsewhere = cast.stranger.memberships.get().workspace
    launch = launched(cast, workspace=elsewhere, run_id=identity(1))
    shelf.runs = [run(parentRunId=launch.pk)]
    for address in (RUNS, ONE):
        page = owner.get(address).content.decode()
        assert f"launches/{launch.pk}" not in page
        assert "colleague" not in page


def test_a_flow_that_starts_by_itself_says_what_started_its_runs(owner: Client, shelf: Shelf) -> None:
    clock = {"name": "trigger", "type": "PIECE_TRIGGER", "settings": {"pieceName": "@activepieces/piece-schedule"}}
    shelf.flows, shelf.runs = [flow(version={"id": "V1", "displayName": "Nightly", "trigger": clock})], [run()]
    assert "The clock" in text(owner.get(RUNS).content)
    assert "It started by itself. What starts it: The clock" in text(owner.get(ONE).content)


def test_the_launch_that_led_to_it_is_linked_within_its_workspace_only(cast: Cast, owner: Client, shelf: Shelf) -> None:
    shelf.runs = [run()]
    launch = launched(cast, run_id=identity(1))
    assert f'href="/w/sales/launches/{launch.pk}/"' in text(owner.get(ONE).content)
    elsewhere = cast.stranger.memberships.get().workspace
    Launch.objects.update(workspace=elsewhere)
    assert launch.pk not in text(owner.get(ONE).content)

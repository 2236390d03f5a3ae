"""What started a run: a launch of the workspace's people, another run, the clock; in the list and on the run's page."""

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.stub_engine import StubEngine, flow, identity, run, text
from tests.users import Users
from workflows_ui.core.random_id import new_id
from workflows_ui.launches.models import Launch

RUNS = "/w/sales/runs/"
ONE = f"{RUNS}{identity(1)}/"


def launched(users: Users, **changes: Any) -> Launch:
    now = timezone.now()
    moments = {"asked_at": now, "not_before": now, "send_by": now}
    given = {"workspace": users.workspace, "user": users.colleague, "flow_id": identity(1), "payload_digest": "d"}
    return Launch.objects.create(ticket=new_id(), **(given | moments | changes))


def test_rows_say_who_launched_them_by_run_or_by_marker_in_few_queries(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    by_run, by_marker = launched(users, run_id=identity(1)), launched(users, user=users.owner)
    stub_engine.runs = [run(1), run(2, parentRunId=by_marker.pk), run(3, parentRunId=identity(1)), run(4)]
    with CaptureQueriesContext(connection) as asked:
        page = text(owner.get(RUNS).content)
    assert f'<a href="/w/sales/launches/{by_run.pk}/"><span class="long">colleague</span></a>' in page
    assert f'<a href="/w/sales/launches/{by_marker.pk}/"><span class="long">owner</span></a>' in page
    assert f'<a href="{ONE}"><span class="long">Another run</span></a>' in page
    # One says who launched and what of the runs this person may see, the other whom the filter offers.
    assert len([one for one in asked if 'FROM "workflows_ui_launch"' in one["sql"]]) == 2


def test_a_launcher_reads_who_launched_a_run_and_opens_only_their_own_launch(
    users: Users, stub_engine: StubEngine
) -> None:
    own, other = launched(users, run_id=identity(1)), launched(users, run_id=identity(2), user=users.owner)
    stub_engine.runs = [run(1), run(2)]
    launcher = Client()
    launcher.force_login(users.colleague)
    page = text(launcher.get(RUNS).content)
    assert f'<a href="/w/sales/launches/{own.pk}/">' in page
    assert "owner" in page
    assert f"/w/sales/launches/{other.pk}/" not in page
    assert launcher.get(f"/w/sales/launches/{other.pk}/").status_code == 404


def test_launches_of_another_workspace_are_nobodys(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    elsewhere = users.stranger.memberships.get().workspace
    launch = launched(users, workspace=elsewhere, run_id=identity(1))
    stub_engine.runs = [run(parentRunId=launch.pk)]
    for address in (RUNS, ONE):
        page = owner.get(address).content.decode()
        assert f"launches/{launch.pk}" not in page
        assert "colleague" not in page


def test_a_flow_that_starts_automatically_says_what_started_its_runs(owner: Client, stub_engine: StubEngine) -> None:
    clock = {"name": "trigger", "type": "PIECE_TRIGGER", "settings": {"pieceName": "@activepieces/piece-schedule"}}
    stub_engine.flows, stub_engine.runs = (
        [flow(version={"id": "V1", "displayName": "Nightly", "trigger": clock})],
        [run()],
    )
    assert "A schedule" in text(owner.get(RUNS).content)
    assert "It started automatically. It is started by: A schedule" in text(owner.get(ONE).content)


def test_the_launch_that_led_to_it_is_linked_within_its_workspace_only(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.runs = [run()]
    launch = launched(users, run_id=identity(1))
    assert f'href="/w/sales/launches/{launch.pk}/"' in text(owner.get(ONE).content)
    elsewhere = users.stranger.memberships.get().workspace
    Launch.objects.update(workspace=elsewhere)
    assert launch.pk not in text(owner.get(ONE).content)

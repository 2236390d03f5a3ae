"""What takes longer than its flow usually does is marked in the lists of runs and of launches, by the rule of a launch's page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.runs.test_run_starters import launched
from tests.stub_engine import StubEngine, identity, run, text
from tests.users import Users
from workflows_ui.launches.models import State

pytestmark = pytest.mark.django_db
MARK = "Longer than usual"


def usual(users: Users, number: int = 3, seconds: int = 8) -> None:
    """Launches of flow 1 that succeeded after so many seconds."""
    for _ in range(number):
        start = timezone.now() - timedelta(hours=1)
        end = start + timedelta(seconds=seconds)
        launched(users, state=State.SUCCEEDED, run_started_at=start, run_finished_at=end, ended_at=end, asked_at=start)


def under_way(number: int, seconds: int, flow_number: int = 1) -> dict[str, object]:
    """A run that began so many seconds ago."""
    begun = (timezone.now() - timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    return run(number, "RUNNING", flowId=identity(flow_number), created=begun, startTime=begun, finishTime="")


@pytest.mark.parametrize(
    ("known", "seconds", "flow_number", "marks"), [(3, 20, 1, 1), (3, 5, 1, 0), (2, 20, 1, 0), (3, 20, 2, 0)]
)
def test_a_run_is_marked_once_it_takes_longer_than_its_flow_usually_does(
    users: Users, owner: Client, stub_engine: StubEngine, known: int, seconds: int, flow_number: int, marks: int
) -> None:
    usual(users, known)
    stub_engine.runs = [under_way(1, seconds, flow_number), run(2)]
    assert text(owner.get("/w/sales/runs/").content).count(MARK) == marks


def test_a_launch_is_marked_in_the_list_as_on_its_page(users: Users, owner: Client, stub_engine: StubEngine) -> None:
    usual(users)
    late = launched(users, state=State.RUNNING, sending_at=timezone.now() - timedelta(seconds=20))
    launched(users, state=State.RUNNING, sending_at=timezone.now() - timedelta(seconds=2))
    assert text(owner.get("/w/sales/launches/").content).count(MARK) == 1
    page = owner.get(f"/w/sales/launches/{late.pk}/").content.decode()
    assert "data-clock-late>" in page

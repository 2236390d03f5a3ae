"""What each kind of page asks the database and the engine when its cached values are there. A changed number is explained in its commit."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import flows
from tests.launches.launch_scene import Scene
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import following


class Costs(NamedTuple):
    queries: int
    engine_calls: int


#: The fixed part: session, person, role, capabilities, workspaces, notices; of a list its saved views and chosen columns.
#: `{flow}`, `{run}` and `{launch}` stand for ids.
PAGES = {
    "/w/sales/nothing/": Costs(6, 0),
    "/w/sales/": Costs(21, 0),
    "/w/sales/flows/": Costs(11, 1),
    "/w/sales/flows/{flow}/": Costs(14, 1),
    "/w/sales/flows/{flow}/launch/": Costs(16, 3),
    "/w/sales/runs/": Costs(12, 1),
    "/w/sales/runs/?rows=100": Costs(12, 2),
    "/w/sales/runs/{run}/": Costs(12, 1),
    "/w/sales/folders/": Costs(10, 1),
    "/w/sales/connections/": Costs(10, 1),
    "/w/sales/tables/": Costs(10, 1),
    "/w/sales/launches/": Costs(13, 0),
    "/w/sales/launches/{launch}/": Costs(11, 0),
    "/notices/": Costs(10, 0),
}


@pytest.fixture
def scene(db: None) -> Iterator[Scene]:
    made = Scene(samples=True)
    yield made
    made.close()


def test_the_costs_of_pages_are_known(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    for _ in range(3):
        scene.launch(flow)
    following.poll(scene.users.workspace.pk)
    launch = Launch.objects.order_by("asked_at")[0]
    owner = scene.sign_in(scene.users.owner)
    found = {}
    for page in PAGES:
        path = page.format(flow=flow, run=launch.run_id, launch=launch.pk)
        for _ in range(2):
            owner.get(path)
        calls = scene.engine.journal.count()
        with CaptureQueriesContext(connection) as queries:
            owner.get(path)
        found[page] = Costs(len(queries), scene.engine.journal.count() - calls)
    assert found == PAGES

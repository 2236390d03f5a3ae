"""What each kind of page asks the database and the engine when its cached values are there. A changed number is explained in its commit."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene
from tests.users import share_with_nobody
from workflows_ui.alarms import services as alarms
from workflows_ui.alarms.models import AlarmChannel, AlarmKind, AlarmMute
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import following
from workflows_ui.run_index.models import IndexedRun, RunIndex
from workflows_ui.run_index.services import indexes, reading


class Costs(NamedTuple):
    queries: int
    engine_calls: int


#: The fixed part: session, person, role, capabilities, workspaces, notices; of a list its saved views and chosen columns.
#: `{flow}`, `{run}` and `{launch}` stand for ids.
PAGES = {
    "/w/sales/nothing/": Costs(6, 0),
    "/w/sales/": Costs(24, 0),
    "/w/sales/flows/": Costs(11, 1),
    "/w/sales/flows/{flow}/": Costs(17, 1),
    "/w/sales/flows/{flow}/launch/": Costs(16, 3),
    "/w/sales/runs/": Costs(14, 1),
    "/w/sales/runs/?rows=100": Costs(14, 2),
    "/w/sales/runs/{run}/": Costs(13, 1),
    "/w/sales/folders/": Costs(10, 1),
    "/w/sales/connections/": Costs(10, 1),
    "/w/sales/tables/": Costs(10, 1),
    "/w/sales/launches/": Costs(14, 0),
    "/w/sales/launches/{launch}/": Costs(12, 0),
    "/notices/": Costs(11, 0),
}
#: Of a workspace with a run index, for the owner of the credential that reads it.
INDEXED_PAGES = {
    "/w/sales/": Costs(29, 0),
    "/w/sales/flows/": Costs(14, 1),
    "/w/sales/flows/{flow}/": Costs(20, 1),
    "/w/sales/runs/": Costs(18, 0),
    "/w/sales/runs/plots/": Costs(11, 0),
    "/w/sales/runs/{failed}/": Costs(21, 1),
    "/w/sales/failures/": Costs(14, 0),
    "/w/sales/failures/{failure}/": Costs(22, 0),
    "/w/sales/alarms/": Costs(16, 0),
    "/w/sales/alarms/{alarm}/": Costs(13, 0),
    "/w/sales/alarms/muted/": Costs(9, 0),
    "/w/sales/alarms/channels/": Costs(10, 0),
    "/w/sales/alarms/channels/{channel}/": Costs(11, 0),
    "/w/sales/on-failure/": Costs(9, 0),
    "/w/sales/report/": Costs(11, 0),
    "/w/sales/run-index/": Costs(17, 0),
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
    assert _costs(scene, PAGES, flow=flow, run=launch.run_id, launch=launch.pk) == PAGES


@pytest.mark.slow
def test_the_costs_of_pages_of_the_run_index_are_known(scene: Scene) -> None:
    share_with_nobody(scene.users.credential)
    index = indexes.start(CONSOLE, scene.users.workspace, scene.users.credential, 90)
    while index.read_at is None or index.spans:
        reading.read(index.pk)
        RunIndex.objects.update(due_at=timezone.now())
        index.refresh_from_db()
    failed = IndexedRun.objects.exclude(fingerprint=0).filter(archived=None).order_by("-created")[0]
    alarm = alarms.begin(index, (AlarmKind.FAILING, failed.flow_id), failed.flow_name, {})
    assert alarm
    AlarmMute.objects.create(index=index, kind=AlarmKind.QUIET, flow_id=failed.flow_id, muted_at=timezone.now())
    channel = AlarmChannel.objects.create(
        workspace=scene.users.workspace, name="Team", shape="slack", created_at=timezone.now()
    )
    ids = {"flow": failed.flow_id, "failed": failed.run_id, "failure": str(failed.fingerprint)}
    assert _costs(scene, INDEXED_PAGES, **ids, alarm=str(alarm.pk), channel=str(channel.pk)) == INDEXED_PAGES


def _costs(scene: Scene, pages: Mapping[str, Costs], **ids: str) -> dict[str, Costs]:
    """What the owner's third visit of each page costs. Of other numbers than these, the queries are printed."""
    owner = scene.sign_in(scene.users.owner)
    found = {}
    for page in pages:
        path = page.format(**ids)
        for _ in range(2):
            assert owner.get(path).status_code == (404 if path.endswith("/nothing/") else 200), path
        calls = scene.engine.journal.count()
        with CaptureQueriesContext(connection) as queries:
            owner.get(path)
        found[page] = Costs(len(queries), scene.engine.journal.count() - calls)
        if found[page] != pages[page]:
            print(page, *(query["sql"] for query in queries), sep="\n")  # noqa: T201
    return found

"""Large launches: three at once go out one after the other, and the worker that sends them stays small."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests import flows
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from workflows_ui.audit.services import audit_log
from workflows_ui.engine import Upload
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
MB = 1024 * 1024
#: Resident memory that one worker may have at most, and how much above its start it may keep afterwards.
MOST, KEPT = 400 * MB, 60 * MB


@pytest.fixture
def scene(tmp_path: Path, transactional_db: None, settings: Settings) -> Iterator[Scene]:
    settings.LAUNCH_JSON_BYTES = 25 * MB
    made = Scene(tmp_path, LAUNCH_DEADLINE_SECONDS="40")
    yield made
    made.close()


def _memory(pid: int, field: str) -> int:
    """Bytes that a process has in memory: `VmRSS` now, `VmHWM` at most so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition(f"{field}:")[2].split()[0]) * 1024


def _ask(scene: Scene, flow: str, payload: object, files: tuple[Upload, ...] = ()) -> Launch:
    order = launches.LaunchRequest(flow, "Large", payload, False, launches.ticket(), confirmed=True, files=files)
    launch = launches.create(audit_log.Actor(scene.users.owner), scene.users.place(scene.users.owner), order).launch
    assert launch is not None
    return launch


@pytest.mark.parametrize("shape", ["rows", "text", "files"])
def test_three_large_launches_at_once_keep_a_worker_small(scene: Scene, shape: str) -> None:
    flow = flows.make(scene.workflows, "Large", flows.code("echo"))
    worker = scene.stage.worker()
    scene.stage.beat()
    small = _ask(scene, flow, {"n": 0})
    until(scene.settled, "a small launch")
    start = _memory(worker.pid, "VmRSS")
    for number in range(3):
        if shape == "rows":
            _ask(scene, flow, {"n": number, "rows": [{"a": at} for at in range(24 * MB // 14)]})
        elif shape == "text":
            _ask(scene, flow, {"n": number, "text": "x" * (24 * MB)})
        else:
            attached = (Upload("a", "a.bin", "application/octet-stream", bytes([number]) * (20 * MB)),)
            _ask(scene, flow, {"n": number, "text": "x" * (MB // 2)}, attached)
    until(scene.settled, "three large launches")
    assert [scene.sent(one) for one in Launch.objects.defer("payload")] == [1] * 4, small.pk
    assert _memory(worker.pid, "VmHWM") < MOST
    assert _memory(worker.pid, "VmRSS") < start + KEPT

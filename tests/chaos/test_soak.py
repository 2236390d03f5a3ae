"""Half an hour of pages and launches, five a second: memory, open files, connections and rows stay flat after ten minutes.

SOAK_SECONDS is its length; the first third does not count. The report is a table in the test's output and, where SOAK_REPORT names a
file, there.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from tests import flows
from tests.chaos.people import answers, people_of
from tests.chaos.scene import Scene
from tests.chaos.stage import production, until
from workflows_ui.launches.models import Launch, State

LENGTH = float(os.environ.get("SOAK_SECONDS", "1800"))
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(LENGTH + 600),
]
#: Seconds between two turns of each of four people. A turn is a page, a form and a launch: about five requests a second in all.
PAUSE = 2.0
#: Samples of the report.
SAMPLES = 30
#: How much more than after the first third a process may hold in the end: of memory as a share, of files by number.
MORE_MEMORY, MORE_FILES, MORE_CONNECTIONS = 0.10, 10, 5
#: Tables that keep a record of everything that was done, and so grow.
RECORDS = {"workflows_ui_launch", "workflows_ui_auditevent", "workflows_ui_notice"}


@dataclass(frozen=True)
class Sample:
    """What is held at a moment: megabytes and files by process name, connections to the database, rows by table."""

    at: float
    memory: dict[str, float]
    files: dict[str, int]
    connections: int
    rows: dict[str, int]


@pytest.fixture
def scene(tmp_path: Path, transactional_db: None) -> Iterator[Scene]:
    made = Scene(tmp_path, LOG_LEVEL="WARNING", **production(tmp_path))
    made.stage.collect_static()
    yield made
    made.close()
    print(made.stage.logs())  # noqa: T201  (pytest shows it only where the test failed)


def _family(pid: int) -> list[int]:
    """A process and all that it has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _sample(started: float, processes: dict[str, int]) -> Sample:
    memory: dict[str, float] = {}
    files: dict[str, int] = {}
    for name, pid in processes.items():
        members = _family(pid)
        status = [Path(f"/proc/{one}/status").read_text(encoding="ascii") for one in members]
        memory[name] = sum(int(text.partition("VmRSS:")[2].split()[0]) for text in status) / 1024
        files[name] = sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in members)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        (connections,) = cursor.fetchone()
    rows = {model._meta.db_table: model._base_manager.count() for model in apps.get_models(include_auto_created=True)}
    return Sample(time.monotonic() - started, memory, files, connections, {name: n for name, n in rows.items() if n})


def _report(samples: list[Sample]) -> str:
    names = list(samples[0].memory)
    tables = sorted(
        {name for sample in samples for name in sample.rows if sample.rows[name] != samples[0].rows.get(name)}
    )
    head = ["minute", *(f"{name} MB" for name in names), *(f"{name} files" for name in names), "connections", *tables]
    lines = [head, ["---"] * len(head)]
    for sample in samples:
        memory = [f"{sample.memory[name]:.0f}" for name in names]
        files = [str(sample.files[name]) for name in names]
        rows = [str(sample.rows.get(name, 0)) for name in tables]
        lines.append([f"{sample.at / 60:.0f}", *memory, *files, str(sample.connections), *rows])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def test_half_an_hour_of_pages_and_launches_leaves_everything_flat(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    address = scene.stage.web("web")
    processes = {"web": scene.stage.last.pid}
    scene.stage.worker(threads=24)
    processes["worker"] = scene.stage.last.pid
    scene.stage.beat()
    processes["beat"] = scene.stage.last.pid
    until(lambda: answers(address), "the web server answers")
    crowd = people_of(scene, address, flow, PAUSE)
    for one in crowd:
        one.start()
    started, samples = time.monotonic(), []
    while (elapsed := time.monotonic() - started) < LENGTH:
        samples.append(_sample(started, processes))
        # The clock of the experiment: until the next sample is due.
        time.sleep(max(0.0, min(LENGTH, (elapsed // (LENGTH / SAMPLES) + 1) * LENGTH / SAMPLES) - elapsed))
    for one in crowd:
        one.stop()
    until(scene.settled, "every launch is settled", 120)
    samples.append(_sample(started, processes))
    statuses = sum((one.statuses for one in crowd), Counter[str]())
    report = f"{_report(samples)}\n\nAnswers: {dict(statuses)}, {sum(statuses.values()) / LENGTH:.1f} a second\n"
    print(report)  # noqa: T201  (the figures of the report)
    if os.environ.get("SOAK_REPORT"):
        Path(os.environ["SOAK_REPORT"]).write_text(report, encoding="utf-8")
    assert [problem for one in crowd for problem in one.wrong] == []
    launches = list(Launch.objects.all())
    assert {pk for one in crowd for pk in one.accepted} == {launch.pk for launch in launches}
    assert {launch.state for launch in launches} == {State.SUCCEEDED}
    sent = Counter(run["parentRunId"] for run in scene.engine.state.runs.values())
    assert {sent[launch.pk] for launch in launches} == {1}
    third = next(sample for sample in samples if sample.at >= LENGTH / 3)
    last = samples[-1]
    for name in processes:
        assert last.memory[name] <= third.memory[name] * (1 + MORE_MEMORY), name
        assert last.files[name] <= third.files[name] + MORE_FILES, name
    assert last.connections <= third.connections + MORE_CONNECTIONS
    grown = {name: n - third.rows.get(name, 0) for name, n in last.rows.items() if n > third.rows.get(name, 0) + 100}
    assert set(grown) <= RECORDS

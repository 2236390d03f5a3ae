"""The supervisor: starts again what ends unasked, gives up on what never lasts, ends in order, and kills what does not end."""

import os
import signal
import sys
from collections.abc import Callable

import pytest

from console import supervisor
from console.supervisor import Process, Supervisor
from tests.ground.running import wait_for

Line = tuple[str, str]
_STAYS = """
import signal, sys
def end(*_):
    print("asked", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
signal.pause()
"""
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause(); signal.pause()"
_BEARS = (
    "import signal, subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); "
    "print(child.pid, flush=True); signal.pause()"
)


def python(name: str, code: str, rank: int = 0) -> Process:
    """A process that runs a line of Python."""
    return Process(name, [sys.executable, "-c", code], rank)


@pytest.fixture
def lines() -> list[Line]:
    """What was said, in order."""
    return []


@pytest.fixture
def over(lines: list[Line]) -> Supervisor:
    """A supervisor that says everything into `lines`."""
    return Supervisor(dict(os.environ), lambda name, line: lines.append((name, line)))


def said(lines: list[Line], line: Line) -> Callable[[], bool]:
    """Whether a line has been said, for `keep` and `wait_for`."""
    return lambda: line in lines


def test_a_process_that_ends_unasked_is_started_again(over: Supervisor, lines: list[Line]) -> None:
    over.start(python("stays", _STAYS))
    wait_for(said(lines, ("stays", "up")), "the process")
    [process] = over._processes
    assert process.running
    process.running.kill()
    assert over.keep(until=lambda: lines.count(("stays", "up")) == 2)
    assert ("stays", "was killed (SIGKILL); starting it again") in lines
    assert over.stop()


def test_one_that_never_lasts_ends_everything(over: Supervisor, lines: list[Line]) -> None:
    over.start(python("stays", _STAYS))
    over.start(python("broken", "raise SystemExit(3)"))
    assert not over.keep(until=lambda: False)
    assert lines[-1] == ("broken", "ended with code 3, 3 times within a minute: stopping everything")
    assert over.stop()
    assert all(process.running and process.running.poll() is not None for process in over._processes)


def test_a_lower_rank_has_ended_before_the_next_is_asked(over: Supervisor, lines: list[Line]) -> None:
    for name, rank in [("engine", 2), ("web", 0), ("worker", 1)]:
        over.start(python(name, _STAYS, rank))
    assert over.keep(until=lambda: sum(line == "up" for _, line in lines) == 3)
    assert over.stop()
    assert [name for name, line in lines if line == "asked"] == ["web", "worker", "engine"]


def test_what_does_not_end_is_killed_and_named(
    over: Supervisor, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "STOP_TIME", 0.2)
    over.start(python("stubborn", _STUBBORN))
    assert over.keep(until=said(lines, ("stubborn", "up")))
    assert not over.stop()
    assert lines[-1] == ("stubborn", "does not end: killed")


def test_children_of_a_process_end_with_it(over: Supervisor, lines: list[Line]) -> None:
    over.start(python("bears", _BEARS))
    assert over.keep(until=lambda: bool(lines))
    child = int(lines[0][1])
    assert over.stop()
    wait_for(lambda: not alive(child), "the end of the child")


def test_a_signal_ends_the_keeping_and_its_echo_does_not_count(over: Supervisor) -> None:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        over.listen()
        asked: list[int] = []

        def ask() -> bool:
            if not asked:
                asked.extend([signal.SIGINT, signal.SIGTERM])
                for number in asked:
                    os.kill(os.getpid(), number)
            return False

        assert over.keep(until=ask)
        assert over.stopping
        assert over._asked == 1
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def alive(pid: int) -> bool:
    """Whether a process is there and not just waiting to be noticed as ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

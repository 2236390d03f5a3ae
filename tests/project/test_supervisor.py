"""The supervisor restarts processes that exit, gives up on those that keep exiting, stops in order, and kills what does not stop."""

import os
import signal
import sys
from collections.abc import Callable

import pytest

from console.dev.supervisor import Process, Supervisor
from tests.project.console_process import wait_for

Line = tuple[str, str]
_LASTING = """
import signal, sys
def end(*_):
    print("stopping", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
signal.pause()
"""
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause(); signal.pause()"
_PARENT = (
    "import signal, subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']); "
    "print(child.pid, flush=True); signal.pause()"
)


def python(name: str, code: str, stop_order: int = 0) -> Process:
    """A process that runs a line of Python."""
    return Process(name, [sys.executable, "-c", code], stop_order)


@pytest.fixture
def lines() -> list[Line]:
    """What was reported, in order."""
    return []


@pytest.fixture
def supervisor(lines: list[Line]) -> Supervisor:
    """A supervisor that reports into `lines`."""
    return Supervisor(dict(os.environ), lambda name, line: lines.append((name, line)))


def reported(lines: list[Line], line: Line) -> Callable[[], bool]:
    """A condition that a line has been reported, for `watch` and `wait_for`."""
    return lambda: line in lines


def test_a_process_that_exits_is_restarted(supervisor: Supervisor, lines: list[Line]) -> None:
    supervisor.start(python("lasting", _LASTING))
    wait_for(reported(lines, ("lasting", "up")), "the process")
    [process] = supervisor._processes
    process.running.kill()
    assert supervisor.watch(until=lambda: lines.count(("lasting", "up")) == 2)
    assert ("lasting", "was killed (SIGKILL); starting it again") in lines
    assert supervisor.stop()


def test_a_process_that_keeps_exiting_stops_everything(supervisor: Supervisor, lines: list[Line]) -> None:
    supervisor.start(python("lasting", _LASTING))
    supervisor.start(python("broken", "raise SystemExit(3)"))
    assert not supervisor.watch(until=lambda: False)
    assert lines[-1] == ("broken", "ended with code 3, 3 times within a minute: stopping everything")
    assert supervisor.stop()
    assert all(process.running.poll() is not None for process in supervisor._processes)


def test_processes_of_a_lower_order_have_exited_before_the_next_are_stopped(
    supervisor: Supervisor, lines: list[Line]
) -> None:
    for name, order in [("engine", 2), ("web", 0), ("worker", 1)]:
        supervisor.start(python(name, _LASTING, order))
    assert supervisor.watch(until=lambda: sum(line == "up" for _, line in lines) == 3)
    assert supervisor.stop()
    assert [name for name, line in lines if line == "stopping"] == ["web", "worker", "engine"]


def test_a_process_that_does_not_stop_is_killed_and_named(
    supervisor: Supervisor, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.dev.supervisor.STOP_SECONDS", 0.2)
    supervisor.start(python("stubborn", _STUBBORN))
    assert supervisor.watch(until=reported(lines, ("stubborn", "up")))
    assert not supervisor.stop()
    assert lines[-1] == ("stubborn", "does not end: killed")


def test_children_of_a_process_are_killed_with_it(supervisor: Supervisor, lines: list[Line]) -> None:
    supervisor.start(python("parent", _PARENT))
    assert supervisor.watch(until=lambda: bool(lines))
    child = int(lines[0][1])
    assert supervisor.stop()
    wait_for(lambda: not alive(child), "the end of the child")


def test_a_signal_ends_the_watch_and_its_echo_does_not_count(supervisor: Supervisor) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        supervisor.handle_signals()
        sent: list[int] = []

        def send() -> bool:
            if not sent:
                sent.extend([signal.SIGINT, signal.SIGTERM])
                for number in sent:
                    os.kill(os.getpid(), number)
            return False

        assert supervisor.watch(until=send)
        assert supervisor.stopping
        assert supervisor._signals == 1
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

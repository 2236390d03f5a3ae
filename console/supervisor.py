"""Keeps a handful of processes alive and ends them in order: the part of `make run` that does not know what they are.

Each process is the head of a session of its own, so that Ctrl-C in a terminal reaches this one only. Where the system can (Linux), a
process is told to end when this one dies, however it dies. One that ends unasked is started again; one that does so time and again
ends everything.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

#: So many unasked ends within so many seconds are too many.
ENDS, WITHIN = 3, 60.0
#: Seconds that processes get to end by themselves: a waiting launch's call may take most of it.
STOP_TIME = 60.0
_TURN = 0.1
_DEATH_SIGNAL = 1


@dataclass
class Process:
    """What to run. Those of a lower `rank` are asked to end first, and the next rank only once they have."""

    name: str
    command: list[str]
    rank: int = 0
    running: "subprocess.Popen[bytes] | None" = None
    ends: deque[float] = field(default_factory=lambda: deque(maxlen=ENDS))


class Supervisor:
    """Processes under one roof. `say` gets a process's name and a line, its own or one of ours about it."""

    def __init__(self, environment: dict[str, str], say: Callable[[str, str], None]) -> None:
        self._environment = environment
        self._say = say
        self._processes: list[Process] = []
        self._readers: list[threading.Thread] = []
        self._asked = 0
        self._asked_at = 0.0
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    @property
    def stopping(self) -> bool:
        """Whether a signal asked for the end."""
        return self._asked > 0

    def listen(self) -> None:
        """From now on SIGINT and SIGTERM ask for the end; a second one does not wait."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        # make and a shell pass the same signal on, so that one Ctrl-C may arrive twice.
        if time.monotonic() - self._asked_at > 1.0:
            self._asked += 1
            self._asked_at = time.monotonic()

    def start(self, process: Process) -> None:
        """Starts a process and takes it into care."""
        if process not in self._processes:
            self._processes.append(process)
        parent = os.getpid()
        libc = self._libc

        def die_with_parent() -> None:
            if libc is not None:
                libc.prctl(_DEATH_SIGNAL, signal.SIGTERM)
                if os.getppid() != parent:
                    os._exit(1)

        process.running = subprocess.Popen(
            process.command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        reader = threading.Thread(target=self._read, args=(process.name, process.running.stdout), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _read(self, name: str, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self._say(name, text)

    def keep(self, until: Callable[[], bool]) -> bool:
        """Looks after the processes until `until()` or a signal. False when one of them cannot be kept alive."""
        while not self.stopping and not until():
            for process in self._processes:
                if process.running is not None and process.running.poll() is not None and not self._revive(process):
                    return False
            time.sleep(_TURN)
        return True

    def _revive(self, process: Process) -> bool:
        assert process.running is not None  # noqa: S101
        how = _words(process.running.returncode)
        self._sweep(process)
        process.ends.append(time.monotonic())
        if len(process.ends) == ENDS and process.ends[-1] - process.ends[0] < WITHIN:
            self._say(process.name, f"{how}, {ENDS} times within a minute: stopping everything")
            return False
        self._say(process.name, f"{how}; starting it again")
        self.start(process)
        return True

    def stop(self) -> bool:
        """Ends all processes in order, and waits. False when one had to be killed."""
        clean = True
        until = time.monotonic() + STOP_TIME
        for rank in sorted({process.rank for process in self._processes}):
            alive = [process for process in self._processes if process.rank == rank and process.running is not None]
            for process in alive:
                self._signal(process, signal.SIGTERM)
            while any(_alive(process) for process in alive) and time.monotonic() < until and self._asked < 2:
                time.sleep(_TURN)
            for process in alive:
                if _alive(process):
                    clean = False
                    self._say(process.name, "does not end: killed")
                self._sweep(process)
        for reader in self._readers:
            reader.join(timeout=1)
        return clean

    @staticmethod
    def _signal(process: Process, number: int) -> None:
        if process.running is not None and process.running.poll() is None:
            process.running.send_signal(number)

    @staticmethod
    def _sweep(process: Process) -> None:
        """Kills what is left of a process's group, children of children included, and takes its exit code."""
        if process.running is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.running.pid, signal.SIGKILL)
        process.running.wait()


def _alive(process: Process) -> bool:
    return process.running is not None and process.running.poll() is None


def _words(code: int) -> str:
    return f"ended with code {code}" if code >= 0 else f"was killed ({signal.Signals(-code).name})"

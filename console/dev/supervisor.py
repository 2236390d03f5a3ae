"""Starts processes, restarts those that exit, and stops them in order: the part of `make run` that does not know what they do.

Each process leads a session of its own, so that Ctrl-C in a terminal reaches the supervisor only. On Linux the kernel terminates a
process when the supervisor dies, however it dies. A process that keeps exiting stops all of them.
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

#: A process that exits so many times within so many seconds is not restarted.
MAX_EXITS, EXIT_WINDOW = 3, 60.0
#: Seconds that the processes get to stop: the call of a launch may take most of this time.
STOP_SECONDS = 60.0
_POLL_SECONDS = 0.1
#: PR_SET_PDEATHSIG, from linux/prctl.h.
_SET_DEATH_SIGNAL = 1


@dataclass
class Process:
    """A command to run. Processes of a higher `stop_order` are stopped only after all lower ones have exited."""

    name: str
    command: list[str]
    stop_order: int = 0
    running: "subprocess.Popen[bytes]" = field(init=False)
    reader: threading.Thread = field(init=False)
    exits: deque[float] = field(default_factory=lambda: deque(maxlen=MAX_EXITS))

    @property
    def alive(self) -> bool:
        """Whether it has not exited since it was started."""
        return self.running.poll() is None


class Supervisor:
    """Runs processes with an environment. `report` gets a process's name and a line: its output, or what happened to it."""

    def __init__(self, environment: dict[str, str], report: Callable[[str, str], None]) -> None:
        self._environment = environment
        self._report = report
        self._processes: list[Process] = []
        self._signals = 0
        self._signalled_at = 0.0
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    @property
    def stopping(self) -> bool:
        """Whether a signal has been received."""
        return self._signals > 0

    def handle_signals(self) -> None:
        """From now on, SIGINT and SIGTERM end `watch`. After a second one, `stop` does not wait."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        # make and a shell forward the signal, so that one Ctrl-C may arrive twice.
        if time.monotonic() - self._signalled_at > 1.0:
            self._signals += 1
            self._signalled_at = time.monotonic()

    def start(self, process: Process) -> None:
        """Start a process, and restart it whenever it exits during `watch`."""
        parent, libc = os.getpid(), self._libc

        def die_with_parent() -> None:
            if libc is not None:
                libc.prctl(_SET_DEATH_SIGNAL, signal.SIGTERM)
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
        if process not in self._processes:
            self._processes.append(process)
        process.reader = threading.Thread(target=self._read, args=(process.name, process.running.stdout), daemon=True)
        process.reader.start()

    def _read(self, name: str, output: IO[bytes]) -> None:
        with output:
            for line in output:
                text = line.decode("utf-8", "replace").rstrip()
                if text:
                    self._report(name, text)

    def watch(self, until: Callable[[], bool]) -> bool:
        """Restart processes that exit, until `until()` or a signal. False if one of them keeps exiting."""
        while not self.stopping and not until():
            for process in self._processes:
                if not process.alive and not self._restart(process):
                    return False
            time.sleep(_POLL_SECONDS)
        return True

    def _restart(self, process: Process) -> bool:
        code = process.running.returncode
        reason = f"ended with code {code}" if code >= 0 else f"was killed ({signal.Signals(-code).name})"
        self._kill_group(process)
        process.exits.append(time.monotonic())
        if len(process.exits) == MAX_EXITS and process.exits[-1] - process.exits[0] < EXIT_WINDOW:
            self._report(process.name, f"{reason}, {MAX_EXITS} times within a minute: stopping everything")
            return False
        self._report(process.name, f"{reason}; starting it again")
        self.start(process)
        return True

    def stop(self) -> bool:
        """Stop all processes in order, and wait. False if one had to be killed."""
        clean = True
        deadline = time.monotonic() + STOP_SECONDS
        for order in sorted({process.stop_order for process in self._processes}):
            group = [process for process in self._processes if process.stop_order == order]
            for process in group:
                if process.alive:
                    process.running.send_signal(signal.SIGTERM)
            while any(process.alive for process in group) and time.monotonic() < deadline and self._signals < 2:
                time.sleep(_POLL_SECONDS)
            for process in group:
                if process.alive:
                    clean = False
                    self._report(process.name, "does not end: killed")
                self._kill_group(process)
            for process in group:
                # Its last lines are reported before those of the next. A process that left the group may keep the output open.
                process.reader.join(max(deadline - time.monotonic(), 1.0) if self._signals < 2 else 1.0)
        return clean

    @staticmethod
    def _kill_group(process: Process) -> None:
        """Kill what is left of a process's group, such as its children, and collect its exit code."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.running.pid, signal.SIGKILL)
        process.running.wait()

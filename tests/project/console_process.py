"""A console that a test starts from the command line, and its processes."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Seconds to wait for other processes before a test fails.
PATIENCE = 100.0
RUN_COMMAND = [sys.executable, "-m", "console.dev.run"]


def free_port() -> int:
    """A port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def minimal_environment(folder: Path, port: int) -> dict[str, str]:
    """An environment that sets nothing but a folder and a port, and leaves out the month of runs, which few tests need."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return environment | {"VAR_DIR": str(folder), "PORT": str(port), "PRACTICE_MONTH": "false"}


class ConsoleProcess:
    """A command that runs in a session of its own. `output` grows meanwhile."""

    def __init__(self, command: list[str], folder: Path, port: int, cwd: Path = ROOT, **settings: str) -> None:
        self.folder = folder
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=minimal_environment(folder, port) | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self._lines.append(line.decode("utf-8", "replace"))

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "".join(self._lines)

    def wait_for_output(self, text: str) -> None:
        """Wait until it has printed a text. Fails if it exits before."""
        wait_for(lambda: text in self.output or self.process.poll() is not None, lambda: f"{text!r} in:\n{self.output}")
        if text not in self.output:
            self._reader.join(5)
        assert text in self.output, self.output

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(self.address + path, timeout=10) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode("utf-8", "replace")

    def interrupt(self) -> int:
        """Send Ctrl-C as a terminal does, to the foreground process group. Return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        """Wait until it exits. Return the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(10)
        return code


@contextlib.contextmanager
def running_console(
    command: list[str], folder: Path, port: int, cwd: Path = ROOT, **settings: str
) -> Iterator[ConsoleProcess]:
    """Start a command, and leave none of its processes whatever the test does."""
    started = ConsoleProcess(command, folder, port, cwd, **settings)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            os.killpg(started.process.pid, signal.SIGKILL)
            started.wait()
        for pid in processes_of(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def processes_of(folder: Path) -> dict[int, str]:
    """Ids and commands of the processes whose VAR_DIR is the folder."""
    wanted = f"VAR_DIR={folder}".encode()
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
                if command:
                    found[int(entry.name)] = command
    return found


def wait_for(condition: Callable[[], bool], what: str | Callable[[], str]) -> None:
    """Wait for a condition that other processes bring about. `what` describes it, at the end of the wait if it is called."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what if isinstance(what, str) else what()}"
        time.sleep(0.1)

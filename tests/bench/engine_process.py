"""A practice engine in a process of its own, so that its time is not counted as the console's. Prints where it is, as JSON."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from practice_engine.engine import PracticeEngine
from practice_engine.server import serve
from tests.project.console_process import ROOT


@dataclass(frozen=True)
class Engine:
    """Where the engine is, and what opens it."""

    url: str
    project_id: str
    token: str


@contextmanager
def running() -> Iterator[Engine]:
    """Serve until the end of the context."""
    command = [sys.executable, "-m", "tests.bench.engine_process"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Engine(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


def main() -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    engine = PracticeEngine(clock_scale=0.01)
    engine.settings.flow_limit = 1e9
    server = serve(engine)
    found = Engine(server.url, engine.credentials.project_id, engine.credentials.bearer_token)
    sys.stdout.write(json.dumps(vars(found)) + "\n")
    sys.stdout.flush()
    stop.wait()
    server.stop()
    engine.close()


if __name__ == "__main__":
    main()

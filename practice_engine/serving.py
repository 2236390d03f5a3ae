"""The command that serves the practice engine until it is stopped: its options and its output."""

import argparse
import errno
import json
import signal
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from .engine import PracticeEngine
from .server import serve
from .state import Settings

CREDENTIALS = ("api_key", "bearer_token", "access_token", "control_token", "password")


class CannotServe(Exception):
    """Why, in one line."""


class Output(Protocol):
    def write(self, text: str, /) -> Any: ...
    def flush(self) -> Any: ...


def add_arguments(parser: argparse.ArgumentParser, *, clock_scale: float) -> None:
    """Add the options. Missing credentials are generated and stored in the state file."""
    parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--clock-scale", type=float, default=clock_scale, help="how long an engine second lasts")
    parser.add_argument("--state", type=Path, help="keep flows, runs and records in this file")
    parser.add_argument("--empty", action="store_true", help="start without sample data")
    parser.add_argument("--month", action="store_true", help="start with a month of runs, and go on with them")
    parser.add_argument(
        "--engine-version", default=Settings.version, help="which Activepieces to speak as: 0.72.4 or 0.83.0"
    )
    parser.add_argument("--credentials-file", type=Path, help="write all credentials here, as JSON, mode 0600")
    for name in CREDENTIALS:
        parser.add_argument(f"--{name.replace('_', '-')}", help="use this practice credential")


def serve_until_stopped(options: Mapping[str, Any], console_token: str, output: Output) -> None:
    """Serve both flavours: Activepieces at `/api`, the Imbrace gateway at `/imbrace`. Raises CannotServe.

    `console_token` is the console's credential, which no command line shows.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    credentials = {name: options[name] for name in CREDENTIALS if options[name]}
    if console_token:
        credentials.setdefault("bearer_token", console_token)
    try:
        engine = PracticeEngine(
            options["clock_scale"],
            state_file=options["state"],
            samples=not options["empty"],
            month=options["month"],
            given=credentials,
            version=options["engine_version"],
        )
    except (ValueError, OSError) as error:
        raise CannotServe(str(error)) from error
    try:
        server = serve(engine, options["port"], options["host"])
    except OSError as error:
        engine.clock.stop()
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(f"Port {options['port']} is in use. Choose another one with --port.") from error
        raise CannotServe(f"Cannot listen on {options['host']}:{options['port']}: {error.strerror}.") from error
    if file := options["credentials_file"]:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps({"url": server.url, **asdict(engine.credentials)}, indent=1), encoding="utf-8")
    output.write(f"Practice engine at {server.url}/api (Activepieces) and {server.url}/imbrace (gateway)\n")
    output.flush()
    stop.wait()
    server.stop()
    engine.close()

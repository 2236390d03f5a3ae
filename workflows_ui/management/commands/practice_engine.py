"""`manage.py practice_engine --port N`: serves the practice engine until it is stopped."""

import argparse
import errno
import json
import signal
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from workflows_ui.practice_engine import PracticeEngine, Settings, serve

CREDENTIALS = ("api_key", "bearer_token", "access_token", "control_token", "password")


class Command(BaseCommand):
    """Serves both flavours: Activepieces at `/api`, the Imbrace gateway at `/imbrace`."""

    help = "Serve the practice engine: a stand-in for a workflow engine, for practice workspaces and tests."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options. Missing credentials are generated and stored in the state file."""
        parser.formatter_class = argparse.ArgumentDefaultsHelpFormatter
        parser.add_argument("--port", type=int, default=8765)
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--clock-scale", type=float, default=settings.PRACTICE_CLOCK_SCALE, help="how long an engine second lasts"
        )
        parser.add_argument("--state", type=Path, help="keep flows, runs and records in this file")
        parser.add_argument("--empty", action="store_true", help="start without sample data")
        parser.add_argument(
            "--engine-version", default=Settings.version, help="which Activepieces to speak as: 0.72.4 or 0.83.0"
        )
        parser.add_argument("--credentials-file", type=Path, help="write all credentials here, as JSON, mode 0600")
        for name in CREDENTIALS:
            parser.add_argument(f"--{name.replace('_', '-')}", help="use this practice credential")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            engine = PracticeEngine(
                options["clock_scale"],
                state_file=options["state"],
                samples=not options["empty"],
                given=self._credentials(options),
                version=options["engine_version"],
            )
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error
        try:
            server = serve(engine, options["port"], options["host"])
        except OSError as error:
            engine.clock.stop()
            if error.errno == errno.EADDRINUSE:
                raise CommandError(f"Port {options['port']} is in use. Choose another one with --port.") from error
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {error.strerror}.") from error
        if options["credentials_file"]:
            _write(options["credentials_file"], {"url": server.url, **asdict(engine.credentials)})
        self.stdout.write(f"Practice engine at {server.url}/api (Activepieces) and {server.url}/imbrace (gateway)")
        self.stdout.flush()
        stop.wait()
        server.stop()
        engine.close()

    @staticmethod
    def _credentials(options: dict[str, Any]) -> dict[str, str]:
        """The credentials from the options; the console's credential is a setting, so that no command line shows it."""
        credentials = {name: options[name] for name in CREDENTIALS if options[name]}
        if settings.PRACTICE_ENGINE_TOKEN:
            credentials.setdefault("bearer_token", settings.PRACTICE_ENGINE_TOKEN)
        return credentials


def _write(file: Path, content: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")

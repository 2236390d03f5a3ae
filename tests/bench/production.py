"""The environment of a console as in production: without DEBUG, static files collected."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.project.console_process import ROOT


def environment(of_tests: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment variables of its processes; `of_tests` are those of a test (child_environment)."""
    found = {
        **of_tests,
        "DEBUG": "false",
        "VAR_DIR": str(folder),
        "ALLOW_HTTP": "true",
        "BASE_URL": "http://127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1",
        "ENGINE_PRIVATE_NETWORKS": "127.0.0.0/8",
        "STATIC_ROOT": str(folder / "static"),
    }
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=found, check=True)
    return found

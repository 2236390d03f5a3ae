"""`make check`: everything that can be said about the code without running its tests. All checks run, several at a time.

Templates are linted, not reformatted: djlint puts white space inside buttons and titles, where it shows.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Settings of a production console. Nothing listens at these addresses, and nothing connects to them.
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "console.settings",
    "SECRET_KEY": "only-for-the-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ",
    "CREDENTIAL_KEYS": "b25seS1mb3ItdGhlLWNoZWNrLW9ubHktZm9yLWNoZWM=",
    "AUDIT_KEY": "only-for-the-check-audit-0123456789-abcdefghijklmnopqrstuv",
    "BASE_URL": "https://console.example.com",
    "ALLOWED_HOSTS": "console.example.com",
    "DATABASE_URL": "postgres://console@127.0.0.1:1/console",
    "CACHE_URL": "redis://127.0.0.1:1/0",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/1",
}
#: The slowest first, so that none of them is left alone at the end.
CHECKS = (
    "mypy",
    "bandit -q -ll -r console practice_engine workflows_ui",
    "python manage.py makemigrations --check --dry-run --no-input",
    "python manage.py check --deploy --fail-level WARNING",
    "djlint --lint --quiet templates",
    "python -m console.dev.translations check",
    "lint-imports",
    "ruff format --check .",
    "ruff check .",
)


def main() -> int:
    """0 if every check passed."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = os.environ | PRODUCTION | {"VAR_DIR": folder, "PATH": path}
        passed = list(pool.map(lambda command: _run(command, environment), CHECKS))
    failed = [command for command, result in zip(CHECKS, passed, strict=True) if not result]
    sys.stdout.write("\n" + ("\n".join(f"FAILED: {command}" for command in failed) or "All checks passed.") + "\n")
    return 1 if failed else 0


def _run(command: str, environment: dict[str, str]) -> bool:
    """Run a command, print whether it passed, and what it printed if it did not."""
    started = time.monotonic()
    result = subprocess.run(
        shlex.split(command), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    passed = result.returncode == 0
    output = "" if passed else f"{result.stdout}{result.stderr}\n"
    sys.stdout.write(f"{'ok    ' if passed else 'FAILED'} {command} ({time.monotonic() - started:.1f} s)\n{output}")
    sys.stdout.flush()
    return passed


if __name__ == "__main__":
    sys.exit(main())

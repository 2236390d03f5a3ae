"""`make check`: what can be said about the code without running its tests. All checks are made, and any of them can fail.

Templates are linted, not reformatted: the formatter puts white space inside buttons and titles, where it shows.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Settings as a production console has them; nothing listens at these addresses, and nothing is asked.
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
_PYTHON = [sys.executable, "-W", "ignore::RuntimeWarning"]
_MODULE = [sys.executable, "-m"]
CHECKS: dict[str, list[str]] = {
    "format (ruff)": [*_MODULE, "ruff", "format", "--check", "."],
    "lint (ruff)": [*_MODULE, "ruff", "check", "."],
    "types (mypy)": [*_MODULE, "mypy"],
    "import directions (import-linter)": [str(Path(sys.executable).with_name("lint-imports"))],
    "settings (check --deploy)": [*_PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "migrations": [*_PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
    "templates (djlint)": [*_MODULE, "djlint", "--lint", "--quiet", "templates"],
    "translations": [*_MODULE, "console.translations", "check"],
    "security (bandit)": [*_MODULE, "bandit", "-q", "-ll", "-r", "console", "workflows_ui"],
}


def main() -> int:
    """0 when every check passed."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        environment = os.environ | PRODUCTION | {"VAR_DIR": folder}
        results = list(pool.map(lambda name: _run(name, environment), CHECKS))
    failed = [name for name, passed in zip(CHECKS, results, strict=True) if not passed]
    sys.stdout.write(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All checks passed.'}\n")
    return 1 if failed else 0


def _run(name: str, environment: dict[str, str]) -> bool:
    started = time.monotonic()
    result = subprocess.run(
        CHECKS[name],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = result.returncode == 0
    output = "" if passed else f"{result.stdout.rstrip()}\n\n"
    sys.stdout.write(f"{'ok    ' if passed else 'FAILED'} {name} ({time.monotonic() - started:.1f} s)\n{output}")
    sys.stdout.flush()
    return passed


if __name__ == "__main__":
    sys.exit(main())

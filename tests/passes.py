"""Runs the tests as `make test` does: once on SQLite, once on PostgreSQL and Redis where both are found; then says what was not run.

`python -m tests.passes [sqlite | servers] [--marks chaos] [-- options of pytest]`. Ends with 1 when a test failed, or when CI=true and
something that tests need is missing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import needs

#: Parallel processes a core: tests wait for answers more than they compute.
PROCESSES_A_CORE = 2
#: More than this finds no more databases in a small Redis or PostgreSQL.
MOST_PROCESSES = 6
_OK, _NO_TESTS = 0, 5


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.passes")
    parser.add_argument("on", nargs="?", choices=["sqlite", "servers"])
    parser.add_argument("--marks", choices=["chaos", "bench"])
    split = arguments.index("--") if "--" in arguments else len(arguments)
    asked, options = parser.parse_args(arguments[:split]), arguments[split + 1 :]
    not_run: list[str] = []
    failed: list[str] = []
    missing = {name: _missing(name) for name in ([asked.on] if asked.on else ["sqlite", "servers"])}
    found = [name for name, lack in missing.items() if not lack]
    not_run += [f"the whole pass on PostgreSQL and Redis: {lack}" for lack in missing.values() if lack]
    if len(found) == len(("sqlite", "servers")):
        os.environ["TEST_BOTH_PASSES"] = "1"
    failed += [name for name in found if not _pass(name, asked.marks, options, not_run)]
    in_ci = os.environ.get("CI", "").lower() == "true"
    if not_run:
        sys.stdout.write("\nNot run:\n" + "".join(f"  {line}\n" for line in dict.fromkeys(not_run)))
        if in_ci and any("no PostgreSQL" in line or "no Redis" in line or "no Chromium" in line for line in not_run):
            failed.append("something needed is missing, which CI=true does not allow")
    sys.stdout.write(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All passes succeeded.'}\n")
    return 1 if failed else 0


def _missing(name: str) -> str:
    if name == "sqlite":
        return ""
    problems = []
    for need in (needs.postgres, needs.redis_server):
        try:
            need()
        except needs.Missing as missing:
            problems.append(str(missing))
    return "; ".join(problems)


def _pass(name: str, marks: str | None, options: list[str], not_run: list[str]) -> bool:
    """Whether one pass succeeded; what it left out is added to `not_run`."""
    sys.stdout.write(f"\n=== Tests on {'SQLite' if name == 'sqlite' else 'PostgreSQL and Redis'} ===\n")
    sys.stdout.flush()
    # What kills processes or measures runs alone.
    processes = 1 if marks else min((os.cpu_count() or 1) * PROCESSES_A_CORE, MOST_PROCESSES)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        str(processes if processes > 1 else 0),
        "--dist",
        "loadgroup",
    ]
    if marks:
        command += ["-m", marks]
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8") as file:
        environment = os.environ | {"TEST_ON": name, "TEST_NOT_RUN_FILE": file.name}
        # Else every process of the tests compiles all of the console, and of the tests, for itself.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        code = subprocess.run([*command, *options], env=environment, check=False).returncode
        not_run += [f"{line.strip()} (on {name})" for line in Path(file.name).read_text(encoding="utf-8").splitlines()]
    return code in {_OK, _NO_TESTS} if marks else code == _OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`make test`: runs the tests on SQLite, those that depend on the database on PostgreSQL and Redis, and lists what was not run.

`python -m tests.run [sqlite | servers] [--full | --marks chaos] [-- options of pytest]`. `--full` includes what is marked `slow`, and
runs what depends on the database on both.
Exits with 1 if a test failed, or if CI=true and a prerequisite is missing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests import prerequisites

#: Parallel processes beyond one per core: tests in a browser wait while others compute. Each process first imports and collects everything.
EXTRA_PROCESSES = 3
#: More would exceed the databases of a small Redis or the connections of a small PostgreSQL.
MAX_PROCESSES = 8
_OK, _NO_TESTS = 0, 5


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.run")
    parser.add_argument("on", nargs="?", choices=["sqlite", "servers"])
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--full", action="store_true")
    kind.add_argument("--marks", choices=["chaos", "bench"])
    split = arguments.index("--") if "--" in arguments else len(arguments)
    asked, options = parser.parse_args(arguments[:split]), arguments[split + 1 :]
    not_run: list[str] = []
    failed: list[str] = []
    missing = {name: _missing(name) for name in ([asked.on] if asked.on else ["sqlite", "servers"])}
    found = [name for name, lack in missing.items() if not lack]
    not_run += [f"the whole pass on PostgreSQL and Redis: {lack}" for lack in missing.values() if lack]
    marks = asked.marks or ("" if asked.full else "not slow")
    for name in found:
        # At every commit, a test that depends on the database runs on one of them where there are both.
        once = marks == "not slow" and name == "sqlite" and "servers" in found
        if not _pass(name, f"{marks} and not both_databases" if once else marks, options, not_run):
            failed.append(name)
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
    for need in (prerequisites.postgres, prerequisites.redis_server):
        try:
            need()
        except prerequisites.Missing as missing:
            problems.append(str(missing))
    return "; ".join(problems)


def _pass(name: str, marks: str, options: list[str], not_run: list[str]) -> bool:
    """Whether a pass succeeded. What was skipped is added to `not_run`."""
    sys.stdout.write(f"\n=== Tests on {'SQLite' if name == 'sqlite' else 'PostgreSQL and Redis'} ===\n")
    sys.stdout.flush()
    # Tests that kill processes or measure run alone.
    alone = marks in {"chaos", "bench"}
    processes = 1 if alone else min((os.cpu_count() or 1) + EXTRA_PROCESSES, MAX_PROCESSES)
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
        # Otherwise every process would compile all modules itself.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        code = subprocess.run([*command, *options], env=environment, check=False).returncode
        not_run += [f"{line.strip()} (on {name})" for line in Path(file.name).read_text(encoding="utf-8").splitlines()]
    return code in {_OK, _NO_TESTS} if alone else code == _OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

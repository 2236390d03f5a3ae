"""`make test`: runs the tests on SQLite, beside it those that depend on the database on PostgreSQL and Redis, and lists what was not run.

`python -m tests.run [sqlite | servers] [--ci | --full | --marks chaos] [-- options of pytest]`. `--ci` includes what is marked `slow`, and
runs what depends on the database on both; `--full` also includes what is `left_out`: most of the cases of sampled tests.
Exits with 1 if a test failed, or if CI=true and a prerequisite is missing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests import prerequisites

#: Parallel processes beyond one per core, since tests wait for servers and browsers while others compute: of a pass that runs alone, and
#: of the two that run beside each other. Each process first imports and collects everything.
EXTRA_PROCESSES = 3
EXTRA_PROCESSES_BESIDE = {"sqlite": 2, "servers": 0}
#: More would exceed the databases of a small Redis or the connections of a small PostgreSQL.
MAX_PROCESSES = 8
#: So many modules of tests are not worth a compilation ahead.
_FEW_MODULES = 50
_OK, _NO_TESTS = 0, 5


def main(arguments: list[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.run")
    parser.add_argument("on", nargs="?", choices=["sqlite", "servers"])
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--ci", action="store_true")
    kind.add_argument("--full", action="store_true")
    kind.add_argument("--marks", choices=["chaos", "bench"])
    split = arguments.index("--") if "--" in arguments else len(arguments)
    asked, options = parser.parse_args(arguments[:split]), arguments[split + 1 :]
    not_run: list[str] = []
    failed: list[str] = []
    missing = {name: _missing(name) for name in ([asked.on] if asked.on else ["sqlite", "servers"])}
    found = [name for name, lack in missing.items() if not lack]
    not_run += [f"the whole pass on PostgreSQL and Redis: {lack}" for lack in missing.values() if lack]
    marks = asked.marks or ("" if asked.full else "not left_out" if asked.ci else "not slow")
    # At every commit, a test that depends on the database runs on one of them where there are both.
    once = marks == "not slow" and "servers" in found
    # Tests that kill processes or measure run one after the other, alone.
    alone = bool(asked.marks)

    def run(name: str) -> Outcome:
        more = EXTRA_PROCESSES_BESIDE[name] if len(found) > 1 else EXTRA_PROCESSES
        processes = 1 if alone else min((os.cpu_count() or 1) + more, MAX_PROCESSES)
        shown = marks + " and not both_databases" if once and name == "sqlite" else marks
        return _pass(name, shown, options, processes, seen=alone or name == found[0])

    if not alone and not options:
        _compile()
    with ThreadPoolExecutor(1 if alone else len(found)) as pool:
        for name, outcome in zip(found, pool.map(run, found), strict=True):
            sys.stdout.write(outcome.output)
            not_run += outcome.not_run
            if outcome.code not in ({_OK, _NO_TESTS} if alone else {_OK}):
                failed.append(name)
    in_ci = os.environ.get("CI", "").lower() == "true"
    if not_run:
        sys.stdout.write("\nNot run:\n" + "".join(f"  {line}\n" for line in dict.fromkeys(not_run)))
        if in_ci and any("no PostgreSQL" in line or "no Redis" in line or "no Chromium" in line for line in not_run):
            failed.append("something needed is missing, which CI=true does not allow")
    sys.stdout.write(f"\n{'FAILED: ' + ', '.join(failed) if failed else 'All passes succeeded.'}\n")
    return 1 if failed else 0


def _compile() -> None:
    """Have pytest compile the modules of tests that it has not compiled yet, once for all parallel processes."""
    folder = Path(__file__).parent
    modules = [module for module in folder.rglob("test_*.py") if not _is_compiled(module)]
    cores = os.cpu_count() or 1
    if len(modules) < _FEW_MODULES:
        return
    parts = [[str(module) for module in modules[part::cores]] for part in range(cores)]
    collect = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--collect-only"]
    started = [subprocess.Popen([*collect, *part], env=_environment(), stdout=subprocess.DEVNULL) for part in parts]
    for process in started:
        process.wait()


def _is_compiled(module: Path) -> bool:
    """Whether pytest has compiled this version of a module of tests."""
    compiled = module.parent.glob(f"__pycache__/{module.stem}.*-pytest-*.pyc")
    return any(file.stat().st_mtime >= module.stat().st_mtime for file in compiled)


def _environment() -> dict[str, str]:
    """The environment of pytest. Without compiled modules on disk, every process would compile all of them."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


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


class Outcome(NamedTuple):
    """How a pass ended: its exit code, what was skipped, and its output if nobody saw it."""

    code: int
    not_run: list[str]
    output: str


def _pass(name: str, marks: str, options: list[str], processes: int, *, seen: bool) -> Outcome:
    """Run a pass. If it is `seen`, its output appears as it comes."""
    title = f"\n=== Tests on {'SQLite' if name == 'sqlite' else 'PostgreSQL and Redis'} ===\n"
    if seen:
        sys.stdout.write(title)
        sys.stdout.flush()
    parallel = ["-n", str(processes if processes > 1 else 0), "--dist", "loadgroup"]
    command = [sys.executable, "-m", "pytest", "-q", *parallel, *(["-m", marks] if marks else []), *options]
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8") as file:
        environment = _environment() | {"TEST_ON": name, "TEST_NOT_RUN_FILE": file.name}
        output = None if seen else subprocess.PIPE
        done = subprocess.run(command, env=environment, check=False, stdout=output, text=True)
        not_run = [f"{line.strip()} (on {name})" for line in Path(file.name).read_text(encoding="utf-8").splitlines()]
        return Outcome(done.returncode, not_run, "" if seen else title + done.stdout)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

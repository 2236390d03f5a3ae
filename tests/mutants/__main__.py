"""Puts a sample of the faults of an area into copies of the code, one at a time, and lists those that no test of the area detects.

    python -m tests.mutants access --sample 60 --seed 1 --processes 2

Each fault meets the tests that run its line, the quickest first, until one fails.
"""

import argparse
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from cosmic_ray.testing import run_tests
from cosmic_ray.work_item import TestOutcome

from tests.mutants.areas import AREAS, Area
from tests.mutants.mutations import Mutant, mutants

_ROOT = Path(__file__).parent.parent.parent
_PYTEST = f"{sys.executable} -m pytest -q -x --no-header --tb=short"
#: Kept between runs: the test database, so that migrations are applied once.
_VAR = Path("var/mutants")
#: Seconds that tests may take beyond four times those without a fault, since a fault may make a loop that never ends.
_PATIENCE = 30.0


def explained() -> dict[tuple[str, str], str]:
    """The kind of each survivor that has a reason, by module and change."""
    blocks = Path(__file__).with_name("explained.txt").read_text(encoding="utf-8").strip().split("\n\n")[1:]
    heads = [block.partition("\n") for block in blocks]
    return {(head.partition(" ")[2], change): head.partition(" ")[0] for head, _, change in heads}


def _copy(folder: str) -> None:
    """Makes a copy of the working tree for this process, and works in it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout
    copy = Path(tempfile.mkdtemp(dir=folder))
    for name in filter(None, listed.split("\0")):
        if (_ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, copy / name)
    os.chdir(copy)
    os.environ["TEST_VAR_DIR"] = str(copy / _VAR)


def _run(arguments: str, timeout: float) -> tuple[bool, str]:
    """Whether tests pass in this process's copy, and the end of what they printed."""
    shutil.rmtree(_VAR / "main", ignore_errors=True)
    _VAR.mkdir(parents=True, exist_ok=True)
    outcome, output = run_tests(f"{_PYTEST} {arguments}", timeout)
    return outcome == TestOutcome.SURVIVED, output[-2000:]


class Covered:
    """Which tests run a line, and how long they take, from the file of the plugin `covering`."""

    def __init__(self, found: Mapping[str, tuple[float, Mapping[str, Iterable[int]]]]) -> None:
        self.seconds = {test: seconds for test, (seconds, _modules) in found.items()}
        self._tests: dict[tuple[str, int], set[str]] = defaultdict(set)
        for test, (_seconds, modules) in found.items():
            for module, lines in modules.items():
                for line in lines:
                    self._tests[module, line].add(test)

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests that run a fault, the quickest first; all for what runs when a module is imported."""
        found = set().union(*(self._tests.get((mutant.module, line), set()) for line in mutant.lines))
        return sorted(found or ([] if mutant.inside else self.seconds), key=self.seconds.__getitem__)


def _mutants(area: Area) -> list[Mutant]:
    return [one for module, lines in area.modules.items() for one in mutants(f"workflows_ui/{module}", lines)]


def _cover(area: Area) -> Covered:
    """Runs the area's tests without a fault. Raises SystemExit if one fails."""
    os.environ["MUTANTS_MODULES"] = " ".join(f"workflows_ui/{module}" for module in area.modules)
    os.environ["MUTANTS_FILE"] = str(Path("covered.json").resolve())
    tests = " ".join(f"tests/{name}" for name in area.tests.split())
    passed, output = _run(f"-p tests.mutants.covering -m 'not slow and not browser' {tests}", 1800)
    if not passed:
        sys.exit(f"Fails without a fault: {output}")
    return Covered(json.loads(Path("covered.json").read_text(encoding="utf-8")))


def _survives(mutant: Mutant, tests: list[str], seconds: float) -> str:
    """What the fault changes, if no test detects it; else ""."""
    path = Path(mutant.module)
    source = path.read_text(encoding="utf-8")
    changed = mutant.code(source)
    Path("tests.txt").write_text("\n".join(tests), encoding="utf-8")
    path.write_text(changed, encoding="utf-8")
    try:
        passed = not tests or _run("@tests.txt", 4 * seconds + _PATIENCE)[0]
    finally:
        path.write_text(source, encoding="utf-8")
    return _change(source, changed) if passed else ""


def _change(source: str, changed: str) -> str:
    """The lines that differ, each after - or +."""
    lines = list(difflib.unified_diff(source.splitlines(), changed.splitlines(), n=0, lineterm=""))[2:]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "-+" and line[1:].strip())


def _test(name: str, sample: int, seed: int, pool: ProcessPoolExecutor) -> int:
    """Tests an area; the number of survivors that are not explained."""
    area = AREAS[name]
    found = pool.submit(_mutants, area).result()
    chosen = random.Random(seed).sample(found, min(sample or len(found), len(found)))
    covered = pool.submit(_cover, area).result()
    jobs = []
    for mutant in chosen:
        tests = covered.tests(mutant)
        jobs.append((mutant, pool.submit(_survives, mutant, tests, sum(map(covered.seconds.__getitem__, tests)))))
    figures: Counter[str] = Counter()
    reasons = explained()
    for mutant, job in jobs:
        change = job.result()
        reason = (mutant.module, change) in reasons
        figures["explained" if reason else "survived" if change else "killed"] += 1
        if change and not reason:
            _say(f"{mutant.module}:{mutant.line} {mutant.operator}\n{change}\n")
    counts = ", ".join(f"{figures[kind]} {kind}" for kind in ("killed", "explained", "survived"))
    _say(f"{name}: {len(found)} mutants, {len(chosen)} tested: {counts}")
    return figures["survived"]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    """Exits with 1 if faults survive that are not explained."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("areas", nargs="*", help=f"of {', '.join(AREAS)}; all without one")
    parser.add_argument("--sample", type=int, default=60, help="faults of each area; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="console-mutants-") as folder,
        ProcessPoolExecutor(given.processes, initializer=_copy, initargs=(folder,)) as pool,
    ):
        survived = sum(_test(name, given.sample, given.seed, pool) for name in given.areas or AREAS)
    sys.exit(1 if survived else 0)


if __name__ == "__main__":
    main()

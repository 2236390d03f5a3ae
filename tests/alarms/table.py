"""Writes the tables of docs/alarms.md from made-up flows: `python -m tests.alarms.table`, in some minutes."""

import hashlib
from datetime import timedelta
from pathlib import Path

from tests.alarms import rhythms
from tests.alarms.rhythms import CHECKING, FLOWS, RUNS, Flow, RunsResult, try_flow, try_runs
from workflows_ui.alarms import detection, profiles

PAGE = Path(__file__).resolve().parents[2] / "docs" / "alarms.md"
BEGIN, END = "<!-- begin of the tables -->\n", "<!-- end of the tables -->\n"
#: Made-up flows of each kind.
SEEDS = list(CHECKING)[:6]
#: The console learns every day; what is older is worse.
LEARN_EVERY = timedelta(weeks=1)


def sources() -> str:
    """A digest of the detection and the made-up flows: the tables are made again when one of them changes."""
    files = (Path(str(module.__file__)) for module in (detection, profiles, rhythms))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def flow_row(flow: Flow) -> str:
    """The line of a kind of flows."""
    found = try_flow(flow, SEEDS, LEARN_EVERY)
    return (
        f"| {flow.name} | {found.a_month:.2f} | {found.notified / found.months:.2f} | {found.worst} | {_median(found.delays):.1f} | "
        f"{100 * found.in_time:.0f} % | {100 * found.notified_in_time:.0f} % | {found.missed} |\n"
    )


def _runs_row(name: str, found: RunsResult) -> str:
    after = (_median([float(number) for number in numbers]) for numbers in (found.failing_after, found.longer_after))
    failing, longer = (f"{value:.0f}" for value in after)
    return (
        f"| {name} | {found.failing / found.months:.2f} | {failing} | {found.longer / found.months:.2f} | {longer} |\n"
    )


def tables() -> str:
    """Both tables, with the digest of what they were made of."""
    text = "| rhythm | false alarms a month | notified | most in 30 days | found after usual pauses | within two | notified within two "
    text += "| not found |\n"
    text += "|---|---|---|---|---|---|---|---|\n"
    text += "".join(flow_row(flow) for flow in FLOWS)
    text += "\n| hourly runs | false: fails more, a month | found after runs | false: longer, a month | found after runs |\n"
    text += "|---|---|---|---|---|\n"
    text += "".join(_runs_row(kind.name, try_runs(kind, SEEDS)) for kind in RUNS)
    return f"{text}\n<!-- made of {sources()} -->\n"


def written() -> str:
    """The tables in the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def main() -> None:
    """Write the page again."""
    before, _begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + tables() + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()

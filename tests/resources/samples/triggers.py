"""The figures of one app's triggers, as recording `trigger_runs_status` has them; the app's name comes from the catalogue."""

from typing import Any

from tests.engine.servers import Reply
from tests.resources.samples import NAME, Sample
from tests.stub_engine import StubEngine

DAY = {"success": 6, "failure": 1}
PATH = "/trigger-runs/status"


class _OfAll(Sample):
    """All figures come at once, by the pieces' whole names."""

    def fill(self, stub_engine: StubEngine, name: str = NAME, **more: Any) -> None:
        """Puts the figures of one app in the stub engine, and the app into the catalogue."""
        self.put(stub_engine, self.row(name) | more)
        stub_engine.rows["/pieces"] = [{"name": NAME, "displayName": name, "description": "", "version": "1.0.0"}]

    def put(self, stub_engine: StubEngine, row: dict[str, Any]) -> None:
        """Puts these figures in the stub engine, whatever they are, beside an empty catalogue."""
        stub_engine.faults[PATH] = Reply(200, {"pieces": {NAME: row}})
        stub_engine.rows["/pieces"] = []
        stub_engine.arrays.add("/pieces")


SAMPLE = _OfAll(
    PATH,
    lambda _name: {"dailyStats": {"2026-11-24": DAY}, "totalRuns": 7},
    (PATH, "/pieces"),
    named=NAME,
    filter="failures=yes",
    odd_filter="failures=perhaps",
    huge={"note": "y" * 3_000_000},
)

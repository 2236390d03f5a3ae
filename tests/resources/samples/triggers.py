"""The figures of one app's triggers, as recording `trigger_runs_status` has them; the app's name comes from the catalogue."""

from typing import Any

from tests.engine.servers import Reply
from tests.resources.samples import NAME, Sample
from tests.shelf import Shelf

DAY = {"success": 6, "failure": 1}
PATH = "/trigger-runs/status"


class _OfAll(Sample):
    """All figures come at once, by the pieces' whole names."""

    def fill(self, shelf: Shelf, name: str = NAME, **more: Any) -> None:
        """Puts the figures of one app on the shelf, and the app into the catalogue."""
        self.put(shelf, self.row(name) | more)
        shelf.rows["/pieces"] = [{"name": NAME, "displayName": name, "description": "", "version": "1.0.0"}]

    def put(self, shelf: Shelf, row: dict[str, Any]) -> None:
        """Puts these figures on the shelf, whatever they are, beside an empty catalogue."""
        shelf.faults[PATH] = Reply(200, {"pieces": {NAME: row}})
        shelf.rows["/pieces"] = []
        shelf.arrays.add("/pieces")


SAMPLE = _OfAll(
    PATH,
    lambda _name: {"dailyStats": {"2026-11-24": DAY}, "totalRuns": 7},
    (PATH, "/pieces"),
    named=NAME,
    filter="failures=yes",
    odd_filter="failures=perhaps",
    huge={"note": "y" * 3_000_000},
)

"""The sample flows: one for each thing that a launch can meet, as the engine would export them."""

import copy
from dataclasses import dataclass, field
from functools import cache

from workflows_ui.practice_engine import ids
from workflows_ui.practice_engine.data_files import read_data
from workflows_ui.practice_engine.http import Json


@dataclass
class SampleFlow:
    """One sample flow, the one with this ``number`` in its project. Its id follows from ``slug`` and never changes.

    ``payload`` is what one would launch it with. ``state``: live, disabled, draft (never published) or changed (with
    unpublished changes). ``run_count`` runs started within the last two weeks.
    """

    project: str
    number: int
    slug: str
    name: str
    folder: str | None
    trigger: Json
    payload: Json
    state: str = "live"
    tags: list[str] = field(default_factory=list)
    run_count: int = 0
    other_payloads: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The flow's id."""
        return ids.named_id(f"flow {self.slug}")


@cache
def sample_flows() -> dict[str, SampleFlow]:
    """Return the flows of both companies by slug, made once per process."""
    companies = copy.deepcopy(read_data("samples/flows.json"))
    return {
        row["slug"]: SampleFlow(ids.named_id(f"project {company}"), number, **row)
        for company, rows in companies.items()
        for number, row in enumerate(rows)
    }

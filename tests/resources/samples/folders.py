"""A folder, with the keys of recording `folders_list`: its number of flows is a text."""

from tests.resources.samples import Sample
from tests.stub_engine import identity

_MADE = "2026-11-24T22:37:51.391Z"

SAMPLE = Sample(
    "/folders",
    lambda name: {
        "id": identity(1),
        "created": _MADE,
        "updated": _MADE,
        "displayName": name,
        "displayOrder": 0,
        "numberOfFlows": "2",
    },
    ("/folders",),
    huge={"note": "y" * 3_000_000},
)

"""A piece, with the keys of recording `pieces_list`; actions and triggers as the whole one has them."""

from typing import Any

from tests.resources.samples import Sample
from tests.stub_engine import identity

PIECE = "@activepieces/piece-twilio"


def piece(name: str = "Twilio", **changes: Any) -> dict[str, Any]:
    """A whole piece; the list takes its maps for counts."""
    row: dict[str, Any] = {
        "id": identity(1),
        "created": "2026-11-24T22:34:05.907Z",
        "updated": "2026-11-24T22:34:05.908Z",
        "name": PIECE,
        "displayName": name,
        "authors": ["somebody"],
        "logoUrl": "https://cdn.example/twilio.png",
        "description": "Sends messages",
        "version": "0.2.0",
        "auth": None,
        "actions": {},
        "triggers": {},
        "pieceType": "OFFICIAL",
        "categories": ["COMMUNICATION"],
        "projectUsage": 0,
    }
    return row | changes


SAMPLE = Sample(
    "/pieces",
    lambda name: piece(name),
    ("/pieces",),
    named=PIECE,
    filter="can=triggers",
    odd_filter="category=NO_SUCH_CATEGORY",
    array=True,
    asked={"connection": "yes"},
    huge={"metadata": {"note": "y" * 3_000_000}},
    versions={"mcp-tool": "0.72.4"},
)

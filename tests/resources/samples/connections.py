"""A connection, with the keys of recording `conn_list_piece`. Its page finds it in the list: the call for one tells the secret."""

from typing import Any

from tests.resources.samples import Sample
from tests.stub_engine import StubEngine, identity

_MADE = "2026-11-24T22:41:42.659Z"


class _WithApps(Sample):
    """The names of apps come from the list of pieces, which is there."""

    def put(self, stub_engine: StubEngine, row: dict[str, Any]) -> None:
        """Puts this object in the stub engine, beside an empty catalogue."""
        super().put(stub_engine, row)
        stub_engine.rows["/pieces"] = []
        stub_engine.arrays.add("/pieces")


def connection(number: int = 1, name: str = "Twilio SMS", **changes: Any) -> dict[str, Any]:
    """A connection as the list gives it."""
    row: dict[str, Any] = {
        "id": identity(number),
        "created": _MADE,
        "updated": _MADE,
        "externalId": f"external-{number}",
        "displayName": name,
        "type": "BASIC_AUTH",
        "pieceName": "@activepieces/piece-twilio",
        "projectIds": ["P" * 21],
        "scope": "PROJECT",
        "status": "ACTIVE",
        "ownerId": identity(9),
        "owner": {"id": identity(9), "email": "admin@example.com", "firstName": "Ada", "lastName": "Admin"},
        "metadata": None,
        "flowIds": [],
    }
    return row | changes


SAMPLE = _WithApps(
    "/app-connections",
    lambda name: connection(name=name),
    ("/app-connections", "/pieces"),
    filter="status=ERROR",
    odd_filter="status=NO_SUCH_STATE",
    huge={"metadata": {"note": "y" * 3_000_000}},
    asked={"app": "@activepieces/piece-gmail"},
    has_own_call=False,
)

"""An invitation, with the keys of recording `invites_list_platform_after`; the engine has no call for one."""

from typing import Any

from tests.resources.samples import Sample
from tests.stub_engine import identity

_SENT = "2026-11-24T22:41:45.066Z"


def invitation(email: str = "member@example.com", **changes: Any) -> dict[str, Any]:
    """An invitation onto the whole engine."""
    row = {"id": identity(1), "created": _SENT, "updated": _SENT, "email": email, "status": "PENDING"}
    row |= {"type": "PLATFORM", "platformId": "S" * 21, "platformRole": "MEMBER"}
    return row | {"projectId": None, "projectRoleId": None, "projectRole": None} | changes


SAMPLE = Sample(
    "/user-invitations",
    invitation,
    ("/user-invitations",),
    filter="status=ACCEPTED",
    odd_filter="type=ORGANIZATION",
    asked={"type": "PLATFORM"},
    huge={"note": "y" * 3_000_000},
    has_own_call=False,
)

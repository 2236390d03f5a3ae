"""Credentials, and the headers that each of them becomes.

Objects are frozen, compare by value and never show their secret in `repr`, `str` or an f-string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

_PLAIN = re.compile(r"[\x21-\x7e]+")


class Credential(Protocol):
    """Whatever `Client(auth=...)` takes."""

    def headers(self) -> dict[str, str]:
        """The headers that prove who calls, lower-case names. A new dictionary each time."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """The texts that must never be shown; messages are cleared of them."""
        ...


def _checked(value: str, what: str) -> str:
    """`value` without surrounding space. Raises ValueError if it is empty or could not stand in a header."""
    value = value.strip()
    if not _PLAIN.fullmatch(value):
        raise ValueError(f"The {what} is empty or holds characters that a header cannot carry.")
    return value


@dataclass(frozen=True)
class ApiKey:
    """An Imbrace API key (`api_...`). The key belongs to one organization, so none is named (api.md 2.1)."""

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", _checked(self.key, "API key"))

    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key}

    def secrets(self) -> tuple[str, ...]:
        return (self.key,)


@dataclass(frozen=True)
class AccessToken:
    """An Imbrace access token, opaque (`acc_...`) or a JWT; which headers it becomes: api.md 2.1.

    A JWT without an organization goes out as `x-access-token`, as the vendor's SDK sends it; the gateway refuses it.
    """

    token: str = field(repr=False)
    organization_id: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", _checked(self.token, "access token"))
        organization = _checked(self.organization_id, "organization id") if self.organization_id else None
        object.__setattr__(self, "organization_id", organization)

    @property
    def is_jwt(self) -> bool:
        """True for three dot-parts that start with `eyJ`."""
        return self.token.startswith("eyJ") and len(self.token.split(".")) == 3

    def headers(self) -> dict[str, str]:
        organization = {"x-organization-id": self.organization_id} if self.organization_id else {}
        if self.is_jwt and self.organization_id:
            return {"authorization": f"Bearer {self.token}", **organization}
        return {"x-access-token": self.token, **organization}

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


@dataclass(frozen=True)
class BearerToken:
    """Activepieces' own: the JWT of a sign-in, or an `sk-` key of the paid editions.

    The word is sent as `Bearer`: the engine takes a lower-case `bearer` for no credential (recording `err_lowercase_bearer`).
    """

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", _checked(self.token, "token"))

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


@dataclass(frozen=True)
class Nobody:
    """No credential at all, for signing in. `typed` is what is about to be sent (a password, a code), so that no message repeats it."""

    typed: tuple[str, ...] = field(default=(), repr=False)

    def headers(self) -> dict[str, str]:
        return {}

    def secrets(self) -> tuple[str, ...]:
        return self.typed

"""Credentials, and their headers.

Objects are frozen, compare by value and never show their secret in `repr`, `str` or an f-string.
"""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

_PLAIN = re.compile(r"[\x21-\x7e]+")


class Credential(Protocol):
    """The interface of `Client(auth=...)`."""

    def headers(self) -> dict[str, str]:
        """The headers that authenticate a call, with lower-case names, as a new dictionary."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """The texts that must never be shown; they are removed from messages."""
        ...


def _header_value(value: str, label: str) -> str:
    """`value` without surrounding space. Raises ValueError if it is empty or not valid in a header."""
    value = value.strip()
    if not _PLAIN.fullmatch(value):
        raise ValueError(f"The {label} is empty or holds characters that a header cannot carry.")
    return value


@dataclass(frozen=True)
class ApiKey:
    """An Imbrace API key (`api_...`). It belongs to one organization, so no header names one (api.md 2.1)."""

    key: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", _header_value(self.key, "API key"))

    def headers(self) -> dict[str, str]:
        return {"x-api-key": self.key}

    def secrets(self) -> tuple[str, ...]:
        return (self.key,)


@dataclass(frozen=True)
class _Token:
    """A credential of one text. Raises ValueError unless a header can carry it."""

    label: ClassVar[str]
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "token", _header_value(self.token, self.label))

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)


@dataclass(frozen=True)
class AccessToken(_Token):
    """An Imbrace access token, opaque (`acc_...`) or a JWT; its headers: api.md 2.1.

    A JWT without an organization is sent as `x-access-token`, as the vendor's SDK sends it; the gateway refuses it.
    """

    label = "access token"
    organization_id: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        organization = _header_value(self.organization_id, "organization id") if self.organization_id else None
        object.__setattr__(self, "organization_id", organization)

    @property
    def is_jwt(self) -> bool:
        """Whether the token has three parts and begins with `eyJ`."""
        return self.token.startswith("eyJ") and len(self.token.split(".")) == 3

    def headers(self) -> dict[str, str]:
        organization = {"x-organization-id": self.organization_id} if self.organization_id else {}
        if self.is_jwt and self.organization_id:
            return {"authorization": f"Bearer {self.token}", **organization}
        return {"x-access-token": self.token, **organization}


@dataclass(frozen=True)
class BearerToken(_Token):
    """A credential of Activepieces: the JWT of a sign-in, or an `sk-` key of the paid editions.

    The scheme is sent as `Bearer`: the engine does not accept a lower-case `bearer` (recording `err_lowercase_bearer`).
    """

    label = "token"

    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}

    @property
    def user_id(self) -> str:
        """The engine's user in the claims of a sign-in's JWT; "" for other tokens."""
        payload = claims(self.token)
        user_id = payload.get("id")
        return user_id if isinstance(user_id, str) and payload.get("type", "USER") == "USER" else ""


@dataclass(frozen=True)
class Anonymous:
    """No credential, for signing in. `typed` holds the password or code that will be sent, so that no message repeats it."""

    typed: tuple[str, ...] = field(default=(), repr=False)

    def headers(self) -> dict[str, str]:
        return {}

    def secrets(self) -> tuple[str, ...]:
        return self.typed


def claims(token: str) -> dict[str, Any]:
    """The claims of a JWT, without a check of its signature; {} for any other text."""
    parts = token.strip().split(".")
    if len(parts) != 3:
        return {}
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}

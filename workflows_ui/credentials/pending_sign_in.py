"""Credentials that wait for the choice of an organization or a project: sealed rows, for minutes, for one person."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils.crypto import get_random_string

from workflows_ui.accounts.models import User
from workflows_ui.core import crypto
from workflows_ui.credentials.services.credential_tests import Draft

#: Seconds for the choice.
KEPT = 900


@dataclass(frozen=True)
class Pending:
    """A login token, the organizations as (id, name), and the rest of the input, which need not be entered again."""

    base: str
    environment: str
    address: str
    name: str
    email: str
    workspace: str
    organizations: list[tuple[str, str]]
    login: str = field(repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class PendingDraft:
    """A valid secret with the rest of the input, and its projects as (id, name). `likely` is one of their ids, or ""."""

    draft: Draft
    projects: list[tuple[str, str]]
    likely: str


def keep(user: User, pending: Pending) -> str:
    """Store a sign-in; returns its name for the next page."""
    return _keep(user, "organization", asdict(pending))


def find(user: User, name: str) -> Pending | None:
    """The sign-in of this name, if this person began it and it has not expired."""
    values = _find(user, "organization", name)
    return Pending(**values | {"organizations": _pairs(values["organizations"])}) if values else None


def forget(user: User, name: str) -> None:
    """Delete a sign-in, after its login token was used."""
    cache.delete(_key(user, "organization", name))


def keep_draft(user: User, pending: PendingDraft) -> str:
    """Store a tested secret; returns its name for the next page."""
    ends_at = pending.draft.ends_at.isoformat() if pending.draft.ends_at else None
    return _keep(user, "project", asdict(pending) | {"draft": asdict(pending.draft) | {"ends_at": ends_at}})


def find_draft(user: User, name: str) -> PendingDraft | None:
    """The secret of this name, if this person entered it and it has not expired."""
    values = _find(user, "project", name)
    if values is None:
        return None
    ends_at = values["draft"]["ends_at"]
    draft = Draft(**values["draft"] | {"ends_at": datetime.fromisoformat(ends_at) if ends_at else None})
    return PendingDraft(draft, _pairs(values["projects"]), values["likely"])


def forget_draft(user: User, name: str) -> None:
    """Delete a tested secret, after it was saved."""
    cache.delete(_key(user, "project", name))


def _keep(user: User, what: str, values: dict[str, Any]) -> str:
    name = get_random_string(32)
    key = _key(user, what, name)
    cache.set(key, crypto.seal(json.dumps(values), key), KEPT)
    return name


def _find(user: User, what: str, name: str) -> dict[str, Any] | None:
    key = _key(user, what, name)
    sealed = cache.get(key)
    return dict(json.loads(crypto.unseal(sealed, key))) if sealed else None


def _pairs(rows: list[list[str]]) -> list[tuple[str, str]]:
    return [(id_, name) for id_, name in rows]


def _key(user: User, what: str, name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"sign-in:{what}:{user.pk}:{digest}"

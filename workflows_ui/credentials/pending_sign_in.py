"""Credentials that wait for the choice of an organization or a project: sealed rows, for minutes, for one person."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.core.cache import cache
from django.utils.crypto import get_random_string

from workflows_ui.accounts.models import User
from workflows_ui.core import crypto
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services.credential_tests import Choice, Draft

#: Seconds for the choice.
KEPT = 900
#: What is to be chosen.
ORGANIZATION, PROJECT = "organization", "project"


@dataclass(frozen=True)
class Pending:
    """The input, which need not be entered again, and the choices; `likely` is one of their ids, or "".

    For the choice of an organization, the draft's secret is the login token.
    """

    draft: Draft
    choices: Sequence[Choice]
    likely: str = ""
    #: Whether what the credential may do is checked next.
    guided: bool = False


def keep(user: User, what: str, pending: Pending) -> str:
    """Store a credential that waits for a choice; returns its name for the next page."""
    name = get_random_string(32)
    key = _key(user, what, name)
    cache.set(key, crypto.seal(json.dumps(asdict(pending), default=datetime.isoformat), key), KEPT)
    return name


def find_pending(user: User, what: str, name: str) -> Pending | None:
    """The credential of this name, if this person entered it, it has not expired, and it can be read."""
    key = _key(user, what, name)
    sealed = cache.get(key)
    if not sealed:
        return None
    try:
        values = json.loads(crypto.unseal(sealed, key))
        draft, ends_at = values["draft"], values["draft"]["ends_at"]
        draft["ends_at"] = datetime.fromisoformat(ends_at) if ends_at else None
        choices = [Choice(*choice) for choice in values["choices"]]
        return Pending(Draft(**draft), choices, values["likely"], values["guided"])
    except (CannotOpen, KeyError, TypeError):
        # Stored by another version of the console, or sealed with a key that is gone.
        return None


def forget(user: User, what: str, name: str) -> None:
    """Delete a credential, after its login token was used, or it was saved."""
    cache.delete(_key(user, what, name))


def _key(user: User, what: str, name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"sign-in:{what}:{user.pk}:{digest}"

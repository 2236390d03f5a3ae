"""Sign-ins that wait for the choice of an organization: kept sealed for minutes, for the person who signed in and nobody else."""

import hashlib
import json
from dataclasses import asdict, dataclass, field

from django.core.cache import cache
from django.utils.crypto import get_random_string

from workflows_ui import crypto
from workflows_ui.models import User

#: Seconds that a person has to choose.
KEPT = 900


@dataclass(frozen=True)
class Pending:
    """A login token, the organizations as (id, name), and what else was typed: enough to go on without asking anything twice."""

    base: str
    environment: str
    address: str
    name: str
    email: str
    workspace: str
    organizations: list[tuple[str, str]]
    login: str = field(repr=False)
    password: str = field(default="", repr=False)


def keep(user: User, pending: Pending) -> str:
    """Keeps it, and gives the name by which the next page finds it."""
    name = get_random_string(32)
    key = _key(user, name)
    cache.set(key, crypto.seal(json.dumps(asdict(pending)), key), KEPT)
    return name


def find(user: User, name: str) -> Pending | None:
    """The one of this name, where this person began it minutes ago."""
    key = _key(user, name)
    sealed = cache.get(key)
    if not sealed:
        return None
    found = json.loads(crypto.unseal(sealed, key))
    return Pending(**found | {"organizations": [(one, called) for one, called in found["organizations"]]})


def forget(user: User, name: str) -> None:
    """Its login token was spent."""
    cache.delete(_key(user, name))


def _key(user: User, name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"sign-in:organization:{user.pk}:{digest}"

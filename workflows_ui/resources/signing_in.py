"""Sign-ins at apps on the way to an OAuth2 connection: kept sealed for minutes, between the app's page and the form that ends it.

Two random names stand for one sign-in: the `state` that goes to the app and comes back, and the `ticket` by which the form finds the
code. Both find it only for the same credential in the same workspace.
"""

import hashlib
import json
from dataclasses import asdict

from django.core.cache import cache
from django.utils.crypto import get_random_string

from workflows_ui import crypto
from workflows_ui.kit.caller import Caller
from workflows_ui.resources.oauth_forms import SignIn

#: Seconds that a person has to sign in at the app, and to finish the form: codes of most apps live no longer.
BEGUN, DONE = 1800, 600


def begin(caller: Caller, sign_in: SignIn) -> str:
    """Keeps a sign-in that is about to be made, and gives its state."""
    return _keep(caller, "state", sign_in, BEGUN)


def arrived(caller: Caller, state: str, code: str) -> tuple[SignIn, str] | None:
    """The sign-in of this state, once, and the ticket under which it waits with its code; None where none was begun, or long ago."""
    begun = _read(caller, "state", state)
    cache.delete(_key(caller, "state", state))
    if begun is None:
        return None
    done = SignIn(**{**asdict(begun), "code": code})
    return done, _keep(caller, "ticket", done, DONE)


def begun(caller: Caller, state: str) -> SignIn | None:
    """The sign-in of this state, where it has not come back yet."""
    return _read(caller, "state", state)


def found(caller: Caller, ticket: str, piece: str, connection: str) -> SignIn | None:
    """The sign-in with this ticket, if it was made for this app and connection ("" for a new one)."""
    sign_in = _read(caller, "ticket", ticket)
    fits = sign_in is not None and (sign_in.piece, sign_in.connection) == (piece, connection)
    return sign_in if fits else None


def forget(caller: Caller, ticket: str) -> None:
    """Its code was used."""
    cache.delete(_key(caller, "ticket", ticket))


def _keep(caller: Caller, kind: str, sign_in: SignIn, seconds: int) -> str:
    name = get_random_string(43)
    key = _key(caller, kind, name)
    cache.set(key, crypto.seal(json.dumps(asdict(sign_in)), key), seconds)
    return name


def _read(caller: Caller, kind: str, name: str) -> SignIn | None:
    key = _key(caller, kind, name)
    sealed = cache.get(key) if name else None
    return SignIn(**json.loads(crypto.unseal(sealed, key))) if sealed else None


def _key(caller: Caller, kind: str, name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"sign-in:{kind}:{caller.workspace.pk}:{caller.credential_id}:{digest}"

"""Sign-ins at apps on the way to an OAuth2 connection: encrypted and cached for minutes, between the app's page and the
form that completes it.

Two random names identify a sign-in: the `state` that goes to the app and comes back, and the `ticket` by which the form
finds the code. Both are valid only for the same credential in the same workspace.
"""

import hashlib
import json
from dataclasses import asdict

from django.core.cache import cache
from django.utils.crypto import get_random_string

from workflows_ui.core import crypto
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resources.connections.oauth_forms import SignIn

#: Seconds for signing in at the app, and for finishing the form: codes of most apps expire by then.
BEGUN, DONE = 1800, 600


def begin(session: EngineSession, sign_in: SignIn) -> str:
    """Store a sign-in that is about to begin, and return its state."""
    return _store(session, "state", sign_in, BEGUN)


def complete(session: EngineSession, state: str, code: str) -> tuple[SignIn, str] | None:
    """The sign-in of this state, once, with the ticket for its code; None if none was begun, or it has expired."""
    sign_in = _read(session, "state", state)
    cache.delete(_key(session, "state", state))
    if sign_in is None:
        return None
    completed = SignIn(**{**asdict(sign_in), "code": code})
    return completed, _store(session, "ticket", completed, DONE)


def pending(session: EngineSession, state: str) -> SignIn | None:
    """The sign-in of this state, if it has not come back yet."""
    return _read(session, "state", state)


def find_sign_in(session: EngineSession, ticket: str, piece: str, connection: str) -> SignIn | None:
    """The sign-in with this ticket, if it was made for this app and connection ("" for a new one)."""
    sign_in = _read(session, "ticket", ticket)
    fits = sign_in is not None and (sign_in.piece, sign_in.connection) == (piece, connection)
    return sign_in if fits else None


def forget(session: EngineSession, ticket: str) -> None:
    """Delete a sign-in whose code was used."""
    cache.delete(_key(session, "ticket", ticket))


def _store(session: EngineSession, kind: str, sign_in: SignIn, seconds: int) -> str:
    name = get_random_string(43)
    key = _key(session, kind, name)
    cache.set(key, crypto.seal(json.dumps(asdict(sign_in)), key), seconds)
    return name


def _read(session: EngineSession, kind: str, name: str) -> SignIn | None:
    key = _key(session, kind, name)
    sealed = cache.get(key) if name else None
    return SignIn(**json.loads(crypto.unseal(sealed, key))) if sealed else None


def _key(session: EngineSession, kind: str, name: str) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"sign-in:{kind}:{session.workspace.pk}:{session.credential_id}:{digest}"

"""Single sign-on's wire: what an OpenID Connect provider says, asked for and checked. Knows no person of ours.

The authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207). The ID token's
signature is always verified, whatever way it came. No redirect is followed, and no answer larger than a megabyte is read.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests
import urllib3
from django.conf import settings
from django.core.cache import cache

#: Signatures by a key pair only: with a shared secret whoever knows it could sign for the provider, and "none" is none.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_TIMEOUT = (5, 10)
_LARGEST = 1024 * 1024
_REMEMBERED = 600
#: How far the clocks of console and provider may be apart, in seconds.
_LEEWAY = 60
#: A way to the provider and back may take so many seconds.
FLOW_SECONDS = 600


class SignOnError(Exception):
    """The provider did not do what it should, or what came back is not what was asked for. The text is for the log."""


@dataclass(frozen=True)
class Flow:
    """One way to the provider and back, kept sealed in the browser meanwhile."""

    state: str
    nonce: str
    verifier: str
    next_url: str
    begun_at: float

    @property
    def over(self) -> bool:
        """Whether it took too long."""
        return not 0 <= time.time() - self.begun_at <= FLOW_SECONDS


@dataclass(frozen=True)
class Claims:
    """What the provider says of somebody. `email` is empty unless the provider has verified it."""

    issuer: str
    subject: str
    email: str = ""
    unverified: bool = False
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    groups: frozenset[str] = frozenset()
    #: The provider says (`amr`, RFC 8176) that it asked for more than one factor.
    stepped: bool = False


def new_flow(next_url: str) -> Flow:
    """A new way to the provider; every part of it is random and used once."""
    return Flow(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next_url=next_url,
        begun_at=time.time(),
    )


def authorization_url(flow: Flow, redirect_uri: str) -> str:
    """Where the browser is sent. Raises SignOnError where the provider cannot be asked where that is."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": "openid email profile groups" if _speaks_of_groups() else "openid email profile",
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = str(_configuration()["authorization_endpoint"])
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


def finish(flow: Flow, redirect_uri: str, *, code: str, state: str, issuer: str = "") -> Claims:
    """Exchanges the code and checks everything that came back. Raises SignOnError.

    `issuer` is the parameter `iss` of the answer, where the provider sends it (RFC 9207).
    """
    if not hmac.compare_digest(flow.state.encode(), state.encode()):
        raise SignOnError("state is not the one that was sent")
    if flow.over:
        raise SignOnError("the way to the provider and back took too long")
    if issuer and issuer != settings.OIDC_ISSUER:
        raise SignOnError("the answer names another issuer")
    tokens = _exchange(code, flow.verifier, redirect_uri)
    told = _verified(str(tokens.get("id_token") or ""), flow.nonce)
    return _claims(told | _more(told, str(tokens.get("access_token") or "")))


def _configuration() -> dict[str, Any]:
    """What the provider says of itself (OpenID Connect Discovery 1.0), remembered for ten minutes."""
    key = f"oidc:{hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()[:20]}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _get(f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != settings.OIDC_ISSUER:
            raise SignOnError(f"the provider calls itself {found.get('issuer')!r}, OIDC_ISSUER is another")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _same_scheme(name, str(found.get(name) or ""))
        cache.set(key, found, _REMEMBERED)
    return found


def _same_scheme(name: str, address: str) -> None:
    wanted = urlsplit(settings.OIDC_ISSUER).scheme
    if urlsplit(address).scheme not in {wanted, "https"}:
        raise SignOnError(f"{name} of the provider is no {wanted} address")


def _speaks_of_groups() -> bool:
    return "groups" in _list(_configuration().get("scopes_supported"))


def _exchange(code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
    configuration = _configuration()
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "client_id": settings.OIDC_CLIENT_ID,
    }
    # Basic is what a provider understands that does not say (OpenID Connect Discovery 1.0, section 3).
    methods = _list(configuration.get("token_endpoint_auth_methods_supported")) or ["client_secret_basic"]
    basic = None
    if "client_secret_post" in methods:
        sent["client_secret"] = settings.OIDC_CLIENT_SECRET
    else:
        basic = (settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
    return _call("POST", str(configuration["token_endpoint"]), data=sent, auth=basic)


def _verified(token: str, nonce: str) -> dict[str, Any]:
    """The claims of an ID token whose signature, issuer, audience, times and nonce are right (Core, section 3.1.3.7)."""
    try:
        header = jwt.get_unverified_header(token)
        told: dict[str, Any] = jwt.decode(
            token,
            key=_signing_key(str(header.get("kid") or "")),
            algorithms=ALGORITHMS,
            audience=settings.OIDC_CLIENT_ID,
            issuer=settings.OIDC_ISSUER,
            leeway=_LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except jwt.PyJWTError as problem:
        raise SignOnError(f"the ID token is not right: {problem}") from problem
    if not hmac.compare_digest(str(told.get("nonce") or "").encode(), nonce.encode()):
        raise SignOnError("the ID token is not the answer to this sign-in (nonce)")
    audiences = told["aud"] if isinstance(told["aud"], list) else [told["aud"]]
    if told.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID or (
        len(audiences) > 1 and "azp" not in told
    ):
        raise SignOnError("the ID token was made for another client (azp)")
    if not told["sub"]:
        raise SignOnError("the ID token names nobody")
    return told


def _signing_key(key_id: str) -> jwt.PyJWK:
    """The provider's key with this id; the only one where the token names none."""
    try:
        keys = jwt.PyJWKSet.from_dict(_get(str(_configuration()["jwks_uri"]))).keys
    except jwt.PyJWTError as problem:
        raise SignOnError(f"the provider's keys cannot be read: {problem}") from problem
    usable = [key for key in keys if key.public_key_use in {None, "sig"}]
    found = [key for key in usable if key.key_id == key_id] if key_id else usable
    if len(found) != 1:
        raise SignOnError("the ID token was signed by no key of the provider")
    return found[0]


def _more(told: dict[str, Any], access_token: str) -> dict[str, Any]:
    """What the provider says at its userinfo address, where the ID token leaves out the e-mail address; of the same person only."""
    address = str(_configuration().get("userinfo_endpoint") or "")
    if told.get("email") or not address or not access_token:
        return {}
    _same_scheme("userinfo_endpoint", address)
    more = _get(address, headers={"Authorization": f"Bearer {access_token}"})
    if more.get("sub") != told["sub"]:
        raise SignOnError("the userinfo is of somebody else")
    kept = ("email", "email_verified", "preferred_username", "given_name", "family_name", "name", "groups")
    return {name: more[name] for name in kept if name in more and not told.get(name)}


def _claims(told: dict[str, Any]) -> Claims:
    # Some providers send the word instead of the value; anything else than a plain yes is no.
    verified = told.get("email_verified") is True or told.get("email_verified") == "true"
    email = str(told.get("email") or "").strip().lower()
    first, _space, last = str(told.get("name") or "").partition(" ")
    return Claims(
        issuer=str(told["iss"]),
        subject=str(told["sub"]),
        email=email if verified and email.count("@") == 1 else "",
        unverified=bool(email) and not verified,
        username=str(told.get("preferred_username") or ""),
        first_name=str(told.get("given_name") or first),
        last_name=str(told.get("family_name") or last),
        groups=frozenset(_list(told.get("groups"))),
        stepped="mfa" in _list(told.get("amr")),
    )


def _list(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _get(address: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return _call("GET", address, headers=headers)


def _call(method: str, address: str, **more: Any) -> dict[str, Any]:
    """The JSON object that an address of the provider answers with."""
    # Without an `auth` of its own requests would put in what a .netrc file says.
    more.setdefault("auth", None)
    more["auth"] = more["auth"] or _as_it_is
    try:
        with requests.request(
            method, address, timeout=_TIMEOUT, allow_redirects=False, stream=True, **more
        ) as response:
            body = response.raw.read(_LARGEST + 1, decode_content=True)
            if response.status_code != 200:
                raise SignOnError(f"the provider answered {response.status_code} at {urlsplit(address).path}")
            if len(body) > _LARGEST:
                raise SignOnError("the provider's answer is too large")
            found = json.loads(body)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, RecursionError) as problem:
        raise SignOnError(f"the provider cannot be asked: {type(problem).__name__}") from problem
    if not isinstance(found, dict):
        raise SignOnError("the provider's answer is no JSON object")
    return found


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request

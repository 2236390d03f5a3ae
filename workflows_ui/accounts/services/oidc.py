"""OpenID Connect client for single sign-on: requests to the provider and validation of its responses. Uses no models.

The authorization code flow with PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9207). The ID token's
signature is always verified. No redirect is followed, and no response larger than a megabyte is read.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlencode, urlsplit

import jwt
import requests
import urllib3
from django.conf import settings

from workflows_ui.core.caching import answers

#: Asymmetric signatures only: with a shared secret, every holder could sign for the provider, and "none" is no signature.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_TIMEOUT = (5, 10)
_LARGEST = 1024 * 1024
_CACHE_SECONDS = 600
#: Tolerated difference between the clocks of console and provider, in seconds.
_LEEWAY = 60
#: Maximum seconds from the redirect to the provider until the return.
FLOW_SECONDS = 600


class SignOnError(Exception):
    """The provider failed, or its response is invalid. The message is for the log."""


@dataclass(frozen=True)
class Flow:
    """One sign-in in progress, kept sealed in a cookie of the browser."""

    next_url: str
    state: str = field(default_factory=secrets.token_urlsafe)
    nonce: str = field(default_factory=secrets.token_urlsafe)
    verifier: str = field(default_factory=partial(secrets.token_urlsafe, 48))
    begun_at: float = field(default_factory=time.time)

    @property
    def expired(self) -> bool:
        return not 0 <= time.time() - self.begun_at <= FLOW_SECONDS


@dataclass(frozen=True)
class Claims:
    """The provider's claims about a person. `email` is empty unless the provider has verified it."""

    issuer: str
    subject: str
    email: str = ""
    unverified: bool = False
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    groups: frozenset[str] = frozenset()
    #: Whether the provider reports more than one factor (`amr`, RFC 8176).
    stepped: bool = False


def authorization_url(flow: Flow, redirect_uri: str) -> str:
    """The URL for the redirect of the browser. Raises SignOnError if the provider's configuration is unavailable."""
    configuration = _configuration()
    groups = "groups" in _list(configuration.get("scopes_supported"))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": settings.OIDC_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": "openid email profile groups" if groups else "openid email profile",
        "state": flow.state,
        "nonce": flow.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    address = str(configuration["authorization_endpoint"])
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


def finish(flow: Flow, redirect_uri: str, *, code: str, state: str, issuer: str = "") -> Claims:
    """Exchange the code and validate the response. Raises SignOnError.

    `issuer` is the parameter `iss` of the response, if the provider sends it (RFC 9207).
    """
    if not hmac.compare_digest(flow.state.encode(), state.encode()):
        raise SignOnError("state is not the one that was sent")
    if flow.expired:
        raise SignOnError("the way to the provider and back took too long")
    if issuer and issuer != settings.OIDC_ISSUER:
        raise SignOnError("the answer names another issuer")
    tokens = _exchange(code, flow.verifier, redirect_uri)
    claims = _verify_token(str(tokens.get("id_token") or ""), flow.nonce)
    return _parse_claims(claims | _userinfo_claims(claims, str(tokens.get("access_token") or "")))


def _configuration() -> dict[str, object]:
    """The provider's metadata (OpenID Connect Discovery 1.0), cached for ten minutes."""
    key = f"oidc:{hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()[:20]}"
    configuration: dict[str, object] | None = answers.get(key)
    if configuration is None:
        configuration = _call("GET", f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration")
        if configuration.get("issuer") != settings.OIDC_ISSUER:
            raise SignOnError(f"the provider calls itself {configuration.get('issuer')!r}, OIDC_ISSUER is another")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            _require_scheme(name, str(configuration.get(name) or ""))
        answers.set(key, configuration, _CACHE_SECONDS)
    return configuration


def _require_scheme(name: str, address: str) -> None:
    scheme = urlsplit(settings.OIDC_ISSUER).scheme
    if urlsplit(address).scheme not in {scheme, "https"}:
        raise SignOnError(f"{name} of the provider is no {scheme} address")


def _exchange(code: str, verifier: str, redirect_uri: str) -> dict[str, object]:
    configuration = _configuration()
    data = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
        "client_id": settings.OIDC_CLIENT_ID,
    }
    # Basic is the default for a provider that does not declare methods (OpenID Connect Discovery 1.0, section 3).
    methods = _list(configuration.get("token_endpoint_auth_methods_supported")) or ["client_secret_basic"]
    basic = None
    if "client_secret_post" in methods:
        data["client_secret"] = settings.OIDC_CLIENT_SECRET
    else:
        basic = (settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
    return _call("POST", str(configuration["token_endpoint"]), data=data, auth=basic)


def _verify_token(token: str, nonce: str) -> dict[str, object]:
    """The claims of an ID token after verifying signature, issuer, audience, times and nonce (Core, section 3.1.3.7)."""
    try:
        header = jwt.get_unverified_header(token)
        claims: dict[str, object] = jwt.decode(
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
    if not hmac.compare_digest(str(claims.get("nonce") or "").encode(), nonce.encode()):
        raise SignOnError("the ID token is not the answer to this sign-in (nonce)")
    audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
    if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID or (
        len(audiences) > 1 and "azp" not in claims
    ):
        raise SignOnError("the ID token was made for another client (azp)")
    if not claims["sub"]:
        raise SignOnError("the ID token names nobody")
    return claims


def _signing_key(key_id: str) -> jwt.PyJWK:
    """The provider's key with this id, or its only one if the token names none."""
    try:
        keys = jwt.PyJWKSet.from_dict(_call("GET", str(_configuration()["jwks_uri"]))).keys
    except jwt.PyJWTError as problem:
        raise SignOnError(f"the provider's keys cannot be read: {problem}") from problem
    usable = [key for key in keys if key.public_key_use in {None, "sig"}]
    matching = [key for key in usable if key.key_id == key_id] if key_id else usable
    if len(matching) != 1:
        raise SignOnError("the ID token was signed by no key of the provider")
    return matching[0]


def _userinfo_claims(claims: dict[str, object], access_token: str) -> dict[str, object]:
    """Missing claims from the userinfo endpoint if the ID token has no e-mail address; only for the same subject."""
    address = str(_configuration().get("userinfo_endpoint") or "")
    if claims.get("email") or not address or not access_token:
        return {}
    _require_scheme("userinfo_endpoint", address)
    userinfo = _call("GET", address, headers={"Authorization": f"Bearer {access_token}"})
    if userinfo.get("sub") != claims["sub"]:
        raise SignOnError("the userinfo is of somebody else")
    names = ("email", "email_verified", "preferred_username", "given_name", "family_name", "name", "groups")
    return {name: userinfo[name] for name in names if name in userinfo and not claims.get(name)}


def _parse_claims(claims: dict[str, object]) -> Claims:
    # Some providers send a string instead of a boolean; every other value counts as false.
    verified = claims.get("email_verified") is True or claims.get("email_verified") == "true"
    email = str(claims.get("email") or "").strip().lower()
    first, _space, last = str(claims.get("name") or "").partition(" ")
    return Claims(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        email=email if verified and email.count("@") == 1 else "",
        unverified=bool(email) and not verified,
        username=str(claims.get("preferred_username") or ""),
        first_name=str(claims.get("given_name") or first),
        last_name=str(claims.get("family_name") or last),
        groups=frozenset(_list(claims.get("groups"))),
        stepped="mfa" in _list(claims.get("amr")),
    )


def _list(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _call(
    method: str,
    address: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
) -> dict[str, object]:
    """Send a request to the provider and return the JSON object of its response."""
    try:
        with requests.request(
            method,
            address,
            headers=headers,
            data=data,
            # Without one, requests would use credentials from a .netrc file.
            auth=auth or (lambda request: request),
            timeout=_TIMEOUT,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = response.raw.read(_LARGEST + 1, decode_content=True)
            if response.status_code != 200:
                raise SignOnError(f"the provider answered {response.status_code} at {urlsplit(address).path}")
            if len(body) > _LARGEST:
                raise SignOnError("the provider's answer is too large")
            result = json.loads(body)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError, RecursionError) as problem:
        raise SignOnError(f"the provider cannot be asked: {type(problem).__name__}") from problem
    if not isinstance(result, dict):
        raise SignOnError("the provider's answer is no JSON object")
    return result

"""OAuth2 in forms: whose client it is, what the engine wants of each kind (api.md 10.3), and the address at which one signs in."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django import forms
from django.utils.html import escape, format_html
from django.utils.translation import gettext as _

from workflows_ui.kit.resource import Row
from workflows_ui.resources.secret_fields import NO_AUTOFILL, SecretLine, line, words

#: What the engine must be given as a code where none is needed: it asks for one character at least (api.md 10.3).
NO_CODE = "none"
OWN, PLATFORM, CLOUD = KINDS = ("OAUTH2", "PLATFORM_OAUTH2", "CLOUD_OAUTH2")
#: What a value of each kind holds besides scope and code (api.md 10.3).
_HOLDS = {
    OWN: ("client_id", "client_secret", "redirect_url"),
    PLATFORM: ("client_id", "redirect_url"),
    CLOUD: ("client_id",),
}
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class SignIn:
    """What a person signed in at an app with, and the code that the app gave for it ("" before).

    `props` are values of the app's own fields, by the names that they have in forms; `verifier` is PKCE's, "" without.
    """

    piece: str
    client_id: str
    redirect_url: str
    scope: str
    verifier: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    connection: str = ""
    props: dict[str, str] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, str]:
        """Its part of what a form would hold, by the names of the form's fields."""
        return {
            "client_id": self.client_id,
            "redirect_url": self.redirect_url,
            "scope": self.scope,
            "code": self.code,
            "code_challenge": self.verifier,
            **self.props,
        }


@dataclass(frozen=True)
class Around:
    """What an OAuth2 form depends on beside its schema.

    Attributes:
        redirect_url: the first value of the redirect address.
        sign_in_url: where one signs in at the app, "" where that cannot be done from here.
        signed_in: the sign-in that was made; nothing that it holds is asked for again.
        kind: whose client was chosen, one of KINDS; whatever else it is, it is one's own.
    """

    redirect_url: str = ""
    sign_in_url: str = ""
    signed_in: SignIn | None = None
    kind: str = OWN


def fields(found: Row, around: Around) -> dict[str, forms.Field]:
    """The fields of an OAuth2 schema; what the chosen kind of client has no use for may be left empty."""
    signed_in, sign_in_url = around.signed_in, around.sign_in_url
    needed = _HOLDS.get(around.kind, _HOLDS[OWN])
    kinds = [
        (OWN, _("My own: client id and secret")),
        (PLATFORM, _("Set up for the whole engine: client id only")),
        (CLOUD, _("Of the engine's maker: client id only")),
    ]
    easiest = ""
    if sign_in_url and signed_in is None:
        easiest = format_html(
            '{} <a class="text-decoration-underline" href="{}">{}</a>',
            _("With your own, it is easiest like this:"),
            sign_in_url,
            _("Sign in at the app and come back here"),
        )
    kind = forms.ChoiceField(label=_("Whose client"), choices=kinds, required=False, initial=around.kind)
    kind.help_text = easiest or _("If unsure, it is your own.")
    secret = line(
        _("Client secret"),
        SecretLine(),
        required="client_secret" in needed,
        help=_("From the app's own page for developers, as the client id."),
    )
    if signed_in is not None:
        told = line(_("Client id"), forms.TextInput(NO_AUTOFILL), required=False, initial=signed_in.client_id)
        told.disabled = True
        told.help_text = _("You are signed in at the app with this client. Finish within ten minutes.")
        return {"client_id": told, "client_kind": kind, "client_secret": secret}
    made: dict[str, forms.Field] = {
        "client_kind": kind,
        "client_id": line(
            _("Client id"), forms.TextInput(NO_AUTOFILL), help=_("From the app's own page for developers.")
        ),
        "client_secret": secret,
        "redirect_url": line(
            _("Redirect address"),
            forms.TextInput(NO_AUTOFILL),
            required="redirect_url" in needed,
            initial=around.redirect_url,
            help=_("The one that the app has on its list for this client."),
        ),
        "scope": line(
            _("Rights asked for (scope)"), forms.TextInput(NO_AUTOFILL), required=False, initial=scope(found)
        ),
    }
    if not machines_only(found):
        made["code"] = line(_("Code"), SecretLine(), help=_how(found, sign_in_url))
        if found.get("pkce"):
            made["code_challenge"] = line(_("Code verifier (PKCE)"), SecretLine())
    return made


def value(found: Row, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's `value`, without the app's own fields, for what was typed or came from a sign-in."""
    kind = _kind(typed)
    made: dict[str, Any] = {"type": kind} | {name: typed[name] for name in _HOLDS[kind]}
    made |= {"scope": typed.get("scope") or "", "code": typed.get("code") or NO_CODE}
    if machines_only(found) and kind == OWN:
        made["grant_type"] = "client_credentials"
    if typed.get("code_challenge"):
        made["code_challenge"] = typed["code_challenge"]
    if found.get("authorizationMethod") in ("HEADER", "BODY"):
        made["authorization_method"] = found["authorizationMethod"]
    return made


def scope(found: Row) -> str:
    """The rights that the app's schema asks for, as one text."""
    scopes = found.get("scope")
    return " ".join(one for one in scopes if isinstance(one, str)) if isinstance(scopes, list) else words(scopes)


def machines_only(found: Row) -> bool:
    """Whether the client signs in by itself, without a person."""
    return found.get("grantType") == "client_credentials"


def page_of(found: Row) -> str:
    """The app's page where one signs in; "" where the schema names none that a browser may be led to."""
    where = found.get("authUrl")
    if machines_only(found) or not isinstance(where, str):
        return ""
    try:
        parts = urlsplit(_PLACE.sub("x", where.strip()))
    except ValueError:
        return ""
    return where.strip() if parts.scheme in ("https", "http") and parts.netloc else ""


def places(found: Row) -> list[str]:
    """Names of the app's own fields that its sign-in page or its rights are made of, such as a subdomain."""
    return list(dict.fromkeys(_PLACE.findall(f"{page_of(found)} {scope(found)}")))


def address(found: Row, sign_in: SignIn, state: str, values: Mapping[str, Any]) -> str:
    """Where the person's browser goes to sign in; it comes back to the redirect address with a code and `state`.

    `values` are those of `places`. The parameters are the ones that the engine's own page sends.
    """
    parts = urlsplit(filled(page_of(found), values, safe=True))
    asked = {
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
        "response_type": "code",
        "client_id": sign_in.client_id,
        "redirect_uri": sign_in.redirect_url,
        "access_type": "offline",
        "state": state,
        "scope": filled(sign_in.scope, values),
    }
    prompt = found.get("prompt")
    if prompt != "omit":
        asked["prompt"] = prompt if isinstance(prompt, str) and prompt else "consent"
    extra = found.get("extra")
    if isinstance(extra, Mapping):
        asked |= {str(key): one for key, one in extra.items() if isinstance(one, str)}
    if sign_in.verifier:
        hashed = found.get("pkceMethod") == "S256"
        asked["code_challenge_method"] = "S256" if hashed else "plain"
        asked["code_challenge"] = _digest(sign_in.verifier) if hashed else sign_in.verifier
    return urlunsplit(parts._replace(query=urlencode(asked)))


def _kind(typed: Mapping[str, Any]) -> str:
    found = typed.get("client_kind")
    return found if found in KINDS else OWN


def _how(found: Row, sign_in_url: str) -> str:
    if sign_in_url:
        return _("The app gives it when you sign in there; it works once and for a short time.")
    where = escape(words(found.get("authUrl")) or _("the app's sign-in page"))
    how = _(
        "Open %(where)s with response_type=code, your client id, the redirect address and the rights as its parameters, sign in, "
        "and copy the code from the address that you are led to. A code works once and for a short time."
    )
    return how % {"where": where}


def filled(text: str, values: Mapping[str, Any], *, safe: bool = False) -> str:
    return _PLACE.sub(
        lambda place: quote(str(values.get(place[1], "")), safe="") if safe else str(values.get(place[1], "")), text
    )


def _digest(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")

"""OAuth2 in forms: the kinds of clients, the engine's fields for each (api.md 10.3), and the URL for signing in."""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from django.utils.translation import gettext as _

from workflows_ui.engine_objects.pieces import AuthSchema
from workflows_ui.pieces.fields import words
from workflows_ui.web import elements
from workflows_ui.web.schema_forms import Input, InputKind, Option

#: The code for the engine if none is needed: it requires at least one character (api.md 10.3).
NO_CODE = "none"
OWN, PLATFORM, CLOUD = KINDS = ("OAUTH2", "PLATFORM_OAUTH2", "CLOUD_OAUTH2")
#: What a value of each kind holds besides scope and code (api.md 10.3).
_HOLDS = {
    OWN: ("client_id", "client_secret", "redirect_url"),
    PLATFORM: ("client_id", "redirect_url"),
    CLOUD: ("client_id",),
}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class SignIn:
    """The data of a sign-in at an app, and the code that the app returned for it ("" before).

    `props` are values of the app's own fields, by their names in forms; `verifier` is PKCE's, "" without.
    """

    piece: str
    client_id: str
    redirect_url: str
    scope: str
    verifier: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    connection: str = ""
    props: dict[str, object] = field(default_factory=dict)

    @property
    def form_values(self) -> dict[str, object]:
        """The sign-in's data by the names of the form's fields."""
        return {
            "client_id": self.client_id,
            "redirect_url": self.redirect_url,
            "scope": self.scope,
            "code": self.code,
            "code_challenge": self.verifier,
            **self.props,
        }


def inputs(
    schema: AuthSchema,
    signed_in: SignIn | None = None,
    *,
    redirect_url: str = "",
    sign_in_url: str = "",
    client: str = OWN,
) -> list[Input]:
    """The inputs of an OAuth2 schema; those that the chosen kind of client does not need may be left empty.

    Args:
        signed_in: the completed sign-in; its data is not requested again.
        redirect_url: the initial value of the redirect URL.
        sign_in_url: the page for signing in at the app, "" if that is not possible from here.
        client: the chosen kind of client, one of KINDS; any other value means the person's own.
    """
    needed = _HOLDS.get(client, _HOLDS[OWN])
    kinds = {
        OWN: _("My own: client ID and secret"),
        PLATFORM: _("Set up for the whole engine: client ID only"),
        CLOUD: _("Of the engine's maker: client ID only"),
    }
    easiest = ""
    if sign_in_url and signed_in is None:
        easiest = elements.linked(
            _("With your own, it is easiest like this:"),
            sign_in_url,
            _("Sign in at the app and come back here"),
            classes="text-decoration-underline",
        )
    kind = Input(
        "client_kind",
        _("Whose client"),
        InputKind.CHOICE,
        help=easiest or _("If unsure, it is your own."),
        initial=client,
        options=[Option(key, label, key) for key, label in kinds.items()],
        empty_label="",
    )
    client_id = Input("client_id", _("Client ID"), help=_("From the app's own page for developers."), required=True)
    secret = Input(
        "client_secret",
        _("Client secret"),
        help=_("From the app's own page for developers, as the client ID."),
        required="client_secret" in needed,
        secret=True,
    )
    if signed_in is not None:
        text = _("You are signed in at the app with this client. Finish within ten minutes.")
        known_client_id = replace(client_id, help=text, required=False, initial=signed_in.client_id, disabled=True)
        return [known_client_id, kind, secret]
    redirect = Input(
        "redirect_url",
        _("Redirect address"),
        help=_("The one that the app has on its list for this client."),
        required="redirect_url" in needed,
        initial=redirect_url,
    )
    fields = [
        kind,
        client_id,
        secret,
        redirect,
        Input("scope", _("Requested permissions (scope)"), initial=scope(schema)),
    ]
    if not machines_only(schema):
        fields.append(Input("code", _("Code"), help=_how(schema, sign_in_url), required=True, secret=True))
        if schema.pkce:
            fields.append(Input("code_challenge", _("Code verifier (PKCE)"), required=True, secret=True))
    return fields


def value(schema: AuthSchema, typed: Mapping[str, object]) -> dict[str, object]:
    """The engine's `value`, without the app's own fields, from the submitted data or a sign-in."""
    chosen = str(typed.get("client_kind") or "")
    kind = chosen if chosen in KINDS else OWN
    result: dict[str, object] = {"type": kind} | {name: typed[name] for name in _HOLDS[kind]}
    result |= {"scope": typed.get("scope") or "", "code": typed.get("code") or NO_CODE}
    if machines_only(schema) and kind == OWN:
        result["grant_type"] = "client_credentials"
    if typed.get("code_challenge"):
        result["code_challenge"] = typed["code_challenge"]
    if schema.authorization_method in ("HEADER", "BODY"):
        result["authorization_method"] = schema.authorization_method
    return result


def scope(schema: AuthSchema) -> str:
    """The scopes that the app's schema requests, as one text."""
    return " ".join(schema.scopes) or words(schema.scope_text)


def machines_only(schema: AuthSchema) -> bool:
    """Whether the client signs in without a person."""
    return schema.grant_type == "client_credentials"


def page_of(schema: AuthSchema) -> str:
    """The app's sign-in page; "" if the schema names none that a browser may be sent to."""
    url = "" if machines_only(schema) else schema.auth_url.strip()
    try:
        parts = urlsplit(_PLACEHOLDER.sub("x", url))
    except ValueError:
        return ""
    return url if parts.scheme in ("https", "http") and parts.netloc else ""


def placeholders(schema: AuthSchema) -> list[str]:
    """Names of the app's own fields that its sign-in page or its scopes depend on, such as a subdomain."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(f"{page_of(schema)} {scope(schema)}")))


def address(schema: AuthSchema, sign_in: SignIn, state: str, values: Mapping[str, object]) -> str:
    """The URL for signing in; the browser returns to the redirect URL with a code and `state`.

    `values` are those of `placeholders`. The parameters are the ones that the engine's own page sends.
    """
    parts = urlsplit(filled(page_of(schema), values, safe=True))
    query = {
        **dict(parse_qsl(parts.query, keep_blank_values=True)),
        "response_type": "code",
        "client_id": sign_in.client_id,
        "redirect_uri": sign_in.redirect_url,
        "access_type": "offline",
        "state": state,
        "scope": filled(sign_in.scope, values),
    }
    prompt = schema.prompt or "consent"
    if prompt != "omit":
        query["prompt"] = prompt
    query |= schema.extra
    if sign_in.verifier:
        hashed = schema.pkce_method == "S256"
        query["code_challenge_method"] = "S256" if hashed else "plain"
        query["code_challenge"] = _digest(sign_in.verifier) if hashed else sign_in.verifier
    return urlunsplit(parts._replace(query=urlencode(query)))


def _how(schema: AuthSchema, sign_in_url: str) -> str:
    if sign_in_url:
        return _("The app gives it when you sign in there; it works once and for a short time.")
    page = words(schema.auth_url) or _("the app's sign-in page")
    text = _(
        "Open %(where)s with response_type=code, your client ID, the redirect address and the rights "
        "as its parameters, sign in, and copy the code from the address that you are led to. A code "
        "works once and for a short time."
    )
    return text % {"where": page}


def filled(text: str, values: Mapping[str, object], *, safe: bool = False) -> str:
    return _PLACEHOLDER.sub(
        lambda match: quote(str(values.get(match[1], "")), safe="") if safe else str(values.get(match[1], "")), text
    )


def _digest(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")

"""Forms made from an app's own auth schema (api.md 11.4), and the `value` that the engine wants for what was typed (api.md 10.3).

Fields that hold or look like secrets never come back to the page. The forms (connecting.py) keep all of these fields out of the
audit log, whether they look like secrets or not.
"""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.html import escape
from django.utils.translation import gettext as _

from workflows_ui.kit.resource import Row
from workflows_ui.resources import apps

#: What the engine must be given as a code where none is needed: it asks for one character at least (api.md 10.3).
NO_CODE = "none"
_LONGEST = 100_000
_SECRET = re.compile(r"secret|token|passw|key|credential|signature|private|\bpin\b", re.IGNORECASE)
_NO_AUTOFILL = {"autocomplete": "off"}
_AUTOFILL = {"autocomplete": "new-password", "spellcheck": "false"}
#: Connections of these types are stored as OAUTH2 when their secret is replaced here: the person brings their own client.
_OAUTH = ("OAUTH2", "CLOUD_OAUTH2", "PLATFORM_OAUTH2")
#: Parts of a value that tell nothing.
_NOT_TYPED = ("type", "grant_type", "scope", "authorization_method")
#: What a connection of a type holds where its app tells no schema any more.
_BARE: dict[str, dict[str, Any]] = {"SECRET_TEXT": {}, "BASIC_AUTH": {}, "NO_AUTH": {}, "OAUTH2": {}}


class SecretLine(forms.PasswordInput):
    """One line that never comes back."""

    def __init__(self) -> None:
        super().__init__(attrs=_AUTOFILL)


class SecretText(forms.PasswordInput):
    """Several lines that never come back, such as a private key."""

    template_name = "django/forms/widgets/textarea.html"

    def __init__(self) -> None:
        super().__init__(attrs=_AUTOFILL | {"rows": "6", "cols": "40"})


def scheme(auth: object, kind: object = "") -> dict[str, Any] | None:
    """The schema to fill in: the one of a piece's `auth` that fits a connection's type, else its first; None where nothing is known.

    A connection whose app has no schema (or is gone) gets a bare one of its own type, as far as the type alone says what it holds.
    """
    wanted = "OAUTH2" if kind in _OAUTH else kind
    offered = [one for one in apps.auths(auth) if one["type"] in (*_BARE, "CUSTOM_AUTH")]
    fitting = [one for one in offered if one["type"] == wanted]
    if fitting or offered:
        return (fitting or offered)[0]
    bare = _BARE.get(wanted) if isinstance(wanted, str) else None
    return None if bare is None else {"type": wanted, **bare}


def fields(found: Row, redirect_url: str = "") -> dict[str, forms.Field]:
    """The form fields of a schema, by name. Fields that never come back have names that say secret, code or password."""
    kind, about = found.get("type"), _text(found.get("description"))
    made: dict[str, forms.Field] = {}
    if kind == "SECRET_TEXT":
        made["secret_text"] = _line(_text(found.get("displayName")) or _("Secret"), SecretLine())
    elif kind == "BASIC_AUTH":
        made["username"] = _line(_label(found, "username", _("User name")), forms.TextInput(_NO_AUTOFILL))
        made["password"] = _line(_label(found, "password", _("Password")), SecretLine())
    elif kind == "OAUTH2":
        made |= _oauth(found, redirect_url)
    if kind in ("CUSTOM_AUTH", "OAUTH2"):
        made |= _props(found.get("props"))
    # Browsers take a line of text between two secrets for the start of another sign-in form.
    made = dict(sorted(made.items(), key=lambda item: isinstance(item[1].widget, SecretLine)))
    for field in list(made.values())[:1]:
        # crispy prints help texts as they are; escape() makes the engine's words text.
        field.help_text = escape(" ".join(part for part in (about, str(field.help_text)) if part))
    return made


def value(found: Row, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's `value` for what the form of this schema gave as cleaned data."""
    kind = str(found.get("type"))
    made: dict[str, Any] = {"type": kind}
    if kind == "SECRET_TEXT":
        made["secret_text"] = typed["secret_text"]
    elif kind == "BASIC_AUTH":
        made |= {"username": typed["username"], "password": typed["password"]}
    elif kind == "OAUTH2":
        code = typed.get("code") or NO_CODE
        made |= {name: typed[name] for name in ("client_id", "client_secret", "redirect_url", "scope")} | {"code": code}
        if _machines_only(found):
            made["grant_type"] = "client_credentials"
        if typed.get("code_challenge"):
            made["code_challenge"] = typed["code_challenge"]
        if found.get("authorizationMethod") in ("HEADER", "BODY"):
            made["authorization_method"] = found["authorizationMethod"]
    props = _filled(found.get("props"), typed)
    if kind == "CUSTOM_AUTH" or (kind == "OAUTH2" and props):
        made["props"] = props
    return made


def secrets(made: Any) -> list[str]:
    """Every text that was typed into a `value`: what no message may repeat."""
    if isinstance(made, Mapping):
        return [text for key, inner in made.items() if key not in _NOT_TYPED for text in secrets(inner)]
    return [made] if isinstance(made, str) and made.strip() and made != NO_CODE else []


def _oauth(found: Row, redirect_url: str) -> dict[str, forms.Field]:
    scopes = found.get("scope")
    scope = " ".join(one for one in scopes if isinstance(one, str)) if isinstance(scopes, list) else _text(scopes)
    made: dict[str, forms.Field] = {
        "client_id": _line(
            _("Client id"), forms.TextInput(_NO_AUTOFILL), help=_("From the app's own page for developers.")
        ),
        "client_secret": _line(_("Client secret"), SecretLine()),
        "redirect_url": _line(
            _("Redirect address"),
            forms.TextInput(_NO_AUTOFILL),
            initial=redirect_url,
            help=_("The one that the app has on its list for this client."),
        ),
        "scope": _line(_("Rights asked for (scope)"), forms.TextInput(_NO_AUTOFILL), required=False, initial=scope),
    }
    if not _machines_only(found):
        where = escape(_text(found.get("authUrl")) or _("the app's sign-in page"))
        how = _(
            "Open %(where)s with response_type=code, your client id, the redirect address and the rights as its parameters, sign in, "
            "and copy the code from the address that you are led to. A code works once and for a short time."
        )
        made["code"] = _line(_("Code"), SecretLine(), help=how % {"where": where})
        if found.get("pkce"):
            made["code_challenge"] = _line(_("Code verifier (PKCE)"), SecretLine())
    return made


def _machines_only(found: Row) -> bool:
    return found.get("grantType") == "client_credentials"


def _props(props: object) -> dict[str, forms.Field]:
    made: dict[str, forms.Field] = {}
    if not isinstance(props, Mapping):
        return made
    note = ""
    for key, prop in props.items():
        if not isinstance(prop, Mapping):
            continue
        if prop.get("type") == "MARKDOWN":
            note = _text(prop.get("description"))
            continue
        field = _prop(str(key), prop)
        field.help_text = escape(" ".join(part for part in (note, _text(prop.get("description"))) if part))
        made[_name(str(key), prop)], note = field, ""
    return made


def _name(key: str, prop: Row) -> str:
    return f"{'secret' if _is_secret(key, prop) else 'prop'}-{key}"


def _is_secret(key: str, prop: Row) -> bool:
    kind = prop.get("type")
    looks = _SECRET.search(key) or _SECRET.search(_text(prop.get("displayName")))
    return kind == "SECRET_TEXT" or (kind not in ("CHECKBOX", "STATIC_DROPDOWN") and looks is not None)


def _prop(key: str, prop: Row) -> forms.Field:
    label, needed = _text(prop.get("displayName")) or key, prop.get("required") is True
    kind, default = prop.get("type"), prop.get("defaultValue")
    if kind == "CHECKBOX":
        return forms.BooleanField(label=label, required=False, initial=default is True)
    if kind == "STATIC_DROPDOWN":
        options = _options(prop)
        chosen = next((str(number) for number, (_label, one) in enumerate(options) if one == default), "")
        choices = [("", "–"), *((str(number), text) for number, (text, _one) in enumerate(options))]
        return forms.ChoiceField(label=label, required=needed, choices=choices, initial=chosen)
    if _is_secret(key, prop):
        return _line(label, SecretText() if kind == "LONG_TEXT" else SecretLine(), required=needed)
    if kind == "NUMBER":
        return forms.DecimalField(label=label, required=needed, initial=default, widget=forms.NumberInput(_NO_AUTOFILL))
    shown = default if isinstance(default, str) else ""
    return _line(
        label,
        forms.Textarea(_NO_AUTOFILL | {"rows": "4"}) if kind == "LONG_TEXT" else forms.TextInput(_NO_AUTOFILL),
        required=needed,
        initial=shown,
    )


def _filled(props: object, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The values by the schema's keys; those left empty are left out."""
    found: dict[str, Any] = {}
    for key, prop in props.items() if isinstance(props, Mapping) else ():
        given = typed.get(_name(str(key), prop)) if isinstance(prop, Mapping) else None
        if given in (None, ""):
            continue
        if prop.get("type") == "STATIC_DROPDOWN":
            given = _options(prop)[int(given)][1]
        elif prop.get("type") == "NUMBER":
            number = float(given)
            given = int(number) if number.is_integer() else number
        found[str(key)] = given
    return found


def _options(prop: Row) -> list[tuple[str, Any]]:
    held = prop.get("options")
    listed = held.get("options") if isinstance(held, Mapping) else None
    pairs = [one for one in listed if isinstance(one, Mapping) and "value" in one] if isinstance(listed, list) else []
    return [(_text(one.get("label")) or str(one["value"])[:100], one["value"]) for one in pairs]


def _line(
    label: str, widget: forms.Widget, *, required: bool = True, initial: str = "", help: str = ""
) -> forms.CharField:
    # A secret may begin or end with a blank: only what is shown again is trimmed.
    strip = not isinstance(widget, forms.PasswordInput)
    return forms.CharField(
        label=label[:200],
        required=required,
        initial=initial,
        help_text=help,
        widget=widget,
        max_length=_LONGEST,
        strip=strip,
    )


def _label(found: Row, part: str, otherwise: str) -> str:
    inner = found.get(part)
    return (_text(inner.get("displayName")) if isinstance(inner, Mapping) else "") or otherwise


def _text(found: object) -> str:
    """Plain words: the engine's are Markdown, with blank lines and stars."""
    return " ".join(found.replace("**", "").split())[:2000] if isinstance(found, str) else ""

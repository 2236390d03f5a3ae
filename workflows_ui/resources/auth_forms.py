"""Forms made from an app's own auth schema (api.md 11.4), and the `value` that the engine wants for what was typed (api.md 10.3).

Fields that hold or look like secrets never come back to the page. The forms (connecting.py) keep all of these fields out of the
audit log, whether they look like secrets or not.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.utils.html import escape, format_html_join
from django.utils.translation import gettext as _

from workflows_ui.kit.resource import Row
from workflows_ui.resources import apps, oauth_forms
from workflows_ui.resources.oauth_forms import Around
from workflows_ui.resources.secret_fields import NO_AUTOFILL, SecretLine, SecretText, line, words

_SECRET = re.compile(r"secret|token|passw|key|credential|signature|private|\bpin\b", re.IGNORECASE)
#: Parts of a value that tell nothing.
_NOT_TYPED = ("type", "grant_type", "scope", "authorization_method")
_BY_ITSELF = Around()
#: What a connection of a type holds where its app tells no schema any more.
_BARE: dict[str, dict[str, Any]] = {"SECRET_TEXT": {}, "BASIC_AUTH": {}, "NO_AUTH": {}, "OAUTH2": {}}


def scheme(auth: object, kind: object = "") -> dict[str, Any] | None:
    """The schema to fill in: the one of a piece's `auth` that fits a connection's type, else its first; None where nothing is known.

    A connection whose app has no schema (or is gone) gets a bare one of its own type, as far as the type alone says what it holds.
    """
    wanted = "OAUTH2" if kind in oauth_forms.KINDS else kind
    offered = _offered(auth)
    fitting = [one for one in offered if one["type"] == wanted]
    if fitting or offered:
        return (fitting or offered)[0]
    bare = _BARE.get(wanted) if isinstance(wanted, str) else None
    return None if bare is None else {"type": wanted, **bare}


def kinds(auth: object) -> list[str]:
    """The ways in which an app can be connected here, each once."""
    return list(dict.fromkeys(one["type"] for one in _offered(auth)))


def _offered(auth: object) -> list[dict[str, Any]]:
    return [one for one in apps.auths(auth) if one["type"] in (*_BARE, "CUSTOM_AUTH")]


def fields(found: Row, around: Around = _BY_ITSELF) -> dict[str, forms.Field]:
    """The form fields of a schema, by name. Fields that never come back have names that say secret, code or password.

    `around` matters for OAuth2 only.
    """
    kind, about = found.get("type"), words(found.get("description"))
    made: dict[str, forms.Field] = {}
    if kind == "SECRET_TEXT":
        made["secret_text"] = line(words(found.get("displayName")) or _("Secret"), SecretLine())
    elif kind == "BASIC_AUTH":
        made["username"] = line(_label(found, "username", _("User name")), forms.TextInput(NO_AUTOFILL))
        made["password"] = line(_label(found, "password", _("Password")), SecretLine())
    elif kind == "OAUTH2":
        made |= oauth_forms.fields(found, around)
    if kind in ("CUSTOM_AUTH", "OAUTH2"):
        already = around.signed_in.props if around.signed_in else {}
        made |= {name: field for name, field in props(found.get("props")).items() if name not in already}
    # Browsers take a line of text between two secrets for the start of another sign-in form.
    made = dict(sorted(made.items(), key=lambda item: isinstance(item[1].widget, SecretLine)))
    for field in list(made.values())[:1]:
        # crispy prints help texts as they are; escaped, the engine's words are text.
        field.help_text = format_html_join(" ", "{}", ((part,) for part in (about, field.help_text) if part))
    return made


def value(found: Row, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's `value` for what the form of this schema gave as cleaned data, with what a sign-in gave."""
    kind = str(found.get("type"))
    made: dict[str, Any] = {"type": kind}
    if kind == "SECRET_TEXT":
        made["secret_text"] = typed["secret_text"]
    elif kind == "BASIC_AUTH":
        made |= {"username": typed["username"], "password": typed["password"]}
    elif kind == "OAUTH2":
        made |= oauth_forms.value(found, typed)
    filled = filled_in(found.get("props"), typed)
    if kind == "CUSTOM_AUTH" or (kind == "OAUTH2" and filled):
        made["props"] = filled
    return made


def secrets(made: Any) -> list[str]:
    """Every text that was typed into a `value`: what no message may repeat."""
    if isinstance(made, Mapping):
        return [text for key, inner in made.items() if key not in _NOT_TYPED for text in secrets(inner)]
    return [made] if isinstance(made, str) and made.strip() and made != oauth_forms.NO_CODE else []


def props(found: object, only: Collection[str] | None = None) -> dict[str, forms.Field]:
    """Fields for an app's own fields, by the names that they have in forms; only those with these keys, where some are named."""
    made: dict[str, forms.Field] = {}
    if not isinstance(found, Mapping):
        return made
    note = ""
    for key, prop in found.items():
        if not isinstance(prop, Mapping) or (only is not None and key not in only):
            continue
        if prop.get("type") == "MARKDOWN":
            note = words(prop.get("description"))
            continue
        field = _prop(str(key), prop)
        field.help_text = escape(" ".join(part for part in (note, words(prop.get("description"))) if part))
        made[_name(str(key), prop)], note = field, ""
    return made


def _name(key: str, prop: Row) -> str:
    return f"{'secret' if _is_secret(key, prop) else 'prop'}-{key}"


def _is_secret(key: str, prop: Row) -> bool:
    kind = prop.get("type")
    looks = _SECRET.search(key) or _SECRET.search(words(prop.get("displayName")))
    return kind == "SECRET_TEXT" or (kind not in ("CHECKBOX", "STATIC_DROPDOWN") and looks is not None)


def _prop(key: str, prop: Row) -> forms.Field:
    label, needed = words(prop.get("displayName")) or key, prop.get("required") is True
    kind, default = prop.get("type"), prop.get("defaultValue")
    if kind == "CHECKBOX":
        return forms.BooleanField(label=label, required=False, initial=default is True)
    if kind == "STATIC_DROPDOWN":
        options = _options(prop)
        chosen = next((str(number) for number, (_label, one) in enumerate(options) if one == default), "")
        choices = [("", "–"), *((str(number), text) for number, (text, _one) in enumerate(options))]
        return forms.ChoiceField(label=label, required=needed, choices=choices, initial=chosen)
    if _is_secret(key, prop):
        return line(label, SecretText() if kind == "LONG_TEXT" else SecretLine(), required=needed)
    if kind == "NUMBER":
        return forms.DecimalField(label=label, required=needed, initial=default, widget=forms.NumberInput(NO_AUTOFILL))
    shown = default if isinstance(default, str) else ""
    return line(
        label,
        forms.Textarea(NO_AUTOFILL | {"rows": "4"}) if kind == "LONG_TEXT" else forms.TextInput(NO_AUTOFILL),
        required=needed,
        initial=shown,
    )


def filled_in(schema: object, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an app's own fields by the schema's keys; those left empty are left out."""
    found: dict[str, Any] = {}
    for key, prop in schema.items() if isinstance(schema, Mapping) else ():
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
    return [(words(one.get("label")) or str(one["value"])[:100], one["value"]) for one in pairs]


def _label(found: Row, part: str, otherwise: str) -> str:
    inner = found.get(part)
    return (words(inner.get("displayName")) if isinstance(inner, Mapping) else "") or otherwise

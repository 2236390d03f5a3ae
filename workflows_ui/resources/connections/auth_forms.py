"""Forms built from an app's auth schema (api.md 11.4), and the engine's `value` for the submitted data (api.md 10.3).

Fields that hold or look like secrets are never sent back to a page. The forms (connecting.py) keep all of these fields
out of the audit log, whether they look like secrets or not.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from django import forms
from django.utils.translation import gettext as _

from workflows_ui.engine_objects.pieces import AuthSchema
from workflows_ui.pieces.fields import property_inputs, words
from workflows_ui.resources.connections import oauth_forms
from workflows_ui.resources.connections.oauth_forms import SignIn
from workflows_ui.web import elements
from workflows_ui.web.schema_forms import Input, InputKind, form_fields

_SECRET = re.compile(r"secret|token|passw|key|credential|signature|private|\bpin\b", re.IGNORECASE)
#: Parts of a value that are not secret.
_NOT_TYPED = ("type", "grant_type", "scope", "authorization_method")
#: Types of connections that need no schema of the app.
_BARE = ("SECRET_TEXT", "BASIC_AUTH", "NO_AUTH", "OAUTH2")


def scheme(auths: Sequence[AuthSchema], kind: str = "") -> AuthSchema:
    """The schema to fill in: the one of a piece that fits a connection's type, else its first; empty if nothing is known.

    A connection whose app has no schema (or was removed) gets a minimal one of its own type, as far as the type alone
    determines its content.
    """
    schema_type = "OAUTH2" if kind in oauth_forms.KINDS else kind
    offered = _supported(auths)
    fitting = [schema for schema in offered if schema.type == schema_type]
    bare = AuthSchema({"type": schema_type} if schema_type in _BARE else {})
    return next(iter(fitting or offered), bare)


def kinds(auths: Sequence[AuthSchema]) -> list[str]:
    """The types of connection that an app supports here, without duplicates."""
    return list(dict.fromkeys(schema.type for schema in _supported(auths)))


def _supported(auths: Sequence[AuthSchema]) -> list[AuthSchema]:
    return [schema for schema in auths if schema.type in (*_BARE, "CUSTOM_AUTH")]


def fields(schema: AuthSchema, signed_in: SignIn | None = None, **oauth: str) -> dict[str, forms.Field]:
    """The form fields of a schema, by name. Fields that are never sent back have names that contain secret, code or
    password.

    `signed_in` and `oauth` are the arguments of `oauth_forms.inputs`.
    """
    kind, description = schema.type, words(schema.description)
    inputs: list[Input] = []
    if kind == "SECRET_TEXT":
        inputs.append(Input("secret_text", words(schema.display_name) or _("Secret"), required=True, secret=True))
    elif kind == "BASIC_AUTH":
        inputs.append(Input("username", words(schema.username_label) or _("Username"), required=True))
        inputs.append(Input("password", words(schema.password_label) or _("Password"), required=True, secret=True))
    elif kind == "OAUTH2":
        inputs += oauth_forms.inputs(schema, signed_in, **oauth)
    if kind in ("CUSTOM_AUTH", "OAUTH2"):
        already = signed_in.props if signed_in else {}
        inputs += [item for item in _props(schema).values() if item.name not in already]
    # Browsers take a text field between two secrets for the start of another sign-in form.
    inputs.sort(key=lambda item: item.secret and item.kind is InputKind.TEXT)
    if inputs:
        inputs[0] = replace(inputs[0], help=elements.sentences(filter(None, (description, inputs[0].help))))
    return form_fields(inputs)


def value(schema: AuthSchema, typed: Mapping[str, object]) -> dict[str, object]:
    """The engine's `value` for the cleaned data of this schema's form, including the data of a sign-in."""
    kind = schema.type
    result: dict[str, object] = {"type": kind}
    if kind == "SECRET_TEXT":
        result["secret_text"] = typed["secret_text"]
    elif kind == "BASIC_AUTH":
        result |= {"username": typed["username"], "password": typed["password"]}
    elif kind == "OAUTH2":
        result |= oauth_forms.value(schema, typed)
    filled = filled_in(schema, typed)
    if kind == "CUSTOM_AUTH" or (kind == "OAUTH2" and filled):
        result["props"] = filled
    return result


def secrets(made: object) -> list[str]:
    """Every text that was typed into a `value`: no message may repeat these."""
    if isinstance(made, Mapping):
        return [text for key, inner in made.items() if key not in _NOT_TYPED for text in secrets(inner)]
    return [made] if isinstance(made, str) and made.strip() and made != oauth_forms.NO_CODE else []


def props(schema: AuthSchema, only: Collection[str]) -> dict[str, forms.Field]:
    """Form fields for the app's own fields with these keys, by their names in forms."""
    return form_fields(field for key, field in _props(schema).items() if key in only)


def _props(schema: AuthSchema) -> dict[str, Input]:
    """An app's own fields by key."""
    inputs: dict[str, Input] = {}
    for item in property_inputs(schema.props):
        looks_secret = _SECRET.search(item.name) or _SECRET.search(str(item.label))
        if item.secret or (looks_secret and item.kind not in (InputKind.YES_NO, InputKind.CHOICE, InputKind.CHOICES)):
            kind = InputKind.LONG_TEXT if item.kind is InputKind.LONG_TEXT else InputKind.TEXT
            inputs[item.name] = replace(item, name=f"secret-{item.name}", secret=True, kind=kind, initial=None)
        else:
            inputs[item.name] = replace(item, name=f"prop-{item.name}")
    return inputs


def filled_in(schema: AuthSchema, typed: Mapping[str, object]) -> dict[str, object]:
    """The values of an app's own fields by the schema's keys, without empty ones."""
    values = {key: typed.get(item.name) for key, item in _props(schema).items()}
    return {key: entry for key, entry in values.items() if entry not in (None, "", [])}

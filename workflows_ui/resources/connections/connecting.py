"""Storing an app's secret in the engine: the forms of a new connection and of a new secret, and the messages when the app refuses."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Unpack
from urllib.parse import urlsplit

from django import forms
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.form_arguments import FormArguments
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.paths import pick, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, NotFound, Unknown
from workflows_ui.engine_objects.pieces import AuthSchema, Piece
from workflows_ui.members.models import Flavour
from workflows_ui.pieces import apps
from workflows_ui.pieces.catalogue import takes_connection
from workflows_ui.pieces.fields import type_words
from workflows_ui.resource_admin.actions import Action, Affected, always
from workflows_ui.resource_admin.places import connection_url, list_url
from workflows_ui.resource_admin.resource import Row, id_at
from workflows_ui.resources.connections import auth_forms, oauth_forms, signing_in

_BAD_CODE = _("The app does not accept the code. A code works once: get a new one. Nothing was saved.")
_PROBLEMS: dict[str, str | Promise] = {
    "INVALID_APP_CONNECTION": _("The app does not accept what you entered. Nothing was saved."),
    "INVALID_CLAIM": _BAD_CODE,
    "INVALID_CLOUD_CLAIM": _BAD_CODE,
    "ENGINE_OPERATION_FAILURE": _(
        "The engine could not ask the app whether this is right. Nothing was saved. Try again in a minute."
    ),
}


class _AuthForm(forms.Form):
    """The fields of an app's schema; for OAuth2 also an earlier sign-in at the app, identified by `sign_in`."""

    def _add_schema_fields(
        self,
        session: EngineSession,
        schema: AuthSchema,
        piece: str,
        asked: Mapping[str, object],
        connection: str = "",
        current_type: str = "",
    ) -> None:
        """Add the fields of the schema, without those already known from the sign-in that the URL or the form names.

        `connection` and `current_type` are id and type of an existing connection.
        """
        self._signed_in = None
        sign_in_url = ""
        if schema.type == oauth_forms.OWN and oauth_forms.page_of(schema):
            self._signed_in = signing_in.find_sign_in(session, str(asked.get("sign_in") or ""), piece, connection)
            sign_in_url = sign_in_page_url(session.workspace.slug, piece, connection)
            self.fields["sign_in"] = forms.CharField(
                required=False,
                max_length=100,
                widget=forms.HiddenInput(),
                initial=str(asked.get("sign_in") or "")[:100],
            )
        self._kind = str(asked.get("client_kind") or current_type)
        schema_fields = auth_forms.fields(
            schema, self._signed_in, redirect_url=redirect_url(session), sign_in_url=sign_in_url, client=self._kind
        )
        self.fields |= schema_fields
        known_values = self._signed_in.form_values if self._signed_in else {}
        self.discreet = frozenset({*schema_fields, *known_values, "sign_in"})

    def clean(self) -> dict[str, object]:
        """Add the data of the sign-in to the submitted data."""
        typed = super().clean() or self.cleaned_data
        if "client_kind" in typed:
            typed["client_kind"] = typed["client_kind"] or self._kind
        return typed | (self._signed_in.form_values if self._signed_in else {})


class ConnectForm(_AuthForm):
    """A new connection to the app `row`: its name, and the fields of the app's schema."""

    name = forms.CharField(
        label=_("Name of the connection"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=_("So that others know which account it is, such as “Gmail of the sales team”."),
    )
    # Created once per form and submitted with it: a second try after an unclear answer creates no second connection.
    external_id = forms.RegexField(r"\A[0-9A-Za-z]{21}\Z", widget=forms.HiddenInput())
    # The app's type of connection, if it has several.
    way = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput())

    def __init__(
        self, *, session: EngineSession, row: Row, asked: Mapping[str, object], **arguments: Unpack[FormArguments]
    ) -> None:
        super().__init__(**arguments)
        self.fields["name"].initial = apps.title(row)[:200]
        self.fields["external_id"].initial = get_random_string(21)
        piece = str(row.get("name"))
        schema = auth_forms.scheme(Piece(apps.piece(session, piece)).auths, _requested_type(asked))
        self.fields["way"].initial = schema.type
        self._add_schema_fields(session, schema, piece, asked)


class SecretForm(_AuthForm):
    """A new secret for the connection `row`, by the schema of its app."""

    def __init__(
        self, *, session: EngineSession, row: Row, asked: Mapping[str, object], **arguments: Unpack[FormArguments]
    ) -> None:
        super().__init__(**arguments)
        schema, piece = scheme_of(session, row), str(row.get("pieceName"))
        self._add_schema_fields(session, schema, piece, asked, str(row.get("id")), str(row.get("type")))


def connect(session: EngineSession, name: str, typed: dict[str, object]) -> object:
    """Create a connection to the piece of this name and return it as the engine has it, without the secret.

    Raises ValidationError with a message if the app refuses the data, and EngineError.
    """
    schema = auth_forms.scheme(Piece(apps.piece(session, name)).auths, _requested_type(typed))
    if not schema:
        raise forms.ValidationError(_("Connections of this app cannot be created here."))
    request = {"externalId": typed["external_id"], "displayName": typed["name"], "pieceName": name}
    return _store(session, request, schema, typed)


def _requested_type(asked: Mapping[str, object]) -> str:
    """The requested type; a request that comes from the app's own page has signed in there."""
    return str(asked.get("way") or (oauth_forms.OWN if asked.get("sign_in") else ""))


def renew(session: EngineSession, row: Row, typed: dict[str, object]) -> object:
    """Replace the secret of the connection `row`; its name, its id and the flows that use it stay. Raises as `connect`."""
    schema = scheme_of(session, row)
    if not schema:
        raise forms.ValidationError(_("The engine does not say what this app requires. Change it in the engine."))
    request = {key: row.get(key) for key in ("externalId", "displayName", "pieceName")}
    if json_type(row.get("metadata")) is JsonType.OBJECT:
        request["metadata"] = row["metadata"]
    return _store(session, request, schema, typed)


def redirect_url(session: EngineSession) -> str:
    """The URL to which an app redirects after the sign-in: a page of a self-hosted engine's own web server; otherwise unknown."""
    workspace = session.workspace
    if workspace.flavour != Flavour.ACTIVEPIECES:
        return ""
    parts = urlsplit(workspace.address)
    return f"{parts.scheme}://{parts.netloc}/redirect"


def sign_in_page_url(slug: str, piece: str, connection: str = "") -> str:
    """The page for signing in at an app, for a new or an existing connection; "" for names that a URL cannot hold."""
    query = {"connection": connection} if connection else None
    kwargs = {"slug": slug, "piece": piece}
    return reverse("connection_sign_in", kwargs=kwargs, query=query) if piece.strip(" ./") else ""


def scheme_of(session: EngineSession, row: Row) -> AuthSchema:
    """The schema of a connection's app that fits it; empty if nothing is known. Raises EngineError."""
    auths = list[AuthSchema]()
    if name := id_at(row, "pieceName"):
        with suppress(NotFound):  # If the app was removed, the connection's own type determines its content.
            auths = Piece(apps.piece(session, name)).auths
    return auth_forms.scheme(auths, text_at(row, "type"))


def _store(
    session: EngineSession, request: dict[str, object], schema: AuthSchema, typed: Mapping[str, object]
) -> object:
    value = auth_forms.value(schema, typed)
    try:
        connection = session.workflows.upsert_connection({**request, "type": value["type"], "value": value})
        signing_in.forget(session, str(typed.get("sign_in") or ""))
        return connection
    except EngineError as error:
        if any(text.casefold() in error.message.casefold() for text in auth_forms.secrets(value)):
            # The app's message may repeat what it refused.
            error.message = "The words of the engine are left out: they repeat what was typed."
            error.args = (error.message,)
        if error.code in _PROBLEMS and not isinstance(error, Unknown):
            errors = [_PROBLEMS[error.code]]
            # No other holds the app's words (recording conn_upsert_oauth2_bad_code).
            if error.code == "INVALID_APP_CONNECTION":
                errors.append(_("The app says: %s") % error.message[:300])
            raise forms.ValidationError(errors) from None
        raise


def _connection_types(session: EngineSession, row: Row) -> Affected | None:
    """The forms to choose from, if an app can be connected in several ways."""
    slug, name = session.workspace.slug, str(row.get("name"))
    kinds = auth_forms.kinds(Piece(apps.piece(session, name)).auths)
    if len(kinds) < 2:
        return None
    form = CONNECT.url(slug, "pieces", name)
    lines = [
        (str(type_words(kind)), sign_in_page_url(slug, name) if kind == oauth_forms.OWN else f"{form}?way={kind}")
        for kind in kinds
    ]
    return Affected(_("This app can be connected in several ways:"), lines)


#: Creates a connection to an app; on the app's page and behind "New connection".
CONNECT = Action(
    name="connect",
    label=_("Connect"),
    icon="plug",
    form=ConnectForm,
    run=connect,
    creates="connections",
    button=lambda row: _("Connect “%(app)s”") % {"app": formats.cut(apps.title(row))},
    confirm=_("The engine tests what you enter at the app, which may take some seconds, and keeps it encrypted."),
    impact=_connection_types,
    visible=takes_connection,
    primary=always,
    done=lambda row, answer: _("“%(app)s” is connected.") % {"app": formats.cut(apps.title(row))},
    success_url=lambda slug, _row, answer: connection_url(slug, pick(answer, "id")) or list_url(slug, "connections"),
    in_rows=True,
)

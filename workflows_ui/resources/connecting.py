"""Giving an app's secret to the engine: the forms of a new connection and of a new secret, and what is said when the app refuses."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.engine import EngineError, NotFound
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row
from workflows_ui.models import Flavour
from workflows_ui.resources import apps, auth_forms, oauth_forms, signing_in
from workflows_ui.resources.oauth_forms import Around

_PROBLEMS: dict[str, str | Promise] = {
    "INVALID_APP_CONNECTION": gettext_lazy("The app does not accept what you entered. Nothing was saved."),
    "INVALID_CLAIM": gettext_lazy(
        "The app does not accept the code. A code works once: get a new one. Nothing was saved."
    ),
    "ENGINE_OPERATION_FAILURE": gettext_lazy(
        "The engine could not ask the app whether this is right. Nothing was saved. Try again in a minute."
    ),
}


class _AuthForm(forms.Form):
    """What an app's schema asks for; for OAuth2 also a sign-in at the app that was made before, named by `sign_in`."""

    def _take_in(
        self, caller: Caller, found: Row, piece: str, asked: Mapping[str, Any], connection: str = "", held: str = ""
    ) -> None:
        """Adds the fields of the schema, less what a sign-in gave that is named in the address or the form.

        `connection` and `held` are id and type of the connection that there is already.
        """
        self._signed_in = None
        sign_in_url = ""
        if found.get("type") == oauth_forms.OWN and oauth_forms.page_of(found):
            self._signed_in = signing_in.found(caller, str(asked.get("sign_in") or ""), piece, connection)
            sign_in_url = place_to_sign_in(caller.workspace.slug, piece, connection)
            self.fields["sign_in"] = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput())
        self._kind = str(asked.get("client_kind") or held)
        around = Around(redirect_url(caller), sign_in_url, self._signed_in, self._kind)
        wanted = auth_forms.fields(found, around)
        self.fields |= wanted
        given = self._signed_in.given if self._signed_in else {}
        self.discreet = frozenset({*wanted, *given, "sign_in"})

    def clean(self) -> dict[str, Any]:
        """What the sign-in gave is put beside what was typed."""
        typed = super().clean() or self.cleaned_data
        if "client_kind" in typed:
            typed["client_kind"] = typed["client_kind"] or self._kind
        return typed | (self._signed_in.given if self._signed_in else {})


class ConnectForm(_AuthForm):
    """A new connection to the app `row`: its name, and what the app's schema asks for."""

    name = forms.CharField(
        label=gettext_lazy("Name of the connection"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=gettext_lazy("So that others know which account it is, such as “Gmail of the sales team”."),
    )
    # Made once for a form and sent again with it: a second try after an unclear answer makes no second connection.
    external_id = forms.RegexField(r"\A[0-9A-Za-z]{21}\Z", widget=forms.HiddenInput())
    # Which of the app's ways to be connected, where it has several.
    way = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput())

    def __init__(self, *args: Any, caller: Caller, row: Row, asked: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = apps.title(row)[:200]
        self.fields["external_id"].initial = get_random_string(21)
        piece = str(row.get("name"))
        found = auth_forms.scheme(apps.piece(caller, piece).get("auth"), _way(asked)) or {}
        self.fields["way"].initial = found.get("type")
        self._take_in(caller, found, piece, asked)


class SecretForm(_AuthForm):
    """A new secret for the connection `row`, by the schema of its app."""

    def __init__(self, *args: Any, caller: Caller, row: Row, asked: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found, piece = scheme_of(caller, row) or {}, str(row.get("pieceName"))
        self._take_in(caller, found, piece, asked, str(row.get("id")), str(row.get("type")))


def connect(caller: Caller, name: str, typed: dict[str, Any]) -> Any:
    """Makes a connection to the piece of this name; gives it as the engine has it, without the secret.

    Raises ValidationError in words where the app refuses what was typed, and EngineError.
    """
    found = auth_forms.scheme(apps.piece(caller, name).get("auth"), _way(typed))
    if found is None:
        raise forms.ValidationError(_("This app takes no connection that can be made here."))
    about = {"externalId": typed["external_id"], "displayName": typed["name"], "pieceName": name}
    return _store(caller, about, auth_forms.value(found, typed), str(typed.get("sign_in") or ""))


def _way(asked: Mapping[str, Any]) -> str:
    """The way that is asked for; who comes from the app's own page has chosen to sign in there."""
    return str(asked.get("way") or (oauth_forms.OWN if asked.get("sign_in") else ""))


def renew(caller: Caller, row: Row, typed: dict[str, Any]) -> Any:
    """Puts a new secret into the connection `row`; its name, its id and the flows that use it stay. Raises as `connect`."""
    found = scheme_of(caller, row)
    if found is None:
        raise forms.ValidationError(
            _("The engine does not say what this app wants to be given. Change it in the engine.")
        )
    about = {key: row.get(key) for key in ("externalId", "displayName", "pieceName")}
    if isinstance(row.get("metadata"), dict):
        about["metadata"] = row["metadata"]
    return _store(caller, about, auth_forms.value(found, typed), str(typed.get("sign_in") or ""))


def redirect_url(caller: Caller) -> str:
    """Where an app sends people back after they signed in: a page of a self-hosted engine's own web server; else not known."""
    place = caller.workspace
    if place.flavour != Flavour.ACTIVEPIECES:
        return ""
    parts = urlsplit(place.address)
    return f"{parts.scheme}://{parts.netloc}/redirect"


def place_to_sign_in(slug: str, piece: str, connection: str = "") -> str:
    """The page from which one signs in at an app, for a new connection or for one that there is; "" for odd names."""
    if not piece.strip(" ./"):
        return ""
    query = {"connection": connection} if connection else None
    return reverse("connection_sign_in", kwargs={"slug": slug, "piece": piece}, query=query)


def scheme_of(caller: Caller, row: Row) -> dict[str, Any] | None:
    """The schema of a connection's app that fits it; None where nothing is known. Raises EngineError."""
    name = row.get("pieceName")
    auth: object = None
    if isinstance(name, str) and name.strip(" ./"):
        try:
            auth = apps.piece(caller, name).get("auth")
        except NotFound:
            auth = None  # The app was removed; the connection's own type says what it holds.
    return auth_forms.scheme(auth, row.get("type"))


def _store(caller: Caller, about: dict[str, Any], value: dict[str, Any], sign_in: str) -> Any:
    try:
        made = caller.workflows.upsert_connection({**about, "type": value["type"], "value": value})
        signing_in.forget(caller, sign_in)
        return made
    except EngineError as error:
        typed = [text.casefold() for text in auth_forms.secrets(value)]
        if any(text in error.message.casefold() for text in typed):
            # The app's words may repeat what it refused.
            error.message = "The words of the engine are left out: they repeat what was typed."
            error.args = (error.message,)
        if error.code in _PROBLEMS:
            raise forms.ValidationError([_PROBLEMS[error.code], _("The app says: %s") % error.message[:300]]) from None
        raise

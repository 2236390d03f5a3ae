"""Giving an app's secret to the engine: the forms of a new connection and of a new secret, and what is said when the app refuses."""

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.crypto import get_random_string
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows_ui.engine import EngineError, NotFound
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Row
from workflows_ui.models import Flavour
from workflows_ui.resources import apps, auth_forms

_PROBLEMS: dict[str, str | Promise] = {
    "INVALID_APP_CONNECTION": gettext_lazy("The app does not accept what you entered. Nothing was saved."),
    "INVALID_CLAIM": gettext_lazy(
        "The app does not accept the code. A code works once: get a new one. Nothing was saved."
    ),
    "ENGINE_OPERATION_FAILURE": gettext_lazy(
        "The engine could not ask the app whether this is right. Nothing was saved. Try again in a minute."
    ),
}


class ConnectForm(forms.Form):
    """A new connection to the app `row`: its name, and what the app's schema asks for."""

    name = forms.CharField(
        label=gettext_lazy("Name of the connection"),
        max_length=200,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=gettext_lazy("So that others know which account it is, such as “Gmail of the sales team”."),
    )
    # Made once for a form and sent again with it: a second try after an unclear answer makes no second connection.
    external_id = forms.RegexField(r"\A[0-9A-Za-z]{21}\Z", widget=forms.HiddenInput())

    def __init__(self, *args: Any, caller: Caller, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = apps.title(row)[:200]
        self.fields["external_id"].initial = get_random_string(21)
        found = auth_forms.scheme(apps.piece(caller, str(row.get("name"))).get("auth"))
        asked = auth_forms.fields(found or {}, redirect_url(caller))
        self.fields |= asked
        self.discreet = frozenset(asked)


class SecretForm(forms.Form):
    """A new secret for the connection `row`, by the schema of its app."""

    def __init__(self, *args: Any, caller: Caller, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields |= auth_forms.fields(_scheme_of(caller, row) or {}, redirect_url(caller))
        self.discreet = frozenset(self.fields)


def connect(caller: Caller, name: str, typed: dict[str, Any]) -> Any:
    """Makes a connection to the piece of this name; gives it as the engine has it, without the secret.

    Raises ValidationError in words where the app refuses what was typed, and EngineError.
    """
    found = auth_forms.scheme(apps.piece(caller, name).get("auth"))
    if found is None:
        raise forms.ValidationError(_("This app takes no connection that can be made here."))
    about = {"externalId": typed["external_id"], "displayName": typed["name"], "pieceName": name}
    return _store(caller, about, auth_forms.value(found, typed))


def renew(caller: Caller, row: Row, typed: dict[str, Any]) -> Any:
    """Puts a new secret into the connection `row`; its name, its id and the flows that use it stay. Raises as `connect`."""
    found = _scheme_of(caller, row)
    if found is None:
        raise forms.ValidationError(
            _("The engine does not say what this app wants to be given. Change it in the engine.")
        )
    about = {key: row.get(key) for key in ("externalId", "displayName", "pieceName")}
    if isinstance(row.get("metadata"), dict):
        about["metadata"] = row["metadata"]
    return _store(caller, about, auth_forms.value(found, typed))


def redirect_url(caller: Caller) -> str:
    """Where an app sends people back after they signed in: a page of a self-hosted engine's own web server; else not known."""
    place = caller.workspace
    if place.flavour != Flavour.ACTIVEPIECES:
        return ""
    parts = urlsplit(place.address)
    return f"{parts.scheme}://{parts.netloc}/redirect"


def _scheme_of(caller: Caller, row: Row) -> dict[str, Any] | None:
    name = row.get("pieceName")
    auth: object = None
    if isinstance(name, str) and name.strip(" ./"):
        try:
            auth = apps.piece(caller, name).get("auth")
        except NotFound:
            auth = None  # The app was removed; the connection's own type says what it holds.
    return auth_forms.scheme(auth, row.get("type"))


def _store(caller: Caller, about: dict[str, Any], value: dict[str, Any]) -> Any:
    try:
        return caller.workflows.upsert_connection({**about, "type": value["type"], "value": value})
    except EngineError as error:
        typed = [text.casefold() for text in auth_forms.secrets(value)]
        if any(text in error.message.casefold() for text in typed):
            # The app's words may repeat what it refused.
            error.message = "The words of the engine are left out: they repeat what was typed."
            error.args = (error.message,)
        if error.code in _PROBLEMS:
            raise forms.ValidationError([_PROBLEMS[error.code], _("The app says: %s") % error.message[:300]]) from None
        raise

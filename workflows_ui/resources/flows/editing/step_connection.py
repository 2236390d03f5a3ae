"""The connection of a step with an app: the field to choose it, and the step's reference to it (api.md 6.3)."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resources.connections import reading as connection_list
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.runs import step_values
from workflows_ui.web.paths import pick, text_at

#: Seconds for which the connections of an app are cached.
_REMEMBERED = 30


def is_needed(app: Mapping[str, Any], operation: Mapping[str, Any] | None) -> bool:
    """Whether an action or trigger of an app acts with a connection."""
    kinds = [item["type"] for item in apps.auths(app.get("auth"))]
    return any(kind != "NO_AUTH" for kind in kinds) and pick(operation, "requireAuth") is not False


def field(session: EngineSession, piece: str, current: object, *, required: bool) -> forms.ChoiceField:
    """The choice of a connection; `current` is the `auth` of the step. Raises EngineError."""
    rows = session.remember(_cache_name(piece), _REMEMBERED, lambda: connection_list.connections_of_app(session, piece))
    choices = connection_list.choices([row for row in rows if reference(text_at(row, "externalId"))])
    key = key_of(current)
    if key and key not in dict(choices):
        text = gettext("%(id)s (no longer exists)") % {"id": key[:100]} if key != current else key[:100]
        choices.append((key, text))
    return forms.ChoiceField(
        label=_("Connection"),
        choices=[("", "–"), *choices],
        required=required,
        initial=key or (choices[0][0] if len(choices) == 1 else ""),
        help_text="" if choices else _("There is no connection of this app yet."),
    )


def forget(session: EngineSession, piece: str) -> None:
    """Clear the cached connections of an app."""
    session.forget(_cache_name(piece))


def key_of(auth: object) -> str:
    """The external id of the connection that a step refers to; any other text as it is, "" without one."""
    return step_values.external_id(auth) or (auth if isinstance(auth, str) else "")


def reference(key: str) -> str:
    """The `auth` of a step that refers to the connection with this external id; "" if no reference can hold the id."""
    found = connection_list.reference(key) if key else ""
    return f"{{{{{found}}}}}" if found else ""


def _cache_name(piece: str) -> str:
    return f"connections-of:{piece}"

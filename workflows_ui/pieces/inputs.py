"""What an app's schema says about the inputs of its actions and triggers: their labels, and which are secret (api.md 11.3)."""

from collections.abc import Mapping
from typing import Any

from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.pieces import apps
from workflows_ui.resource_admin.cached import cached

_REMEMBERED = 600


@cached("piece-inputs", _REMEMBERED, {})
def of_piece(session: EngineSession, name: str) -> dict[str, dict[str, Any]]:
    """`labels` and `secrets` of a piece, each by action or trigger and then by input. Empty if the engine does not give the piece.

    A secret input is True; one with secret members (a list with properties) is a map of them.
    """
    piece = apps.fetch_app(session, name)
    labels: dict[str, dict[str, str]] = {}
    secrets: dict[str, dict[str, Any]] = {}
    for kind in ("actions", "triggers"):
        for key, item in dict_at(piece, kind).items():
            props = dict_at(item, "props")
            labels.setdefault(str(key), {}).update(_labels(props))
            secrets.setdefault(str(key), {}).update(secret_members(props))
    return {"labels": labels, "secrets": secrets}


def known(session: EngineSession, name: str) -> dict[str, dict[str, Any]]:
    """The same if it is cached, else empty."""
    return session.known(f"piece-inputs:{name}", {})


def secret_members(props: Mapping[str, Any]) -> dict[str, Any]:
    """The secret ones of properties, as in `of_piece`."""
    members: dict[str, Any] = {}
    for name, prop in props.items():
        if text_at(prop, "type") == "SECRET_TEXT":
            members[str(name)] = True
        elif inner := {
            str(key): True for key, one in dict_at(prop, "properties").items() if text_at(one, "type") == "SECRET_TEXT"
        }:
            members[str(name)] = inner
    return members


def _labels(props: Mapping[str, Any]) -> dict[str, str]:
    labels = ((str(name), text_at(prop, "displayName")[:80]) for name, prop in props.items())
    return {name: label for name, label in labels if label.strip()}

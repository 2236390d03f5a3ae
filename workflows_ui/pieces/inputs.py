"""What an app's schema says about the inputs of its actions and triggers: their labels, and which are secret (api.md 11.3)."""

from collections.abc import Mapping
from typing import TypedDict

from workflows_ui.core.readers import objects_by_name
from workflows_ui.credentials.services.engine_session import EngineSession, cached
from workflows_ui.engine_objects.pieces import Piece, Property
from workflows_ui.pieces import apps

_REMEMBERED = 600
#: The secret ones of properties by name: True, or of one with secret members (a list with properties) a map of these.
SecretMembers = Mapping[str, "bool | SecretMembers"]


class Inputs(TypedDict, total=False):
    """The labels and the secret ones of a piece's inputs, each by action or trigger and then by input; empty if the engine does not give
    the piece.
    """

    labels: Mapping[str, Mapping[str, str]]
    secrets: Mapping[str, SecretMembers]


_NOTHING: Inputs = {}


@cached("piece-inputs", _REMEMBERED, _NOTHING)
def of_piece(session: EngineSession, name: str) -> Inputs:
    """The inputs of a piece, in its newest version."""
    piece = Piece(apps.fetch_app(session, name))
    labels: dict[str, dict[str, str]] = {}
    secrets: dict[str, dict[str, bool | SecretMembers]] = {}
    for operations in (piece.actions, piece.triggers):
        for key, operation in operations.items():
            props = operation.props
            labels.setdefault(key, {}).update(_labels(props))
            secrets.setdefault(key, {}).update(secret_members(props))
    return {"labels": labels, "secrets": secrets}


def known(session: EngineSession, name: str) -> Inputs:
    """The same if it is cached, else empty."""
    return session.known(f"piece-inputs:{name}", _NOTHING)


def secret_members(props: Mapping[str, Property]) -> SecretMembers:
    """The secret ones of these properties."""
    members: dict[str, bool | SecretMembers] = {}
    for name, prop in props.items():
        if prop.is_secret:
            members[name] = True
        elif inner := {key: True for key, one in objects_by_name(prop.properties, Property).items() if one.is_secret}:
            members[name] = inner
    return members


def _labels(props: Mapping[str, Property]) -> dict[str, str]:
    labels = ((name, prop.display_name[:80]) for name, prop in props.items())
    return {name: label for name, label in labels if label.strip()}

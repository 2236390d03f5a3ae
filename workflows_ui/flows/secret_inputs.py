"""Secrets in the steps of a flow, masked wherever steps are shown: by name, and where the app's schema says that an input is secret."""

from collections.abc import Iterator
from typing import Protocol, TypeVar

from workflows_ui.core import redaction
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.readers import as_items, mapping_of, objects_by_name
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.flows import StepSettings
from workflows_ui.engine_objects.pieces import Property
from workflows_ui.flows import reading
from workflows_ui.pieces import inputs

#: Pieces whose schema is requested, in reading order. Others are masked by it if it is cached.
MOST_PIECES = 8


Value = TypeVar("Value")


class Mask(Protocol):
    """A function that masks a value."""

    def __call__(self, value: Value, /) -> Value: ...


def masked(session: EngineSession, value: Value) -> Value:
    """A copy of a tree, a version or an operation with its secrets masked. Calls the engine for schemas that are not cached."""
    return masking(session, value)(value)


def masking(session: EngineSession, *values: object) -> Mask:
    """What masks these values, or parts of them, as `masked` does."""
    found = (StepSettings(settings).piece_name for value in values for settings in _settings(value))
    names = list(dict.fromkeys(found))
    schemas = {name: inputs.of_piece(session, name) for name in names[:MOST_PIECES]}
    schemas |= {name: inputs.known(session, name) for name in names[MOST_PIECES:]}

    def mask(value: Value) -> Value:
        copy: Value = redaction.step(value, secrets=reading.SECRETS)
        for settings in _settings(copy):
            step = StepSettings(settings)
            secret = schemas.get(step.piece_name, inputs.Inputs()).get("secrets", {}).get(step.operation, {})
            # Of inputs whose fields the app gave, by the schema that is stored with the step.
            stored = dict_at(settings, "propertySettings").items()
            members = {
                key: inputs.secret_members(objects_by_name(dict_at(one, "schema"), Property)) for key, one in stored
            }
            secret = {**secret, **{key: found for key, found in members.items() if found}}
            settings["input"] = _hidden(settings["input"], secret)
        return copy

    return mask


def _settings(value: object) -> Iterator[dict[str, object]]:
    """The settings of all steps with an app, at any depth; without recursion, since a tree is as deep as the flow is long."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        waiting += reversed(as_items(current))
        if isinstance(current, dict):
            if text_at(current, "pieceName") and isinstance(current.get("input"), dict):
                yield current
            waiting += reversed(current.values())


def _hidden(value: object, secret: inputs.SecretMembers | bool) -> object:
    """The value with what is secret masked (`inputs.secret_members`)."""
    if isinstance(secret, bool):
        return redaction.MASK if secret and redaction.holds_secret(value) else value
    if members := mapping_of(value):
        return {key: _hidden(inner, secret[key]) if key in secret else inner for key, inner in members.items()}
    return [_hidden(item, secret) for item in as_items(value)] or value

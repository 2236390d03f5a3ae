"""Secrets in the steps of a flow, masked wherever steps are shown: by name, and where the app's schema says that an input is secret."""

from collections.abc import Callable, Iterator
from typing import Any

from workflows_ui.core import redaction
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.readers import objects_by_name
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine_objects.pieces import Property
from workflows_ui.flows import reading
from workflows_ui.pieces import inputs

#: Pieces whose schema is requested, in reading order. Others are masked by it if it is cached.
MOST_PIECES = 8


def masked(session: EngineSession, value: Any) -> Any:
    """A copy of a tree, a version or an operation with its secrets masked. Calls the engine for schemas that are not cached."""
    return masking(session, value)(value)


def masking(session: EngineSession, *values: Any) -> Callable[[Any], Any]:
    """What masks these values, or parts of them, as `masked` does."""
    names = list(dict.fromkeys(settings["pieceName"] for value in values for settings in _settings(value)))
    schemas = {name: inputs.of_piece(session, name) for name in names[:MOST_PIECES]}
    schemas |= {name: inputs.known(session, name) for name in names[MOST_PIECES:]}

    def mask(value: Any) -> Any:
        copy = redaction.step(value, secrets=reading.SECRETS)
        for settings in _settings(copy):
            operation = text_at(settings, "actionName") or text_at(settings, "triggerName")
            secret = dict_at(schemas.get(settings["pieceName"]), "secrets").get(operation) or {}
            # Of inputs whose fields the app gave, by the schema that is stored with the step.
            stored = dict_at(settings, "propertySettings").items()
            members = {
                key: inputs.secret_members(objects_by_name(dict_at(one, "schema"), Property)) for key, one in stored
            }
            secret = secret | {key: found for key, found in members.items() if found}
            settings["input"] = _hidden(settings["input"], secret)
        return copy

    return mask


def _settings(value: Any) -> Iterator[dict[str, Any]]:
    """The settings of all steps with an app, at any depth; without recursion, since a tree is as deep as the flow is long."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting += reversed(current)
        elif isinstance(current, dict):
            if text_at(current, "pieceName") and isinstance(current.get("input"), dict):
                yield current
            waiting += reversed(current.values())


def _hidden(value: Any, secret: Any) -> Any:
    """The value with what is secret masked (`inputs.secret_members`)."""
    if secret is True:
        return redaction.MASK if redaction.holds_secret(value) else value
    if isinstance(value, list):
        return [_hidden(item, secret) for item in value]
    if isinstance(value, dict):
        return {key: _hidden(inner, secret[key]) if key in secret else inner for key, inner in value.items()}
    return value

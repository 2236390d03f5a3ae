"""Short ways to write down pieces, their actions, triggers and properties (api.md section 11)."""

from __future__ import annotations

from typing import Any

from workflows_ui.practice_engine import ids
from workflows_ui.practice_engine.http import Json

CREATED = "2025-06-02T03:00:00.000Z"


def prop(kind: str, label: str, *, required: bool = False, help: str = "", **more: Any) -> Json:
    """Any property."""
    found: Json = {"displayName": label, "required": required, "type": kind}
    if help:
        found["description"] = help
    return found | more


def text(label: str, *, required: bool = False, help: str = "", **more: Any) -> Json:
    """One line of text."""
    return prop("SHORT_TEXT", label, required=required, help=help, **more)


def long_text(label: str, *, required: bool = False, help: str = "", **more: Any) -> Json:
    """Several lines of text."""
    return prop("LONG_TEXT", label, required=required, help=help, **more)


def number(label: str, *, required: bool = False, help: str = "", **more: Any) -> Json:
    """A number."""
    return prop("NUMBER", label, required=required, help=help, **more)


def checkbox(label: str, *, required: bool = False, help: str = "", **more: Any) -> Json:
    """Yes or no."""
    return prop("CHECKBOX", label, required=required, help=help, **more)


def choice(
    label: str, *values: str | tuple[str, Any], required: bool = False, multi: bool = False, **more: Any
) -> Json:
    """A fixed choice; each value is a text or ``(label, value)``."""
    kind = "STATIC_MULTI_SELECT_DROPDOWN" if multi else "STATIC_DROPDOWN"
    pairs = [value if isinstance(value, tuple) else (value.replace("_", " ").capitalize(), value) for value in values]
    options = {"options": [{"label": name, "value": value} for name, value in pairs]}
    return prop(kind, label, required=required, options=options, **more)


def lookup(label: str, *refreshers: str, required: bool = False, multi: bool = False, **more: Any) -> Json:
    """A choice whose options are asked for (``POST /v1/pieces/options``)."""
    kind = "MULTI_SELECT_DROPDOWN" if multi else "DROPDOWN"
    return prop(kind, label, required=required, refreshers=list(refreshers), **more)


def dynamic(label: str, *refreshers: str, required: bool = False) -> Json:
    """Properties that depend on others."""
    return prop("DYNAMIC", label, required=required, refreshers=list(refreshers))


def array(label: str, *, required: bool = False, of: Json | None = None) -> Json:
    """A list of texts, or of items with the properties ``of``."""
    more: Json = {"properties": of} if of else {}
    return prop("ARRAY", label, required=required, **more)


def note(words: str) -> Json:
    """Words for the reader, no value."""
    return prop("MARKDOWN", "Note", help=words, variant="INFO")


def secret(label: str = "API key", *, help: str = "") -> Json:
    """Authentication by one secret."""
    return prop("SECRET_TEXT", label, required=True, help=help)


def basic(username: str = "User name", password: str = "Password") -> Json:  # noqa: S107  labels, no secrets
    """Authentication by user name and password."""
    return prop(
        "BASIC_AUTH",
        "Connection",
        required=True,
        username={"displayName": username, "required": True},
        password={"displayName": password, "required": True},
    )


def custom(**props: Json) -> Json:
    """Authentication by several values."""
    return prop("CUSTOM_AUTH", "Connection", required=True, props=props)


def oauth(provider: str, *scopes: str) -> Json:
    """Authentication at a provider that exists for practice only."""
    where = f"https://{provider}.example/oauth"
    return prop(
        "OAUTH2",
        "Connection",
        required=True,
        authUrl=f"{where}/authorize",
        tokenUrl=f"{where}/token",
        scope=list(scopes),
    )


def action(name: str, label: str, words: str, require_auth: bool = True, /, **props: Json) -> tuple[str, Json]:
    """An action of a piece."""
    return name, {
        "name": name,
        "displayName": label,
        "description": words,
        "props": props,
        "requireAuth": require_auth,
        "errorHandlingOptions": {"continueOnFailure": {"hide": False}, "retryOnFailure": {"hide": False}},
    }


def trigger(
    name: str, label: str, words: str, kind: str = "POLLING", sample: Any = None, /, **props: Json
) -> tuple[str, Json]:
    """A trigger of a piece; ``kind`` is POLLING, WEBHOOK or APP_WEBHOOK."""
    return name, {
        "name": name,
        "displayName": label,
        "description": words,
        "props": props,
        "requireAuth": True,
        "type": kind,
        "sampleData": sample if sample is not None else {},
        "testStrategy": "SIMULATION" if kind == "WEBHOOK" else "TEST_FUNCTION",
    }


def piece(
    short: str,
    label: str,
    version: str,
    words: str,
    categories: list[str] | None = None,
    auth: Json | None = None,
    actions: tuple[tuple[str, Json], ...] = (),
    triggers: tuple[tuple[str, Json], ...] = (),
) -> Json:
    """A whole piece. Its logo is on a host that does not exist, so nothing is ever loaded from outside."""
    own = categories is not None and "CORE" in categories
    return {
        "id": ids.named(f"piece {short}"),
        "created": CREATED,
        "updated": CREATED,
        "name": f"@activepieces/piece-{short}",
        "authors": ["practice"],
        "displayName": label,
        "logoUrl": f"https://pieces.example/{short}.png",
        "projectUsage": 0,
        "description": words,
        "platformId": ids.named("platform") if own else None,
        "version": version,
        "minimumSupportedRelease": "0.30.0",
        "maximumSupportedRelease": "999.999.999",
        "auth": auth,
        "actions": dict(actions),
        "triggers": dict(triggers),
        "pieceType": "CUSTOM" if own else "OFFICIAL",
        "categories": categories,
        "packageType": "ARCHIVE" if own else "REGISTRY",
        "archiveId": ids.named(f"archive {short}") if own else None,
    }

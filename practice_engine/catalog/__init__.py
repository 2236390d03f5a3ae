"""The pieces of the practice engine, with property schemas of every kind. Each is a file in ``pieces/``.

A file holds what the engine shows of the piece, without what follows from its name or is the same for all. ``version_083`` is the
version that 0.83.0 has if it differs (recordings of flows and of ``pieces_list``); ``classification`` is what newer pieces tell
assistants about an action or trigger there (recordings ``piece_get_store``, ``piece_install``); ``i18n`` has translations by
language. All texts are our own.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from practice_engine import ids
from practice_engine.http import V083, Json, Version
from practice_engine.state import FOLDER, read_data

CREATED = "2025-06-02T03:00:00.000Z"
PREFIX = "@activepieces/piece-"
CATEGORIES = [
    *("ARTIFICIAL_INTELLIGENCE", "COMMUNICATION", "COMMERCE", "CORE", "UNIVERSAL_AI", "FLOW_CONTROL"),
    *("BUSINESS_INTELLIGENCE", "ACCOUNTING", "PRODUCTIVITY", "CONTENT_AND_FILES", "DEVELOPER_TOOLS"),
    *("CUSTOMER_SUPPORT", "FORMS_AND_SURVEYS", "HUMAN_RESOURCES", "PAYMENT_PROCESSING", "MARKETING", "SALES_AND_CRM"),
]
ERROR_HANDLING = {"continueOnFailure": {"hide": False}, "retryOnFailure": {"hide": False}}
NO_STRATEGY = {"strategy": "NONE"}


@cache
def pieces(version: Version) -> Mapping[str, Json]:
    """The pieces of an engine of this version by name, in the order of their labels. They are shared: never change them."""
    names = [PREFIX + file.stem for file in (FOLDER / "catalog/pieces").glob("*.json")]
    found = sorted((_piece(name, version >= V083) for name in names), key=lambda piece: str(piece["displayName"]))
    return {piece["name"]: piece for piece in found}


def full_piece(piece: Json, version: Version, locale: str = "") -> Json:
    """A piece with its translations, its texts in the language of ``locale`` where there is a translation."""
    translations = read_data(_file_name(piece["name"])).get("i18n", {})
    full = {**_translated(piece, translations.get(locale, {})), "i18n": translations}
    return {**full, "contextInfo": {"version": "1"}} if version >= V083 else full


def _file_name(name: str) -> str:
    return f"catalog/pieces/{name.removeprefix(PREFIX)}.json"


def _piece(name: str, newer: bool) -> Json:
    """A piece as 0.72.4 or 0.83.0 has it. In the recordings of 0.83.0 all pieces come from the registry (``pieces_list``)."""
    data, short = read_data(_file_name(name)), name.removeprefix(PREFIX)
    own = "CORE" in (data["categories"] or ())
    archive = own and not newer
    return {
        "id": ids.named_id(f"piece {short}"),
        "created": CREATED,
        "updated": CREATED,
        "name": name,
        "authors": ["practice"],
        "displayName": data["displayName"],
        # On a host that does not exist, so nothing is ever loaded from outside.
        "logoUrl": f"https://pieces.example/{short}.png",
        "projectUsage": 0,
        "description": data["description"],
        "platformId": ids.named_id("platform") if own or newer else None,
        "version": data.get("version_083", data["version"]) if newer else data["version"],
        "minimumSupportedRelease": "0.30.0",
        "maximumSupportedRelease": "999.999.999",
        "auth": data["auth"],
        "actions": {key: _action(key, one, newer) for key, one in data.get("actions", {}).items()},
        "triggers": {key: _trigger(key, one, newer) for key, one in data.get("triggers", {}).items()},
        "pieceType": "CUSTOM" if own or newer else "OFFICIAL",
        "categories": data["categories"],
        "packageType": "ARCHIVE" if archive else "REGISTRY",
        "archiveId": ids.named_id(f"archive {short}") if archive else None,
    }


def _action(name: str, data: Json, newer: bool) -> Json:
    action = {"name": name, "requireAuth": True, **data, "errorHandlingOptions": ERROR_HANDLING}
    if action.pop("classification", "") and newer:
        action |= {"audience": "both", **_advice(data, idempotent=data["classification"] == "READ")}
    return action


def _trigger(name: str, data: Json, newer: bool) -> Json:
    test = "SIMULATION" if data["type"] == "WEBHOOK" else "TEST_FUNCTION"
    trigger = {"name": name, "requireAuth": True, "testStrategy": test, **data}
    trigger |= {"handshakeConfiguration": NO_STRATEGY, "renewConfiguration": NO_STRATEGY}
    if trigger.pop("classification", "") and newer:
        trigger |= _advice(data)
    return trigger


def _advice(data: Json, **more: Any) -> Json:
    """What newer pieces tell assistants."""
    return {"aiMetadata": {"description": data["description"], **more}, "classification": data["classification"]}


def _translated(value: Any, texts: Mapping[str, str], key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _translated(inner, texts, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_translated(inner, texts) for inner in value]
    return texts.get(value, value) if key in ("displayName", "description", "label") else value

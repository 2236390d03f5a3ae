"""Starters: flows to begin with, each a file beside this module with a tree (api.md 6.3), in the language of who creates one.

A file has `title`, `about`, `icon`, `order` and `trigger`. Its steps name no versions, and `choose` instead of a connection or table:
imports/matching.py fills both in. `{"translate": text}` is a text in the person's language, `{"zone": true}` the person's time zone.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from workflows_ui.resources.flows.imports import contents
from workflows_ui.resources.flows.imports.files import Request


@dataclass(frozen=True)
class Starter:
    """One file; `key` is its name. `pieces` are the whole names of the apps, in their order."""

    key: str
    order: int
    icon: str
    title: dict[str, str]
    about: dict[str, str]
    trigger: dict[str, Any]
    pieces: tuple[str, ...]

    def request(self) -> Request:
        """The request of IMPORT_FLOW (imports/files.py), before anything is matched."""
        return {
            "displayName": localized(self.title),
            "trigger": localized(self.trigger),
            "schemaVersion": None,
            "notes": [],
        }


@cache
def starters() -> dict[str, Starter]:
    """All starters by key, in their order."""
    found = [_read(file) for file in Path(__file__).parent.glob("*.json")]
    return {starter.key: starter for starter in sorted(found, key=lambda starter: starter.order)}


def _read(file: Path) -> Starter:
    data = json.loads(file.read_text(encoding="utf-8"))
    pieces = dict.fromkeys(name for name, _version in contents.read([data["trigger"]]).apps)
    return Starter(file.stem, pieces=tuple(pieces), **data)


def localized(value: Any) -> Any:
    """Return a copy of a part of a file for the person who is served."""
    if isinstance(value, list):
        return [localized(item) for item in value]
    if not isinstance(value, dict):
        return value
    if text := value.get("translate"):
        return gettext(text)
    if "zone" in value:
        return timezone.get_current_timezone_name()
    return {key: localized(item) for key, item in value.items()}

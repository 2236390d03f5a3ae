"""A launch's payload: its text (see forming/json_text.py), and the digest that tells equal ones."""

import json
from typing import Any

from django.utils.crypto import salted_hmac

from workflows_ui.forming.json_text import MAX_BYTES, MAX_DEPTH, BadPayload, dump, parse, pretty

__all__ = ["MAX_BYTES", "MAX_DEPTH", "BadPayload", "digest", "dump", "parse", "pretty"]


def digest(flow_id: str, value: Any) -> str:
    """A keyed digest of flow and values, equal for equal values whatever the order of keys. 64 hex digits."""
    canonical = json.dumps([flow_id, value], ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return salted_hmac("workflows_ui.launch.payload", canonical, algorithm="sha256").hexdigest()

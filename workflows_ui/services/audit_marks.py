"""The marks of the audit log's chain: HMAC-SHA256 with AUDIT_KEY. Touches no database.

A mark goes over the mark before it, the row's number and id, and the row's canonical text; so a row cannot be changed, taken out, put
in or moved without the key. Each mark names its key, so that a new key in front of AUDIT_KEY leaves the old marks provable.
"""

import datetime
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings

from workflows_ui.models import audit_text


class NoSuchKey(Exception):
    """The key that made a mark is not in AUDIT_KEY any more."""


@dataclass(frozen=True)
class Head:
    """The end of a chain, or a place in it: the number of a row and its mark. 0 and "" before the first row."""

    number: int = 0
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.number}:{self.mark}"


def current() -> str:
    """The id of the key that makes new marks."""
    return key_id(settings.AUDIT_KEY[0])


def key_id(key: str) -> str:
    """What tells keys apart and gives none of them away."""
    return hashlib.sha256(f"audit key id:{key}".encode()).hexdigest()[:16]


def of_row(key: str, before: Head, id: int, canonical: str) -> str:
    """The mark of the row that follows `before`. Raises NoSuchKey."""
    return _mac(key, "row", before.mark, str(before.number + 1), str(id), canonical)


def of_head(key: str, head: Head) -> str:
    """The signature of the chain's end. Raises NoSuchKey."""
    return _mac(key, "head", head.mark, str(head.number))


def of_checkpoint(key: str, head: Head, until: datetime.datetime, removed: int, before: str) -> str:
    """The signature of a checkpoint; `before` is that of the checkpoint before it, or "". Raises NoSuchKey."""
    return _mac(key, "checkpoint", head.mark, str(head.number), audit_text.moment(until), str(removed), before)


def same(one: str, other: str) -> bool:
    """Whether two marks are the same, compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())


def _mac(key: str, *parts: str) -> str:
    secret = next((one for one in settings.AUDIT_KEY if key_id(one) == key), None)
    if secret is None:
        raise NoSuchKey(key)
    # Each part is preceded by its length: no two lists of parts make the same message.
    message = b"".join(len(part := text.encode()).to_bytes(8, "big") + part for text in parts)
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()

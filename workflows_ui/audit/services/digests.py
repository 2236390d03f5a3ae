"""The digests of the audit log's hash chain (column `mark`): HMAC-SHA256 with AUDIT_KEY. Uses no database.

A digest covers the previous digest, the row's number and id, and its canonical text; so a row cannot be changed, removed, inserted or
moved without the key. Each row stores the id of its key, so that old digests stay verifiable after a new key is put first in AUDIT_KEY.
"""

import datetime
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings

from workflows_ui.audit.models import canonical_text


class NoSuchKey(Exception):
    """The key of a digest is no longer in AUDIT_KEY."""


@dataclass(frozen=True)
class Head:
    """The end of a chain, or a position in it: the number and digest of a row. 0 and "" before the first row."""

    number: int = 0
    mark: str = ""

    def __str__(self) -> str:
        return f"{self.number}:{self.mark}"


def current_key_id() -> str:
    return key_id(settings.AUDIT_KEY[0])


def key_id(key: str) -> str:
    """Return an identifier of a key that does not reveal it."""
    return hashlib.sha256(f"audit key id:{key}".encode()).hexdigest()[:16]


def row_digest(key: str, before: Head, id: int, canonical: str) -> str:
    """Return the digest of the row after `before`. Raise NoSuchKey."""
    return _mac(key, "row", before.mark, str(before.number + 1), str(id), canonical)


def head_signature(key: str, head: Head) -> str:
    return _mac(key, "head", head.mark, str(head.number))


def checkpoint_signature(key: str, head: Head, until: datetime.datetime, removed: int, before: str) -> str:
    """Return the signature of a checkpoint; `before` is the signature of the previous one, or "". Raise NoSuchKey."""
    return _mac(key, "checkpoint", head.mark, str(head.number), canonical_text.moment(until), str(removed), before)


def digests_equal(first: str, second: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(first.encode(), second.encode())


def _mac(key: str, *parts: str) -> str:
    secret = next((candidate for candidate in settings.AUDIT_KEY if key_id(candidate) == key), None)
    if secret is None:
        raise NoSuchKey(key)
    # Each part is prefixed with its length, so that different lists of parts never give the same message.
    message = b"".join(len(part := text.encode()).to_bytes(8, "big") + part for text in parts)
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()

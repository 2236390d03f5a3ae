"""Ids and times as the engine writes them.

An id is 21 characters of ``[0-9A-Za-z]``; a time is an ISO-8601 UTC string with milliseconds (api.md section 4).
"""

import hashlib
import re
import secrets
import string
from datetime import UTC, datetime, timedelta
from functools import cache

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 21
#: A letter for each byte.
_LETTERS = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
ID_PATTERN = re.compile(r"[0-9A-Za-z]{21}")


def is_id(text: object) -> bool:
    return isinstance(text, str) and ID_PATTERN.fullmatch(text) is not None


def new_id(length: int = ID_LENGTH) -> str:
    return secrets.token_bytes(length).translate(_LETTERS).decode("ascii")


@cache
def named_id(name: str) -> str:
    """The id that belongs to ``name``, always the same, so that sample objects keep their ids over restarts."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest())
    letters = []
    for _ in range(ID_LENGTH):
        number, rest = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[rest])
    return "".join(letters)


def now() -> datetime:
    """The real time in UTC: only waiting is scaled (``clock.py``)."""
    return datetime.now(UTC)


def stamp(moment: datetime | None = None) -> str:
    """``moment`` (default: now) as the engine writes it, e.g. ``2025-11-24T09:00:00.000Z``."""
    moment = (moment or now()).astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="milliseconds") + "Z"


def parse(text: str) -> datetime:
    """The moment of an ISO-8601 text, in UTC if it names no zone. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def epoch_ms(text: str) -> int:
    """An ISO-8601 text in milliseconds since 1970."""
    return (parse(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

"""The canonical text of an audit row: one deterministic JSON text of everything that was written down, over which the chain's marks go.

Its form is part of what is stored for years: a change of it needs another `FORM`, and the old one must stay readable.
"""

import datetime
import ipaddress
import json
import math
from collections.abc import Mapping
from typing import Any

#: The form of the text, named in it.
FORM = 1


def plain(value: Any) -> Any:
    """The value as every database keeps it and gives it back: JSON without NUL, halves of characters, and odd numbers.

    Whole floats become integers, since PostgreSQL gives 1e16 back as an integer; NaN and infinity become words.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return storable(str(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        return {storable(str(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return storable(str(value))


def storable(text: str) -> str:
    """The text as every database takes it: no NUL, no half of a character."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def moment(value: datetime.datetime) -> str:
    """A moment in UTC, to the microsecond."""
    return value.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def internet_address(value: str | None) -> str | None:
    """An IP address in one spelling, whichever the database chose; what is none stays as it is."""
    if not value:
        return None
    try:
        found = ipaddress.ip_address(value)
    except ValueError:
        return value
    return str(getattr(found, "ipv4_mapped", None) or found)


def text(values: Mapping[str, Any]) -> str:
    """The canonical text of these values; `at` is an aware moment. The same values give the same text, on any machine."""
    told = {**values, "at": moment(values["at"]), "address": internet_address(values["address"]), "form": FORM}
    return json.dumps(plain(told), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

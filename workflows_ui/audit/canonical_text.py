"""The canonical text of an audit row: a deterministic JSON text of all recorded values, the input of the chain's digests.

The format is stored for years: a change needs a new `FORM`, and the old one must stay readable.
"""

import datetime
import ipaddress
import json
import math
from collections.abc import Mapping
from typing import Any

from workflows_ui.core.database import storable

#: Version of the format, included in the text, and the fields that earlier versions lack.
FORM = 2
LACKING: Mapping[int, tuple[str, ...]] = {1: ("subject_type", "subject_id")}


def plain(value: Any) -> Any:
    """The value as every database stores and returns it: JSON without NUL, lone surrogates and non-finite numbers.

    Whole floats become integers, since PostgreSQL returns 1e16 as an integer; NaN and infinity become strings.
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
        return {storable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return storable(str(value))


def moment(value: datetime.datetime) -> str:
    """The moment in UTC, to the microsecond, in ISO 8601."""
    return value.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def internet_address(value: str | None) -> str | None:
    """An IP address in one spelling, independent of the database; other text is unchanged."""
    if not value:
        return None
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return value
    return str(getattr(address, "ipv4_mapped", None) or address)


def version(canonical: str) -> int:
    """The version of a stored canonical text; FORM if the text is empty or was not written by this console."""
    try:
        form = json.loads(canonical)["form"]
    except (ValueError, TypeError, KeyError):
        return FORM
    return form if isinstance(form, int) and form in LACKING else FORM


def text(values: Mapping[str, Any], form: int = FORM) -> str:
    """The canonical text of these values; `at` is an aware datetime. Equal values give equal text on every machine."""
    content = {name: value for name, value in values.items() if name not in LACKING.get(form, ())}
    content |= {"at": moment(values["at"]), "address": internet_address(values["address"]), "form": form}
    return json.dumps(plain(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

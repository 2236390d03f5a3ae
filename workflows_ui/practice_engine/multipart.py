"""Bodies of type multipart/form-data, read as the engine's own parser (fastify-multipart, "keyValues") reads them (api.md section 7)."""

import json
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from .http import HttpError, Json

#: The parser truncates longer parts without a file (bytes).
FIELD_SIZE = 1024 * 1024
#: Attributes of every JavaScript object: the parser refuses parts with these names.
PROTOTYPE = frozenset(
    {"__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "toString", "toLocaleString", "valueOf"}
)


@dataclass
class FormFile:
    """A part with a file name. It is replaced by an address once the flow is known (``routes/webhooks.py``)."""

    name: str
    data: bytes = field(repr=False)


def parse(body: bytes, content_type: str) -> Json:
    """Return the parts by name: text as text, parts of type JSON decoded, files as ``FormFile``, repeated names as lists."""
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise HttpError.plain(400, "Multipart: Boundary not found")
    values: Json = {}
    for part in message.iter_parts():
        name = _parameter(part, "name")
        if name is None:
            continue
        if name in PROTOTYPE:
            raise HttpError.plain(400, "prototype property is not allowed as field name", "FST_PROTO_VIOLATION")
        add_repeated(values, name, _value(part))
    return values


def add_repeated(values: Json, name: str, value: Any) -> None:
    """Add a value; several values of one name become a list."""
    if name not in values:
        values[name] = value
    else:
        known = values[name]
        values[name] = [*known, value] if isinstance(known, list) else [known, value]


def _value(part: Message) -> Any:
    content = part.get_payload(decode=True)
    data = content if isinstance(content, bytes) else b""
    filename = _parameter(part, "filename")
    if filename is not None:
        return FormFile(filename.replace("\\", "/").rpartition("/")[2], data)
    text = data[:FIELD_SIZE].decode("utf-8", "replace")
    if not part.get_content_type().startswith("application/json"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise HttpError.plain(
            400, "a request field is not a valid JSON as declared by its Content-Type", "FST_INVALID_JSON_FIELD_ERROR"
        ) from None


def _parameter(part: Message, name: str) -> str | None:
    """A parameter of the part's content disposition, UTF-8 as browsers write it."""
    value = part.get_param(name, header="content-disposition")
    return value if isinstance(value, str) else None

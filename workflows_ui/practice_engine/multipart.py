"""Bodies of type multipart/form-data, read as the engine's own parser (fastify-multipart, "keyValues") reads them (api.md section 7)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from .http import Json, bare

#: Bytes of a part without a file; the parser cuts what is longer.
FIELD_SIZE = 1024 * 1024
#: What JavaScript's objects have: the parser refuses parts of these names.
PROTOTYPE = frozenset(
    {"__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "toString", "toLocaleString", "valueOf"}
)


@dataclass
class FormFile:
    """A part with a file name. It becomes an address once the flow is known (``routes/webhooks.py``)."""

    name: str
    data: bytes = field(repr=False)


def parse(body: bytes, content_type: str) -> Json:
    """The parts by name: text as text, parts of type JSON decoded, files as ``FormFile``; a name that comes twice gives a list."""
    head = f"content-type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise bare(400, "Multipart: Boundary not found")
    found: Json = {}
    for part in message.iter_parts():
        name = _parameter(part, "name")
        if name is None:
            continue
        if name in PROTOTYPE:
            raise bare(400, "prototype property is not allowed as field name", "FST_PROTO_VIOLATION")
        value = _value(part)
        if name in found:
            found[name] = [*found[name], value] if isinstance(found[name], list) else [found[name], value]
        else:
            found[name] = value
    return found


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
        raise bare(
            400, "a request field is not a valid JSON as declared by its Content-Type", "FST_INVALID_JSON_FIELD_ERROR"
        ) from None


def _parameter(part: Message, name: str) -> str | None:
    """A parameter of the part's content disposition, UTF-8 as browsers write it."""
    found = part.get_param(name, header="content-disposition")
    return found if isinstance(found, str) else None

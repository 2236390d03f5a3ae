"""The body of a trigger with files: multipart/form-data as the engine's webhook reads it (api.md section 7).

The engine (fastify-multipart) reads each part as one key of the body: a part with a file name is stored and becomes an address that
opens without a login, a part without one becomes a text (recording `run_get_body_multipart_file`). A part of type application/json is
decoded, so that numbers, lists and objects keep their type (by the parser's source; there is no recording). Nested values cannot hold
files.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .transport import encoded

#: Bytes of a part without a file: the engine's parser truncates longer ones, and then refuses them as invalid JSON.
LARGEST_VALUE = 1024 * 1024
#: Keys that the engine's parser refuses, since they are properties of JavaScript's objects.
_PROTOTYPE = frozenset(
    {"__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__", "constructor"}
    | {"hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"}
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}")


@dataclass(frozen=True)
class Upload:
    """A file of a trigger: `key` is the key of its address in the trigger's body."""

    key: str
    filename: str
    content_type: str
    data: bytes = field(repr=False)


def encode_body(payload: Any, uploads: Sequence[Upload]) -> tuple[bytes, str]:
    """The body and its content type for an object of values and files.

    Raises ValueError if the payload is not an object, a key or a file name is not valid in a header or refused by the engine, a value
    is larger than 1 MiB, or a key is both a value and a file.
    """
    if not isinstance(payload, dict):
        raise ValueError("Files go with an object of values only.")  # noqa: TRY004 - callers catch one kind of error
    values = [(key, encoded(value)) for key, value in payload.items()]
    keys = [*payload, *(upload.key for upload in uploads)]
    if len(set(keys)) < len(keys):
        raise ValueError("A key has more than one value.")
    if any(len(data) > LARGEST_VALUE for _key, data in values):
        raise ValueError("A value beside files is larger than 1 MiB.")
    boundary = f"console-{secrets.token_hex(24)}"
    parts: list[bytes] = []
    for key, data in values:
        parts += _part(boundary, f'name="{_escape_name(key)}"', "application/json", data)
    for upload in uploads:
        kind = upload.content_type if _TYPE.fullmatch(upload.content_type) else "application/octet-stream"
        names = f'name="{_escape_name(upload.key)}"; filename="{_escape_name(upload.filename or "file")}"'
        parts += _part(boundary, names, kind, upload.data)
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, names: str, kind: str, data: bytes) -> list[bytes]:
    head = f"--{boundary}\r\ncontent-disposition: form-data; {names}\r\ncontent-type: {kind}\r\n\r\n"
    return [head.encode(), data, b"\r\n"]


def _escape_name(text: str) -> str:
    """A name, escaped for the quotation marks of a header. Raises ValueError."""
    if text in _PROTOTYPE or _CONTROL.search(text) or not text:
        raise ValueError("A key or a file name that no request of this kind can carry.")
    return text.replace("\\", "\\\\").replace('"', '\\"')

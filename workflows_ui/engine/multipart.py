"""The body of a trigger that carries files: multipart/form-data as the engine's webhook reads it (api.md section 7).

The engine (fastify-multipart) takes each part as one key of the body: a part with a file name is stored and becomes an address, a part
of type application/json is decoded, so that numbers, lists and objects arrive as what they are. Nothing nested can hold a file.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

#: Bytes of a part without a file: the engine's parser cuts longer ones, and then refuses what no longer is JSON.
LARGEST_VALUE = 1024 * 1024
#: Keys that the engine's parser refuses, since JavaScript's objects have them.
_PROTOTYPE = frozenset(
    {
        "__defineGetter__",
        "__defineSetter__",
        "__lookupGetter__",
        "__lookupSetter__",
        "__proto__",
        "constructor",
        "hasOwnProperty",
        "isPrototypeOf",
        "propertyIsEnumerable",
        "toLocaleString",
        "toString",
        "valueOf",
    }
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}")


@dataclass(frozen=True)
class Upload:
    """A file that goes with a trigger: `key` is where its address stands in the trigger's body."""

    key: str
    filename: str
    content_type: str
    data: bytes = field(repr=False)


def body_of(payload: Any, uploads: Sequence[Upload], encoded: Any) -> tuple[bytes, str]:
    """The body and its content type for an object of values and the files beside them.

    Args:
        encoded: how a value becomes bytes of JSON.

    Raises ValueError for what the engine cannot be sent in this form: no object, a key or a file name that no header carries or that
    the engine refuses, a value of more than 1 MiB, a key that is both a value and a file.
    """
    if not isinstance(payload, dict):
        raise ValueError("Files go with an object of values only.")  # noqa: TRY004 - what a caller has to catch is one kind
    values = [(key, encoded(value)) for key, value in payload.items()]
    keys = [*payload, *(upload.key for upload in uploads)]
    if len(set(keys)) < len(keys):
        raise ValueError("A key has more than one value.")
    if any(len(data) > LARGEST_VALUE for _key, data in values):
        raise ValueError("A value beside files is larger than 1 MiB.")
    boundary = f"console-{secrets.token_hex(24)}"
    parts: list[bytes] = []
    for key, data in values:
        parts += _part(boundary, f'name="{_quoted(key)}"', "application/json", data)
    for upload in uploads:
        kind = upload.content_type if _TYPE.fullmatch(upload.content_type) else "application/octet-stream"
        names = f'name="{_quoted(upload.key)}"; filename="{_quoted(upload.filename or "file")}"'
        parts += _part(boundary, names, kind, upload.data)
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, names: str, kind: str, data: bytes) -> list[bytes]:
    head = f"--{boundary}\r\ncontent-disposition: form-data; {names}\r\ncontent-type: {kind}\r\n\r\n"
    return [head.encode(), data, b"\r\n"]


def _quoted(text: str) -> str:
    """A name inside the quotation marks of a header. Raises ValueError."""
    if text in _PROTOTYPE or _CONTROL.search(text) or not text:
        raise ValueError("A key or a file name that no request of this kind can carry.")
    return text.replace("\\", "\\\\").replace('"', '\\"')

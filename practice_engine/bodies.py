"""Decodes the body of a request by its content type (recordings ``webhook_*``, ``run_get_body_*``).

Parts of type multipart/form-data are read as the engine's own parser (fastify-multipart, "keyValues") reads them (api.md section 7).
"""

import json
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from . import ids, schema
from .http import V083, HttpError, Json, Request

LIMIT = 25 * 1024 * 1024
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
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


def parse(request: Request, *, any_body: bool) -> None:
    """Set ``payload`` and ``has_payload``. Raises ``HttpError``.

    ``any_body``: the route accepts every content type. Since 0.83.0 XML becomes an object there, and bytes become a file.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    any_kind = any_body and request.version >= V083
    if len(request.body) > LIMIT:
        if any_kind:
            # The webhook's own handler responds (recording webhook_too_large_413).
            raise HttpError(413, {"message": "Payload too large"}, {"x-webhook-id": ids.new_id()})
        raise HttpError.plain(413, "the body is too large", "FST_ERR_CTP_BODY_TOO_LARGE")
    if request.method == "GET" or (not request.body and not kind):
        return
    if any_kind and not request.body:
        return
    if kind == "application/json":
        if not request.body:
            message = "the content type says JSON and the body is empty"
            raise HttpError.plain(400, message, "FST_ERR_CTP_EMPTY_JSON_BODY")
        request.payload = _json(request.body)
    elif kind in (FORM, PARTS):
        request.payload = _form(request, kind)
    elif any_kind and kind in ("application/xml", "text/xml"):
        request.payload = _xml(request.body)
    elif any_kind and kind and not kind.startswith("text/"):
        request.is_binary, request.payload = True, FormFile("file", request.body)
    elif kind == "text/plain" or any_body:
        request.payload = request.body.decode("utf-8", "replace")
    elif request.body:
        message = f"the content type {kind or 'of the body'} is not supported"
        raise HttpError.plain(415, message, "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    request.has_payload = True


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise HttpError.plain(400, "the body is not JSON") from None


def _form(request: Request, kind: str) -> Json:
    if kind == PARTS:
        return _parse_multipart(request.body, request.headers["content-type"])
    return schema.query_source(parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def _xml(body: bytes) -> Any:
    """Elements as objects by name, those of one name as a list; text that is a number as a number (``run_get_body_xml``)."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # nosec B314  practice data on the loopback
    except ElementTree.ParseError:
        raise HttpError.plain(400, "the body is not XML") from None
    return {root.tag: _element(root)}


def _element(element: ElementTree.Element) -> Any:
    if not len(element):
        text = (element.text or "").strip()
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    children: Json = {}
    for child in element:
        _add_repeated(children, child.tag, _element(child))
    return children


def _parse_multipart(body: bytes, content_type: str) -> Json:
    """The parts by name: text as text, parts of type JSON decoded, files as ``FormFile``, repeated names as lists."""
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
        _add_repeated(values, name, _value(part))
    return values


def _add_repeated(values: Json, name: str, value: Any) -> None:
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
        message = "a request field is not a valid JSON as declared by its Content-Type"
        raise HttpError.plain(400, message, "FST_INVALID_JSON_FIELD_ERROR") from None


def _parameter(part: Message, name: str) -> str | None:
    """A parameter of the part's content disposition, UTF-8 as browsers write it."""
    value = part.get_param(name, header="content-disposition")
    return value if isinstance(value, str) else None

"""Decodes the body of a request by its content type (recordings ``webhook_*``, ``run_get_body_*``)."""

import json
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from . import ids, multipart, schema
from .http import V083, HttpError, Json, Request
from .multipart import FormFile, add_repeated

LIMIT = 25 * 1024 * 1024
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"


def parse(request: Request, *, any_body: bool) -> None:
    """Set ``payload`` and ``has_payload``. ``any_body``: the route accepts every content type. Raises ``HttpError``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if len(request.body) > LIMIT:
        raise _too_large(request, any_body)
    if request.method == "GET" or (not request.body and not kind):
        return
    if any_body and request.version >= V083:
        request.has_payload, request.payload = bool(request.body), _any_payload(request, kind)
        return
    if kind == "application/json":
        if not request.body:
            raise HttpError.plain(
                400, "the content type says JSON and the body is empty", "FST_ERR_CTP_EMPTY_JSON_BODY"
            )
        request.payload = _json(request.body)
    elif kind in (FORM, PARTS):
        request.payload = _form(request, kind)
    elif kind == "text/plain" or any_body:
        request.payload = request.body.decode("utf-8", "replace")
    elif request.body:
        raise HttpError.plain(
            415, f"the content type {kind or 'of the body'} is not supported", "FST_ERR_CTP_INVALID_MEDIA_TYPE"
        )
    request.has_payload = True


def _any_payload(request: Request, kind: str) -> Any:
    """The payload of a webhook of 0.83.0: XML becomes an object, bytes become a file."""
    if not request.body:
        return None
    if kind == "application/json":
        return _json(request.body)
    if kind in (FORM, PARTS):
        return _form(request, kind)
    if kind in ("application/xml", "text/xml"):
        return _xml(request.body)
    if kind.startswith("text/") or not kind:
        return request.body.decode("utf-8", "replace")
    request.is_binary = True
    return FormFile("file", request.body)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise HttpError.plain(400, "the body is not JSON") from None


def _form(request: Request, kind: str) -> Json:
    if kind == PARTS:
        return multipart.parse(request.body, request.headers["content-type"])
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
        add_repeated(children, child.tag, _element(child))
    return children


def _too_large(request: Request, any_body: bool) -> HttpError:
    if any_body and request.version >= V083:
        # The webhook's own handler responds (recording webhook_too_large_413).
        return HttpError(413, {"message": "Payload too large"}, {"x-webhook-id": ids.Ids().new()})
    return HttpError.plain(413, "the body is too large", "FST_ERR_CTP_BODY_TOO_LARGE")

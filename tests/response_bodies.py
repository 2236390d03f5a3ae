"""A WSGI application that answers with every kind of body, also with those that a status or a method forbids.

`/<status>/<kind>`: the kind says how the body is given to the server. The body of a GET is `BODY`, unless a length is wrong on purpose.
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from wsgiref.util import FileWrapper

from console.wsgi import application as console

#: A response itself: bytes of it that follow another response would be taken for the next.
BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned"
SECOND = b"second"
#: The body as bytes, of a known length; as a generator; as a file; by `write`; longer and shorter than its Content-Length; an exception.
KINDS = ("bytes", "pieces", "file", "written", "excess", "short", "error")
_LENGTHS = {"bytes": len(BODY), "file": len(BODY), "excess": 10, "short": len(BODY) + 10}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as the path says, with `SECOND` at `/`; other addresses are the console's."""
    parts = environ["PATH_INFO"].strip("/").split("/")
    if parts == ["healthz"]:
        return console(environ, start_response)
    if len(parts) == 1:
        environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Length", str(len(SECOND)))])
        return [SECOND]
    if parts[1] == "slow":
        time.sleep(1)
    status, kind = HTTPStatus(int(parts[0])), parts[1]
    if kind == "error":
        raise RuntimeError(kind)
    headers = [("Content-Type", "text/plain")]
    if kind in _LENGTHS:
        headers.append(("Content-Length", str(_LENGTHS[kind])))
    write = start_response(f"{status.value} {status.phrase}", headers)
    if kind == "pieces":
        return _pieces()
    if kind == "file":
        wrapper = environ.get("wsgi.file_wrapper", FileWrapper)
        return wrapper(io.BytesIO(BODY))  # type: ignore[no-any-return]
    if kind == "written":
        write(BODY)
        return []
    return [BODY]


def _pieces() -> Iterator[bytes]:
    yield BODY[:10]
    yield BODY[10:]

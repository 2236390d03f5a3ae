"""Everywhere that a secret could end: pages, the database and its files, cache, broker, mails, files; each unpacked as far as it goes."""

import base64
import gzip
import json
import re
import subprocess
import zlib
from collections.abc import Iterable, Iterator
from email.message import Message
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.signing import b64_decode
from django.db import connection
from django.http.response import HttpResponseBase

from tests.secrets.hunt import Hunt

#: What Django signs: compressed (with the dot) or not, then the signature.
_SIGNED = re.compile(rb"(?<![\w-])(\.?)([\w-]{16,})(?::[\w-]{6})?:[\w-]{27,}")
_BODY = re.compile(rb'"body": ?"([A-Za-z0-9+/=]+)"')


def everything(hunt: Hunt, folders: Iterable[Path] = ()) -> None:
    """Takes in all that outlives a request: database, cache, broker, mails, and the files of these folders besides VAR_DIR."""
    hunt.look("database", database())
    hunt.look("mail", b"\n".join(letters()))
    folders_read = [Path(settings.VAR_DIR), *folders]
    for path in {path for folder in folders_read for path in folder.rglob("*") if path.is_file()}:
        hunt.look(f"file {_kind(path)}", b"\n".join(unpacked(_read(path))))
    if settings.CELERY_BROKER_URL.startswith("redis"):
        hunt.look("redis", b"\n".join(_redis()))


def _read(path: Path) -> bytes:
    """A file, read by another process where it is SQLite's.

    When a process closes such a file, its locks on the database are gone, its connections' too: others write as if they were alone.
    """
    if ".sqlite3" in path.name:
        return subprocess.run(["cat", str(path)], capture_output=True, check=True).stdout
    return path.read_bytes()


def answer(hunt: Hunt, place: str, response: HttpResponseBase) -> bytes:
    """Takes in one answer: body, headers and cookies; gives its body."""
    # The test's client has followed nothing and read nothing: a stream is read here, once.
    content = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    hunt.look(place, b"\n".join(unpacked(content)))
    hunt.look(f"{place} (headers)", repr(response.headers))
    hunt.look(f"{place} (cookies)", b"\n".join(cookies(response.cookies)))
    return bytes(content)


def cookies(jar: SimpleCookie) -> Iterator[bytes]:
    """Cookies, those of a session and of a token against forgery aside: a browser has to keep these."""
    for name, one in jar.items():
        if name not in {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}:
            yield from unpacked(f"{name}={one.value}".encode())


def database() -> bytes:
    """All of the database as text, table by table, column by column; sessions and what is packed in columns also unpacked."""
    rows = [f"session {row.get_decoded()!r}".encode() for row in Session.objects.all()]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            for row in cursor.fetchall():
                for value in row:
                    data = bytes(value) if isinstance(value, bytes | memoryview) else f"{table} {value}".encode()
                    rows += unpacked(data)
    return b"\n".join(rows)


def letters() -> Iterator[bytes]:
    """Every mail: its headers as they go out, and its parts in clear."""
    for one in mail.outbox:
        message: Message = one.message()
        yield message.as_bytes()
        yield one.subject.encode()
        for part in message.walk():
            body = part.get_payload(decode=True)
            if isinstance(body, bytes):
                yield body


def _pickled(data: bytes) -> int:
    """The length of the pickle that a cache's file begins with: a time in a frame, or None without one."""
    return 11 + int.from_bytes(data[3:11], "little") if data[2:3] == b"\x95" else data.find(b".") + 1


def unpacked(data: bytes) -> Iterator[bytes]:
    """The bytes, and whatever is packed in them: what Django signs, messages of a broker, files of a cache, gzip."""
    yield data
    for compressed, text in _SIGNED.findall(data):
        try:
            inner = b64_decode(text)
            yield zlib.decompress(inner) if compressed else inner
        except (ValueError, zlib.error):
            continue
    yield from (base64.b64decode(body) for body in _BODY.findall(data.replace(b"\\", b"")))
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    elif data[:1] == b"\x80" and data[(begin := _pickled(data)) :][:2] == b"x\x9c":
        # A cache's file: when it ends, then the packed value (django.core.cache.backends.filebased).
        yield zlib.decompress(data[begin:])


def _redis() -> Iterator[bytes]:
    """All keys of this process and of its workers: the cache's and the broker's."""
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as server:
        for key in server.scan_iter(f"{settings.REDIS_PREFIX}*"):
            yield key
            yield from unpacked(_content(server, key))


def _content(server: Any, key: bytes) -> bytes:
    kind = server.type(key)
    if kind == b"string":
        return bytes(server.get(key) or b"")
    if kind == b"list":
        return b"\n".join(server.lrange(key, 0, -1))
    if kind == b"set":
        return b"\n".join(server.smembers(key))
    if kind == b"zset":
        return b"\n".join(server.zrange(key, 0, -1))
    assert kind in {b"hash", b"none"}, f"{key!r} is of a kind that nobody looks into: {kind!r}"
    return json.dumps({str(name): str(value) for name, value in server.hgetall(key).items()}).encode()


def _kind(path: Path) -> str:
    """Enough of a file's name to know what it was."""
    return re.sub(r"[0-9a-f-]{16,}|\d{6,}", "…", str(path.name))

"""A flow's answer for people: its message first, then what else it holds as facts and tables; links, small pictures, files to save.

Nothing that came from the engine is ever HTML here, and nothing is fetched from elsewhere: a remote file is a link.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

from django.utils.translation import gettext as _

from workflows_ui.kit import readable, show
from workflows_ui.kit.readable import Node, Room

#: Names under which flows put what they want to say, the likeliest first.
_MESSAGES = ("message", "text", "answer", "reply", "msg", "summary", "result", "content", "body")
#: What an HTTP answer looks like that a flow hands on: only its body is for people.
_WRAPPING = frozenset({"status", "statuscode", "headers", "body", "statustext"})
#: Characters of a message, of an address, and of a picture that is shown in the page rather than saved.
_LONGEST, _ADDRESS, _PICTURE = 6_000, 2_000, 250_000
#: Characters of all pictures in one page.
_PICTURES_ROOM = 1_000_000
_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^]+[^\s<>\"'`{}|\\^.,;:!?)\]]", re.IGNORECASE)
_MAIL = r"[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}"
_TO_WRITE = re.compile(rf"(mailto:)?{_MAIL}(?(1)(?:\?[a-z0-9=&%._+-]{{0,500}})?)", re.IGNORECASE)
_TO_CALL = re.compile(r"tel:\+?[0-9][0-9 ().-]{2,30}", re.IGNORECASE)
_DATA = re.compile(r"data:([a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80})?((?:;[^;,]{1,200}){0,5});base64,", re.IGNORECASE)
_NAMED = re.compile(r";(?:file)?name=\"?([^;\"]{1,200})", re.IGNORECASE)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
#: Types under which a file is handed on, with the ending that its name gets; everything else is bytes.
ENDINGS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "text/plain": "txt",
    "application/json": "json",
    "application/zip": "zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
}
BYTES = "application/octet-stream"


@dataclass(frozen=True)
class File:
    """A file within an answer: `name` is safe to save under, `type` one of ENDINGS or BYTES, `data` its base64."""

    name: str
    type: str
    data: str

    def content(self) -> bytes:
        """Its bytes; nothing where they are no base64."""
        try:
            return base64.b64decode(re.sub(r"\s", "", self.data), validate=True)
        except (binascii.Error, ValueError):
            return b""


@dataclass(frozen=True)
class Answer:
    """An answer to read.

    Attributes:
        message: what the flow says, as parts (text, address or ""); empty where it says nothing in particular.
        cut: characters of the message that are not shown.
        rest: everything else; None where there is nothing else.
        files: the files in it, in their order; a File node's `href` is its number.
    """

    message: tuple[tuple[str, str], ...]
    cut: int
    rest: Node | None
    files: tuple[File, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self.message and self.rest is None


def web_address(text: str) -> str:
    """The address if it is one of the web that a page may lead to; "" for every other text."""
    address = text.strip()
    return address if len(address) <= _ADDRESS and _URL.fullmatch(address) else ""


class _Room(Room):
    """Makes addresses links, `data:` pictures pictures and other `data:` files downloads; names readable."""

    def __init__(self) -> None:
        super().__init__(2_000, 150_000)
        self.files: list[File] = []
        self._pictures = _PICTURES_ROOM

    def name(self, name: Any) -> str:
        return humanised(super().name(name))

    def special(self, text: str) -> Node | None:
        if text[:5].lower() == "data:":
            return self._data(text)
        address = text.strip()
        if web_address(address):
            return Node("link", address, href=address)
        if len(address) <= _ADDRESS and (written := _TO_WRITE.fullmatch(address)):
            return Node("link", address, href=address if written[1] else f"mailto:{address}")
        return Node("link", address, href=address) if _TO_CALL.fullmatch(address) else None

    def _data(self, text: str) -> Node | None:
        head = _DATA.match(text[:800])
        if head is None:
            return None
        kind = (head[1] or "text/plain").lower()
        kind = kind if kind in ENDINGS else BYTES
        number = len(self.files) + 1
        named = _NAMED.search(head[2] or "")
        name = re.sub(r"[^\w. -]", "", unquote(named[1]).rpartition("/")[2])[:80].strip(" .") if named else ""
        ending = ENDINGS.get(kind, "bin")
        if not name.lower().endswith(f".{ending}"):
            name = f"{name}.{ending}" if name else f"{_('file')}-{number}.{ending}"
        self.files.append(File(name, kind, text[head.end() :]))
        if kind in _PICTURES and len(text) <= min(_PICTURE, self._pictures) and self.files[-1].content():
            self._pictures -= len(text)
            # Written anew: nothing of the sender's own words gets into the page's address of it.
            data = base64.b64encode(self.files[-1].content()).decode()
            return Node("image", name, href=f"data:{kind};base64,{data}")
        return Node("file", name, href=str(number))


def humanised(name: str) -> str:
    """A key's name as a label: `totalAmount` and `total_amount` are "Total amount"; words of other scripts stay as they are."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*", name) or name.isupper():
        return name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).strip()
    return words[:1].upper() + words[1:].lower()


def of(value: Any) -> Answer:
    """The answer to read. Takes any decoded JSON, or a text; secrets must be masked before."""
    value = _unwrapped(value)
    room = _Room()
    key, text = _message(value)
    rest: Any = value
    if key is not None:
        rest = {name: inner for name, inner in cast("dict[str, Any]", value).items() if name != key}
    elif text:
        rest = None
    nothing = rest in (None, "", {}, []) or (isinstance(rest, str) and not show.visible(rest))
    node = None if nothing else readable.of(rest, room)
    return Answer(linked(text[:_LONGEST]), max(0, len(text) - _LONGEST), node, tuple(room.files))


def linked(text: str) -> tuple[tuple[str, str], ...]:
    """A text in parts: (text, "") or (address, address)."""
    parts, end = [], 0
    for match in _URL.finditer(text):
        if match.end() - match.start() > _ADDRESS:
            continue
        if match.start() > end:
            parts.append((text[end : match.start()], ""))
        parts.append((match[0], match[0]))
        end = match.end()
    if end < len(text):
        parts.append((text[end:], ""))
    return tuple(parts)


def _unwrapped(value: Any) -> Any:
    """The body of an HTTP answer, where that is all there is; objects of one object likewise."""
    for _level in range(3):
        if not isinstance(value, dict) or "body" not in value or not {key.lower() for key in value} <= _WRAPPING:
            break
        value = value["body"]
    return value


def _message(value: Any) -> tuple[str | None, str]:
    """The key under which the flow says something, None for a value that is a text itself; and the text, "" for none."""
    if isinstance(value, str):
        plain = show.visible(value) and value[:5].lower() != "data:"
        return None, _clean(value) if plain else ""
    if not isinstance(value, dict):
        return None, ""
    known = {key.lower(): key for key in value if isinstance(key, str)}
    for wanted in _MESSAGES:
        key = known.get(wanted)
        found = value[key] if key is not None else None
        if key is not None and isinstance(found, str) and show.visible(found) and found[:5].lower() != "data:":
            return key, _clean(found)
    return None, ""


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().strip()

"""A flow's answer in readable form: its message, then the other values as facts and tables; links, dates, small pictures, downloads.

Data of the engine is never output as HTML, but for the few elements that Markdown becomes (`web/markdown.py`), and nothing is fetched from
elsewhere: a remote file is a link.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote

from django.utils.translation import gettext as _

from workflows_ui.core import formats, readable
from workflows_ui.core.json_values import JsonType, json_type
from workflows_ui.core.readable import Node, Room
from workflows_ui.core.readers import mapping_of
from workflows_ui.core.secret_names import MASK
from workflows_ui.launches.services.files import CONTENT_TYPES

#: Keys under which flows put their message, the likeliest first.
_MESSAGES = ("message", "text", "answer", "reply", "msg", "summary", "result", "content", "body")
#: Keys of an HTTP response that a flow passes on: only its body is displayed.
_WRAPPING = frozenset({"status", "statuscode", "headers", "body", "statustext"})
#: Longest message, address and inline picture, in characters; larger pictures are downloads.
_LONGEST, _ADDRESS, _PICTURE = 6_000, 2_000, 250_000
_LONGEST_MOMENT = 40
#: Characters of all pictures in one page.
_PICTURES_ROOM = 1_000_000
_URL = re.compile(r"https?://[^\s<>\"'`{}|\\^]+[^\s<>\"'`{}|\\^.,;:!?)\]]", re.IGNORECASE)
_MAIL = r"[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}"
_TO_WRITE = re.compile(rf"(mailto:)?{_MAIL}(?(1)(?:\?[a-z0-9=&%._+-]{{0,500}})?)", re.IGNORECASE)
_TO_CALL = re.compile(r"tel:\+?[0-9][0-9 ().-]{2,30}", re.IGNORECASE)
_DATA = re.compile(r"data:([a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,80})?((?:;[^;,]{1,200}){0,5});base64,", re.IGNORECASE)
_NAMED = re.compile(r";(?:file)?name=\"?([^;\"]{1,200})", re.IGNORECASE)
#: What is meant as Markdown: a heading, two points of a list, a table, something bold, code, a link or a picture. A single star, dash or
#: underscore is as often none.
_MARKDOWN = re.compile(
    r"^ {0,3}(?:#{1,6} +\S[^\n]*\n|```|~~~|\|?[ :]*-{3,}[ :]*\|)"
    r"|^ {0,3}([-*+]) \S[^\n]*\n(?:[ \t]*\n)?(?:[ \t]+\S[^\n]*\n)*\s{0,3}\1 \S"
    r"|^ {0,3}\d{1,4}([.)]) \S[^\n]*\n(?:[ \t]*\n)?(?:[ \t]+\S[^\n]*\n)*\s{0,3}\d{1,4}\2 \S"
    r"|\*\*\S(?:[^\n]{0,500}?\S)?\*\*|(?<!`)`[^`\n]{1,500}`(?!`)|\]\((?:https?:|mailto:|tel:)",
    re.MULTILINE | re.IGNORECASE,
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d))?", re.ASCII)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
#: Content types of downloads, with the extension of their names; all others become BYTES.
ENDINGS: Mapping[str, str] = {
    CONTENT_TYPES[ending]: ending
    for ending in ("pdf", "csv", "txt", "json", "zip", "xlsx", "docx", "png", "jpg", "gif", "webp")
}
BYTES = "application/octet-stream"


@dataclass(frozen=True)
class File:
    """A file within an answer: `name` is safe to save under, `type` one of ENDINGS or BYTES, `data` its base64."""

    name: str
    type: str
    data: str

    def content(self) -> bytes:
        """The decoded bytes; empty for invalid base64."""
        try:
            return base64.b64decode(re.sub(r"\s", "", self.data), validate=True)
        except (binascii.Error, ValueError):
            return b""


@dataclass(frozen=True)
class Answer:
    """An answer to read.

    Attributes:
        message: the flow's message, as parts (text, address or ""); empty without one.
        markdown: the same message, if it is written in Markdown; else "".
        cut: number of characters cut from the message.
        rest: all other values, or None.
        files: the files in order; the `href` of a file node is its number.
    """

    message: tuple[tuple[str, str], ...]
    cut: int
    rest: Node | None
    files: tuple[File, ...]
    markdown: str = ""

    @property
    def empty(self) -> bool:
        return not self.message and self.rest is None


def web_address(text: str) -> str:
    """The address if it is a web address that a page may link to; "" for any other text."""
    address = text.strip()
    usable = len(address) <= _ADDRESS and MASK not in address and _URL.fullmatch(address)
    return address if usable else ""


class LabelRoom(Room):
    def name(self, name: object) -> str:
        return humanised(super().name(name))


class _Room(LabelRoom):
    """Turns addresses into links, `data:` URLs into pictures or downloads, dates into the reader's, and keys into labels."""

    def __init__(self) -> None:
        super().__init__(2_000, 150_000)
        self.files: list[File] = []
        self._pictures = _PICTURES_ROOM

    def special(self, text: str) -> Node | None:
        if text[:5].lower() == "data:":
            return self._data(text)
        address = text.strip()
        if web_address(address):
            return Node("link", address, href=address)
        if len(address) <= _ADDRESS and (contact := _TO_WRITE.fullmatch(address)):
            return Node("link", address, href=address if contact[1] else f"mailto:{address}")
        if _TO_CALL.fullmatch(address):
            return Node("link", address, href=address)
        if len(address) <= _LONGEST_MOMENT and _MOMENT.fullmatch(address):
            return _moment(address)
        return Node("markdown", text[:_LONGEST], cut=max(0, len(text) - _LONGEST)) if is_markdown(text) else None

    def _data(self, text: str) -> Node | None:
        head = _DATA.match(text[:800])
        if head is None:
            return None
        kind = (head[1] or "text/plain").lower()
        kind, ending = (kind, ENDINGS[kind]) if kind in ENDINGS else (BYTES, "bin")
        number = len(self.files) + 1
        name_match = _NAMED.search(head[2] or "")
        name = re.sub(r"[^\w. -]", "", unquote(name_match[1]).rpartition("/")[2])[:80].strip(" .") if name_match else ""
        if not name.lower().endswith(f".{ending}"):
            name = (name or f"{_('file')}-{number}") + f".{ending}"
        self.files.append(File(name, kind, text[head.end() :]))
        small = kind in _PICTURES and len(text) <= min(_PICTURE, self._pictures)
        if small and (content := self.files[-1].content()):
            self._pictures -= len(text)
            # Encoded again, so that none of the sender's text gets into the URL in the page.
            return Node("image", name, href=f"data:{kind};base64,{base64.b64encode(content).decode()}")
        return Node("file", name, href=str(number))


def _moment(text: str) -> Node | None:
    """A date or moment in the reader's language and zone, with the text as it came; None if there is no such day or time."""
    if len(text) == len("2026-11-30"):
        try:
            return Node("time", formats.date(date.fromisoformat(text)), lead=text)
        except ValueError:
            return None
    moment = formats.moment(text)
    return Node("time", formats.exact(moment), lead=text) if moment else None


def is_markdown(text: str) -> bool:
    """Whether a text is written in Markdown, as far as its beginning shows."""
    return _MARKDOWN.search(text[:_LONGEST]) is not None


def humanised(name: str) -> str:
    """A key as a label: `totalAmount` and `total_amount` become "Total amount"; names in other scripts are unchanged."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*", name) or name.isupper():
        return name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", name).strip()
    return words[:1].upper() + words[1:].lower()


def read_answer(value: object) -> Answer:
    """The answer in readable form, from decoded JSON or a text. Secrets must be masked before."""
    for _level in range(3):
        # The body of an HTTP response, if the value has only keys of one; nested responses are unwrapped too.
        response = mapping_of(value)
        if "body" in response and {key.lower() for key in response} <= _WRAPPING:
            value = response["body"]
    room = _Room()
    text, rest = _split_message(value)
    blank = rest in (None, "", {}, []) or (json_type(rest) is JsonType.TEXT and not formats.visible(rest))
    node = None if blank else readable.readable_node(rest, room)
    short = text[:_LONGEST]
    markdown = short if is_markdown(short) else ""
    return Answer(linked(short), max(0, len(text) - _LONGEST), node, tuple(room.files), markdown)


def linked(text: str) -> tuple[tuple[str, str], ...]:
    """The parts of a text: (text, "") or (address, address)."""
    parts, end = [], 0
    for match in _URL.finditer(text):
        if match.end() - match.start() > _ADDRESS or MASK in match[0]:
            continue
        if match.start() > end:
            parts.append((text[end : match.start()], ""))
        parts.append((match[0], match[0]))
        end = match.end()
    if end < len(text):
        parts.append((text[end:], ""))
    return tuple(parts)


def _split_message(value: object) -> tuple[str, object]:
    """The flow's message, "" for none, and the rest of the value."""
    if message := _plain_text(value):
        return message, None
    members = mapping_of(value)
    keys = {key.lower(): key for key in members}
    for key in (keys[name] for name in _MESSAGES if name in keys):
        if message := _plain_text(members[key]):
            return message, {name: inner for name, inner in members.items() if name != key}
    return "", value


def _plain_text(value: object) -> str:
    """The value if it is a text with something to read, and no file; else ""."""
    if not formats.visible(value) or value[:5].lower() == "data:":
        return ""
    return value.encode("utf-8", "replace").decode().strip()

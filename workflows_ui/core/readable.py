"""Readable form of any JSON value: fields, tables for uniform rows, lists; limited to the size of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from babel.numbers import format_decimal
from django.utils.text import Truncator
from django.utils.translation import get_language, gettext as _, ngettext

#: Maximum levels, entries of a list or object, columns of a table, and characters of a text.
DEEPEST, MOST_ENTRIES, MOST_COLUMNS, LONGEST = 4, 50, 30, 4_000
#: Maximum columns of a table with one row: below each other more names are easier to read.
_COLUMNS_OF_ONE = 6
#: Maximum characters of a text that is not collapsed, and in a cell of a table.
UNFOLDED, UNFOLDED_CELL = 240, 100
#: Smaller numbers may be years or codes; larger ones are written by their exponent.
_GROUPED, _LARGEST = 10_000, 1e15


@dataclass
class Node:
    """A value for templates/web/readable.html.

    Attributes:
        kind: plain (a short text), long (a collapsed text), fields, table, list, items (a list of short
            values), or deep (nested values that are not shown); with some Rooms also link, image, file, time or markdown.
        text: the shown text of a plain or long one; the description of a deep one.
        lead: the beginning of a long text, in one line; a time as it came.
        cut: number of omitted characters of a long text.
        muted: the text is a label, not the value: empty, or nested values.
        columns: headings of a table.
        rows: of a table, a list of nodes for each row.
        entries: of fields (name, node); of a list or items (number, node).
        left_out: number of omitted entries.
        href: the URL of a link or file; the data of an image.
    """

    kind: str
    text: str = ""
    lead: str = ""
    cut: int = 0
    muted: bool = False
    columns: Sequence[str] = ()
    rows: list[list["Node"]] = field(default_factory=list)
    entries: list[tuple[str, "Node"]] = field(default_factory=list)
    left_out: int = 0
    href: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is one short text, which needs no box."""
        return self.kind in ("plain", "deep")


class Room:
    """The remaining values and characters of a page, shared by all of its values."""

    def __init__(self, values: int = 4_000, characters: int = 300_000) -> None:
        self.values, self.characters = values, characters

    def spent(self) -> bool:
        return self.values <= 0 or self.characters <= 0

    def take(self, characters: int) -> None:
        """Count a value with this number of characters."""
        self.values -= 1
        self.characters -= characters

    def name(self, name: object) -> str:
        return str(name).encode("utf-8", "replace").decode()[:120]

    def special(self, text: str) -> Node | None:
        """The node of a special text, such as a link; here None."""
        return None

    def number(self, value: float) -> str:
        if not _GROUPED <= abs(value) < _LARGEST:
            return str(value)
        return format_decimal(value, locale=get_language() or "en", decimal_quantization=False)


def readable_node(value: object, room: Room | None = None) -> Node:
    """The readable form of a JSON value; parts that are too deep, too long or too many are omitted and counted."""
    return _node(value, room or Room(), 0)


def _node(value: object, room: Room, depth: int) -> Node:
    if isinstance(value, Mapping) and value:
        return _fields(value, room, depth)
    if isinstance(value, list | tuple) and value:
        return _list(value, room, depth)
    return _text(value, room)


def _text(value: object, room: Room, unfolded: int = UNFOLDED) -> Node:
    special = room.special(value) if isinstance(value, str) and value else None
    if special is not None:
        room.take(len(special.text))
        return special
    if value is None or value in ("", [], {}):
        room.take(0)
        return Node("plain", _("empty"), muted=True)
    if isinstance(value, bool):
        room.take(0)
        return Node("plain", _("yes") if value else _("no"))
    text = room.number(value) if isinstance(value, int | float) else str(value).encode("utf-8", "replace").decode()
    room.take(min(len(text), LONGEST))
    if len(text) <= unfolded and text.count("\n") < 4:
        return Node("plain", text)
    return Node("long", text[:LONGEST], Truncator(" ".join(text[:400].split())).chars(120), max(0, len(text) - LONGEST))


def _fields(value: Mapping[object, object], room: Room, depth: int) -> Node:
    if depth >= DEEPEST or room.spent():
        return _deep(ngettext("%(n)d value inside", "%(n)d values inside", len(value)), len(value), room)
    node = Node("fields")
    for name, inner in value.items():
        if len(node.entries) >= MOST_ENTRIES or (room.spent() and node.entries):
            node.left_out = len(value) - len(node.entries)
            break
        node.entries.append((room.name(name), _node(inner, room, depth + 1)))
    return node


def _list(value: Sequence[object], room: Room, depth: int) -> Node:
    if depth >= DEEPEST or room.spent():
        return _deep(_("a list of %(n)d"), len(value), room)
    columns = _columns(value)
    if len(value) == 1 and isinstance(value[0], Mapping) and value[0] and not columns:
        return _node(value[0], room, depth + 1)
    node = Node("table" if columns else "list", columns=[room.name(name) for name in columns])
    for number, inner in enumerate(value, start=1):
        if number > MOST_ENTRIES or (room.spent() and number > 1):
            node.left_out = len(value) - number + 1
            break
        if columns and isinstance(inner, Mapping):
            cells = [_text(inner[name], room, UNFOLDED_CELL) if name in inner else Node("plain") for name in columns]
            node.rows.append(cells)
        else:
            node.entries.append((str(number), _node(inner, room, depth + 1)))
    if node.kind == "list" and all(inner.kind in ("plain", "link", "time") for _number, inner in node.entries):
        node.kind = "items"
    return node


def _columns(value: Sequence[object]) -> Sequence[object]:
    """The columns if the list is a table: flat objects with few, mostly equal names; else none."""
    seen = [inner for inner in value[:MOST_ENTRIES] if isinstance(inner, Mapping) and inner]
    if len(seen) < min(len(value), MOST_ENTRIES):
        return []
    names = list(dict.fromkeys(name for inner in seen for name in inner))
    if len(names) > (MOST_COLUMNS if len(value) > 1 else _COLUMNS_OF_ONE) or any(
        len(inner) * 2 < len(names) for inner in seen
    ):
        return []
    flat = all(not isinstance(item, Mapping | list | tuple) or not item for inner in seen for item in inner.values())
    return names if flat else []


def _deep(text: str, count: int, room: Room) -> Node:
    room.take(0)
    return Node("deep", text % {"n": count}, muted=True)

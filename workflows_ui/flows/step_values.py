"""A step's fields and values for reading: flattened, truncated, references named. Secrets must already be masked (core/redaction.py)."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _, ngettext

from workflows_ui.core.readers import as_items, as_text, is_nested, mapping_of
from workflows_ui.resource_admin.places import connection_url

#: Deeper values are shown as JSON; further fields only in the raw data; longer texts are truncated.
_DEEPEST, MOST, _LONGEST, _MOST_PARTS = 4, 60, 2_000, 60
_TEMPLATE = re.compile(r"\{\{(.{1,1000}?)\}\}", re.DOTALL)
_NAME = r"[A-Za-z_$][\w$-]*"
_KEY = r"""\.([\w$-]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]"""
_REFERENCE = re.compile(rf"\s*({_NAME})((?:{_KEY})*)\s*")
_KEYS = re.compile(_KEY)

Path = tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A piece of a value: plain text, or (`kind` step, connection) a reference; `raw` is the engine's notation."""

    text: str
    kind: str = "text"
    url: str = ""
    raw: str = ""


@dataclass(frozen=True)
class Line:
    """A field with its value. `block` is a text of several lines (code, a mail); `cut` is the number of characters left
    out of both; `whole` is the value as one text, for comparing.
    """

    path: Path
    label: str
    parts: tuple[Part, ...] = ()
    block: str = ""
    cut: int = 0
    whole: str = field(default="", repr=False)


@dataclass(frozen=True)
class Names:
    """Names to resolve references: steps' titles by name, connections as (id, name) by external id, and the workspace."""

    steps: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    slug: str = ""


def lines(
    found: object, names: Names, labels: Mapping[str, str] | None = None, at: Path = (), most: int = MOST
) -> tuple[list[Line], int]:
    """A line for each value in a field map, and how many are left out. `labels` are those of the outermost fields."""
    listed = list(leaves(found, at, most + 500))
    return [line(path, value, names, labels) for path, value in listed[:most]], max(0, len(listed) - most)


def line(path: Path, value: object, names: Names, labels: Mapping[str, str] | None = None) -> Line:
    text = plain(value)
    whole = value if isinstance(value, str) else _json(value)
    shown, cut = text[:_LONGEST], max(0, len(text) - _LONGEST)
    label = " › ".join([label_of(path[0], labels), *(item[:60] for item in path[1:])]) if path else _("Value")
    if "\n" in shown.strip():
        return Line(path, label, block=shown, cut=cut, whole=whole)
    return Line(path, label, tuple(parts(shown, names)), cut=cut, whole=whole)


def leaves(found: object, at: Path, most: int) -> Iterator[tuple[Path, object]]:
    """The values inside a value with their paths; at most `most`, in their order. Empty ones are values too."""
    waiting: list[tuple[Path, object]] = [(at, found)]
    while waiting and most > 0:
        path, value = waiting.pop()
        inner = _inner(value) if len(path) - len(at) < _DEEPEST else []
        if inner:
            waiting.extend((((*path, key)), item) for key, item in reversed(inner))
        elif path != at or value not in ({}, [], None, ""):
            most -= 1
            yield path, value


def plain(value: object) -> str:
    """A value as text: words for yes and no, "" for null, plain lists with commas, JSON for nested values."""
    if value is None:
        return ""
    if value is True or value is False:
        return _("Yes") if value else _("No")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if value in ({}, []):
        return ""
    listed = as_items(value)
    if listed and not any(map(is_nested, listed)):
        return ", ".join(plain(item) for item in listed)
    return _json(value)


def parts(text: str, names: Names) -> Iterator[Part]:
    """A text with its `{{...}}` shown as references, if they refer to a known step or to a connection."""
    end = number = 0
    for match in _TEMPLATE.finditer(text):
        number += 1
        if number > _MOST_PARTS:
            break
        part = _reference(match[0], match[1], names)
        if part is None:
            continue
        if match.start() > end:
            yield Part(text[end : match.start()])
        yield part
        end = match.end()
    if end < len(text):
        yield Part(text[end:])


def label_of(name: str, labels: Mapping[str, str] | None) -> str:
    """A field's own label, else its name made readable: `body_type` is "Body type"."""
    known = (labels or {}).get(name)
    if known:
        return known
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", name[:80]).strip()
    return text[:1].upper() + text[1:].lower() if text and name.isascii() else name[:80]


def external_id(value: object) -> str:
    """The external id of the connection that a value names (`{{connections['x']}}`, api.md 6.3); "" for none."""
    match = _TEMPLATE.fullmatch(as_text(value).strip())
    reference = _REFERENCE.fullmatch(match[1]) if match else None
    keys = _path(reference[2]) if reference else []
    return keys[0] if reference and reference[1] == "connections" and len(keys) == 1 else ""


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    except (TypeError, ValueError, RecursionError):
        return str(type(value).__name__)


def _reference(raw: str, expression: str, names: Names) -> Part | None:
    match = _REFERENCE.fullmatch(expression)
    if match is None:
        return None
    root, keys = match[1], _path(match[2])
    if root == "connections" and keys:
        key, name = names.connections.get(keys[0], ("", keys[0]))
        return Part(name[:120], "connection", connection_url(names.slug, key) if names.slug else "", raw)
    if root not in names.steps:
        return None
    title = names.steps[root][:80] or root
    text = _("from “%(step)s”") % {"step": title}
    if keys:
        text = _("%(value)s from “%(step)s”") % {"value": " › ".join(item[:60] for item in keys), "step": title}
    return Part(text, "step", raw=raw)


def _path(text: str) -> list[str]:
    return [key[key.lastindex or 0] for key in _KEYS.finditer(text)]


def _inner(value: object) -> list[tuple[str, object]]:
    """The values in a dictionary, and the items of a list of such values; lists of plain values stay one value."""
    listed = as_items(value)
    if any(map(is_nested, listed)):
        return [(str(number), item) for number, item in enumerate(listed, start=1)]
    return [(str(key)[:80], item) for key, item in mapping_of(value).items()]


def left_out(count: int) -> str:
    """A sentence about fields that are not shown; "" for none."""
    if not count:
        return ""
    text = ngettext("%(n)d more field is in the raw data only.", "%(n)d more fields are in the raw data only.", count)
    return text % {"n": count}

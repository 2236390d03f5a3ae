"""Values of earlier steps as a tree of names to choose from, or as a list of those that a search finds; both limited in size."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.core import collation
from workflows_ui.resources.flows.editing.expressions import Path, reference
from workflows_ui.resources.runs import step_values
from workflows_ui.web import formats

#: Members of one value on a page, values of one step, and levels; deeper ones are opened on demand.
MOST_MEMBERS, _MOST_VALUES, _DEEPEST = 50, 200, 4
#: Values that a search finds in one step, and looks through.
_MOST_FOUND, _MOST_SEARCHED = 50, 50_000
_LONGEST_NAME, _LONGEST_VALUE = 80, 80


@dataclass(frozen=True)
class ValueNode:
    """A value: its name, the expression for it, its beginning, and its members.

    `deeper`: its members are on a page of their own; `following`: the number of the first member that is left out, else 0.
    """

    name: str
    expression: str
    text: str
    members: tuple["ValueNode", ...] = ()
    deeper: bool = False
    following: int = 0


class _Room:
    """How many values still fit."""

    def __init__(self, left: int) -> None:
        self.left = left


def value_node(name: str, value: Any, root: str, path: Path = (), start: int = 0) -> ValueNode:
    """The tree of the value at `path` in the output of the step `root`. Of its own members, those from number `start` on."""
    return _node(name, value, root, path, _DEEPEST, _Room(_MOST_VALUES), start)


def _node(name: str, value: Any, root: str, path: Path, levels: int, room: _Room, start: int = 0) -> ValueNode:
    room.left -= 1
    node = ValueNode(formats.cut(name, _LONGEST_NAME), reference(root, path), _preview(value))
    members = _members(value)
    if not members:
        return node
    if not levels or room.left <= 0:
        return replace(node, deeper=True)
    listed = members[start : start + MOST_MEMBERS]
    inner = tuple(_node(str(key), item, root, (*path, key), levels - 1, room) for key, item in listed)
    following = start + MOST_MEMBERS
    return replace(node, members=inner, following=following if following < len(members) else 0)


def found_values(value: Any, root: str, search: str) -> list[ValueNode]:
    """The values of a step whose name or text contains the search, without regard to case and accents."""
    wanted = collation.plain(search)
    matching = (
        ValueNode(formats.cut(" › ".join(map(str, path)), _LONGEST_NAME), reference(root, path), _preview(item))
        for path, item in islice(_walk(value), _MOST_SEARCHED)
        if wanted in collation.plain(str(path[-1])[:1000])
        or (not _members(item) and wanted in collation.plain(step_values.plain(item)[:1000]))
    )
    return list(islice(matching, _MOST_FOUND))


def _walk(value: Any) -> Iterator[tuple[Path, Any]]:
    """Everything inside a value with its path, in reading order."""
    waiting: list[tuple[Path, Any]] = [((key,), item) for key, item in reversed(_members(value))]
    while waiting:
        path, item = waiting.pop()
        yield path, item
        waiting += [((*path, key), inner) for key, inner in reversed(_members(item))]


def _members(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _preview(value: Any) -> str:
    number = len(_members(value))
    if not number:
        return formats.cut(step_values.plain(value)[:1000], _LONGEST_VALUE) or _("empty")
    if isinstance(value, dict):
        return ngettext("%(n)d field", "%(n)d fields", number) % {"n": number}
    return ngettext("%(n)d item", "%(n)d items", number) % {"n": number}

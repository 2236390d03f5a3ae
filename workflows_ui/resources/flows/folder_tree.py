"""The folders of flows as a tree. The engine's folders are flat: names with slashes, such as `Sales/Orders`, stand below each other."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from workflows_ui.core.collation import sort_key
from workflows_ui.lists.declaration import Branch

#: The deepest place that differs from the one above it (`depth-8` in app.css).
_DEEPEST = 8


class _Folder(NamedTuple):
    """A folder, and the parts of its name that are left at this depth."""

    parts: Sequence[str]
    id: str
    name: str
    number: int | None


def branches(folders: Mapping[str, tuple[str, int | None]]) -> list[Branch]:
    """The folders by name, from their names and numbers of flows by id.

    A slash parts a name only if another folder's name begins alike: of a single folder it is a part of the name.
    """
    found = []
    for key, (name, number) in folders.items():
        parts = [part.strip() for part in name.split("/")]
        found.append(_Folder(parts if all(parts) else [name], key, name, number))
    return list(_below(found, 0))


def _below(folders: Sequence[_Folder], depth: int) -> Iterator[Branch]:
    groups: dict[str, list[_Folder]] = defaultdict(list)
    for folder in folders:
        groups[folder.parts[0]].append(folder)
    shown = min(depth, _DEEPEST)
    for first in sorted(groups, key=sort_key):
        group = groups[first]
        if len(group) == 1:
            [folder] = group
            yield Branch("/".join(folder.parts) if depth else folder.name, folder.id, folder.number, shown)
            continue
        whole = [folder for folder in group if len(folder.parts) == 1]
        if not whole:
            yield Branch(first, None, None, shown)
        yield from (Branch(first, folder.id, folder.number, shown) for folder in whole)
        deeper = [folder._replace(parts=folder.parts[1:]) for folder in group if len(folder.parts) > 1]
        yield from _below(deeper, depth + 1)

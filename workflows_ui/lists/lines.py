"""The rows of a list, ready for its template, with what a person may do to them."""

from collections.abc import Callable, Sequence
from typing import TypedDict

from workflows_ui.core import formats
from workflows_ui.core.states import Badge
from workflows_ui.core.text import Text
from workflows_ui.lists.declaration import AnyRow, Column, List, Shortcut
from workflows_ui.members.services.access import Access
from workflows_ui.web.elements import Button
from workflows_ui.web.links import reachable, view_url


class Cell(TypedDict):
    """A value of a row. `joined` are those of wide columns that narrow windows show below it."""

    column: Column
    value: object
    url: str
    below: Text
    mark: tuple[Badge, str] | None
    joined: list["Cell"]


class Line(TypedDict):
    """A row with what the person may do to it. `preview` is the URL of its preview, "" without one."""

    id: str
    name: str
    preview: str
    cells: list[Cell]
    shortcuts: Sequence[tuple[Shortcut, str]]
    actions: Sequence[Button]


def list_lines(
    kind: List,
    access: Access | None,
    rows: Sequence[AnyRow],
    columns: Sequence[Column],
    row_buttons: Callable[[AnyRow], Sequence[Button]] | None = None,
    *,
    only_links: bool = False,
) -> list[Line]:
    """Rows with these columns, ready for the list, with what the person may do; without `access`, and with `only_links`, nothing.

    The non-empty values of wide columns are also `joined` to the cell before them. `row_buttons` returns the buttons of a row's menu, by
    default those of the list.
    """
    if access is None or only_links:
        slug = access.workspace.slug if access else ""
        return [_list_line(kind, slug, row, columns, (), ()) for row in rows]
    shortcuts = [link for link in kind.shortcuts if link.in_rows]
    slug = access.workspace.slug
    return [
        _list_line(
            kind,
            slug,
            row,
            columns,
            allowed_links(shortcuts, access, row),
            row_buttons(row) if row_buttons else kind.row_buttons(access, row),
        )
        for row in rows
    ]


def _list_line(
    kind: List,
    slug: str,
    row: AnyRow,
    columns: Sequence[Column],
    shortcuts: Sequence[tuple[Shortcut, str]],
    actions: Sequence[Button],
) -> Line:
    key = kind.key(row)
    cells: list[Cell] = []
    host = 0
    for column in columns:
        value = column.value(row)
        if column.link is True:
            url = kind.url(slug, key) if key else ""
            if not value or (isinstance(value, str) and not formats.visible(value)):
                value = key or value  # Otherwise there would be nothing to click on.
        else:
            url = column.link(slug, row) if column.link else ""
        below = column.below(row) if column.below else ""
        mark = column.mark(row) if column.mark else None
        cells.append({"column": column, "value": value, "url": url, "below": below, "mark": mark, "joined": []})
        if not column.wide:
            host = len(cells) - 1
        elif column.phone and value not in (None, "", []):
            cells[host]["joined"].append(cells[-1])
    name = kind.full_title(row) if formats.visible(kind.title(row)) else key
    preview = preview_url(kind, slug, key) if slug else ""
    return {"id": key, "name": name, "preview": preview, "cells": cells, "shortcuts": shortcuts, "actions": actions}


def preview_url(kind: List, slug: str, key: str) -> str:
    """The URL of the preview of a row; "" if the list has none."""
    return reachable(view_url(kind.preview_view, slug, key)) if kind.preview_view and key else ""


def allowed_links(shortcuts: Sequence[Shortcut], access: Access, row: AnyRow) -> list[tuple[Shortcut, str]]:
    """The links that the person may follow and that apply to the row, with their URLs."""
    allowed = [shortcut for shortcut in shortcuts if access.allows(shortcut.role)]
    links = [(shortcut, reachable(shortcut.url(access.workspace.slug, row))) for shortcut in allowed]
    return [(shortcut, url) for shortcut, url in links if url]

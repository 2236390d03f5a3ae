"""The rows of a list, ready for its template, with what a person may do to them."""

from collections.abc import Mapping, Sequence
from typing import Any

from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import actions
from workflows_ui.resource_admin.actions import Action
from workflows_ui.resource_admin.resource import Column, Resource, Row, Shortcut
from workflows_ui.web import formats
from workflows_ui.web.links import reachable
from workflows_ui.web.messages import Text


def list_lines(
    resource: Resource,
    access: Access | None,
    rows: Sequence[Row],
    lacking: Mapping[str, Text],
    columns: Sequence[Column],
    *,
    only_links: bool = False,
) -> list[dict[str, Any]]:
    """Rows with these columns, ready for the list, with what the person may do; without `access`, and with `only_links`, nothing.

    The non-empty values of wide columns are also `joined` to the cell before them.
    """
    shortcuts = [link for link in resource.shortcuts if link.in_rows and access and access.allows(link.role)]
    offered = [
        action
        for action in resource.actions
        if action.in_rows and not action.collection and action.needs not in lacking
        if access and access.allows(action.role)
    ]
    if only_links:
        shortcuts, offered = [], []
    lines = [_list_line(resource, access, row, columns, shortcuts, offered) for row in rows]
    return [line | {"actions": []} for line in lines] if only_links else lines


def _list_line(
    resource: Resource,
    access: Access | None,
    row: Row,
    columns: Sequence[Column],
    shortcuts: Sequence[Shortcut],
    offered: Sequence[Action],
) -> dict[str, Any]:
    slug, key = access.workspace.slug if access else "", resource.key(row)
    cells: list[dict[str, Any]] = []
    host = 0
    for column in columns:
        value = column.value(row)
        if column.link is True:
            url = resource.url(slug, key) if key else ""
            if not value or (isinstance(value, str) and not formats.visible(value)):
                value = key or value  # Otherwise there would be nothing to click on.
        else:
            url = column.link(slug, row) if column.link else ""
        below = column.below(row) if column.below else ""
        cells.append({"column": column, "value": value, "url": url, "below": below, "joined": []})
        if not column.wide:
            host = len(cells) - 1
        elif value not in (None, "", []):
            cells[host]["joined"].append(cells[-1])
    links = [(link, url) for link in shortcuts if (url := reachable(link.url(slug, row)))]
    buttons = [actions.button(action, slug, resource.name, key) for action in offered if key and action.visible(row)]
    if access:
        buttons += resource.row_buttons(access, row)
    name = resource.full_title(row) if formats.visible(resource.title(row)) else key
    return {"id": key, "name": name, "cells": cells, "shortcuts": links, "actions": buttons}


def allowed_links(shortcuts: Sequence[Shortcut], access: Access, row: Row) -> list[tuple[Shortcut, str]]:
    """The links that the person may follow and that apply to the row, with their URLs."""
    allowed = [shortcut for shortcut in shortcuts if access.allows(shortcut.role)]
    links = [(shortcut, reachable(shortcut.url(access.workspace.slug, row))) for shortcut in allowed]
    return [(shortcut, url) for shortcut, url in links if url]


def allowed_actions(resource: Resource, access: Access, row: Row, *, collection: bool = False) -> list[Action]:
    """The actions for the head of a page that the person may use."""
    allowed = [action for action in resource.actions if action.collection is collection and access.allows(action.role)]
    return [action for action in allowed if not action.tab and action.visible(row)]

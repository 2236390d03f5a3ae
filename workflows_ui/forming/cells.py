"""The names of a launch form's controls, and the rows of a table among them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workflows_ui.forming.document import Column, Field

#: As `dict(request.POST.lists())`.
Data = Mapping[str, Sequence[str]]
_CELL = re.compile(r"\[(\d{1,6})\]\[([^\]]+)\]")


def cell_name(table: Field, row: int, column: Column) -> str:
    """The name of a cell's control."""
    return f"{table.name}[{row}][{column.name}]"


def rows_of(table: Field, data: Data) -> list[tuple[int, dict[str, str]]]:
    """The rows of a table as they were typed, with their numbers in the controls' names; empty rows too."""
    start = len(table.name)
    names = {column.name for column in table.columns}
    rows: dict[int, dict[str, str]] = {}
    for name, texts in data.items():
        if name.startswith(f"{table.name}["):
            found = _CELL.fullmatch(name, start)
            if found and found[2] in names:
                rows.setdefault(int(found[1]), {})[found[2]] = texts[-1] if texts else ""
    return sorted(rows.items())

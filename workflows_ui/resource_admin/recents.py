"""The objects whose pages a person opened last in a workspace: kept beside the answers of the engine, and as easily lost."""

from typing import NamedTuple

from workflows_ui.core import formats
from workflows_ui.core.caching import answers
from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin.resource import RESOURCES, Resource, Row

MOST = 8
_SECONDS = 60 * 24 * 3600


class Recent(NamedTuple):
    """A resource's name, and an object's id and name without secrets; "" if the name shows nothing."""

    resource: str
    id: str
    name: str

    @property
    def declared(self) -> Resource:
        return RESOURCES[self.resource]


def record(access: Access, declared: Resource, id: str, row: Row) -> None:
    """Note that the person opened an object's page. `row` has its secrets masked."""
    name = formats.cut(declared.full_title(row)) if formats.visible(declared.title(row)) else ""
    newest, rows = Recent(declared.name, id, name), _rows(access)
    if rows[:1] != [newest]:
        others = [row for row in rows if row[:2] != newest[:2]]
        answers.set(_key(access), [tuple(row) for row in [newest, *others][:MOST]], _SECONDS)


def listed(access: Access) -> list[Recent]:
    """Those whose pages the person may open now, the latest first."""
    return [
        row
        for row in _rows(access)
        if row.resource in RESOURCES and access.sees(row.resource) and access.allows(row.declared.role)
    ]


def _rows(access: Access) -> list[Recent]:
    return [Recent(*row) for row in answers.get(_key(access)) or ()]


def _key(access: Access) -> str:
    """Also of the engine's project: after a move, the ids are those of other objects."""
    return f"recent:{access.workspace.pk}:{access.workspace.moves}:{access.user.pk}"

"""The list of recently deleted objects."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workflows_ui.core.collation import by_name
from workflows_ui.deleted_objects.messages import Line
from workflows_ui.lists.declaration import Column, Shortcut
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members.models import Role


def _restore_url(slug: str, line: Any) -> str:
    return reverse("deleted_object", args=[slug, line.copy.pk]) if line.copy.restorable else ""


class DeletedObjects(LocalList):
    """The copies of a workspace. Its rows are their lines."""

    name = "deleted"
    label, label_plural = pgettext_lazy("object", "Deleted"), _("Recently deleted")
    icon, group = "trash-2", "build"
    moment = "deleted_at"
    logged_as = "workspace"
    empty = _("Nothing was deleted lately")
    empty_hint = _("Flows and tables that are deleted in the console are listed here for some time.")
    file_view = "deleted_file"
    list_display = (
        Column(
            lambda line: line.name,
            _("Name"),
            link=lambda slug, line: line.url or _restore_url(slug, line),
            name="name",
            sort=by_name("name", "object_id"),
        ),
        Column(lambda line: line.kind, _("Kind"), name="kind", sort=("kind",)),
        Column(lambda line: line.badge, _("State"), kind="badge", name="state", sort=("state",)),
        Column(
            lambda line: line.copy.deleted_by.label,
            _("Deleted by"),
            phone=False,
            name="person",
            sort=by_name("deleted_by__first_name", "deleted_by__last_name", "deleted_by__username"),
        ),
        Column(
            lambda line: line.copy.deleted_at,
            pgettext_lazy("object", "Deleted"),
            kind="when",
            name="deleted",
            sort=("deleted_at",),
        ),
        Column(
            lambda line: line.copy.expires_at,
            _("Kept until"),
            kind="when",
            phone=False,
            name="until",
            sort=("expires_at",),
        ),
    )
    shortcuts = (Shortcut(_("Restore"), "rotate-ccw", _restore_url, role=Role.BUILDER, in_rows=True),)

    def masked(self, session: Any, rows: Sequence[Any]) -> list[Any]:
        return [Line(copy) for copy in rows]

    def key(self, row: Line) -> str:
        return str(row.copy.pk)

    def title(self, row: Line) -> str:
        return str(row.name)

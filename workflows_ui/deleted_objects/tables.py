"""The list of recently deleted objects."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.core.collation import by_name
from workflows_ui.deleted_objects.messages import kind_of, name_of, restored_url
from workflows_ui.deleted_objects.models import CopyState, DeletedObject
from workflows_ui.lists.declaration import Column, Shortcut
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members.models import Role


def _restore_url(slug: str, copy: DeletedObject) -> str:
    return reverse("deleted_object", args=[slug, copy.pk]) if copy.restorable else ""


class DeletedObjects(LocalList):
    name = "deleted"
    label, label_plural = pgettext_lazy("object", "Deleted"), _("Recently deleted")
    icon, group = "trash-2", "build"
    moment = "deleted_at"
    logged_as = "workspace"
    empty = _("Nothing was deleted recently")
    empty_hint = _("Flows and tables that are deleted in the console are listed here for some time.")
    file_view = "deleted_file"
    list_display = (
        Column(
            name_of,
            _("Name"),
            link=lambda slug, copy: restored_url(copy) or _restore_url(slug, copy),
            name="name",
            sort=by_name("name", "object_id"),
        ),
        Column(kind_of, _("Kind"), name="kind", sort=("kind",)),
        Column(lambda copy: CopyState(copy.state).badge, _("State"), kind="badge", name="state", sort=("state",)),
        Column(
            lambda copy: copy.deleted_by.label,
            _("Deleted by"),
            phone=False,
            name="person",
            sort=by_name("deleted_by__first_name", "deleted_by__last_name", "deleted_by__username"),
        ),
        Column(
            lambda copy: copy.deleted_at,
            pgettext_lazy("object", "Deleted"),
            kind="when",
            name="deleted",
            sort=("deleted_at",),
        ),
        Column(
            lambda copy: copy.expires_at,
            _("Kept until"),
            kind="when",
            phone=False,
            name="until",
            sort=("expires_at",),
        ),
    )
    shortcuts = (Shortcut(_("Restore"), "rotate-ccw", _restore_url, role=Role.BUILDER, in_rows=True),)

    def title(self, row: DeletedObject) -> str:
        return name_of(row)

"""The list of the audit log."""

from collections.abc import Sequence
from typing import cast

from django.utils.translation import gettext_lazy as _, pgettext_lazy

from workflows_ui.audit import page as history
from workflows_ui.audit.forms import FilterForm
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core.collation import by_name
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin.resource import Column, Row

_WHAT = Column(
    lambda line: line["what"], _("Action"), link=lambda _slug, line: line["url"], name="what", sort=("action",)
)
_OBJECT = Column(
    lambda line: line["object_name"], _("Object"), kind="note", wide=True, name="object", sort=by_name("object_name")
)
_REASON = Column(lambda line: line["event"].reason, _("Reason"), kind="note", wide=True, name="reason", sort=False)
_WORKSPACE = Column(
    lambda line: line["event"].workspace.name if line["event"].workspace else "",
    _("Workspace"),
    kind="note",
    wide=True,
    name="workspace",
    sort=by_name("workspace__name"),
)
_WHO = Column(lambda line: line["who"], pgettext_lazy("did it", "Who"), name="who", sort=by_name("user_name"))
_OUTCOME = Column(lambda line: line["outcome"], _("Outcome"), kind="badge", name="outcome", sort=False)
_WHEN = Column(lambda line: line["event"].at, _("When"), kind="when", name="when", sort=("at",))


class AuditLog(LocalList):
    """What was done in a workspace, or, without one, in the whole console. Its rows are `history.lines`."""

    name = "audit"
    label, label_plural = _("Audit"), _("Audit")
    icon, group = "clipboard-list", "team"
    filters = FilterForm
    moment = "at"
    rows = 50
    empty = _("Nothing has been done here yet")
    empty_hint = _("This log records who changed, launched, exported or revealed what, and when.")
    file_view = "audit_file"
    list_display = (_WHAT, _OBJECT, _REASON, _WHO, _OUTCOME, _WHEN)
    workspace: Workspace | None = None

    def masked(self, session: object, rows: Sequence[AuditEvent]) -> list[history.Line]:
        """The line of each event."""
        return history.lines(rows, self.workspace.slug if self.workspace else None)

    def key(self, row: Row) -> str:
        return str(cast("AuditEvent", row["event"]).pk)

    def title(self, row: Row) -> str:
        return str(row["what"])


def audit_list(workspace: Workspace | None) -> AuditLog:
    """The list of a workspace, or, with None, of the whole console."""
    if workspace is not None:
        return AuditLog.with_attributes(workspace=workspace)
    return AuditLog.with_attributes(
        file_view="audit_file_everywhere",
        label_plural=_("Audit of the whole console"),
        list_display=(_WHAT, _OBJECT, _WORKSPACE, _REASON, _WHO, _OUTCOME, _WHEN),
    )

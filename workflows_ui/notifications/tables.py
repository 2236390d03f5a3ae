"""The list of a person's notifications."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from workflows_ui.core.collation import by_name
from workflows_ui.launches.failures.reasons import FailureReason
from workflows_ui.lists import cells
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members.models import Workspace
from workflows_ui.notifications.messages import News, notification_message
from workflows_ui.notifications.models import Notice


@dataclass(frozen=True)
class NoticeLine:
    """A notification and its texts."""

    notice: Notice
    news: News

    def __str__(self) -> str:
        return self.news.title


class Notices(LocalList):
    """A person's notifications. `closed` returns the workspaces among some whose notifications are shown without details, `causes` the
    causes of failures outside of these workspaces, by the notification's primary key."""

    name = "notices"
    label, label_plural = _("Notification"), _("Notifications")
    icon, group = "bell", ""
    moment = "last_at"
    logged_as = "person"
    empty = _("No notifications")
    empty_hint = _(
        "On a launch's page you can ask for a notification when it ends, and on a flow's page "
        "whenever it fails. Notifications appear here, and come by email if you want."
    )
    rows = 50
    closed: Callable[[Iterable[Workspace]], set[int]]
    causes: Callable[[Sequence[Notice], set[int]], Mapping[int, FailureReason]]
    file_view = "notices_file"
    list_display = (
        Column(
            lambda line: line,
            _("Notification"),
            below=lambda line: line.news.detail,
            template_name="notifications/title_cell.html",
            name="notification",
            sort=False,
        ),
        Column(
            lambda line: "\n".join(line.news.cause),
            _("Cause"),
            kind="lines",
            html=cells.lines,
            wide=True,
            name="cause",
            sort=False,
        ),
        Column(
            lambda line: line.notice.workspace.name if line.notice.workspace else "",
            _("Workspace"),
            kind="note",
            name="workspace",
            sort=by_name("workspace__name"),
        ),
        Column(lambda line: line.notice.last_at, _("When"), kind="when", name="when", sort=("last_at",)),
    )

    def masked(self, session: object, rows: Sequence[Notice]) -> list[NoticeLine]:
        """The line of each notification."""
        closed = self.closed([row.workspace for row in rows if row.workspace])
        causes = self.causes(rows, closed)
        return [
            NoticeLine(row, notification_message(row, concealed=row.workspace_id in closed, reason=causes.get(row.pk)))
            for row in rows
        ]

    def key(self, row: NoticeLine) -> str:
        return str(row.notice.pk)


def notice_list(
    closed: Callable[[Iterable[Workspace]], set[int]],
    causes: Callable[[Sequence[Notice], set[int]], Mapping[int, FailureReason]],
) -> Notices:
    notices = Notices()
    notices.closed, notices.causes = closed, causes
    return notices

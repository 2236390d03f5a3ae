"""The list of a person's notifications."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _, pgettext

from workflows_ui.core.collation import by_name
from workflows_ui.core.text import Text
from workflows_ui.launches.failures.reasons import FailureReason
from workflows_ui.lists import cells
from workflows_ui.lists.declaration import Column
from workflows_ui.lists.local_lists import LocalList
from workflows_ui.members.models import Workspace
from workflows_ui.notifications.messages import News, notification_message
from workflows_ui.notifications.models import KINDS_OF_TOPIC, Notice, NoticeKind, Topic

#: What one follows or has, by the kind of a notification that comes from it.
_ORIGINS: Mapping[str, Text] = {
    str(kind): origin
    for topic, origin in (
        (Topic.ALARMS, _("Alarms")),
        (Topic.LAUNCHES, _("Launches")),
        (Topic.NOTES, _("Notes")),
        (Topic.FAILURES, _("Failures")),
        (Topic.RULES, _("Rules on failure")),
        (Topic.JOBS, _("Jobs")),
        (Topic.ACCESS, _("Access")),
        (Topic.CREDENTIALS, _("Credentials")),
    )
    for kind in KINDS_OF_TOPIC[topic]
} | {str(NoticeKind.FLOW_FAILED): _("Flow")}


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
        Column(
            lambda line: pgettext("notification", "Muted") if line.notice.muted else _ORIGINS.get(line.notice.kind, ""),
            _("Comes from"),
            link=lambda slug, line: reverse("notice_following", args=[line.notice.pk]),
            name="origin",
            sort=False,
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

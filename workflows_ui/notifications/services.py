"""Notifications of people: creation, read state, and mail. Other features create them."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from workflows_ui.accounts.models import User
from workflows_ui.core import clock
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Workspace
from workflows_ui.notifications.models import Notice, NoticeKind

#: Attempts to send a mail, and the delay after the first one, doubled each time.
MAIL_TRIES, MAIL_AGAIN = 6, timedelta(minutes=1)
#: Delay of a mail: a person who has the page of the news open sees it there and needs no mail. Longer than the 30 s between two polls.
MAIL_AFTER = timedelta(seconds=45)
#: Mails sent by one run of the task.
MAILS = 50
#: Maximum number of unread notifications that are counted.
_COUNTED = 200
#: Retention of notices.
KEPT = timedelta(days=90)


def notify(
    user: User, kind: NoticeKind, key: str, *, url: str, workspace: Workspace | None = None, **about: Any
) -> bool:
    """Notify a person once per `key`; return whether the notification is new.

    `url` is a path of this console; `about` holds plain values for the texts (notifications/messages.py), never a secret. A mail is sent
    too, if the person wants mails and has an address.
    """
    now = clock.now()
    _row, created = Notice.objects.get_or_create(
        user=user,
        key=key[:160],
        defaults={
            "workspace": workspace,
            "kind": kind,
            "about": about,
            "url": url[:500],
            "created_at": now,
            "mail_at": now + MAIL_AFTER if user.mail_news and user.email and user.is_active else None,
        },
    )
    return created


def delivered_keys(people: Iterable[User], keys: Collection[str]) -> set[tuple[int, str]]:
    """Return pairs of person (primary key) and key that were delivered already. One query."""
    if not keys:
        return set()
    return set(Notice.objects.filter(user__in=set(people), key__in=keys).values_list("user_id", "key"))


def visible_notifications(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(user=user).select_related("workspace").order_by("-created_at", "-pk")


_unread = Prepared(
    lambda user: Notice.objects.filter(user=user, read_at=None).values_list("url", flat=True)[:_COUNTED], int
)


def unread(user: User, at: str = "") -> int:
    """Count a person's unread notices. Those that link to `at`, the path of the current page, are marked as read and not mailed."""
    urls = _unread(user.pk)
    seen = urls.count(at) if at else 0
    if seen:
        Notice.objects.filter(user=user, read_at=None, url=at).update(read_at=clock.now(), mail_at=None)
    return len(urls) - seen


def read(user: User, pk: int | None = None) -> int:
    """Mark one notice of a person as read, or all of them; return how many were unread. Read notices are not mailed."""
    rows = Notice.objects.filter(user=user, read_at=None)
    return (rows if pk is None else rows.filter(pk=pk)).update(read_at=clock.now(), mail_at=None)


def to_mail() -> list[int]:
    return list(
        Notice.objects.filter(mail_at__lte=clock.now()).order_by("mail_at").values_list("pk", flat=True)[:MAILS]
    )


def claim_mail(pk: int) -> Notice | None:
    """Claim a notice for mailing: it counts as mailed from now on, so that it is not sent again after a crash of the worker.

    Return None if another worker claimed it, or the person has read it or no longer wants mails.
    """
    now = clock.now()
    due = Q(mail_at__lte=now, mailed_at=None, read_at=None)
    if not Notice.objects.filter(due, pk=pk).update(mail_at=None, mailed_at=now, mail_tries=F("mail_tries") + 1):
        return None
    row = Notice.objects.select_related("user", "workspace").get(pk=pk)
    return row if row.user.is_active and row.user.mail_news and row.user.email else None


def mail_failed(row: Notice) -> datetime | None:
    """Schedule a retry of a mail that the server certainly did not accept; return its time, or None if given up or read meanwhile."""
    retry_at = clock.now() + MAIL_AGAIN * 2 ** (row.mail_tries - 1) if row.mail_tries < MAIL_TRIES else None
    scheduled = Notice.objects.filter(pk=row.pk, read_at=None).update(mailed_at=None, mail_at=retry_at)
    return retry_at if scheduled else None


def purge() -> None:
    Notice.objects.filter(created_at__lt=clock.now() - KEPT).delete()

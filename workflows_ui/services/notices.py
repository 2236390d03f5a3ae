"""News for people: told once, read, and mailed. What is news is decided elsewhere (watching.py, jobs, credentials, members)."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet

from workflows_ui.models import Notice, NoticeKind, User, Workspace
from workflows_ui.services import clock

#: Tries of a mail, and the wait after the first one, doubled each time.
MAIL_TRIES, MAIL_AGAIN = 6, timedelta(minutes=1)
#: A mail waits so long: who has the page open that the news is about sees it there and needs no mail. Longer than a bell's 30 s.
MAIL_AFTER = timedelta(seconds=45)
#: Mails that one turn hands over.
MAILS = 50
#: Unread ones that are counted: a bell tells no larger number.
_COUNTED = 200
#: Notices are kept for so long.
KEPT = timedelta(days=90)


def tell(
    user: User,
    kind: NoticeKind,
    key: str,
    *,
    url: str,
    workspace: Workspace | None = None,
    mail: bool = True,
    **about: Any,
) -> bool:
    """Tells a person something, once: the same `key` is not told them again. Says whether it was new.

    `url` is a path of this console; `about` holds plain values for the words (kit/notice_words.py), never a secret. A mail goes out
    too, where the person wants mails and has an address.
    """
    now = clock.now()
    _row, made = Notice.objects.get_or_create(
        user=user,
        key=key[:160],
        defaults={
            "workspace": workspace,
            "kind": kind,
            "about": about,
            "url": url[:500],
            "created_at": now,
            "mail_at": now + MAIL_AFTER if mail and user.mail_news and user.email and user.is_active else None,
        },
    )
    return made


def told(people: Iterable[User], keys: Collection[str]) -> set[tuple[int, str]]:
    """Who of these people (by primary key) was told which of these keys. One query."""
    if not keys:
        return set()
    return set(Notice.objects.filter(user__in=set(people), key__in=keys).values_list("user_id", "key"))


def of(user: User) -> QuerySet[Notice]:
    """A person's notices, newest first."""
    return Notice.objects.filter(user=user).select_related("workspace").order_by("-created_at", "-pk")


def unread(user: User, at: str = "") -> int:
    """How many a person has not read. Those that lead to `at`, the path of the page before them, are read by that, their mails too."""
    rows = Notice.objects.filter(user=user, read_at=None)
    urls = list(rows.values_list("url", flat=True)[:_COUNTED])
    here = urls.count(at) if at else 0
    if here:
        rows.filter(url=at).update(read_at=clock.now(), mail_at=None)
    return len(urls) - here


def read(user: User, pk: int | None = None) -> int:
    """Marks one notice of a person as read, or all of them; gives how many were unread. What was read is not mailed any more."""
    rows = Notice.objects.filter(user=user, read_at=None)
    return (rows if pk is None else rows.filter(pk=pk)).update(read_at=clock.now(), mail_at=None)


def to_mail() -> list[int]:
    """Ids of notices whose mail is due."""
    return list(
        Notice.objects.filter(mail_at__lte=clock.now()).order_by("mail_at").values_list("pk", flat=True)[:MAILS]
    )


def claim_mail(pk: int) -> Notice | None:
    """Takes a notice in order to mail it: it counts as mailed from here on, so that a worker that dies never sends it again.

    None where somebody else took it, or the person has read the news already or no longer wants mails.
    """
    now = clock.now()
    due = Q(mail_at__lte=now, mailed_at=None, read_at=None)
    if not Notice.objects.filter(due, pk=pk).update(mail_at=None, mailed_at=now, mail_tries=F("mail_tries") + 1):
        return None
    row = Notice.objects.select_related("user", "workspace").get(pk=pk)
    return row if row.user.is_active and row.user.mail_news and row.user.email else None


def mail_failed(row: Notice) -> datetime | None:
    """The mail server certainly did not take it: tried again later, given up after a while and where it was read meanwhile. Gives when."""
    again = clock.now() + MAIL_AGAIN * 2 ** (row.mail_tries - 1) if row.mail_tries < MAIL_TRIES else None
    waits = Notice.objects.filter(pk=row.pk, read_at=None).update(mailed_at=None, mail_at=again)
    return again if waits else None


def purge() -> None:
    """Removes what is old."""
    Notice.objects.filter(created_at__lt=clock.now() - KEPT).delete()

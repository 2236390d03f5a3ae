"""Notifications of people: creation, folding, read state, and mail. Other features create them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Case, DateTimeField, F, IntegerField, Max, Model, Q, QuerySet, Value, When
from django.db.models.functions import Greatest

from workflows_ui.accounts.models import MailDelivery, User
from workflows_ui.core import clock
from workflows_ui.core.prepared import Prepared
from workflows_ui.notifications import delivery, mutes
from workflows_ui.notifications.models import Mute, Notice, NoticeKind

#: Attempts to send a mail, and the delay after the first one, doubled each time.
MAIL_TRIES, MAIL_AGAIN = 6, timedelta(minutes=1)
#: Delay of a mail: a person who has the page of the news open sees it there and needs no mail. Longer than the 30 s between two polls.
MAIL_AFTER = timedelta(seconds=45)
#: The least time between two mails about one subject.
SUMMARY = timedelta(hours=1)
#: Tries to fold an event while another worker folds one, or the person reads the notice.
_FOLDS = 3
#: Mails sent by one run of the task.
MAILS = 50
#: Maximum number of unread notifications that are counted.
_COUNTED = 200
#: Retention of notices.
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Fold:
    """How an event is folded into the person's unread notice of the same `subject`.

    `url` is the list of these events, for a notice of several. A `wide` list contains those of the other kinds of event too, and stays.
    """

    subject: str
    at: datetime
    url: str
    wide: bool = False


def notify(
    user: User,
    kind: NoticeKind,
    key: str,
    *,
    url: str,
    workspace: Model | None = None,
    flow_id: str = "",
    fold: Fold | None = None,
    **about: object,
) -> bool:
    """Notify a person once per `key`; return whether the event is new.

    `url` is a path of this console; `about` holds plain values for the texts (notifications/messages.py), never a secret. A mail is sent
    too, if the person wants mails and has an address. With `fold`, the first event is a notice, and others are counted in it until it is
    read; a mail is sent of the first, and one an hour while there are more.

    What is muted is in the person's list, but counts as read: the bell does not count it, and it is not found again after the mute.
    """
    now = clock.now()
    muted = mutes.covering(user, kind, workspace, flow_id, now)
    values = {
        "workspace": workspace,
        "kind": kind,
        "about": about,
        "flow_id": flow_id[:64],
        "url": url[:500],
        "created_at": now,
        "last_at": now,
        "muted": muted.everything is not None,
        "read_at": now if muted.everything else None,
        "mail_at": None if muted.mail else delivery.due_at(user, now + MAIL_AFTER),
    }
    if fold is None:
        return Notice.objects.get_or_create(user=user, key=key[:160], defaults=values)[1]
    values |= {"about": about | {"list": fold.url, "wide": fold.wide}, "last_at": fold.at}
    for _try in range(_FOLDS):
        try:
            with transaction.atomic():
                created = _notify_folded(user, key[:160], values, fold, muted.everything)
                if created is None:
                    transaction.set_rollback(True)
        except IntegrityError:
            continue  # another worker created the first notice
        if created is not None:
            return created
    return False  # the event is found again


def _notify_folded(user: User, key: str, values: dict[str, Any], fold: Fold, mute: Mute | None) -> bool | None:
    """Whether the event is new; None if the person read the notice meanwhile, and nothing may be saved.

    Muted events are folded into the one that came first after the `mute`.
    """
    now = values["created_at"]
    of_subject = Notice.objects.filter(user=user, subject=fold.subject)
    open_heads = Q(read_at=None) if mute is None else Q(muted=True, head=None, created_at__gte=mute.muted_at)
    head = of_subject.filter(open_heads).order_by("-pk").first()
    if head is None:
        last = of_subject.filter(mailed_at__gt=now - SUMMARY).aggregate(last=Max("mailed_at"))["last"]
        if last and values["mail_at"]:
            values = values | {"mail_at": max(values["mail_at"], last + SUMMARY)}
        return Notice.objects.get_or_create(user=user, key=key, defaults=values | {"subject": fold.subject})[1]
    folded = values | {"head": head, "read_at": now, "mail_at": None}
    if not Notice.objects.get_or_create(user=user, key=key, defaults=folded)[1]:
        return False
    about = values["about"] if fold.at >= head.last_at else head.about
    listed = head.about if head.about.get("wide") else values["about"]
    counted = Notice.objects.filter(open_heads, pk=head.pk).update(
        count=F("count") + 1,
        last_at=Greatest("last_at", Value(fold.at, DateTimeField())),
        about=about | {"list": listed["list"], "wide": listed["wide"]},
        flow_id=values["flow_id"],
        url=listed["list"][:500],
        mail_at=_summary_at(user, values["mail_at"], now),
        mail_tries=Case(When(mail_at=None, then=0), default=F("mail_tries"), output_field=IntegerField()),
    )
    return True if counted else None


def _summary_at(user: User, soon: datetime | None, now: datetime) -> object:
    """The time of the next mail as an expression of the row, so that it is right however late another worker claims the mail."""
    if soon is None:
        return None
    if user.mail_delivery == MailDelivery.DAILY:
        following: object = Value(soon, DateTimeField())
    else:
        following = Case(
            When(mailed_at__gt=now - SUMMARY, then=F("mailed_at") + SUMMARY), default=Value(soon, DateTimeField())
        )
    return Case(When(mail_at=None, then=following), default=F("mail_at"), output_field=DateTimeField())


def delivered_keys(people: Iterable[User], keys: Collection[str]) -> set[tuple[int, str]]:
    """Pairs of person (primary key) and key that were delivered already. One query."""
    if not keys:
        return set()
    return set(Notice.objects.filter(user__in=set(people), key__in=keys).values_list("user_id", "key"))


def visible_notifications(user: User) -> QuerySet[Notice]:
    return Notice.objects.filter(user=user, head=None).select_related("workspace").order_by("-last_at", "-pk")


_unread = Prepared(
    lambda user: Notice.objects.filter(user=user, read_at=None).values_list("url", flat=True)[:_COUNTED], int
)


def unread(user: User, at: str = "") -> int:
    """Count a person's unread notices. Those that link to `at`, the address of the current page, are marked as read and not mailed."""
    urls = _unread(user.pk)
    addresses = {at, at.partition("?")[0]} - {""}
    seen = sum(url in addresses for url in urls)
    if seen:
        Notice.objects.filter(user=user, read_at=None, url__in=addresses).update(read_at=clock.now(), mail_at=None)
    return len(urls) - seen


def read(user: User, pk: int | None = None) -> int:
    """Mark one notice of a person as read, or all of them; return how many were unread. Read notices are not mailed."""
    rows = Notice.objects.filter(user=user, read_at=None)
    return (rows if pk is None else rows.filter(pk=pk)).update(read_at=clock.now(), mail_at=None)


def to_mail() -> list[int]:
    return list(
        Notice.objects.filter(mail_at__lte=clock.now()).order_by("mail_at").values_list("pk", flat=True)[:MAILS]
    )


def claim_mail(pk: int) -> list[Notice]:
    """Claim a notice for mailing, with a daily digest all that are due: they count as mailed from now on, so that they are not sent again
    after a crash of the worker.

    Return nothing if another worker claimed them, the person has read them or no longer wants mails, or has quiet hours.
    """
    now = clock.now()
    every_due = Notice.objects.filter(mail_at__lte=now, read_at=None)
    rows = every_due.filter(pk=pk)
    row = rows.select_related("user").first()
    if row is None:
        return []
    person: User = row.user
    if not delivery.wanted(person):
        rows.update(mail_at=None)
        return []
    with transaction.atomic():
        waits_until = delivery.quiet_end(person, now)
        if person.mail_delivery == MailDelivery.DAILY:
            rows = every_due.filter(user=person)
            if waits_until is None and not _claim_digest(person, now):
                waits_until = delivery.next_digest(person, now)
        if waits_until is not None:
            rows.update(mail_at=waits_until)
            return []
        keys = list(rows.values_list("pk", flat=True))
        claimed = Notice.objects.filter(pk__in=keys)
        if not claimed.filter(mail_at__lte=now, read_at=None).update(
            mail_at=None, mailed_at=now, mail_tries=F("mail_tries") + 1
        ):
            return []
    return list(claimed.filter(mailed_at=now).select_related("user", "workspace").order_by("-last_at", "-pk"))


def _claim_digest(person: User, now: datetime) -> bool:
    """Claim the person's digest of this day; another worker waits for the end of the transaction, and does not get it."""
    unclaimed = Q(digested_at=None) | Q(digested_at__lt=delivery.latest_digest(person, now))
    return bool(User.objects.filter(unclaimed, pk=person.pk).update(digested_at=now))


def mail_failed(rows: Sequence[Notice]) -> datetime | None:
    """Schedule a retry of a mail that the server certainly did not accept; return its time, or None if given up or read meanwhile."""
    tries = max(row.mail_tries for row in rows)
    if tries >= MAIL_TRIES:
        return None
    retry_at = clock.now() + MAIL_AGAIN * 2 ** (tries - 1)
    person: User = rows[0].user
    if person.mail_delivery == MailDelivery.DAILY:
        User.objects.filter(pk=person.pk, digested_at=rows[0].mailed_at).update(digested_at=None)
    unread_rows = Notice.objects.filter(pk__in=[row.pk for row in rows], mailed_at=rows[0].mailed_at, read_at=None)
    return retry_at if unread_rows.update(mail_at=retry_at) else None


def reschedule(person: User) -> None:
    """Apply changed settings to mails that wait. Summaries still come an hour after the last mail."""
    now = clock.now()
    waiting = Notice.objects.filter(user=person, mail_at__isnull=False, read_at=None)
    if not delivery.wanted(person):
        waiting.update(mail_at=None)
        return
    if person.mail_delivery != MailDelivery.DAILY:
        waiting = waiting.exclude(mailed_at__gt=now - SUMMARY)
    waiting.update(mail_at=delivery.due_at(person, now + MAIL_AFTER))


def purge() -> None:
    mutes.purge()
    Notice.objects.filter(last_at__lt=clock.now() - KEPT).delete()

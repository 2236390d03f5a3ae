"""Scheduled work on credentials: each is tested once a night, and its owner is reminded of its end."""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from workflows_ui.accounts.models import User
from workflows_ui.core import clock, database
from workflows_ui.credentials.models import Credential, CredentialReminder
from workflows_ui.credentials.services import credentials
from workflows_ui.members.services import members
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import NoticeKind

#: The start of the nightly tests (in the console's time zone), and the time over which they are spread.
BEGINS, SPREAD = time(1, 0), timedelta(hours=4)
#: After this time another worker takes over a test.
LEASE = timedelta(minutes=2)
#: The most credentials of one sweep, so that not all due tests begin in the same second.
SWEPT = 10
#: Days before the end of a credential at which its people are reminded.
DAYS = (1, 7, 30)


def tonight(credential_id: uuid.UUID, now: datetime) -> datetime:
    """The time of a credential's next scheduled test: in the coming night, at the same time every night."""
    share = int.from_bytes(hashlib.sha256(credential_id.bytes).digest()[:4]) / 2**32
    nights = (datetime.combine(timezone.localdate(now) + timedelta(days=days), BEGINS) for days in range(3))
    moments = (timezone.make_aware(begins) + SPREAD * share for begins in nights)
    return next(moment for moment in moments if moment > now)


def schedule() -> int:
    """Schedule a test for all credentials without one; returns their number."""
    now = clock.now()
    ids = list(Credential.objects.filter(test_at__isnull=True).values_list("pk", flat=True)[:1000])
    for pk in ids:
        Credential.objects.filter(pk=pk, test_at__isnull=True).update(test_at=tonight(pk, now))
    return len(ids)


def due() -> list[uuid.UUID]:
    """Ids of the credentials whose test is due and not running."""
    now = clock.now()
    waiting = Credential.objects.filter(Credential.scheduled_test.free(now), test_at__lte=now)
    return list(waiting.values_list("pk", flat=True)[:SWEPT])


def test(credential_id: uuid.UUID) -> None:
    """Test one credential, if that is due. Safe to call any number of times, from any number of workers."""
    with database.turn():
        now = clock.now()
        waiting = Credential.objects.filter(test_at__lte=now)
        credential = Credential.scheduled_test.claim(waiting, credential_id, LEASE, now, ("workspace",))
    if credential is None:
        return
    try:
        credentials.retest(credential)
    finally:
        with database.turn():
            Credential.scheduled_test.finish(credential, test_at=tonight(credential_id, clock.now()))


def remind() -> int:
    """Send reminders of credentials that end soon, once for each of `DAYS` and each end; returns their number.

    The record of a reminder is written in the same transaction. A secret with a renewal has a reminder only after the renewal failed.
    """
    now = clock.now()
    ending = Credential.objects.filter(
        ends_at__gt=now, ends_at__lte=now + timedelta(days=max(DAYS)), renew_at__isnull=True
    )
    return sum(_remind(credential, now) for credential in ending.select_related("workspace", "owner"))


def _remind(credential: Credential, now: datetime) -> int:
    ends_at = credential.ends_at
    if ends_at is None:
        return 0
    # Only the last of the due reminders is sent; the earlier ones count as sent, so that nobody gets three mails at once.
    near = [days for days in DAYS if ends_at - now <= timedelta(days=days)]
    done = set(credential.reminders.filter(ends_at=ends_at).values_list("days", flat=True))
    if near[0] in done:
        return 0
    try:
        with transaction.atomic():
            CredentialReminder.objects.bulk_create(
                CredentialReminder(credential=credential, days=days, ends_at=ends_at, sent_at=now)
                for days in near
                if days not in done
            )
            for person in people(credential):
                notifications.notify(
                    person,
                    NoticeKind.CREDENTIAL_ENDS,
                    f"credential:{credential.pk}:{ends_at:%Y%m%dT%H%M%S}:{near[0]}",
                    url=reverse("credential", args=[credential.workspace.slug, credential.pk]),
                    workspace=credential.workspace,
                    name=credential.name,
                    days=max(1, -(-(ends_at - now) // timedelta(days=1))),
                )
    except IntegrityError:
        return 0  # another worker was faster
    return 1


def people(credential: Credential) -> Iterable[User]:
    """The people responsible for a credential: its owner if active, else the workspace's managers."""
    if credential.owner.is_active:
        return [credential.owner]
    return members.managers(credential.workspace)

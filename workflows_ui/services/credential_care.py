"""What is done for credentials whether or not anybody asks: each is tested once a night, and whoever owns it is reminded of its end."""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from workflows_ui.models import Credential, CredentialReminder, Member, NoticeKind, Role, User
from workflows_ui.services import clock, credentials, database, notices

#: The night: from this hour on (in the console's time zone), spread over so long.
BEGINS, SPREAD = time(1, 0), timedelta(hours=4)
#: A test that has not come back after so long is taken over by another worker.
LEASE = timedelta(minutes=2)
#: Credentials named by one sweep: tests that are due at once do not all begin in the same second.
SWEPT = 10
#: Days before its end at which a credential's people are reminded.
DAYS = (1, 7, 30)


def tonight(credential_id: uuid.UUID, now: datetime) -> datetime:
    """When a credential is next tested by itself: its own moment of the coming night, the same every night."""
    share = int.from_bytes(hashlib.sha256(credential_id.bytes).digest()[:4]) / 2**32
    local = timezone.localtime(now)
    for days in (0, 1, 2):
        begins = timezone.make_aware(datetime.combine(local.date() + timedelta(days=days), BEGINS))
        moment = begins + SPREAD * share
        if moment > now:
            return moment
    raise AssertionError("two nights on is always later")


def schedule() -> int:
    """Gives a moment of the coming night to whatever has none yet. Says how many."""
    now = clock.now()
    found = list(Credential.objects.filter(test_at__isnull=True).values_list("pk", flat=True)[:1000])
    for pk in found:
        Credential.objects.filter(pk=pk, test_at__isnull=True).update(test_at=tonight(pk, now))
    return len(found)


def due() -> list[uuid.UUID]:
    """Ids of the credentials to test now that nobody is testing."""
    now = clock.now()
    return list(Credential.objects.filter(_free(now), test_at__lte=now).values_list("pk", flat=True)[:SWEPT])


def test(credential_id: uuid.UUID) -> None:
    """Tests one credential whose time has come. Safe to call any number of times, from any number of workers."""
    with database.turn():
        now = clock.now()
        rows = Credential.objects.filter(_free(now), pk=credential_id, test_at__lte=now)
        if not rows.update(test_until=now + LEASE):
            return
        credential = Credential.objects.select_related("workspace").get(pk=credential_id)
    try:
        credentials.retest(credential)
    finally:
        with database.turn():
            Credential.objects.filter(pk=credential_id).update(
                test_at=tonight(credential_id, clock.now()), test_until=None
            )


def remind() -> int:
    """Tells of every credential whose end has come near, once for each of `DAYS` and each end. Says how many times.

    The row that says it was told is written together with the telling. A secret that renews itself is told of only where that failed.
    """
    now = clock.now()
    told = 0
    ending = Credential.objects.filter(
        ends_at__gt=now, ends_at__lte=now + timedelta(days=max(DAYS)), renew_at__isnull=True
    )
    for credential in ending.select_related("workspace", "owner", "team"):
        told += _remind(credential, now)
    return told


def _remind(credential: Credential, now: datetime) -> int:
    ends_at = credential.ends_at
    if ends_at is None:
        return 0
    # Of those that are due only the last is told; the earlier ones count as told, so that nobody gets three mails at once.
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
                notices.tell(
                    person,
                    NoticeKind.CREDENTIAL_ENDS,
                    f"credential:{credential.pk}:{ends_at:%Y%m%dT%H%M%S}:{near[0]}",
                    url=reverse("credential", args=[credential.workspace.slug, credential.pk]),
                    workspace=credential.workspace,
                    name=credential.name,
                    days=max(1, -(-(ends_at - now) // timedelta(days=1))),
                )
    except IntegrityError:
        return 0  # another worker was quicker
    return 1


def people(credential: Credential) -> Iterable[User]:
    """Who looks after a credential: its owner; of a team's, the team's owners, else the workspace's managers."""
    if credential.owner is not None:
        return [credential.owner] if credential.owner.is_active else []
    owners = list(User.objects.filter(owned_teams__team=credential.team, is_active=True).order_by("pk").distinct())
    if owners:
        return owners
    managers = Member.objects.filter(workspace=credential.workspace, role=Role.MANAGER)
    found = Q(memberships__in=managers) | Q(groups__in=managers.exclude(team=None).values("team"))
    return list(User.objects.filter(found, is_active=True).order_by("pk").distinct())


def _free(now: datetime) -> Q:
    return Q(test_until__isnull=True) | Q(test_until__lt=now)

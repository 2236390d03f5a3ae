"""Leases, as rows of every kind have them (core.lease)."""

from datetime import datetime, timedelta

import pytest

from tests.users import workspace
from workflows_ui.audit.models import AuditChain
from workflows_ui.core import clock
from workflows_ui.core.lease import backoff
from workflows_ui.launches.models import Follow

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]
LENGTH = timedelta(minutes=1)


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def free(db: None) -> Follow:
    """A row that has no column for a token."""
    return Follow.objects.create(workspace=workspace("sales"))


@pytest.fixture
def follow(free: Follow, now: datetime) -> Follow:
    """The same, claimed."""
    return claimed(free.pk, now)


def claimed(pk: int, now: datetime) -> Follow:
    row = Follow.lease.claim(Follow.objects.all(), pk, LENGTH, now)
    assert row is not None
    return row


def test_a_row_is_held_by_one_worker_until_its_lease_ends(follow: Follow, now: datetime) -> None:
    assert Follow.lease.claim(Follow.objects.all(), follow.pk, LENGTH, now + LENGTH) is None
    assert not Follow.objects.filter(Follow.lease.free(now)).exists()
    later = now + LENGTH * 2
    assert list(Follow.objects.filter(Follow.lease.expired(later))) == [follow]
    assert Follow.lease.claim(Follow.objects.all(), follow.pk, LENGTH, later) == follow


def test_a_row_that_is_not_wanted_is_not_claimed(free: Follow, now: datetime) -> None:
    assert Follow.lease.claim(Follow.objects.filter(failures=1), free.pk, LENGTH, now) is None
    assert Follow.objects.get().lease_until is None


def test_who_lost_a_lease_can_neither_release_nor_renew_it(follow: Follow, now: datetime) -> None:
    second = claimed(follow.pk, now + LENGTH * 2)
    assert not Follow.lease.release(follow, failures=5)
    assert not Follow.lease.renew(Follow.objects.all(), follow, LENGTH, now)
    row = Follow.objects.get()
    assert (row.lease_until, row.failures) == (second.lease_until, 0)
    assert Follow.lease.release(second, failures=1)
    row.refresh_from_db()
    assert (row.lease_until, row.failures) == (None, 1)


def test_who_lost_a_lease_still_says_how_it_went(follow: Follow, now: datetime) -> None:
    second = claimed(follow.pk, now + LENGTH * 2)
    Follow.lease.finish(follow, failures=1)
    row = Follow.objects.get()
    assert (row.lease_until, row.failures) == (second.lease_until, 1)


def test_a_lease_that_has_ended_is_not_renewed_and_one_that_was_renewed_lasts_longer(now: datetime) -> None:
    AuditChain.objects.create(pk=1)
    row = AuditChain.lease.claim(AuditChain.objects.all(), 1, LENGTH, now)
    assert row is not None
    assert len(row.holder) == 32
    assert AuditChain.lease.renew(AuditChain.objects.all(), row, LENGTH, now + LENGTH / 2)
    assert AuditChain.objects.get().lease_until == now + LENGTH * 1.5
    assert not AuditChain.lease.renew(AuditChain.objects.all(), row, LENGTH, now + LENGTH * 2)


def test_a_row_that_nobody_holds_is_held_by_nobody(free: Follow) -> None:
    chain = AuditChain.objects.create(pk=1)
    assert not Follow.objects.filter(Follow.lease.held(free)).exists()
    assert not AuditChain.objects.filter(AuditChain.lease.held(chain)).exists()


def test_pauses_are_doubled_up_to_the_longest() -> None:
    first, longest = timedelta(seconds=2), timedelta(minutes=1)
    assert [backoff(first, tries, longest).total_seconds() for tries in (0, 1, 2, 3, 6, 500)] == [2, 2, 4, 8, 60, 60]

"""Queries that are compiled once find the same rows with each value."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import users
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Member, Role, Workspace

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_each_call_has_its_own_values() -> None:
    for slug in ("sales", "Đơn", "100%", "%s", "~~parameter 0~~"):
        users.workspace(slug, project=slug)
    named = Prepared(lambda slug, low: Workspace.objects.filter(slug=slug, pk__gt=low).order_by("pk"), str, int)
    for slug in ("sales", "Đơn", "100%", "%s", "~~parameter 0~~"):
        assert [row.slug for row in named(slug, 0)] == [slug]
        assert named(slug, 10**12) == []
    assert named("missing", 0) == []


def test_related_rows_and_single_columns_come_with_it() -> None:
    space, owner = users.workspace("sales"), users.person("owner")
    Member.objects.create(workspace=space, user=owner, role=Role.MANAGER)
    members = Prepared(lambda user: Member.objects.filter(user=user).select_related("workspace"), int)
    slugs = Prepared(lambda user: Member.objects.filter(user=user).values_list("workspace__slug", flat=True)[:5], int)
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert [row.workspace.name for row in members(owner.pk)] == ["Sales"]
            assert slugs(owner.pk) == ["sales"]
        assert len(queries) == 2


def test_moments_are_compared_as_moments() -> None:
    now = timezone.now()
    for name, minutes in (("a", -1), ("b", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=now + timedelta(minutes=minutes))
    valid = Prepared(lambda at: Session.objects.filter(expire_date__gt=at).order_by("pk"), datetime)
    assert [row.pk for row in valid(now)] == ["b"]
    assert [row.pk for row in valid(now - timedelta(hours=1))] == ["a", "b"]


@pytest.mark.django_db(transaction=True)
def test_threads_that_share_a_query_get_their_own_rows() -> None:
    for number in range(8):
        users.workspace(f"w{number}", project=f"p{number}")
    named = Prepared(lambda slug: Workspace.objects.filter(slug=slug), str)
    together = Barrier(8)

    def read(number: int) -> set[str]:
        together.wait()
        try:
            return {row.slug for _ in range(20) for row in named(f"w{number}")}
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(read, range(8))) == [{f"w{number}"} for number in range(8)]


def test_lists_of_any_length_find_what_they_contain() -> None:
    slugs = [f"space-{number:03}" for number in range(130)]
    for slug in slugs:
        users.workspace(slug, project=slug)
    named = Prepared(
        lambda slugs, low: Workspace.objects.filter(slug__in=slugs, pk__gt=low).order_by("slug"), [str], int
    )
    others = Prepared(lambda slugs: Workspace.objects.exclude(slug__in=slugs).order_by("slug"), [str])
    for number in (0, 1, 2, 20, 21, 100, 101, 130):
        assert [row.slug for row in named(slugs[:number], 0)] == slugs[:number]
        assert [row.slug for row in others(slugs[:number])] == slugs[number:]
    assert named(slugs, 10**9) == []


def test_a_value_that_the_sql_does_not_contain_is_refused() -> None:
    lost = Prepared(lambda slug: Workspace.objects.all(), str)
    with pytest.raises(ValueError, match="does not use"):
        lost("sales")

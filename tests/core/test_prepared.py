"""Queries that are compiled once find the same rows with each value."""

from datetime import datetime, timedelta

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


def test_a_value_that_the_sql_does_not_contain_is_refused() -> None:
    lost = Prepared(lambda slug: Workspace.objects.all(), str)
    with pytest.raises(ValueError, match="does not use"):
        lost("sales")

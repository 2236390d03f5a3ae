"""Queries that are compiled once find the same rows with each value."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import django
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, F, Model, OuterRef, QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests import users
from workflows_ui.core.prepared import Prepared
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.run_index.models import RunIndex

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


#: What `core/prepared.py` uses of Django without a promise in its documentation.
COMPILER = ("as_sql", "get_converters", "select", "klass_info", "annotation_col_map")
LAYOUT = {"model", "select_fields", "related_klass_infos"}
RELATED = {*LAYOUT, "local_setter", "remote_setter"}
UNFIT = f"""Django {django.__version__} does not fit core/prepared.py. Adapt `_compile`, `_rows_of` and `_instance_of` there, which are all
that depends on its inner parts. Until then `return list(self._build(*values))` in `Prepared.__call__` gives the same rows by its
documented parts, in 1 to 7 ms more for each page."""


def test_django_has_what_prepared_queries_are_made_of() -> None:
    queryset: Any = Member.objects.select_related("workspace")
    assert hasattr(queryset, "_iterable_class"), UNFIT
    assert hasattr(queryset.query, "get_compiler"), UNFIT
    compiler = queryset.query.get_compiler(using="default")
    assert compiler.as_sql()[0].startswith("SELECT "), UNFIT
    assert [name for name in COMPILER if not hasattr(compiler, name)] == [], UNFIT
    assert compiler.klass_info.keys() >= LAYOUT, UNFIT
    assert [info.keys() >= RELATED for info in compiler.klass_info["related_klass_infos"]] == [True], UNFIT


def test_rows_are_those_of_djangos_own_queries() -> None:
    filled, empty, owner = users.workspace("filled"), users.workspace("empty", project="p2"), users.person("owner")
    key, now = users.credential(filled, owner, "k"), timezone.now()
    RunIndex.objects.create(
        workspace=filled, credential=key, started_at=now, due_at=now, days_off=["2026-12-25"], read_at=now
    )
    for space in (filled, empty):
        Member.objects.create(workspace=space, user=owner, role=Role.MANAGER)
    members = Member.objects.order_by("pk")
    indexed = RunIndex.objects.filter(workspace=OuterRef("workspace"))
    indexes = RunIndex.objects.select_related("credential__owner", "started_by")
    shapes: list[QuerySet[Any, Any]] = [
        members,
        members.select_related("workspace__run_index", "user"),
        members.select_related("user").only("role", "user__username"),
        members.select_related("workspace").defer("role", "workspace__name"),
        members.values_list("role", "workspace__run_index__read_at", "workspace__run_index__days_off"),
        members.values_list("workspace__run_index__credential", flat=True),
        members.values_list("workspace__run_index__credential__taken_over"),
        members.values_list("role").order_by("workspace__slug").distinct(),
        members.annotate(read=F("workspace__run_index__read_at"), free=~Exists(indexed)).select_related("user"),
        indexes,
        indexes.filter(credential__shares__team=None).distinct().defer("days_off"),
    ]
    for shape in shapes:
        plain = shape.filter(workspace__gt=0)
        prepared = Prepared(lambda low, shape=shape: shape.filter(workspace__gt=low), int)
        for _ in range(2):
            assert [*map(_described, prepared(0))] == [*map(_described, plain.all())], f"{UNFIT}\n{plain.query}"
        assert len(prepared(0)) >= 1
        assert prepared(10**9) == []


def _described(row: Any, *above: object) -> Any:
    """A row as its type and values; of an instance also where it comes from, and what came with it."""
    if not isinstance(row, Model) or row in above:
        return type(row), row
    values = {name: (type(value), value) for name, value in vars(row).items() if name != "_state"}
    related = {name: _described(other, row, *above) for name, other in row._state.fields_cache.items()}
    return type(row), values, related, row._state.db, row._state.adding


def test_rows_that_cannot_be_made_are_refused() -> None:
    refused: Prepared[Any] = Prepared(lambda slug: Workspace.objects.filter(slug=slug).values("pk"), str)
    with pytest.raises(ValueError, match="values_list"):
        refused("sales")


def test_a_value_that_the_sql_does_not_contain_is_refused() -> None:
    lost = Prepared(lambda slug: Workspace.objects.all(), str)
    with pytest.raises(ValueError, match="does not use"):
        lost("sales")

"""Queries of every page, compiled once. Django builds and compiles a queryset each time, which takes longer than the database's answer.

    _by_slug = Prepared(lambda slug: Workspace.objects.filter(slug=slug), str)
    _by_slug("sales")

The SQL must not depend on the values: no None, no lists, no slices by a value.

Threads share what is compiled and never change it: each call fills copies. Giving a queryset a query is what Django documents for
pickled ones. Two threads that come first both compile; either result serves.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Count, QuerySet, Value

T = TypeVar("T")
#: Values that stand for the parameters while a query is compiled: of no row, and different from each other.
_NUMBER, _TEXT, _MOMENT = 2_000_000_011, "~~parameter {}~~", datetime(2200, 1, 1, tzinfo=UTC)


class Prepared(Generic[T]):
    """A queryset with parameters.

    Args:
        build: gets a value for each parameter, returns the queryset.
        kinds: the type of each parameter.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, T]], *kinds: type[int | str | datetime]) -> None:
        self._build = build
        self._places = [_place(kind, number) for number, kind in enumerate(kinds)]
        self._compiled: dict[str, tuple[Any, Any, str, list[Any]]] = {}

    def __call__(self, *values: int | str | datetime) -> list[T]:
        """Run the query with these values."""
        queryset, compiler, sql, parameters = self._compiled.get(connection.vendor) or self._compile()
        given = dict(zip(self._adapted(self._places), self._adapted(values), strict=True))
        compiler = _shallow_copy(compiler)
        compiler.connection = connection
        filled = tuple(given.get(parameter, parameter) for parameter in parameters)
        compiler.as_sql = lambda *_arguments, **_options: (sql, filled)
        queryset, query = _shallow_copy(queryset), _shallow_copy(queryset.query)
        query.get_compiler = lambda *_arguments, **_options: compiler
        rows = queryset._iterable_class  # noqa: SLF001  (Django resets it with the query)
        queryset.query, queryset._iterable_class = query, rows  # noqa: SLF001
        return list(queryset)

    def _compile(self) -> tuple[Any, Any, str, list[Any]]:
        queryset: Any = self._build(*self._places)
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, parameters = compiler.as_sql()
        missing = [place for place in self._adapted(self._places) if place not in parameters]
        if missing:
            raise ValueError(f"The query does not use {missing}.")
        converters = compiler.get_converters([column for column, *_rest in compiler.select])
        compiler.get_converters = lambda _columns: converters
        compiled = self._compiled[connection.vendor] = (queryset, compiler, sql, list(parameters))
        return compiled

    @staticmethod
    def _adapted(values: Any) -> list[Any]:
        """Return the values as the database takes them."""
        adapt = connection.ops.adapt_datetimefield_value
        return [adapt(value) if isinstance(value, datetime) else value for value in values]


def number_of(rows: QuerySet[Any, Any]) -> QuerySet[Any, int]:
    """Return a query for the number of these rows, which is its only row: for queries that are compiled once."""
    numbers: QuerySet[Any, Any] = rows.order_by().annotate(one=Value(1)).values("one").annotate(number=Count("pk"))
    counted: QuerySet[Any, int] = numbers.values_list("number", flat=True)
    return counted


def _shallow_copy(item: Any) -> Any:
    """Return a copy that shares all attributes; copying as Django defines it would run the query."""
    copy = object.__new__(type(item))
    copy.__dict__.update(item.__dict__)
    return copy


def _place(kind: type[int | str | datetime], number: int) -> int | str | datetime:
    if kind is datetime:
        return _MOMENT.replace(microsecond=number)
    return _TEXT.format(number) if kind is str else _NUMBER + number

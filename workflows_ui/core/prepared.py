"""Queries of every page, compiled once. Django builds and compiles a queryset each time, which takes longer than the database's answer.

    _by_slug = Prepared(lambda slug: Workspace.objects.filter(slug=slug), str)
    _by_slug("sales")

    @Prepared
    def _named(slugs: list[str]) -> QuerySet[Workspace]:
        return Workspace.objects.filter(slug__in=slugs)

    _named(["sales", "support"])

The SQL must not depend on the values: no None, no slices by a value.

Threads share what is compiled and never change it: each call fills copies. Two threads that come first both compile; either result serves.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from inspect import Parameter, signature
from typing import Any, Generic, NamedTuple, TypeVar, get_args

from django.db import connection
from django.db.models import Count, QuerySet, Value

T = TypeVar("T")
Scalar = int | str | datetime
Kind = type[Scalar]
#: Values that stand for the parameters while a query is compiled: of no row, and different from each other.
_NUMBER, _TEXT, _MOMENT = 2_000_000_011, "~~parameter {}~~", datetime(2200, 1, 1, tzinfo=UTC)
#: Lists are compiled for these lengths; longer ones for multiples of the last. What a list leaves over stays a value of no row.
_LENGTHS = (1, 20, 100)
_MOST = 10_000


class _Compiled(NamedTuple):
    """A query, and for each parameter of a call the values that stand for its value or values."""

    queryset: Any
    compiler: Any
    sql: str
    parameters: list[Any]
    places: list[list[Any]]


class Prepared(Generic[T]):
    """A queryset with parameters.

    Args:
        build: gets a value for each parameter, returns the queryset.
        kinds: the type of each parameter, in a list for a parameter with several values (at most 10,000). By default they are the
            annotations of `build`.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, T]], *kinds: Kind | list[Kind]) -> None:
        self._build, self._kinds = build, kinds or tuple(map(_annotated_kind, signature(build).parameters.values()))
        self._compiled: dict[tuple[Any, ...], _Compiled] = {}

    def __call__(self, *values: Scalar | Sequence[Scalar]) -> list[T]:
        """Run the query with these values."""
        lists = [[value] if isinstance(value, Scalar) else value for value in values]
        lengths = tuple(
            _length(len(items)) if isinstance(kind, list) else 0 for kind, items in zip(self._kinds, lists, strict=True)
        )
        compiled = self._compiled.get((connection.vendor, lengths)) or self._compile(lengths)
        given: dict[Any, Any] = {}
        for place, items in zip(compiled.places, lists, strict=True):
            given.update(zip(place, map(_adapted, items), strict=False))
        compiler = _shallow_copy(compiled.compiler)
        compiler.connection = connection
        filled = tuple(given.get(parameter, parameter) for parameter in compiled.parameters)
        compiler.as_sql = lambda *_arguments, **_options: (compiled.sql, filled)
        queryset, query = _shallow_copy(compiled.queryset), _shallow_copy(compiled.queryset.query)
        query.get_compiler = lambda *_arguments, **_options: compiler
        # Not `query`, which would also replace the class of the rows.
        queryset._query = query  # noqa: SLF001
        return list(queryset)

    def first(self, *values: Scalar | Sequence[Scalar]) -> T | None:
        """Run the query with these values, and return its first row; None without one. The query limits itself."""
        return next(iter(self(*values)), None)

    def _compile(self, lengths: tuple[int, ...]) -> _Compiled:
        places = [
            _place(kind, number, length) for number, (kind, length) in enumerate(zip(self._kinds, lengths, strict=True))
        ]
        queryset: Any = self._build(*places)
        compiler = queryset.query.get_compiler(using=queryset.db)
        sql, parameters = compiler.as_sql()
        adapted = [list(map(_adapted, place if isinstance(place, list) else [place])) for place in places]
        used = set(parameters)
        missing = [place for place in adapted if not used.issuperset(place)]
        if missing:
            raise ValueError(f"The query does not use {missing}.")
        converters = compiler.get_converters([column for column, *_rest in compiler.select])
        compiler.get_converters = lambda _columns: converters
        compiled = _Compiled(queryset, compiler, sql, list(parameters), adapted)
        self._compiled[connection.vendor, lengths] = compiled
        return compiled


def number_of(rows: QuerySet[Any, Any]) -> QuerySet[Any, int]:
    """Return a query for the number of these rows, which is its only row: for queries that are compiled once."""
    numbers: QuerySet[Any, Any] = rows.order_by().annotate(one=Value(1)).values("one").annotate(number=Count("pk"))
    counted: QuerySet[Any, int] = numbers.values_list("number", flat=True)
    return counted


def _annotated_kind(parameter: Parameter) -> Any:
    return list(get_args(parameter.annotation)) or parameter.annotation


def _shallow_copy(item: Any) -> Any:
    """Return a copy that shares all attributes; copying as Django defines it would run the query."""
    copy = object.__new__(type(item))
    copy.__dict__.update(item.__dict__)
    return copy


def _length(number: int) -> int:
    """Return the length that a list of so many values is compiled for."""
    if number > _MOST:
        raise ValueError(f"{number} values are too many.")
    return next((length for length in _LENGTHS if number <= length), -(-number // _LENGTHS[-1]) * _LENGTHS[-1])


def _adapted(value: Any) -> Any:
    """Return the value as the database takes it."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _place(kind: Kind | list[Kind], position: int, length: int) -> Any:
    first = position * (_MOST + 1)
    if isinstance(kind, list):
        return [_stand_in(kind[0], first + number) for number in range(length)]
    return _stand_in(kind, first)


def _stand_in(kind: Kind, number: int) -> Scalar:
    if kind is datetime:
        return _MOMENT.replace(microsecond=number)
    return _TEXT.format(number) if kind is str else _NUMBER + number

"""Queries of every page, compiled once. Django builds and compiles a queryset each time, which takes longer than the database's answer.

    _by_slug = Prepared(lambda slug: Workspace.objects.filter(slug=slug), str)
    _by_slug("sales")

    @Prepared
    def _named(slugs: list[str]) -> QuerySet[Workspace]:
        return Workspace.objects.filter(slug__in=slugs)

    _named(["sales", "support"])

The SQL must not depend on the values: no None, no slices by a value. Rows are model instances, also with annotations, `only`,
`defer` and `select_related`, or `values_list`; nothing is prefetched.

A call executes the SQL by a cursor and makes its rows by `Model.from_db`. Only `_compile` and `_rows_of` use parts of Django that its
documentation does not describe: tests/core/test_prepared.py lists them, and fails at a Django that they do not fit.

Threads share what is compiled and never change it. Two threads that come first both compile; either result serves.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from inspect import Parameter, signature
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar, get_args

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Count, QuerySet, Value
from django.db.models.query import FlatValuesListIterable, ModelIterable, ValuesListIterable

T = TypeVar("T")
Scalar = int | str | datetime
ScalarType = type[Scalar]
#: Values that stand for the parameters while a query is compiled: of no row, and different from each other.
_NUMBER, _TEXT, _MOMENT = 2_000_000_011, "~~parameter {}~~", datetime(2200, 1, 1, tzinfo=UTC)
#: Lists are compiled for these lengths; longer ones for multiples of the last. What a list leaves over stays a value of no row.
_LENGTHS = (1, 20, 100)
_MOST = 10_000


class _Compiled(NamedTuple):
    """A query, and for each parameter of a call the values that stand for its value or values."""

    sql: str
    parameters: list[Any]
    places: list[list[object]]
    #: Makes the query's rows of those that the database gave.
    rows: Callable[[list[Any]], list[Any]]


class Prepared(Generic[T]):
    """A queryset with parameters.

    Args:
        build: gets a value for each parameter, returns the queryset.
        kinds: the type of each parameter, in a list for a parameter with several values (at most 10,000). By default they are the
            annotations of `build`.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, T]], *kinds: ScalarType | list[ScalarType]) -> None:
        self._build, self._kinds = build, kinds or tuple(map(_annotated_kind, signature(build).parameters.values()))
        self._compiled: dict[tuple[int, ...], _Compiled] = {}

    def __call__(self, *values: Scalar | Sequence[Scalar]) -> list[T]:
        """Run the query with these values."""
        lists = [[value] if isinstance(value, Scalar) else value for value in values]
        lengths = tuple(
            _length(len(items)) if isinstance(kind, list) else 0 for kind, items in zip(self._kinds, lists, strict=True)
        )
        compiled = self._compiled.get(lengths) or self._compile(lengths)
        given: dict[Any, Any] = {}
        for place, items in zip(compiled.places, lists, strict=True):
            given.update(zip(place, map(_adapted, items), strict=False))
        filled = [given.get(parameter, parameter) for parameter in compiled.parameters]
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, filled)
            found = cursor.fetchall()
        return compiled.rows(found)

    def first(self, *values: Scalar | Sequence[Scalar]) -> T | None:
        """Run the query with these values, and return its first row; None without one. The query limits itself."""
        return next(iter(self(*values)), None)

    def _compile(self, lengths: tuple[int, ...]) -> _Compiled:
        places = [
            _place(kind, number, length) for number, (kind, length) in enumerate(zip(self._kinds, lengths, strict=True))
        ]
        queryset: Any = self._build(*places)
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        adapted = [list(map(_adapted, place if isinstance(place, list) else [place])) for place in places]
        used = set(parameters)
        missing = [place for place in adapted if not used.issuperset(place)]
        if missing:
            raise ValueError(f"The query does not use {missing}.")
        compiled = _Compiled(sql, list(parameters), adapted, _rows_of(queryset, compiler))
        self._compiled[lengths] = compiled
        return compiled


def number_of(rows: QuerySet[Any, Any]) -> QuerySet[Any, int]:
    """A query for the number of these rows, which is its only row: for queries that are compiled once."""
    numbers: QuerySet[Any, Any] = rows.order_by().annotate(one=Value(1)).values("one").annotate(number=Count("pk"))
    counted: QuerySet[Any, int] = numbers.values_list("number", flat=True)
    return counted


def _annotated_kind(parameter: Parameter) -> Any:
    return list(get_args(parameter.annotation)) or parameter.annotation


def _rows_of(queryset: Any, compiler: Any) -> Callable[[list[Any]], list[Any]]:
    """A function that makes the rows of a compiled queryset of the database's.

    Raises ValueError for a queryset whose rows are of another kind than those that the module allows.
    """
    columns = [column for column, *_rest in compiler.select]
    converters = [
        (position, convert, column)
        for position, (functions, column) in compiler.get_converters(columns).items()
        for convert in functions
    ]
    kind = queryset._iterable_class  # noqa: SLF001
    if kind is FlatValuesListIterable:
        row_of: Callable[[list[Any]], Any] = itemgetter(0)
    elif kind is ValuesListIterable:
        row_of = tuple
    elif kind is ModelIterable:
        row_of = _instance_of(compiler.klass_info, columns, compiler.annotation_col_map)
    else:
        raise ValueError("A prepared query gives model instances or a values_list.")

    def rows(found: list[Any]) -> list[Any]:
        # A sorted query without repetitions also selects what it is sorted by.
        lists = [list(row[: len(columns)]) for row in found]
        for values in lists:
            for position, convert, column in converters:
                values[position] = convert(values[position], column, connection)
        return [row_of(values) for values in lists]

    return rows


def _instance_of(
    layout: Any, columns: list[Any], annotations: Mapping[str, int] = MappingProxyType({})
) -> Callable[[list[Any]], Any]:
    """A function that makes an instance of a row's values, with its related instances; None if its key is NULL."""
    model, first, end = layout["model"], layout["select_fields"][0], layout["select_fields"][-1] + 1
    names = [column.target.attname for column in columns[first:end]]
    key = first + [column.target.primary_key for column in columns[first:end]].index(True)
    related = [
        (_instance_of(other, columns), other["local_setter"], other["remote_setter"])
        for other in layout.get("related_klass_infos", ())
    ]

    def instance(values: list[Any]) -> Any:
        if values[key] is None:
            return None
        made = model.from_db(DEFAULT_DB_ALIAS, names, values[first:end])
        for other_of, refer, refer_back in related:
            other = other_of(values)
            refer(made, other)
            if other is not None:
                refer_back(other, made)
        for name, position in annotations.items():
            setattr(made, name, values[position])
        return made

    return instance


def _length(number: int) -> int:
    """The length that a list of so many values is compiled for."""
    if number > _MOST:
        raise ValueError(f"{number} values are too many.")
    return next((length for length in _LENGTHS if number <= length), -(-number // _LENGTHS[-1]) * _LENGTHS[-1])


def _adapted(value: object) -> object:
    """The value as the database takes it."""
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _place(kind: ScalarType | list[ScalarType], position: int, length: int) -> object:
    first = position * (_MOST + 1)
    if isinstance(kind, list):
        return [_stand_in(kind[0], first + number) for number in range(length)]
    return _stand_in(kind, first)


def _stand_in(kind: ScalarType, number: int) -> Scalar:
    if kind is datetime:
        return _MOMENT.replace(microsecond=number)
    return _TEXT.format(number) if kind is str else _NUMBER + number

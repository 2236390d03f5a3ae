"""Writes: calls that change something in the engine, and the looks that show afterwards whether one did.

After the first byte of a write, only a success (2xx) or a refusal in exactly the form recorded for its route proves anything: a gateway may
send any other answer before or after the engine acts. An operation declares both beside its method: `@write(LOOK, refusals=...)`. Its
call then returns what the engine holds if the first look finds the change, and else raises Unknown with the `Write`, for later looks.
"""

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Concatenate, ParamSpec, TypeVar

from .deadlines import reads_within
from .errors import EngineError, InvalidArgument, Unavailable, Unknown, Write

Json = dict[str, Any]
P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")
#: What reading a malformed answer raises.
MALFORMED = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)
#: Seconds of the look that follows a write at once.
FIRST_LOOK = 10.0


class Outcome(StrEnum):
    """What a look found. NOT_DONE holds for that moment only: an engine may act minutes after its call."""

    DONE = "done"
    NOT_DONE = "not done"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Seen:
    """The result of a look; `answer` is what the operation returns if it was done."""

    outcome: Outcome
    answer: Any = None


@dataclass(frozen=True)
class Look:
    """How to find out whether a write was done; both functions get the operations of the client, and the call's arguments by name.

    Attributes:
        see: gets what `before` returned, too. May raise EngineError.
        before: reads what `see` compares with; called before the write. May raise EngineError; nothing is sent then.
        forgotten: names of arguments that are not kept for later looks.
    """

    see: Callable[[Any, Json, Any], Seen]
    before: Callable[[Any, Json], Any] = lambda _workflows, _arguments: None
    forgotten: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Refusal:
    """A validation error of the engine's, as recorded for a route: `shape` are the keys of the body, and below `params` if it has them."""

    status: int
    code: str
    shape: frozenset[str]
    message: re.Pattern[str] | None = None
    constants: tuple[tuple[str, Any], ...] = ()

    def matches(self, status: int, body: Any) -> bool:
        """Whether an answer has exactly this form."""
        if status != self.status or not isinstance(body, dict) or body.get("code") != self.code:
            return False
        params = body.get("params")
        inner = params if isinstance(params, dict) else {}
        keys = {*body} | {f"params.{key}" for key in inner}
        text = inner.get("message", body.get("message"))
        worded = self.message is None or (isinstance(text, str) and self.message.match(text) is not None)
        return keys == self.shape and worded and all(body.get(key) == value for key, value in self.constants)


#: The request does not fit the route's schema: the handler never saw it (recordings `*_missing_*`, `op_change_status_bad`).
INVALID_BODY = Refusal(
    400,
    "FST_ERR_VALIDATION",
    frozenset({"statusCode", "code", "error", "message"}),
    re.compile(r"(body|params|querystring)(/| must )"),
    (("statusCode", 400), ("error", "Bad Request")),
)


def validation(message: str, *, status: int = 409, code: str = "VALIDATION") -> Refusal:
    """A refusal with a code and a message below `params`."""
    return Refusal(status, code, frozenset({"code", "params", "params.message"}), re.compile(message))


@dataclass(frozen=True)
class Operation:
    """A declared write."""

    name: str
    look: Look
    refusals: Sequence[Refusal]


#: Every declared write, by the name of its method.
OPERATIONS: dict[str, Operation] = {}
_CURRENT: ContextVar[Operation | None] = ContextVar("operation", default=None)


def write(
    look: Look, *, refusals: Sequence[Refusal] = (), generated: Mapping[str, Callable[[], Any]] | None = None
) -> Callable[[Callable[Concatenate[S, P], T]], Callable[Concatenate[S, P], T]]:
    """Declare that a method changes something in the engine.

    Args:
        refusals: the answers that prove that nothing was done.
        generated: by the name of an argument, what makes its value if it is None: ids by which a look finds what was created.
    """

    def declare(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
        operation = Operation(method.__name__, look, refusals)
        OPERATIONS[operation.name] = operation
        signature = inspect.signature(method)

        @functools.wraps(method)
        def call(self: S, /, *args: P.args, **options: P.kwargs) -> T:
            bound = signature.bind(self, *args, **options)
            bound.apply_defaults()
            for name, value in bound.arguments.items():
                if name != "self" and isinstance(value, Iterator):
                    bound.arguments[name] = list(value)
            if not getattr(self, "looks", False):
                with _within(operation):
                    return method(*bound.args, **bound.kwargs)
            for name, make in (generated or {}).items():
                if bound.arguments[name] is None:
                    bound.arguments[name] = make()
            arguments = {name: value for name, value in bound.arguments.items() if name != "self"}
            with _reading():
                before = look.before(self, arguments)
            try:
                with _within(operation):
                    return method(*bound.args, **bound.kwargs)
            except Unknown as error:
                problem = error
            stored_arguments = {name: value for name, value in arguments.items() if name not in look.forgotten}
            problem.write = Write(operation.name, stored_arguments, before)
            seen = _first_look(self, operation, arguments, before)
            if seen is not None and seen.outcome is Outcome.DONE:
                return seen.answer  # type: ignore[no-any-return]
            raise problem

        return call

    return declare


def see(workflows: Any, pending: Write) -> Seen:
    """Look whether a write was done by now. Raises EngineError if the engine does not say."""
    with _reading():
        return OPERATIONS[pending.operation].look.see(workflows, pending.arguments, pending.before)


def refusals() -> Sequence[Refusal]:
    """The recorded refusals of the write that is being made. Raises RuntimeError outside of a declared one."""
    operation = _CURRENT.get()
    if operation is None:
        raise RuntimeError("A call that changes something must be declared with @write.")
    return operation.refusals


def _first_look(workflows: Any, operation: Operation, arguments: Json, before: Any) -> Seen | None:
    try:
        with reads_within(FIRST_LOOK), _reading():
            return operation.look.see(workflows, arguments, before)
    except EngineError:
        return None


@contextmanager
def _reading() -> Iterator[None]:
    """Raise Unavailable where a look cannot understand an answer."""
    try:
        yield
    except InvalidArgument:
        raise
    except MALFORMED as problem:
        text = "The engine's answer has another shape than it should."
        raise Unavailable(text, code="ODD_SHAPE", sent=True) from problem


@contextmanager
def _within(operation: Operation) -> Iterator[None]:
    token = _CURRENT.set(operation)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def done(answer: Any = None) -> Seen:
    return Seen(Outcome.DONE, answer)


NOT_DONE, UNCLEAR = Seen(Outcome.NOT_DONE), Seen(Outcome.UNCLEAR)


def only_unclear() -> Look:
    """For what leaves nothing that can be read."""
    return Look(lambda _workflows, _arguments, _before: UNCLEAR)

"""Code steps. The practice engine runs no JavaScript: it has a small set of behaviours.

A behaviour is named by a comment in the source, ``// practice: <behaviour> [argument]``; without one, a few well-known
constructs are recognised. All other code returns its inputs.

==========================  =========================================================================
``echo``                    returns the inputs
``return {json}``           returns this
``order-total``             ``items`` of ``{qty, price}`` -> ``{total, count, currency}``; fails if not a list
``line-total``              ``item`` of ``{qty, price}`` -> ``{line}``
``greeting``                ``name`` -> ``{text, name}``, in Vietnamese
``sleep <seconds>``         waits, then returns ``{slept}`` or, after a second marker, that
``fail <message>``          throws
``memory``                  takes all memory; ends the run as MEMORY_LIMIT_EXCEEDED, or fails its step (0.83.0)
``exit``                    ends its process; ends the run as INTERNAL_ERROR, or fails its step (0.83.0)
``crash <status>``          kills the worker: the run ends in this state in every version
``hang``                    never ends: TIMEOUT
``big <kilobytes>``         a large output; over ``Settings.log_limit_mb`` LOG_SIZE_EXCEEDED (0.83.0)
==========================  =========================================================================
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .http import Json, Response

MARKER = re.compile(r"//\s*practice:\s*([\w-]+)[ \t]*(.*)")
THROW = re.compile(r"throw new Error\(\s*([\"'`])(.*?)\1\s*\)", re.DOTALL)
TIMER = re.compile(r"setTimeout\(\s*\w+\s*,\s*(\d+)\s*\)")
LITERAL = re.compile(r"(?:=>\s*\(|return\s*)(\{[^{}]*\})")
MEMORY, EXIT = "MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR"


@dataclass
class Call:
    """A call of the flow with the external id ``flow``. ``waits``: the calling run pauses until it is answered; ``answered`` is what it is
    resumed with, if that is known at once, as of sample data."""

    flow: str
    payload: Any
    waits: bool
    answered: Json | None = None


@dataclass
class Answer:
    """The ``data`` with which a run answers the one that called its flow."""

    data: Any


@dataclass
class Outcome:
    """The end of a step: after ``seconds``, by an ``error``, a ``crash`` (a run status), or with ``output``.

    Of code: ``nothing``: the function returned nothing, so the step has no output. ``killed``: how the code's own process ended,
    for versions where only that process ends. Of pieces: ``response``: what the flow responds to the waiting client, which may also
    ``stop`` the run. If the step ``waits``: for ``pause`` engine seconds or, if None, until a request resumes it.
    ``to_others``: what another run gets to know of it. ``as_it_is``: the error has no stack.
    """

    output: Any = None
    seconds: float = 0.0
    error: str = ""
    crash: str = ""
    nothing: bool = False
    killed: str = ""
    response: Response | None = None
    stop: bool = False
    waits: bool = False
    pause: float | None = None
    to_others: Call | Answer | None = None
    as_it_is: bool = False


def run(source: str, inputs: Any, *, own_process: bool = False) -> Outcome:
    """Run the code in ``source`` with ``inputs``.

    ``own_process``: code runs in a process of its own, as in 0.83.0. The end of that fails the step only, and errors have a
    second "Error:" before them (recordings ``run_odd_FAILED_*``).
    """
    markers = MARKER.findall(source)
    outcome = _marked(markers, inputs) if markers else _recognised(source, inputs)
    if own_process and outcome.killed:
        return Outcome(error=f"Error: Code process exited with {outcome.killed}", seconds=outcome.seconds)
    if own_process and outcome.error:
        outcome.error = f"Error: {outcome.error}"
    return outcome


def _marked(markers: list[tuple[str, str]], inputs: Any) -> Outcome:
    seconds = 0.0
    outcome = Outcome(inputs)
    for name, argument in markers:
        behaviour = BEHAVIOURS.get(name)
        if behaviour is None:
            return Outcome(error=f"Error: the practice engine has no behaviour called {name}")
        outcome = behaviour(inputs if isinstance(inputs, dict) else {}, argument.strip())
        seconds += outcome.seconds
        if outcome.error or outcome.crash:
            break
    outcome.seconds = seconds
    return outcome


def _recognised(source: str, inputs: Any) -> Outcome:
    given = inputs if isinstance(inputs, dict) else {}
    if any(source.count(left) != source.count(right) for left, right in ("()", "{}", "[]")):
        return Outcome(error="Error: Compilation Error")
    if "process.exit" in source:
        return _exit()
    if "for(;;)" in source.replace(" ", ""):
        return _memory()
    if found := THROW.search(source):
        return Outcome(error=f"Error: {found[2]}")
    if ".reduce(" in source and "qty" in source:
        return _order_total(given, "")
    if "qty" in source and "price" in source:
        return _line_total(given, "")
    timer = TIMER.search(source)
    literal = LITERAL.search(source)
    outcome = Outcome(inputs)
    if literal and (output := _literal(literal[1])) is not None:
        outcome = Outcome(output)
    elif timer:
        outcome = Outcome(nothing=True)
    outcome.seconds = int(timer[1]) / 1000 if timer else 0.0
    return outcome


def _literal(text: str) -> Any:
    """The value of a simple JavaScript object, else None."""
    quoted = re.sub(r"([{,]\s*)(\w+)\s*:", r'\1"\2":', text)
    try:
        return json.loads(quoted)
    except ValueError:
        return None


def _nullish(inputs: dict[str, Any], name: str, otherwise: Any) -> Any:
    """JavaScript's ``inputs.name ?? otherwise``: an empty text is a value (recording ``run_get_archived``)."""
    value = inputs.get(name)
    return otherwise if value is None else value


def _number(value: float) -> float | int:
    value = round(value, 2)
    return int(value) if value == int(value) else value


def _amount(line: Any) -> float:
    return float(line["qty"]) * float(line["price"])


def _return(inputs: dict[str, Any], argument: str) -> Outcome:
    try:
        return Outcome(json.loads(argument))
    except ValueError:
        return Outcome(error=f"Error: the practice engine cannot read what to return: {argument}")


def _order_total(inputs: dict[str, Any], argument: str) -> Outcome:
    items, currency = _nullish(inputs, "items", []), _nullish(inputs, "currency", "EUR")
    if not isinstance(items, list):
        return Outcome(error="TypeError: items.reduce is not a function")
    try:
        total = _number(sum(_amount(line) for line in items))
    except (KeyError, TypeError, ValueError):
        total = None
    return Outcome({"total": total, "count": len(items), "currency": currency})


def _line_total(inputs: dict[str, Any], argument: str) -> Outcome:
    try:
        return Outcome({"line": _number(_amount(inputs["item"]))})
    except (KeyError, TypeError, ValueError):
        return Outcome(error="TypeError: cannot read qty and price of this item")


def _greeting(inputs: dict[str, Any], argument: str) -> Outcome:
    name = inputs.get("name") or "quý khách"
    return Outcome({"text": f"Xin chào {name}, Sao Mai có thể giúp gì cho bạn?", "name": name})


def _sleep(inputs: dict[str, Any], argument: str) -> Outcome:
    seconds = float(argument or 1)
    return Outcome({"slept": _number(seconds)}, seconds)


def _memory() -> Outcome:
    return Outcome(crash=MEMORY, killed="code null and signal SIGABRT")


def _exit() -> Outcome:
    return Outcome(crash=EXIT, killed="code 1 and signal null")


BEHAVIOURS: dict[str, Callable[[dict[str, Any], str], Outcome]] = {
    "echo": lambda inputs, argument: Outcome(inputs),
    "return": _return,
    "order-total": _order_total,
    "line-total": _line_total,
    "greeting": _greeting,
    "sleep": _sleep,
    "fail": lambda inputs, argument: Outcome(error=f"Error: {argument or 'this step fails'}"),
    "memory": lambda inputs, argument: _memory(),
    "exit": lambda inputs, argument: _exit(),
    "crash": lambda inputs, argument: Outcome(crash=argument or EXIT),
    "hang": lambda inputs, argument: Outcome(nothing=True, seconds=float("inf")),
    "big": lambda inputs, argument: Outcome({"text": "x" * (int(argument or 100) * 1000)}),
}

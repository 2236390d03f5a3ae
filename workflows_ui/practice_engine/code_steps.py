"""What a code step does. The practice engine runs no JavaScript: it knows a small set of behaviours.

A behaviour is named by a comment in the source, ``// practice: <behaviour> [argument]``; without one, a few well-known ways
of writing are recognised. Anything else gives back its inputs.

==========================  =========================================================================
``echo``                    gives the inputs back
``return {json}``           gives this back
``order-total``             ``items`` of ``{qty, price}`` -> ``{total, count, currency}``; fails if they are no list
``line-total``              ``item`` of ``{qty, price}`` -> ``{line}``
``greeting``                ``name`` -> ``{text}``, with the time of day in Vietnamese
``sleep <seconds>``         waits, then gives ``{slept}`` or, after a second marker, that
``fail <message>``          throws
``memory``                  takes all memory: MEMORY_LIMIT_EXCEEDED
``exit``                    ends the worker: INTERNAL_ERROR
``hang``                    never ends: TIMEOUT
``big <kilobytes>``         a large output
==========================  =========================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MARKER = re.compile(r"//\s*practice:\s*([\w-]+)[ \t]*(.*)")
THROW = re.compile(r"throw new Error\(\s*([\"'`])(.*?)\1\s*\)", re.DOTALL)
TIMER = re.compile(r"setTimeout\(\s*\w+\s*,\s*(\d+)\s*\)")
LITERAL = re.compile(r"(?:=>\s*\(|return\s*)(\{[^{}]*\})")
MEMORY, EXIT = "MEMORY_LIMIT_EXCEEDED", "INTERNAL_ERROR"


@dataclass
class Outcome:
    """How a code step ends: after ``seconds``, by an ``error``, a ``crash`` (a run status), or with ``output``.

    ``nothing`` means that the function returned nothing, so the step has no output at all.
    """

    output: Any = None
    seconds: float = 0.0
    error: str = ""
    crash: str = ""
    nothing: bool = False


def run(source: str, inputs: Any) -> Outcome:
    """What the code in ``source`` does with ``inputs``."""
    markers = MARKER.findall(source)
    if markers:
        return _marked(markers, inputs)
    return _recognised(source, inputs)


def _marked(markers: list[tuple[str, str]], inputs: Any) -> Outcome:
    seconds = 0.0
    outcome = Outcome(inputs)
    for name, argument in markers:
        behaviour = BEHAVIOURS.get(name)
        if behaviour is None:
            return Outcome(error=f"Error: the practice engine knows no behaviour called {name}")
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
        return Outcome(crash=EXIT)
    if "for(;;)" in source.replace(" ", ""):
        return Outcome(crash=MEMORY)
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
    """A simple JavaScript object as a value; None if it is not simple."""
    quoted = re.sub(r"([{,]\s*)(\w+)\s*:", r'\1"\2":', text)
    try:
        return json.loads(quoted)
    except ValueError:
        return None


def _number(value: float) -> float | int:
    value = round(value, 2)
    return int(value) if value == int(value) else value


def _amount(line: Any) -> float:
    return float(line["qty"]) * float(line["price"])


def _echo(inputs: dict[str, Any], argument: str) -> Outcome:
    return Outcome(inputs)


def _return(inputs: dict[str, Any], argument: str) -> Outcome:
    try:
        return Outcome(json.loads(argument))
    except ValueError:
        return Outcome(error=f"Error: the practice engine cannot read what to return: {argument}")


def _order_total(inputs: dict[str, Any], argument: str) -> Outcome:
    items = inputs.get("items", [])
    if not isinstance(items, list):
        return Outcome(error="TypeError: items.reduce is not a function")
    try:
        total = _number(sum(_amount(line) for line in items))
    except (KeyError, TypeError, ValueError):
        return Outcome({"total": None, "count": len(items), "currency": inputs.get("currency") or "EUR"})
    return Outcome({"total": total, "count": len(items), "currency": inputs.get("currency", "") or "EUR"})


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


def _fail(inputs: dict[str, Any], argument: str) -> Outcome:
    return Outcome(error=f"Error: {argument or 'this step fails'}")


def _memory(inputs: dict[str, Any], argument: str) -> Outcome:
    return Outcome(crash=MEMORY)


def _exit(inputs: dict[str, Any], argument: str) -> Outcome:
    return Outcome(crash=EXIT)


def _hang(inputs: dict[str, Any], argument: str) -> Outcome:
    return Outcome(nothing=True, seconds=float("inf"))


def _big(inputs: dict[str, Any], argument: str) -> Outcome:
    return Outcome({"text": "x" * (int(argument or 100) * 1000)})


BEHAVIOURS: dict[str, Callable[[dict[str, Any], str], Outcome]] = {
    "echo": _echo,
    "return": _return,
    "order-total": _order_total,
    "line-total": _line_total,
    "greeting": _greeting,
    "sleep": _sleep,
    "fail": _fail,
    "memory": _memory,
    "exit": _exit,
    "hang": _hang,
    "big": _big,
}

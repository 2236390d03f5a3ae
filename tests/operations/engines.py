"""What each version of the engine is known to do for each operation of the client, and how well: the table in docs/engines.md.

Each method of the client is called against a server that answers as the recordings of one version do (tests/practice_engine/facts); what it
asked for is looked up among them. So a cell names recordings only where the call that the client sends today was recorded. `python -m
tests.operations.engines` writes the page.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.engine.servers import LOOPBACK, Recorder, Reply, Seen
from workflows_ui.engine import ApiKey, BearerToken, Client, EngineError, Timeouts, Workflows
from workflows_ui.engine.generations import generations

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "engines.md"
FACTS = ROOT / "tests" / "practice_engine" / "facts"
VERSIONS = ("0.72.4", "0.83.0")
_ID = "1" * 21
_PIECE = "@activepieces/piece-http"
_SHOWN = 3
#: A token whose claims name a user: the payload is `{"id": "111..."}`.
_TOKEN = "e30.eyJpZCI6IjExMTExMTExMTExMTExMTExMTExMSJ9.x"
_JSON = (("content-type", "application/json"),)
_NO_ROUTE = Reply(404, {"statusCode": 404, "error": "Not Found", "message": "Route not found"}, _JSON)

#: What a method is given, by the name of the parameter. Anything that ends in `_id` is an id.
_GIVEN: Mapping[str, Any] = {
    "run_ids": [_ID], "record_ids": [_ID], "records": [{_ID: "1"}], "cells": {_ID: "1"}, "strategy": "FROM_FAILED_STEP", "limit": 10,
    "body": {"name": "x", "type": "CHANGE_NAME", "request": {"displayName": "x"}}, "type": "PLATFORM", "email": "a@b.c",
    "password": "x", "code": "1", "payload": {}, "mock_data": {}, "wait": False, "piece_name": _PIECE, "enabled_tools": [], "tools": [],
}  # fmt: skip
#: Optional parameters that decide about the call.
_WANTED = {"table_id", "password"}
#: Methods that ask for the project of a client that was not given one.
_WITHOUT_PROJECT = ("resolve_project_id",)
#: Methods whose parameters mean something else.
_SPECIAL: Mapping[str, Mapping[str, Any]] = {"get_piece": {"name": _PIECE}, "create_field": {"type": "TEXT"}}
#: A section of the contract, in a docstring.
_SECTION = re.compile(r"((?:api|engine-0\.83)\.md) (?:sections? )?((?:\d[\d.]*\d|\d)(?: to \d+)?)")
#: What a docstring says of a fact that nothing proves, and the cell of a method that rests on nothing else.
_DOUBT = re.compile("[Nn]ot (?:confirmed|recorded)|no recording")
_UNCONFIRMED = "not confirmed"


def template(path: str) -> str:
    """A path without what differs from call to call."""
    path = re.sub(r"<id:\d+>|(?<![\w-])[0-9A-Za-z]{21}(?![\w-])", "{id}", path.partition("?")[0])
    return re.sub(r"/v1/pieces/(?:@[^/]+(?:/|%2F)[^/]+)$", "/v1/pieces/{name}", path)


@dataclass
class Engine:
    """One column. `facts` by method and path template; none for an engine that nobody has recorded."""

    name: str
    facts: Mapping[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def recorded(self) -> bool:
        """Whether there are recordings of it."""
        return bool(self.facts)


def engines() -> list[Engine]:
    """The columns: both recorded versions of Activepieces, and Imbrace."""
    found = []
    for version in VERSIONS:
        facts: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for fact in json.loads((FACTS / f"{version}.json").read_text(encoding="utf-8")):
            facts.setdefault((fact["method"], template(fact["path"])), []).append(fact)
        found.append(Engine(version, facts))
    return [*found, Engine("Imbrace")]


def methods() -> list[tuple[str, str]]:
    """Class and name of every public method of the client's operations, in the order of the classes."""
    bases = [base for base in Workflows.__mro__[1:] if base is not object]
    return [(base.__name__, name) for base in bases for name in vars(base) if not name.startswith("_")]


def _arguments(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for parameter in list(inspect.signature(getattr(Workflows, name)).parameters.values())[1:]:
        if parameter.default is not inspect.Parameter.empty and parameter.name not in _WANTED:
            continue
        key = parameter.name
        found[key] = _SPECIAL.get(name, {}).get(key, _ID if key.endswith("_id") else _GIVEN.get(key, "x"))
    return found


def _value(shape: Any) -> Any:
    """A value of a shape (tests/practice_engine/distil.py)."""
    if isinstance(shape, dict):
        if "[]" in shape:
            return [] if shape["[]"] is None else [_value(shape["[]"])]
        return {key.rstrip("?"): _value(inner) for key, inner in shape.items()}
    word = str(shape).split("|")[0]
    if word.startswith("="):
        return json.loads(word[1:])
    if word.startswith("<id:") or word == "id":
        return _ID
    known: dict[str, Any] = {
        "null": None,
        "number": 1,
        "boolean": True,
        "array": [],
        "object": {},
        "empty": "",
        "time": "2026-01-01T00:00:00.000Z",
    }
    return known.get(word, "x")


@dataclass
class Call:
    """A request that a method sent, and the recordings of it: those that the engine granted, or that say it has no such route.

    `untried` are the parameters that the client sends and none of those recordings has.
    """

    method: str
    path: str
    granted: list[str]
    missing: list[str]
    untried: list[str]


class _Stand:
    """Answers as the recordings of an engine do; what was not recorded is there, or is not, as `lenient` says."""

    def __init__(self, engine: Engine, *, lenient: bool) -> None:
        self._engine, self._lenient = engine, lenient
        self.calls: list[Call] = []

    def answer(self, seen: Seen) -> Reply:
        path = template(re.sub(r"^/(?:api|activepieces)(?=/v1/)", "", seen.path))
        facts = self._engine.facts.get((seen.method, path), [])
        granted = [fact for fact in facts if fact["status"] < 400]
        missing = [fact["name"] for fact in facts if _no_route(fact)]
        untried = _parameters(parse_qs(seen.query), _decoded(seen.body))
        for fact in granted:
            untried -= _parameters(fact.get("query"), fact.get("body"))
        names = sorted(fact["name"] for fact in granted)
        self.calls.append(Call(seen.method, path, names, sorted(missing), sorted(untried)))
        if granted:
            return Reply(granted[0]["status"], _value(granted[0].get("shape")), _JSON)
        if facts and (missing or not self._lenient):
            return _NO_ROUTE if missing else Reply(facts[0]["status"], _value(facts[0].get("shape")), _JSON)
        return Reply(200, _anything(path), _JSON) if self._lenient else _NO_ROUTE


def _parameters(query: Any, body: Any) -> set[str]:
    """The names of what a call gives, in its query and at the top of its body."""
    given = [*(query or ()), *(body if isinstance(body, dict) else ())]
    return {re.sub(r"\[.*", "", str(name)) for name in given} - set(_GIVEN["body"])


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _no_route(fact: Mapping[str, Any]) -> bool:
    """Whether a recording is the engine's word for a route that it does not have: a 404 without a code of its own."""
    shape = fact.get("shape")
    return fact["status"] == 404 and isinstance(shape, dict) and shape.get("statusCode") == "=404"


def _anything(path: str) -> Any:
    """An answer that most methods take, for a call that nobody recorded."""
    return (
        {"data": [{"id": _ID, "projectId": _ID}], "id": _ID, "token": "x", "next": None, "previous": None}
        if path
        else {}
    )


def _run(engine: Engine, name: str, *, lenient: bool) -> tuple[list[Call], EngineError | None]:
    """The calls that a method sends to an engine, and how it ended."""
    stand = _Stand(engine, lenient=lenient)
    with Recorder(answer=stand.answer) as server:
        project = None if name in _WITHOUT_PROJECT else _ID
        options: dict[str, Any] = {"safety": LOOPBACK, "timeouts": Timeouts(), "project_id": project}
        if engine.recorded:
            client = Client(engine_url=f"{server.url}/api", auth=BearerToken(_TOKEN), **options)
        else:
            client = Client(gateway=server.url, auth=ApiKey("api_x"), **options)
        generations.forget(client._bases.engine)
        method: Callable[..., Any] = getattr(client.workflows, name)
        try:
            method(**_arguments(name))
        except EngineError as error:
            return stand.calls, error
        except ValueError as error:
            raise AssertionError(f"{name} cannot be called with {_arguments(name)}") from error
        return stand.calls, None


def cell(engine: Engine, name: str) -> str:
    """What is known of an operation on an engine. Raises AssertionError for a method that sends nothing, or rests on nothing."""
    calls, error = _run(engine, name, lenient=not engine.recorded)
    if not calls:
        assert error is not None, f"{name} sends nothing"
        return "not on this engine"
    if not engine.recorded:
        return _by_contract(calls, name)
    # Where a route moved the client asks for one after the other: the last call is the one that this engine answered.
    last = calls[-1]
    if last.granted:
        without = f"; without {', '.join(f'`{name}`' for name in last.untried)}" if last.untried else ""
        return _named(last.granted) + without
    if last.missing and error is not None:
        return f"not on this engine ({_named(last.missing)})"
    return _by_contract(_run(engine, name, lenient=True)[0], name)


def _named(recordings: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in recordings[:_SHOWN])
    return shown + (f" and {len(recordings) - _SHOWN} more" if len(recordings) > _SHOWN else "")


def _by_contract(calls: list[Call], name: str) -> str:
    openapi = json.loads((ROOT / "tests" / "operations" / "openapi.json").read_text(encoding="utf-8"))
    last = calls[-1]
    wanted = (last.method, re.sub(r"\{\w+\}", "{}", last.path))
    found = next(
        (one["operation"] for one in openapi if (one["method"], re.sub(r"\{\w+\}", "{}", one["path"])) == wanted), ""
    )
    method = getattr(Workflows, name)
    doc = inspect.getdoc(method) or ""
    if found:
        where = f"by contract (OpenAPI `{found}`)"
    else:
        where = source(doc, getattr(inspect.getmodule(method), "__doc__", None) or "")
        assert where, (
            f"{name}: its docstring must name what it rests on: a section of the contract, or the engine's source"
        )
    doubt = ", not confirmed" if _DOUBT.search(doc) and where != _UNCONFIRMED else ""
    return where + doubt


def source(doc: str, module_doc: str) -> str:
    """What a method rests on according to its docstring, else to that of its module; "" if neither says so."""
    section = _SECTION.search(doc)
    if section is None and "engine's source" in doc:
        return "by the engine's source"
    if section is None and _DOUBT.search(doc):
        return _UNCONFIRMED
    section = section or _SECTION.search(module_doc)
    return f"by contract ({section[1]} {section[2]})" if section else ""


def page() -> str:
    """The whole page."""
    columns = engines()
    lines = [
        "# Operations and engines",
        "",
        "Written by a test from the client and the recordings (`python -m tests.operations.engines`); do not edit it by hand.",
        "",
        "Each method of the client is called against a server that answers as the recordings of a version do. A cell names recordings of",
        "the call that the method sends to this version, or says that the call rests on the contract alone: on the vendor's OpenAPI file",
        "where it has the call, else on the section of `api.md` or `engine-0.83.md` that the method's docstring names, or on the engine's",
        "source if the docstring says so, else on the section that the docstring of the module names. A method whose docstring says only",
        "that a fact is not confirmed rests on nothing. Parameters that the client sends and no recording of the call has stand behind",
        '"without". Nothing was recorded at an Imbrace engine.',
        "",
        "`api.md` (the contract of the vendor's gateway and of the engine 0.72.4 behind it) and `engine-0.83.md` (what differs in 0.83.0)",
        "describe the engine. They come with the engine, not with this repository. `api.md 6.4`, here and in the code, is section 6.4 of",
        "the former. Without these files, look at the recordings of the call in `tests/practice_engine/facts/`.",
        "",
    ]
    group, counted = "", dict.fromkeys((engine.name for engine in columns), 0)
    listed = methods()
    for kind, name in listed:
        if kind != group:
            group = kind
            lines += ["", f"## {re.sub(r'(?<=[a-z])(?=[A-Z])', ' ', kind).capitalize()}", ""]
            lines += [
                f"| operation | {' | '.join(engine.name for engine in columns)} |",
                "|---|" + "---|" * len(columns),
            ]
        cells = [cell(engine, name) for engine in columns]
        for engine, text in zip(columns, cells, strict=True):
            counted[engine.name] += text.startswith("`")
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    figures = "; ".join(f"{name}: {number}" for name, number in counted.items())
    return "\n".join([*lines, "", f"Backed by recordings, of {len(listed)} operations: {figures}.", ""])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    text = page()
    changed = PAGE.read_text(encoding="utf-8") != text
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"docs/engines.md {'was changed' if changed else 'is up to date'}.\n")

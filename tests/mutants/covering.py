"""A plugin of pytest that writes down which test runs which lines of some modules, and in how many seconds.

    MUTANTS_MODULES="workflows_ui/web/access.py ..." MUTANTS_FILE=covered.json pytest -p tests.mutants.covering ...

The file is {test: [seconds, {module: [lines]}]}. Needs Python 3.12.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from workflows_ui.core.prepared import Prepared

_TOOL = 4
_MODULES = {str(Path(name).resolve()): name for name in os.environ["MUTANTS_MODULES"].split()}
_monitoring: Any = getattr(sys, "monitoring", None)
if _monitoring is None:
    sys.exit("Mutation testing needs Python 3.12 or later.")
_tests: dict[str, tuple[float, dict[str, list[int]]]] = {}
_lines: dict[str, set[int]] = defaultdict(set)
_call = Prepared.__call__


def _line(code: CodeType, line: int) -> Any:
    if name := _MODULES.get(code.co_filename):
        _lines[name].add(line)
    return _monitoring.DISABLE


def _call_anew(self: Prepared[Any], *values: Any) -> list[Any]:
    """Builds the query each time, so that each test is known that uses it."""
    self._compiled.clear()
    return _call(self, *values)


def pytest_collection_finish() -> None:
    """What runs before the first test is no test's."""
    Prepared.__call__ = _call_anew  # type: ignore[method-assign]
    _monitoring.use_tool_id(_TOOL, "mutants")
    _monitoring.register_callback(_TOOL, _monitoring.events.LINE, _line)
    _monitoring.set_events(_TOOL, _monitoring.events.LINE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _lines.clear()
    _monitoring.restart_events()
    begun = time.monotonic()
    result = yield
    _tests[item.nodeid] = (time.monotonic() - begun, {name: sorted(lines) for name, lines in _lines.items()})
    return result


def pytest_sessionfinish() -> None:
    Path(os.environ["MUTANTS_FILE"]).write_text(json.dumps(_tests), encoding="utf-8")

"""The documents are true, and so are rules for files that no tool of `make check` knows."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.celery import app

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {"django", "celery", "rest_framework"}


def test_every_dependency_is_explained_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    used = {re.split(r"[\[<>=]", line)[0] for line in project["dependencies"]}
    table, _, _ = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").partition("\n## ")
    names = {
        name.strip().removesuffix(" 5.2").removesuffix(" 3").lower()
        for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
        for name in row.split(",")
    }
    assert used <= names | {"urllib3"}
    assert names - {"package", "---", "kombu", "redis", "|---|---"} <= used


def test_every_command_of_the_makefile_is_described() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)) - {"help", "install", "install-dev"}
    assert {name for name in commands if f"make {name}" not in page} == set()


def test_every_log_event_is_described() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `([a-z_.]+)` \| (?:info|warning|error) \|", page, re.MULTILINE))
    assert described == {event for folder in ("console", "workflows_ui") for event in _events(ROOT / folder)}


def _events(folder: Path) -> Iterator[str]:
    """The names of structured log events: one word or several with dots, unlike the sentences of logging."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and re.match(r"_?log\.\w+$", ast.unparse(node.func)) and node.args:
                event = node.args[0]
                if isinstance(event, ast.Constant) and re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", str(event.value)):
                    yield str(event.value)


def test_every_management_command_is_described() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    commands = {file.stem for file in ROOT.glob("workflows_ui/management/commands/[a-z]*.py")}
    assert {name for name in commands if f"| `{name}` |" not in page} == set()


@pytest.mark.parametrize("layer", ["core", "models", "services"])
def test_services_and_models_know_no_page(layer: str) -> None:
    forbidden = ("django.template", "django.shortcuts", "django.http", "django.contrib.messages")
    files = [file for file in (ROOT / "workflows_ui").rglob("*.py") if layer in (*file.parts, file.stem)]
    assert files
    found = []
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [f"{file.name}: {name}" for name in names if name.startswith(forbidden)]
    assert found == []


def test_templates_never_switch_off_escaping() -> None:
    off = re.compile(r"\|\s*safe(seq)?\b|autoescape\s+off")
    found = [str(file) for file in (ROOT / "templates").rglob("*.html") if off.search(file.read_text(encoding="utf-8"))]
    assert found == []


def test_every_module_has_a_docstring() -> None:
    undocumented = []
    for folder in ("console", "practice_engine", "workflows_ui", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            if text.strip() and "migrations" not in file.parts and not text.lstrip().startswith('"""'):
                undocumented.append(str(file.relative_to(ROOT)))
    assert undocumented == []


def test_no_docstring_of_a_function_begins_in_the_third_person() -> None:
    verbs = (
        "Returns|Gets|Gives|Yields|Adds|Checks|Creates|Deletes|Ends|Fills|Finds|Makes|Opens|Puts|Reads|Removes|Replaces|Saves|Sends|"
        "Sets|Shows|Starts|Stops|Stores|Takes|Tells|Waits|Writes"
    )
    third = re.compile(rf'^ *(?:def |\)).*:\n +"""({verbs})\b', re.MULTILINE)
    files = (
        path for folder in ("console", "practice_engine", "workflows_ui") for path in (ROOT / folder).rglob("*.py")
    )
    found = {path.name: hits for path in files if (hits := third.findall(path.read_text(encoding="utf-8")))}
    assert found == {}


def test_docstrings_name_what_is_returned_and_do_not_begin_with_return() -> None:
    """What returns a value names it."""
    begins = re.compile(r'^ +r?"""Returns?\b.*', re.MULTILINE)
    folders = ("console", "practice_engine", "workflows_ui", "tests")
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    found = {path.name: hits for path in files if (hits := begins.findall(path.read_text(encoding="utf-8")))}
    assert found == {}


def test_scheduled_tasks_exist_and_expire() -> None:
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        # The interval may be shorter than the difference between the clocks of two machines.
        assert entry["options"]["expires"] <= max(entry["schedule"], 30)


def test_only_the_package_web_asks_whether_a_request_is_for_a_fragment() -> None:
    asked = re.compile(r"\.htmx\b|HTTP_HX_REQUEST|HX-Request", re.IGNORECASE)
    files = [file for file in (ROOT / "workflows_ui").rglob("*.py") if "web" not in file.parts]
    assert files
    assert [str(file) for file in files if asked.search(file.read_text(encoding="utf-8"))] == []

"""What is written down holds: the README's tables, and rules for files that no tool of `make check` knows."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from console.celery import app

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_NOT_OURS = {"django", "celery", "rest_framework"}


def test_every_dependency_is_explained_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    used = {re.split(r"[\[<>=]", line)[0] for line in project["dependencies"]}
    table = README.partition("## What it stands on")[2]
    names = {
        name.strip().removesuffix(" 5.2").removesuffix(" 3").lower()
        for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
        for name in row.split(",")
    }
    assert used <= names | {"urllib3"}
    assert names - {"package", "---", "kombu", "redis", "|---|---"} <= used


def test_every_command_of_the_makefile_is_in_the_readme() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) - {"help", "install"}
    assert {name for name in commands if f"make {name}" not in README} == set()


@pytest.mark.parametrize("layer", ["services", "models"])
def test_services_and_models_know_no_page(layer: str) -> None:
    forbidden = ("django.template", "django.shortcuts", "django.http", "django.contrib.messages")
    found = []
    for file in (ROOT / "workflows_ui" / layer).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            found += [f"{file.name}: {name}" for name in names if name.startswith(forbidden)]
    assert found == []


def test_pages_never_switch_escaping_off() -> None:
    off = re.compile(r"\|\s*safe(seq)?\b|autoescape\s+off")
    found = [str(file) for file in (ROOT / "templates").rglob("*.html") if off.search(file.read_text(encoding="utf-8"))]
    assert found == []


def test_every_file_says_in_its_first_line_what_it_is_for() -> None:
    silent = []
    for folder in ("console", "workflows_ui", "tests"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            if text.strip() and "migrations" not in file.parts and not ast.get_docstring(ast.parse(text)):
                silent.append(str(file.relative_to(ROOT)))
    assert silent == []


def test_what_the_clock_rings_exists_and_is_void_when_unheard() -> None:
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        # Longer than the interval where that is shorter than two machines' clocks may differ.
        assert entry["options"]["expires"] <= max(entry["schedule"], 30)

"""docs/adding-a-resource.md, done as it says in a copy of the project: a new resource passes the suites without another file touched."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from workflows_ui.management.commands.startresource import with_permissions

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "adding-a-resource.md"
COPIED = (
    "console",
    "docs",
    "locale",
    "practice_engine",
    "static",
    "templates",
    "tests",
    "workflows_ui",
    "manage.py",
    "pyproject.toml",
    ".env.example",
)
BLOCK = re.compile(r"^```(diff|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def in_the_copy(test: Callable[[Path], None]) -> Callable[[Path], None]:
    """Marks a test: one process makes the copy, for all of them."""
    return pytest.mark.left_out(pytest.mark.xdist_group("copy of the project")(test))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which everything of the guide is done but the last step, which runs the suites."""
    folder = tmp_path_factory.mktemp("copy")
    copy_project(folder)
    for kind, text in blocks()[:-1]:
        if kind == "diff":
            change(folder, text)
        else:
            command(folder, text)
    return folder


def copy_project(folder: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.png"))
        else:
            shutil.copy(ROOT / name, folder / name)


def blocks() -> list[tuple[str, str]]:
    """The changes and the commands of the guide, in its order."""
    return [(found[1], found[2]) for found in BLOCK.finditer(GUIDE.read_text(encoding="utf-8"))]


def command(folder: Path, line: str) -> str:
    """Run a command of the guide with this Python and the settings of the tests."""
    words = shlex.split(line)
    if words[:2] == ["make", "manage"]:
        words = [".venv/bin/python", "manage.py", *shlex.split(words[2].removeprefix("DO="))]
    return run(folder, [sys.executable if word == ".venv/bin/python" else word for word in words])


def change(folder: Path, text: str) -> None:
    """Apply a change of the guide: each of its parts must fit at one place."""
    head, *parts = text.split("@@\n")
    file = folder / head.removeprefix("--- ").strip()
    whole = file.read_text(encoding="utf-8")
    for part in parts:
        lines = part.splitlines(keepends=True)
        old, new = ("".join(line[1:] or line for line in lines if line[0] != sign) for sign in "+-")
        assert whole.count(old) == 1, f"{file.name} does not hold this once:\n{old}"
        whole = whole.replace(old, new)
    file.write_text(whole, encoding="utf-8")


def run(folder: Path, words: list[str], *, ends: int = 0) -> str:
    """What a program wrote; fails if it ended with another code."""
    # A folder of this run's own: two such runs at once, in two processes, would share their database.
    names = (name for name in os.environ if name != "TEST_VAR_DIR" and not name.startswith("PYTEST_"))
    environment = {name: os.environ[name] for name in names}
    environment |= {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == ends, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def list_only(copy: Path) -> Path:
    """The copy, with another resource whose objects have no call of their own."""
    options = "--list list_project_members --list-only --vietnamese 'Trợ lý'"
    command(copy, f'make manage DO="startresource assistants {options}"')
    return copy


@in_the_copy
def test_the_command_writes_all_that_the_checks_ask_for_with_and_without_a_call_for_one_object(list_only: Path) -> None:
    run(list_only, [sys.executable, "manage.py", "check"])
    run(list_only, [sys.executable, "-m", "console.dev.translations", "check"])
    run(list_only, [sys.executable, "-m", "ruff", "check", "."])
    run(list_only, [sys.executable, "-m", "ruff", "format", "--check", "."])
    declared = list_only / "workflows_ui/resources/project_members/declaration.py"
    assert '"project-members"' in declared.read_text("utf-8")
    assert "Thành viên dự án" in (list_only / "locale/vi/LC_MESSAGES/django.po").read_text("utf-8")


@in_the_copy
def test_an_object_without_a_call_of_its_own_is_found_in_its_list(list_only: Path) -> None:
    run(list_only, [sys.executable, "-m", "mypy", "workflows_ui/resources/assistants"])
    suite = "tests/resources/test_every_resource.py"
    assert " passed" in command(list_only, f".venv/bin/python -m pytest -q {suite} -k assistants")


@in_the_copy
def test_the_suites_pick_the_new_resource_up_and_pass(copy: Path) -> None:
    assert " passed" in command(copy, blocks()[-1][1])


@pytest.mark.left_out
def test_the_check_asks_for_the_vietnamese_name_if_the_command_was_not_given_one(tmp_path: Path) -> None:
    copy_project(tmp_path)
    command(tmp_path, 'make manage DO="startresource shelves --label Shelf --list list_folders --list-only"')
    said = run(tmp_path, [sys.executable, "-m", "console.dev.translations", "check"], ends=1)
    assert re.findall("not translated: (.*)", said) == ["'Shelf'", "'Shelves'"]


def test_the_command_refuses_two_ways_to_one_object() -> None:
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("startresource", "assistants", "--list-only", "--get", "get_flow")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("flows", "There is a resource"),
        ("No Name", "lower case"),
        ("nothing-there", "The client has no list_nothing_there"),
        ("organizations", "The client's list_organizations cannot be called with limit and cursor: "),
    ],
)
def test_the_command_refuses_names_and_calls_that_do_not_fit(name: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("startresource", name)


def test_the_command_refuses_an_icon_that_the_pages_would_not_find_and_suggests_near_ones() -> None:
    with pytest.raises(CommandError, match=r"no icon 'foldr'.*folder"):
        call_command("startresource", "shelves", "--list", "list_folders", "--list-only", "--icon", "foldr")


def test_permission_rows_of_a_new_resource_stand_in_the_order_of_names() -> None:
    page = (ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
    changed = with_permissions(page, "labels").splitlines()
    added = [line for line in changed if " labels |" in line]
    assert [line.split(" | ")[0] for line in added] == [
        "| `/w/<slug:slug>/labels/`",
        "| `/w/<slug:slug>/labels/<path:id>/`",
    ]
    assert [line for line in changed if line not in added] == page.splitlines()
    listed = [line.split(" | ")[1] for line in changed if "| resource_list " in line]
    assert listed == sorted(listed)

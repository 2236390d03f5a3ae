"""The sprite of icons has every icon that a template or a declaration names, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from workflows_ui.core.states import StateChoices
from workflows_ui.web import icons

ROOT = Path(__file__).parents[2]
SOURCES = list((ROOT / "workflows_ui").rglob("*.py"))
#: Where calls have an icon that is not given by name.
POSITIONS = {
    "Badge": 1, "RunState": 1, "Shortcut": 1, "Button": 1, "Entry": 2, "News": 2, "Action": 2, "Attention": 3,
    "Line": 3,
}  # fmt: skip


def _text(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _text(node.body)
        yield from _text(node.orelse)


def _named(node: ast.AST) -> Iterator[str]:
    """The icons that a call or an assignment names."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        position = POSITIONS.get(name)
        if position is not None and len(node.args) > position:
            yield from _text(node.args[position])
        yield from (text for keyword in node.keywords if keyword.arg == "icon" for text in _text(keyword.value))
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
        for target, value in zip(node.targets[0].elts, node.value.elts, strict=False):
            if getattr(target, "id", "") == "icon":
                yield from _text(value)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if getattr(target, "id", "") == "icon":
            yield from _text(node.value)


def _states(kind: type[StateChoices]) -> Iterator[StateChoices]:
    for below in kind.__subclasses__():
        yield from below.__members__.values()
        yield from _states(below)


def _in_templates() -> set[str]:
    tag = re.compile(r"""\{% (?:icon|empty) "([^"]+)\"""")
    return {name for path in (ROOT / "templates").rglob("*.html") for name in tag.findall(path.read_text())}


def test_the_sprite_has_every_icon_that_a_template_or_a_declaration_names() -> None:
    declared = {name for path in SOURCES for node in ast.walk(ast.parse(path.read_text())) for name in _named(node)}
    assert len(declared) > 60
    assert (_in_templates() | declared | {state.icon for state in _states(StateChoices)}) - icons.NAMES == set()


def test_the_sprite_has_no_icon_that_nothing_names() -> None:
    sources = [path for path in SOURCES if path != Path(icons.__file__)]
    words = {word for path in sources for word in re.findall(r'"([a-z0-9-]+)"', path.read_text())}
    assert icons.NAMES - words - _in_templates() == set()


@pytest.mark.slow
def test_the_sprite_is_found_like_any_static_file_and_has_a_symbol_for_each_name() -> None:
    path = finders.find(icons.SPRITE)
    assert isinstance(path, str)
    sprite = Path(path).read_text()
    assert sorted(re.findall(r'<symbol id="([^"]+)"', sprite)) == sorted(icons.NAMES)


def test_an_icon_says_nothing_to_a_screen_reader_and_one_that_is_missing_is_an_error() -> None:
    assert icons.icon("rocket", "me-2") == (
        '<svg class="icon me-2" aria-hidden="true"><use href="/static/icons.svg#rocket"></use></svg>'
    )
    with pytest.raises(LookupError, match="no-such-icon"):
        icons.icon("no-such-icon")

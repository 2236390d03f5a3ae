"""The table of attacks in SECURITY.md, made from tests/attacks/attacks.py. `python -m tests.attacks.table` writes it."""

import ast
from pathlib import Path

from tests.attacks.attacks import ATTACKS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "SECURITY.md"
_BEGIN, _END = "<!-- attacks -->\n", "<!-- /attacks -->"


def page() -> str:
    """SECURITY.md as it should be: what a person wrote, with the table of today."""
    head, _, rest = PAGE.read_text("utf-8").partition(_BEGIN)
    _, _, foot = rest.partition(_END)
    lines = ["| attack | how it is tried | test |", "|---|---|---|"]
    for one in ATTACKS:
        named = [f"`{where}::{name}`" for where, name in map(_split, one.tests)]
        lines.append(f"| {one.name} | {one.tried} | {'<br>'.join(named)} |")
    return f"{head}{_BEGIN}{chr(10).join(lines)}\n{_END}{foot}"


def missing() -> list[str]:
    """Tests that the list names and that do not exist, or that lie in this folder and are not named."""
    named = {one for attack in ATTACKS for one in attack.tests}
    files = {where for where, _ in map(_split, named)}
    there = {f"{where}::{name}" for where in files for name in tests_in(ROOT / where)}
    here = {
        f"tests/attacks/{path.name}::{name}"
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        if path.name != "test_table.py"
        for name in tests_in(path)
    }
    return sorted(named - there) + sorted(here - named)


def tests_in(path: Path) -> set[str]:
    """The names of a file's tests."""
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def _split(test: str) -> tuple[str, str]:
    where, _, name = test.partition("::")
    return where, name


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

"""Keeps the map in ARCHITECTURE.md true: one line a file, taken from the first line of what the file says of itself.

`python -m console.map` writes it; a test fails when it is stale, or when a file says nothing of itself.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "ARCHITECTURE.md"
_MARKS = re.compile(r"(<!-- map -->\n).*(<!-- end of map -->)", re.DOTALL)
_SILENT = ("__init__.py", "migrations/")


def lines() -> list[str]:
    """The map's lines, by folder. Raises ValueError for a file without a docstring."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "console/*.py", "workflows_ui/*.py"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = []
    folder = ""
    for name in sorted(listed.stdout.split(), key=lambda name: (str(Path(name).parent), name)):
        if not (ROOT / name).is_file() or any(mark in name for mark in _SILENT[1:]):
            continue
        said = ast.get_docstring(ast.parse((ROOT / name).read_text(encoding="utf-8")))
        if not said:
            if name.endswith(_SILENT[0]):
                continue
            raise ValueError(f"{name} does not say what it is for")
        if str(Path(name).parent) != folder:
            folder = str(Path(name).parent)
            found += ["", f"**{folder}/**", ""]
        found.append(f"- `{Path(name).name}`: {said.splitlines()[0]}")
    return found[1:]


def drawn(document: str) -> str:
    """The document with today's map in it."""
    return _MARKS.sub(lambda marks: f"{marks[1]}\n" + "\n".join(lines()) + f"\n\n{marks[2]}", document)


if __name__ == "__main__":
    DOCUMENT.write_text(drawn(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write("ARCHITECTURE.md is up to date.\n")

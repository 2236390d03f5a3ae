"""The documents are true: their links lead somewhere, and the tests they name exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))
    dead = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if link.startswith(("https://", "http://")):
            continue
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    assert dead == []


def _anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_guarantee_names_a_test_that_exists() -> None:
    rows = re.findall(
        r"^\| (?!guarantee|---)(.+) \| (.*) \|$", (ROOT / "docs" / "guarantees.md").read_text("utf-8"), re.MULTILINE
    )
    named = {guarantee: re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests) for guarantee, tests in rows}
    assert rows
    assert [guarantee for guarantee, tests in named.items() if not tests] == []
    files = {file for tests in named.values() for file, _ in tests}
    existing = {(file, name) for file in files for name in _tests_in(ROOT / file)}
    assert sorted({test for tests in named.values() for test in tests} - existing) == []


def _tests_in(file: Path) -> list[str]:
    if not file.is_file():
        return []
    return [node.name for node in ast.parse(file.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]

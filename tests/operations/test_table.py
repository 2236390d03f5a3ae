"""docs/operations.md says where each operation of the engine, and each method of the vendor's SDK, is done."""

import ast
import inspect

import pytest

from tests.operations import places, table
from workflows_ui.resources import RESOURCES


@pytest.mark.parametrize("operation", [found["operation"] for found in table.operations()])
def test_every_operation_of_the_vendors_file_has_its_place(operation: str) -> None:
    assert operation in places.OPERATIONS


@pytest.mark.parametrize("method", table.methods())
def test_every_method_of_the_vendors_sdk_has_its_place(method: str) -> None:
    assert isinstance(table.of_method(method), tuple)


def test_the_document_has_the_table_as_it_is_today() -> None:
    document = table.DOCUMENT.read_text(encoding="utf-8")
    assert "<!-- operations -->" in document
    assert table.drawn(document) == document, "run `python -m tests.operations.table`"


def test_what_has_no_place_is_open_and_counted_as_such() -> None:
    *rows, _empty, summary = table.lines()
    open_ones = [row for row in rows if "**open**" in row]
    assert summary.startswith(f"Open, {len(open_ones)} in all: " if open_ones else "Open: nothing.")
    assert all(row.split("`")[1] in summary for row in open_ones)
    without = {name for name, given in places.MORE.items() if not given} - set(places.REASONS)
    assert without == set(places.OPEN)
    assert not any("yet" in reason for reason in places.REASONS.values())


def test_nothing_is_listed_that_neither_file_nor_sdk_has() -> None:
    assert set(places.OPERATIONS) == {found["operation"] for found in table.operations()}
    assert set(places.METHODS) <= set(table.methods())


def test_what_pages_give_to_copy_as_python_is_a_call_of_the_vendors_sdk() -> None:
    from imbrace.resources.workflows import WorkflowsResource

    given = [resource.recipe[1].format(id="x" * 21) for resource in RESOURCES if resource.recipe[1]]
    assert given
    for text in given:
        call = ast.parse(f"client.{text}", mode="eval").body
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Attribute)
        method = getattr(WorkflowsResource, call.func.attr)
        named = {str(one.arg): None for one in call.keywords}
        inspect.signature(method).bind(None, *call.args, **named)

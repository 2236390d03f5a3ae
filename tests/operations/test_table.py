"""The README says of every operation of the engine, and of every method of the vendor's SDK, where it is done."""

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


def test_the_readme_has_the_table_as_it_is_today() -> None:
    document = table.DOCUMENT.read_text(encoding="utf-8")
    assert "<!-- operations -->" in document
    assert table.drawn(document) == document, "run `python -m tests.operations.table`"


def test_nothing_is_listed_that_neither_file_nor_sdk_has() -> None:
    assert set(places.OPERATIONS) == {found["operation"] for found in table.operations()}
    assert set(places.METHODS) <= set(table.methods())


def test_what_pages_give_to_copy_as_python_is_a_call_of_the_vendors_sdk() -> None:
    from imbrace.resources.workflows import WorkflowsResource

    given = [call[2] for call in (resource.call("x" * 21) for resource in RESOURCES) if call and call[2]]
    assert given
    for text in given:
        call = ast.parse(f"client.{text}", mode="eval").body
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Attribute)
        method = getattr(WorkflowsResource, call.func.attr)
        named = {str(one.arg): None for one in call.keywords}
        inspect.signature(method).bind(None, *call.args, **named)

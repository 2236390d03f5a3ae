"""Expressions in the texts of a flow."""

import re

from hypothesis import given, strategies as st

from workflows_ui.engine import braces

_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@given(st.text(alphabet="{}a\n"))
def test_the_same_expressions_are_found_as_by_a_regular_expression(text: str) -> None:
    assert list(braces.spans(text)) == [match.span() for match in _EXPRESSION.finditer(text)]
    assert braces.replaced(text, str.upper) == _EXPRESSION.sub(lambda match: match[0].upper(), text)

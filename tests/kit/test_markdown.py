"""What people write for others is shown as they meant it, and can do nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows_ui.kit import markdown

pytestmark = pytest.mark.once


def test_a_note_has_paragraphs_lists_links_and_tables() -> None:
    found = markdown.html(
        "# Before you start\n\n**Read** this:\n\n- one\n- two\n\n[Rules](https://example.com/a)\n\n|a|b|\n|-|-|\n|1|2|"
    )
    assert "<h3>Before you start</h3>" in found
    assert "<strong>Read</strong>" in found
    assert "<li>one</li>" in found
    assert 'href="https://example.com/a"' in found
    assert "noopener" in found
    assert "<td>1</td>" in found


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](https://example.com/pixel.png)",
        '<img src=x onerror="alert(1)">',
        "<style>body{display:none}</style>",
        "<javascript:alert(1)>",
    ],
)
def test_what_could_do_something_is_text_or_left_out(text: str) -> None:
    found = markdown.html(text)
    for bad in ("<script", "<img", "<style", 'href="javascript', 'href="data', "onclick=", "<iframe"):
        assert bad not in found


def test_nothing_is_nothing() -> None:
    assert markdown.html("  \n") == ""


@given(st.text(max_size=400))
def test_any_text_is_harmless(text: str) -> None:
    found = markdown.html(text)
    assert "<script" not in found
    assert 'href="javascript' not in found.lower()

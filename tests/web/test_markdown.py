"""What people write for others is shown as they meant it, and can do nothing."""

import re

import pytest
from hypothesis import given, strategies as st

from workflows_ui.web import markdown


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


@pytest.mark.parametrize(
    "text",
    [
        "[x](//evil.example/a)",
        "[x](///evil.example/a)",
        r"[x](\\\\evil.example/a)",
        r"[x](/\\evil.example/a)",
        r"[x](<\\/evil.example/a>)",
        "[x](/&#9;/evil.example/a)",
        "[x](&#9;//evil.example/a)",
        "[x](<&#32;//evil.example/a>)",
        "[x](/&#10;/evil.example/a)",
        "[x](%20//evil.example/a)",
        "[x](/%5Cevil.example/a)",
        "[x][1]\n\n[1]: //evil.example/a",
    ],
)
def test_an_address_of_another_host_without_a_scheme_is_shown_as_one_that_leaves(text: str) -> None:
    assert re.findall(r'href="([^"]*)"', markdown.html(text)) == ["https://evil.example/a"]


def test_links_within_the_console_stay_as_they_are() -> None:
    text = "[x](/w/sales/flows/) [y](#part) [z](runs/?a=%20b)"
    assert re.findall(r'href="([^"]*)"', markdown.html(text)) == ["/w/sales/flows/", "#part", "runs/?a=%20b"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("**Live URL:**\n```text\n{{webhookUrl}}\n```\nstarts the flow.", "Live URL: {{webhookUrl}} starts the flow."),
        (
            "### Set up\n1. Go to [the page](https://x.example/a)<br>2. *Copy* `key_id`",
            "Set up 1. Go to the page (https://x.example/a) 2. Copy key_id",
        ),
        ("- One\n- __Two__", "- One - Two"),
        ("> A **bold** word and ~~not~~ this", "A bold word and not this"),
        ("a_name_with_lines, 2 * 3 * 4, <b>no tag</b>", "a_name_with_lines, 2 * 3 * 4, <b>no tag</b>"),
        ("America/New_York", "America/New_York"),
        (" \n ", ""),
    ],
)
def test_plain_text_has_no_markup(text: str, plain: str) -> None:
    assert markdown.plain(text) == plain


def test_nothing_is_nothing() -> None:
    assert markdown.html("  \n") == ""


@given(st.text(max_size=400))
def test_any_text_is_harmless(text: str) -> None:
    found = markdown.html(text)
    assert "<script" not in found
    assert 'href="javascript' not in found.lower()
    assert not re.search(r'href="\s*[/\\]\s*[/\\]', found)


@given(
    st.one_of(
        st.text(max_size=400),
        st.lists(
            st.sampled_from(
                [
                    "[x](",
                    "![x](",
                    "https://evil.example/a",
                    "//evil.example",
                    "/w/",
                    "javascript:",
                    "data:text/html,",
                    "mailto:a@b.example",
                    ")",
                    "**",
                    "<",
                    "\n",
                    " ",
                    "`",
                    "|",
                    "> ",
                    "- ",
                    "\\",
                    "%5c",
                    "•",
                ]
            ),
            max_size=30,
        ).map("".join),
    )
)
def test_of_any_text_of_a_flow_links_only_lead_out_and_nothing_is_loaded(text: str) -> None:
    found = markdown.html_from_flow(text)
    assert not re.search(r"<(?:script|img|style|iframe|form|input|svg|object|link|meta)\b", found)
    for tag in re.findall(r"<a [^>]*>", found):
        assert re.match(r'<a href="(?:https?://[^/"]|mailto:|tel:)', tag), tag
        assert 'rel="noopener noreferrer nofollow"' in tag
        assert 'target="_blank"' in tag


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[my bank](https://evil.example/a)", "my bank (evil.example)"),
        ("[https://bank.example/](https://evil.example/)", "https://bank.example/ (evil.example)"),
        ("[evil.example bank](https://evil.example/)", "evil.example bank (evil.example)"),
        ("[bank.example@](https://bank.example@evil.example/)", "bank.example@ (evil.example)"),
        ("![a picture](https://evil.example/p.png)", "a picture (evil.example)"),
        ("https://evil.example/a.", "https://evil.example/a."),
        ("<https://evil.example/a>", "https://evil.example/a"),
        ("[evil.example](https://evil.example/a)", "evil.example"),
        ("[write](mailto:a@evil.example?subject=x)", "write (a@evil.example)"),
        ("[inside](/accounts/logout/)", "inside"),
    ],
)
def test_a_link_of_a_flow_says_where_it_leads(text: str, shown: str) -> None:
    assert re.sub(r"<[^>]+>", "", markdown.html_from_flow(text)).strip() == shown

"""Patterns agree with Python's on what both know, and no pattern is slow."""

import re

import pytest
from hypothesis import given, strategies as st

from workflows_ui.form_schema import patterns


@pytest.mark.parametrize(
    "pattern",
    [r"[A-Z]{2}-\d{4}", "(a+)+b", "a|b|cd?", r"[^\s@]+@[^\s@]+\.[a-z]{2,}", "[]a-]+", "", r"[a\-z]", "(?:x|y){2,3}", "a{2,}",
     "[&&a]", "(a|)*b", "^a|b$", "a^b", r"\w+", r"\W*", r"[^\W\d]+", r"[\s.]*", r"\S+", r"[\S]+", r"\D*",
     "a*?b+?", r"\(\)", r"[\d.]+", ".", "(((a)))", "a{0}", "(a?){3}"],
)  # fmt: skip
@given(text=st.text(alphabet="abcxyzAB-@.&()1 \n]ỡ٣_\u3000", max_size=8))
def test_a_pattern_means_what_it_means_elsewhere(pattern: str, text: str) -> None:
    assert patterns.matches(pattern, text) is bool(re.fullmatch(pattern, text, re.DOTALL))


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)*b", "(a?){100}b", "(.*)(.*)(.*)(.*)(.*)b"])
def test_a_pattern_that_others_choke_on_is_just_not_matched(pattern: str) -> None:
    assert not patterns.matches(pattern, "a" * patterns.LONGEST_TEXT)


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "[a",
        "a**",
        "*a",
        "(?=a)",
        r"(a)\1",
        r"\p{L}",
        "[z-a]",
        "a{9999}",
        "(a{200}){200}",
        "a" * 201,
        r"\b",
        "(?i)a",
        "\\",
        "(" * 60,
    ],
)
def test_what_is_not_of_the_language_is_refused(pattern: str) -> None:
    with pytest.raises(patterns.BadPattern):
        patterns.compiled(pattern)


@pytest.mark.parametrize(
    ("search", "whole"),
    [
        ("^[A-Z]+$", "[A-Z]+"),
        ("^(?:a|b)$", "a|b"),
        ("abc", r"[\s\S]*(?:abc)[\s\S]*"),
        ("^a", r"[\s\S]*(?:^a)[\s\S]*"),
        ("^(?:a)(?:b)$", "(?:a)(?:b)"),
    ],
)
def test_a_pattern_that_is_searched_for_becomes_one_for_the_whole_text(search: str, whole: str) -> None:
    assert patterns.from_search(search) == whole


def test_anchors_that_belong_to_one_of_two_ways_stay_with_it() -> None:
    whole = patterns.from_search("^a|b$")
    assert [text for text in ("a", "ax", "xb", "xa", "bx") if patterns.matches(whole, text)] == ["a", "ax", "xb"]


def test_an_error_names_the_part_that_cannot_be_read() -> None:
    with pytest.raises(patterns.BadPattern) as raised:
        patterns.compiled(r"\w+[a-z")
    assert raised.value.part == "[a-z"


def test_classes_of_posix_are_not_of_the_language() -> None:
    assert patterns.matches("[[:alpha:]]", "[]")
    assert not patterns.matches("[[:alpha:]]", "b")

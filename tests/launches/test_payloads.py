"""Payloads: what people type, what is stored, what is shown again."""

import json
import sys

import pytest
from hypothesis import given, strategies as st

from workflows_ui.core import json_text
from workflows_ui.core.secret_names import MASK
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import files as launch_files, secrets as launch_secrets

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "problem", "line", "column"),
    [
        ('{"a": 1,}', "syntax", 1, 8 if sys.version_info >= (3, 13) else 9),
        ('{\n  "a": nonsense\n}', "syntax", 2, 8),
        ("[1, 2", "syntax", 1, 6),
        ('{"a": NaN}', "number", None, None),
        ('{"a": 1e999}', "number", None, None),
        ('{"a": ' + "9" * 5000 + "}", "number", None, None),
        ("[" * 201 + "]" * 201, "deep", None, None),
        ("[" * 100_000 + "]" * 100_000, "deep", None, None),
        ('"' + "x" * json_text.MAX_BYTES + '"', "large", None, None),
    ],
    ids=["comma", "word", "open", "nan", "infinite", "long-number", "deep", "very-deep", "large"],
)
def test_what_cannot_be_sent_is_refused_with_its_place(
    text: str, problem: str, line: int | None, column: int | None
) -> None:
    with pytest.raises(json_text.BadPayload) as caught:
        json_text.parse(text)
    assert (caught.value.problem, caught.value.line, caught.value.column) == (problem, line, column)


def test_empty_text_is_an_empty_object() -> None:
    assert json_text.parse("  \n") == {}


@pytest.mark.slow
@given(VALUES)
def test_what_is_stored_reads_back_unchanged(value: object) -> None:
    assert json_text.parse(json_text.dump(value)) == value


@pytest.mark.slow
@given(VALUES)
def test_what_is_shown_can_be_carried_by_a_page_and_means_the_same(value: object) -> None:
    shown = json_text.pretty(value)
    shown.encode("utf-8")
    assert json_text.parse(shown) == value


def test_half_of_a_surrogate_pair_stays_an_escape() -> None:
    assert json_text.pretty(json.loads('"\\ud800"')) == '"\\ud800"'


def test_the_digest_ignores_the_order_of_keys_but_not_values_or_flows() -> None:
    assert launch_files.digest("f", {"a": 1, "b": 2}) == launch_files.digest("f", {"b": 2, "a": 1})
    assert launch_files.digest("f", {"a": 1}) != launch_files.digest("f", {"a": 2})
    assert launch_files.digest("f", {}) != launch_files.digest("g", {})


def test_secrets_of_a_removed_payload_are_found_by_their_digests_wherever_they_stand() -> None:
    entered = {"a": "longest-secret-of-all", "b": "shorter", "n": "1234567", "c": "short"}
    launch = Launch(secret_marks=launch_secrets.marks(((name,), value) for name, value in entered.items()))
    hider = launch_secrets.payload_hider(launch)
    assert (hider.names, hider.short) == (frozenset(entered), frozenset("c"))
    said = {"of shorter": ["shortershorter", 1234567, 12, True, None, "plain", {"it": "is longest-secret-of-all!"}]}
    shown = {f"of {MASK}": [MASK * 2, MASK, 12, True, None, "plain", {"it": f"is {MASK}!"}]}
    assert hider.value(said) == shown

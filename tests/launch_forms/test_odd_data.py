"""Whatever a file, a page or an engine sends: a form comes of it, or words; never a crash."""

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tests.form_schema.test_document import ALL
from tests.launch_forms.test_proposing import JSON
from workflows_ui.form_schema import checking, rules, schema_in, schema_out
from workflows_ui.form_schema.document import BadForm
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.proposal import changes, proposing

SCHEMA = schema_out.to_schema(ALL)
WORDS = st.sampled_from([
    "type", "properties", "x-console", "const", "oneOf", "anyOf", "enum", "items", "required", "title", "format", "pattern",
    "minLength", "minimum", "default", "examples", "kind", "name", "show_if", "choices", "choices_from", "why", "blank", "moment",
])  # fmt: skip
VALUES = st.one_of(
    JSON,
    st.sampled_from(["string", "array", "object", "table", ["string", "null"], {"type": "string"}, [{"const": 1}]]),
)
ODD_SCHEMAS = st.recursive(VALUES, lambda inner: st.dictionaries(WORDS, inner, max_size=5), max_leaves=12)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        held = waiting.pop()
        keys: list[Any] = (
            list(held) if isinstance(held, dict) else list(range(len(held))) if isinstance(held, list) else []
        )
        found.extend((held, key) for key in keys)
        waiting.extend(held[key] for key in keys)
    return found


def understood_or_refused(document: Any) -> None:
    with contextlib.suppress(BadForm):
        form = schema_in.from_schema(document)
        again = schema_out.to_schema(form)
        assert schema_in.from_schema(json.loads(json.dumps(again))) == form


@pytest.mark.slow
@given(st.data())
@settings(max_examples=150)
def test_a_damaged_form_is_understood_or_refused_in_words(data: st.DataObject) -> None:
    document = copy.deepcopy(SCHEMA)
    for _ in range(data.draw(st.integers(1, 3))):
        held, key = data.draw(st.sampled_from(places(document)))
        held[key] = copy.deepcopy(data.draw(VALUES))  # the next turn may change it
    understood_or_refused(document)


@pytest.mark.slow
@given(ODD_SCHEMAS)
@settings(max_examples=200)
def test_any_document_is_understood_or_refused_in_words(document: Any) -> None:
    understood_or_refused(document)


CONTROLS = st.sampled_from(
    [*(field.name for field in ALL.fields), "lines[0][at]", "lines[0][qty]", "lines[9][size]", "lines[[", "other"]
)


@given(
    st.dictionaries(
        CONTROLS,
        st.lists(st.one_of(st.text(max_size=10), st.sampled_from(["1", "true", "x", "2026-01-01"])), max_size=3),
    )
)
@settings(max_examples=150)
def test_whatever_is_submitted_is_sent_or_refused_and_shown_again(data: dict[str, list[str]]) -> None:
    checked = checking.Checked(ALL, data)
    assert checked.good is (not checked.errors)
    checking.typed(ALL, data)
    if checked.good:
        json.dumps(checked.payload)


@pytest.mark.slow
@given(payload=JSON)
@settings(max_examples=100)
def test_any_payload_can_be_filled_into_any_form(payload: Any) -> None:
    checking.initial(ALL, payload)
    checking.paths_without_field(ALL, payload)


PATHS = st.lists(
    st.sampled_from([".a", "['b c']", "[0]", ".item", ".length", ".email", "['']", ".map(x)"]), max_size=5
).map("".join)
TEMPLATES = st.builds(
    "{}{{{{{}{}}}}}".format,
    st.sampled_from(["", "x "]),
    st.sampled_from(["trigger.body", "trigger", "step_1", "step_1['item']"]),
    PATHS,
)
STEPS = st.fixed_dictionaries({}, optional={
    "name": st.sampled_from(["step_1", "step_2", ""]),
    "displayName": JSON,
    "type": st.sampled_from(["CODE", "PIECE", "LOOP_ON_ITEMS", "ROUTER", None]),
    "settings": st.one_of(JSON, st.fixed_dictionaries({}, optional={
        "input": st.dictionaries(st.sampled_from("abc"), TEMPLATES), "items": TEMPLATES,
        "sourceCode": st.just({"code": "const code = async ({ a, b }) => a.x + b.map((i) => i.sku)"})})),
})  # fmt: skip
FORMS = st.just(
    {
        "pieceName": "@activepieces/piece-forms",
        "input": {"inputs": [{"displayName": "Full name"}, {"displayName": 5}, 3]},
    }
)


@pytest.mark.slow
@given(steps=st.lists(STEPS, max_size=5), settings_=st.one_of(JSON, FORMS), payloads=st.lists(JSON, max_size=3))
@settings(max_examples=150)
def test_a_form_proposed_for_any_flow_keeps_the_rules_and_fits(
    steps: list[Any], settings_: Any, payloads: list[Any]
) -> None:
    tree: Any = None
    for step in reversed(steps):
        tree = {**step, "nextAction": tree}
    trigger = {"name": "trigger", "settings": settings_, "nextAction": tree}
    form = proposing.propose(trigger, payloads)
    rules.check(form)
    assert schema_in.from_schema(schema_out.to_schema(form)) == form
    assert changes.fit(form, trigger).missing == {}
    assert form_messages.differences(form, form) == []

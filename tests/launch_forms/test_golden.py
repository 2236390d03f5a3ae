"""The forms proposed for the practice engine's flows and for recorded ones are the ones that were looked at."""

import pytest
from jsonschema import Draft202012Validator

from tests.launch_forms import golden
from workflows_ui.form_schema import schema_out
from workflows_ui.launch_forms.proposal import changes, proposing

SOURCES = golden.sources()
PROPOSED = golden.proposed()


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_the_proposed_form_is_the_one_that_was_looked_at(name: str) -> None:
    golden_file = golden.GOLDEN / f"{name}.json"
    assert golden_file.exists(), "python -m tests.launch_forms.golden writes it"
    assert PROPOSED[name] == golden_file.read_text("utf-8"), (
        "python -m tests.launch_forms.golden writes it: read the difference"
    )


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_proposed_form_fits_its_flow_and_what_was_sent_to_it(name: str) -> None:
    trigger, payloads, samples = SOURCES[name]
    form = proposing.propose(trigger, payloads, samples)
    assert changes.fit(form, trigger).missing == {}
    assert all(Draft202012Validator(schema_out.to_schema(form)).is_valid(payload) for payload in payloads)


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in golden.GOLDEN.glob("*.json")} == set(SOURCES)

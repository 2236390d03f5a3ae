"""What failure rules say of messages as real services send them: never what the message does not mean."""

import json
from pathlib import Path
from typing import Any

import pytest

from workflows_ui.launches.failures import (
    messages as failure_messages,
    phrases as failure_phrases,
    reading as failure_reading,
    rules as failure_rules,
)

MESSAGES: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("failure_messages.json").read_text(encoding="utf-8")
)

#: Messages that measure the rules: no rule is adjusted to them. `rules` are the right kinds, the best first; none if nothing is certain.
UNSEEN: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("failure_messages_unseen.json").read_text(encoding="utf-8")
)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("case", MESSAGES, ids=range(len(MESSAGES)))
def test_a_message_is_sorted_as_what_it_surely_means_or_not_at_all(case: dict[str, Any]) -> None:
    found = failure_messages.explain_failure(case["message"])
    assert found is not None
    assert (found.kind or None) == case["rule"], case["message"]


def test_most_unseen_messages_are_explained_and_none_is_explained_wrongly() -> None:
    explained = 0
    for case in UNSEEN:
        found = failure_messages.explain_failure(case["message"])
        assert found is not None
        assert not found.kind or found.kind in case["rules"], (found.kind, case["message"])
        explained += bool(found.kind)
    certain = sum(bool(case["rules"]) for case in UNSEEN)
    assert certain >= 100
    assert explained >= 0.63 * certain


def test_the_messages_are_many_and_half_of_the_rules_business_is_to_say_nothing() -> None:
    assert len(MESSAGES) >= 300
    assert sum(case["rule"] is None for case in MESSAGES) >= 120
    assert {case["rule"] for case in MESSAGES if case["rule"]} == set(failure_messages.KINDS)


def test_every_rule_leads_to_a_kind() -> None:
    rules = failure_rules
    tables = (rules.STATUSES, rules.TWILIO, rules.META, rules.MOMO)
    named = {kind for table in tables for kind in table.values()} | set(rules.NUMBERED.values())
    coded = (
        rules.OAUTH,
        rules.CODES,
        rules.GRAPHQL,
        rules.SLACK,
        rules.SALESFORCE,
        rules.HUBSPOT,
        rules.GOOGLE,
        rules.STORAGE,
        rules.MAIL,
        rules.IMAP,
        rules.HUBSPOT_PROPERTY,
        rules.HUBSPOT_POLICY,
        rules.VNPAY,
        rules.ESMS,
        rules.CLASSES,
        rules.PAYPAL,
        rules.SENDGRID,
    )
    named |= {kind for table in coded for kind in table.values()}
    named |= {kind for kind, _pattern in failure_phrases.PHRASES}
    named |= {kind for _name, kind, _pattern in failure_phrases.NAMED}
    assert named <= set(failure_messages.KINDS)


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("Error: Error: soft", "Error: soft"),
        ("Error: Error: Error: soft", "Error: soft"),
        ("Error: TypeError: x is not a function", "TypeError: x is not a function"),
        ("HTTPError: HTTPError: Response code 404 (Not Found)", "HTTPError: Response code 404 (Not Found)"),
        ("TypeError: Error: odd", "TypeError: Error: odd"),
        ("Error: ", "Error: "),
        ("soft", "soft"),
        ("", ""),
    ],
)
def test_an_errors_name_is_printed_once(text: str, once: str) -> None:
    assert failure_reading.collapsed(text) == once

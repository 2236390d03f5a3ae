"""Secrets in what the engine sends are masked before anything shows them."""

from typing import Any

import pytest

from workflows_ui.kit.redact import MASK, headers, step


@pytest.mark.parametrize(
    "name",
    ["Authorization", "x-api-key", "X-Access-Token", "cookie", "Set-Cookie", "imbraceToken", "proxy-authorization"],
)
def test_headers_that_carry_credentials_are_masked_wherever_they_stand(name: str) -> None:
    assert step({"deep": [{"other": {name: "opens-things"}}]}) == {"deep": [{"other": {name: MASK}}]}


@pytest.mark.parametrize("name", ["x-hub-signature", "X-Client-Secret", "my-token", "x-password", "apikey"])
def test_headers_that_look_like_secrets_are_masked(name: str) -> None:
    assert headers({name: "opens-things", "content-type": "application/json"}) == {
        name: MASK,
        "content-type": "application/json",
    }


def test_fields_of_a_body_stay_as_they_are() -> None:
    body = {"token_count": 3, "password_hint": "none", "items": [1, None, "x", 2.5, True]}
    assert step({"output": {"body": body}}) == {"output": {"body": body}}


def test_a_bearer_token_inside_a_text_is_masked() -> None:
    assert step("curl -H 'Authorization: Bearer abcdef1234567890'") == f"curl -H 'Authorization: Bearer {MASK}'"


def test_keys_that_a_resource_declares_are_masked() -> None:
    assert step({"a": {"value": "x", "secret_text": "y"}}, secrets=frozenset({"secret_text"})) == {
        "a": {"value": "x", "secret_text": MASK}
    }


def test_an_empty_secret_is_shown_as_empty() -> None:
    assert step({"authorization": "", "cookie": None}) == {"authorization": "", "cookie": None}


def test_headers_that_are_no_mapping_are_left_alone() -> None:
    assert step({"headers": ["a", 1], "x": {"headers": None}}) == {"headers": ["a", 1], "x": {"headers": None}}


def test_nesting_without_end_is_cut() -> None:
    deep: Any = {}
    for _number in range(900):
        deep = {"inner": [deep]}
    assert "…" in str(step(deep))


def test_the_original_is_not_changed() -> None:
    original = {"headers": {"authorization": "Bearer abcdef1234567890"}}
    step(original)
    assert original == {"headers": {"authorization": "Bearer abcdef1234567890"}}


def test_the_key_in_the_address_of_an_mcp_server_is_masked() -> None:
    address = "https://engine.example/api/v1/mcp/tDo7I6WbzElAJAe8e2bcG/sse"
    assert step({"input": {"url": address}}) == {"input": {"url": f"https://engine.example/api/v1/mcp/{MASK}/sse"}}
    assert step("see /v1/mcp-servers/zNEzxH3pAgY5Gf4VkkQd5") == "see /v1/mcp-servers/zNEzxH3pAgY5Gf4VkkQd5"

"""Secrets in what the engine sends are masked before anything shows them."""

import json
from typing import Any

import pytest

from workflows_ui.core.redaction import MASK, adds_mask, headers, is_cut, step, without_masked
from workflows_ui.core.secret_names import mask_text


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
    body = {
        "token_count": 3,
        "password_hint": "none",
        "items": [1, None, "x", 2.5, True],
        "auth": True,
        "author": "Lan",
    }
    assert step({"output": {"body": body}}) == {"output": {"body": body}}


@pytest.mark.parametrize("secret", ["hunter2", 1234, 0, 12.5, ["a", {"b": "c"}], {"user": "a", "key": ["b"]}])
def test_whatever_stands_under_a_name_that_speaks_of_a_secret_is_masked(secret: Any) -> None:
    given = {"body": [{"mật khẩu": secret, "note": "x"}]}
    assert step(given) == {"body": [{"mật khẩu": MASK, "note": "x"}]}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"Name": "password", "Value": "hunter2"}, {"Name": "password", "Value": MASK}),
        ({"field_name": "Token", "field_value": 5}, {"field_name": "Token", "field_value": MASK}),
        ({"label": "Mật khẩu", "answer": "hunter2"}, {"label": "Mật khẩu", "answer": MASK}),
        ({"key": "api_key", "values": ["a", "b"]}, {"key": "api_key", "values": MASK}),
        ([["password", "hunter2"], ["to", "Lan"]], [["password", MASK], ["to", "Lan"]]),
        (["password", "email"], ["password", "email"]),
        ({"name": "order", "value": "DH-1"}, {"name": "order", "value": "DH-1"}),
    ],
)
def test_a_name_and_its_value_beside_each_other_are_a_pair(given: Any, shown: Any) -> None:
    assert step(given) == shown
    assert step(json.dumps(given, ensure_ascii=False)) == json.dumps(shown, ensure_ascii=False)


def test_yes_no_and_nothing_are_shown() -> None:
    nothing: dict[str, Any] = {
        "password": None,
        "token": "",
        "auth": True,
        "session": False,
        "secrets": [],
        "cookies": {},
    }
    assert step(nothing) == nothing


def test_a_reference_says_where_a_secret_comes_from_and_is_shown() -> None:
    given = {"auth": "{{connections['slack']}}", "password": "{{trigger['body']['password']}}", "token": "{{'typed'}}"}
    assert step(given) == given | {"token": MASK}


def test_json_within_a_text_is_read_as_json() -> None:
    raw = json.dumps({"user": "lan", "mật khẩu": "hunter2", "inner": json.dumps({"pin": 1234, "n": 1})})
    masked = json.loads(step({"rawBody": raw})["rawBody"])
    assert masked["mật khẩu"] == MASK
    assert json.loads(masked["inner"]) == {"pin": MASK, "n": 1}


@pytest.mark.parametrize("key", ["name", "key", "field", "header"])
def test_a_name_beside_its_value_speaks_of_it(key: str) -> None:
    given = [
        {key: "X-Api-Key", "value": "abc"},
        {key: "order", "value": "DH-1"},
        {key: "password", "label": "Password"},
    ]
    assert step(given) == [{**given[0], "value": MASK}, *given[1:]]


def test_a_key_that_is_there_twice_hides_nothing() -> None:
    raw = '{"note": "password=hunter2", "note": "z"}'
    assert "hunter2" not in step(raw)


def test_keys_that_mean_something_else_in_a_resource_stay() -> None:
    assert step({"auth": {"type": "OAUTH2"}}, plain=frozenset({"auth"})) == {"auth": {"type": "OAUTH2"}}


def test_a_bearer_token_inside_a_text_is_masked() -> None:
    assert step("curl -H 'Authorization: Bearer abcdef1234567890'") == f"curl -H 'Authorization: Bearer {MASK}'"


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        (
            "https://e.example/api/v1/step-files/signed?token=eyJh.bG.ci",
            f"https://e.example/api/v1/step-files/signed?token={MASK}",
        ),
        (f"/v1/flow-runs/{'R' * 21}/requests/nhgg/sync?created=1", f"/v1/flow-runs/{MASK}"),
        (
            f"https://e.example/api/v1/flow-runs/{'R' * 21}/waitpoints/{'W' * 21}?action=approve",
            f"https://e.example/api/v1/flow-runs/{MASK}",
        ),
        (
            f"https:\\/\\/e.example\\/v1\\/flow-runs\\/{'R' * 21}\\/waitpoints\\/{'W' * 21}",
            f"https:\\/\\/e.example\\/v1\\/flow-runs/{MASK}",
        ),
        (
            f"https://e.example/go?to=https%3A%2F%2Fe%2Fv1%2Fflow-runs%2F{'R' * 21}%2Fwaitpoints%2F{'W' * 21}%3Faction%3Dapprove",
            f"https://e.example/go?to=https%3A%2F%2Fe%2Fv1%2Fflow-runs/{MASK}",
        ),
        (f"/v1//flow-runs//{'R' * 21}///requests//nhgg/sync", f"/v1//flow-runs/{MASK}"),
        (f"/V1/FLOW-RUNS/{'R' * 21}/WAITPOINTS/{'W' * 21}", f"/V1/FLOW-RUNS/{MASK}"),
        (f"flow-runs\\u002f{'R' * 21}\\u002Fwaitpoints\\\\u002f{'W' * 21}", f"flow-runs/{MASK}"),
        (f"&#x2F;flow-runs&#x2f;{'R' * 21}&#47;requests&amp;#x2F;nhgg", f"&#x2F;flow-runs/{MASK}"),
        (f"/v1/flow-runs%252525252F{'R' * 21}%2frequests%2Fnhgg", f"/v1/flow-runs/{MASK}"),
        (f"/v1/flow-runs/{'R' * 21}/resume?action=approve", f"/v1/flow-runs/{MASK}"),
        (f"/v1/flow-runs/{'R' * 21}/resumed", f"/v1/flow-runs/{'R' * 21}/resumed"),
        (
            "https://e.example/invitation?token=eyJh.bG.ci&email=member%40example.com",
            f"https://e.example/invitation?token={MASK}&email=member%40example.com",
        ),
        ("https://e.example/api/v1/mcp/0123456789abcdefghij/sse", f"https://e.example/api/v1/mcp/{MASK}/sse"),
    ],
)
def test_addresses_that_open_something_without_a_login_are_masked(address: str, masked: str) -> None:
    """Recordings `run_get_body_multipart_file`, `wait_02_sync_call`, `approval_01_run_paused`; api.md section 14."""
    assert step({"output": {"body": {"upload": address, "text": f'see "{address}" there'}}}) == {
        "output": {"body": {"upload": masked, "text": f'see "{masked}" there'}}
    }


def test_addresses_with_very_many_slashes_are_masked_in_linear_time() -> None:
    """A pattern that tries every division of these would never end."""
    for slashes in ("\\" * 50_000, "%25" * 50_000, "&amp;" * 50_000, "/" * 50_000 + "&#0"):
        text = f"/flow-runs{slashes}-"
        assert mask_text(text) == text


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


def test_what_is_too_deep_to_be_shown_is_known() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = {"a": [deep]}
    assert is_cut(deep)
    assert not is_cut({"a": [{"b": "x"}], "c": 1})


def test_masked_members_are_left_out_of_a_form_that_asks_for_them_again() -> None:
    assert without_masked({"a": MASK, "b": [{"c": MASK, "d": 1}, 2], "e": "x"}) == {"b": [{"d": 1}, 2], "e": "x"}


@pytest.mark.parametrize(
    ("new", "shown", "real", "adds"),
    [
        (MASK, "x", "x", True),
        ("y", "x", "x", False),
        ([MASK], [MASK], [MASK], False),
        ([MASK, MASK], [MASK], [MASK], True),
        ("y", MASK, "secret", False),
        (MASK, MASK, "secret", True),
    ],
)
def test_a_mask_that_was_not_shown_is_noticed(new: Any, shown: Any, real: Any, adds: bool) -> None:
    assert adds_mask(new, shown, real) is adds


def test_the_original_is_not_changed() -> None:
    original = {"headers": {"authorization": "Bearer abcdef1234567890"}}
    step(original)
    assert original == {"headers": {"authorization": "Bearer abcdef1234567890"}}


def test_the_key_in_the_address_of_an_mcp_server_is_masked() -> None:
    address = "https://engine.example/api/v1/mcp/tDo7I6WbzElAJAe8e2bcG/sse"
    assert step({"input": {"url": address}}) == {"input": {"url": f"https://engine.example/api/v1/mcp/{MASK}/sse"}}
    assert step("see /v1/mcp-servers/zNEzxH3pAgY5Gf4VkkQd5") == "see /v1/mcp-servers/zNEzxH3pAgY5Gf4VkkQd5"

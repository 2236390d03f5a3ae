"""Files beside a trigger's values: what the client writes is what the practice engine reads, byte by byte (api.md section 7)."""

import os
from typing import Any

import pytest
import requests

from tests.engine.servers import LOOPBACK
from tests.practice_engine.fixtures import Practice, until
from workflows_ui.engine import BearerToken, Client, Upload

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

#: What only the older version does, or does otherwise.
OLDER = pytest.mark.usefixtures("older")
UGLY = os.urandom(3_000) + b"\r\n--console-\r\n\n\r\x00\x0b\x1c\x85\r\n"
KEYS = {"số": 1.5, 'a "b"\\': {"deep": [1, None, "ü\n"]}, "text": "5", "none": None, "yes": True, "empty": ""}


def _client(practice: Practice) -> Client:
    return Client(
        engine_url=practice.activepieces,
        auth=BearerToken(practice.credentials.bearer_token),
        project_id=practice.credentials.project_id,
        safety=LOOPBACK,
    )


def _answer(practice: Practice, payload: Any, *files: Upload) -> Any:
    """What the sample flow that answers with what it got says."""
    client = _client(practice)
    answer = client.workflows.send_trigger(practice.sample("quick").id, payload, wait=True, files=files)
    assert answer.outcome == "answered", answer
    return _last_body(practice)


def _last_body(practice: Practice) -> Any:
    flow = practice.sample("quick").id
    stored = [row for row in practice.engine.state.runs.values() if row["flowId"] == flow]
    # 0.72.4 may show a run only after it has answered.
    until(lambda: len(practice.runs(flow)) == len(stored))
    run = practice.runs(flow)[0]
    return practice.call("GET", f"/v1/flow-runs/{run['id']}").json()["steps"]["trigger"]["output"]["body"]


@OLDER
def test_values_arrive_as_what_they_are_and_a_file_as_an_address_of_its_bytes(practice: Practice) -> None:
    body = _answer(practice, KEYS, Upload("ảnh", "hợp đồng (1).pdf", "application/pdf", UGLY))
    address = body.pop("ảnh")
    assert body == KEYS
    fetched = requests.get(address, timeout=20)
    assert fetched.content == UGLY
    assert fetched.headers["content-disposition"].startswith("attachment;")
    assert requests.get(address + "x", timeout=20).status_code == 404


def test_several_files_each_have_an_address(practice: Practice) -> None:
    body = _answer(practice, {}, Upload("one", "1.txt", "text/plain", b"1"), Upload("two", "", "no type", b""))
    assert requests.get(body["one"], timeout=20).content == b"1"
    assert requests.get(body["two"], timeout=20).content == b""


def test_a_form_of_a_browser_arrives_as_texts_and_a_list_where_a_name_comes_twice(practice: Practice) -> None:
    path = f"/v1/webhooks/{practice.sample('quick').id}/sync"
    parts = [("n", (None, "5")), ("n", (None, "6")), ("file", ("C:\\x\\a.txt", b"a", "text/plain"))]
    practice.call("POST", path, files=parts)
    body = _last_body(practice)
    assert body["n"] == ["5", "6"]
    assert body["file"].startswith("http")


@pytest.mark.parametrize("name", ["__proto__", "constructor"], ids=["the prototype", "a name that objects have"])
def test_parts_that_would_change_objects_are_refused(practice: Practice, name: str) -> None:
    path = f"/v1/webhooks/{practice.sample('quick').id}"
    assert practice.call("POST", path, files=[(name, (None, "5"))]).status_code == 400


def test_a_part_that_claims_to_be_json_and_is_not_is_refused(practice: Practice) -> None:
    path = f"/v1/webhooks/{practice.sample('quick').id}"
    assert practice.call("POST", path, files=[("n", (None, "{", "application/json"))]).status_code == 400


@pytest.mark.parametrize(
    ("payload", "files"),
    [
        ([], [Upload("a", "a", "", b"")]),
        ({"a": 1}, [Upload("a", "a", "", b"")]),
        ({}, [Upload("a", "a", "", b""), Upload("a", "b", "", b"")]),
        ({"constructor": 1}, [Upload("a", "a", "", b"")]),
        ({}, [Upload("a\r\nx: y", "a", "", b"")]),
        ({}, [Upload("a", "a\r\nx: y", "", b"")]),
        ({"long": "x" * 1024 * 1024}, [Upload("a", "a", "", b"")]),
        ({"": 1}, [Upload("a", "a", "", b"")]),
        ({"n": float("nan")}, [Upload("a", "a", "", b"")]),
    ],
    ids=[
        "no object",
        "a key twice",
        "a file twice",
        "prototype",
        "break",
        "break in a name",
        "long",
        "empty",
        "not a number",
    ],
)
def test_what_the_engine_cannot_be_sent_in_parts_is_not_sent(
    practice: Practice, payload: Any, files: list[Upload]
) -> None:
    client = _client(practice)
    flow = practice.sample("quick").id
    with pytest.raises(ValueError):
        client.workflows.send_trigger(flow, payload, wait=False, files=files)
    assert not practice.journal.triggers(flow)

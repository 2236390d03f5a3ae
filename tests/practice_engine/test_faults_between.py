"""Faults between the console and the engine: before it acted and after it, according to the journal; which requests they are for."""

import contextlib

import pytest
import requests

from practice_engine import Received
from practice_engine.faults import BODIES
from tests.practice_engine.fixtures import Practice

#: At every commit, test_recordings holds the practice engine to the recorded ones.
pytestmark = pytest.mark.slow

HOOKS = "/v1/webhooks/*"
STATUSES = (400, 401, 403, 404, 413, 429, 500, 502, 503, 504)
CUTS = ("truncated", "headers_cut", "garbage", "invalid_json", "invalid_utf8")


def launch(practice: Practice) -> requests.Response | None:
    """Trigger the quick flow; None where no whole answer came."""
    with contextlib.suppress(requests.RequestException):
        return practice.call("POST", f"/v1/webhooks/{practice.sample('quick').id}", json={})
    return None


def entry(practice: Practice) -> Received:
    """The last trigger, as the journal tells it."""
    return practice.journal.triggers()[-1]


@pytest.mark.parametrize(
    ("status", "body", "act"),
    [
        case if number % 4 == 0 else pytest.param(*case, marks=pytest.mark.slow)
        for number, case in enumerate(
            (status, body, act)
            for turn, status in enumerate(STATUSES)
            # Begun elsewhere for each status: quickly, every body is tried, before and after.
            for body in (*BODIES[turn % len(BODIES) :], *BODIES[: turn % len(BODIES)])
            for act in ((False, True) if turn // 2 % 2 else (True, False))
        )
    ],
)
@pytest.mark.sampled(4)
def test_every_status_can_be_answered_before_and_after_the_engine_acted(
    practice: Practice, status: int, body: str, act: bool
) -> None:
    practice.engine.faults.add("status", "POST", HOOKS, status=status, body=body, act=act)
    answer = launch(practice)
    assert answer is not None
    assert (answer.status_code, answer.headers.get("x-webhook-id")) == (status, None)
    received = entry(practice)
    assert (received.acted, len(received.runs), received.own_status, received.status) == (
        act,
        int(act),
        200 if act else None,
        status,
    )


@pytest.mark.parametrize("act", [False, True])
@pytest.mark.parametrize("kind", CUTS)
def test_an_answer_can_be_cut_or_spoilt_before_and_after_the_engine_acted(
    practice: Practice, kind: str, act: bool
) -> None:
    practice.engine.faults.add(kind, "POST", HOOKS, act=act, status=502, body="html")
    answer = launch(practice)
    assert answer is None or answer.status_code == (200 if act else 502)
    assert (entry(practice).acted, len(entry(practice).runs)) == (act, int(act))


def test_an_answer_without_a_body_can_be_cut_as_well(practice: Practice) -> None:
    practice.engine.faults.add("truncated", "POST", HOOKS, act=False, status=502, body="empty")
    assert launch(practice) is None


@pytest.mark.parametrize("act", [False, True])
def test_a_replaced_answer_has_the_engines_mark_where_that_is_asked_for(practice: Practice, act: bool) -> None:
    practice.engine.faults.add("status", "POST", HOOKS, status=403, webhook_id=True, act=act)
    answer = launch(practice)
    assert answer is not None
    assert len(answer.headers["x-webhook-id"]) == 21


def test_a_spoilt_answer_keeps_the_engines_mark_unless_it_is_taken_away(practice: Practice) -> None:
    practice.engine.faults.add("empty", "POST", HOOKS, times=1)
    practice.engine.faults.add("empty", "POST", HOOKS, webhook_id=False)
    received, taken = launch(practice), launch(practice)
    assert received is not None
    assert taken is not None
    assert ("x-webhook-id" in received.headers, "x-webhook-id" in taken.headers) == (True, False)


def test_a_proxys_page_names_its_own_status_and_shows_when_to_come_again(practice: Practice) -> None:
    practice.engine.faults.add("status", "POST", HOOKS, status=429, body="html", retry_after="30")
    answer = launch(practice)
    assert answer is not None
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("text/html", "30")
    assert "429 Too Many Requests" in answer.text


def test_a_schedule_says_which_requests_are_hit_and_times_ends_it(practice: Practice) -> None:
    practice.engine.faults.add("status", path="/v1/flags", schedule="-x-", times=2)
    statuses = [practice.call("GET", "/v1/flags").status_code for _ in range(9)]
    assert statuses == [200, 503, 200, 200, 503, 200, 200, 200, 200]


def test_the_journal_names_the_request_that_made_a_run(practice: Practice) -> None:
    practice.engine.faults.add("reset_after", "POST", HOOKS)
    launch(practice)
    (run,) = entry(practice).runs
    assert practice.engine.state.runs[run]["flowId"] == practice.sample("quick").id


def test_the_journal_names_the_runs_of_a_retry(practice: Practice) -> None:
    run = practice.runs()[0]["id"]
    body = {"projectId": practice.credentials.project_id}
    for strategy in ("FROM_FAILED_STEP", "ON_LATEST_VERSION"):
        answer = practice.call("POST", f"/v1/flow-runs/{run}/retry", json={**body, "strategy": strategy}).json()
        assert practice.journal.all()[-1].runs == [answer["id"]]


def test_faults_are_added_and_the_journal_is_read_over_http(practice: Practice) -> None:
    headers = {"x-practice-token": practice.credentials.control_token}
    address = f"{practice.url}/_practice"
    fault = {"kind": "status", "status": 500, "act": True, "times": 1, "method": "POST", "path": HOOKS}
    assert requests.post(f"{address}/faults", json=fault, headers=headers, timeout=20).status_code == 201
    launch(practice), launch(practice)
    answer = requests.get(f"{address}/requests", params={"path": HOOKS}, headers=headers, timeout=20).json()
    assert {(one["status"], one["own_status"], one["acted"], len(one["runs"])) for one in answer} == {
        (500, 200, True, 1),
        (200, 200, True, 1),
    }
    bad = {"kind": "status", "body": "song"}
    assert requests.post(f"{address}/faults", json=bad, headers=headers, timeout=20).status_code == 400


@pytest.mark.parametrize("wrong", [{"schedule": "--"}, {"body": "song"}])
def test_a_fault_that_could_never_be_played_is_refused(practice: Practice, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        practice.engine.faults.add("status", **wrong)

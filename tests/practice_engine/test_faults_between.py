"""Faults between the console and the engine: before it acted and after it, told by the journal; which requests they are for."""

import contextlib
from typing import Any

import pytest
import requests

from tests.practice_engine.fixtures import Practice
from workflows_ui.practice_engine import Received
from workflows_ui.practice_engine.fault_responses import CUTS, STATUSES, network_faults
from workflows_ui.practice_engine.faults import BODIES

HOOKS = "/v1/webhooks/*"


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
def test_every_status_can_be_answered_before_and_after_the_engine_acted(
    practice: Practice, status: int, body: str, act: bool
) -> None:
    practice.engine.faults.add("status", "POST", HOOKS, status=status, body=body, act=act)
    answer = launch(practice)
    assert answer is not None
    assert (answer.status_code, answer.headers.get("x-webhook-id")) == (status, None)
    told = entry(practice)
    assert (told.acted, len(told.runs), told.own_status, told.status) == (act, int(act), 200 if act else None, status)


@pytest.mark.parametrize("act", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in CUTS if kind != "empty"])
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
    kept, taken = launch(practice), launch(practice)
    assert kept is not None
    assert taken is not None
    assert ("x-webhook-id" in kept.headers, "x-webhook-id" in taken.headers) == (True, False)


def test_a_proxys_page_names_its_own_status_and_tells_when_to_come_again(practice: Practice) -> None:
    practice.engine.faults.add("status", "POST", HOOKS, status=429, body="html", retry_after="30")
    answer = launch(practice)
    assert answer is not None
    assert (answer.headers["content-type"], answer.headers["retry-after"]) == ("text/html", "30")
    assert "429 Too Many Requests" in answer.text


def test_a_schedule_says_which_requests_are_hit_and_times_ends_it(practice: Practice) -> None:
    practice.engine.faults.add("status", path="/v1/flags", schedule="-x-", times=2)
    statuses = [practice.call("GET", "/v1/flags").status_code for _ in range(9)]
    assert statuses == [200, 503, 200, 200, 503, 200, 200, 200, 200]


def test_a_probability_hits_the_same_requests_for_the_same_seed(practice: Practice) -> None:
    def hits(seed: int) -> list[bool]:
        practice.engine.faults.clear()
        practice.engine.faults.add("status", path="/v1/flags", probability=0.5, seed=seed)
        return [practice.call("GET", "/v1/flags").status_code == 503 for _ in range(16)]

    once, again, other = hits(1), hits(1), hits(2)
    assert once == again != other
    assert {True, False} == set(once)


def test_dealt_faults_take_turns_so_that_each_is_played_equally_often(practice: Practice) -> None:
    faults: list[dict[str, Any] | None] = [*network_faults(bodies=["html"]), None]
    dealt = practice.engine.faults.deal(faults, "POST", HOOKS, seed=3)
    for _ in range(2 * len(faults)):
        launch(practice)
    assert {fault.played for fault in dealt} == {2}
    triggers = practice.journal.triggers()
    acted = [one for one in triggers if one.acted]
    assert len(acted) == len(triggers) // 2 + 1
    assert all(len(one.runs) == int(one.acted) for one in triggers)


def test_the_journal_names_the_request_that_made_a_run(practice: Practice) -> None:
    practice.engine.faults.add("reset_after", "POST", HOOKS)
    launch(practice)
    run = entry(practice).runs[0]
    assert practice.journal.creator(run) is entry(practice)
    assert practice.journal.creator("A" * 21) is None


def test_the_journal_names_the_runs_of_a_retry(practice: Practice) -> None:
    run = practice.runs()[0]["id"]
    body = {"projectId": practice.credentials.project_id}
    for strategy in ("FROM_FAILED_STEP", "ON_LATEST_VERSION"):
        answer = practice.call("POST", f"/v1/flow-runs/{run}/retry", json={**body, "strategy": strategy}).json()
        assert practice.journal.all()[-1].runs == [answer["id"]]


def test_faults_are_dealt_and_the_journal_is_read_over_http(practice: Practice) -> None:
    headers = {"x-practice-token": practice.credentials.control_token}
    address = f"{practice.url}/_practice"
    body = {"faults": [{"kind": "status", "status": 500, "act": True}, None], "method": "POST", "path": HOOKS}
    assert requests.post(f"{address}/faults/dealt", json=body, headers=headers, timeout=20).status_code == 201
    launch(practice), launch(practice)
    told = requests.get(f"{address}/requests", params={"path": HOOKS}, headers=headers, timeout=20).json()
    assert {(one["status"], one["own_status"], one["acted"], len(one["runs"])) for one in told} == {
        (500, 200, True, 1),
        (200, 200, True, 1),
    }
    bad = {"faults": [{"kind": "status", "body": "song"}]}
    assert requests.post(f"{address}/faults/dealt", json=bad, headers=headers, timeout=20).status_code == 400


@pytest.mark.parametrize("wrong", [{"schedule": "--"}, {"body": "song"}])
def test_a_fault_that_could_never_be_played_is_refused(practice: Practice, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        practice.engine.faults.add("status", **wrong)

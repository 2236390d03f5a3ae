"""The runs' pages: filters, paging without losing rows, one sentence, live until it has ended."""

import datetime
import re
import zoneinfo
from typing import Any

import pytest
import time_machine
from django.test import Client

from tests.engine.servers import Reply
from tests.stub_engine import StubEngine, flow, identity, run, text
from workflows_ui.core import formats
from workflows_ui.core.redaction import MASK
from workflows_ui.engine_objects.runs import Run
from workflows_ui.launches.services import runs
from workflows_ui.runs import reading as run_reading
from workflows_ui.web import messages

RUNS = "/w/sales/runs/"
ONE = f"{RUNS}{identity(1)}/"


def test_filters_reach_the_engine_as_it_names_them(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow() | {"id": key} for key in ("f1", "f2")]
    asked = "flow=f1&flow=f2&status=FAILED&status=TIMEOUT&tag=big&failed=step_2&since=2026-11-23&until=2026-11-24"
    owner.get(f"{RUNS}?{asked}")
    (query,) = stub_engine.queries("/flow-runs")
    assert query["flowId"] == ["f1", "f2"]
    assert sorted(query["status"]) == ["FAILED", "TIMEOUT"]
    assert query["tags"] == ["big"]
    assert query["failedStepName"] == ["step_2"]
    assert query["archived"] == ["false"]
    since, until = (datetime.datetime.fromisoformat(query[name][0]) for name in ("createdAfter", "createdBefore"))
    assert since == datetime.datetime.fromisoformat("2026-11-23T00:00:00+07:00")
    assert until > datetime.datetime.fromisoformat("2026-11-24T23:59:59+07:00")
    assert until - since < datetime.timedelta(days=2)


def test_a_period_begins_at_a_midnight_of_the_persons_zone(owner: Client, stub_engine: StubEngine) -> None:
    owner.get(f"{RUNS}?period=7&since=2020-01-01")
    since = datetime.datetime.fromisoformat(stub_engine.queries("/flow-runs")[0]["createdAfter"][0])
    zone = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
    day = datetime.datetime.now(zone).date() - datetime.timedelta(days=6)
    assert since == datetime.datetime.combine(day, datetime.time.min, zone)


def test_archived_runs_are_left_out_or_alone(owner: Client, stub_engine: StubEngine) -> None:
    owner.get(f"{RUNS}?archived=only")
    assert stub_engine.queries("/flow-runs")[0]["archived"] == ["true"]


def test_several_flows_are_chosen_by_name_and_each_has_its_chip(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.flows = [flow(1, "Order intake"), flow(2, "Reminder"), flow(3, "Third")]
    page = text(owner.get(f"{RUNS}?flow={identity(1)}&flow={identity(2)}&flow=gone").content)
    assert page.count("checked") == 3
    for chip in ("Flow: Order intake", "Flow: Reminder", "Flow: gone"):
        assert chip in page
    assert "Flow: Third" not in page
    assert f'href="{RUNS}?flow={identity(2)}&amp;flow=gone"' in page


@pytest.mark.parametrize("query", ["flow=" + "x" * 101, "&".join(f"flow=f{n}" for n in range(51)), "archived=maybe"])
def test_filters_that_nothing_can_mean_are_shown(owner: Client, stub_engine: StubEngine, query: str) -> None:
    assert "These filters cannot be used" in text(owner.get(f"{RUNS}?{query}").content)
    assert not stub_engine.seen


def test_the_failed_step_of_a_row_leads_to_those_that_failed_alike(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(status="FAILED", failedStep={"name": "step_1", "displayName": "Parse"})]
    page = text(owner.get(RUNS).content)
    assert f'<a href="{RUNS}?failed=step_1%40{identity(1)}"><span class="long">Parse</span></a>' in page


def test_a_failed_step_is_chosen_by_the_names_of_flow_and_step(owner: Client, stub_engine: StubEngine) -> None:
    parse = {"name": "step_1", "type": "CODE", "displayName": "Parse"}
    trigger = {"name": "trigger", "displayName": "Catch", "nextAction": parse}
    stub_engine.flows = [flow(version={"id": "V1", "displayName": "Order intake", "trigger": trigger})]
    value = f"step_1@{identity(1)}"
    page = text(owner.get(f"{RUNS}?failed={value}").content)
    assert f'<option value="{value}" selected>Order intake › Parse</option>' in page
    assert "Failed step: Order intake › Parse" in page
    (query,) = stub_engine.queries("/flow-runs")
    assert (query["flowId"], query["failedStepName"]) == ([identity(1)], ["step_1"])
    page = text(owner.get(f"{RUNS}?failed={value}&flow=another").content)
    assert "This step belongs to another flow than those that are chosen." in page


def test_what_has_no_column_in_a_narrow_window_is_a_second_line_of_the_one_before_it(
    owner: Client, stub_engine: StubEngine
) -> None:
    failed = run(status="FAILED", failedStep={"name": "step_1"}, created="2026-11-24T22:38:23.286Z")
    stub_engine.runs = [failed, run(2)]
    page = text(owner.get(RUNS).content)
    assert len(re.findall(r'only-narrow">Failed step: <a [^>]*><span class="long">step_1</span>', page)) == 1
    assert page.count('class="only-narrow') + page.count(" only-narrow") == 1
    # A wait is said beside the time of receipt, where it was long.
    assert page.count("2.5 s in the queue") == 1
    assert page.count("<td") == 2 * page.count('<th scope="col"')


@pytest.mark.parametrize("odd", [{}, "", None, [], {"name": ""}, {"name": 5, "displayName": []}], ids=repr)
def test_a_failed_step_that_does_not_exist_is_a_blank(owner: Client, stub_engine: StubEngine, odd: object) -> None:
    stub_engine.runs = [run(failedStep=odd)]
    assert "failed=" not in text(owner.get(RUNS).content)
    assert owner.get(ONE).status_code == 200


WAITED = [
    (run(created="2026-11-24T22:38:23.286Z"), "2.5 s"),
    (run(created="2026-11-24T22:38:25.793Z"), ""),
    (run(startTime=""), ""),
    (run(status="QUEUED", startTime="", created="2026-11-25T02:59:00.000Z"), "1 min"),
    (run(status="QUEUED", startTime="", created="2026-11-25T03:59:00.000Z"), ""),
]


@pytest.mark.parametrize(("found", "message"), WAITED, ids=range(len(WAITED)))
def test_time_in_the_queue_is_shown_where_there_was_any(found: dict[str, Any], message: str) -> None:
    assert formats.duration(run_reading.waited(Run(found), STARTED)) == message


def test_days_the_wrong_way_round_are_shown(owner: Client, stub_engine: StubEngine) -> None:
    page = text(owner.get(f"{RUNS}?since=2026-11-24&until=2026-11-23").content)
    assert "This day is before the first one." in page
    assert not stub_engine.seen


@pytest.mark.parametrize("together", [1, 7, 15, 95], ids=lambda count: f"{count} in the same millisecond")
def test_no_run_is_lost_or_shown_twice_by_following_older(
    owner: Client, stub_engine: StubEngine, together: int
) -> None:
    start = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)
    for number in range(95):
        moment = start - datetime.timedelta(milliseconds=number // together)
        created = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        stub_engine.runs.append(run(number, created=created, flowVersion={"displayName": f"Run {number:02}"}))
    address, seen, pages = RUNS, [], 0
    while address and pages <= 10:
        page = owner.get(address).content.decode()
        seen += re.findall(r"Run \d\d(?=</span>)", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address, pages = older[1].replace("&amp;", "&") if older else "", pages + 1
    assert seen == [f"Run {number:02}" for number in range(95)]
    assert pages <= 10


def test_a_position_that_means_nothing_is_the_first_page(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run()]
    assert "Order intake" in text(owner.get(f"{RUNS}?at=rubbish").content)


SENTENCES = [
    (run(), "It finished in 37 ms."),
    (run(steps={"s": {"status": "FAILED"}}), "although a step failed"),
    (
        run(status="FAILED", failedStep={"name": "step_1", "displayName": "Parse"}),
        "It failed at “Parse” after 37 ms.",
    ),
    (run(status="FAILED", finishTime=""), "It failed."),
    (run(status="QUEUED", startTime=None, finishTime=None), "It is queued in the engine"),
    (run(status="INTERNAL_ERROR", steps={}), "The engine itself failed"),
    (run(status="NEW_WORD"), "The engine calls its state “NEW_WORD”"),
]


@pytest.mark.parametrize(("found", "words"), SENTENCES, ids=range(len(SENTENCES)))
def test_what_happened_is_one_sentence(found: dict[str, Any], words: str) -> None:
    assert words in run_reading.sentence(Run(found), run_reading.length(Run(found)))


@pytest.mark.parametrize("status", [*messages.RUN_STATES, "NEW_WORD"])
def test_every_state_has_its_page(owner: Client, stub_engine: StubEngine, status: str) -> None:
    stub_engine.runs, stub_engine.flows = [run(status=status)], [flow()]
    page = text(owner.get(ONE).content)
    assert str(messages.run_state(status).word) in page
    assert status in page


def test_the_error_is_shown_first_by_its_first_line(owner: Client, stub_engine: StubEngine) -> None:
    failed = {"step_1": {"type": "CODE", "status": "FAILED", "errorMessage": "Error: row 7\n    at x.js:1"}}
    stub_engine.runs = [run(status="FAILED", steps=failed, failedStep={"name": "step_1", "displayName": "Parse"})]
    page = text(owner.get(ONE).content)
    assert (
        page.index("“Parse” failed") < page.index('id="failure-message" dir="auto">row 7<') < page.index("Steps</h2>")
    )
    assert '<details class="run-step" id="step-0" open>' in page


def test_secrets_of_the_request_that_started_it_are_masked(owner: Client, stub_engine: StubEngine) -> None:
    headers = {"x-access-token": "opens-everything", "authorization": "Bearer opens-more-1234", "accept": "*/*"}
    stub_engine.runs = [run(steps={"trigger": {"status": "SUCCEEDED", "output": {"headers": headers}}})]
    page = owner.get(ONE).content.decode()
    assert "opens-" not in page
    assert MASK in page
    assert "*/*" in page


def test_steps_have_their_flows_names_from_the_version_that_ran(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs, stub_engine.flows = [run()], [flow()]
    assert "Catch Webhook" in text(owner.get(ONE).content)
    assert stub_engine.queries(f"/flows/{identity(1)}") == [{"versionId": ["V1"]}]
    owner.get(ONE)
    assert stub_engine.calls.count(f"/flows/{identity(1)}") == 1


def test_a_flow_that_is_gone_leaves_the_steps_their_own_names(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run()]
    answer = owner.get(ONE)
    assert answer.status_code == 200
    assert "<code>trigger</code>" in text(answer.content)


STARTED = datetime.datetime(2026, 11, 25, 3, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("age", "seconds"), [(1, 2), (60, 5), (600, 15), (7200, 60), (90_000, 0)], ids=lambda value: str(value)
)
def test_a_run_that_goes_on_is_looked_at_more_and_more_seldom(age: int, seconds: int) -> None:
    going = run(status="RUNNING", created="2026-11-25T03:00:00.000Z", finishTime="")
    assert run_reading.poll_seconds(Run(going), STARTED + datetime.timedelta(seconds=age)) == seconds


def test_a_retried_run_is_looked_at_as_a_new_one(owner: Client, stub_engine: StubEngine) -> None:
    retried = run(status="QUEUED", created="2026-11-20T03:00:00.000Z", updated="2026-11-25T03:00:00.000Z")
    assert run_reading.poll_seconds(Run(retried), STARTED + datetime.timedelta(seconds=1)) == 2


def test_a_run_that_lasts_too_long_is_no_longer_looked_at_and_says_so(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(status="PAUSED", created="2026-11-20T03:00:00.000Z", startTime="", steps={})]
    with time_machine.travel(STARTED, tick=False):
        page = text(owner.get(ONE).content)
    assert "this page no longer updates automatically" in page
    assert "Check again" in page
    assert "hx-trigger=" not in page.partition("<main")[2].partition("</main>")[0]
    assert "http-equiv" not in page


@pytest.mark.parametrize("status", sorted(set(runs.STATES) - set(runs.UNDER_WAY)))
def test_a_run_that_has_ended_is_not_looked_at_again(status: str) -> None:
    assert run_reading.poll_seconds(Run(run(status=status))) == 0


def test_the_live_part_asks_for_itself_and_stops_at_the_end(owner: Client, stub_engine: StubEngine) -> None:
    headers = {"HX-Request": "true", "HX-Target": "live"}
    with time_machine.travel(STARTED + datetime.timedelta(seconds=5), tick=False):
        stub_engine.runs = [run(status="RUNNING", created="2026-11-25T03:00:00.000Z", steps={})]
        whole = text(owner.get(ONE).content)
        live = text(owner.get(ONE, headers=headers).content).strip()
        stub_engine.runs = [run()]
        ended = text(owner.get(ONE, headers=headers).content).strip()
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in whole
    assert live.startswith(f'<div id="live" data-live hx-get="{ONE}" hx-trigger="every 2s"')
    assert ended.startswith('<div id="live">')
    assert "It finished" in ended


@time_machine.travel("2026-11-25T08:00:00Z", tick=False)
def test_a_search_whose_only_unfinished_run_is_old_is_read_twice_a_minute_and_the_list_more_often(
    owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows, stub_engine.runs = [flow()], [run(1), run(2, "PAUSED", finishTime=None)]
    assert owner.get(f"{RUNS}?search=Order").context["live"].seconds == 30
    assert owner.get(RUNS).context["live"].seconds == 4


def test_a_look_at_a_live_part_takes_one_call(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.runs = [run(status="RUNNING", steps={})]
    owner.get(ONE, headers={"HX-Request": "true", "HX-Target": "live"})
    assert stub_engine.calls == [f"/flow-runs/{identity(1)}"]


def test_a_fault_while_looking_leaves_the_page_and_goes_to_the_alerts(owner: Client, stub_engine: StubEngine) -> None:
    stub_engine.faults[identity(1)] = Reply(401, {"code": "INVALID_BEARER_TOKEN", "params": {}})
    answer = owner.get(ONE, headers={"HX-Request": "true", "HX-Target": "live"})
    assert (answer.status_code, answer["HX-Retarget"]) == (502, "#alerts")

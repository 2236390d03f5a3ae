"""Stories of 0.83.0 about runs: every state, lists and their filters, retrying, cancelling, archiving."""

from tests.practice_engine.fixtures import until
from tests.practice_engine.player import PLACE, Player
from tests.practice_engine.stories_072 import Step, real_time, settle

from . import flows
from .scenes import (
    BUILT_CATCH,
    apart,
    built,
    flow,
    imported,
    operate,
    practised,
    raw,
    reached,
    run,
    send,
    setting,
)
from .trees import DELAY, FULL_CATCH, HANDLING, MANUAL, add, approval, code, piece, response, trigger
from .webhooks import ORDERS, SILENT

FAILING = code("step_1", "Parse", flows.THROWS)
WAITING = piece("step_1", "Wait 2 minutes", DELAY, "delayFor", {"unit": "minutes", "delayFor": 2})
SLOW: list[Step] = [
    *("flow_slow_01_create", "flow_slow_02_update_trigger", "flow_slow_03_add_action_1_step_1"),
    *("flow_slow_03_add_action_2_step_2", "flow_slow_04_lock_and_publish"),
]
HANGING: list[Step] = [
    *(flow("webhook_async_timeout_flow", publish=False), "flow_timeout_02_update_trigger"),
    *("flow_timeout_03_add_action_1_step_1", "flow_timeout_04_lock_and_publish", "webhook_async_timeout_flow"),
]
HUGE = built(practised("step_1", "sleep 35", "big 3000"))
MAY_FAIL = built(practised("step_1", "fail Service not reachable: 503"))
MAY_FAIL["settings"]["errorHandlingOptions"] = {**HANDLING, "continueOnFailure": {"value": True}}
APPROVED = (
    approval("step_1", "Make the links", "create_approval_links"),
    approval("step_2", "Wait for the yes", "wait_for_approval"),
    {
        **code("step_3", "Book it", "export const code = async (i) => ({ booked: i.yes });", yes="{{step_2.approved}}"),
        "skip": False,
    },
)
PINNED_CATCH = {**FULL_CATCH, "settings": {**FULL_CATCH["settings"], "pieceVersion": "0.1.29"}}
INSIDE = built(practised("step_2", 'return {"id": 1}', o="{{step_1.item}}"))
INSIDE["settings"]["propertySettings"] = {"o": MANUAL}
EACH = {
    "name": "step_1",
    "valid": True,
    "displayName": "For each order",
    "type": "LOOP_ON_ITEMS",
    "skip": False,
    "settings": {"items": "{{trigger.body.orders}}", "sampleData": {}, "propertySettings": {}},
    "firstLoopAction": INSIDE,
}
BIG = {"operator": "NUMBER_IS_GREATER_THAN", "firstValue": "{{trigger.body.total}}", "secondValue": "100"}
BIG_OR_SMALL = {
    "name": "step_3",
    "valid": True,
    "displayName": "Big or small?",
    "type": "ROUTER",
    "skip": False,
    "settings": {
        "branches": [
            {"branchName": "Big", "branchType": "CONDITION", "conditions": [[BIG]]},
            {"branchName": "Otherwise", "branchType": "FALLBACK"},
        ],
        "executionType": "EXECUTE_FIRST_MATCH",
        "sampleData": {},
        "propertySettings": {},
    },
    "children": [built(response("step_4", {"size": "big"})), built(response("step_5", {"size": "small"}))],
}
MARKED = {"ap_parent_run_id": "M" * 21}
IDS = "runs_list_flow_run_ids_21_refused"


def crashed(fact: str, status: str) -> list[Step]:
    """A run whose runner was killed."""
    crash = practised("step_1", f"crash {status}")
    return [flow(fact, crash, trigger=FULL_CATCH), send(fact, b'{"a": 1}'), run(fact, status), fact]


def child(player: Player) -> None:
    """Start a child of the run that waits."""
    parent = player.fill(player.facts["run_get_parent_after_child_failed"]["path"]).rpartition("/")[2]
    own = {"ap_parent_run_id": parent, "ap_fail_parent_on_failure": "true"}
    step = send("run_get_child_failed", b'{"x": 1}', **own)
    assert callable(step)
    step(player)


def many_ids(player: Player) -> None:
    """Bind the runs that are asked for by their ids."""
    runs = player.practice.runs()
    for place, row in zip(player.facts[IDS]["query"]["flowRunIds"], runs, strict=False):
        player.bound[place] = row["id"]


def four_ids(player: Player) -> None:
    """Bind the runs with a parent that are asked for."""
    runs = player.practice.runs()
    for place, row in zip(player.facts["runs_list_with_parent_run_id"]["query"]["flowRunIds"], runs, strict=True):
        player.bound[place] = row["id"]


def started(*facts: str, times: int = 1) -> list[Step]:
    """Triggers, some of them again and again."""
    return [*facts] * times


def running(player: Player) -> None:
    """Wait for a running run."""
    until(lambda: [row for row in player.practice.runs() if row["status"] == "RUNNING"])


def all_running(player: Player) -> None:
    """Wait until all runs run."""
    until(lambda: [row["status"] for row in player.practice.runs()] == ["RUNNING"] * 3)


def of_nothing(fact: str) -> Step:
    """Bind the ids of the address that nothing has had yet to one of nothing."""

    def bind(player: Player) -> None:
        for place in PLACE.findall(player.facts[fact]["path"]):
            player.bound.setdefault(place, "Z" * 21)

    return bind


STORIES: dict[str, list[Step]] = {
    "runs: failing": [
        *(flows.fail, flow("webhook_async_flow_fails", FAILING, publish=False), "flow_fail_04_lock_and_publish"),
        *("webhook_async_flow_fails", run("run_odd_FAILED_Failing_import", "FAILED"), "run_odd_FAILED_Failing_import"),
        *("run_retry_from_failed_step", settle, "run_get_after_retry_from_failed_step", "run_retry_missing_project"),
        *("run_retry_unknown", "run_retry_on_latest", "webhook_sync_flow_fails_500", settle),
        *("runs_list_limit_1000", "runs_list_limit_neg", "runs_bulk_retry_unknown_id"),
    ],
    "runs: parent and child": [
        imported("run_get_parent_after_child_failed", built(WAITING), built(code("step_2")), trigger=BUILT_CATCH),
        *(send("run_get_parent_after_child_failed", b'{"a": 1}'), run("run_get_parent_after_child_failed", "PAUSED")),
        *(flow("run_get_child_failed", FAILING), child, run("run_get_child_failed", "FAILED"), "run_get_child_failed"),
        "run_get_parent_after_child_failed",
    ],
    "runs: waiting for an approval": [
        flow("approval_01_run_paused", *APPROVED, trigger=PINNED_CATCH),
        *(send("approval_01_run_paused", b'{"order": 7}'), run("approval_01_run_paused", "PAUSED")),
        *("approval_01_run_paused", of_nothing("approval_02_unknown_waitpoint"), "approval_02_unknown_waitpoint"),
        *(of_nothing("approval_25_unknown_run"), "approval_25_unknown_run"),
        *(
            send("approval_01_run_paused", b'{"order": 8}'),
            run("approval_35_retry_paused", "PAUSED", lambda output: output.get("body") == {"order": 8}),
        ),
        *("approval_35_retry_paused", settle, "approval_36_run_after_retry"),
    ],
    "runs: paused": [
        imported("run_get_PAUSED", built(WAITING), built(code("step_2")), trigger=BUILT_CATCH),
        *(send("run_get_PAUSED", b'{"a": 2}'), run("run_get_PAUSED", "PAUSED"), "run_get_PAUSED"),
        *("runs_cancel_missing_project", "runs_cancel_unknown", "runs_cancel", "run_get_after_cancel"),
    ],
    "runs: delayed": [
        *("flow_delay_01_create", trigger("flow_delay_01_create")),
        *("flow_delay_03_add_action_1_step_1", "flow_delay_03_add_action_2_step_2", "flow_delay_04_lock_and_publish"),
        *("webhook_async_delay_flow", run("run_odd_SUCCEEDED_Delayed_flow", "SUCCEEDED")),
        "run_odd_SUCCEEDED_Delayed_flow",
    ],
    "runs: slow": [
        *(*SLOW, setting(queue_time=100_000), *[send("flow_slow_04_lock_and_publish", b'{"n": 1}')] * 3),
        *(run("run_get_QUEUED", "QUEUED"), "run_get_QUEUED", "runs_list_queued", "runs_cancel_queued"),
        *("run_get_after_cancel_queued", setting(queue_time=0.02), send("flow_slow_04_lock_and_publish", b'{"n": 3}')),
        *(run("run_get_cancel_running_later", "RUNNING"), "runs_cancel_running"),
        *(reached("run_get_cancel_running_later", "SUCCEEDED"), "run_get_cancel_running_later"),
        send("flow_slow_04_lock_and_publish", b'{"x": 1}'),
        *(run("run_odd_SUCCEEDED_Slow_flow_35_s", "SUCCEEDED", raw('{"x": 1}')), "run_odd_SUCCEEDED_Slow_flow_35_s"),
    ],
    "runs: a cursor that loses runs": [
        *(*SLOW, *[send("flow_slow_04_lock_and_publish", b'{"n": 1}')] * 7, settle),
        *(apart(0.1, 0.2, 10.1, 10.2, 10.3, 10.4, 60), "runs_cursor_loss_1_all", "runs_cursor_loss_2_page_1"),
        "runs_cursor_loss_3_page_2",
    ],
    "runs: taking too long": [
        *(setting(flow_limit=100, report_after=1), *HANGING, run("run_odd_RUNNING_Endless_flow", "RUNNING")),
        lambda player: until(lambda: player.practice.runs()[0]["startTime"]),
        *("run_odd_RUNNING_Endless_flow", reached("run_odd_TIMEOUT_Endless_flow", "TIMEOUT")),
        *("run_odd_TIMEOUT_Endless_flow", "runs_list_after_timeout", "runs_list_timeout"),
    ],
    "runs: a log that is too large": [
        *(imported("run_get_RUNNING", HUGE, trigger=BUILT_CATCH), send("run_get_RUNNING", b'{"x": 1}')),
        *(run("run_get_RUNNING", "RUNNING"), "run_get_RUNNING", "run_odd_RUNNING_Huge_answer_log_too_large"),
        *("run_get_no_auth", settle, "run_retry_running", settle, send("run_get_RUNNING", b"{}", **MARKED), settle),
        run("run_odd_LOG_SIZE_EXCEEDED_Huge_answer_log_too_large", "LOG_SIZE_EXCEEDED", raw("{}")),
        "run_odd_LOG_SIZE_EXCEEDED_Huge_answer_log_too_large",
    ],
    "runs: code that brings itself down": [
        *("flow_memory_01_create", trigger("flow_memory_01_create")),
        *("flow_memory_03_add_action_1_step_1", "flow_memory_04_lock_and_publish", "webhook_async_memory_flow"),
        *(run("run_get_FAILED", "FAILED"), "run_get_FAILED", "run_odd_FAILED_Memory_hog", "flow_exit_01_create"),
        *(trigger("flow_exit_01_create"), "flow_exit_03_add_action_1_step_1"),
        *(operate("webhook_async_exit_flow", "LOCK_AND_PUBLISH", {}), "webhook_async_exit_flow"),
        *(run("run_odd_FAILED_Process_exit", "FAILED"), "run_odd_FAILED_Process_exit", "webhook_sync_exit_flow"),
    ],
    "runs: code that does not compile": [
        *("flow_syntax_01_create", "flow_syntax_02_update_trigger"),
        add(
            "flow_syntax_01_create", "trigger", code("step_1", "Bad", "export const code = async (inputs => { return ;")
        ),
        *("flow_syntax_04_lock_and_publish", "webhook_async_syntax_flow"),
        *(run("run_odd_FAILED_Syntax_error_code", "FAILED"), "run_odd_FAILED_Syntax_error_code"),
    ],
    "runs: a killed runner": [
        *crashed("run_odd_INTERNAL_ERROR_Engine_killed", "INTERNAL_ERROR"),
        *crashed("run_odd_MEMORY_LIMIT_EXCEEDED_Kill_the_engine", "MEMORY_LIMIT_EXCEEDED"),
        *crashed("run_odd_MEMORY_LIMIT_EXCEEDED_Memory_hog_2", "MEMORY_LIMIT_EXCEEDED"),
        "runs_list_memory",
    ],
    "runs: going on after a failure": [
        imported(
            "run_odd_SUCCEEDED_Keeps_going_after_an_error",
            MAY_FAIL,
            built(response("step_2", {"ok": True})),
            trigger=BUILT_CATCH,
        ),
        send("run_odd_SUCCEEDED_Keeps_going_after_an_error", b"{}", **MARKED),
        run("run_odd_SUCCEEDED_Keeps_going_after_an_error", "SUCCEEDED"),
        "run_odd_SUCCEEDED_Keeps_going_after_an_error",
    ],
    "runs: a loop and a router": [
        imported("run_odd_SUCCEEDED_Check_orders", EACH, BIG_OR_SMALL, trigger=BUILT_CATCH),
        send("run_odd_SUCCEEDED_Check_orders", b'{"orders": [{"id": 1}, {"id": 2}], "total": 150}', **MARKED),
        *(run("run_odd_SUCCEEDED_Check_orders", "SUCCEEDED"), "run_odd_SUCCEEDED_Check_orders"),
        *("flow_import_01_create", "flow_import_02_import", "flow_import_03_publish"),
        send("flow_import_03_publish", b'{"qty": 12, "items": [{"qty": 1, "price": 2}, {"qty": 3, "price": 4}]}'),
        *(run("run_odd_SUCCEEDED_Imported_route_loop", "SUCCEEDED"), "run_odd_SUCCEEDED_Imported_route_loop"),
        "flow_import_06_run",
    ],
    "runs: many": [
        *(*ORDERS, *SILENT, *started("webhook_async", "webhook_form", times=4), "webhook_headers_parent_run"),
        *("webhook_own_header", "webhook_parent_run_bad_format", settle, *started("webhook_no_body", times=3), settle),
        *("runs_list", "runs_count_by_status"),
        *("runs_count_by_status_created_after", "runs_count_by_status_no_project", "runs_list_bad_status"),
        *("runs_list_created_after_future", "runs_list_created_bad_date", "runs_list_limit_nan"),
        *("runs_list_unknown_flow", "runs_list_unknown_project", "run_get_bad_id", "run_get_unknown_404"),
        *("runs_list_multi_status", setting(flow_limit=1_000_000, report_after=1_000_000), *HANGING, running),
        *(
            apart(0.1, 5, 10, 15, 20, 25, 30, 35),
            "runs_list_limit2",
            "runs_list_limit2_next",
            "runs_list_limit2_previous",
        ),
        *("runs_list_created_filters", "runs_list_running"),
    ],
    "runs: the old word for archived is not heard": [
        *(
            *SLOW,
            real_time,
            *[send("flow_slow_04_lock_and_publish", b'{"n": 1}')] * 3,
            all_running,
            "runs_list_archived",
        ),
    ],
    "runs: found by their ids": [
        *(*SILENT, *started("webhook_own_header", times=21), settle, many_ids, "runs_list_flow_run_ids_20"),
        *("runs_list_flow_run_ids_21_refused", "runs_list_flow_run_ids_brackets", "runs_list_flow_run_ids_comma"),
        lambda player: player.sign_up("stranger", "MEMBER"),
        *("member_run_get_other_project", "member_runs_other_project"),
    ],
    "runs: found by their ids, with parents": [
        *(*SILENT, *started("webhook_parent_run_only", times=3), "webhook_parent_run_bad_format", settle),
        *(four_ids, "runs_list_with_parent_run_id"),
    ],
}
EXEMPT: dict[str, str] = {}

"""The order in which the facts of 0.72.4 are played: each story on a fresh engine, with the steps the recordings left out.

Longer than 300 lines: it is the list of 304 facts in their order. A story is a list of fact names and of functions that get the player.
"""

from collections.abc import Callable
from datetime import timedelta

from practice_engine.ids import is_id, now, stamp
from tests.practice_engine.fixtures import until
from tests.practice_engine.player import WEBHOOK_TRIGGER, Player, code_step

Step = str | Callable[[Player], object]


def trigger(fact: str) -> Step:
    """The webhook trigger, where its setting was not recorded."""
    return lambda player: player.operate(fact, "UPDATE_TRIGGER", WEBHOOK_TRIGGER)


def publish(fact: str) -> Step:
    """The publishing, where it was not recorded."""
    return lambda player: player.operate(fact, "LOCK_AND_PUBLISH", {})


def add(fact: str, parent: str, **step: object) -> Step:
    """A step that was not recorded."""
    return lambda player: player.operate(fact, "ADD_ACTION", {"parentStep": parent, "action": step})


def start(fact: str, **payload: object) -> Step:
    """A trigger without waiting that was not recorded."""
    return lambda player: player.also("POST", player.flow_path(fact).replace("flows", "webhooks"), payload)


def settle(player: Player) -> None:
    """Wait for the runs."""
    player.settle()


def run(fact: str, status: str, flow: str, **given: str) -> Step:
    """Bind the run that a fact asks for; ``raw`` is its payload as text."""

    def fits(whole: dict[str, object]) -> bool:
        steps = whole["steps"]
        return "raw" not in given or (
            isinstance(steps, dict) and steps["trigger"]["output"].get("rawBody") == given["raw"]
        )

    return lambda player: player.bind_run(fact, status, flow, fits)


def spread(player: Player) -> None:
    """Put the runs in time as they were recorded: five in the last second, of which a cursor loses three, the rest long before."""
    with player.practice.engine.state.lock:
        newest_first = list(reversed(player.practice.engine.state.runs.values()))
        second = now().replace(microsecond=0)
        for number, row in enumerate(newest_first):
            late = timedelta(milliseconds=900 - 100 * number)
            row["created"] = stamp(second + (late if number < 5 else timedelta(seconds=-2 * number)))


def marked(player: Player) -> None:
    """Wait for the run with a marker."""
    until(lambda: any(run["parentRunId"] for run in player.practice.runs()))


def real_time(player: Player) -> None:
    """From here on an engine second is a second, so that what runs or pauses now still does at the end."""
    player.practice.engine.clock.scale = 1.0


def records(player: Player) -> None:
    """Bind the records that were made by one call, and so are not distinguished in its fact."""
    table = player.facts["records_list"]["query"]["tableId"]
    found = player.practice.call("GET", "/v1/records", params={"tableId": player.fill(table)}).json()["data"]
    asked = [player.facts["records_get"]["shape"]["id"], *player.facts["records_delete"]["body"]["ids"]]
    for place, record in zip(asked, found, strict=False):
        player.bound[place] = record["id"]


def limit(seconds: float) -> Step:
    """The recorded engine let a flow run for 20 s only."""
    return lambda player: setattr(player.practice.engine.settings, "flow_limit", seconds)


def gone(fact: str) -> Step:
    """Wait until a flow that is being deleted is gone."""

    def wait(player: Player) -> None:
        identity = player.fill(player.flow_path(fact)).rpartition("/")[2]
        assert is_id(identity)
        until(lambda: player.practice.call("GET", f"/v1/flows/{identity}").status_code == 404)

    return wait


def respond(fact: str, body: object, kind: str = "json") -> Step:
    """A response step that was not recorded."""
    settings = {
        "propertySettings": {},
        "pieceName": "@activepieces/piece-webhook",
        "pieceVersion": "~0.1.25",
        "actionName": "return_response",
        "input": {"responseType": kind, "fields": {"headers": {}, "body": body}, "respond": "stop"},
        "errorHandlingOptions": {"continueOnFailure": {"value": False}, "retryOnFailure": {"value": False}},
    }
    return add(
        fact, "trigger", name="step_1", valid=True, displayName="Return Response", type="PIECE", settings=settings
    )


ECHO = {**code_step("step_1", body="{{trigger['body']}}"), "displayName": "Echo"}
REPORT = {**code_step("step_1", 'export const code = async () => ({report:"ok"});'), "displayName": "Report"}
FORM = "id=F-1&x=y"
ORDERS = [f"flow_orders_{step}" for step in ("01_create", "02_update_trigger", "03_add_action_1_step_1")]
ORDERS += [f"flow_orders_{step}" for step in ("03_add_action_2_step_2", "04_lock_and_publish")]
TEAPOT = [
    f"flow_teapot_0{step}" for step in ("1_create", "2_update_trigger", "3_add_action_1_step_1", "4_lock_and_publish")
]

STORIES: dict[str, list[Step]] = {
    "folders": [
        *(
            "folders_list_empty",
            "folders_list_no_project",
            "folders_create",
            "folders_create_2",
            "folders_create_missing_name_400",
        ),
        *("folders_create_no_project", "folders_create_other_project_403", "folders_get", "folders_get_unknown_404"),
        *("folders_list", "folders_update", "flow_orders_01_create", "folders_update_restore"),
        *("folder_del_01_create", "folder_del_02_delete"),
    ],
    "orders": [
        *("folders_create", *ORDERS, "flow_orders_05_get", "flow_orders_06_change_status_disable"),
        *("webhook_async_disabled_flow", "webhook_sync_disabled_flow", "flow_orders_07_change_status_enable"),
        *("flows_list_folder", "flows_list_name", "flows_list_no_project", "flows_count", "flow_create_missing_name"),
        *("flow_get_bad_id", "flow_get_unknown", "err_method_not_allowed", "err_patch", "webhook_bad_id_format"),
        *("webhook_async", "webhook_with_bearer", "webhook_headers_parent_run", "webhook_form", "webhook_text_plain"),
        *("webhook_invalid_json", "webhook_sync_json_201", "webhook_sync_get_method", "webhook_sync_after_restart"),
        *("webhook_async_again", "webhook_test_endpoint", "trigger_events_list", settle),
        run("run_odd_FAILED_Order_intake", "FAILED", ORDERS[0], raw=FORM),
        *("run_odd_FAILED_Order_intake", "trigger_runs_status", "trigger_runs_status_2", "trigger_runs_status_noauth"),
        lambda player: player.operate(ORDERS[0], "CHANGE_NAME", {"displayName": "Order intake v2"}),
        *("flow_get_after_rename", "flow_get_published_version", "flow_template", "flow_op_missing_request"),
        *("flow_op_unknown_type", "flow_op_republish", "flow_op_update_metadata", "flow_get_for_versionid"),
        *("flow_get_orders_for_test", "test_trigger_missing_fields", "test_trigger_unknown_flow"),
        *("test_trigger_simulation_start", "test_trigger_cancel", "test_trigger_function_webhook"),
        *("piece_options", "piece_options_bad_prop"),
    ],
    "lists of one flow": ["folders_create", *ORDERS, "webhook_form", settle, "runs_list_by_flow"],
    "failing": [
        lambda player: player.make_flow("flow_fail_02_update_trigger", folder=True),
        *("flow_fail_02_update_trigger", "flow_fail_03_add_action_1_step_1", "flow_fail_04_lock_and_publish"),
        *("webhook_async_flow_fails", settle, run("run_get_FAILED", "FAILED", "flow_fail_04_lock_and_publish")),
        *(
            "run_get_FAILED",
            "run_retry_bad_strategy",
            "run_retry_missing_project",
            "run_retry_from_failed_step",
            settle,
        ),
        *("run_retry_on_latest", "runs_bulk_retry", settle, "run_odd_FAILED_Failing_import", "runs_archive"),
        "runs_list_archived",
    ],
    "delayed": [
        *("flow_delay_01_create", "flow_delay_02_update_trigger", "flow_delay_03_add_action_1_step_1"),
        *("flow_delay_03_add_action_2_step_2", "flow_delay_04_lock_and_publish", "webhook_async_delay_flow"),
        run("run_get_PAUSED", "PAUSED", "flow_delay_01_create"),
        *("run_get_PAUSED", "runs_list_paused", "runs_cancel", "run_get_after_cancel", "run_odd_CANCELED_Delayed_flow"),
        *("webhook_async_delay_flow_2", run("run_odd_PAUSED_Delayed_flow", "PAUSED", "flow_delay_01_create")),
        *("run_odd_PAUSED_Delayed_flow", "webhook_sync_delay_flow_response"),
        lambda player: player.bind_run("run_odd_PAUSED_Delayed_flow", "SUCCEEDED", "flow_delay_01_create"),
        "runs_list_paused_2",
    ],
    "slow": [
        *("flow_slow_01_create", trigger("flow_slow_01_create"), "flow_slow_03_add_action_1_step_1"),
        *("flow_slow_03_add_action_2_step_2", "flow_slow_04_lock_and_publish", start("flow_slow_01_create", x=1)),
        run("run_get_RUNNING", "RUNNING", "flow_slow_01_create"),
        *("runs_list_running", "run_get_RUNNING"),
    ],
    "no response": [
        *("flow_noresp_01_create", trigger("flow_noresp_01_create")),
        add("flow_noresp_01_create", "trigger", **ECHO),
        *("flow_noresp_04_lock_and_publish", "webhook_sync_no_response_step"),
    ],
    "responding and going on": [
        *("flow_respond_01_create", "flow_respond_02_update_trigger", "flow_respond_03_add_action_1_step_1"),
        *("flow_respond_03_add_action_2_step_2", "flow_respond_04_lock_and_publish"),
    ],
    "plain text": [
        *(
            "flow_raw_01_create",
            "flow_raw_02_update_trigger",
            "flow_raw_03_add_action_1_step_1",
            publish("flow_raw_01_create"),
        ),
        *("webhook_sync_raw_text", run("run_odd_SUCCEEDED_Raw_text_response", "SUCCEEDED", "flow_raw_01_create")),
        "run_odd_SUCCEEDED_Raw_text_response",
    ],
    "redirect": [
        *("flow_redirect_01_create", "flow_redirect_02_update_trigger"),
        respond("flow_redirect_01_create", "127.0.0.1:4200/done", "redirect"),
        *("flow_redirect_04_lock_and_publish", "webhook_sync_redirect"),
        run("run_odd_SUCCEEDED_Redirect_response", "SUCCEEDED", "flow_redirect_01_create"),
        "run_odd_SUCCEEDED_Redirect_response",
    ],
    "a flow that answers 422": [
        *(*TEAPOT, "webhook_sync_422", run("run_get_SUCCEEDED", "SUCCEEDED", TEAPOT[0])),
        *("run_get_SUCCEEDED", "run_retry_succeeded", settle, "run_odd_SUCCEEDED_Error_response_flow"),
    ],
    "an empty draft": [
        *("flow_draft_01_create", "flow_draft_publish_invalid", "webhook_async_published_but_draft_flow"),
        lambda player: player.make_flow("flow_teapot_01_create"),
        lambda player: player.operate("flow_draft_01_create", "CHANGE_FOLDER", {"folderId": None}),
        "err_trailing_slash",
    ],
    "carrying on": [
        *("flow_continue_01_create", "flow_continue_02_update_trigger"),
        add(
            "flow_continue_01_create",
            "trigger",
            **{
                **code_step("step_1", 'export const code = async () => { throw new Error("soft"); };'),
                "displayName": "May fail",
            },
        ),
        *("flow_continue_03_add_action_2_step_2", "flow_continue_05_update_action", "flow_continue_06_publish"),
        *(
            "flow_continue_07_sync",
            run("run_odd_SUCCEEDED_Continue_on_failure", "SUCCEEDED", "flow_continue_01_create"),
        ),
        "run_odd_SUCCEEDED_Continue_on_failure",
    ],
    "taking too long": [
        *(
            limit(20),
            "flow_timeout_01_create",
            trigger("flow_timeout_01_create"),
            "flow_timeout_03_add_action_1_step_1",
        ),
        *(publish("flow_timeout_01_create"), start("flow_timeout_01_create", x=1)),
        run("run_odd_TIMEOUT_Endless_flow", "TIMEOUT", "flow_timeout_01_create"),
        "run_odd_TIMEOUT_Endless_flow",
    ],
    "taking all memory": [
        *("flow_memory_01_create", trigger("flow_memory_01_create"), "flow_memory_03_add_action_1_step_1"),
        *("flow_memory_04_lock_and_publish", "webhook_async_memory_flow"),
        run("run_odd_MEMORY_LIMIT_EXCEEDED_Memory_hog", "MEMORY_LIMIT_EXCEEDED", "flow_memory_01_create"),
        "run_odd_MEMORY_LIMIT_EXCEEDED_Memory_hog",
    ],
    "ending the worker": [
        *("flow_exit_01_create", "flow_exit_02_update_trigger", "flow_exit_03_add_action_1_step_1"),
        *("flow_exit_04_lock_and_publish", "webhook_async_exit_flow"),
        run("run_odd_INTERNAL_ERROR_Process_exit", "INTERNAL_ERROR", "flow_exit_01_create"),
        "run_odd_INTERNAL_ERROR_Process_exit",
    ],
    "code that does not compile": [
        *("flow_syntax_01_create", "flow_syntax_02_update_trigger", "flow_syntax_03_add_action_1_step_1"),
        *(publish("flow_syntax_01_create"), "webhook_async_syntax_flow"),
        run("run_odd_FAILED_Syntax_error_code", "FAILED", "flow_syntax_01_create"),
        "run_odd_FAILED_Syntax_error_code",
    ],
    "a piece that is not there": [
        *("flow_badpiece_01_create", "flow_badpiece_02_update_trigger", "flow_badpiece_03_add_action_1_step_1"),
        "flow_badpiece_04_lock_and_publish",
    ],
    "schedule": [
        *("flow_schedule_01_create", "flow_schedule_02_update_trigger"),
        add("flow_schedule_01_create", "trigger", **REPORT),
        *("flow_schedule_04_lock_and_publish", "flow_get_schedule", "flow_schedule_05_status_ENABLED"),
        "test_trigger_function_schedule",
    ],
    "import": [
        *("flow_import_01_create", "flow_import_02_import", "flow_import_03_publish", "flow_import_04_sync", settle),
        *("flow_import_05_runs", "flow_import_06_run", "run_odd_SUCCEEDED_Imported_route_and_loop"),
    ],
    "delete": [
        real_time,  # else it may be gone before it is deleted again
        *("flow_del_01_create", "flow_del_02_delete", "flow_del_03_get_right_after", "flow_del_04_delete_again"),
        *(gone("flow_del_01_create"), "flow_del_05_get_later", "flow_del_06_delete_later", "flow_del_unknown"),
    ],
    "many runs": [
        *("folders_create", *ORDERS, *TEAPOT, "flow_draft_01_create", *("webhook_async",) * 12, "webhook_form"),
        *("flow_slow_01_create", trigger("flow_slow_01_create"), "flow_slow_03_add_action_1_step_1"),
        *("flow_slow_03_add_action_2_step_2", "flow_slow_04_lock_and_publish", "flow_delay_01_create"),
        *("flow_delay_02_update_trigger", "flow_delay_03_add_action_1_step_1", "flow_delay_03_add_action_2_step_2"),
        *("flow_delay_04_lock_and_publish", settle, *("webhook_async",) * 3, settle, real_time),
        *(start("flow_slow_01_create", x=1), run("run_get_RUNNING", "RUNNING", "flow_slow_01_create")),
        *(start("flow_delay_01_create", x=1), run("run_get_PAUSED", "PAUSED", "flow_delay_01_create")),
        *(spread, "runs_list", "runs_list_limit2", "runs_list_limit2_next", "runs_list_limit2_previous"),
        *("runs_list_after_odd", "runs_list_bad_cursor", "runs_list_bad_status", "runs_list_created_filters"),
        *(
            "runs_list_limit_0",
            "runs_list_limit_1000",
            "runs_list_limit_nan",
            "runs_list_limit_neg",
            "runs_list_multi_status",
        ),
        *("run_get_bad_id", "run_get_unknown_404", "webhook_headers_parent_run", marked, "runs_list_final"),
    ],
    "many flows": [
        *("folders_create", *ORDERS),
        lambda player: player.make_flow("flow_fail_02_update_trigger", folder=True),
        *("flow_fail_02_update_trigger", "flow_fail_03_add_action_1_step_1", "flow_fail_04_lock_and_publish"),
        *("flow_noresp_01_create", trigger("flow_noresp_01_create")),
        add("flow_noresp_01_create", "trigger", **ECHO),
        *("flow_noresp_04_lock_and_publish", "flow_slow_01_create", trigger("flow_slow_01_create")),
        *("flow_slow_03_add_action_1_step_1", "flow_slow_03_add_action_2_step_2", "flow_slow_04_lock_and_publish"),
        *("flow_respond_01_create", "flow_respond_02_update_trigger", "flow_respond_03_add_action_1_step_1"),
        *("flow_respond_03_add_action_2_step_2", "flow_respond_04_lock_and_publish"),
        *(
            "flow_raw_01_create",
            "flow_raw_02_update_trigger",
            "flow_raw_03_add_action_1_step_1",
            publish("flow_raw_01_create"),
        ),
        *("flow_redirect_01_create", "flow_redirect_02_update_trigger"),
        respond("flow_redirect_01_create", "127.0.0.1:4200/done", "redirect"),
        *("flow_redirect_04_lock_and_publish", *TEAPOT, "flow_delay_01_create", "flow_delay_02_update_trigger"),
        *("flow_delay_03_add_action_1_step_1", "flow_delay_03_add_action_2_step_2", "flow_delay_04_lock_and_publish"),
        *("flow_schedule_01_create", "flow_schedule_02_update_trigger"),
        add("flow_schedule_01_create", "trigger", **REPORT),
        *("flow_schedule_04_lock_and_publish", "flow_draft_01_create", "flow_draft_publish_invalid"),
        *("flows_list", "flows_list_limit3", "flows_count"),
    ],
    "connections": [
        *("conn_list_empty", "conn_list_no_project", "conn_upsert_custom_auth_pastebin", "conn_upsert_custom_auth"),
        *("conn_upsert_secret_text", "conn_upsert_secret_text_http", "conn_upsert_basic_auth", "conn_upsert_bad_type"),
        *("conn_upsert_same_external_id_update", "conn_upsert_empty_secret", "conn_upsert_missing_value"),
        *("conn_upsert_unknown_piece", "conn_list_piece", "conn_list_status", "conn_owners", "conn_get_by_id_route"),
        *("conn_update_name", "conn_delete_by_external_id", "conn_delete", "conn_delete_again", "conn_delete_unknown"),
    ],
    "tables": [
        *(
            "tables_list_empty",
            "tables_create",
            "tables_create_dup",
            "tables_get",
            "tables_get_unknown",
            "tables_update",
        ),
        *("tables_list_for_delete", "table_del", "table_del_again", "fields_create_TEXT", "fields_create_NUMBER"),
        *("fields_create_DATE", "fields_create_dropdown", "fields_create_bad_type", "fields_get", "fields_get_unknown"),
        *("fields_list", "fields_list_no_table", "fields_update", "records_create", "records_create_number_value"),
        *("records_create_invalid_number_text", "records_create_bad_dropdown_value", "records_create_unknown_field"),
        *("records_create_unknown_table", "records_create_flat_shape_400", "records_list_no_table"),
        *("records_list_limit5", "records_list_filter", "records_list_filter_gt", "records_list_unknown_table"),
        *(
            records,
            "records_list",
            "records_get",
            "records_get_unknown",
            "records_update_missing_table",
            "tables_export",
        ),
        *("records_delete", "records_delete_no_body", "records_delete_unknown", "fields_delete"),
    ],
    "MCP servers": [
        *(
            "mcp_list_empty",
            "mcp_list_no_project",
            "mcp_create",
            "mcp_create_missing_name",
            "mcp_get",
            "mcp_get_unknown",
        ),
        *("mcp_rotate_empty_json_body", "mcp_update", "mcp_list", "mcp_rotate_unknown", "mcp_create_2", "mcp_delete"),
        "mcp_delete_again",
    ],
    "invitations": [
        *("invites_list_no_type", "invites_list_platform", "invites_list_project", "invites_create_platform"),
        *("invites_list_platform_after", "invites_delete", "invites_delete_unknown"),
    ],
    "pieces": [
        *(
            "pieces_list",
            "pieces_list_anonymous",
            "pieces_limit_param_ignored",
            "pieces_categories",
            "pieces_suggestions",
        ),
        *("piece_get_short_name", "piece_get_unknown"),
    ],
    "refusals": [
        *(
            "err_no_auth_flows",
            "err_no_auth_flow_runs",
            "err_bad_token",
            "err_bad_token_flow_runs",
            "err_bad_token_pieces",
        ),
        *(
            "err_bearer_sk_invalid",
            "err_lowercase_bearer",
            "err_tampered_token",
            "err_api_key_header",
            "err_x_api_key_header",
        ),
        *(
            "err_other_project_403",
            "err_route_not_found",
            "err_api_prefix_direct_3000",
            "users_projects",
            "project_get",
        ),
    ],
}

# Facts that cannot be played, each with its reason.
EXEMPT = {
    "pieces_list_empty": "recorded before the engine had loaded its pieces; the practice engine always has its own",
}

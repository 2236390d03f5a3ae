"""Stories of 0.83.0 about webhooks: bodies of every kind, waiting calls, passwords, drafts, resumed waits, trigger tests."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.practice_engine.player import Player
from tests.practice_engine.stories_072 import Step, settle

from . import flows
from .scenes import flow, imported, no_run, operate, practised, raw, run, same_run, send, version
from .trees import FULL_CATCH, MANUAL, catch, code, response

#: The flow of which most was recorded, published.
ORDERS: list[Step] = [*flows.ORDERS, "flow_get_orders_for_test"]
SILENT: list[Step] = [
    *("flow_noresp_01_create", "flow_noresp_02_update_trigger", "flow_noresp_03_add_action_1_step_1"),
    "flow_noresp_04_lock_and_publish",
]
PARENT = "webhook_headers_parent_run"
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="a2"\r\n\r\nx\r\n--x--\r\n'
)
UNKNOWN_APP = response("step_1", {})
UNKNOWN_APP["settings"] = {**UNKNOWN_APP["settings"], "pieceName": "@activepieces/piece-never-heard-of"}
PASSWORD = catch(
    input={"authType": "header", "authFields": {"headerName": "x-key", "headerValue": "the right one"}},
    propertySettings={"authType": MANUAL, "authFields": MANUAL},
)


def has(*keys: str) -> Any:
    """The run whose body has these keys, and no others."""
    return lambda output: isinstance(output.get("body"), dict) and set(output["body"]) == set(keys)


def file_token(player: Player) -> None:
    """Remember the token of the file that came in parts."""
    whole = player.practice.call("GET", player.fill(player.facts["run_get_body_multipart_file"]["path"])).json()
    address = whole["steps"]["trigger"]["output"]["body"]["upload"]
    player.words["<token>"] = parse_qs(urlsplit(address).query)["token"][0]


def resume_address(player: Player) -> None:
    """Remember where the waiting run is called again."""
    whole = player.practice.call("GET", player.fill(player.facts["wait_03_run_paused"]["path"])).json()
    address = whole["steps"]["step_1"]["output"]["nextWebhookUrl"]
    player.words["nhggjeyzvqf"] = urlsplit(address).path.split("/")[-2]


STORIES: dict[str, list[Step]] = {
    "webhooks: orders": [
        *(*ORDERS, "webhook_async", "webhook_sync_json_201", "webhook_form", "webhook_form_sync"),
        *("webhook_text_plain", "webhook_invalid_json", "webhook_sync_get_method", PARENT, "webhook_bad_id_format"),
        *("webhook_unknown_flow_async", "webhook_unknown_flow_sync", "webhook_draft_async", "webhook_draft_sync"),
        *("webhook_test_endpoint", settle, run("run_get_body_form", "FAILED", raw("id=F-2&items="))),
        *("run_get_body_form", run("run_get_body_text_plain", "FAILED", raw("hello")), "run_get_body_text_plain"),
        *("run_odd_FAILED_Order_intake_v2", "runs_list_by_flow", "runs_list_failed_step_name"),
        *("trigger_events_list", "trigger_events_list_limit1", "trigger_events_save_mock"),
        *("trigger_events_list_no_project", "form_get_not_a_form", "step_files_upload"),
    ],
    "webhooks: archived and retried": [
        *(*ORDERS, "webhook_async", "webhook_form_sync", "webhook_async", PARENT, settle),
        run("run_get_archived", "SUCCEEDED", raw('{"id": "P", "items": []}')),
        same_run("run_retry_succeeded_from_failed_step", "run_get_archived"),
        *("run_retry_succeeded_from_failed_step", settle, "runs_archive", "run_get_archived"),
        *("runs_list_archived_run_by_id_hidden", "runs_list_archived_run_by_id_shown", "runs_list_include_archived"),
    ],
    "webhooks: a flow that is off": [
        *(*ORDERS, operate("webhook_async", "CHANGE_STATUS", {"status": "DISABLED"}), "webhook_async_disabled_flow"),
        *("webhook_draft_sync_disabled_flow", "webhook_test_disabled_flow"),
    ],
    "webhooks: trigger tests": [
        *(*ORDERS, version("test_trigger_simulation_start"), "test_trigger_simulation_start"),
        *("webhook_during_simulation", "test_trigger_cancel"),
        *("test_trigger_cancel_again", "test_trigger_cancel_no_project", "test_trigger_bad_strategy"),
        *("test_trigger_missing_fields", "test_trigger_no_project", "test_trigger_unknown_flow"),
        *("trigger_runs_status", "trigger_runs_status_noauth"),
    ],
    "webhooks: bodies": [
        *(*SILENT, "webhook_no_body", "webhook_json_content_type_no_body", "webhook_get_async", "webhook_put_async"),
        *("webhook_octet_stream", "webhook_multipart_file_and_fields", "webhook_own_header"),
        *("webhook_parent_run_bad_format", "webhook_parent_run_only", "webhook_raw_payload_header"),
        *(
            "webhook_too_large_413",
            send("webhook_no_body", b"[1, 2, 3]"),
            send("webhook_no_body", b"<a>1</a>", "text/xml"),
        ),
        *(send("webhook_no_body", PARTS, "multipart/form-data; boundary=x"), settle),
        *(run("run_get_body_json_array", "SUCCEEDED", raw("[1, 2, 3]")), "run_get_body_json_array"),
        *(run("run_get_body_multipart", "SUCCEEDED", has("a", "a2")), "run_get_body_multipart"),
        run("run_get_body_multipart_file", "SUCCEEDED", has("a", "note", "upload")),
        *("run_get_body_multipart_file", file_token, "step_files_signed_download", "step_files_signed_bad_token"),
        *(run("run_get_body_no_body", "SUCCEEDED", raw("")), "run_get_body_no_body"),
        *(run("run_get_body_octet_stream", "SUCCEEDED", has("fileUrl")), "run_get_body_octet_stream"),
        *(run("run_get_body_parent_run", "SUCCEEDED", raw('{"id": "P-2"}')), "run_get_body_parent_run"),
        *(run("run_get_body_put_method", "SUCCEEDED", raw('{"m": "put"}')), "run_get_body_put_method"),
        *(run("run_get_body_raw_payload", "SUCCEEDED", has("z")), "run_get_body_raw_payload", "run_get_SUCCEEDED"),
        *(run("run_get_body_xml", "SUCCEEDED", raw("<a>1</a>")), "run_get_body_xml"),
        *("webhook_sync_no_response_step", settle, "runs_list_limit_0"),
    ],
    "webhooks: answers": [
        *("flow_raw_01_create", "flow_raw_02_update_trigger", "flow_raw_03_add_action_1_step_1"),
        *(operate("flow_raw_02_update_trigger", "LOCK_AND_PUBLISH", {}), "webhook_sync_raw_text"),
        *(run("run_odd_SUCCEEDED_Raw_text_response", "SUCCEEDED"), "run_odd_SUCCEEDED_Raw_text_response"),
        *("flow_redirect_01_create", "flow_redirect_02_update_trigger", "flow_redirect_03_add_action_1_step_1"),
        *("flow_redirect_04_lock_and_publish", "webhook_sync_redirect"),
        *(run("run_odd_SUCCEEDED_Redirect_response", "SUCCEEDED"), "run_odd_SUCCEEDED_Redirect_response"),
        *("flow_respond_01_create", "flow_respond_02_update_trigger", "flow_respond_03_add_action_1_step_1"),
        *("flow_respond_03_add_action_2_step_2", "flow_respond_04_lock_and_publish"),
        "webhook_sync_respond_and_continue",
        *(run("run_odd_SUCCEEDED_Respond_and_continue", "SUCCEEDED"), "run_odd_SUCCEEDED_Respond_and_continue"),
        *(
            flow("webhook_sync_422", publish=False),
            "flow_teapot_03_add_action_1_step_1",
            "flow_teapot_04_lock_and_publish",
        ),
        "webhook_sync_422",
    ],
    "webhooks: passwords": [
        flow(
            "webhook_header_auth_missing_async",
            response("step_1", {"in": True}),
            trigger=PASSWORD,
        ),
        *("webhook_header_auth_missing_async", no_run("webhook_header_auth_missing_async")),
        *("webhook_header_auth_missing_sync", "webhook_header_auth_wrong_sync", settle, "webhook_header_auth_runs"),
        *(run("webhook_header_auth_wrong_run_get", "SUCCEEDED"), "webhook_header_auth_wrong_run_get"),
    ],
    "webhooks: never published": [
        flow("webhook_async_never_published", response("step_1", {"price": "{{trigger.body.items}}"}), publish=False),
        *("webhook_async_never_published", "webhook_sync_never_published", "webhook_draft_sync_never_published"),
    ],
    "webhooks: nothing to run": [
        *(imported("webhook_async_unknown_piece_flow", UNKNOWN_APP), "webhook_async_unknown_piece_flow"),
        no_run("webhook_async_unknown_piece_flow"),
        *("flow_badpiece_01_create", "flow_badpiece_02_update_trigger", "flow_badpiece_04_lock_and_publish"),
        "webhook_async_badpiece_flow",
        imported("webhook_async_invalid_published_flow", {**code("step_1"), "valid": False}),
        "webhook_async_invalid_published_flow",
    ],
    "webhooks: called again": [
        *(flow("wait_02_sync_call", trigger=FULL_CATCH, publish=False), "wait_01_add_action_respond_and_wait"),
        operate(
            "wait_02_sync_call",
            "ADD_ACTION",
            {"parentStep": "step_1", "action": practised("step_2", "echo", got="{{step_1}}")},
        ),
        operate(
            "wait_02_sync_call",
            "ADD_ACTION",
            {"parentStep": "step_2", "action": response("step_3", {"finished": True})},
        ),
        operate("wait_02_sync_call", "LOCK_AND_PUBLISH", {}),
        *("wait_02_sync_call", run("wait_03_run_paused", "PAUSED"), "wait_03_run_paused", resume_address),
        *("wait_04_resume", settle, "wait_05_run_after_resume", "wait_06_resume_again"),
    ],
    "webhooks: a schedule": [
        flow(
            "test_trigger_function_schedule",
            practised("step_1", "echo"),
            trigger={
                **FULL_CATCH,
                "settings": {
                    "pieceName": "@activepieces/piece-schedule",
                    "pieceVersion": "~0.1.5",
                    "triggerName": "every_hour",
                    "input": {"run_on_weekends": True},
                    "propertySettings": {},
                },
            },
        ),
        *(version("test_trigger_function_schedule"), "test_trigger_function_schedule"),
    ],
}
EXEMPT: dict[str, str] = {}

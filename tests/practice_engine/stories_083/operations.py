"""Stories of 0.83.0 about operations on a flow's version: triggers, steps, branches, notes, samples, imports, publishing.

Much of it is answered with 200 and is not what was asked for: outline and digest of the tree tell.
"""

from datetime import timedelta

from practice_engine.ids import now, stamp
from tests.practice_engine.player import Json, Player
from tests.practice_engine.stories_072 import Step

from .trees import (
    BIG,
    FULL_CATCH,
    HANDLING,
    MANUAL,
    STORE,
    add,
    code,
    flow,
    grown,
    keep_first_user,
    loop,
    made,
    operate,
    piece,
    publish,
    response,
    router,
)

ADD, UPDATE, DELETE, MOVE = (
    "op_add_action_insert_between",
    "op_update_action_code",
    "op_delete_action_one",
    "op_move_action_after",
)
VERSIONS = "op_lock_flow"
IMPORT, PLAIN, INVALID = (
    "op_import_flow_schema_null",
    "op_import_flow_tilde_versions",
    "op_lock_and_publish_invalid_step",
)
SAMPLES = "op_save_sample_data_output_json"
CASE, APPS = "op_update_action_router_case_false_text", "op_import_flow_not_installed_no_version"
FIRST, SECOND = "sample_import_01_save_trigger", "sample_import_10_piece_and_code_before"
RUN = {"skip": False}
MADE: Json = code("step_1", "Make one", "export const code = async () => ({a:1});") | RUN
NTFY: Json = {
    "name": "step_1",
    "type": "PIECE",
    "valid": False,
    "skip": False,
    "displayName": "Tell",
    "settings": {
        "pieceName": "@activepieces/piece-ntfy",
        "pieceVersion": "0.2.4",
        "actionName": "send_notification",
        "input": {"auth": "{{connections['ntfy-office']}}", "topic": "orders", "message": "x"},
        "propertySettings": dict.fromkeys(("auth", "topic", "message"), MANUAL),
        "errorHandlingOptions": HANDLING,
    },
}
STATUS_SCHEMA = {"status": {"type": "NUMBER", "required": False, "displayName": "Status", "defaultValue": 200}}


def seconds_apart(player: Player) -> None:
    """The recorded versions were made in different seconds, else a cursor loses them."""
    with player.practice.engine.state.lock:
        for number, row in enumerate(reversed(player.practice.engine.state.versions.values())):
            row["created"] = stamp(now() - timedelta(seconds=2 * number))


def delete_and_bring_back(player: Player) -> None:
    """The step without its sample, then with the id of the file that it had."""
    place = player.fill(player.flow_path(SECOND))
    step = player.practice.call("GET", place).json()["version"]["trigger"]["nextAction"]["nextAction"]
    samples = step["settings"].pop("sampleData")
    player.operate(SECOND, "DELETE_ACTION", {"names": ["step_2"]})
    player.operate(SECOND, "ADD_ACTION", {"parentStep": "step_1", "action": step})
    player.operate(SECOND, "UPDATE_SAMPLE_DATA_INFO", {"stepName": "step_2", "sampleDataSettings": samples})


def bring_back(player: Player) -> None:
    """The samples that an import took from the steps."""
    for step, place in (("step_1", "<id:455>"), ("step_2", "<id:456>")):
        samples = {"sampleDataFileId": place}
        player.operate(SECOND, "UPDATE_SAMPLE_DATA_INFO", {"stepName": step, "sampleDataSettings": samples})


STORIES: dict[str, list[Step]] = {
    "operations: trigger": [
        *("op_trigger_flow_create", "op_update_trigger_webhook", "op_update_trigger_webhook_header_auth"),
        *("op_update_trigger_schedule_every_day", "op_update_trigger_schedule_cron"),
        *("op_update_trigger_schedule_every_x_minutes", "op_update_trigger_schedule_every_week"),
        add("op_update_trigger_webhook", "trigger", code("step_1", "First")),
        *("op_update_trigger_keeps_next_action", "op_update_trigger_other_name", "op_update_trigger_empty"),
        *("op_update_trigger_missing_input", "op_update_trigger_extra_input_key"),
        *("op_update_trigger_no_property_settings", "op_update_trigger_no_trigger_name"),
    ],
    "operations: versions of pieces": [
        *(
            flow("op_update_trigger_exact_version"),
            "op_update_trigger_exact_version",
            "op_update_trigger_caret_version",
        ),
        *("op_update_trigger_tilde_older_version", "op_update_trigger_version_word"),
    ],
    "operations: add": [
        *(flow(ADD), "op_add_action_code_after_trigger", "op_add_action_piece_after_step"),
        *("op_add_action_insert_between", "op_add_action_loop", "op_add_action_inside_loop"),
        *("op_add_action_inside_loop_first_again", "op_add_action_after_loop", "op_add_action_router"),
        "op_add_action_inside_branch_0",
        add(ADD, "step_8", response("step_10", {"size": "small"}), "INSIDE_BRANCH", 1),
        add(ADD, "step_9", code("step_11", "Second in branch")),
        *("op_add_action_loop_inside_branch", "op_add_action_router_inside_loop", "op_add_action_with_skip"),
        *("op_add_action_piece_with_auth_input", "op_add_action_piece_no_action_name"),
        add(ADD, "step_15", piece("step_17", "Put", STORE, "put", {"key": "k"})),
        *(
            "op_add_action_piece_extra_input",
            "op_add_action_code_valid_false",
            "op_add_action_router_no_condition_values",
        ),
        "op_add_action_loop_empty_items",
        add(ADD, "step_15", router("step_22", "With children", BIG)),
        *("op_add_action_unknown_parent", "op_add_action_duplicate_name", "op_add_action_loop_parent_no_location"),
        *("op_add_action_inside_branch_out_of_range", "op_add_action_inside_branch_no_index"),
        *("op_add_action_inside_branch_negative", "op_add_action_inside_loop_of_code"),
        add(ADD, "step_1", code("step_31"), "INSIDE_BRANCH", 0),
        *("op_add_action_inside_true", "op_add_action_inside_false", "op_add_action_code_no_source"),
        *("op_add_action_bad_type", "op_add_action_bad_name", "op_add_action_name_with_dash"),
        *("op_add_action_name_trigger", "op_add_action_no_display_name", "op_add_action_unknown_piece"),
        add(ADD, "step_1", piece("step_39", "step_39", STORE, "levitate", {})),
        "op_add_flow_get",
    ],
    "operations: names": [
        *(flow("op_add_action_free_name", name="Names"), add("op_add_action_free_name", "trigger", code("step_0"))),
        "op_add_action_free_name",
        operate("op_add_action_free_name", "DUPLICATE_ACTION", stepName="fetch_prices"),
        "op_add_action_with_last_updated_date",
        add(
            "op_add_action_free_name",
            "trigger",
            response(
                "step_6",
                {"ok": True},
                propertySettings={
                    "responseType": MANUAL,
                    "respond": MANUAL,
                    "fields": {**MANUAL, "schema": STATUS_SCHEMA},
                },
            ),
        ),
        *("op_add_action_property_settings_dynamic", "op_add_action_bad_property_settings"),
    ],
    "operations: update": [
        *(
            grown(UPDATE),
            "op_update_action_code",
            "op_update_action_code_continue_on_failure",
            "op_update_action_piece",
        ),
        operate(
            UPDATE,
            "UPDATE_ACTION",
            **piece(
                "step_9",
                "Remember",
                STORE,
                "put",
                {"key": "last", "value": "{{step_1.items}}", "store_scope": "PROJECT"},
                propertySettings={"key": MANUAL, "value": MANUAL, "store_scope": MANUAL},
            ),
        ),
        *("op_update_action_unknown_piece", "op_update_action_loop_items"),
        *("op_update_action_router_conditions", "op_update_action_router_more_branches"),
        *("op_update_action_router_fewer_branches", "op_update_action_router_no_fallback"),
        *("op_update_action_router_one_value_operators", "op_update_action_router_bad_branch_type"),
        operate(
            UPDATE,
            "UPDATE_ACTION",
            **router(
                "step_5", "By kind", ("a", [[{"operator": "TEXT_CONTAINS", "firstValue": "", "secondValue": ""}]])
            ),
        ),
        *("op_update_action_skip_true", "op_update_action_code_missing_input"),
        *("op_update_action_change_type_code_to_loop", "op_update_action_change_type_router_to_code"),
        *("op_update_action_with_next_action_in_body", "op_update_action_with_sample_data_in_body"),
        *("op_update_action_unknown_step", operate(UPDATE, "UPDATE_ACTION", **code("trigger"))),
        "op_update_action_custom_logo",
    ],
    "operations: delete": [
        *(grown(DELETE), "op_delete_action_one", "op_delete_action_in_loop", "op_delete_action_in_branch_first"),
        *("op_delete_action_unknown", "op_delete_action_name_not_names", "op_delete_action_names_string"),
        *(operate(DELETE, "DELETE_ACTION", names=["step_9"]), "op_delete_action_trigger"),
        *("op_delete_action_empty_names", "op_delete_action_loop_with_children"),
        *(grown("op_delete_action_several"), "op_delete_action_several", "op_delete_action_parent_and_child"),
    ],
    "operations: move": [
        *(grown(MOVE), "op_move_action_after", "op_move_action_unknown_step", "op_move_action_inside_loop"),
        *("op_move_action_out_of_loop", "op_move_action_inside_branch", "op_move_action_between_branches"),
        operate(MOVE, "MOVE_ACTION", name="step_1", newParentStep="trigger", stepLocationRelativeToNewParent="AFTER"),
        *("op_move_action_loop_with_children", "op_move_action_router_after_response"),
        "op_move_flow_get_after_unknown_parent",
        *(grown("op_move_action_after_itself"), "op_move_action_after_itself"),
        *(grown("op_move_action_into_own_child"), "op_move_action_into_own_child"),
        *(grown("op_move_action_branch_out_of_range"), "op_move_action_trigger", "op_move_action_branch_out_of_range"),
        *(grown("op_move_action_router_no_location"), "op_move_action_router_no_location"),
    ],
    "operations: duplicate": [
        *(grown("op_duplicate_action_code"), "op_duplicate_action_unknown", "op_duplicate_action_trigger"),
        *("op_duplicate_action_code", "op_duplicate_action_piece_at_end", "op_duplicate_action_loop"),
        *("op_duplicate_action_router", "op_duplicate_action_in_branch"),
    ],
    "operations: skip": [
        *(grown("op_set_skip_one"), "op_set_skip_one", "op_set_skip_several", "op_set_skip_missing_skip"),
        operate("op_set_skip_one", "SET_SKIP_ACTION", names=["step_1", "step_2"], skip=False),
        *("op_set_skip_unknown", "op_set_skip_trigger"),
    ],
    "operations: branches": [
        *(grown("op_add_branch_before_fallback"), "op_add_branch_before_fallback", "op_add_branch_with_conditions"),
        *("op_add_branch_after_fallback", "op_add_branch_no_name"),
        operate(
            "op_add_branch_before_fallback", "ADD_BRANCH", stepName="step_5", branchIndex=-1, branchName="Negative"
        ),
        operate("op_add_branch_before_fallback", "ADD_BRANCH", stepName="step_5", branchIndex=40, branchName="Far"),
        *("op_add_branch_unknown_step", "op_add_branch_not_a_router"),
        *(grown("op_move_branch"), "op_move_branch", "op_move_branch_back", "op_move_branch_fallback"),
        *("op_move_branch_onto_fallback", "op_move_branch_out_of_range", "op_duplicate_branch"),
        *("op_duplicate_branch_empty", "op_duplicate_branch_fallback", "op_duplicate_branch_out_of_range"),
        *(grown("op_delete_branch_with_steps"), "op_delete_branch_with_steps", "op_delete_branch_out_of_range"),
        *("op_delete_branch_not_a_router", "op_delete_branch_unknown_step", "op_delete_branch_fallback"),
    ],
    "operations: samples": [
        *(grown(SAMPLES), SAMPLES, "op_save_sample_data_bad_type", "op_save_sample_data_unknown_step"),
        operate(SAMPLES, "SAVE_SAMPLE_DATA", stepName="step_1", payload={"a": 1}, type="INPUT"),
        operate(SAMPLES, "SAVE_SAMPLE_DATA", stepName="step_3", payload="text", type="OUTPUT"),
        *("op_save_sample_data_with_old_data_type_key", "op_save_sample_data_trigger"),
        *("op_update_action_keeps_sample_data", operate(SAMPLES, "DUPLICATE_ACTION", stepName="step_1")),
        *("op_update_sample_data_info_set", "op_update_sample_data_info_null", "op_update_sample_data_info_missing"),
    ],
    "operations: versions and notes": [
        *(
            keep_first_user,
            grown(VERSIONS, name="Ops versions"),
            "op_lock_flow",
            "op_change_name_after_lock_makes_draft",
        ),
        "op_lock_and_publish_with_status_disabled",
        operate(VERSIONS, "CHANGE_STATUS", status="ENABLED"),
        operate(VERSIONS, "CHANGE_NAME", displayName="Ops versions, third"),
        *(
            seconds_apart,
            "flow_versions_limit1",
            "flow_versions_limit1_next",
            "op_use_as_draft",
            "op_use_as_draft_unknown",
        ),
        "flow_versions_after_draft",
        *("op_lock_and_publish_again", "op_change_status_disabled", "op_change_status_enabled", "op_change_status_bad"),
        *("op_change_folder_unknown", "op_change_folder_empty_text"),
        operate(VERSIONS, "CHANGE_NAME", displayName=""),
        *("op_update_metadata", "op_update_metadata_null", "op_update_metadata_text"),
        *("op_update_minutes_saved", "op_update_minutes_saved_null", "op_update_minutes_saved_text"),
        *("op_update_owner_self", "op_update_owner_missing", "op_update_owner_unknown"),
        *("op_add_note", "op_add_note_no_id"),
        operate(
            VERSIONS,
            "ADD_NOTE",
            id="note_2",
            content="<b>bold</b>",
            color="blue",
            position={"x": 100, "y": 50},
            size={"width": 200, "height": 120},
        ),
        *("op_add_note_same_id", "op_update_note", "op_update_note_without_owner", "op_delete_note"),
        *("op_delete_note_unknown", "flow_template_branches_loop_notes"),
    ],
    "operations: folder": [
        *("folders_create", flow("op_change_folder"), "op_change_folder", "op_change_folder_missing"),
        "op_change_folder_null",
    ],
    "operations: import": [
        *(
            flow(IMPORT),
            "op_import_flow_from_template_file",
            "op_import_flow_no_notes_key",
            "op_import_flow_schema_null",
        ),
        *("op_import_flow_schema_old_8", "op_import_flow_no_last_updated", "op_import_flow_no_schema_key"),
        *("op_import_flow_no_trigger", "op_import_flow_bad_trigger", "op_import_flow_unknown_piece"),
        *("op_import_flow_get_after_unknown_piece", "op_import_flow_duplicate_names", "op_unknown_extra_keys"),
        *("op_lower_case_type", "op_json_content_type_no_body", "op_no_auth"),
    ],
    "operations: import of plain trees": [
        *(flow(PLAIN), "op_import_flow_plain_tree_schema_20", "op_import_flow_plain_tree_schema_null", PLAIN),
        *("op_import_flow_file_of_0_72_4", "op_import_flow_unknown_step_type"),
        *("op_import_flow_publish_unknown_piece_first", "op_lock_and_publish_with_unknown_piece"),
        "webhook_async_unknown_piece_flow",
        *(flow("op_import_flow_unknown_piece_valid_false"), "op_import_flow_unknown_piece_valid_false"),
        "op_import_flow_known_piece_wrong_input_valid_true",
    ],
    "operations: conditions": [
        *(flow(CASE), add(CASE, "trigger", router("step_1", "Which one?", ("Branch", [])))),
        *(f"op_update_action_router_case_false_{kind}" for kind in ("text", "number", "date", "one_value")),
        *("op_update_action_router_case_false_one_value_with_second", "op_update_action_router_case_true_number"),
        *("op_update_action_router_no_case_text", "op_update_action_router_case_false_no_operator"),
        *("op_update_action_router_case_false_mixed_row", "op_update_action_router_case_null"),
        *("op_update_action_router_unknown_operator", "op_update_action_router_number_as_number"),
        *(
            "op_update_action_router_empty_values",
            "op_add_branch_case_false_number",
            "op_import_flow_case_false_number",
        ),
        *(f"op_update_minutes_saved_{kind}" for kind in ("12_5", "huge", "negative", "null_after_value", "zero")),
        *("op_update_minutes_saved_key_missing", "op_update_minutes_saved_get_after"),
    ],
    "operations: import of apps": [
        *(made(APPS), APPS, "op_import_flow_not_installed_no_version_get_after"),
        *("op_import_flow_not_installed_no_version_schema_20", "op_import_flow_not_installed_version_null"),
        *("op_import_flow_not_installed_version_empty", "op_import_flow_not_installed_version"),
        *("op_import_flow_not_installed_version_tilde", "op_import_flow_installed_no_version"),
        *("op_import_flow_installed_no_version_schema_20", "op_import_flow_installed_other_version"),
        *("op_import_flow_not_installed_trigger_no_version", "op_import_flow_not_installed_trigger_version"),
    ],
    "operations: samples and imports": [
        *(flow(FIRST, name="Samples and import"), add(FIRST, "trigger", MADE)),
        add(FIRST, "step_1", code("step_2", "Use it", "export const code = async (i) => i;", a="{{step_1.a}}") | RUN),
        *(publish(FIRST), FIRST, "sample_import_01_save_step_1", "sample_import_02_flow_before"),
        *("sample_import_03_get_before", "sample_import_04_import_same_tree", "sample_import_05_flow_after"),
        "sample_import_06_get_after",
        operate(
            FIRST,
            "UPDATE_SAMPLE_DATA_INFO",
            stepName="step_1",
            sampleDataSettings={"sampleDataFileId": "<id:450>"},
        ),
        "sample_import_08_get_after_info_set_back",
    ],
    "operations: samples of an app and of code": [
        made(SECOND),
        operate(
            SECOND,
            "IMPORT_FLOW",
            displayName="Samples and import 2",
            trigger=FULL_CATCH | {"nextAction": NTFY | {"nextAction": MADE | {"name": "step_2"}}},
            schemaVersion="8",
            notes=[],
        ),
        publish(SECOND),
        operate(SECOND, "UPDATE_SAMPLE_DATA_INFO", stepName="step_1", sampleDataSettings=None),
        operate(SECOND, "UPDATE_SAMPLE_DATA_INFO", stepName="step_2", sampleDataSettings=None),
        *(
            operate(SECOND, "SAVE_SAMPLE_DATA", stepName=name, payload={"from": name}, type="OUTPUT")
            for name in ("trigger", "step_1", "step_2")
        ),
        *(SECOND, "sample_import_11_import_same_tree", bring_back, "sample_import_12_info_set_back_all"),
        *("sample_import_13_import_schema_null", "sample_import_14_undo_set_back_trigger"),
        "sample_import_14_undo_set_back_step_1",
        operate(
            SECOND, "UPDATE_SAMPLE_DATA_INFO", stepName="step_2", sampleDataSettings={"sampleDataFileId": "<id:456>"}
        ),
        *(f"sample_import_15_undo_get_{name}" for name in ("trigger", "step_1", "step_2")),
        *(delete_and_bring_back, "sample_import_16_after_delete_action_get"),
    ],
    "operations: publishing what is invalid": [
        *(grown(INVALID), operate(INVALID, "UPDATE_ACTION", **loop("step_2", "No items", "")), INVALID),
        *("op_lock_and_publish_bad_status", "webhook_async_invalid_published_flow"),
    ],
}
EXEMPT: dict[str, str] = {}

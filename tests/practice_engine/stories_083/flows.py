"""Stories of 0.83.0 about flows: made, shown, listed, published, exported, deleted. Operations: ``operations.py``."""

from tests.practice_engine.player import Player
from tests.practice_engine.stories_072 import Step, gone, real_time, run, start

from .trees import add, code, grown, made, publish, response, trigger

TOTAL = "{{step_1['total']}}"
ANSWER = {"ok": True, "id": "{{trigger['body']['id']}}", "total": TOTAL}
SCHEDULE = {
    "name": "trigger",
    "valid": True,
    "displayName": "Every Hour",
    "type": "PIECE_TRIGGER",
    "settings": {
        "propertySettings": {},
        "pieceName": "@activepieces/piece-schedule",
        "pieceVersion": "~0.1.5",
        "triggerName": "every_hour",
        "input": {"run_on_weekend": True},
    },
}
#: A flow with a folder, two steps and a published version, as far as it was recorded.
ORDERS: list[Step] = [
    *("folders_create", "flow_orders_01_create", trigger("flow_orders_01_create")),
    "flow_orders_03_add_action_1_step_1",
    add("flow_orders_01_create", "step_1", response("step_2", ANSWER, 201, headers={"x-order-total": TOTAL})),
    "flow_orders_04_lock_and_publish",
]


def fail(player: Player) -> None:
    """A flow whose making and step were not recorded, and its trigger was."""
    player.make_flow("flow_fail_02_update_trigger", folder=True, name="Failing import")


SOFT = code("step_1", "May fail", 'export const code = async () => { throw new Error("soft"); };')
THROWS = 'export const code = async (inputs) => {\n  throw new Error("Cannot parse row 7: missing column sku");\n};'

STORIES: dict[str, list[Step]] = {
    "flows: orders": [
        *(*ORDERS, "flow_orders_05_get", "flow_orders_07_change_status_enable", "flow_get_orders_for_test"),
        *("flow_op_missing_request", "flow_op_unknown_type", "flow_op_change_name", "flow_get_after_rename"),
        *("flow_op_update_metadata", "flow_op_republish"),
    ],
    "flows: exported": [*ORDERS, "flow_template", "flow_template_unknown"],
    "flows: an empty draft": [
        *("flow_draft_01_create", "flow_draft_enable_without_publish", "flow_draft_publish_invalid"),
        "flow_draft_get_after_publish_attempt",
    ],
    "flows: made": [
        *("folders_create", "flow_create_in_folder_by_name", "flow_create_empty_name", "flow_create_unknown_folder_id"),
        *("flow_versions_unknown_flow", "flows_count", "flows_count_project"),
    ],
    "flows: deleted": [
        *(real_time, "flow_del_01_create", "flow_del_02_delete", "flow_del_03_get_right_after"),
        *("flow_del_04_delete_again", "flow_del_unknown"),
        *(grown("flow_del_published_01_delete", name="Delete me"), publish("flow_del_published_01_delete")),
        *("flow_del_published_01_delete", "flow_del_published_02_get_at_once", "flow_del_published_03_delete_again"),
        *("flow_del_published_04_op_at_once", "flow_del_published_05_webhook", gone("flow_del_published_01_delete")),
        "flow_del_published_06_get_later",
    ],
    "flows: carrying on": [
        *("flow_continue_01_create", "flow_continue_02_update_trigger", "flow_continue_03_add_action_1_step_1"),
        *("flow_continue_03_add_action_2_step_2", "flow_continue_05_update_action"),
    ],
    "flows: delayed": [
        *("flow_delay_01_create", trigger("flow_delay_01_create"), "flow_delay_03_add_action_1_step_1"),
        *("flow_delay_03_add_action_2_step_2", "flow_delay_04_lock_and_publish"),
    ],
    "flows: code of every kind": [
        *("flow_exit_01_create", trigger("flow_exit_01_create"), "flow_exit_03_add_action_1_step_1"),
        *("flow_memory_01_create", trigger("flow_memory_01_create"), "flow_memory_03_add_action_1_step_1"),
        "flow_memory_04_lock_and_publish",
        *("flow_syntax_01_create", "flow_syntax_02_update_trigger"),
        add(
            "flow_syntax_01_create", "trigger", code("step_1", "Bad", "export const code = async (inputs => { return ;")
        ),
        "flow_syntax_04_lock_and_publish",
        *(made("flow_timeout_02_update_trigger"), "flow_timeout_02_update_trigger"),
        *("flow_timeout_03_add_action_1_step_1", "flow_timeout_04_lock_and_publish"),
        *(fail, "flow_fail_02_update_trigger"),
        add("flow_fail_02_update_trigger", "trigger", code("step_1", "Parse", THROWS)),
        "flow_fail_04_lock_and_publish",
    ],
    "flows: answering": [
        *("flow_noresp_01_create", "flow_noresp_02_update_trigger", "flow_noresp_03_add_action_1_step_1"),
        "flow_noresp_04_lock_and_publish",
        *("flow_raw_01_create", "flow_raw_02_update_trigger", "flow_raw_03_add_action_1_step_1"),
        *("flow_redirect_01_create", "flow_redirect_02_update_trigger", "flow_redirect_03_add_action_1_step_1"),
        "flow_redirect_04_lock_and_publish",
        *("flow_respond_01_create", "flow_respond_02_update_trigger", "flow_respond_03_add_action_1_step_1"),
        *("flow_respond_03_add_action_2_step_2", "flow_respond_04_lock_and_publish"),
        *("flow_slow_01_create", "flow_slow_02_update_trigger", "flow_slow_03_add_action_1_step_1"),
        *("flow_slow_03_add_action_2_step_2", "flow_slow_04_lock_and_publish"),
        *(made("flow_teapot_03_add_action_1_step_1"), trigger("flow_teapot_03_add_action_1_step_1")),
        *("flow_teapot_03_add_action_1_step_1", "flow_teapot_04_lock_and_publish"),
    ],
    "flows: a piece that is not there": [
        *("flow_badpiece_01_create", "flow_badpiece_02_update_trigger", "flow_badpiece_04_lock_and_publish"),
    ],
    "flows: schedule": [
        *(made("flow_schedule_05_status_DISABLED"), trigger("flow_schedule_05_status_DISABLED", SCHEDULE)),
        add(
            "flow_schedule_05_status_DISABLED",
            "trigger",
            code("step_1", "Report", 'export const code = async () => ({report:"ok"});'),
        ),
        *(publish("flow_schedule_05_status_DISABLED"), "flow_schedule_05_status_DISABLED"),
        *("flow_schedule_05_status_ENABLED", "flow_get_schedule"),
    ],
    "flows: imported": [
        *("flow_import_01_create", "flow_import_02_import", "flow_import_03_publish"),
        start("flow_import_01_create", qty=12, items=[{"qty": 1, "price": 2}, {"qty": 3, "price": 4}]),
        *(run("flow_import_06_run", "SUCCEEDED", "flow_import_01_create"), "flow_import_06_run"),
    ],
}
EXEMPT: dict[str, str] = {}

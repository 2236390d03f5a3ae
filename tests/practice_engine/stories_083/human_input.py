"""Stories of 0.83.0 about forms and chats, the sample data of steps, and the test of one step."""

from typing import Any

from tests.practice_engine.player import Json
from tests.practice_engine.stories_072 import Step, settle

from .scenes import flow, made, operate, reached, run, version
from .trees import MANUAL, code, grown


def form(wait: bool, *fields: tuple[str, str, str, bool]) -> Json:
    """A form's trigger: label, kind, help, and whether it must be filled in."""
    inputs = [
        {"displayName": label, "type": kind, "description": words, "required": must}
        for label, kind, words, must in fields
    ]
    given: Json = {"about": "", "response": "", "waitForResponse": wait, "inputs": inputs}
    settings: Json = {
        "pieceName": "@activepieces/piece-forms",
        "pieceVersion": "~0.4.14",
        "triggerName": "form_submission",
    }
    settings |= {"input": given, "propertySettings": {"waitForResponse": MANUAL, "inputs": MANUAL}}
    return {"name": "trigger", "valid": True, "displayName": "Web Form", "type": "PIECE_TRIGGER", "settings": settings}


OUTPUT = "sample_data_get_output"


def sample(step: str, payload: Any, kind: str = "OUTPUT") -> Step:
    """Save a sample of a step."""
    return operate(OUTPUT, "SAVE_SAMPLE_DATA", {"stepName": step, "payload": payload, "type": kind})


STORIES: dict[str, list[Step]] = {
    "forms: a form": [
        *(made("form_01_update_trigger"), "form_get_before_trigger", "form_01_update_trigger", "form_02_add_action"),
        *("form_get_draft_never_published", "form_get_draft_use_draft", "form_get_bad_id", "form_get_unknown_flow"),
        *(operate("form_get", "LOCK_AND_PUBLISH", {}), "form_get", "form_submit_async_json"),
        *(run("form_run_get_2", "SUCCEEDED"), "form_run_get_2", "form_submit_async_multipart_with_file"),
        *(run("form_run_get_1", "SUCCEEDED", lambda output: "attachment" in output), "form_run_get_1"),
        *("form_submit_missing_toggle", settle, "form_runs_list"),
    ],
    "forms: a form that answers": [
        flow(
            "form_wait_get",
            trigger=form(True, ("Full name", "text", "As in the passport", True), ("Message", "text_area", "", False)),
            publish=False,
        ),
        *("form_wait_02_add_return_response", operate("form_wait_get", "LOCK_AND_PUBLISH", {}), "form_wait_get"),
        *("form_wait_submit_sync", "form_wait_submit_draft_sync"),
    ],
    "forms: a chat": [
        *(made("chat_01_update_trigger"), "chat_01_update_trigger", "chat_get_not_published", "chat_get_use_draft"),
    ],
    "sample data": [
        grown("op_save_sample_data_output_json"),
        *(sample("step_1", {"items": [{"x": 1}, {"x": 2}]}), sample("step_1", {"items": []}, "INPUT")),
        *(sample("step_3", "just text"), sample("step_4", {"a": 1}), sample("trigger", {"body": {"total": 5}})),
        operate(OUTPUT, "UPDATE_ACTION", code("step_1", "Prepare", "export const code = async () => ({})")),
        *(operate(OUTPUT, "DUPLICATE_ACTION", {"stepName": "step_1"}), version(OUTPUT)),
        *("sample_data_get_output", "sample_data_get_input", "sample_data_get_string", "sample_data_get_none_saved"),
        *("sample_data_get_no_type", "sample_data_get_unknown_step", "sample_data_test_step"),
        *(reached("sample_data_test_step_run_get", "SUCCEEDED"), "sample_data_test_step_run_get"),
        "sample_data_test_step_unknown",
    ],
}
EXEMPT: dict[str, str] = {}

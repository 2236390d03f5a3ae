"""Stories of 0.83.0 about lists of flows, and about the second user, who saw the first one's."""

from tests.practice_engine.player import Json, Player
from tests.practice_engine.stories_072 import Step

from .flows import ANSWER, ORDERS
from .trees import (
    FULL_CATCH,
    MANUAL,
    add,
    catch,
    code,
    flow,
    grown,
    keep_first_user,
    loop,
    operate,
    piece,
    publish,
    response,
)

HEADER = catch(
    input={"authType": "header", "authFields": {"headerName": "x-key", "headerValue": "k"}},
    propertySettings={"authType": MANUAL, "authFields": MANUAL},
)
NOTES = ("liveMarkdown", "syncMarkdown", "testMarkdown")
NOTED = catch(
    input={"authType": "none", "authFields": {}, **dict.fromkeys(NOTES, "")},
    propertySettings=dict.fromkeys(("authType", "authFields", *NOTES), MANUAL),
)
REFUSES = response(
    "step_1",
    {"error": "amount is missing"},
    422,
    propertySettings=dict.fromkeys(("responseType", "respond", "fields"), MANUAL),
)
DATE = "2026-01-01T00:00:00.000Z"


def live(name: str, tree: Json) -> Step:
    """A published flow whose making was not recorded; the tree goes in by an import, and so has samples noted."""

    def make(player: Player) -> None:
        project = {"projectId": player.practice.credentials.project_id}
        path = f"/v1/flows/{player.also('POST', '/v1/flows', {'displayName': name, **project}).json()['id']}"
        asked = {"displayName": name, "trigger": tree, "schemaVersion": "20"}
        player.also("POST", path, {"type": "IMPORT_FLOW", "request": asked})
        player.also("POST", path, {"type": "LOCK_AND_PUBLISH", "request": {}})

    return make


def chain(trigger: Json, *steps: Json, **more: bool) -> Json:
    """A trigger and its steps as a tree."""
    following: Json | None = None
    for step in reversed(steps):
        following = {**step, **more, "lastUpdatedDate": DATE, **({"nextAction": following} if following else {})}
    return {**trigger, "lastUpdatedDate": DATE, **({"nextAction": following} if following else {})}


def into_folder(player: Player) -> None:
    """The recorded flow was moved into a folder of its own."""
    made = {"displayName": "Texts", "projectId": player.practice.credentials.project_id}
    folder = player.also("POST", "/v1/folders", made).json()["id"]
    player.operate("flow_raw_01_create", "CHANGE_FOLDER", {"folderId": folder})


def stepwise(name: str, trigger: Json, *steps: Json, folder: str = "") -> Step:
    """The same, made step by step: what was not imported shows no samples."""

    def make(player: Player) -> None:
        made: Json = {"displayName": name, "projectId": player.practice.credentials.project_id}
        made |= {"folderName": folder} if folder else {}
        path = f"/v1/flows/{player.also('POST', '/v1/flows', made).json()['id']}"
        player.also("POST", path, {"type": "UPDATE_TRIGGER", "request": trigger})
        for parent, step in zip((trigger, *steps), steps, strict=False):
            asked = {"parentStep": parent["name"], "action": step}
            player.also("POST", path, {"type": "ADD_ACTION", "request": asked})
        player.also("POST", path, {"type": "LOCK_AND_PUBLISH", "request": {}})

    return make


#: Eleven published flows, so that a page of ten has a next one, the last changed last.
MANY: list[Step] = [
    live("The eleventh", chain(FULL_CATCH, code("step_1"))),
    *("flow_syntax_01_create", "flow_syntax_02_update_trigger"),
    add("flow_syntax_01_create", "trigger", code("step_1", "Bad", "export const code = async (inputs => { return ;")),
    "flow_syntax_04_lock_and_publish",
    *("flow_continue_01_create", "flow_continue_02_update_trigger", "flow_continue_03_add_action_1_step_1"),
    *("flow_continue_03_add_action_2_step_2", "flow_continue_05_update_action", publish("flow_continue_01_create")),
    *("flow_redirect_01_create", "flow_redirect_02_update_trigger", "flow_redirect_03_add_action_1_step_1"),
    "flow_redirect_04_lock_and_publish",
    *(flow("flow_teapot_03_add_action_1_step_1", catch()), "flow_teapot_03_add_action_1_step_1"),
    "flow_teapot_04_lock_and_publish",
    *("flow_slow_01_create", "flow_slow_02_update_trigger", "flow_slow_03_add_action_1_step_1"),
    *("flow_slow_03_add_action_2_step_2", "flow_slow_04_lock_and_publish"),
    *("flow_badpiece_01_create", "flow_badpiece_02_update_trigger", "flow_badpiece_04_lock_and_publish"),
    *("flow_import_01_create", "flow_import_02_import", "flow_import_03_publish"),
    live("Refuses with 422", chain(NOTED, REFUSES, skip=False)),
    *(
        "flow_raw_01_create",
        "flow_raw_02_update_trigger",
        "flow_raw_03_add_action_1_step_1",
        publish("flow_raw_01_create"),
    ),
    into_folder,
    *(*ORDERS, "flow_op_change_name", "flow_op_update_metadata", "flow_op_republish"),
]
ANSWERS = response("step_2", ANSWER, 201)
USES = piece(
    "step_1",
    "step_1",
    "discord",
    "send_message_webhook",
    {"auth": "{{connections['discord-main']}}", "content": "hi", "webhook_url": "http://127.0.0.1:9"},
    propertySettings=dict.fromkeys(("auth", "content", "webhook_url"), MANUAL),
)


def second_invited(player: Player) -> None:
    """The second user's invitation was not recorded."""
    asked = {"email": "second@example.com", "type": "PLATFORM", "platformRole": "ADMIN"}
    player.invite(asked)


def second_publishes(player: Player) -> None:
    """The second user tried to publish the empty flow."""
    path, body = player.fill(player.flow_path("two_users_01_first_edits")), {"type": "LOCK_AND_PUBLISH", "request": {}}
    token = {"Authorization": f"Bearer {player.tokens['colleague']}"}
    assert player.practice.call("POST", path, credential=token, json=body).status_code == 404


STORIES: dict[str, list[Step]] = {
    "lists: many flows": [
        *(*MANY, "flows_list", "flows_list_folder", "flows_list_folder_NULL", "flows_list_status_bad"),
        *("flows_list_external_ids", "flows_list_version_locked", "flows_list_version_draft"),
        stepwise("Check orders", catch(), code("step_1", items="{{x}}", currency="{{y}}"), ANSWERS, folder="Checks"),
        "flows_list_name",
    ],
    "lists: a slash at the end": [
        live("The second", chain(FULL_CATCH, code("step_1"))),
        *(live("Refuses with 422", chain(NOTED, REFUSES, skip=False)), "err_trailing_slash"),
    ],
    "lists: by connection": [
        *(flow("conn_flow_get_after_replace"), add("conn_flow_get_after_replace", "trigger", USES)),
        "flows_list_connection_external_ids",
    ],
    "lists: pages": [
        *[stepwise(name, FULL_CATCH, code("step_1")) for name in ("The seventh", "The sixth", "The fifth")],
        grown("op_lock_and_publish_invalid_step", name="Publish invalid"),
        operate("op_lock_and_publish_invalid_step", "UPDATE_ACTION", **loop("step_2", "No items", "")),
        "op_lock_and_publish_invalid_step",
        *[
            stepwise(name, HEADER, response("step_1", {"in": True}))
            for name in ("The third", "The second", "The first")
        ],
        *("flows_list_limit3", "flows_list_limit3_next"),
    ],
    "a second user": [
        *(
            keep_first_user,
            second_invited,
            "invites_accept",
            "sign_up_invited",
            "users_list_two",
            "user_deactivate_second_dry",
        ),
        *("project_create", "second_user_projects_list"),
        lambda player: player.make_flow("two_users_01_first_edits"),
        *("two_users_01_first_edits", "two_users_02_second_edits_at_once", "two_users_03_first_edits_again"),
        *(second_publishes, "op_update_owner_second_user"),
        *(*MANY, "second_user_flows_of_other_project"),
    ],
}
EXEMPT: dict[str, str] = {}

"""Stories of 0.83.0 about connections, pieces, folders, tables, records, MCP servers, invitations."""

from tests.practice_engine.player import Json, Player
from tests.practice_engine.stories_072 import Step

from . import trees
from .flows import ORDERS
from .trees import keep_first_user, signed_up


def add_date(player: Player) -> None:
    """The field of dates, whose making was not recorded; it is deleted in the end."""
    table = player.facts["fields_create_TEXT"]["body"]["tableId"]
    made = player.also("POST", "/v1/fields", {"name": "due", "type": "DATE", "tableId": table})
    player.bound[player.facts["fields_delete"]["path"].rpartition("/")[2]] = made.json()["id"]


def bind_records(player: Player) -> None:
    """Bind the records of the table, oldest first, to the places that the facts about single records name."""
    table = player.fill(player.facts["records_list"]["query"]["tableId"])
    found = player.practice.call("GET", "/v1/records", params={"tableId": table}).json()["data"]
    asked = [
        player.facts["records_get"]["shape"]["id"],
        player.facts["records_delete"]["body"]["ids"][0],
        player.facts["records_delete_wrong_table"]["body"]["ids"][0],
    ]
    for place, record in zip(asked, found, strict=False):
        player.bound[place] = record["id"]


def make_wrong_table(player: Player) -> None:
    """Another table than the one whose record is deleted by its name."""
    place = player.facts["records_delete_wrong_table"]["body"]["tableId"]
    project = player.practice.credentials.project_id
    player.bound[place] = player.also("POST", "/v1/tables", {"name": "Other", "projectId": project}).json()["id"]


def bind_flow(player: Player) -> None:
    """The flow that a table's webhook is for."""
    place = player.facts["tables_webhook_create"]["body"]["flowId"]
    project = player.practice.credentials.project_id
    player.bound[place] = player.also("POST", "/v1/flows", {"displayName": "F", "projectId": project}).json()["id"]


def one_field(fact: str) -> Step:
    """A table with one field, as ``fact`` found it, and the limits so small that the next thing is too much."""

    def make(player: Player) -> None:
        body = player.facts[fact]["body"]
        made = player.also("POST", "/v1/tables", {"name": "Full", "projectId": player.practice.credentials.project_id})
        player.bound[body["tableId"]] = made.json()["id"]
        field = player.also("POST", "/v1/fields", {"name": "a", "type": "TEXT", "tableId": made.json()["id"]})
        for cells in body.get("records", []):
            player.bound[cells[0]["fieldId"]] = field.json()["id"]
        player.practice.engine.settings.max_fields_per_table = player.practice.engine.settings.max_records_per_table = 1

    return make


def _fields(player: Player, table: str) -> dict[str, str]:
    found = player.practice.call("GET", "/v1/fields", params={"tableId": player.fill(table)}).json()
    return {field["externalId"]: field["id"] for field in found}


def bind_columns(player: Player) -> None:
    """The columns that the facts about records name; they were made with their table, whose answer does not name them."""
    body = player.facts["records_many_03_unknown_field"]["body"]
    found = _fields(player, body["tableId"])
    player.bound[body["records"][0][1]["fieldId"]] = found["col-customer"]
    number = player.facts["records_many_07_text_in_number"]["body"]
    player.bound[number["records"][0][0]["fieldId"]] = found["col-total"]


def create_with_bad_type(player: Player) -> None:
    """`tables_ext_09`, which was held back: 409, and the table is there."""
    fields = [{"name": "A", "type": "BOOL", "externalId": "a"}]
    body = {"name": "Bad3", "fields": fields, "projectId": player.practice.credentials.project_id}
    assert player.practice.call("POST", "/v1/tables", json=body).status_code == 409


def bind_item(player: Player) -> None:
    """The column of the 53 records."""
    body = player.facts["records_many_51_order"]["body"]
    player.bound[body["records"][0][0]["fieldId"]] = _fields(player, body["tableId"])["col-item"]


def compare_order(player: Player) -> None:
    """The order in which the 53 records were recorded."""
    table = player.fill(player.facts["records_many_51_order"]["body"]["tableId"])
    found = player.practice.call("GET", "/v1/records", params={"tableId": table, "limit": 100}).json()["data"]
    values = [next(cell["value"] for cell in row["cells"].values() if cell["value"]) for row in found]
    assert values[7:14] == ["row 07", "row 08", "row 50", "row 09", "row 51", "row 10", "row 52"]


def delete_stock(player: Player) -> None:
    table = player.fill(player.facts["tables_again_10_fields_gone"]["query"]["tableId"])
    assert player.practice.call("DELETE", f"/v1/tables/{table}").status_code < 300


def recreate_stock(player: Player) -> None:
    """The first of two tables of one external id."""
    player.also("POST", "/v1/tables", player.facts["tables_again_13_create_same_external_id_no_fields"]["body"])


def connect(external: str, piece: str) -> Step:
    """A connection whose making was not recorded."""
    value = {"type": "SECRET_TEXT", "secret_text": "s"}
    body: Json = {"externalId": external, "displayName": external, "type": "SECRET_TEXT", "value": value}
    body["pieceName"] = f"@activepieces/piece-{piece}"

    def make(player: Player) -> None:
        player.also("POST", "/v1/app-connections", {**body, "projectId": player.practice.credentials.project_id})

    return make


def use(connection: str) -> list[Step]:
    """The flow that uses this connection of Discord, whose making was not recorded."""
    fact = "conn_flow_get_after_replace"
    values = {"auth": f"{{{{connections['{connection}']}}}}", "content": "hi", "webhook_url": "http://127.0.0.1:9"}
    settings: Json = {"pieceName": "@activepieces/piece-discord", "pieceVersion": "0.2.0", "input": values}
    settings |= {"actionName": "send_message_webhook", "propertySettings": dict.fromkeys(values, trees.MANUAL)}
    settings["errorHandlingOptions"] = trees.HANDLING
    step = {"name": "step_1", "valid": True, "displayName": "step_1", "type": "PIECE", "settings": settings}
    return [trees.flow(fact), trees.add(fact, "trigger", step)]


def without(*pieces: str) -> Step:
    """An engine on which these pieces are not installed."""
    names = [f"@activepieces/piece-{piece}" for piece in pieces]
    return lambda player: setattr(player.practice.engine.settings, "missing_pieces", names)


STORIES: dict[str, list[Step]] = {
    "pieces": [
        *(
            "pieces_list",
            "pieces_list_anonymous",
            "pieces_limit_param_ignored",
            "pieces_list_category",
            "pieces_search",
        ),
        *("pieces_list_locale", "pieces_list_release_param", "pieces_list_sorted", "pieces_categories"),
        *("pieces_registry", "pieces_registry_no_params", "piece_get", "piece_get_urlencoded", "piece_get_short_name"),
        *("piece_get_bad_version", "piece_get_tilde_version", "piece_get_unknown_version", "piece_get_unknown"),
        *("piece_get_locale", "piece_get_store"),
    ],
    "pieces that are installed": [
        *(without("subflows", "forms"), signed_up("stranger", "MEMBER"), "member_piece_install", "piece_install"),
        *("piece_install_again", "piece_install_not_there", "piece_install_archive"),
    ],
    "choices of pieces": [
        *(*ORDERS, "flow_op_change_name", "piece_options", "piece_options_bad_prop", "piece_options_no_project"),
        *("piece_options_trigger", "piece_options_dropdown_no_auth"),
    ],
    "folders": [
        *("folders_list_no_project", "folders_create", "folders_create_2", "folders_create_no_project"),
        *("folders_create_other_project_403", "folders_get", "folders_get_unknown_404", "folders_list"),
        *("folders_update_restore", "folder_del_01_create", "folder_del_02_delete", "folder_del_03_again"),
    ],
    "connections": [
        *(connect("disc2", "discord"), "conn_list_before", "conn_list_no_project", "conn_list_status_bad"),
        *("conn_upsert_secret_text", "conn_upsert_secret_text_with_piece_version", "conn_upsert_basic_auth"),
        *("conn_upsert_bad_type", "conn_upsert_cloud_oauth2", "conn_upsert_custom_auth_missing_prop"),
        *("conn_upsert_empty_secret", "conn_upsert_missing_value", "conn_upsert_no_auth", "conn_upsert_no_project"),
        *("conn_upsert_oauth2_bad_code", "conn_upsert_platform_oauth2", "conn_upsert_type_other_than_piece"),
        *("conn_upsert_unknown_piece", "conn_list", "conn_list_limit1", "conn_list_piece", "conn_list_status"),
        *("conn_owners", "conn_get_by_id_route", "conn_update_name", "conn_update_name_empty"),
        *("conn_update_metadata", "conn_update_unknown", "conn_oauth2_authorization_url"),
        *("conn_replace_other_piece", "conn_replace_unknown", *use("discord-main"), "conn_list_with_flows"),
        *("conn_replace", "conn_flow_get_after_replace"),
        *("conn_delete_by_external_id", "conn_delete_unknown", "conn_delete_in_use", "conn_delete"),
    ],
    "invitations": [
        *(keep_first_user, "invites_list_no_type", "invites_list_project", "invites_create_project", "project_create"),
        *("invites_list_project_team", "invites_create_project_team", "invites_create_platform"),
        *("invites_create_platform_again_same_email", "invites_create_bad_role", "invites_list_platform_after"),
        *("invites_list_platform_pending", signed_up("stranger", "MEMBER"), "member_invites_list"),
        *("invites_accept_bad_token", "invites_delete", "invites_delete_unknown"),
    ],
    "tables": [
        *("tables_list_empty", "tables_list_no_project", "tables_create_no_project", "tables_create"),
        *("tables_create_dup", "tables_list_name"),
        *("folders_create", "tables_create_external_id_and_folder", "tables_get", "tables_get_unknown"),
        *("tables_list_external_ids", "tables_list_limit1", "tables_count", "tables_count_no_project", "tables_update"),
        *(
            "fields_create_TEXT",
            "fields_create_NUMBER",
            add_date,
            "fields_create_dropdown",
            "fields_create_dropdown_no_data",
        ),
        *("fields_create_duplicate_name", "fields_create_bad_type", "fields_create_unknown_table", "fields_get"),
        *("fields_get_unknown", "fields_list", "fields_list_no_table", "fields_update"),
        *("records_create", "records_create_ten", "records_create_empty", "records_create_number_value"),
        *("records_create_null_value", "records_create_invalid_number_text", "records_create_unknown_field"),
        *("records_create_unknown_table", "records_create_flat_shape_400", bind_records, "records_list"),
        *("records_list_filter", "records_list_filter_gt", "records_list_filter_co", "records_list_filter_exists"),
        *("records_list_filter_no_operator", "records_list_filter_bad_operator", "records_list_unknown_table"),
        *("records_get", "records_get_unknown", "records_update", "records_update_null_cell"),
        *("records_update_unknown", "records_update_missing_table", "tables_export", "tables_template"),
        *("records_delete", "records_delete_again", "records_delete_no_body", "records_delete_no_table_id"),
        *(
            "records_delete_unknown",
            make_wrong_table,
            "records_delete_wrong_table",
            "records_get_after_delete_by_wrong_table",
        ),
        *(bind_flow, "tables_webhook_create", "tables_webhook_delete", "table_clear", "records_list_after_clear"),
        *("fields_delete", "fields_delete_again", "table_del", "table_del_again"),
    ],
    "tables that are full": [
        *(one_field("fields_create_over_limit"), "fields_create_over_limit"),
        *(lambda player: setattr(player.practice.engine.settings, "max_fields_per_table", 100),),
        *(one_field("records_create_over_limit"), "records_create_over_limit"),
    ],
    "tables with external ids": [
        *("tables_ext_01_create_with_fields", bind_columns, "tables_ext_03_field_create_with_external_id"),
        *("tables_ext_06_create_same_external_id", "tables_ext_07_create_bad_external_id"),
        *("tables_ext_08_create_fields_without_external_id", create_with_bad_type, "tables_ext_10_list_after_bad_type"),
        *("records_many_03_unknown_field", "records_many_04_only_unknown_field"),
        *("records_many_05_external_id_as_field_id", "records_many_06_same_field_twice"),
        *("records_many_07_text_in_number", "records_many_08_empty_list"),
    ],
    "a table that is made again": [
        *("tables_again_01_create", bind_item, "records_many_51_order", compare_order, delete_stock),
        *("tables_again_10_fields_gone", "tables_again_11_records_gone"),
        *(recreate_stock, "tables_again_13_create_same_external_id_no_fields"),
        "tables_again_21_list_two_of_one_external_id",
    ],
    "MCP servers": [
        *("mcp_list", "mcp_create", "mcp_get", "mcp_update", "mcp_rotate", "mcp_delete"),
        *("mcp_project_get", "mcp_project_get_no_auth", "mcp_project_get_unknown_project"),
        *("mcp_project_update_tools", "mcp_project_update_bad_tools", "mcp_project_rotate"),
        *("mcp_platform_get", "mcp_platform_update_tools", "mcp_platform_rotate", "member_mcp_platform"),
        *("mcp_http_initialize", "mcp_http_initialize_platform", "mcp_http_tools_list"),
    ],
}
EXEMPT: dict[str, str] = {}

"""Where in the console each operation of the engine is done: the one list behind the table in docs/operations.md.

A place is `resource:list`, `resource:object`, `resource.action` or `url:name` of a page of its own. An operation without any is open,
unless REASONS says why it is meant to have none.
"""

#: By operation of the vendor's OpenAPI file (openapi.json: its operations, methods and paths).
OPERATIONS: dict[str, tuple[str, ...]] = {
    "listFlows": ("flows:list",),
    "createFlow": ("flows.new", "flows.duplicate", "flows.import"),
    "getFlow": ("flows:object",),
    "applyFlowOperation": ("flows.rename", "flows.publish", "flows.turn-on"),
    "deleteFlow": ("flows.delete",),
    "triggerFlow": ("url:flow_launch",),
    "triggerFlowSync": ("url:flow_launch",),
    "getTriggerRunStatus": ("triggers:list", "triggers:object"),
    "testTrigger": ("flows.test-trigger", "url:flow_trigger_test"),
    "listFlowRuns": ("runs:list",),
    "getFlowRun": ("runs:object",),
    "listFlowFolders": ("folders:list",),
    "createFlowFolder": ("folders.new",),
    "getFlowFolder": ("folders:object",),
    "updateFlowFolder": ("folders.rename",),
    "deleteFlowFolder": ("folders.delete",),
    "listConnections": ("connections:list",),
    "upsertConnection": ("url:connection_new", "pieces.connect", "connections.replace-secret"),
    "deleteConnection": ("connections.delete",),
    "listPieces": ("pieces:list",),
    "getPiece": ("pieces:object",),
    "getPiecePropertyOptions": ("url:piece_options",),
    "listTables": ("tables:list",),
    "getTable": ("tables:object",),
    "listRecords": ("url:table_records",),
    "createRecords": ("url:table_records_do",),
    "deleteRecords": ("url:table_record_do", "url:table_records_many"),
    "getRecord": ("url:table_record",),
    "updateRecord": ("url:table_record_do",),
    "listFields": ("tables:object",),
    "createField": ("tables.add-column",),
    "getField": ("url:table_field_do",),
    "updateField": ("url:table_field_do",),
    "deleteField": ("url:table_field_do",),
    "listMcpServers": ("mcp-servers:list",),
    "createMcpServer": ("mcp-servers.new",),
    "getMcpServer": ("mcp-servers:object",),
    "deleteMcpServer": ("mcp-servers.delete",),
    "rotateMcpToken": ("mcp-servers.rotate-token",),
    "listInvitations": ("invitations:list",),
    "deleteInvitation": ("invitations.delete",),
}
#: By method of the vendor's Python SDK, where it is not called as the operation is: the operation, or places.
METHODS: dict[str, str | tuple[str, ...]] = {
    "get_run": "getFlowRun",
    "list_runs": "listFlowRuns",
    "list_folders": "listFlowFolders",
    "create_folder": "createFlowFolder",
    "get_folder": "getFlowFolder",
    "update_folder": "updateFlowFolder",
    "delete_folder": "deleteFlowFolder",
    "get_connection": (),
    "list_channel_automation": ("channel-automations:list",),
    "resolve_project_id": ("url:credential_add",),
    "update_mcp_server": ("mcp-servers.rename", "mcp-servers.add-flow", "mcp-servers.remove-tool", "pieces.mcp-tool"),
}
#: By type of the operations on a flow (api.md 6.5; since 0.83: engine-0.83.md section 5), then calls that neither of the two has
#: (api.md 8.2, 6.4, 10.2).
MORE: dict[str, tuple[str, ...]] = {
    "CHANGE_NAME": ("flows.rename",),
    "CHANGE_FOLDER": ("flows.move",),
    "CHANGE_STATUS": ("flows.turn-on", "flows.turn-off"),
    "LOCK_AND_PUBLISH": ("flows.publish",),
    "LOCK_FLOW": (),
    "USE_AS_DRAFT": ("flows.use-as-draft",),
    "IMPORT_FLOW": ("flows.import", "flows.import-here", "flows.duplicate"),
    "UPDATE_METADATA": ("flows.tag",),
    "UPDATE_TRIGGER": (),
    "ADD_ACTION": (),
    "UPDATE_ACTION": (),
    "DELETE_ACTION": (),
    "MOVE_ACTION": (),
    "DUPLICATE_ACTION": (),
    "SET_SKIP_ACTION": (),
    "ADD_BRANCH": (),
    "DELETE_BRANCH": (),
    "DUPLICATE_BRANCH": (),
    "MOVE_BRANCH": (),
    "SAVE_SAMPLE_DATA": (),
    "UPDATE_SAMPLE_DATA_INFO": (),
    "ADD_NOTE": (),
    "UPDATE_NOTE": (),
    "DELETE_NOTE": (),
    "UPDATE_OWNER": (),
    "UPDATE_MINUTES_SAVED": (),
    "POST /v1/sample-data/test-step": (),
    "GET /v1/flows/{id}/template": ("url:flow_export",),
    "GET /v1/flows/{id}/versions": ("flows:object",),
    "POST /v1/flow-runs/{id}/retry": ("runs.retry", "runs.retry-latest"),
    "POST /v1/flow-runs/cancel": ("runs.cancel",),
    "POST /v1/flow-runs/archive": ("runs.archive",),
    "GET /v1/trigger-events": ("url:flow_trigger_test",),
    "DELETE /v1/test-trigger": ("url:flow_trigger_cancel",),
    "POST /v1/app-connections/replace": ("connections.replace",),
    "POST /v1/projects/{id}/mcp-server": ("mcp-servers.switch-tools",),
}
#: Why something has no place, where that is meant to be so.
REASONS: dict[str, str] = {
    "get_connection": "on no page: an Imbrace engine answers with the decrypted secret",
    "LOCK_FLOW": "part of publishing",
}
#: What the console would have to offer for the operations that are open, where it is not the operation itself.
OPEN: dict[str, str] = dict.fromkeys(
    [
        *("UPDATE_TRIGGER", "ADD_ACTION", "UPDATE_ACTION", "DELETE_ACTION", "MOVE_ACTION", "DUPLICATE_ACTION", "SET_SKIP_ACTION"),
        *("ADD_BRANCH", "DELETE_BRANCH", "DUPLICATE_BRANCH", "MOVE_BRANCH"),
    ],
    "editing the steps of a flow",
)  # fmt: skip
OPEN |= dict.fromkeys(
    ["SAVE_SAMPLE_DATA", "UPDATE_SAMPLE_DATA_INFO", "POST /v1/sample-data/test-step"], "testing a single step"
)
OPEN |= dict.fromkeys(["ADD_NOTE", "UPDATE_NOTE", "DELETE_NOTE"], "notes beside the steps of a flow (0.83)")
OPEN |= {
    "UPDATE_OWNER": "changing a flow's owner (0.83)",
    "UPDATE_MINUTES_SAVED": "the minutes that a run saves (0.83)",
}

"""Who may come in at every address of the console: one table of the least role, and a test that fails for an address left out of it.

That it is so is tried in test_matrix.py.
"""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver, reverse

from tests.stub_engine import identity
from workflows_ui.members.models import Role

#: Addresses that need no sign-in, or decide in the view (sign-in, health, what monitoring reads).
OPEN = {"healthz", "readyz", "metrics", "set_language", "set_theme", "app_sign_in_back", "join"}
#: Addresses of one's own: any person who is signed in.
OWN = {
    "home",
    "leaving",
    "notices",
    "notices_file",
    "notices_read",
    "notice",
    "notification_settings",
    "profile",
    "waiting",
}
OWN |= {"access_ask", "access_withdraw"}
OWN |= {"credential_consent", "connect", "credential_add", "credential_organization", "credential_project"}
#: Signing in itself, its pages with allauth's names.
OPEN |= {"mfa_authenticate", "mfa_login_webauthn", "single_sign_on", "single_sign_on_back"}
OWN |= {
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
    "sessions",
    "sessions_end_others",
    "teams_file",
    "own_list_columns",
    "own_saved_views",
    "own_saved_view",
    "session_end",
}
#: Addresses of teams: members of one and its managers; actions on one require more (tests/members/test_teams.py).
TEAMS = {"teams", "team", "team_add", "team_take_out", "people_suggest"}
#: Addresses of those who look after the console; for anybody else they are not there.
SUPERUSERS = {
    "audit_everywhere",
    "audit_row_everywhere",
    "audit_file_everywhere",
    "team_create",
    "team_change",
    "team_delete",
    "team_owner",
    "people",
    "people_file",
    "people_invite",
    "person",
    "person_deactivate",
    "person_reactivate",
    "person_end_sessions",
    "person_leaving",
    "second_step_take_away",
}
#: Addresses below a workspace: the least role there.
LEAST: dict[str, Role] = {
    "workspace": Role.VIEWER,
    "home_arrange": Role.VIEWER,
    "permissions": Role.VIEWER,
    "credentials": Role.VIEWER,
    "credential": Role.VIEWER,
    "credential_check": Role.VIEWER,
    "credential_test": Role.VIEWER,
    "credential_rename": Role.VIEWER,
    "credential_delete": Role.VIEWER,
    "credential_replace": Role.VIEWER,
    "credential_put_back": Role.VIEWER,
    "credential_share": Role.VIEWER,
    "members": Role.MANAGER,
    "member_add": Role.MANAGER,
    "member_role": Role.MANAGER,
    "member_remove": Role.MANAGER,
    "member_leaving": Role.MANAGER,
    "invite": Role.MANAGER,
    "invitation": Role.MANAGER,
    "invitation_decide": Role.MANAGER,
    "invitation_renew": Role.MANAGER,
    "invitation_revoke": Role.MANAGER,
    "audit": Role.MANAGER,
    "audit_row": Role.MANAGER,
    "audit_file": Role.MANAGER,
    "access_grant": Role.MANAGER,
    "access_refuse": Role.MANAGER,
    "workspace_move": Role.MANAGER,
    "workspace_settings": Role.MANAGER,
    "abilities": Role.VIEWER,
    "abilities_look": Role.BUILDER,
    "flow_difference": Role.VIEWER,
    "flow_edit": Role.BUILDER,
    "unclear_write": Role.VIEWER,
    "flow_step": Role.VIEWER,
    "flow_choose_app": Role.BUILDER,
    "step_test": Role.BUILDER,
    "draft_test": Role.BUILDER,
    "run_repair": Role.BUILDER,
    "run_repair_publish": Role.BUILDER,
    "run_repair_retry": Role.BUILDER,
    "run_repair_undo": Role.BUILDER,
    "flow_values": Role.BUILDER,
    "flow_values_resolved": Role.BUILDER,
    "flow_export": Role.VIEWER,
    "form_builder": Role.BUILDER,
    "form_change": Role.BUILDER,
    "form_words": Role.BUILDER,
    "form_field": Role.BUILDER,
    "form_field_new": Role.BUILDER,
    "form_export": Role.BUILDER,
    "form_import": Role.BUILDER,
    "form_preview": Role.BUILDER,
    "form_propose": Role.BUILDER,
    "form_publish": Role.BUILDER,
    "form_unpublish": Role.BUILDER,
    "form_drop": Role.BUILDER,
    "form_difference": Role.BUILDER,
    "form_restore": Role.BUILDER,
    "flow_launch": Role.LAUNCHER,
    "flow_does": Role.LAUNCHER,
    "flow_earlier": Role.LAUNCHER,
    "saved_inputs": Role.LAUNCHER,
    "notes": Role.VIEWER,
    "note": Role.VIEWER,
    "note_ask": Role.VIEWER,
    "list_columns": Role.VIEWER,
    "saved_views": Role.VIEWER,
    "saved_view": Role.VIEWER,
    "flow_trigger_test": Role.VIEWER,
    "flow_trigger_cancel": Role.BUILDER,
    "launches": Role.VIEWER,
    "search": Role.VIEWER,
    "launches_file": Role.VIEWER,
    "launch": Role.VIEWER,
    "launch_again": Role.LAUNCHER,
    "launch_file": Role.VIEWER,
    "launch_story": Role.VIEWER,
    "launch_days": Role.VIEWER,
    "launch_durations": Role.VIEWER,
    "recently_deleted": Role.BUILDER,
    "deleted_file": Role.BUILDER,
    "members_file": Role.MANAGER,
    "credentials_file": Role.VIEWER,
    "deleted_object": Role.BUILDER,
    "launch_rights": Role.MANAGER,
    "launch_rights_file": Role.MANAGER,
    "launch_right_choose": Role.MANAGER,
    "launch_right_change": Role.MANAGER,
    "launch_right_revoke": Role.MANAGER,
    "flow_launch_rights": Role.MANAGER,
    "launch_withdraw": Role.LAUNCHER,
    "launch_settle": Role.LAUNCHER,
    "launch_retry": Role.LAUNCHER,
    "launch_cancel": Role.LAUNCHER,
    "launch_watch": Role.VIEWER,
    "flow_watch": Role.VIEWER,
    "flow_star": Role.LAUNCHER,
    "jobs": Role.VIEWER,
    "jobs_file": Role.VIEWER,
    "job": Role.VIEWER,
    "job_begin": Role.VIEWER,
    "job_stop": Role.VIEWER,
    "job_retry": Role.VIEWER,
    "job_undo": Role.VIEWER,
    "bulk_choose": Role.BUILDER,
    "connection_new": Role.BUILDER,
    "connection_sign_in": Role.BUILDER,
    "mcp_apps": Role.BUILDER,
    "mcp_token": Role.BUILDER,
    "alarms": Role.VIEWER,
    "alarms_file": Role.VIEWER,
    "alarms_muted": Role.VIEWER,
    "alarms_watch": Role.VIEWER,
    "alarm": Role.VIEWER,
    "alarm_channels": Role.MANAGER,
    "alarm_channel_add": Role.MANAGER,
    "alarm_channel": Role.MANAGER,
    "alarm_channel_test": Role.MANAGER,
    "alarm_channel_resend": Role.MANAGER,
    "alarm_channel_remove": Role.MANAGER,
    "alarm_answer": Role.BUILDER,
    "alarm_mute": Role.BUILDER,
    "alarm_unmute": Role.BUILDER,
    "report": Role.VIEWER,
    "report_file": Role.VIEWER,
    "failures": Role.VIEWER,
    "failures_file": Role.VIEWER,
    "failure": Role.VIEWER,
    "failure_assign": Role.BUILDER,
    "failure_snooze": Role.BUILDER,
    "failure_handled": Role.LAUNCHER,
    "failure_reopen": Role.LAUNCHER,
    "failure_note": Role.LAUNCHER,
    "failure_helped": Role.VIEWER,
    "run_index": Role.MANAGER,
    "run_index_erase": Role.MANAGER,
    "run_index_read": Role.MANAGER,
    "run_index_stop": Role.MANAGER,
    "used_by": Role.VIEWER,
    "run_step": Role.VIEWER,
    "run_plots": Role.VIEWER,
    "run_compared": Role.VIEWER,
    "run_family": Role.VIEWER,
    "run_file": Role.VIEWER,
    "run_hidden": Role.BUILDER,
    "flow_hidden": Role.BUILDER,
    "launch_hidden": Role.BUILDER,
    "app_logo": Role.VIEWER,
    "piece_options": Role.BUILDER,
    "table_export": Role.VIEWER,
    "export": Role.VIEWER,
    "export_file": Role.VIEWER,
    "export_stop": Role.VIEWER,
    "resource_export": Role.VIEWER,
    "table_records": Role.VIEWER,
    "table_records_do": Role.BUILDER,
    "table_records_many": Role.BUILDER,
    "table_record": Role.VIEWER,
    "table_record_do": Role.BUILDER,
    "table_field_do": Role.BUILDER,
}
#: Generic addresses, whose role the declaration names: test_every_resource.py and test_every_action.py go through these.
DECLARED = {"resource_list", "resource_detail", "resource_action", "resource_collection_action"}

_VALUES: dict[str, Any] = {
    "slug": "sales",
    "credential_id": "00000000-0000-0000-0000-000000000001",
    "name": "nothing-of-this-name",
    "member_id": 987654,
    "team_id": 987654,
    "person_id": 987654,
    "request_id": 987654,
    "right_id": 987654,
    "copy_id": identity(6),
    "invitation_id": 987654,
    "id": identity(1),
    "table": identity(2),
    "kind": "csv",
    "row": 987654,
    "number": 1,
    "position": "0",
    "step": "trigger",
    "edit": "z" * 22,
    "write_id": identity(7),
    "field": "amount",
    "action": "delete",
    "resource": "flows",
    "job_id": identity(3),
    "inputs": identity(4),
    "subject": "flows",
    "note": identity(5),
    "fingerprint": 987654,
    "alarm_id": 987654,
    "mute_id": 987654,
    "channel_id": "00000000-0000-0000-0000-000000000002",
    "view_id": 987654,
    "pk": 987654,
    "session_id": 987654,
    "piece": "@activepieces/piece-gmail",
}


def _patterns(resolver: Any) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern
        elif pattern.namespace != "admin":  # tests/audit/test_administration.py goes through all of it
            yield from _patterns(pattern)


def _named() -> dict[str, URLPattern]:
    found = {str(pattern.name): pattern for pattern in _patterns(get_resolver())}
    return {name: pattern for name, pattern in found.items() if not name.startswith(("account_", "admin:"))}


def _url(name: str) -> str:
    wanted = _named()[name].pattern.converters
    return reverse(name, kwargs={key: _VALUES[key] for key in wanted})


def test_every_address_says_who_may_come_in() -> None:
    assert set(_named()) - {"None"} == OPEN | OWN | TEAMS | SUPERUSERS | set(LEAST) | DECLARED

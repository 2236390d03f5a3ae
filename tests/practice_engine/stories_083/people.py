"""Stories of 0.83.0 about signing in, users, projects, the server's flags, and refusals."""

from tests.practice_engine.player import PLACE, Player
from tests.practice_engine.stories_072 import Step, real_time, start

from .flows import ORDERS
from .trees import keep_first_user, made, signed_up


def too_often(player: Player) -> None:
    """The sign-ins before the one that was refused."""
    real_time(player)
    while (
        player.practice.call("POST", "/v1/authentication/sign-in", json={"email": "", "password": ""}).status_code
        != 429
    ):
        pass


def ended(person: str) -> Step:
    """Somebody whose session was ended: by another password (``revoked``), or since they are ``inactive``."""

    def end(player: Player) -> None:
        player.sign_up(person, "MEMBER")
        state = player.practice.engine.state
        with state.lock:
            entry = state.credentials[player.tokens[person]]
            if person == "revoked":
                entry["revoked"] = True
            else:
                state.users[entry["user"]]["status"] = "INACTIVE"
        bind_places(player)

    return end


def bind_places(player: Player) -> None:
    """What the facts about sessions name was made before them: a project for all."""
    for name, fact in player.facts.items():
        if name.startswith(("session_", "token_", "no_membership_")):
            asked = f"{fact['path']} {fact.get('query')} {fact.get('body')}"
            for place in PLACE.findall(asked):
                player.bound.setdefault(place, player.practice.credentials.project_id)


def bind_stranger(player: Player) -> None:
    """The refusals name who was refused."""
    place = player.facts["no_membership_flows"]["shape"]["params"]["userId"]
    player.bound[place] = player.practice.engine.state.credentials[player.tokens["stranger"]]["user"]


STORIES: dict[str, list[Step]] = {
    "a session that was ended": [
        *(ended("revoked"), "session_revoked_flows", "session_revoked_flow_runs", "session_revoked_connections"),
        *("session_revoked_tables", "session_revoked_flow_unknown", "session_revoked_flow_create"),
        *("session_revoked_projects", "session_revoked_project", "session_revoked_user", "session_revoked_pieces"),
        *("session_revoked_flags", "session_revoked_route_not_found"),
        *(ended("inactive"), "session_inactive_flows", "session_inactive_flow_runs", "session_inactive_connections"),
        *("session_inactive_tables", "session_inactive_flow_unknown", "session_inactive_flow_create"),
        *("session_inactive_projects", "session_inactive_user", "session_inactive_flags"),
    ],
    "tokens that open nothing": [
        *(bind_places, "token_expired_flows", "token_expired_flow_unknown", "token_expired_flow_create"),
        *("token_expired_projects", "token_expired_pieces", "token_expired_flags", "token_wrong_key_flows"),
        *("token_garbage_projects", "token_sk_flows", "token_sk_projects"),
    ],
    "nobody of the project": [
        *(keep_first_user, signed_up("stranger", "MEMBER"), bind_places, bind_stranger),
        *("no_membership_flows", "no_membership_connections", "no_membership_tables", "no_membership_users"),
    ],
    "signing in": [
        *("sign_in_wrong_password", "sign_in_unknown_email", "sign_in_missing_password"),
        *(too_often, "sign_in_rate_limited"),
    ],
    "the server": [
        *("flags", "flags_with_auth", "health", "health_system", "platform_get", "templates_list"),
        *("api_keys_list", "api_keys_create", "global_connections_list", "project_members_list", "project_roles_list"),
    ],
    "users": [
        *(keep_first_user, "users_me", "users_projects", "users_project_current", "users_project_by_id", "users_list"),
        *(made("op_add_flow_get"), "user_get_by_id", "user_get_unknown"),
        *("user_update_me_picture", "user_delete_profile_picture"),
        lambda player: player.also(
            "POST",
            "/v1/user-invitations",
            {"email": "second@example.com", "type": "PLATFORM", "platformRole": "ADMIN"},
        ),
        "sign_up_invited_not_accepted",
    ],
    "projects": [
        *(keep_first_user, "projects_list", "project_list_name", "project_list_no_auth", "project_get_bad_id"),
        *("project_update_name", "project_delete_unknown", "project_create"),
        lambda player: player.also(
            "POST",
            "/v1/flows",
            {"displayName": "Elsewhere", "projectId": player.facts["project_create"]["shape"]["id"]},
        ),
        *("project_two_flows", "project_two_delete", "project_two_get_after_delete"),
    ],
    "a member": [
        *(keep_first_user, signed_up("stranger", "MEMBER"), "member_projects_list", "member_users_list"),
        "member_flows_of_other_project",
        *(*ORDERS, start("flow_orders_01_create", items=[])),
        lambda player: player.bind_run("member_run_get_other_project", "SUCCEEDED", "flow_orders_01_create"),
        *("member_runs_other_project", "member_run_get_other_project"),
    ],
    "refusals": [
        *("err_no_auth_flows", "err_no_auth_flow_runs", "err_no_auth_run_list_known_project", "err_no_auth_unknown_id"),
        *(
            "err_bad_token_flow_runs",
            "err_bad_token_pieces",
            "err_bearer_sk_invalid",
            "err_bearer_sk_invalid_flow_runs",
        ),
        *("err_raw_token_no_bearer", "err_tampered_token", "err_api_key_header", "err_x_api_key_header"),
        *("err_other_project_403", "err_route_not_found", "err_api_prefix_direct_3000"),
        *(made("err_no_auth_known_id"), "err_no_auth_known_id", "err_method_not_allowed", "err_patch"),
        *("flows_list_unknown_project", "flow_create_other_project", "flows_list_no_project", "flow_create_no_project"),
        *("flow_create_missing_name", "flow_get_unknown", "flow_get_bad_id"),
    ],
}
EXEMPT: dict[str, str] = {}

"""The areas: their modules, and the tests that must detect a fault in them.

A new module of an area belongs here, and so does a new file of tests. Tests marked slow or browser are left out.
"""

from typing import NamedTuple

#: Checks of permissions, where the rest of a module belongs to no area.
_PERMISSIONS = r"\b(allows|sees|require|may_\w+|visible_\w+|readable|is_own)\(|Role\.|hidden"


class Area(NamedTuple):
    """Modules below workflows_ui, each with a pattern of the lines that get faults; files of tests below tests."""

    modules: dict[str, str]
    tests: str


_FOLLOWING = (
    "launches/test_final_states.py launches/test_sending_odd.py launches/test_following_odd.py launches/test_launch_states.py "
    "launches/test_conclusions.py launches/test_whether_it_ran.py launches/test_kept_launches.py"
)

AREAS = {
    "access": Area(
        {
            "web/access.py": "",
            "members/services/access.py": "",
            "members/services/launch_rights.py": "",
            "members/models.py": "",
            "credentials/services/sharing.py": "",
            "launches/services/launches.py": _PERMISSIONS,
            "flows/versions.py": "",
            "resource_admin/places.py": "",
            "runs/comparison.py": _PERMISSIONS,
            "run_index/services/indexes.py": _PERMISSIONS,
        },
        "web/test_access.py members/test_members.py members/test_hidden_pages.py members/test_launch_rights.py "
        "members/test_requesting_access.py members/test_permissions.py accounts/test_demanded_step.py accounts/test_second_step.py "
        "credentials/test_use.py credentials/test_acting.py credentials/test_consent.py launches/test_launch_table.py "
        "credentials/test_replacing.py launches/test_launch_story.py launches/test_live_launch_page.py resources/test_flow_actions.py "
        "runs/test_run_starters.py resources/test_flow_results.py run_index/test_run_comparison.py run_index/test_unseen_index.py "
        "launches/test_asking.py launches/test_conclusions.py offboarding/test_leaving.py offboarding/test_handing_over.py "
        "attacks/test_database_writer.py",
    ),
    "masking": Area(
        {
            "core/redaction.py": "",
            "core/secret_names.py": "",
            "core/masking.py": "",
            "engine/masking.py": "",
            "launches/services/secrets.py": "",
            "runs/masking.py": "",
        },
        "core/test_redaction.py core/test_secret_names.py credentials/test_masking.py credentials/test_masking_of_changed_rows.py "
        "launches/test_payloads.py launches/test_launch_answers.py launches/test_launch_page.py secrets/test_run_data.py "
        "secrets/test_secret_fields.py runs/test_run_pages.py flows/test_step_values.py flow_editing/test_code_inputs.py "
        "flow_editing/test_malformed.py run_index/test_run_comparison.py launch_forms/test_launch_form.py",
    ),
    "sending": Area(
        {
            "launches/services/sending.py": "",
            "launches/services/launches.py": "",
            "launches/services/flow_checks.py": "",
            "engine/trigger.py": "",
            "engine/connection.py": "",
            "engine/operations/triggers.py": "",
        },
        "launches/test_asking.py launches/test_sending.py launches/test_sending_odd.py launches/test_kept_launches.py "
        "launches/test_flow_checks.py launches/test_launch_states.py launches/test_chosen_credential.py engine/test_trigger_outcomes.py "
        "engine/test_triggers.py engine/test_safety.py launches/test_conclusions.py launch_forms/test_launch_files.py "
        "launch_forms/test_launch_form.py workspace_move/test_moving.py flow_editing/test_draft_tests.py",
    ),
    "following": Area(
        {
            "launches/services/following.py": "",
            "launches/services/run_search.py": "",
            "launches/services/sweeping.py": "",
        },
        f"{_FOLLOWING} launches/test_sending.py launch_forms/test_launch_files.py",
    ),
    "settling": Area(
        {
            "launches/services/run_results.py": "",
            "launches/services/runs.py": "",
            "engine_objects/runs.py": "",
            "launches/services/repairs.py": "",
            "launches/states.py": "",
        },
        f"{_FOLLOWING} launches/test_sending.py launches/test_launch_page.py runs/test_run_retries.py runs/test_retried_runs.py "
        "runs/test_run_actions.py",
    ),
    "editing": Area(
        {
            "flow_editing/prediction.py": "",
            "flow_editing/damage.py": "",
            "flow_editing/changes.py": "",
            "flow_editing/inverse.py": "",
            "flow_editing/services.py": "",
            "engine/writes.py": "",
            "engine/looks.py": "",
            "unclear_writes/services.py": "",
        },
        "flow_editing/test_prediction.py flow_editing/test_editing.py flow_editing/test_undo.py "
        "flow_editing/test_untrue_answers.py flow_editing/test_step_tests.py flow_editing/test_validity.py "
        "resources/test_flow_actions.py "
        "engine/test_writes.py engine/test_looks.py unclear_writes/test_unclear_writes.py unclear_writes/test_every_action.py "
        "deleted_objects/test_restore.py resource_admin/test_bulk.py jobs/test_jobs.py",
    ),
}

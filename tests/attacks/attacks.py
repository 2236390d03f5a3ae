"""The list of attacks: what each is, how it is tried, and the tests that try it. The table in SECURITY.md is made from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """One row of the table; `tests` as pytest names them."""

    name: str
    tried: str
    tests: tuple[str, ...]


def _here(file: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/attacks/{file}.py::{name}" for name in names)


ATTACKS: tuple[Attack, ...] = (
    Attack(
        "Cross-site request forgery",
        "a POST without a token, as a page and as a fragment, to every address and every declared action; "
        "one with a good token from four other origins",
        _here(
            "test_csrf",
            "test_no_address_takes_a_post_without_a_token",
            "test_a_token_that_was_come_by_helps_no_other_site",
        ),
    ),
    Attack(
        "Ids of another workspace",
        "at every address and action that takes an id, as pages and as fragments: the ids of another workspace's things, asked for by "
        "somebody who manages both, at an engine that gives whatever it is asked for; in bulk actions and in every field that chooses; "
        "forms that were signed elsewhere",
        (
            "tests/kit/test_other_workspace.py::test_an_id_of_another_workspace_is_not_found_at_any_address",
            "tests/kit/test_other_workspace.py::test_what_a_page_of_one_workspace_carries_starts_nothing_in_another",
            "tests/kit/test_other_workspace.py::test_a_bulk_action_leaves_out_what_belongs_to_another_workspace",
            "tests/kit/test_other_workspace.py::test_no_field_of_a_form_takes_an_id_of_another_workspace",
            "tests/engine/test_reads.py::test_what_belongs_to_another_project_is_not_found_although_the_engine_gives_it",
            "tests/engine/test_reads.py::test_what_the_engine_refuses_as_another_projects_is_not_found",
            "tests/kit/test_matrix.py::test_everybody_is_answered_as_the_page_says",
        ),
    ),
    Attack(
        "Open redirect",
        "15 spellings of an outside address in nine fields, the referrer and htmx's header, at every address, reading and writing",
        (
            *_here("test_redirects", "test_no_address_leads_outside", "test_neither_signing_in_nor_out_leads_outside"),
            "tests/people/test_single_sign_on.py::test_single_sign_on_leads_nowhere_outside",
            "tests/people/test_second_step.py::test_saying_who_one_is_leads_nowhere_outside",
        ),
    ),
    Attack(
        "Host header",
        "11 hosts that are not ours, and forwarded ones; links of mails and redirects are looked at",
        _here(
            "test_host_header",
            "test_a_host_that_is_not_ours_is_refused",
            "test_what_proxies_forward_is_not_taken_for_the_host",
            "test_plain_http_is_not_led_to_a_host_that_lies",
        ),
    ),
    Attack(
        "Session fixation, copied sessions",
        "a session's name put into the browser before the sign-in, a real one, somebody else's; "
        "copies after a sign-out, a new password, a first second step",
        _here(
            "test_sessions",
            "test_a_prepared_session_name_is_not_taken",
            "test_a_real_session_of_before_the_sign_in_is_nobodys_afterwards",
            "test_somebody_elses_session_of_this_browser_is_not_taken_over",
            "test_a_session_that_was_copied_ends_with_the_sign_out",
            "test_a_copied_session_ends_with_the_password",
            "test_sessions_of_a_password_alone_end_with_the_first_second_step",
            "test_the_first_step_alone_is_no_session",
        ),
    ),
    Attack(
        "Clickjacking, sniffing, leaks by headers",
        "every answer of every address, whole and as a fragment, and every kind of error page, "
        "graded with production's settings: policy, frames, transport, types, "
        "referrer, opener, copies; the cookies' flags",
        _here(
            "test_headers",
            "test_every_answer_has_the_headers_of_a_careful_site",
            "test_errors_have_them_too",
            "test_a_mistake_of_ours_has_them_too_and_shows_no_variable",
            "test_plain_http_leads_to_https_and_nothing_else",
            "test_cookies_are_kept_from_scripts_from_plain_http_and_from_neighbours",
        ),
    ),
    Attack(
        "Cross-site scripting through the engine",
        "attacks in every string, key, id and header of every answer; a walk over every link of the console, whole pages and "
        "fragments, each parsed; `javascript:` and its spellings as every word; errors of seven kinds; answers of flows in five types",
        (
            *_here(
                "test_scripts",
                "test_no_string_key_or_header_of_an_engine_becomes_a_part_of_a_page",
                "test_no_word_of_an_engine_becomes_a_link_that_runs",
                "test_no_error_of_an_engine_becomes_a_part_of_a_page",
                "test_no_answer_of_a_flow_becomes_a_part_of_the_launchs_page",
                "test_the_look_finds_what_it_looks_for",
            ),
            "tests/pages/test_lying_engine.py::test_any_value_may_be_odd_in_a_flow",
            "tests/pages/test_lying_engine.py::test_any_value_may_be_odd_in_a_run",
        ),
    ),
    Attack(
        "Cross-site scripting through people",
        "attacks as the names of people, workspaces, credentials and audited objects (in the walks above); in 25 fields of every address; "
        "in notes written in Markdown",
        (
            *_here("test_scripts", "test_nothing_typed_into_an_address_comes_back_as_a_part_of_a_page"),
            "tests/kit/test_markdown.py::test_what_could_do_something_is_text_or_left_out",
        ),
    ),
    Attack(
        "Requests to the inside network (SSRF)",
        "48 spellings through the form of a new credential, for each engine and for signing in: decimal, octal, hexadecimal, short and "
        "wide digits, IPv6 forms that hide IPv4, names, metadata services, other schemes, user names; five redirects; DNS rebinding",
        (
            *_here(
                "test_inside_addresses",
                "test_no_spelling_of_an_inside_address_is_called",
                "test_no_redirect_leads_inside",
                "test_a_name_that_changes_its_address_gets_nowhere",
                "test_what_an_inside_machine_says_is_not_told",
            ),
            "tests/engine/test_safety.py::test_the_peer_that_was_reached_is_judged_before_tls",
            "tests/engine/test_safety.py::test_some_addresses_are_never_open_whatever_is_listed",
        ),
    ),
    Attack(
        "Formulas in files for spreadsheets",
        "13 formulas, also behind semicolons, line ends and in wide letters, as the names in every list's file, "
        "in tables and in the audit log",
        (
            *_here(
                "test_formulas",
                "test_no_text_stays_a_formula",
                "test_no_name_becomes_a_formula_in_any_file",
                "test_the_check_finds_what_it_looks_for",
            ),
            "tests/audit/test_pages.py::test_the_file_has_every_row_and_no_formulas",
        ),
    ),
    Attack(
        "Guessing (brute force), timing of the sign-in",
        "wrong passwords from other browsers, addresses and spellings, made-up forwarded addresses, codes guessed over many sign-ins, "
        "links and tokens; known and unknown names are compared by the hashes and queries that they cost, not by a clock",
        (
            *_here(
                "test_guessing",
                "test_another_browser_and_another_address_do_not_reset_the_lock",
                "test_another_spelling_of_the_name_does_not_reset_the_lock",
                "test_a_forwarded_address_that_is_made_up_does_not_reset_the_lock_of_an_address",
                "test_a_lock_is_the_same_for_a_name_that_exists_and_for_one_that_does_not",
                "test_failures_are_written_down_without_what_was_typed",
                "test_a_second_step_cannot_be_guessed_by_starting_over",
                "test_links_that_are_guessed_all_lead_to_the_same_answer",
                "test_a_reset_tells_nobody_who_has_an_account",
                "test_resets_cannot_fill_somebodys_mailbox",
            ),
            "tests/pages/test_accounts.py::test_one_address_that_tries_many_names_is_stopped",
            "tests/people/test_own_account.py::test_a_known_and_an_unknown_name_cost_the_same_hashing",
            "tests/people/test_second_step.py::test_codes_that_are_guessed_are_stopped",
            "tests/pages/test_credentials.py::test_testing_is_limited_so_that_nobody_tries_out_secrets",
        ),
    ),
    Attack(
        "Mass assignment",
        "27 fields that no form shows (rights, owners, ids, addresses) sent with the forms of a profile, settings, members, credentials, "
        "launch rights, teams and invitations; every column is compared",
        (
            *_here(
                "test_extra_fields",
                "test_a_profile_changes_no_more_than_it_shows",
                "test_a_workspaces_settings_change_no_more_than_they_show",
                "test_a_members_role_is_all_that_changes",
                "test_a_role_that_there_is_not_is_given_to_nobody",
                "test_a_member_who_is_added_gets_the_role_and_nothing_else",
                "test_a_credential_is_renamed_and_nothing_else",
                "test_a_credential_is_not_handed_to_a_team_that_is_no_choice",
                "test_a_launch_right_gets_its_new_end_and_nothing_else",
                "test_a_team_is_renamed_by_its_caretakers_and_gets_no_owner_by_it",
                "test_an_account_that_is_made_by_an_invitation_is_an_ordinary_one",
                "test_a_credential_that_is_added_belongs_to_whoever_adds_it",
            ),
        ),
    ),
    Attack(
        "Upload tricks",
        "names that are paths, hold line ends, quotes or HTML, turn the reading direction; kinds that lie; zip bombs; 35,001 fields; "
        "broken bodies; 16 bombs as launch forms and as flows: depth, size, numbers, patterns, references to files and addresses",
        (
            *_here(
                "test_uploads",
                "test_a_name_is_never_a_path_and_never_a_part_of_a_page",
                "test_a_broken_body_is_answered_in_words",
                "test_a_file_whose_name_lies_about_its_kind_is_refused",
                "test_a_packed_file_is_never_unpacked",
                "test_more_files_fields_and_bytes_than_a_form_has_are_refused_or_left",
                "test_a_bomb_as_a_launch_form_is_refused_in_words",
                "test_a_bomb_as_a_flow_is_refused_in_words",
            ),
            "tests/forms/test_launch_files.py::test_names_of_files_are_cleaned",
            "tests/forms/test_launch_files.py::test_an_ending_that_lies_is_found_out",
        ),
    ),
    Attack(
        "Regular expressions, sizes, depths",
        "patterns that make other matchers busy for years, texts of 50,000 letters in every kind of field and in searches, deep and huge "
        "JSON from people and from the engine, answers without end, long addresses and headers",
        (
            *_here(
                "test_bombs",
                "test_no_pattern_of_a_form_keeps_the_console_busy",
                "test_no_text_in_a_field_keeps_the_console_busy",
                "test_no_search_keeps_the_console_busy",
                "test_no_json_that_is_typed_keeps_the_console_busy",
                "test_an_answer_without_end_is_cut_off",
                "test_a_deep_object_of_the_engine_is_shown_or_refused",
                "test_an_address_or_a_header_of_any_length_is_answered",
            ),
            "tests/forming/test_patterns.py::test_a_pattern_that_others_choke_on_is_just_not_matched",
            "tests/engine/test_reads.py::test_a_bomb_is_cut_off_by_its_unpacked_size",
            "tests/pages/test_lying_engine.py::test_json_that_python_cannot_take_is_told_in_words",
        ),
    ),
    Attack(
        "Header injection",
        "line ends of eight kinds in names that reach mails, downloads and redirects; addresses that name a second reader; "
        "made-up request ids",
        (
            *_here(
                "test_header_injection",
                "test_no_name_puts_a_header_into_a_mail",
                "test_no_address_names_a_second_reader",
                "test_no_name_puts_a_header_into_a_download",
                "test_the_requests_id_is_taken_over_only_where_it_is_one",
                "test_no_redirect_takes_a_header_along",
            ),
        ),
    ),
)

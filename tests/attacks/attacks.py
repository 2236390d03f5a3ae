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
        "a POST without a token, as a page and as a fragment, to every address and every declared action but the signed link of mails; "
        "one with a good token from four other origins",
        _here(
            "test_csrf",
            "test_one_view_takes_a_post_without_a_token_and_is_declared_here",
            "test_no_address_takes_a_post_without_a_token",
            "test_a_valid_token_does_not_help_another_site",
        ),
    ),
    Attack(
        "Links that unsubscribe from mails as a way to act for others",
        "changed and cut tokens, tokens signed for another purpose or with another key, signed ones of a kind, person or workspace that "
        "does not exist; fields and a session of somebody else; old links after leaving, a new name, "
        "and a workspace that requires two-factor authentication",
        (
            "tests/notification_mails/test_unsubscribe.py::test_a_changed_token_and_one_of_another_purpose_do_nothing",
            "tests/notification_mails/test_unsubscribe.py::test_a_signed_link_of_a_kind_that_is_none_does_nothing",
            "tests/notification_mails/test_unsubscribe.py::test_fields_and_a_session_of_somebody_else_change_nothing_about_whose_mails_end",
            "tests/notification_mails/test_unsubscribe.py::test_old_links_of_people_who_left_or_are_deactivated_do_no_harm_and_tell_nothing",
            "tests/notification_mails/test_unsubscribe.py::test_a_workspace_with_a_second_step_names_no_flow_to_who_has_only_the_link",
        ),
    ),
    Attack(
        "Ids of another workspace",
        "the ids of another workspace's objects at every address and action that takes an id, as pages and as "
        "fragments: by somebody who manages both workspaces, at an engine that returns every requested "
        "object, with empty caches, with the pages of both workspaces cached, and later: the engine's journal "
        "has no call with such an id except the one that checks its owner; in bulk actions, in every filter, "
        "in every field of choices, in every operation of the client; forms that were signed elsewhere",
        (
            "tests/web/test_other_workspace.py::test_an_id_of_another_workspace_is_not_found_at_any_address",
            "tests/web/test_other_workspace.py::test_no_list_is_filtered_by_an_id_of_another_workspace",
            "tests/engine/test_ownership.py::test_no_call_is_made_with_an_id_of_another_project_but_the_question_whose_it_is",
            "tests/engine/test_ownership.py::test_an_operation_on_a_flow_names_folders_of_the_project_and_versions_of_the_flow_only",
            "tests/flow_editing/test_editing.py::test_owners_are_the_engines_users_where_the_credential_may_list_them_else_those_who_are_known",
            "tests/web/test_other_workspace.py::test_what_a_page_of_one_workspace_carries_starts_nothing_in_another",
            "tests/web/test_other_workspace.py::test_a_bulk_action_leaves_out_what_belongs_to_another_workspace",
            "tests/web/test_other_workspace.py::test_no_field_of_a_form_takes_an_id_of_another_workspace",
            "tests/engine/test_reads.py::test_what_belongs_to_another_project_is_not_found_although_the_engine_gives_it",
            "tests/engine/test_reads.py::test_what_the_engine_refuses_as_another_projects_is_not_found",
            "tests/web/test_matrix.py::test_everybody_is_answered_as_the_page_says",
        ),
    ),
    Attack(
        "Channels for alarms as a way into the network, or to post for others",
        "addresses of private networks, with a user name, of other schemes, one that redirects; the address "
        "searched for on pages, in the audit log, in the log and in the database; a host changed in the "
        "database; flows whose names are links and mentions",
        (
            "tests/alarms/test_channels.py::test_addresses_of_private_networks_and_redirects_are_not_followed",
            "tests/alarms/test_channels.py::test_the_address_is_sealed_and_is_on_no_page_and_in_no_log",
            "tests/alarms/test_channels.py::test_names_of_flows_are_no_links_and_mentions_in_channels",
        ),
    ),
    Attack(
        "Links that fill in forms of flows",
        "hidden and visible fields of every kind in the address of a form: values and code of a step, a confirmation, the external id of a "
        "connection that exists",
        ("tests/flow_editing/test_piece_forms.py::test_a_link_says_which_form_is_meant_and_fills_in_nothing",),
    ),
    Attack(
        "Using somebody else's invitation",
        "a link that was passed on or found, opened by a person who is signed in with another address, with "
        "an unconfirmed address, with the link of the mail; confirmed by people without the right, twice, "
        "after its end, through another invitation",
        tuple(
            f"tests/members/test_invitation_requests.py::{name}"
            for name in (
                "test_somebody_with_another_address_gets_nothing_until_the_inviter_has_confirmed",
                "test_who_was_refused_gets_nothing_and_the_invited_person_still_joins",
                "test_only_a_manager_of_the_workspace_confirms",
                "test_the_request_of_another_invitation_is_not_decided",
                "test_what_does_not_hold_any_more_is_not_confirmed",
                "test_an_address_that_nobody_has_confirmed_is_not_enough_but_the_link_in_the_mail_to_it_is",
                "test_the_link_in_the_mail_is_not_enough_for_somebody_with_another_address",
            )
        ),
    ),
    Attack(
        "Open redirect",
        "15 spellings of an external address in nine fields, the referrer and htmx's header, at every "
        "address, reading and writing",
        (
            *_here("test_redirects", "test_no_address_leads_outside", "test_neither_signing_in_nor_out_leads_outside"),
            "tests/accounts/test_single_sign_on.py::test_single_sign_on_leads_nowhere_outside",
            "tests/accounts/test_second_step.py::test_saying_who_one_is_leads_nowhere_outside",
        ),
    ),
    Attack(
        "Host header",
        "11 foreign hosts, also forwarded ones; in links of mails and in redirects",
        _here(
            "test_host_header",
            "test_a_foreign_host_is_refused",
            "test_forwarded_hosts_are_ignored",
            "test_plain_http_is_not_redirected_to_a_forged_host",
        ),
    ),
    Attack(
        "Session fixation, copied sessions",
        "a session key set in the browser before the sign-in, a real one, another person's; copies after a "
        "sign-out, a new password, a first second factor, a time without activity, one browser more than "
        "allowed; cookies with a NUL character",
        (
            "tests/accounts/test_session_limits.py::test_a_session_in_which_nothing_is_done_ends_and_says_so",
            "tests/accounts/test_session_limits.py::test_a_page_that_renews_itself_does_not_keep_a_session_alive",
            "tests/accounts/test_session_limits.py::test_one_browser_more_ends_the_oldest_and_that_one_says_why",
            "tests/accounts/test_session_limits.py::test_a_cookie_with_a_nul_character_is_as_good_as_none",
            *_here(
                "test_sessions",
                "test_a_prepared_session_name_is_not_taken",
                "test_a_real_session_from_before_the_sign_in_is_invalid_afterwards",
                "test_somebody_elses_session_of_this_browser_is_not_taken_over",
                "test_a_session_that_was_copied_ends_with_the_sign_out",
                "test_a_copied_session_ends_with_the_password",
                "test_sessions_of_a_password_alone_end_with_the_first_second_step",
                "test_the_first_step_alone_is_no_session",
            ),
        ),
    ),
    Attack(
        "The Back button after a sign-out",
        "every address as a page, a fragment or the answer to a link; writes; an ended session; Back through "
        "all pages in Chromium: after a sign-out, in a second tab, after the session was ended elsewhere, to a page "
        "in the back/forward cache, and as the next person in a tab in which something was typed",
        (
            *_here(
                "test_back_button",
                "test_no_address_lets_a_browser_store_an_answer_to_a_request_with_a_session",
                "test_answers_to_posts_are_not_stored_either",
                "test_a_session_that_was_ended_elsewhere_gets_no_answer_that_is_stored",
                "test_signing_in_and_out_is_not_stored",
                "test_pages_without_a_session_may_be_stored",
            ),
            "tests/browser/test_back_after_sign_out.py::test_back_after_a_sign_out_leads_to_the_sign_in_page",
            "tests/browser/test_back_after_sign_out.py::test_back_in_a_second_tab_leads_to_the_sign_in_page",
            "tests/browser/test_back_after_sign_out.py::test_back_after_a_session_was_ended_elsewhere_leads_to_the_sign_in_page",
            "tests/browser/test_back_after_sign_out.py::test_a_page_that_a_browser_keeps_in_its_memory_nevertheless_is_not_shown_either",
            "tests/browser/test_back_after_sign_out.py::test_what_one_person_typed_is_not_shown_to_the_next_one_in_this_tab",
        ),
    ),
    Attack(
        "Clickjacking, sniffing, leaks by headers",
        "every answer of every address, whole and as a fragment, and every kind of error page, graded with "
        "production's settings: policy, frames, transport, types, referrer, opener, copies; the cookies' "
        "flags; `TRACE` and other methods that no page supports",
        _here(
            "test_headers",
            "test_every_answer_has_the_headers_of_a_careful_site",
            "test_trace_is_refused_at_every_address",
            "test_errors_have_them_too",
            "test_an_internal_error_has_them_too_and_shows_no_variable",
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
                "test_the_search_for_attacks_finds_planted_ones",
            ),
            "tests/web/test_lying_engine.py::test_any_value_may_be_odd_in_a_flow",
            "tests/web/test_lying_engine.py::test_any_value_may_be_odd_in_a_run",
        ),
    ),
    Attack(
        "Cross-site scripting through people",
        "attacks as the names of people, workspaces, credentials and audited objects (in the walks above); in "
        "25 fields of every address; in notes and answers of flows written in Markdown, also as addresses of other hosts without "
        "a scheme (`//host`, with backslashes, tabs and spaces), and as links into the console",
        (
            *_here("test_scripts", "test_nothing_typed_into_an_address_comes_back_as_a_part_of_a_page"),
            "tests/web/test_markdown.py::test_what_could_do_something_is_text_or_left_out",
            "tests/web/test_markdown.py::test_an_address_of_another_host_without_a_scheme_is_shown_as_one_that_leaves",
            "tests/web/test_markdown.py::test_of_any_text_of_a_flow_links_only_lead_out_and_nothing_is_loaded",
        ),
    ),
    Attack(
        "Requests to the internal network (SSRF)",
        "48 spellings through the form of a new credential, for each engine and for signing in: decimal, octal, hexadecimal, short and "
        "wide digits, IPv6 forms that hide IPv4, names, metadata services, other schemes, user names; five redirects; DNS rebinding",
        (
            *_here(
                "test_inside_addresses",
                "test_no_spelling_of_an_inside_address_is_called",
                "test_no_redirect_leads_inside",
                "test_a_name_that_changes_its_address_gets_nowhere",
                "test_answers_of_internal_machines_are_not_shown",
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
        "wrong passwords from other browsers, addresses and spellings, many at the same moment, invented "
        "forwarded addresses, codes guessed over many sign-ins, links and tokens; known and unknown names are "
        "compared by their hashes and queries, not by a clock",
        (
            *_here(
                "test_guessing",
                "test_another_browser_and_another_address_do_not_reset_the_lock",
                "test_another_spelling_of_the_name_does_not_reset_the_lock",
                "test_an_invented_forwarded_address_does_not_reset_the_lock_of_an_address",
                "test_a_lock_is_the_same_for_a_name_that_exists_and_for_one_that_does_not",
                "test_failures_are_logged_without_the_input",
                "test_a_second_step_cannot_be_guessed_by_starting_over",
                "test_links_that_are_guessed_all_lead_to_the_same_answer",
                "test_a_reset_reveals_to_nobody_who_has_an_account",
                "test_resets_cannot_fill_somebodys_mailbox",
            ),
            *_here(
                "test_guessing_at_once",
                "test_guesses_at_the_same_moment_are_no_more_than_one_after_the_other",
                "test_of_several_who_add_a_value_at_the_same_moment_one_succeeds",
            ),
            "tests/accounts/test_accounts.py::test_one_address_that_tries_many_names_is_stopped",
            "tests/accounts/test_own_account.py::test_a_known_and_an_unknown_name_cost_the_same_hashing",
            "tests/accounts/test_second_step.py::test_codes_that_are_guessed_are_stopped",
            "tests/credentials/test_credentials_pages.py::test_testing_is_limited_so_that_nobody_tries_out_secrets",
        ),
    ),
    Attack(
        "Using a link or a code twice",
        "the link for a new password in two requests at the same moment; that of an invitation by two "
        "people; a recovery code while its owner looks at the codes; codes of apps and recovery codes one after the other",
        (
            *_here(
                "test_used_twice",
                "test_a_link_for_a_new_password_that_is_used_twice_at_once_sets_one_password",
                "test_a_recovery_code_that_is_used_while_the_codes_are_looked_at_stays_used",
            ),
            "tests/accounts/test_second_step.py::test_a_code_works_once",
            "tests/accounts/test_second_step.py::test_a_recovery_code_stands_in_once_and_is_written_down",
            "tests/members/test_invitations.py::test_of_two_people_with_one_link_at_once_one_wins",
        ),
    ),
    Attack(
        "Copying a passkey",
        "counters that stay the same, go back, or become 0, for signing in alone, as the second factor and before sensitive actions; a key "
        "and its copy at the same moment; synchronized passkeys, which do not count, are accepted",
        tuple(
            f"tests/accounts/test_copied_passkeys.py::{name}"
            for name in (
                "test_a_passkey_is_accepted_only_with_a_counter_that_goes_up",
                "test_a_copied_passkey_is_refused_as_a_second_step_and_before_a_sensitive_action",
                "test_of_a_passkey_and_its_copy_that_are_used_at_once_one_is_accepted",
                "test_the_owner_of_a_copied_passkey_gets_a_mail_and_it_is_audited",
            )
        ),
    ),
    Attack(
        "Locking an owner out",
        "strangers who use up the attempts of an account, or of the address that an office shares; names of 60,000 "
        "letters; cookies of known browsers that are stolen and shared, of "
        "another account, invented, from before the last sign-in or password; whether a cookie reveals who "
        "has an account",
        _here(
            "test_lock_out",
            "test_strangers_do_not_lock_the_owner_out_of_a_browser_of_theirs",
            "test_wrong_passwords_in_a_known_browser_count_for_it_alone",
            "test_copies_of_a_stolen_cookie_share_one_small_allowance",
            "test_a_cookie_of_one_account_does_not_help_with_another",
            "test_an_invented_cookie_does_not_help",
            "test_a_cookie_is_replaced_at_each_sign_in",
            "test_another_password_makes_all_browsers_unknown_but_the_one_that_chose_it",
            "test_the_link_of_a_reset_makes_the_browser_known_so_that_a_lock_does_not_last",
            "test_only_the_browsers_used_last_are_known_and_not_for_ever",
            "test_guesses_at_an_address_lock_nobody_out_of_a_known_browser_behind_it",
            "test_guesses_at_an_address_do_not_stop_the_second_step_in_a_known_browser",
            "test_codes_guessed_in_a_known_browser_are_limited",
            "test_copies_of_a_stolen_cookie_are_limited_together_at_many_addresses",
            "test_a_name_of_more_than_254_letters_is_refused_before_it_is_searched_for",
            "test_a_password_without_its_second_step_makes_no_browser_known",
            "test_the_cookie_does_not_reveal_who_has_an_account",
            "test_the_cookie_is_out_of_reach_and_names_nobody",
        ),
    ),
    Attack(
        "Forged headers of a proxy that raise a false alarm",
        "headers of strangers, from many addresses, while no proxy is trusted; what administrators are then shown, and others are not",
        (
            "tests/web/test_forwarding.py::test_what_anyone_can_send_is_no_sign_of_a_proxy",
            "tests/web/test_forwarding.py::test_many_addresses_of_strangers_do_not_hide_one_of_people",
            "tests/web/test_forwarding.py::test_only_administrators_are_shown_it_and_not_where_proxies_are_trusted",
            "tests/web/test_forwarding.py::test_it_is_logged_once_an_hour_and_not_for_monitoring",
        ),
    ),
    Attack(
        "Slow clients",
        "on the real web server: 100 connections that send half a head, 100 that send half a body, 50 that "
        "read a byte a second of 6 MB; more connections than allowed; heads and bodies that are too large; a "
        "stop and a reload meanwhile",
        _here(
            "test_slow_clients",
            "test_slow_heads_bodies_and_readers_hold_no_thread",
            "test_heads_bodies_and_answers_have_time_limits",
            "test_more_connections_than_there_may_be_push_out_the_slowest",
            "test_a_connection_on_which_nothing_happens_is_closed",
            "test_headers_of_a_proxy_reach_the_console",
            "test_large_requests_are_refused_before_they_are_read",
            "test_requests_in_progress_end_before_the_server_does",
            "test_connections_that_were_not_yet_accepted_are_answered_before_the_server_ends",
            "test_a_reload_answers_all_the_time",
        ),
    ),
    Attack(
        "Large bodies that fill memory or disk",
        "on the real web server: 24 MB in a field at the sign-in and in a launch, in chunks and with `Expect`; with an invalid session; "
        "JSON of millions of values and levels; bodies that stop; more of them, and more bytes, than an address or a process may send at "
        "once, also through a proxy and from the addresses of one network; the memory of the process is measured",
        _here(
            "test_large_bodies",
            "test_a_large_body_is_refused_as_soon_as_its_head_has_arrived",
            "test_only_pages_that_take_files_or_values_of_launches_take_a_large_body",
            "test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large",
            "test_the_response_to_a_body_that_is_not_read_arrives_after_all_of_it_was_sent",
            "test_a_body_that_makes_no_progress_ends",
            "test_unfinished_bodies_of_an_address_are_limited_without_the_others",
            "test_unfinished_bodies_of_a_process_are_limited",
            "test_the_bytes_of_unfinished_bodies_of_an_address_are_limited",
            "test_the_memory_of_large_requests_is_small_and_given_back",
        ),
    ),
    Attack(
        "Bytes after a response, which a proxy gives to the next person",
        "on the real web server, HEAD, GET and POST with every kind of body and with statuses that have none, "
        "bodies longer and shorter than announced, requests in chunks, with `Expect`, with two lengths, too large and malformed, "
        "pages, files, static files and errors of the console: each with a second request on the same "
        "connection, sent after the first and with it; a thousand of an attacker's requests beside a thousand "
        "of another person's through nginx and HAProxy, which share one connection to the console",
        _here(
            "test_response_bodies",
            "test_nothing_follows_a_response_but_the_next_one",
            "test_requests_of_every_form_leave_nothing_for_the_next_one",
            "test_a_head_that_cannot_be_read_is_refused_and_its_connection_ends",
            "test_a_request_with_two_lengths_is_refused_and_its_connection_ends",
            "test_nothing_follows_a_page_a_file_or_an_error_of_the_console",
            "test_no_response_reaches_another_person_through_a_proxy",
        ),
    ),
    Attack(
        "An unavailable cache",
        "a cache whose port refuses, one that accepts connections and never answers, a folder that cannot be "
        "written: every address as manager, launcher, viewer and signed out; guessing of passwords and of "
        "credentials meanwhile; sign-ins that wait, launches, readiness",
        (
            "tests/core/test_cache_away_everywhere.py::test_every_address_answers_without_the_cache",
            "tests/core/test_cache_away.py::test_people_sign_in_and_wrong_passwords_are_counted_without_the_cache",
            "tests/core/test_cache_away.py::test_tests_of_credentials_are_counted_without_the_cache",
            "tests/core/test_cache_away.py::test_a_sign_in_at_the_engine_waits_for_its_choice_without_the_cache",
            "tests/core/test_cache_away.py::test_a_flow_is_launched_without_the_cache",
            "tests/core/test_cache_away.py::test_readiness_names_a_cache_that_is_away_and_stays",
            "tests/core/test_cache_away.py::test_a_cache_that_hangs_is_waited_for_once_and_then_left_alone",
            "tests/core/test_cache_away.py::test_that_the_cache_is_away_is_logged_once_a_minute",
            "tests/core/test_cache_away.py::test_what_was_changed_while_the_cache_was_away_does_not_come_back",
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
                "test_a_role_that_does_not_exist_is_given_to_nobody",
                "test_a_member_who_is_added_gets_the_role_and_nothing_else",
                "test_a_credential_is_renamed_and_nothing_else",
                "test_a_credential_is_not_shared_with_a_team_that_is_not_offered",
                "test_a_launch_right_gets_its_new_end_and_nothing_else",
                "test_a_team_is_renamed_without_getting_an_owner",
                "test_an_account_that_is_made_by_an_invitation_is_an_ordinary_one",
                "test_a_credential_belongs_to_the_person_who_adds_it",
            ),
        ),
    ),
    Attack(
        "Taking over a leaving colleague's things",
        "a manager, a builder, a viewer, a stranger and a guest on the page for handing over: keys of things "
        "in another workspace, people and teams that may not have them, roles lost between question and "
        "answer, four clicks at the same moment, broken plans; a workspace that requires two-factor "
        "authentication; a credential that was changed in the database",
        tuple(
            f"tests/offboarding/test_belongings.py::{name}"
            for name in (
                "test_a_manager_sees_what_lies_in_their_workspaces_and_no_hint_of_others",
                "test_the_page_is_for_managers_of_a_workspace_in_which_the_person_is",
                "test_a_workspace_that_demands_a_second_step_is_not_shown_without_one",
                "test_a_guest_learns_no_names_of_members",
            )
        )
        + tuple(
            f"tests/offboarding/test_handing_over.py::{name}"
            for name in (
                "test_a_manager_hands_over_nothing_of_another_workspace",
                "test_nothing_is_handed_to_somebody_who_may_not_have_it",
                "test_a_builder_gives_no_rights_away_and_takes_none_from_others",
                "test_a_role_that_was_lost_since_the_question_decides",
                "test_a_credential_that_was_changed_in_the_database_is_not_handed_over",
                "test_two_administrators_at_once_do_each_thing_once",
                "test_broken_plans_are_answered",
            )
        ),
    ),
    Attack(
        "Upload tricks",
        "names that are paths, contain line ends, quotes or HTML, reverse the reading direction; wrong types; "
        "zip bombs; 35,001 fields; broken bodies; 16 bombs as launch forms and as flows: depth, size, "
        "numbers, patterns, references to files and addresses",
        (
            *_here(
                "test_uploads",
                "test_a_name_is_never_a_path_and_never_a_part_of_a_page",
                "test_a_broken_body_is_answered_with_a_message",
                "test_a_file_whose_name_lies_about_its_kind_is_refused",
                "test_a_packed_file_is_never_unpacked",
                "test_more_files_fields_and_bytes_than_a_form_has_are_refused_or_left",
                "test_a_bomb_as_a_launch_form_is_refused_with_a_message",
                "test_a_bomb_as_a_flow_is_refused_with_a_message",
            ),
            "tests/launch_forms/test_launch_files.py::test_names_of_files_are_cleaned",
            "tests/launch_forms/test_launch_files.py::test_an_ending_that_lies_is_found_out",
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
                "test_no_text_of_a_step_keeps_the_console_busy",
                "test_an_invalid_number_in_an_address_is_ignored",
                "test_no_search_keeps_the_console_busy",
                "test_no_json_that_is_typed_keeps_the_console_busy",
                "test_an_answer_without_end_is_cut_off",
                "test_a_deep_object_of_the_engine_is_shown_or_refused",
                "test_an_address_or_a_header_of_any_length_is_answered",
            ),
            "tests/form_schema/test_patterns.py::test_a_pattern_that_others_choke_on_is_just_not_matched",
            "tests/engine/test_reads.py::test_a_bomb_is_cut_off_by_its_unpacked_size",
            "tests/web/test_lying_engine.py::test_json_that_python_cannot_take_is_explained",
        ),
    ),
    Attack(
        "Writing the database",
        "by SQL: another address, kind of engine or project of a workspace, also with the signature of "
        "another; another kind, organization, email, workspace or owner of a credential; shares invented, "
        "copied and given to another team; ciphertexts moved between rows and columns and restored from an "
        "earlier version; person, flow, workspace, values and time of a waiting launch, person and action of "
        "a job; then every page, launch, test, renewal and poll, with a server that listens",
        (
            *_here(
                "test_database_writer",
                "test_a_workspace_that_is_made_to_lead_elsewhere_gets_no_secret_there",
                "test_a_signature_of_another_workspace_proves_nothing",
                "test_a_secret_does_not_open_after_a_change_of_any_value_that_it_is_bound_to",
                "test_another_kind_organization_or_e_mail_is_not_used",
                "test_a_credential_that_is_given_to_another_workspace_is_not_sent_to_its_engine",
                "test_a_credential_that_is_given_to_another_person_does_not_work_for_them",
                "test_a_share_that_is_written_into_the_database_lets_nobody_use_the_credential",
                "test_a_ciphertext_opens_in_no_other_row_or_column",
                "test_a_restored_ciphertext_from_before_the_binding_does_not_open",
                "test_a_launch_that_was_changed_while_it_waited_is_not_sent",
                "test_a_change_is_audited_once_and_again_only_when_there_is_another",
                "test_pages_say_that_a_row_was_changed_also_where_it_holds_what_nobody_knows",
                "test_opening_costs_no_query",
            ),
            "tests/jobs/test_jobs.py::test_a_job_that_was_changed_in_the_database_does_nothing_as_somebody_else",
            "tests/credentials/test_masking_of_changed_rows.py::test_secrets_of_a_changed_workspace_or_credential_are_still_masked",
            "tests/workspace_move/test_moving.py::test_a_workspace_that_was_changed_in_the_database_is_put_right_by_moving_it",
        ),
    ),
    Attack(
        "Header injection",
        "line ends of eight kinds in names that reach mails, downloads and redirects; addresses that name a "
        "second recipient; invented request ids",
        (
            *_here(
                "test_header_injection",
                "test_no_name_puts_a_header_into_a_mail",
                "test_no_address_names_a_second_reader",
                "test_no_name_puts_a_header_into_a_download",
                "test_an_invalid_request_id_is_replaced",
                "test_no_redirect_takes_a_header_along",
            ),
        ),
    ),
    Attack(
        "Many and large launches",
        "three launches of 25 MB at once, as rows, as text and as files, whose worker has to stay under 400 "
        "MB; values beyond the limit; more launches within a minute than the limit per person",
        (
            "tests/chaos/test_large_launches.py::test_three_large_launches_at_once_keep_a_worker_small",
            "tests/launches/test_sending.py::test_a_large_launch_waits_until_the_one_before_it_has_left",
            "tests/launch_forms/test_launch_form.py::test_too_many_values_are_refused_at_their_field_with_the_limit",
            "tests/launch_forms/test_launch_form.py::test_launches_of_a_person_within_a_minute_are_limited_and_nothing_typed_is_lost",
        ),
    ),
    Attack(
        "Reading secrets that others sent",
        "passwords, keys, tokens, card numbers and the like in the values of launches, in English and "
        "Vietnamese, nested, in addresses, in JSON, XML, forms and headers within texts, in lists of pairs "
        "and in errors: on every page and in every file about the launch, its run and its flow, as viewer, "
        "launcher and builder, with the search for planted secrets; more than a hundred names, each with the "
        "expected decision",
        (
            "tests/secrets/test_run_data.py::test_what_looks_like_a_secret_in_a_launch_is_nowhere",
            "tests/secrets/test_run_data.py::test_a_builder_sees_a_value_of_a_launch_for_a_reason_and_it_is_written_down",
            "tests/flow_editing/test_piece_forms.py::test_what_the_app_calls_secret_is_masked_wherever_a_step_is_shown",
            "tests/credentials/test_reveal.py::test_nobody_but_builders_comes_there_or_is_led_there",
            "tests/core/test_secret_names.py::test_a_name_is_decided_on_as_the_table_says",
            "tests/core/test_secret_names.py::test_a_value_beside_its_name_is_masked_in_a_text",
            "tests/core/test_secret_names.py::test_two_megabytes_are_looked_through_in_little_time",
            "tests/core/test_redaction.py::test_a_name_and_its_value_beside_each_other_are_a_pair",
        ),
    ),
    Attack(
        "Reading another's launch through its run",
        "the run's page, its steps, its file, its raw data, lists and exports of runs, as members who may not open the launch",
        (
            "tests/secrets/test_run_data.py::test_a_launch_that_one_may_not_open_does_not_leak_through_its_run",
            "tests/secrets/test_run_data.py::test_neither_does_it_leak_through_a_retry_of_its_run",
            "tests/secrets/test_run_data.py::test_a_value_of_anothers_launch_is_withheld_in_any_spelling",
            "tests/secrets/test_run_data.py::test_a_large_run_of_anothers_launch_is_looked_through_in_little_time",
            "tests/secrets/test_run_data.py::test_its_launcher_and_builders_see_its_values_in_the_run",
        ),
    ),
    Attack(
        "Reading the input of a secret field",
        "every page and file about the launch and its run, also where the value is part of other texts and "
        "when the payload is no longer kept; refused forms, earlier launches, saved inputs, links, previews, "
        "launching again by a click, forms proposed from old values, the whole database",
        tuple(
            f"tests/secrets/test_secret_fields.py::test_{name}"
            for name in (
                "what_is_typed_into_a_secret_field_is_nowhere",
                "the_value_is_known_again_when_the_payload_is_gone",
                "a_secret_is_not_written_back_and_has_to_be_typed_again",
                "asking_about_the_same_values_again_does_not_keep_them_either",
                "neither_an_earlier_launch_nor_saved_inputs_nor_a_link_fill_it_in",
                "it_is_not_launched_again_by_a_click",
                "what_will_be_sent_is_shown_without_it_and_no_link_has_it",
                "typed_as_json_it_is_a_secret_all_the_same",
                "whatever_json_stands_in_its_place_is_a_secret",
                "json_that_is_saved_or_refused_does_not_give_it_back",
                "what_was_saved_before_the_field_was_a_secret_is_not_filled_in",
                "a_refused_page_that_gives_back_what_was_typed_leaves_it_out",
                "what_stands_between_says_it_back_and_it_is_not_kept_in_clear",
                "a_form_is_proposed_with_secret_fields_and_without_old_secrets",
                "looking_for_a_value_by_its_digest_has_an_end",
            )
        ),
    ),
)

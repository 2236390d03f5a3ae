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
        _here("test_csrf", "test_no_address_takes_a_post_without_a_token", "test_a_token_that_was_come_by_helps_no_other_site"),
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
)  # fmt: skip

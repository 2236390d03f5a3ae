"""SECURITY.md lists every attack that is tried, and names only tests that exist."""

from tests.attacks import table


def test_every_test_that_is_named_exists_and_every_attack_of_this_folder_is_named() -> None:
    assert table.missing() == []


def test_the_table_is_up_to_date() -> None:
    assert table.PAGE.read_text("utf-8") == table.page(), "python -m tests.attacks.table writes it"

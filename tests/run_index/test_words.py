"""Words and fingerprints as keyed numbers."""

from workflows_ui.run_index.services import words


def test_failures_of_the_same_cause_share_a_fingerprint() -> None:
    key = words.new_key()
    same = [
        words.fingerprint(key, "flow", "step_1", text)
        for text in (
            "Order 4711 of 'An' was refused",
            "Order 12 of 'Bình' was refused",
            "Order 5 of 'X' was refused\nmore",
        )
    ]
    assert len(set(same)) == 1
    assert words.fingerprint(key, "flow", "step_2", "Order 4711 of 'An' was refused") not in same
    assert words.fingerprint(key, "flow", "step_1", "Order 4711 of 'An' was lost") not in same
    assert words.fingerprint(words.new_key(), "flow", "step_1", "Order 4711 of 'An' was refused") not in same


def test_a_word_of_a_million_letters_is_read_once_not_from_each_of_its_letters() -> None:
    assert "order-4711" in words.split("a" * 1_000_000 + " order-4711")


def test_words_that_contain_a_secret_word_are_left_out() -> None:
    text = "pin 9173 pin-9173 x9173y a-7k 7k order 4711"
    assert words.of_values([text], {"9173", "7k"}) == ["4711", "pin", "order"]


def test_no_part_of_a_secret_is_left_where_a_long_word_is_cut() -> None:
    name, blank = "a" * 61, "b" * (words.LONGEST - 3)
    assert words.of_values([f"{name}-9173 {blank}zebra"], {"9173", "zebra"}) == [name]
    assert words.of_values([f"{name}-9173"]) == ["9173", f"{name}-91", name]

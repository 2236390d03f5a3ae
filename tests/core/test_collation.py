"""Names stand in the order of the Vietnamese alphabet."""

import random

from workflows_ui.core.collation import sort_key


def test_letters_of_the_alphabet_follow_each_other_and_tones_come_last() -> None:
    names = [
        "an",
        "Án",
        "ăn",
        "ân",
        "Ba",
        "cá",
        "da",
        "Dzung",
        "đá",
        "Đông",
        "em",
        "êm",
        "on",
        "ôn",
        "ơn",
        "ung",
        "ưng",
        "yến",
    ]
    mixed = random.Random(1).sample(names, len(names))
    assert sorted(mixed, key=sort_key) == names


def test_a_name_in_either_unicode_form_has_one_place() -> None:
    assert sort_key("Đo\u0302\u0301i")[0] == sort_key("Đối")[0]

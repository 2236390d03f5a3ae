"""Cron expressions in words: the common shapes, and never a wrong word for the others."""

import pytest
from hypothesis import given, strategies as st

from workflows_ui.flows import cron_messages as cron_words, reading

ZONE = "Asia/Ho_Chi_Minh"


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("* * * * *", "Every minute"),
        ("*/15 * * * *", "Every 15 minutes"),
        ("0 * * * *", "Every hour"),
        ("30 * * * *", "Every hour, at minute 30"),
        ("0 */6 * * *", "Every 6 hours"),
        ("0 * * * 1-5", f"Every hour, Monday to Friday, {ZONE}"),
        ("0 9 * * *", f"Every day at 09:00, {ZONE}"),
        ("5 9,17 * * *", f"Every day at 09:05, 17:05, {ZONE}"),
        ("0 9 * * 1-5", f"Monday to Friday at 09:00, {ZONE}"),
        ("0 9 * * 0", f"Every Sunday at 09:00, {ZONE}"),
        ("0 9 * * 7", f"Every Sunday at 09:00, {ZONE}"),
        ("0 9 * * 1,3", f"Monday, Wednesday at 09:00, {ZONE}"),
        ("15 8 31 * *", f"On day 31 of every month at 08:15, {ZONE}"),
    ],
)
def test_common_shapes_are_explained(cron: str, words: str) -> None:
    assert cron_words.describe_schedule(cron, ZONE) == words


@pytest.mark.parametrize(
    "cron",
    [
        "*/7 * * * *",
        "0 */5 * * *",
        "0 9 * 1 *",
        "0 9 1 * 1",
        "0 9 L * *",
        "0 9 * * MON",
        "0 9-17 * * *",
        "99 9 * * *",
        "0 24 * * *",
        "0 9 * * 8",
        "0 0 9 * * *",
        "@daily",
        "١ ٩ * * *",
    ],
)
def test_every_other_expression_is_shown_as_it_is(cron: str) -> None:
    assert cron_words.describe_schedule(cron, ZONE) == f"{cron}, {ZONE}"
    assert cron_words.describe_schedule(cron) == f"{cron}, UTC"


def _installed(cron: object, zone: object) -> tuple[str, str]:
    """What is read of a schedule as the engine sends it."""
    return reading.schedule_of({"triggerSource": {"schedule": {"cronExpression": cron, "timezone": zone}}})


def test_a_schedule_without_a_zone_is_by_utc_as_for_the_engine() -> None:
    assert cron_words.describe_schedule("0 9 * * *") == "Every day at 09:00, UTC"
    assert cron_words.describe_schedule(*_installed("0 9 * * *", {"odd": 1})) == "Every day at 09:00, UTC"


def test_a_zone_is_not_shown_where_it_makes_no_difference() -> None:
    assert cron_words.describe_schedule("*/5 * * * *", ZONE) == "Every 5 minutes"


@pytest.mark.parametrize("cron", [None, "", "  ", 7, [], {}])
def test_what_is_no_expression_is_nothing(cron: object) -> None:
    assert cron_words.describe_schedule(*_installed(cron, ZONE)) == ""


@pytest.mark.slow
@given(st.text(max_size=200), st.text(max_size=50))
def test_any_text_is_described_somehow(cron: str, zone: str) -> None:
    assert bool(cron_words.describe_schedule(cron, zone)) is bool(cron.strip())

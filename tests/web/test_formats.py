"""Moments, durations and JSON as people read them, from whatever the engine sends."""

import datetime
from typing import Any

import pytest
from django.utils import timezone, translation

from workflows_ui.core import formats

NOW = datetime.datetime(2026, 11, 25, 3, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize("value", ["", None, 5, "yesterday", {}, [], "2026-13-40T00:00:00Z"])
def test_what_is_not_a_moment_gives_none(value: Any) -> None:
    assert formats.moment(value) is None


def test_a_moment_without_a_zone_is_taken_as_utc() -> None:
    assert formats.moment("2026-11-25T03:00:00") == NOW
    assert formats.moment("2026-11-25T03:00:00.000Z") == NOW


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (7200, "2 hours ago"),
        (86400, "1 day ago"),
        (7 * 86400 - 1, "6 days ago"),
        (-30, "in under a minute"),
        (-120, "in 2 minutes"),
        (-7200, "in 2 hours"),
        (-2 * 86400, "in 2 days"),
    ],
)
def test_moments_near_now_are_relative(seconds: int, words: str) -> None:
    assert formats.relative(NOW - datetime.timedelta(seconds=seconds), NOW) == words


def test_older_moments_are_dates_in_the_persons_zone_that_cannot_be_misread() -> None:
    with timezone.override("Asia/Ho_Chi_Minh"):
        assert formats.relative(NOW - datetime.timedelta(days=14), NOW) == "11 Nov 2026"
        assert formats.exact(NOW) == "25 Nov 2026 10:00:00 +07"


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0.18, "less than 1 ms"),
        (2.29, "2 ms"),
        (999, "999 ms"),
        (4200, "4.2 s"),
        (60_000, "1 min"),
        (185_000, "3 min 5 s"),
        (7_800_000, "2 h 10 min"),
        (None, ""),
        ("12", ""),
        (-1, ""),
        (float("nan"), ""),
        (True, ""),
    ],
)
def test_durations(milliseconds: Any, words: str) -> None:
    with translation.override("en"):
        assert formats.duration(milliseconds) == words


def test_a_duration_between_moments_needs_both_the_right_way_round() -> None:
    assert formats.between("2026-11-25T03:00:00Z", "2026-11-25T03:00:02Z") == 2000
    assert formats.between("2026-11-25T03:00:02Z", "2026-11-25T03:00:00Z") is None
    assert formats.between("2026-11-25T03:00:02Z", "") is None


def test_json_stays_readable_and_is_cut_with_the_rest_counted() -> None:
    assert formats.pretty({"tên": "Đơn hàng"}).text == '{\n  "tên": "Đơn hàng"\n}'
    assert formats.pretty("x" * 100, limit=10) == formats.Pretty('"xxxxxxxxx', 92)


def test_half_a_character_does_not_break_the_page() -> None:
    assert formats.pretty("\ud800").text == '"?"'


def test_a_name_of_ten_thousand_characters_is_short_in_a_sentence_and_what_it_belongs_to_stays() -> None:
    row = {"name": "ж" * 10_000, "version": {"displayName": "x" * 121}, "number": 7, "id": "short"}
    brief = formats.named_briefly(row)
    assert brief == {"name": "ж" * 119 + "…", "version": {"displayName": "x" * 119 + "…"}, "number": 7, "id": "short"}

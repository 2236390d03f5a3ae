"""Schedules in words: what is chosen becomes a cron expression, and any expression is shown in words or as it is."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from django import forms

from tests import flows
from tests.flow_editing.posted_forms import as_posted, newer, save
from tests.flow_editing.test_editing import url
from tests.stage import Stage, stage
from tests.stub_engine import text
from workflows_ui.flow_editing.schedule_forms import ScheduleFields
from workflows_ui.flows import reading

__all__ = ["stage"]
AT = {"at": "09:30"}
WORDS: list[tuple[dict[str, Any], str, str]] = [
    ({"repeat": "weekdays", **AT}, "30 9 * * 1-5", "Monday to Friday at 09:30, Asia/Ho_Chi_Minh"),
    ({"repeat": "daily", **AT}, "30 9 * * *", "Every day at 09:30, Asia/Ho_Chi_Minh"),
    ({"repeat": "weekly", "days": ["5", "1"], **AT}, "30 9 * * 1,5", "Monday, Friday at 09:30, Asia/Ho_Chi_Minh"),
    ({"repeat": "weekly", "days": ["0"], **AT}, "30 9 * * 0", "Every Sunday at 09:30, Asia/Ho_Chi_Minh"),
    ({"repeat": "monthly", "day": "31", **AT}, "30 9 31 * *", "On day 31 of every month at 09:30, Asia/Ho_Chi_Minh"),
    ({"repeat": "hourly", "minute": "5"}, "5 * * * *", "Every hour, at minute 5"),
    ({"repeat": "minutes", "every": "15"}, "*/15 * * * *", "Every 15 minutes"),
    ({"repeat": "minutes", "every": "1"}, "* * * * *", "Every minute"),
    ({"repeat": "cron", "expression": " 0 9  1 1 * "}, "0 9 1 1 *", "0 9 1 1 *, Asia/Ho_Chi_Minh"),
]
ZONE = {"zone": "Asia/Ho_Chi_Minh"}


@pytest.fixture
def flow(stage: Stage) -> str:
    return flows.make(stage.session.workflows, "Orders", flows.code("echo"), publish=False)


@pytest.mark.slow
@newer
def test_words_become_the_expression_and_the_expression_the_words(stage: Stage, flow: str) -> None:
    for typed, cron, words in WORDS:
        trigger = save(stage, "trigger-schedule", flow, typed | ZONE)
        assert trigger["settings"]["input"] == {"cronExpression": cron, "timezone": ZONE["zone"]}
        assert trigger["valid"]
        assert trigger["displayName"] == words
        page = stage.browser.get(url("trigger-schedule", flow))
        posted = as_posted(page.context["form"])
        fields = ScheduleFields(posted)
        cast("forms.ChoiceField", fields.fields["zone"]).choices = [(ZONE["zone"], "")]
        assert fields.is_valid(), (fields.errors, posted)
        assert fields.cleaned_data["cron"] == cron


@newer
def test_the_next_times_are_shown_while_the_words_are_chosen(stage: Stage, flow: str) -> None:
    values = as_posted(stage.browser.get(url("trigger-schedule", flow)).context["form"]) | ZONE | AT
    stage.practice.journal.clear()
    shown = stage.browser.post(url("trigger-schedule", flow), values | {"redo": "times", "repeat": "daily"})
    words, times = shown.context["form"].preview
    assert words == "Every day at 09:30, Asia/Ho_Chi_Minh"
    assert [(one.hour, one.minute) for one in times] == [(9, 30)] * 5
    assert words in text(shown.content)
    assert not stage.writes()
    wrong = stage.browser.post(url("trigger-schedule", flow), values | {"repeat": "cron", "expression": "every day"})
    assert wrong.status_code == 422
    assert wrong.context["form"].errors.keys() == {"expression"}
    for missing in ({"repeat": "weekly"}, {"repeat": "daily", "at": ""}, {"repeat": "monthly", "day": ""}):
        assert stage.browser.post(url("trigger-schedule", flow), values | missing).status_code == 422


@newer
def test_another_schedule_that_means_the_same_stays_as_it_is(stage: Stage, flow: str) -> None:
    settings: dict[str, Any] = {
        "pieceName": "@activepieces/piece-schedule",
        "pieceVersion": "0.1.5",
        "triggerName": "every_week",
        "input": {"hour_of_the_day": 9, "day_of_the_week": 1, "timezone": "Europe/Berlin"},
        "propertySettings": {},
    }
    body = {"name": "trigger", "type": "PIECE_TRIGGER", "valid": True, "displayName": "Weekly", "settings": settings}
    stage.session.workflows.apply_flow_operation(flow, {"type": "UPDATE_TRIGGER", "request": body})
    page = stage.browser.get(url("trigger-schedule", flow))
    values = as_posted(page.context["form"])
    assert (values["repeat"], values["days"], values["zone"]) == ("weekly", ["1"], "Europe/Berlin")
    after = save(stage, "trigger-schedule", flow, values | {"name": "Mondays"})
    assert after["settings"] == settings
    assert after["displayName"] == "Mondays"
    after = save(stage, "trigger-schedule", flow, values | {"at": "10:00"})
    assert after["settings"]["triggerName"] == "cron_expression"


def test_times_are_those_of_the_time_zone() -> None:
    times = reading.times_of("0 9 * * 1-5", "Asia/Ho_Chi_Minh", datetime(2026, 11, 27, 3, tzinfo=UTC))
    assert [time.astimezone(UTC).isoformat() for time in times][:2] == [
        "2026-11-30T02:00:00+00:00",
        "2026-12-01T02:00:00+00:00",
    ]
    assert reading.times_of("0 0 9 * * *", "UTC") == reading.times_of("nonsense", "Nowhere/At_All") == []


@pytest.mark.slow
@newer
def test_the_name_of_a_schedule_follows_it_unless_somebody_typed_one(stage: Stage, flow: str) -> None:
    def values() -> dict[str, Any]:
        return as_posted(stage.browser.get(url("trigger-schedule", flow)).context["form"])

    trigger = save(stage, "trigger-schedule", flow, {"repeat": "daily", **AT, **ZONE})
    stage.browser.cookies.load({"django_language": "vi"})
    follows = save(stage, "trigger-schedule", flow, values() | {"at": "07:00"})
    stage.browser.cookies.load({"django_language": "en"})
    follows = save(stage, "trigger-schedule", flow, values() | {"at": "08:00"})
    assert trigger["displayName"] == "Every day at 09:30, Asia/Ho_Chi_Minh"
    assert follows["displayName"] == "Every day at 08:00, Asia/Ho_Chi_Minh"
    unchanged = values()
    assert unchanged["name"] == ""
    typed = save(stage, "trigger-schedule", flow, unchanged | {"name": "Morning round"})
    assert typed["displayName"] == "Morning round"
    saved = save(stage, "trigger-schedule", flow, values() | {"at": "07:15"})
    assert saved["displayName"] == "Morning round"


@newer
def test_the_name_that_the_app_gives_a_schedule_gives_way_to_its_words(stage: Stage, flow: str) -> None:
    settings: dict[str, Any] = {
        "pieceName": "@activepieces/piece-schedule",
        "pieceVersion": "0.1.5",
        "triggerName": "every_day",
        "input": {"hour_of_the_day": 9, "timezone": "UTC", "run_on_weekends": True},
        "propertySettings": {},
    }
    body = {"name": "trigger", "type": "PIECE_TRIGGER", "valid": True, "displayName": "Every Day", "settings": settings}
    stage.session.workflows.apply_flow_operation(flow, {"type": "UPDATE_TRIGGER", "request": body})
    values = as_posted(stage.browser.get(url("trigger-schedule", flow)).context["form"])
    after = save(stage, "trigger-schedule", flow, values | {"at": "10:00"})
    assert after["displayName"] == "Every day at 10:00, UTC"

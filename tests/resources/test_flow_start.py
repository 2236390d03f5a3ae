"""What starts a flow, in words and for launching: one rule for both."""

from typing import Any

import pytest

from tests.stub_engine import flow
from workflows_ui.flows.reading import start_label
from workflows_ui.launches import flow_facts


def trigger(piece: str, name: str = "", /, title: str = "Some trigger", **inputs: Any) -> dict[str, Any]:
    settings = {"pieceName": f"@activepieces/{piece}", "triggerName": name, "input": inputs}
    return {"name": "trigger", "type": "PIECE_TRIGGER", "displayName": title, "settings": settings}


def starting(found: Any, **more: Any) -> dict[str, Any]:
    return flow(version={"id": "V1", "displayName": "x", "trigger": found}, **more)


DAILY = trigger("piece-schedule", "every_day", hour_of_the_day=9, timezone="UTC", run_on_weekends=True)
WEEKLY = trigger("piece-schedule", "every_week", hour_of_the_day="7", day_of_the_week=1)


@pytest.mark.parametrize(
    ("found", "words", "start"),
    [
        (trigger("piece-webhook", "catch_webhook"), "Webhook", "call"),
        (trigger("piece-forms", "form_submission"), "Form", "form"),
        (trigger("piece-google-sheets", "new_row", title="New Row"), "Google Sheets: New Row", "event"),
        (trigger("piece-webhooks-log", "webhook_seen", title="Seen"), "Webhooks Log: Seen", "event"),
        (DAILY, "Every day at 09:00, UTC", "schedule"),
        (WEEKLY, "Every Monday at 07:00, UTC", "schedule"),
        (trigger("piece-schedule", "every_month", hour_of_the_day="{{x}}"), "Scheduled", "schedule"),
        (trigger("piece-schedule", "cron_expression", cronExpression="1 2 3 4 5"), "1 2 3 4 5, UTC", "schedule"),
        ({"type": "EMPTY", "settings": {}}, "No trigger chosen yet", "nothing"),
        (None, "No trigger chosen yet", "nothing"),
        ("odd", "No trigger chosen yet", "nothing"),
        ({"settings": {"pieceName": {}}}, "No trigger chosen yet", "nothing"),
    ],
)
def test_what_starts_it_is_shown_and_decides_about_launching(found: Any, words: str, start: str) -> None:
    assert start_label(starting(found)) == words
    assert flow_facts.start_of(found) == start


def test_a_forks_own_webhook_piece_is_a_webhook() -> None:
    found = {"type": "PIECE_TRIGGER", "settings": {"pieceName": "@imbrace/piece-webhook", "triggerName": "catch"}}
    assert flow_facts.start_of(found) == "call"


def test_the_schedule_that_runs_goes_before_the_drafts_own_fields() -> None:
    found = trigger("piece-schedule", "every_day", hour_of_the_day=9, run_on_weekends=True)
    installed = {"schedule": {"type": "CRON_EXPRESSION", "cronExpression": "0 * * * 1-5", "timezone": "UTC"}}
    assert start_label(starting(found, triggerSource=installed)) == "Every hour, Monday to Friday, UTC"
    assert start_label(starting(found, triggerSource={"schedule": None})) == "Every day at 09:00, UTC"

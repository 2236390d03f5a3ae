"""The history of an object holds what belongs to it too: launches, forms, rights, items of jobs, what was created; by pages."""

import pytest
from django.test import Client

from tests.stage import Stage, stage
from tests.stub_engine import StubEngine, flow, identity, owner, stub_engine, text, users
from tests.users import Users
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.members.services import access

__all__ = ["owner", "stage", "stub_engine", "users"]
pytestmark = pytest.mark.both_databases

FLOW = f"/w/sales/flows/{identity(1)}/?tab=history"


def test_launches_saved_inputs_and_items_of_jobs_are_in_the_history_of_their_flow(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow(), flow(2)]
    actor, space = Actor(users.owner), users.workspace
    person_access = access.access_for(users.owner, "sales")
    saved_inputs.save(actor, person_access, identity(1), "Mine", {"a": 1}, shared=False)
    launch = {"workspace": space, "object_type": "launch", "object_id": "L" * 21, "object_name": "Orders"}
    audit_log.record(actor, "launch.ask", **launch, flow=identity(1))  # type: ignore[arg-type]
    item = {"workspace": space, "object_type": "flows", "object_id": identity(1)}
    audit_log.record(CONSOLE, "flows.turn-off", **item, job="J" * 21)  # type: ignore[arg-type]
    page = text(owner.get(FLOW).content)
    assert "Saved inputs for later" in page
    assert f'href="/w/sales/launches/{"L" * 21}/"' in page
    assert f'href="/w/sales/jobs/{"J" * 21}/"' in page
    assert "Part of a job" in page
    other = text(owner.get(f"/w/sales/flows/{identity(2)}/?tab=history").content)
    assert "Nothing has been done here yet." in other
    listed = text(owner.get("/w/sales/audit/", {"job": "J" * 21}).content)
    assert "Flow: Turn off" in listed
    assert "Saved inputs" not in listed.split("<tbody ")[1]


def test_what_an_action_created_begins_its_history_with_it(stage: Stage) -> None:
    stage.browser.post("/w/sales/flows/do/new/", {"name": "Made here", "folder": ""})
    made = AuditEvent.objects.exclude(subject_id=None).get(subject_type="flows")
    page = text(stage.browser.get(f"/w/sales/flows/{made.subject_id}/?tab=history").content)
    assert "Flow: New flow" in page
    stage.browser.post(f"/w/sales/flows/do/duplicate/{made.subject_id}/", {"name": "The copy"})
    copy = AuditEvent.objects.filter(subject_type="flows").latest("pk")
    assert copy.subject_id != made.subject_id
    assert "Flow: Duplicate" in text(stage.browser.get(f"/w/sales/flows/{copy.subject_id}/?tab=history").content)


def test_a_long_history_has_pages_and_none_of_its_rows_comes_twice(
    users: Users, owner: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    for number in range(45):
        item = {"workspace": users.workspace, "object_type": "flows", "object_id": identity(1)}
        audit_log.record(Actor(users.owner), "flows.rename", **item, reason=f"deed-{number:02}.")  # type: ignore[arg-type]
    seen: list[str] = []
    for number, expected in ((1, range(44, 24, -1)), (2, range(24, 4, -1)), (3, range(4, -1, -1))):
        page = text(owner.get(f"{FLOW}&page={number}").content)
        deeds = [f"deed-{deed:02}." for deed in range(44, -1, -1) if f"deed-{deed:02}." in page]
        assert deeds == [f"deed-{deed:02}." for deed in expected]
        assert ('rel="next"' in page, 'rel="prev"' in page) == (number < 3, number > 1)
        seen += deeds
    assert len(set(seen)) == 45
    for odd in ("0", "-1", "x", "99999", "9" * 40):
        assert owner.get(f"{FLOW}&page={odd}").status_code == 200

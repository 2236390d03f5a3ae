"""Masked values of a run or a flow: a builder who says why sees one, once; everything is written down; our own keys stay hidden."""

from typing import Any

import pytest
from django.test import Client

from tests import flows
from tests.practice_engine.fixtures import Practice
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.members.models import Member, Role
from workflows_ui.resources.reveal.views import find_hidden

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]
REASON = "Comparing what the customer sent us"


def at(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def run(plain: Users, practice: Practice) -> str:
    """A run that was started with headers of the customer and of the console."""
    ours = practice.credentials.bearer_token
    headers = {"x-signature": "customer-signature-1", "authorization": f"Bearer {ours}", "x-plain": "nothing to hide"}
    practice.call("POST", f"/v1/webhooks/{practice.sample('quick').id}/sync", json={"a": 1}, headers=headers)
    return practice.started_run()


def page(run: str) -> str:
    return f"/w/sales/runs/{run}/hidden/"


def places(answer: Any) -> dict[str, str]:
    return {one.where: one.key for one in answer.context["places"]}


def test_a_builder_sees_one_value_for_a_reason_and_it_is_written_down(plain: Users, run: str) -> None:
    Member.objects.filter(user=plain.owner).update(role=Role.BUILDER)
    browser = at(plain.owner)
    asked = browser.get(page(run))
    assert "customer-signature-1" not in asked.content.decode()
    found = places(asked)
    where = next(name for name in found if name.endswith("x-signature"))
    compressing = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "same-origin"}
    answer = browser.post(page(run), {"place": found[where], "reason": REASON}, headers=compressing)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer
    assert "customer-signature-1" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    rows = list(AuditEvent.objects.filter(action="runs.reveal").order_by("pk"))
    assert len(rows) == 2
    assert (rows[0].user, rows[0].reason, rows[0].object_id) == (plain.owner, REASON, run)
    assert rows[1].begun_id == rows[0].pk
    # The credential's page lists it, with the person.
    used = browser.get(f"/w/sales/credentials/{plain.credential.pk}/").content.decode()
    assert "Revealed a hidden value" in used.partition("Uses of the credential")[2]
    assert "customer-signature-1" not in str(list(AuditEvent.objects.values()))
    # Gone with the next look.
    assert "customer-signature-1" not in browser.get(page(run)).content.decode()


def test_the_console_s_own_keys_are_not_among_them(plain: Users, practice: Practice, run: str) -> None:
    browser = at(plain.owner)
    for name, key in places(browser.get(page(run))).items():
        shown = browser.post(page(run), {"place": key, "reason": REASON}).content.decode()
        assert practice.credentials.bearer_token not in shown, name


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"reason": "too short"}, {"place": ""}, {"place": "f" * 24}])
def test_without_a_reason_or_a_place_nothing_is_shown_nor_written_down(
    plain: Users, run: str, wrong: dict[str, str]
) -> None:
    browser = at(plain.owner)
    found = places(browser.get(page(run)))
    where = next(key for name, key in found.items() if name.endswith("x-signature"))
    answer = browser.post(page(run), {"place": where, "reason": REASON} | wrong)
    assert answer.status_code == 422
    assert "customer-signature-1" not in answer.content.decode()
    assert not AuditEvent.objects.filter(action="runs.reveal").exists()


def test_nobody_but_builders_comes_there_or_is_led_there(plain: Users, run: str) -> None:
    browser = at(plain.colleague)
    for role in (Role.VIEWER, Role.LAUNCHER):
        Member.objects.filter(user=plain.colleague).update(role=role)
        assert browser.get(page(run)).status_code == 403
        assert browser.post(page(run), {"reason": REASON}).status_code == 403
        assert page(run) not in browser.get(f"/w/sales/runs/{run}/?tab=data").content.decode()
    assert at(plain.stranger).get(page(run)).status_code == 404
    Member.objects.filter(user=plain.colleague).update(role=Role.BUILDER)
    assert page(run) in browser.get(f"/w/sales/runs/{run}/?tab=data").content.decode()
    assert browser.get(page(run)).status_code == 200
    assert page(run) in at(plain.owner).get(f"/w/sales/runs/{run}/?tab=data").content.decode()


def test_a_flow_without_hidden_values_says_so(plain: Users, practice: Practice) -> None:
    answer = at(plain.owner).get(f"/w/sales/flows/{practice.sample('quick').id}/hidden/")
    assert answer.status_code == 200
    assert "Nothing is hidden here" in answer.content.decode()


def test_a_flow_s_page_leads_builders_to_what_is_hidden_in_it(plain: Users, practice: Practice) -> None:
    browser, typed = at(plain.owner), "key-typed-into-a-step"
    known = practice.call("POST", "/v1/flows", json={"displayName": "Keys", "projectId": plain.workspace.project_id})
    keeping, open_one = f"/w/sales/flows/{known.json()['id']}/", f"/w/sales/flows/{practice.sample('quick').id}/"
    step = {"name": "step_1", **flows.code("echo", token=typed)}
    operation = {"type": "ADD_ACTION", "request": {"parentStep": "trigger", "action": step}}
    practice.call("POST", f"/v1/flows/{known.json()['id']}", json=operation).raise_for_status()
    assert f"{keeping}hidden/" in browser.get(f"{keeping}?tab=data").content.decode()
    assert f"{open_one}hidden/" not in browser.get(f"{open_one}?tab=data").content.decode()
    Member.objects.filter(user=plain.colleague).update(role=Role.LAUNCHER)
    assert f"{keeping}hidden/" not in at(plain.colleague).get(keeping).content.decode()
    (key,) = places(browser.get(f"{keeping}hidden/")).values()
    shown = browser.post(f"{keeping}hidden/", {"place": key, "reason": REASON}).content.decode()
    assert typed in shown
    assert [row.outcome for row in AuditEvent.objects.filter(action="flows.reveal").order_by("pk")] == ["begun", "done"]


def test_ugly_objects_are_walked_without_harm() -> None:
    deep: Any = "end"
    for _level in range(200):
        deep = [deep]
    original = {"a": deep, "b": [{"token": ""}, None, 1], "c" * 5000: "secret-one", 7: {"x": ["secret-two"]}}
    masked = {"a": deep, "b": [{"token": "*"}, None, 1], "c" * 5000: "*", "7": {"x": ["*"]}}
    found = find_hidden(original, masked)
    assert [one.value for one in found] == ["secret-one", "secret-two"]
    assert found[1].where == "7 › x › 1"
    assert len(found[0].where) <= 80
    assert "secret-one" not in repr(found)

"""Actions: declarations that are wrong, buttons and their order, ways back, hidden secrets, and what the audit log keeps."""

from typing import Any

import pytest
from django import forms
from django.test import Client

from tests.engine.servers import Reply
from tests.resource_admin.test_checks import Good
from tests.stub_engine import StubEngine, identity, text
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import redaction
from workflows_ui.members.models import Workspace
from workflows_ui.resource_admin import action_forms, action_page, checks as resource_checks
from workflows_ui.resource_admin.actions import Action, Bulk
from workflows_ui.web.elements import Button, arranged

FOLDER = {"id": identity(7), "displayName": "Sales", "numberOfFlows": 0}
RENAME = f"/w/sales/folders/do/rename/{identity(7)}/"


def deed(name: str = "act", **changes: Any) -> Action:
    return Action(name, "Act", "box", lambda _caller, _id, _data: None, **changes)


@pytest.fixture
def folder(stub_engine: StubEngine) -> StubEngine:
    """One folder, which takes every change."""
    stub_engine.folders = [FOLDER]
    stub_engine.faults[f"/folders/{identity(7)}"] = Reply(200, FOLDER)
    return stub_engine


@pytest.mark.parametrize(
    ("actions", "number"),
    [
        ([deed("Bad Name")], "console.E010"),
        ([deed(), deed()], "console.E011"),
        ([deed("delete")], "console.E012"),
        ([deed("delete-all", danger=True, collection=True)], "console.E012"),
        ([deed(initial=lambda _row: {})], "console.E013"),
        ([deed(impact=lambda _caller, _row: None)], "console.E014"),
        ([deed(collection=True, in_rows=True)], "console.E015"),
        ([deed(collection=True, bulk=Bulk())], "console.E020"),
        ([deed(bulk=Bulk(together=lambda _caller, _ids, _data: None))], "console.E020"),
    ],
)
def test_each_mistake_has_its_number(actions: list[Action], number: str) -> None:
    resource = type("Changed", (Good,), {"actions": actions})()
    assert [str(problem.id) for problem in resource_checks.check_resources([resource])] == [number]


def test_an_object_and_the_collection_may_have_an_action_of_one_name() -> None:
    resource = type("Both", (Good,), {"actions": [deed(), deed(collection=True)]})()
    assert resource_checks.check_resources([resource]) == []


def test_one_button_stands_out_and_harmful_ones_come_last() -> None:
    way = Button("Way", "x", "/way")
    primary = Button("Launch", "x", "/launch", primary=True)
    harmful = Button("Delete", "x", "/delete", is_action=True, danger=True)
    harmless = Button("Rename", "x", "/rename", is_action=True)
    assert arranged([way, harmful, harmless, primary]) == (primary, [way, harmless, harmful])
    assert arranged([way, harmful, harmless]) == (None, [way, harmless, harmful])
    assert arranged([way, harmful]) == (None, [way, harmful])
    assert arranged([]) == (None, [])


def test_no_lesser_action_stands_out_in_place_of_one_that_the_engine_lacks() -> None:
    way = Button("View flow", "x", "/way")
    lacking = Button("Retry", "x", "/retry", is_action=True, primary=True, reason="Not in the plan.")
    lesser = Button("Archive", "x", "/archive", is_action=True)
    assert arranged([way, lacking, lesser]) == (None, [way, lacking, lesser])


def test_one_gets_back_to_the_list_one_came_from(owner: Client, folder: StubEngine) -> None:
    back = "/w/sales/folders/?rows=50"
    page = text(owner.get(RENAME, {"next": back}).content)
    assert f'<input type="hidden" name="next" value="{back}">' in page
    answer = owner.post(RENAME, {"name": "Other", "next": back})
    assert answer.headers["Location"] == back


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/w/elsewhere/flows/", "javascript:x"])
def test_nobody_is_led_out_of_the_workspace(owner: Client, folder: StubEngine, back: str) -> None:
    assert back not in owner.get(RENAME, {"next": back}).content.decode()
    answer = owner.post(RENAME, {"name": "Other", "next": back})
    assert answer.headers["Location"] == f"/w/sales/folders/{identity(7)}/"


def test_a_mask_is_not_written_over_the_secret_it_stands_for(owner: Client, folder: StubEngine) -> None:
    answer = owner.post(RENAME, {"name": f"Bearer {redaction.MASK}"})
    assert answer.status_code == 422
    assert "This contains a hidden secret" in text(answer.content)
    assert [seen.method for seen in folder.seen] == ["GET"]
    assert not AuditEvent.objects.exists()


def test_what_is_wrong_with_the_form_is_shown_and_the_engine_is_not(owner: Client, folder: StubEngine) -> None:
    answer = owner.post(RENAME, {"name": "x" * 300})
    assert answer.status_code == 422
    assert "x" * 300 in text(answer.content)
    assert [seen.method for seen in folder.seen] == ["GET"]


def test_one_ticket_is_one_deed(owner: Client, folder: StubEngine) -> None:
    typed = {"name": "Other", action_page.TICKET: "once"}
    owner.post(RENAME, typed)
    owner.post(RENAME, typed)
    assert [seen.method for seen in folder.seen].count("POST") == 1
    assert "It was not done a second time." in text(owner.get("/w/sales/flows/").content)


def test_without_csrf_proof_nothing_is_done(owner: Client, users: Any, folder: StubEngine) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(users.owner)
    assert browser.post(RENAME, {"name": "Other"}).status_code == 403
    assert not folder.seen


def test_names_that_no_database_takes_are_written_down_all_the_same(owner: Client, folder: StubEngine) -> None:
    odd = FOLDER | {"displayName": "a\x00b\ud800c"}
    folder.faults[f"/folders/{identity(7)}"] = Reply(200, odd)
    assert owner.post(RENAME, {"name": "Other"}).status_code == 303
    assert set(AuditEvent.objects.values_list("object_name", flat=True)) == {"ab\ufffdc"}


def test_an_unknown_action_is_not_found(owner: Client, folder: StubEngine) -> None:
    for address in ("do/nothing/", f"do/nothing/{identity(7)}/", "do/rename/", f"do/new/{identity(7)}/"):
        assert owner.get(f"/w/sales/folders/{address}").status_code == 404
    assert not folder.seen


class _Told(forms.Form):
    discreet = frozenset({"pin"})
    word = forms.CharField()
    key = forms.CharField(widget=forms.PasswordInput)
    pin = forms.CharField()
    body = forms.JSONField()
    field_7 = forms.CharField(label="Mật khẩu", required=False)


def test_the_audit_log_keeps_what_was_typed_without_secrets() -> None:
    form = _Told(
        {
            "word": "w" * 5000,
            "key": "k-secret",
            "pin": "p-secret",
            "field_7": "f-secret",
            "body": '{"authorization": "h-secret"}',
        }
    )
    assert form.is_valid()
    logged = action_forms.logged_values(form)
    assert "secret" not in repr(logged)
    assert len(str(logged["word"])) == 1000
    assert logged["key"] == logged["pin"] == logged["field_7"] == redaction.MASK


class _Edit(forms.Form):
    discreet = frozenset({"seen", "predicted"})
    word = forms.CharField()
    seen = forms.CharField()

    def clean(self) -> dict[str, Any]:
        return self.cleaned_data | {"predicted": {"trigger": {}}}


def test_the_audit_log_leaves_out_discreet_values_that_nobody_typed() -> None:
    form = _Edit({"word": "w", "seen": "v1"})
    assert form.is_valid()
    assert action_forms.logged_values(form) == {"word": "w", "seen": redaction.MASK}


# --- A reason, where the workspace asks for one


def test_what_deletes_or_stops_asks_for_a_reason_which_the_audit_log_keeps(owner: Client, folder: StubEngine) -> None:
    Workspace.objects.update(reasons_asked=True)
    url = f"/w/sales/folders/do/delete/{identity(7)}/"
    assert 'name="change_reason"' in text(owner.get(url).content)
    assert 'name="change_reason"' not in text(owner.get(RENAME).content)
    answer = owner.post(url, {"change_reason": " ", "next": ""})
    assert answer.status_code == 422
    assert not [seen for seen in folder.seen if seen.method == "DELETE"]
    assert owner.post(url, {"change_reason": "Replaced by Orders"}).status_code == 303
    event = AuditEvent.objects.filter(action="folders.delete").earliest("pk")
    assert "Replaced by Orders" in text(owner.get("/w/sales/audit/").content)
    assert event.reason == "Replaced by Orders"
    assert "change_reason" not in str(event.detail)


def test_no_reason_is_asked_for_unless_the_workspace_does(owner: Client, folder: StubEngine) -> None:
    url = f"/w/sales/folders/do/delete/{identity(7)}/"
    assert 'name="change_reason"' not in text(owner.get(url).content)
    assert owner.post(url, {"sure": "1", "change_reason": "Typed into a page from before"}).status_code == 303
    assert not AuditEvent.objects.filter(action="folders.delete").exclude(reason="").exists()

"""The launch form: what it says before launching, what it is filled with, and that one form makes one launch."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from console.celery import app
from tests import flows
from tests.pages.launch_scene import NO_FLOW, Scene, form_of, text_of, unescape
from workflows_ui.kit import payload_words
from workflows_ui.models import AuditEvent, Credential, Launch, Member, Role, State, Workspace
from workflows_ui.services import sweeping

ECHO = flows.code("echo", given="{{trigger.body}}")


def _quick(scene: Scene, name: str = "Quick") -> str:
    return flows.make(scene.workflows, name, ECHO)


def _opened(scene: Scene, flow: str, query: str = "") -> str:
    response = scene.browser.get(f"{scene.url(flow)}{query or '?'}&_as=json")
    assert response.status_code == 200
    return unescape(text_of(response))


# --- What is said before ---------------------------------------------------------------------------


def test_the_form_names_the_flow_its_trigger_and_the_credential_that_will_act(scene: Scene) -> None:
    page = _opened(scene, _quick(scene))
    assert "Launch Quick" in page
    assert "When it is called" in page
    assert "Catch Webhook" in page
    assert "“Colleague's key”, your own key" in page
    assert "The published version" in page


def test_a_teams_credential_is_named_as_the_teams(scene: Scene) -> None:
    flow = _quick(scene)
    team = Group.objects.create(name="Sales team")
    scene.cast.colleague.groups.add(team)
    Credential.objects.filter(owner=scene.cast.colleague).delete()
    secret = scene.cast.credential.open("secret")
    shared = Credential(workspace=scene.cast.workspace, team=team, name="Shared key", kind=scene.cast.credential.kind)
    shared.secret = shared.seal("secret", secret)
    shared.save()
    page = _opened(scene, flow)
    assert "“Shared key”, the key of the team Sales team" in page
    assert secret not in page


def test_a_flow_that_is_off_is_said_to_be_off_before_launching(scene: Scene) -> None:
    flow = _quick(scene)
    scene.workflows.apply_flow_operation(flow, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    page = _opened(scene, flow)
    assert "This flow is off" in page
    assert "Ask a builder to switch it on." in page
    assert "Launch anyway" in page


def test_a_flow_that_was_never_published_is_said_to_be_a_draft(scene: Scene) -> None:
    page = _opened(scene, flows.make(scene.workflows, "Draft", ECHO, publish=False))
    assert "This flow is not published" in page
    assert "This flow is off" not in page


def test_a_flow_without_a_trigger_says_that_nothing_can_start_it(scene: Scene) -> None:
    flow = scene.workflows.create_flow("Empty", scene.workflows.resolve_project_id())["id"]
    assert "This flow has no trigger" in _opened(scene, flow)


def test_a_flow_that_starts_by_the_clock_is_told_from_one_that_is_called(scene: Scene) -> None:
    flow = _quick(scene)
    schedule: dict[str, Any] = {**flows.WEBHOOK, "displayName": "Every Hour"}
    schedule["settings"] = {
        "pieceName": "@activepieces/piece-schedule",
        "pieceVersion": "~0.1.13",
        "triggerName": "every_hour",
        "input": {"run_on_weekend": True},
        "propertySettings": {},
    }
    scene.workflows.apply_flow_operation(flow, {"type": "UPDATE_TRIGGER", "request": schedule})
    draft = _opened(scene, flow)
    assert "There is a newer draft, which does not run." in draft
    assert "This flow starts by the clock" not in draft
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    assert "This flow starts by the clock" in _opened(scene, flow)


def test_a_flow_that_starts_with_its_form_is_told(scene: Scene) -> None:
    flow = _quick(scene)
    form: dict[str, Any] = {**flows.WEBHOOK, "displayName": "Web Form"}
    form["settings"] = {
        "pieceName": "@activepieces/piece-forms",
        "pieceVersion": "~0.4.8",
        "triggerName": "form_submission",
        "input": {"inputs": [], "response": True},
        "propertySettings": {},
    }
    scene.workflows.apply_flow_operation(flow, {"type": "UPDATE_TRIGGER", "request": form})
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    assert "This flow starts with its form" in _opened(scene, flow)


def test_a_trigger_with_a_password_of_its_own_is_told(scene: Scene) -> None:
    flow = _quick(scene)
    guarded: dict[str, Any] = {**flows.WEBHOOK}
    guarded["settings"] = {
        **guarded["settings"],
        "input": {"authType": "header", "authFields": {"headerName": "x-shop", "headerValue": "hidden-value"}},
    }
    scene.workflows.apply_flow_operation(flow, {"type": "UPDATE_TRIGGER", "request": guarded})
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    page = _opened(scene, flow)
    assert "trigger asks for a password of its own" in page
    assert "hidden-value" not in page


def test_paused_launching_is_said_before_and_after(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"kept": 1}'}
    Workspace.objects.update(launching_paused=True)
    response = scene.browser.post(scene.url(flow), fields)
    assert response.status_code == 422
    assert "Launching is paused in this workspace" in text_of(response)
    assert form_of(response)["payload"] == '{"kept": 1}'
    assert not Launch.objects.exists()
    assert "Launching is paused in this workspace" in _opened(scene, flow)


# --- What it is filled with ------------------------------------------------------------------------


def test_without_a_history_the_form_starts_with_the_sample_event(scene: Scene) -> None:
    flow = _quick(scene)
    event = {"method": "POST", "headers": {"x-api-key": "hidden"}, "body": {"tên": "An"}, "queryParams": {}}
    scene.workflows.save_trigger_event(flow, event)
    page = _opened(scene, flow)
    assert '"tên": "An"' in page
    assert "hidden" not in scene.fields(flow)["payload"]
    assert "The flow's sample values" in page


def test_without_a_sample_it_starts_empty_and_a_refused_sample_is_no_harm(scene: Scene) -> None:
    flow = _quick(scene)
    assert scene.fields(flow)["payload"] == "{}"
    scene.engine.faults.add(kind="status", path="/v1/trigger-events*", status=403)
    assert scene.fields(flow)["payload"] == "{}"


def test_the_last_values_and_choice_are_offered_again(scene: Scene) -> None:
    flow = _quick(scene)
    scene.launch(flow, '{"b": "Nguyễn Văn An", "a": [1, 2]}', wait=True, send=False)
    fields = scene.fields(flow)
    assert fields["payload"] == '{\n  "b": "Nguyễn Văn An",\n  "a": [\n    1,\n    2\n  ]\n}'
    assert fields["how"] == "wait"


def test_a_flow_that_answers_is_waited_for_unless_the_person_chose_otherwise(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Answers", flows.response({"ok": True}))
    assert scene.fields(flow)["how"] == "wait"
    scene.launch(flow, send=False)
    assert scene.fields(flow)["how"] == "start"


def test_half_of_a_letter_is_refused_in_words_and_kept(scene: Scene) -> None:
    flow = _quick(scene)
    typed = '{"x": "\\ud800"}'
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"payload": typed})
    assert response.status_code == 422
    assert form_of(response)["payload"] == typed
    assert str(payload_words.PROBLEMS["letter"]) in text_of(response)
    assert not Launch.objects.exists()


def test_launching_again_starts_from_that_launchs_values(scene: Scene) -> None:
    flow = _quick(scene)
    first = scene.launch(flow, '{"n": 1}', wait=True, send=False)
    scene.launch(flow, '{"n": 2}', send=False)
    fields = scene.fields(flow, query=f"?from={first.pk}")
    assert (fields["payload"], fields["how"]) == ('{\n  "n": 1\n}', "wait")


def test_launching_again_says_when_the_values_are_no_longer_kept(scene: Scene) -> None:
    flow = _quick(scene)
    first = scene.launch(flow, '{"n": 1}', send=False)
    Launch.objects.update(payload="")
    assert "no longer kept" in _opened(scene, flow, f"?from={first.pk}")


def test_another_persons_values_are_not_offered_to_a_launcher(scene: Scene) -> None:
    flow = _quick(scene)
    theirs = scene.row(user=scene.cast.owner, flow_id=flow, payload='{"private": 1}')
    assert "private" not in scene.fields(flow, query=f"?from={theirs.pk}")["payload"]


def test_values_that_cannot_be_opened_do_not_close_the_form(scene: Scene) -> None:
    flow = _quick(scene)
    launch = scene.launch(flow, '{"n": 1}', send=False)
    Launch.objects.update(payload="gAAAA-not-a-ciphertext")
    assert scene.fields(flow)["payload"] == "{}"
    assert scene.fields(flow, query=f"?from={launch.pk}")["payload"] == "{}"
    assert "cannot be opened" in scene.page(launch)


# --- One form, one launch --------------------------------------------------------------------------


def test_launching_leads_to_the_launchs_page_and_rings(scene: Scene) -> None:
    flow = _quick(scene)
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"payload": '{"a": 1}'})
    launch = Launch.objects.get()
    assert (response.status_code, response["Location"]) == (303, reverse("launch", args=["sales", launch.pk]))
    assert (launch.state, launch.flow_name, launch.user) == (State.QUEUED, "Quick", scene.cast.colleague)
    assert launch.rung_at is not None
    assert AuditEvent.objects.filter(action="launch.ask", object_id=launch.pk, user=scene.cast.colleague).count() == 1


def test_a_double_click_makes_one_launch(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"a": 1}'}
    first, second = (scene.browser.post(scene.url(flow), fields) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Launch.objects.count() == 1


def test_refreshing_the_launchs_page_launches_nothing(scene: Scene) -> None:
    launch = scene.launch(_quick(scene), send=False)
    for _ in range(2):
        scene.page(launch)
    assert Launch.objects.count() == 1


def test_going_back_and_changing_the_values_keeps_them_and_offers_a_new_launch(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"a": 1}'}
    scene.browser.post(scene.url(flow), fields)
    launch = Launch.objects.get()
    response = scene.browser.post(scene.url(flow), fields | {"payload": '{"a": 2}'})
    page = text_of(response)
    assert response.status_code == 422
    assert f"Already launched at {timezone.localtime(launch.asked_at):%H:%M}" in page
    assert reverse("launch", args=["sales", launch.pk]) in page
    again = form_of(response)
    assert again["payload"] == '{"a": 2}'
    assert again["ticket"] != fields["ticket"]
    assert scene.browser.post(scene.url(flow), again).status_code == 303
    assert Launch.objects.count() == 2


def test_a_second_tab_with_the_same_values_is_asked_first(scene: Scene) -> None:
    flow = _quick(scene)
    one, two = scene.fields(flow), scene.fields(flow)
    scene.browser.post(scene.url(flow), one | {"payload": '{"a": 1, "b": 2}'})
    response = scene.browser.post(scene.url(flow), two | {"payload": '{"b": 2, "a": 1}'})
    page = text_of(response)
    assert response.status_code == 422
    assert "You launched the same values moments ago" in page
    assert 'name="confirmed" value="yes"' in page
    assert reverse("launch", args=["sales", Launch.objects.get().pk]) in page
    confirmed = form_of(response) | {"confirmed": "yes"}
    assert confirmed["payload"] == '{"b": 2, "a": 1}'
    assert scene.browser.post(scene.url(flow), confirmed).status_code == 303
    assert Launch.objects.count() == 2


def test_the_same_values_after_five_minutes_are_not_asked_about(scene: Scene) -> None:
    flow = _quick(scene)
    scene.launch(flow, '{"a": 1}', send=False)
    Launch.objects.update(asked_at=timezone.now() - timedelta(minutes=6))
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"payload": '{"a": 1}'})
    assert response.status_code == 303


def test_a_strangers_ticket_tells_nothing_about_its_launch(scene: Scene) -> None:
    flow = _quick(scene)
    theirs = scene.row(user=scene.cast.owner)
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"ticket": theirs.ticket})
    page = text_of(response)
    assert response.status_code == 422
    assert "This form was used before" in page
    assert theirs.pk not in page
    assert form_of(response)["ticket"] != theirs.ticket


@pytest.mark.parametrize("ticket", ["", "short", "ö" * 30, "x" * 65])
def test_a_ticket_that_is_none_is_replaced_and_nothing_typed_is_lost(scene: Scene, ticket: str) -> None:
    flow = _quick(scene)
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"ticket": ticket, "payload": '{"a": 1}'})
    assert response.status_code == 422
    again = form_of(response)
    assert again["payload"] == '{"a": 1}'
    assert scene.browser.post(scene.url(flow), again).status_code == 303


# --- When something is in the way ------------------------------------------------------------------


def test_with_the_engine_down_a_launch_can_still_be_asked_for(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"a": 1}'}
    scene.server.stop()
    assert scene.browser.post(scene.url(flow), fields).status_code == 303
    assert Launch.objects.get().flow_name == "Quick"


def test_with_the_engine_down_a_mistake_still_comes_back_with_all_that_was_typed(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"a": }'}
    scene.server.stop()
    response = scene.browser.post(scene.url(flow), fields)
    page = text_of(response)
    assert response.status_code == 422
    assert "Launch Quick" in page
    assert "The engine cannot be reached" in page
    assert form_of(response)["payload"] == '{"a": }'


def test_a_broker_that_is_down_loses_no_launch(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"a": 1}'}
    monkeypatch.setattr(app.amqp, "send_task_message", _refuse)
    assert scene.browser.post(scene.url(flow), fields).status_code == 303
    launch = Launch.objects.get()
    assert (launch.state, launch.rung_at) == (State.QUEUED, None)
    assert sweeping.bells() == [launch.pk]


def _refuse(*_args: object, **_kwargs: object) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


def test_opening_the_form_with_the_engine_down_says_so(scene: Scene) -> None:
    flow = _quick(scene)
    scene.server.stop()
    response = scene.browser.get(scene.url(flow))
    assert response.status_code == 503
    assert "The engine cannot be reached" in text_of(response)


def test_an_unknown_flow_is_no_longer_there(scene: Scene) -> None:
    assert scene.browser.get(scene.url(NO_FLOW)).status_code == 404
    response = scene.browser.post(scene.url(NO_FLOW), scene.fields(_quick(scene)) | {"payload": '{"kept": "yes"}'})
    assert response.status_code == 404
    assert "kept" in text_of(response)
    assert not Launch.objects.exists()


def test_a_name_signed_for_one_flow_is_not_taken_for_another(scene: Scene) -> None:
    one, two = _quick(scene, "One"), _quick(scene, "Two")
    fields = scene.fields(two) | {"flow": scene.fields(one)["flow"]}
    scene.browser.post(scene.url(two), fields)
    assert Launch.objects.get().flow_name == "Two"


def test_a_refused_credential_is_told_and_signs_nobody_out(scene: Scene) -> None:
    flow = _quick(scene)
    for row in Credential.objects.all():
        row.secret = row.seal("secret", "revoked-token-revoked-token")
        row.save()
    response = scene.browser.get(scene.url(flow))
    assert response.status_code == 502
    assert "You are still signed in" in text_of(response)
    assert "revoked-token" not in text_of(response)


def test_without_a_credential_nothing_is_launched_and_nothing_is_lost(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"kept": 1}'}
    Credential.objects.filter(owner=scene.cast.colleague).delete()
    response = scene.browser.post(scene.url(flow), fields)
    assert response.status_code == 422
    assert "You have no credential here" in text_of(response)
    assert form_of(response)["payload"] == '{"kept": 1}'
    assert not Launch.objects.exists()


def test_signed_out_in_between_what_was_typed_comes_back(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow) | {"payload": '{"kept": "yes"}'}
    response = Client().post(scene.url(flow), fields)
    assert response.status_code == 403
    assert '{"kept": "yes"}' in unescape(text_of(response))
    assert not Launch.objects.exists()


def test_a_form_without_its_proof_is_refused_and_what_was_typed_comes_back(scene: Scene) -> None:
    flow = _quick(scene)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(scene.cast.colleague)
    response = strict.post(scene.url(flow), scene.fields(flow) | {"payload": '{"kept": "yes"}'})
    assert response.status_code == 403
    assert '{"kept": "yes"}' in unescape(text_of(response))
    assert not Launch.objects.exists()


def test_a_name_of_ten_thousand_letters_with_html_in_it_is_text(scene: Scene) -> None:
    flow = _quick(scene, "<script>alert(1)</script>" + "x" * 10_000)
    page = text_of(scene.browser.get(scene.url(flow)))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page
    launch = scene.launch(flow, send=False)
    assert launch.flow_name.endswith("x" * 1000)
    assert "<script>alert(1)" not in scene.page(launch)


# --- Who may ---------------------------------------------------------------------------------------


def test_a_viewer_is_told_that_launching_needs_a_launcher(scene: Scene) -> None:
    flow = _quick(scene)
    viewer = scene.sign_in(scene.member("viewer", Role.VIEWER))
    for response in (viewer.get(scene.url(flow)), viewer.post(scene.url(flow), scene.fields(flow))):
        assert response.status_code == 403
        assert "This needs the role of a launcher." in text_of(response)
    assert not Launch.objects.exists()


def test_a_stranger_finds_nothing(scene: Scene) -> None:
    flow = _quick(scene)
    stranger = scene.sign_in(scene.cast.stranger)
    assert stranger.get(scene.url(flow)).status_code == 404
    assert stranger.post(scene.url(flow), scene.fields(flow)).status_code == 404
    assert not Launch.objects.exists()


def test_who_lost_the_role_since_opening_the_form_launches_nothing(scene: Scene) -> None:
    flow = _quick(scene)
    fields = scene.fields(flow)
    Member.objects.filter(user=scene.cast.colleague).update(role=Role.VIEWER)
    assert scene.browser.post(scene.url(flow), fields).status_code == 403
    assert not Launch.objects.exists()

"""The launch form with JSON: what it says before launching, what it is filled with, and what stands in the way of a launch.

What is the same whatever the form asks for is tested in tests/launch_forms/test_launch_by_form.py.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from console.celery import app
from tests import flows
from tests.launch_forms.filled import publish
from tests.launches.launch_scene import NO_FLOW, Scene, form_of, text_of, unescape
from tests.users import credential, person, share
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import json_errors
from workflows_ui.credentials.models import Credential
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import sweeping
from workflows_ui.members.models import LaunchRight, Member, Role
from workflows_ui.run_index.models import IndexedObject, RunIndex
from workflows_ui.run_index.services import indexes

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
    assert "“Colleague's key”, your own credential" in page
    assert "The published version" in page


def test_a_teams_credential_is_named_as_the_teams(scene: Scene) -> None:
    flow = _quick(scene)
    team = Group.objects.create(name="Sales team")
    scene.users.colleague.groups.add(team)
    Credential.objects.filter(owner=scene.users.colleague).delete()
    secret = scene.users.credential.open("secret")
    kind = scene.users.credential.kind
    share(credential(scene.users.workspace, person("holder"), secret, kind=kind, name="Shared key"), team)
    page = _opened(scene, flow)
    assert "“Shared key” of keeper, shared with the team Sales team" in page
    assert secret not in page


def test_a_flow_that_is_off_is_said_to_be_off_before_launching(scene: Scene) -> None:
    flow = _quick(scene)
    scene.workflows.apply_flow_operation(flow, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    page = _opened(scene, flow)
    assert "This flow is off" in page
    assert "Ask a builder to turn it on." in page
    assert "Launch anyway" in page


def test_a_flow_that_was_never_published_is_said_to_be_a_draft(scene: Scene) -> None:
    page = _opened(scene, flows.make(scene.workflows, "Draft", ECHO, publish=False))
    assert "This flow is not published" in page
    assert "This flow is off" not in page


def test_a_flow_without_a_trigger_says_that_nothing_can_start_it(scene: Scene) -> None:
    flow = scene.workflows.create_flow("Empty", scene.workflows.resolve_project_id())["id"]
    assert "This flow has no trigger" in _opened(scene, flow)


def test_a_flow_that_starts_by_the_clock_is_distinguished_from_one_that_is_called(scene: Scene) -> None:
    flow = _quick(scene)
    schedule: dict[str, Any] = {**flows.WEBHOOK, "displayName": "Every Hour"}
    schedule["settings"] = {
        "pieceName": "@activepieces/piece-schedule",
        "triggerName": "every_hour",
        "input": {"run_on_weekend": True},
        "propertySettings": {},
    }
    scene.workflows.apply_flow_operation(
        flow, {"type": "UPDATE_TRIGGER", "request": flows.installed(scene.workflows, schedule)}
    )
    draft = _opened(scene, flow)
    assert "There is a newer draft, which does not run." in draft
    assert "This flow starts on a schedule" not in draft
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    assert "This flow starts on a schedule" in _opened(scene, flow)


def test_a_flow_that_starts_with_its_form_is_shown(scene: Scene) -> None:
    flow = _quick(scene)
    form: dict[str, Any] = {**flows.WEBHOOK, "displayName": "Web Form"}
    form["settings"] = {
        "pieceName": "@activepieces/piece-forms",
        "triggerName": "form_submission",
        "input": {"inputs": [], "response": True},
        "propertySettings": {},
    }
    scene.workflows.apply_flow_operation(
        flow, {"type": "UPDATE_TRIGGER", "request": flows.installed(scene.workflows, form)}
    )
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    assert "This flow starts with its form" in _opened(scene, flow)


def test_a_trigger_with_a_password_of_its_own_is_shown(scene: Scene) -> None:
    flow = _quick(scene)
    guarded: dict[str, Any] = {**flows.WEBHOOK}
    guarded["settings"] = {
        **guarded["settings"],
        "input": {"authType": "header", "authFields": {"headerName": "x-shop", "headerValue": "hidden-value"}},
    }
    scene.workflows.apply_flow_operation(
        flow, {"type": "UPDATE_TRIGGER", "request": flows.installed(scene.workflows, guarded)}
    )
    scene.workflows.apply_flow_operation(flow, {"type": "LOCK_AND_PUBLISH", "request": {}})
    page = _opened(scene, flow)
    assert "trigger asks for a password of its own" in page
    assert "hidden-value" not in page


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
    assert fields["_how"] == "wait"


def test_a_flow_that_answers_is_waited_for_unless_the_person_chose_otherwise(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Answers", flows.response({"ok": True}))
    assert scene.fields(flow)["_how"] == "wait"
    scene.launch(flow, send=False)
    assert scene.fields(flow)["_how"] == "start"


def test_half_of_a_letter_is_refused_in_words_and_kept(scene: Scene) -> None:
    flow = _quick(scene)
    typed = '{"x": "\\ud800"}'
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"payload": typed})
    assert response.status_code == 422
    assert form_of(response)["payload"] == typed
    assert json_errors.problems()["letter"] in text_of(response)
    assert not Launch.objects.exists()


def test_launching_again_starts_from_that_launchs_values(scene: Scene) -> None:
    flow = _quick(scene)
    first = scene.launch(flow, '{"n": 1}', wait=True, send=False)
    scene.launch(flow, '{"n": 2}', send=False)
    fields = scene.fields(flow, query=f"?from={first.pk}")
    assert (fields["payload"], fields["_how"]) == ('{\n  "n": 1\n}', "wait")


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
    assert (launch.state, launch.flow_name, launch.user) == (State.QUEUED, "Quick", scene.users.colleague)
    assert launch.enqueued_at is not None
    assert AuditEvent.objects.filter(action="launch.ask", object_id=launch.pk, user=scene.users.colleague).count() == 1


def test_refreshing_the_launchs_page_launches_nothing(scene: Scene) -> None:
    launch = scene.launch(_quick(scene), send=False)
    for _ in range(2):
        scene.page(launch)
    assert Launch.objects.count() == 1


def test_the_same_values_after_five_minutes_are_not_asked_about(scene: Scene) -> None:
    flow = _quick(scene)
    scene.launch(flow, '{"a": 1}', send=False)
    Launch.objects.update(asked_at=timezone.now() - timedelta(minutes=6))
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"payload": '{"a": 1}'})
    assert response.status_code == 303


def test_a_strangers_ticket_shows_nothing_about_its_launch(scene: Scene) -> None:
    flow = _quick(scene)
    theirs = scene.row(user=scene.users.owner)
    response = scene.browser.post(scene.url(flow), scene.fields(flow) | {"ticket": theirs.ticket})
    page = text_of(response)
    assert response.status_code == 422
    assert "This form was used before" in page
    assert theirs.pk not in page
    assert form_of(response)["ticket"] != theirs.ticket


# --- When something is in the way ------------------------------------------------------------------


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
    assert (launch.state, launch.enqueued_at) == (State.QUEUED, None)
    assert sweeping.to_enqueue() == [launch.pk]


def _refuse(*_args: object, **_kwargs: object) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


def test_opening_the_form_with_the_engine_down_says_so(scene: Scene) -> None:
    flow = _quick(scene)
    scene.server.stop()
    response = scene.browser.get(scene.url(flow))
    assert response.status_code == 503
    assert "The engine cannot be reached" in text_of(response)


@pytest.mark.parametrize("known", ["form", "right", "index"])
def test_a_flow_that_was_never_launched_opens_with_the_engine_down_if_the_console_knows_it(
    scene: Scene, known: str
) -> None:
    flow = _quick(scene)
    address = scene.url(flow)
    if known == "form":
        publish(scene, Form((Field("n", ("n",)),)), flow=flow)
        LaunchForm.objects.update(flow_name="Quick")
        address += "?_as=json"
        Member.objects.filter(user=scene.users.colleague).update(role=Role.BUILDER)
    elif known == "right":
        Member.objects.filter(user=scene.users.colleague).delete()
        right = {"flow_id": flow, "flow_name": "Quick", "user": scene.users.colleague}
        LaunchRight.objects.create(workspace=scene.users.workspace, **right)
    else:
        index = indexes.start(CONSOLE, scene.users.workspace, scene.users.credential, 14)
        RunIndex.objects.update(read_at=timezone.now())
        share(scene.users.credential, scene.users.colleague.groups.create(name="Night shift"))
        IndexedObject.objects.create(index=index, kind="flows", object_id=flow, name="Quick", seen_at=timezone.now())
    scene.server.stop()
    response = scene.browser.get(address)
    assert response.status_code == 200
    page = text_of(response)
    assert "Launch Quick" in page
    assert "The engine cannot be reached" in page
    # It says what becomes of the launch.
    assert 'id="keep-launch"' in page
    assert "the launch is cancelled if it cannot be sent within" in page


def test_earlier_launches_add_no_error_to_a_form_that_says_that_the_engine_is_down(scene: Scene) -> None:
    flow = _quick(scene)
    scene.server.stop()
    url = f"{scene.url(flow)}earlier/"
    part = scene.browser.get(url, headers={"HX-Request": "true", "HX-Target": "earlier"})
    assert part.status_code == 200
    assert "Earlier launches" not in text_of(part)
    assert scene.browser.get(url).status_code == 503


def test_an_unknown_flow_is_no_longer_there(scene: Scene) -> None:
    assert scene.browser.get(scene.url(NO_FLOW)).status_code == 404
    response = scene.browser.post(scene.url(NO_FLOW), scene.fields(_quick(scene)) | {"payload": '{"kept": "yes"}'})
    assert response.status_code == 404
    assert "kept" in text_of(response)
    assert not Launch.objects.exists()


def test_a_name_signed_for_one_flow_is_not_taken_for_another(scene: Scene) -> None:
    one, two = _quick(scene, "One"), _quick(scene, "Two")
    fields = scene.fields(two) | {"_flow": scene.fields(one)["_flow"]}
    scene.browser.post(scene.url(two), fields)
    assert Launch.objects.get().flow_name == "Two"


def test_a_refused_credential_is_shown_and_signs_nobody_out(scene: Scene) -> None:
    flow = _quick(scene)
    for row in Credential.objects.all():
        row.secret = row.seal("secret", "revoked-token-revoked-token")
        row.save()
    response = scene.browser.get(scene.url(flow))
    assert response.status_code == 502
    assert "You are still signed in" in text_of(response)
    assert "revoked-token" not in text_of(response)


def test_a_form_without_its_proof_is_refused_and_what_was_typed_comes_back(scene: Scene) -> None:
    flow = _quick(scene)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(scene.users.colleague)
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


def test_too_many_values_are_refused_at_their_field_with_the_limit(scene: Scene, settings: Settings) -> None:
    settings.LAUNCH_JSON_BYTES = 1000
    flow = flows.make(scene.workflows, "Large", ECHO)
    opened = text_of(scene.browser.get(scene.url(flow) + "?_as=json"))
    assert "At most 1000 bytes." in opened
    fields = scene.fields(flow) | {"payload": '{"a": "' + "x" * 1000 + '"}', "_how": "start"}
    answer = scene.browser.post(scene.url(flow), fields)
    assert answer.status_code == 422
    assert "The values are too large" in text_of(answer).partition('id="field-0-error"')[2].partition("</div>")[0]
    assert "x" * 1000 in text_of(answer)
    assert not Launch.objects.exists()


def test_launches_of_a_person_within_a_minute_are_limited_and_nothing_typed_is_lost(
    scene: Scene, settings: Settings
) -> None:
    settings.LAUNCHES_PER_MINUTE = 2
    flow = flows.make(scene.workflows, "Often", ECHO)
    for number in range(2):
        scene.launch(flow, f'{{"n": {number}}}', send=False)
    fields = scene.fields(flow) | {"payload": '{"n": "third"}', "_how": "start"}
    answer = scene.browser.post(scene.url(flow), fields)
    assert answer.status_code == 422
    assert "Too many launches within a minute" in text_of(answer)
    assert "third" in text_of(answer)
    owner = scene.sign_in(scene.users.owner)
    fields = scene.fields(flow, owner) | {"payload": '{"n": "third"}', "_how": "start"}
    assert owner.post(scene.url(flow), fields).status_code == 303
    Launch.objects.filter(user=scene.users.colleague).update(asked_at=timezone.now() - timedelta(minutes=1))
    scene.launch(flow, '{"n": "third"}', send=False)
    assert Launch.objects.filter(user=scene.users.colleague).count() == 3

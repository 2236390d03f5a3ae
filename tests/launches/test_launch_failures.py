"""What a failed launch says: in plain words what happened and what helps, and the buttons that make sense for who looks."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import Scene, text_of, unescape
from workflows_ui.launches.failures import messages as failure_messages
from workflows_ui.launches.models import Launch, LaunchFile, LaunchInput, State
from workflows_ui.members.models import Member, Role, Workspace

ECHO = flows.code("echo", given="{{trigger.body}}")

#: What services say (the first is of recording `run_get_FAILED`), what it is called, what helps, and the sentence that is shown.
SAID: list[tuple[str, str, str, str]] = [
    (
        "Error: Cannot parse row 7: missing column sku\n    at Object.w (/app/cache/codes/step_1/index.js:1:528)",
        "The step stopped with an error",
        "flow",
        "Cannot parse row 7: missing column sku",
    ),
    ("Error: Compilation Error \n    at exports.code", "The step's code cannot run", "flow", "Compilation Error"),
    (
        "Error: TypeError: c.reduce is not a function",
        "The step's code cannot work with a value",
        "values",
        "c.reduce is not a function",
    ),
    (
        "Error: Request failed with status code 404",
        "Something was not found",
        "values",
        "Request failed with status code 404",
    ),
    (
        '{"response":{"status":401,"body":{"error":{"message":"Token expired"}}},"request":{"body":{"phone":"not valid"}}}',
        "The service does not accept the flow's sign-in",
        "connection",
        "Token expired",
    ),
    ('{"response":{"status":403,"body":{}}}', "The service does not allow this", "connection", ""),
    ('{"response":{"status":429,"body":"Slow down"}}', "The service asks for a pause", "wait", "Slow down"),
    ('{"status":500,"body":{"message":"oops"}}', "The service had an error of its own", "wait", "oops"),
    ('{"status":503}', "The service is not available", "wait", ""),
    (
        'Error: {"response":{"status":400,"body":{"message":"Invalid email address: lan@"}}}',
        "An email address is not valid",
        "values",
        "Invalid email address: lan@",
    ),
    (
        'AxiosError: Request failed with status code 400 {"error":{"message":"(#131030) Recipient phone number not in allowed list"}}',
        "The service did not accept the request",
        "values",
        "(#131030) Recipient phone number not in allowed list",
    ),
    (
        '{"message":"{\\"error\\":{\\"message\\":\\"No money left\\",\\"code\\":\\"insufficient_quota\\"}}"}',
        "The service's quota is used up",
        "wait",
        "No money left",
    ),
    ("Error: timeout of 30000ms exceeded", "There was no answer in time", "wait", "timeout of 30000ms exceeded"),
    ("Error: getaddrinfo ENOTFOUND a.b", "The service's address was not found", "flow", "getaddrinfo ENOTFOUND a.b"),
    ("Error: connect ECONNREFUSED 1.2.3.4:5", "The service could not be reached", "wait", "connect ECONNREFUSED 1.2.3.4:5"),
    ("Error: certificate has expired", "The secure connection failed", "flow", "certificate has expired"),
    ("Connection (gmail-sales) not found", "The step's connection is missing", "connection", "Connection (gmail-sales) not found"),
    ("insufficient funds (code 51)", "The step stopped with an error", "flow", "insufficient funds (code 51)"),
    ("Error: Error: soft", "The step stopped with an error", "flow", "soft"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "title", "cure", "said"), SAID)
def test_what_a_service_says_is_shown_in_plain_words(text: str, title: str, cure: str, said: str) -> None:
    found = failure_messages.explain_failure(text)
    assert found is not None
    assert (str(found.message.title), found.message.cure, found.service_message) == (title, cure, said)


@pytest.mark.parametrize(
    "text",
    ["{}", "null", "[[[[", "{" * 5000, '{"message":null}', '{"message":{"message":{"message":[]}}}', "\x00", "x" * 100_000,
     '{"status":"4x4","code":true,"body":[[[1]]]}', '{"a":' * 2000, "(" * 30_000, " is required" * 3000],
)  # fmt: skip
def test_whatever_a_step_says_is_explained_somehow(text: str) -> None:
    found = failure_messages.explain_failure(text)
    assert found is not None
    assert str(found.message.title)
    assert len(found.service_message) <= 400


def test_a_step_that_said_nothing_has_no_diagnosis_and_a_run_that_the_engine_ended_has_advice() -> None:
    assert failure_messages.explain_failure("") is None
    found = failure_messages.explain_failure("", "TIMEOUT")
    assert found is not None
    assert "less to do" in str(found.message.next_step)


def _failed(scene: Scene, failure: str, **fields: Any) -> Launch:
    return scene.row(
        state=State.FAILED,
        run_id="R" * 21,
        run_status="FAILED",
        failed_step="Send the mail",
        failure=failure,
        ended_at=timezone.now(),
        **fields,
    )


def test_a_refused_sign_in_offers_the_retry_first(scene: Scene) -> None:
    page = unescape(scene.page(_failed(scene, '{"response":{"status":401,"body":{"message":"Token expired"}}}')))
    assert "The service does not accept the flow's sign-in" in page
    assert "Token expired" in page
    assert 'class="btn btn-primary" id="retry-open"' in page
    assert f'id="retry-open" href="{reverse("launch_retry", args=["sales", Launch.objects.get().pk])}"' in page


def test_wrong_inputs_offer_to_change_them_first(scene: Scene) -> None:
    launch = _failed(scene, "Invalid email address")
    page = unescape(scene.page(launch))
    assert 'class="btn btn-primary" id="change-first"' in page
    assert f"?from={launch.pk}" in page


def test_what_the_step_said_stays_text_and_its_secrets_stay_masked(scene: Scene) -> None:
    page = scene.page(_failed(scene, "<img src=x onerror=alert(1)> not found for Bearer abcdefghijkl"))
    assert "<img src=x" not in page
    assert "abcdefghijkl" not in page
    assert "&lt;img" in page


def test_who_may_only_look_gets_no_buttons(scene: Scene) -> None:
    launch = _failed(scene, "Error: soft")
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)
    page = scene.page(launch)
    assert "“Send the mail” failed" in page
    for button in ("retry-open", "change-first", "again-open"):
        assert button not in page
    assert scene.browser.post(reverse("launch_again", args=["sales", launch.pk])).status_code == 403


def test_a_run_that_was_stopped_for_its_time_is_shown_with_advice(scene: Scene) -> None:
    launch = _failed(scene, "")
    Launch.objects.filter(pk=launch.pk).update(run_status="TIMEOUT", failure="")
    page = unescape(scene.page(launch))
    assert "took longer than the engine allows" in page
    assert "Give it less to do at once" in page


# --- Running it again ------------------------------------------------------------------------------


def _again(scene: Scene, launch: Launch, ticket: str) -> HttpResponse:
    response = scene.browser.post(reverse("launch_again", args=["sales", launch.pk]), {"ticket": ticket})
    assert isinstance(response, HttpResponse)
    return response


def _ticket(scene: Scene, launch: Launch) -> str:
    return scene.page(launch).partition('name="ticket" value="')[2].partition('"')[0]


def test_the_same_inputs_are_sent_once_more_by_one_click_and_once_by_two(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Broken", flows.code("fail no such price"))
    launch = scene.watch(scene.launch(flow, '{"name": "Lan"}'))
    ticket = _ticket(scene, launch)
    first, second = _again(scene, launch, ticket), _again(scene, launch, ticket)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]
    assert Launch.objects.count() == 2
    new = Launch.objects.exclude(pk=launch.pk).get()
    assert new.open("payload") == launch.open("payload")
    assert (new.user, new.flow_id, new.wait) == (launch.user, launch.flow_id, launch.wait)


def test_a_button_without_its_ticket_leads_to_the_form_and_launches_nothing(scene: Scene) -> None:
    launch = _failed(scene, "Error: soft")
    assert f"?from={launch.pk}" in _again(scene, launch, "")["Location"]
    assert f"?from={launch.pk}" in scene.browser.get(reverse("launch_again", args=["sales", launch.pk]))["Location"]
    assert Launch.objects.count() == 1


def test_inputs_that_are_no_longer_kept_cannot_be_run_again_by_a_click(scene: Scene) -> None:
    launch = _failed(scene, "Error: soft")
    ticket = _ticket(scene, launch)
    Launch.objects.filter(pk=launch.pk).update(payload="")
    assert "again-open" not in scene.page(launch)
    assert f"?from={launch.pk}" in _again(scene, launch, ticket)["Location"]
    assert Launch.objects.count() == 1


def test_a_launch_that_carried_files_needs_them_chosen_again(scene: Scene) -> None:
    launch = _failed(scene, "Error: soft")
    ticket = _ticket(scene, launch)
    LaunchFile.objects.create(launch=launch, key="file", name="a.csv", content_type="text/csv", size=1)
    assert "again-open" not in scene.page(launch)
    assert f"?from={launch.pk}" in _again(scene, launch, ticket)["Location"]
    assert Launch.objects.count() == 1


def test_what_can_be_searched_for_is_kept_with_the_new_launch(scene: Scene) -> None:
    launch = _failed(scene, "Error: soft")
    LaunchInput.objects.create(launch=launch, name="phone", label="Phone", text="0900")
    assert _again(scene, launch, _ticket(scene, launch)).status_code == 303
    new = Launch.objects.exclude(pk=launch.pk).get()
    assert [(one.name, one.label, one.text) for one in new.inputs.all()] == [("phone", "Phone", "0900")]


def test_a_paused_workspace_launches_nothing_again(scene: Scene) -> None:
    launch = _failed(scene, "Error: soft")
    Workspace.objects.update(launching_paused=True)
    response = _again(scene, launch, _ticket(scene, launch))
    assert response["Location"] == reverse("launch", args=["sales", launch.pk])
    assert "launching is paused" in scene.page(launch)
    assert Launch.objects.count() == 1


def test_what_is_unclear_is_not_run_again_by_a_click(scene: Scene) -> None:
    launch = scene.row(state=State.UNKNOWN, ended_at=timezone.now())
    assert "again-open" not in scene.page(launch)
    _again(scene, launch, "t" * 32)
    assert Launch.objects.count() == 1


def test_somebody_elses_launch_is_not_found(scene: Scene) -> None:
    launch = scene.row(user=scene.users.owner, state=State.FAILED, ended_at=timezone.now())
    assert _again(scene, launch, "t" * 32).status_code == 404
    assert text_of(scene.browser.get(reverse("launch_file", args=["sales", launch.pk, 1])))

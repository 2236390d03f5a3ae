"""A launch's page: each way a launch can go, until its end; withdrawing and settling."""

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests import flows
from tests.launches.launch_scene import NO_FLOW, Scene, live_part, text_of, unescape
from tests.users import workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import sending, sweeping
from workflows_ui.members.models import Member, Role
from workflows_ui.web import messages

ECHO = flows.code("echo", given="{{trigger.body}}")
#: The wait limit of a real engine; the scene's seconds are short.
LONG = flows.code("sleep 35")


# --- Journeys --------------------------------------------------------------------------------------


def test_a_quick_flow_is_followed_to_its_answer(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", flows.response({"hello": "Nguyễn Văn An"}))
    launch = scene.launch(flow, '{"name": "Nguyễn Văn An"}', wait=True, send=False)
    page = scene.page(launch)
    assert "Waiting to be sent" in page
    assert "data-live" in live_part(page)
    sending.send(launch.pk)
    launch = scene.watch(launch)
    page = unescape(scene.page(launch))
    assert "The flow finished." in page
    assert "The flow's answer" in page
    assert '"hello": "Nguyễn Văn An"' in page
    assert '"name": "Nguyễn Văn An"' in page
    assert reverse("resource_detail", args=["sales", "runs", launch.run_id]) in page
    assert "data-live" not in live_part(page)
    assert "http-equiv" not in page


def test_a_launch_that_outlasts_the_wait_limit_is_carried_on_to_its_result(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Slow", LONG, ECHO)
    with scene.engine.clock.held(35):
        launch = scene.launch(flow, '{"a": 1}', wait=True)
    Launch.objects.update(state=State.RUNNING)
    page = scene.page(launch)
    assert "Still running" in page
    assert "This page will show its result." in page
    assert "data-live" in live_part(page)
    page = unescape(scene.page(scene.watch(launch)))
    assert "The last step's output" in page
    # It has no step that answers.
    assert "own answer did not reach" not in page
    assert '"given"' in page


def test_an_answer_that_comes_too_late_is_said_not_to_have_arrived(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Slow", LONG, flows.response({"ok": True}))
    with scene.engine.clock.held(35):
        launch = scene.launch(flow, '{"a": 1}', wait=True)
    page = unescape(scene.page(scene.watch(launch)))
    assert "The last step's output" in page
    assert "The flow's own answer did not reach the console in time." in page


def test_a_flow_that_fails_shows_which_step_and_why(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Broken", flows.code("fail <b>no such</b> price"))
    launch = scene.watch(scene.launch(flow, wait=True))
    assert launch.state == State.FAILED
    page = scene.page(launch)
    assert "“Fail” failed" in page
    assert "&lt;b&gt;no such&lt;/b&gt; price" in page
    assert "<b>no such" not in page


def test_an_answer_of_422_is_explained_as_the_flows_own(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Refuses", flows.response({"error": "no such sku"}, 422))
    page = unescape(scene.page(scene.watch(scene.launch(flow, wait=True))))
    assert "The flow read the values and does not accept them." in page
    assert "no such sku" in page
    assert "Succeeded" in page


def test_an_answer_that_is_a_page_of_html_is_shown_as_text(scene: Scene) -> None:
    launch = scene.row(
        state=State.SUCCEEDED,
        ended_at=timezone.now(),
        answer_from="flow",
        answer_status=200,
        answer_type="text/html",
        answer="<script>alert(1)</script>",
    )
    page = scene.page(launch)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_redirecting_answer_is_shown_and_not_followed(scene: Scene) -> None:
    launch = scene.row(
        state=State.SUCCEEDED,
        ended_at=timezone.now(),
        answer_from="flow",
        answer_status=302,
        answer_location="javascript:alert(1)",
    )
    page = scene.page(launch)
    assert "The flow points to another address." in page
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page
    assert "The flow returned no answer." in page
    assert "card-status-start bg-green" in page
    launch.answer_location = "https://tracking.example/p/7"
    launch.save()
    assert '<a class="long" href="https://tracking.example/p/7" rel="noopener' in scene.page(launch)


def test_a_flow_that_answers_that_something_is_wrong_is_not_shown_in_green(scene: Scene) -> None:
    launch = scene.row(state=State.SUCCEEDED, ended_at=timezone.now(), answer_from="flow", answer_status=422)
    page = scene.page(launch)
    assert "Succeeded, but the flow answers that something is wrong" in page
    assert "card-status-start bg-orange" in page


def test_an_answer_that_was_cut_says_so_and_is_shown_as_far_as_it_goes(scene: Scene) -> None:
    launch = scene.row(
        state=State.SUCCEEDED,
        ended_at=timezone.now(),
        answer_from="flow",
        answer_status=200,
        answer_type="application/json",
        answer='{"rows": [1, 2',
        answer_cut=True,
    )
    page = unescape(scene.page(launch))
    assert '{"rows": [1, 2' in page
    assert "its first 256 kB are kept" in page


def test_secrets_in_what_the_engine_gave_are_masked(scene: Scene) -> None:
    launch = scene.row(
        state=State.FAILED,
        ended_at=timezone.now(),
        answer_from="step",
        answer_type="application/json",
        answer='{"request": {"headers": {"authorization": "Bearer abcdefghijkl", "accept": "all"}}}',
        failure="401 for Bearer mnopqrstuvwx",
        technical="sent Authorization: Bearer yzyzyzyzyzyz",
    )
    page = scene.page(launch)
    for secret in ("abcdefghijkl", "mnopqrstuvwx", "yzyzyzyzyzyz"):
        assert secret not in page
    assert "accept" in page


def test_a_flow_that_is_off_is_not_launched_and_the_page_says_what_to_do(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Off", ECHO)
    scene.workflows.apply_flow_operation(flow, {"type": "CHANGE_STATUS", "request": {"status": "DISABLED"}})
    launch = scene.launch(flow)
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.FLOW_OFF)
    page = scene.page(launch)
    assert "Not sent: the flow is off" in page
    assert "Ask a builder to publish it and turn it on" in page


def test_a_flow_that_is_gone_is_shown(scene: Scene) -> None:
    launch = scene.row(flow_id=NO_FLOW)
    sending.send(launch.pk)
    assert "Not sent: the flow is gone" in scene.page(launch)


def test_a_refused_credential_names_what_helps(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", ECHO)
    launch = scene.launch(flow, send=False)
    scene.engine.faults.add(kind="status", path="/v1/flows/*", status=401, body="gateway")
    sending.send(launch.pk)
    page = scene.page(launch)
    assert "Not sent: the engine refuses the credential" in page
    assert "launch the same values again" in page


def test_an_engine_that_is_down_is_waited_for_and_then_given_up(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", ECHO)
    launch = scene.launch(flow, send=False)
    scene.server.stop()
    sending.send(launch.pk)
    page = scene.page(launch)
    assert "The engine cannot be reached right now" in page
    assert "Cancel this launch" in page
    Launch.objects.update(send_by=timezone.now() - timedelta(seconds=1))
    assert sweeping.end_late() == 1
    page = scene.page(launch)
    assert "Not sent: too late" in page
    assert "Nothing has run." in page


def test_a_connection_that_breaks_after_the_request_left_is_checked_until_the_run_is_found(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", ECHO)
    launch = scene.launch(flow, send=False)
    scene.engine.faults.add(kind="reset_after", path="/v1/webhooks/*", times=1)
    sending.send(launch.pk)
    page = scene.page(launch)
    assert "Checking whether it ran" in page
    assert "Unclear" not in page
    assert "still looking for its run" in page
    launch = scene.watch(launch)
    assert launch.state == State.SUCCEEDED
    assert "The flow finished." in scene.page(launch)


def test_a_worker_that_died_while_sending_is_shown(scene: Scene) -> None:
    past = timezone.now() - timedelta(seconds=1)
    launch = scene.row(state=State.SENDING, claim="c" * 32, claim_until=past, sending_at=past, poll_at=past)
    assert sweeping.notice_lost() == 1
    assert "The console was stopped while it was sending." in scene.page(launch)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.sampled(3)
def test_the_page_of_every_reason_opens(scene: Scene, reason: Reason) -> None:
    assert scene.page(scene.row(state=State.UNKNOWN, reason=reason, ended_at=timezone.now()))


@pytest.mark.parametrize("state", list(State))
def test_the_page_of_every_state_opens_and_shows_its_word(scene: Scene, state: State) -> None:
    page = unescape(scene.page(scene.row(state=state)))
    assert str(messages.launch_state(state).word) in page


def test_what_the_retention_rule_removed_is_said_to_be_gone(scene: Scene) -> None:
    launch = scene.row(state=State.SUCCEEDED, ended_at=timezone.now(), answer_from="flow", answer_status=200)
    Launch.objects.update(payload="", answer="")
    assert "No longer kept" in scene.page(launch)


def test_a_credential_that_was_deleted_leaves_the_launch_readable(scene: Scene) -> None:
    launch = scene.row(state=State.SUCCEEDED, ended_at=timezone.now())
    Credential.objects.all().delete()
    assert "One that no longer exists" in scene.page(launch)


# --- Withdrawing -----------------------------------------------------------------------------------


def _withdraw(browser: Client, launch: Launch) -> str:
    response = browser.post(reverse("launch_withdraw", args=["sales", launch.pk]), follow=True)
    return text_of(response)


def test_a_launch_that_has_not_left_is_withdrawn_and_never_sent(scene: Scene) -> None:
    flow = flows.make(scene.workflows, "Quick", ECHO)
    launch = scene.launch(flow, send=False)
    page = _withdraw(scene.browser, launch)
    assert "The launch is cancelled. Nothing was sent." in page
    sending.send(launch.pk)
    assert not scene.engine.journal.triggers()
    assert Launch.objects.get().reason == Reason.WITHDRAWN
    assert AuditEvent.objects.filter(action="launch.withdraw", user=scene.users.colleague).count() == 1


def test_too_late_to_withdraw_is_said(scene: Scene) -> None:
    launch = scene.row(state=State.SENDING)
    assert "It was too late to cancel the launch." in _withdraw(scene.browser, launch)
    assert Launch.objects.get().state == State.SENDING


def test_withdrawing_is_not_done_by_following_a_link(scene: Scene) -> None:
    launch = scene.row()
    response = scene.browser.get(reverse("launch_withdraw", args=["sales", launch.pk]))
    assert (response.status_code, response["Location"]) == (303, reverse("launch", args=["sales", launch.pk]))
    assert Launch.objects.get().state == State.QUEUED


def test_a_builder_withdraws_what_others_launched(scene: Scene) -> None:
    launch = scene.row()
    builder = scene.member("builder", Role.BUILDER)
    assert "withdrawn" in _withdraw(scene.sign_in(builder), launch)
    assert "builder" in scene.page(launch)


# --- Settling --------------------------------------------------------------------------------------


def _settle(browser: Client, launch: Launch, **fields: str) -> HttpResponse:
    response = browser.post(reverse("launch_settle", args=["sales", launch.pk]), fields)
    assert isinstance(response, HttpResponse)
    return response


@pytest.mark.parametrize(
    ("ran", "state", "message"),
    [
        ("yes", State.SUCCEEDED, "Succeeded, as a person decided"),
        ("no", State.NOT_SENT, "Not sent, as a person decided"),
    ],
)
def test_a_person_settles_an_unclear_launch_with_a_reason(scene: Scene, ran: str, state: State, message: str) -> None:
    launch = scene.row(state=State.UNKNOWN, reason=Reason.NO_TRACE, ended_at=timezone.now())
    assert _settle(scene.browser, launch, ran=ran, why="The order <b>is</b> there.").status_code == 303
    assert Launch.objects.get().state == state
    page = scene.page(launch)
    assert message in page
    assert "The order &lt;b&gt;is&lt;/b&gt; there." in page
    assert "colleague" in page
    event = AuditEvent.objects.get(action="launch.settle")
    assert event.detail == {"flow": NO_FLOW, "ran": ran == "yes"}
    assert event.reason == "The order <b>is</b> there."


def test_settling_without_a_reason_comes_back_with_what_is_missing(scene: Scene) -> None:
    launch = scene.row(state=State.UNKNOWN, reason=Reason.NO_TRACE, ended_at=timezone.now())
    response = _settle(scene.browser, launch, ran="yes", why=" ")
    assert response.status_code == 422
    assert "Say in a few words how you know." in text_of(response)
    assert Launch.objects.get().state == State.UNKNOWN


def test_a_launch_that_is_clear_cannot_be_settled(scene: Scene) -> None:
    launch = scene.row(state=State.SUCCEEDED, ended_at=timezone.now())
    assert "Resolve…" not in scene.page(launch)
    assert _settle(scene.browser, launch, ran="no", why="I know").status_code == 303
    assert "no longer unclear" in scene.page(launch)
    assert Launch.objects.get().state == State.SUCCEEDED


def test_while_its_call_is_in_the_air_it_cannot_be_settled(scene: Scene) -> None:
    soon = timezone.now() + timedelta(seconds=30)
    launch = scene.row(state=State.UNKNOWN, claim="c" * 32, claim_until=soon)
    assert "Resolve…" not in scene.page(launch)
    _settle(scene.browser, launch, ran="no", why="I know")
    assert Launch.objects.get().state == State.UNKNOWN


# --- Who may see -----------------------------------------------------------------------------------


def test_a_launcher_does_not_find_other_peoples_launches(scene: Scene) -> None:
    launch = scene.row(user=scene.users.owner, state=State.UNKNOWN)
    url = reverse("launch", args=["sales", launch.pk])
    assert scene.browser.get(url).status_code == 404
    assert scene.browser.post(url + "withdraw/").status_code == 404
    assert scene.browser.post(url + "settle/", {"ran": "yes", "why": "x"}).status_code == 404
    assert Launch.objects.get().state == State.UNKNOWN


def test_a_builder_sees_everybodys_and_a_stranger_nothing(scene: Scene) -> None:
    launch = scene.row()
    assert scene.page(launch, scene.sign_in(scene.member("builder", Role.BUILDER)))
    assert scene.sign_in(scene.users.stranger).get(reverse("launch", args=["sales", launch.pk])).status_code == 404


def test_a_launch_is_found_in_its_own_workspace_only(scene: Scene) -> None:
    launch = scene.row()
    other = workspace("other")
    Member.objects.create(workspace=other, user=scene.users.colleague, role=Role.MANAGER)
    assert scene.browser.get(reverse("launch", args=["other", launch.pk])).status_code == 404


def test_who_became_a_viewer_still_sees_their_launches_but_changes_nothing(scene: Scene) -> None:
    launch = scene.row()
    Member.objects.filter(user=scene.users.colleague).update(role=Role.VIEWER)
    page = scene.page(launch)
    assert "Cancel this launch" not in page
    assert "Launch again" not in page
    assert scene.browser.post(reverse("launch_withdraw", args=["sales", launch.pk])).status_code == 403
    assert Launch.objects.get().state == State.QUEUED


def test_the_history_has_an_address_of_its_own_and_facts_stand_beside_the_work(scene: Scene) -> None:
    launch = scene.row(state=State.SUCCEEDED)
    overview = scene.page(launch)
    assert 'class="object-columns two"' in overview
    assert f'href="/w/sales/launches/{launch.pk}/?tab=history"' in overview
    assert 'id="history"' not in overview
    history = text_of(scene.browser.get(f"/w/sales/launches/{launch.pk}/?tab=history"))
    assert 'id="tab-history" href="/w/sales/launches/' in history
    assert "launch-live" not in history

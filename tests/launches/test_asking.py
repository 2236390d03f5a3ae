"""Asking for a launch: one row for one click, whatever is clicked how often and from how many tabs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.users import Users, gather, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import launches
from workflows_ui.launches.services.launches import Outcome
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.members.services import access

pytestmark = pytest.mark.both_databases

FLOW = "F" * 21


@pytest.fixture
def users(db: None) -> Users:
    return gather(workspace("sales"), "a-secret-token")


def order(payload: Any = None, **changes: Any) -> launches.LaunchRequest:
    made = launches.LaunchRequest(
        FLOW, "Order intake", {"a": 1} if payload is None else payload, wait=False, ticket=launches.ticket()
    )
    return replace(made, **changes)


def ask(users: Users, wanted: launches.LaunchRequest) -> launches.LaunchResult:
    return launches.create(
        audit_log.Actor(users.colleague, "127.0.0.1", "request-1"), users.place(users.colleague), wanted
    )


def test_asking_writes_one_queued_row_and_one_audit_row(users: Users) -> None:
    asked = ask(users, order())
    assert asked.outcome is Outcome.CREATED
    launch = Launch.objects.get()
    assert (launch.state, launch.user, launch.flow_id) == (State.QUEUED, users.colleague, FLOW)
    assert launches.open_payload(launch) == {"a": 1}
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.user, event.request_id) == (
        "launch.ask",
        launch.pk,
        users.colleague,
        "request-1",
    )
    assert len(launch.pk) == 21
    assert launch.pk.isalnum()


def test_the_inputs_are_not_in_the_database_in_clear(users: Users) -> None:
    ask(users, order({"phone": "0903-123-456"}))
    assert "0903-123-456" not in str(Launch.objects.values_list().get()) + str(AuditEvent.objects.values_list().get())


def test_the_same_form_sent_twice_leads_to_the_launch_that_exists(users: Users) -> None:
    wanted = order()
    first, again = ask(users, wanted), ask(users, wanted)
    assert again.outcome is Outcome.EXISTING
    assert again.launch == first.launch
    assert Launch.objects.count() == 1


def test_the_same_form_with_other_values_launches_nothing(users: Users) -> None:
    wanted = order()
    first = ask(users, wanted)
    for other in (
        replace(wanted, payload={"a": 2}),
        replace(wanted, wait=True),
        replace(wanted, confirmed=True, payload={}),
    ):
        again = ask(users, other)
        assert again.outcome is Outcome.SPENT
        assert again.launch == first.launch
    assert Launch.objects.count() == 1


def test_somebody_elses_ticket_launches_nothing_and_shows_nothing(users: Users) -> None:
    wanted = order()
    ask(users, wanted)
    asked = launches.create(audit_log.Actor(users.owner), users.place(users.owner), wanted)
    assert (asked.outcome, asked.launch) == (Outcome.SPENT, None)


def test_the_same_values_from_a_second_tab_are_asked_about_first(users: Users) -> None:
    first = ask(users, order())
    second = ask(users, order())
    assert second.outcome is Outcome.TWIN
    assert second.launch == first.launch
    assert ask(users, order(confirmed=True)).outcome is Outcome.CREATED
    assert Launch.objects.count() == 2


def test_after_five_minutes_the_same_values_are_launched_at_once(users: Users) -> None:
    ask(users, order())
    Launch.objects.update(asked_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert ask(users, order()).outcome is Outcome.CREATED


def test_another_person_with_the_same_values_is_not_asked(users: Users) -> None:
    ask(users, order())
    asked = launches.create(audit_log.Actor(users.owner), users.place(users.owner), order())
    assert asked.outcome is Outcome.CREATED


def test_a_viewer_may_not_launch(users: Users) -> None:
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    with pytest.raises(access.NotAllowed) as refused:
        ask(users, order())
    # Not even an end of a right that they never had.
    assert type(refused.value) is access.NotAllowed
    assert not Launch.objects.exists()


@pytest.mark.parametrize("bad", ["", "short", "x" * 65, "has spaces in it, you see", "<script>alert(1)</script>"])
def test_a_ticket_that_no_form_carried_is_refused(users: Users, bad: str) -> None:
    with pytest.raises(ValueError, match="ticket"):
        ask(users, order(ticket=bad))


def test_where_launching_is_paused_nothing_is_queued(users: Users) -> None:
    Workspace.objects.update(launching_paused=True)
    assert ask(users, order()).outcome is Outcome.PAUSED
    assert not Launch.objects.exists()


def test_a_queued_launch_can_be_withdrawn_once(users: Users) -> None:
    launch = ask(users, order()).launch
    assert launch is not None
    actor = audit_log.Actor(users.colleague)
    assert launches.withdraw(actor, launch)
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.WITHDRAWN)
    assert not launches.withdraw(actor, launch)
    assert AuditEvent.objects.filter(action="launch.withdraw").count() == 1


@pytest.mark.parametrize("state", [State.SENDING, State.ACCEPTED, State.RUNNING, State.SUCCEEDED, State.UNKNOWN])
def test_a_launch_that_left_cannot_be_withdrawn(users: Users, state: State) -> None:
    launch = ask(users, order()).launch
    assert launch is not None
    Launch.objects.update(state=state)
    assert not launches.withdraw(audit_log.Actor(users.colleague), launch)
    assert Launch.objects.get().state == state


@pytest.mark.parametrize(
    ("ran", "state", "reason"),
    [(True, State.SUCCEEDED, Reason.SETTLED_RAN), (False, State.NOT_SENT, Reason.SETTLED_NOT_RUN)],
)
def test_a_person_settles_an_unclear_launch_with_a_reason(
    users: Users, ran: bool, state: State, reason: Reason
) -> None:
    launch = ask(users, order()).launch
    assert launch is not None
    assert not launches.settle(audit_log.Actor(users.colleague), launch, ran=ran, why="seen in the CRM")
    Launch.objects.update(state=State.UNKNOWN)
    assert launches.settle(audit_log.Actor(users.colleague), launch, ran=ran, why="seen in the CRM")
    settled = Launch.objects.get()
    assert (settled.state, settled.reason, settled.poll_at) == (state, reason, None)
    assert AuditEvent.objects.get(action="launch.settle").reason == "seen in the CRM"


def test_launchers_see_their_own_launches_and_builders_all(users: Users) -> None:
    mine = ask(users, order()).launch
    theirs = launches.create(audit_log.Actor(users.owner), users.place(users.owner), order()).launch
    assert list(launches.visible_launches(users.place(users.colleague))) == [mine]
    assert set(launches.visible_launches(users.place(users.owner))) == {mine, theirs}
    assert mine is not None
    assert theirs is not None
    for look_up in (launches.visible_launch, launches.polled_launch):
        found = [
            [look_up(users.place(who), row.pk) for row in (mine, theirs)] for who in (users.colleague, users.owner)
        ]
        assert found == [[mine, None], [mine, theirs]]


def _at_once(work: list[Any]) -> list[Any]:
    def run(job: Any) -> Any:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        return [future.result() for future in [pool.submit(run, job) for job in work]]


@pytest.mark.django_db(transaction=True)
def test_eight_clicks_at_the_same_moment_make_one_launch() -> None:
    users = gather(workspace("sales"), "a-secret-token")
    wanted = order()
    answers = _at_once([lambda: ask(users, wanted)] * 8)
    assert sorted(answer.outcome for answer in answers) == sorted([Outcome.CREATED] + [Outcome.EXISTING] * 7)
    assert Launch.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_the_same_moment_make_one_launch_and_one_question() -> None:
    users = gather(workspace("sales"), "a-secret-token")
    answers = _at_once([partial(ask, users, order()) for _ in range(4)])
    assert sorted(answer.outcome for answer in answers) == sorted([Outcome.CREATED] + [Outcome.TWIN] * 3)
    assert Launch.objects.count() == 1

"""Asking for a launch: one row for one click, whatever is clicked how often and from how many tabs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.cast import Cast, gather, workspace
from workflows_ui.models import AuditEvent, Launch, Member, Role, State, Workspace
from workflows_ui.services import access, audit, launches
from workflows_ui.services.launches import Outcome, Reason

FLOW = "F" * 21


@pytest.fixture
def cast(db: None) -> Cast:
    return gather(workspace("sales"), "a-secret-token")


def order(payload: Any = None, **changes: Any) -> launches.Order:
    made = launches.Order(
        FLOW, "Order intake", {"a": 1} if payload is None else payload, wait=False, ticket=launches.ticket()
    )
    return replace(made, **changes)


def ask(cast: Cast, wanted: launches.Order) -> launches.Asked:
    return launches.ask(audit.Actor(cast.colleague, "127.0.0.1", "request-1"), cast.place(cast.colleague), wanted)


def test_asking_writes_one_queued_row_and_one_audit_row(cast: Cast) -> None:
    asked = ask(cast, order())
    assert asked.outcome is Outcome.CREATED
    launch = Launch.objects.get()
    assert (launch.state, launch.user, launch.flow_id) == (State.QUEUED, cast.colleague, FLOW)
    assert launches.payload_of(launch) == {"a": 1}
    event = AuditEvent.objects.get()
    assert (event.action, event.object_id, event.user, event.request_id) == (
        "launch.ask",
        launch.pk,
        cast.colleague,
        "request-1",
    )
    assert len(launch.pk) == 21
    assert launch.pk.isalnum()


def test_the_inputs_are_not_in_the_database_in_clear(cast: Cast) -> None:
    ask(cast, order({"phone": "0903-123-456"}))
    assert "0903-123-456" not in str(Launch.objects.values_list().get()) + str(AuditEvent.objects.values_list().get())


def test_the_same_form_sent_twice_leads_to_the_launch_that_exists(cast: Cast) -> None:
    wanted = order()
    first, again = ask(cast, wanted), ask(cast, wanted)
    assert again.outcome is Outcome.EXISTING
    assert again.launch == first.launch
    assert Launch.objects.count() == 1


def test_the_same_form_with_other_values_launches_nothing(cast: Cast) -> None:
    wanted = order()
    first = ask(cast, wanted)
    for other in (
        replace(wanted, payload={"a": 2}),
        replace(wanted, wait=True),
        replace(wanted, confirmed=True, payload={}),
    ):
        again = ask(cast, other)
        assert again.outcome is Outcome.SPENT
        assert again.launch == first.launch
    assert Launch.objects.count() == 1


def test_somebody_elses_ticket_launches_nothing_and_shows_nothing(cast: Cast) -> None:
    wanted = order()
    ask(cast, wanted)
    asked = launches.ask(audit.Actor(cast.owner), cast.place(cast.owner), wanted)
    assert (asked.outcome, asked.launch) == (Outcome.SPENT, None)


def test_the_same_values_from_a_second_tab_are_asked_about_first(cast: Cast) -> None:
    first = ask(cast, order())
    second = ask(cast, order())
    assert second.outcome is Outcome.TWIN
    assert second.launch == first.launch
    assert ask(cast, order(confirmed=True)).outcome is Outcome.CREATED
    assert Launch.objects.count() == 2


def test_after_five_minutes_the_same_values_are_launched_at_once(cast: Cast) -> None:
    ask(cast, order())
    Launch.objects.update(asked_at=timezone.now() - timedelta(minutes=5, seconds=1))
    assert ask(cast, order()).outcome is Outcome.CREATED


def test_another_person_with_the_same_values_is_not_asked(cast: Cast) -> None:
    ask(cast, order())
    asked = launches.ask(audit.Actor(cast.owner), cast.place(cast.owner), order())
    assert asked.outcome is Outcome.CREATED


def test_a_viewer_may_not_launch(cast: Cast) -> None:
    Member.objects.filter(user=cast.colleague).update(role=Role.VIEWER)
    with pytest.raises(access.NotAllowed):
        ask(cast, order())
    assert not Launch.objects.exists()


@pytest.mark.parametrize("bad", ["", "short", "x" * 65, "has spaces in it, you see", "<script>alert(1)</script>"])
def test_a_ticket_that_no_form_carried_is_refused(cast: Cast, bad: str) -> None:
    with pytest.raises(ValueError, match="ticket"):
        ask(cast, order(ticket=bad))


def test_where_launching_is_paused_nothing_is_queued(cast: Cast) -> None:
    Workspace.objects.update(launching_paused=True)
    assert ask(cast, order()).outcome is Outcome.PAUSED
    assert not Launch.objects.exists()


def test_a_queued_launch_can_be_withdrawn_once(cast: Cast) -> None:
    launch = ask(cast, order()).launch
    assert launch is not None
    actor = audit.Actor(cast.colleague)
    assert launches.withdraw(actor, launch)
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.WITHDRAWN)
    assert not launches.withdraw(actor, launch)
    assert AuditEvent.objects.filter(action="launch.withdraw").count() == 1


@pytest.mark.parametrize("state", [State.SENDING, State.ACCEPTED, State.RUNNING, State.SUCCEEDED, State.UNKNOWN])
def test_a_launch_that_left_cannot_be_withdrawn(cast: Cast, state: State) -> None:
    launch = ask(cast, order()).launch
    assert launch is not None
    Launch.objects.update(state=state)
    assert not launches.withdraw(audit.Actor(cast.colleague), launch)
    assert Launch.objects.get().state == state


@pytest.mark.parametrize(("ran", "state"), [(True, State.SUCCEEDED), (False, State.NOT_SENT)])
def test_a_person_settles_an_unclear_launch_with_a_reason(cast: Cast, ran: bool, state: State) -> None:
    launch = ask(cast, order()).launch
    assert launch is not None
    assert not launches.settle(audit.Actor(cast.colleague), launch, ran=ran, why="seen in the CRM")
    Launch.objects.update(state=State.UNKNOWN)
    assert launches.settle(audit.Actor(cast.colleague), launch, ran=ran, why="seen in the CRM")
    assert Launch.objects.get().state == state
    assert AuditEvent.objects.get(action="launch.settle").reason == "seen in the CRM"


def test_launchers_see_their_own_launches_and_builders_all(cast: Cast) -> None:
    mine = ask(cast, order()).launch
    theirs = launches.ask(audit.Actor(cast.owner), cast.place(cast.owner), order()).launch
    assert list(launches.of_workspace(cast.place(cast.colleague))) == [mine]
    assert set(launches.of_workspace(cast.place(cast.owner))) == {mine, theirs}


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
    cast = gather(workspace("sales"), "a-secret-token")
    wanted = order()
    answers = _at_once([lambda: ask(cast, wanted)] * 8)
    assert sorted(answer.outcome for answer in answers) == sorted([Outcome.CREATED] + [Outcome.EXISTING] * 7)
    assert Launch.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_the_same_moment_make_one_launch_and_one_question() -> None:
    cast = gather(workspace("sales"), "a-secret-token")
    answers = _at_once([partial(ask, cast, order()) for _ in range(4)])
    assert sorted(answer.outcome for answer in answers) == sorted([Outcome.CREATED] + [Outcome.TWIN] * 3)
    assert Launch.objects.count() == 1

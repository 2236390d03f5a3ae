"""Sending where answers, values and credentials are odd: the launch ends in a true state, at once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from tests import users as people
from tests.engine.servers import WEBHOOK_ID, Peer, RawServer, Reply, response
from tests.launches.odd_engine import Liar
from workflows_ui.core import json_text
from workflows_ui.credentials.models import Credential
from workflows_ui.engine.trigger import Outcome, TriggerAnswer
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import sending, sweeping
from workflows_ui.members.models import Workspace

FLOW_READ = response("200 OK", b'{"status": "ENABLED"}', "connection: close")


@pytest.fixture
def liar(db: None) -> Iterator[Liar]:
    with Liar() as engine:
        yield engine


def test_headers_with_a_nul_are_kept_without_it(liar: Liar) -> None:
    liar.trigger = Reply(
        302, b"moved", (("x-webhook-id", WEBHOOK_ID), ("content-type", "te\x00xt"), ("location", "/a\x00b"))
    )
    launch = liar.launch(send=False)
    people.ask_otherwise(launch, wait=True)
    sending.send(launch.pk)
    launch = liar.now(launch)
    assert (launch.state, launch.answer_status, launch.claim_until) == (State.RUNNING, 302, None)
    assert "\x00" not in launch.answer_type + launch.answer_location


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -1400",
        "Mon, 01 Jan 0001 00:00:00 +1400",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "\x00",
    ],
)
def test_an_odd_date_is_no_clock(liar: Liar, date: str) -> None:
    raw = f"HTTP/1.1 200 OK\r\nx-webhook-id: {WEBHOOK_ID}\r\ndate: {date}\r\ncontent-length: 2\r\n\r\n{{}}".encode()

    def answer(peer: Peer) -> None:
        peer.connection.sendall(FLOW_READ if peer.read_request().startswith(b"GET ") else raw)

    with RawServer(answer) as server:
        people.move(Workspace.objects.get(), address=f"{server.url}/api")
        launch = liar.launch()
    assert (launch.state, launch.clock_offset) == (State.ACCEPTED, 0.0)
    people.move(Workspace.objects.get(), address=f"{liar.url}/api")
    liar.shows(launch)
    liar.poll()
    assert liar.now(launch).state == State.SUCCEEDED


@pytest.mark.parametrize("garbage", [b"\x00\x01\x02 no http\r\n\r\n", b"HTTP/1.1 \x00\x00\x00 nul\r\n\r\n"])
def test_an_answer_that_is_no_http_leaves_an_unclear_launch_and_not_a_stuck_one(liar: Liar, garbage: bytes) -> None:
    def answer(peer: Peer) -> None:
        peer.connection.sendall(FLOW_READ if peer.read_request().startswith(b"GET ") else garbage)

    with RawServer(answer) as server:
        people.move(Workspace.objects.get(), address=f"{server.url}/api")
        launch = liar.launch()
    assert (launch.state, launch.reason, launch.claim_until) == (State.UNKNOWN, Reason.CUT_OFF, None)
    assert launch.searched_for
    assert "\x00" not in launch.technical


def test_half_of_a_surrogate_pair_is_refused_where_it_is_typed() -> None:
    with pytest.raises(json_text.BadPayload) as raised:
        json_text.parse('{"a": ["\\ud83d"]}')
    assert raised.value.problem == "letter"
    assert json_text.parse('{"a": "\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_values_that_no_request_can_carry_are_given_up_at_once_and_not_tried_until_too_late(liar: Liar) -> None:
    made = liar.launch(send=False)
    people.ask_otherwise(made, flow_id="..")
    sending.send(made.pk)
    launch = liar.now(made)
    assert (launch.state, launch.reason, launch.claim_until) == (
        State.NOT_SENT,
        Reason.UNWRITABLE,
        None,
    )
    assert liar.seen == []


def test_a_secret_that_no_header_can_carry_is_given_up_at_once_and_not_shown(liar: Liar) -> None:
    own = Credential.objects.get(owner=liar.users.colleague)
    own.secret = own.seal("secret", "two\r\nlines")
    own.save()
    launch = liar.launch()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.CREDENTIAL_UNREADABLE)
    assert "two" not in launch.technical
    assert liar.seen == []


def _in_the_air(liar: Liar) -> Launch:
    """A launch whose worker has marked it SENDING; its call goes on."""
    claimed = sending.claim(liar.launch(send=False).pk)
    assert claimed is not None
    sending.mark_sending(claimed.launch)
    return claimed.launch


def _answer(outcome: Outcome, status: int = 200) -> TriggerAnswer:
    return TriggerAnswer(status, {"x-webhook-id": WEBHOOK_ID}, b"{}", False, WEBHOOK_ID, None, None, outcome)


def test_a_slow_worker_does_not_send_on_the_claim_of_the_one_that_took_over(liar: Liar) -> None:
    slow = sending.claim(liar.launch(send=False).pk)
    assert slow is not None
    Launch.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
    quick = sending.claim(slow.launch.pk)
    assert quick is not None
    with pytest.raises(sending.ClaimLost):
        sending.mark_sending(slow.launch)
    sending.release(slow.launch, "too slow")
    sending.give_up(slow.launch, Reason.ADDRESS_REFUSED)
    assert liar.now(slow.launch).state == State.CLAIMED
    sending.mark_sending(quick.launch)


def test_a_launch_marked_as_being_sent_is_never_put_back_whatever_the_client_says(liar: Liar) -> None:
    launch = _in_the_air(liar)
    sending.release(launch, "the deadline passed just before the first byte")
    launch = liar.now(launch)
    assert (launch.state, launch.reason) == (State.UNKNOWN, Reason.CUT_OFF)
    sending.send(launch.pk)
    assert liar.seen == []


@pytest.mark.parametrize(
    ("outcome", "status"), [("refused", 404), ("failed", 500), ("unknown", 502), ("accepted", 200)]
)
def test_a_run_found_while_the_call_was_in_the_air_keeps_its_state(liar: Liar, outcome: Outcome, status: int) -> None:
    launch = _in_the_air(liar)
    liar.shows(launch)
    liar.poll()
    liar.poll()
    assert liar.now(launch).state == State.SUCCEEDED
    sending.record(launch, _answer(outcome, status))
    launch = liar.now(launch)
    assert (launch.state, launch.answer_status, launch.settled) == (State.SUCCEEDED, status, True)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("refused", State.REFUSED),
        ("failed", State.FAILED),
        ("accepted", State.ACCEPTED),
        ("waited_out", State.ACCEPTED),
    ],
)
def test_a_late_answer_settles_a_launch_whose_worker_was_thought_lost(
    liar: Liar, outcome: Outcome, state: State
) -> None:
    launch = _in_the_air(liar)
    Launch.objects.update(claim_until=timezone.now() - timedelta(seconds=1))
    assert sweeping.notice_lost() == 1
    sending.record(launch, _answer(outcome, 410 if outcome == "refused" else 200))
    assert liar.now(launch).state == state


def test_nothing_is_concluded_about_a_call_that_is_still_in_the_air(liar: Liar) -> None:
    Workspace.objects.update(marker_seen_at=timezone.now())
    launch = _in_the_air(liar)
    Launch.objects.update(sending_at=timezone.now() - timedelta(minutes=10))
    liar.poll()
    launch = liar.now(launch)
    assert (launch.state, launch.poll_at is None) == (State.SENDING, False)

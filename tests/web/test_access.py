"""Who gets in: sign-in, membership, roles; and what somebody sees who does not."""

import pytest
from django.test import Client

from tests.stub_engine import StubEngine, flow, identity, text
from tests.users import Users
from workflows_ui.members.models import Member, Role

LAUNCH = f"/w/sales/flows/{identity(1)}/launch/"


def test_somebody_signed_out_is_led_to_sign_in_and_back(users: Users, client: Client) -> None:
    answer = client.get("/w/sales/flows/?status=ENABLED")
    assert answer.status_code == 303
    assert answer["Location"] == "/accounts/login/?next=%2Fw%2Fsales%2Fflows%2F%3Fstatus%3DENABLED"


def test_a_live_part_is_asked_to_sign_in_again_and_stops_asking(users: Users, client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "live", "HX-Current-URL": "http://testserver/w/sales/runs/x/?a=1"}
    answer = client.get(f"/w/sales/runs/{identity(1)}/", headers=headers)
    assert answer.status_code == 286
    assert answer["HX-Retarget"] == "#alerts"
    assert b"next=%2Fw%2Fsales%2Fruns%2Fx%2F%3Fa%3D1" in answer.content
    assert b"hx-trigger" not in answer.content


def test_a_form_sent_after_the_session_ended_gives_back_what_was_typed(users: Users, client: Client) -> None:
    answer = client.post(LAUNCH, {"payload": '{"order": 7}', "secret": "do-not-show"})
    assert answer.status_code == 403
    assert "{&quot;order&quot;: 7}" in text(answer.content)
    assert b"do-not-show" not in answer.content


def test_a_form_sent_by_htmx_after_the_session_ended_leaves_the_page_as_it_is(users: Users, client: Client) -> None:
    answer = client.post(LAUNCH, {"payload": "{}"}, headers={"HX-Request": "true", "HX-Target": "form"})
    assert answer["HX-Retarget"] == "#alerts"
    assert "Sign in again" in text(answer.content)


@pytest.mark.parametrize("slug", ["sales", "no-such-workspace"])
def test_a_stranger_cannot_distinguish_a_workspace_from_none(users: Users, client: Client, slug: str) -> None:
    client.force_login(users.stranger)
    answer = client.get(f"/w/{slug}/flows/")
    assert answer.status_code == 404
    assert "Page not found" in text(answer.content)
    assert users.workspace.name not in text(answer.content)


def test_a_role_that_is_too_small_is_informed_which_one_is_needed(
    users: Users, client: Client, stub_engine: StubEngine
) -> None:
    stub_engine.flows = [flow()]
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    client.force_login(users.colleague)
    answer = client.get(LAUNCH)
    assert answer.status_code == 403
    assert "This needs the role of a launcher." in text(answer.content)
    assert not stub_engine.seen

"""A workspace that demands a second step: whoever has none sees nothing of it, by no method and in no part of a page."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import Cast, gather, workspace
from tests.people.sign_in import STEP, set_up_app, sign_in, text, with_app
from workflows_ui.models import AuditEvent, Launch, User, Workspace


@pytest.fixture
def cast(db: None) -> Cast:
    """A workspace that demands a second step, and people without one."""
    made = gather(workspace("sales"), "a-secret-of-the-workspace")
    Workspace.objects.update(second_factor_required=True)
    return made


@pytest.mark.parametrize(
    "path", ["", "flows/", "launches/", "credentials/", "jobs/", "members/", "settings/", "abilities/"]
)
def test_no_page_is_shown_to_a_member_without_a_second_step(cast: Cast, client: Client, path: str) -> None:
    client.force_login(cast.owner)
    answer = client.get(f"/w/sales/{path}")
    assert answer.status_code == 403
    assert "A second step is needed" in text(answer)
    assert client.head(f"/w/sales/{path}").status_code == 403


def test_what_is_sent_is_not_done_and_comes_back(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    answer = client.post("/w/sales/settings/", {"name": "Another name"})
    assert answer.status_code == 403
    assert "Another name" in text(answer)
    assert Workspace.objects.get().name == "Sales"
    assert not Launch.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_part_of_a_page_says_so_and_stops_asking(cast: Cast, client: Client, method: str) -> None:
    client.force_login(cast.owner)
    headers = {"HX-Request": "true", "HX-Target": "live"}
    answer = getattr(client, method)("/w/sales/launches/", headers=headers)
    assert answer.status_code == (286 if method == "get" else 403)
    assert answer["HX-Retarget"] == "#alerts"
    assert "A second step is needed" in text(answer)


def test_a_stranger_still_cannot_tell_it_from_none(cast: Cast, client: Client) -> None:
    client.force_login(cast.stranger)
    assert client.get("/w/sales/flows/").status_code == 404


def test_one_is_led_from_the_workspace_to_the_set_up_and_back(cast: Cast, client: Client) -> None:
    sign_in(client, "owner")
    wanted = "/w/sales/launches/?state=FAILED"
    assert f'href="{STEP}"' in text(client.get(wanted))
    assert "Set up one of these two" in text(client.get(STEP))
    set_up_app(client)
    assert "I have kept them: go on" in text(client.get(f"{STEP}codes/"))
    assert f'href="{wanted}"' in text(client.get(STEP))
    assert client.get(wanted).status_code == 200
    assert wanted not in text(client.get(STEP)), "the way back is offered once"


def test_a_member_with_a_second_step_notices_nothing(cast: Cast, client: Client) -> None:
    with_app(cast.owner)
    client.force_login(cast.owner)
    assert client.get("/w/sales/launches/").status_code == 200


def test_ones_own_account_stays_open(cast: Cast, client: Client) -> None:
    client.force_login(cast.owner)
    for path in ("/profile/", STEP, "/accounts/sessions/"):
        assert client.get(path).status_code == 200


def test_a_manager_demands_it_in_the_settings_and_the_audit_says_so(cast: Cast, client: Client) -> None:
    Workspace.objects.update(second_factor_required=False)
    with_app(cast.owner)
    client.force_login(cast.owner)
    sent: dict[str, Any] = {"name": "Sales", "colour": "", "second_factor_required": "on"}
    assert client.post("/w/sales/settings/", sent).status_code == 303
    assert Workspace.objects.get().second_factor_required
    assert AuditEvent.objects.get(action="workspace.change").detail["after"] == {"second_factor_required": True}
    client.force_login(cast.colleague)
    assert client.get("/w/sales/launches/").status_code == 403


def test_a_manager_sees_who_has_none(cast: Cast, client: Client) -> None:
    with_app(cast.owner)
    client.force_login(cast.owner)
    assert text(client.get("/w/sales/members/")).count("no second step") == 1


@pytest.mark.parametrize("path", ["/people/", "/audit/", "/admin/"])
def test_superusers_pages_demand_it_where_a_workspace_does(cast: Cast, client: Client, path: str) -> None:
    User.objects.filter(pk=cast.stranger.pk).update(is_superuser=True)
    client.force_login(User.objects.get(pk=cast.stranger.pk))
    answer = client.get(path)
    assert answer.status_code == 403
    assert "What looks after the whole console needs a second step" in text(answer)
    Workspace.objects.update(second_factor_required=False)
    assert client.get(path).status_code == 200
    Workspace.objects.update(second_factor_required=True)
    with_app(cast.stranger)
    assert client.get(path).status_code == 200

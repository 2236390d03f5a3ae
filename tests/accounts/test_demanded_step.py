"""A workspace that demands a second step: people without one see nothing of it, by any method or in any part of a page."""

from typing import Any

import pytest
from django.test import Client

from tests.accounts.sign_in import STEP, set_up_app, sign_in, text, with_app
from tests.users import Users, gather, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import clock
from workflows_ui.launches.models import Launch
from workflows_ui.members.models import Member, Role, Workspace
from workflows_ui.notification_mails import mail as notification_mail
from workflows_ui.notifications import services as notifications
from workflows_ui.notifications.models import Notice, NoticeKind


@pytest.fixture
def users(db: None) -> Users:
    """A workspace that demands a second step, and people without one."""
    made = gather(workspace("sales"), "a-secret-of-the-workspace")
    Workspace.objects.update(second_factor_required=True)
    return made


@pytest.mark.parametrize(
    "path", ["", "flows/", "launches/", "credentials/", "jobs/", "members/", "settings/", "abilities/"]
)
def test_no_page_is_shown_to_a_member_without_a_second_step(users: Users, client: Client, path: str) -> None:
    client.force_login(users.owner)
    answer = client.get(f"/w/sales/{path}")
    assert answer.status_code == 403
    assert "Two-factor authentication is required" in text(answer)
    assert client.head(f"/w/sales/{path}").status_code == 403


def test_what_is_sent_is_not_done_and_comes_back(users: Users, client: Client) -> None:
    client.force_login(users.owner)
    answer = client.post("/w/sales/settings/", {"name": "Another name"})
    assert answer.status_code == 403
    assert "Another name" in text(answer)
    assert Workspace.objects.get().name == "Sales"
    assert not Launch.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_part_of_a_page_says_so_and_stops_asking(users: Users, client: Client, method: str) -> None:
    client.force_login(users.owner)
    headers = {"HX-Request": "true", "HX-Target": "live"}
    answer = getattr(client, method)("/w/sales/settings/", headers=headers)
    assert answer.status_code == (286 if method == "get" else 403)
    assert answer["HX-Retarget"] == "#alerts"
    assert "Two-factor authentication is required" in text(answer)


def test_a_stranger_still_cannot_distinguish_it_from_none(users: Users, client: Client) -> None:
    client.force_login(users.stranger)
    assert client.get("/w/sales/flows/").status_code == 404


def test_one_is_led_from_the_workspace_to_the_set_up_and_back(users: Users, client: Client) -> None:
    sign_in(client, "owner")
    wanted = "/w/sales/launches/?state=FAILED"
    assert f'href="{STEP}"' in text(client.get(wanted))
    assert "Set up one of these two" in text(client.get(STEP))
    set_up_app(client)
    assert "I have saved them: continue" in text(client.get(f"{STEP}codes/"))
    assert f'href="{wanted}"' in text(client.get(STEP))
    assert client.get(wanted).status_code == 200
    assert wanted not in text(client.get(STEP)), "the way back is offered once"


def test_a_member_with_a_second_step_notices_nothing(users: Users, client: Client) -> None:
    with_app(users.owner)
    client.force_login(users.owner)
    assert client.get("/w/sales/launches/").status_code == 200


def test_ones_own_account_stays_open(users: Users, client: Client) -> None:
    client.force_login(users.owner)
    for path in ("/profile/", STEP, "/accounts/sessions/"):
        assert client.get(path).status_code == 200


def test_a_manager_demands_it_in_the_settings_and_the_audit_says_so(users: Users, client: Client) -> None:
    Workspace.objects.update(second_factor_required=False)
    with_app(users.owner)
    client.force_login(users.owner)
    sent: dict[str, Any] = {"name": "Sales", "colour": "", "second_factor_required": "on", "causes_in_notices": "on"}
    assert client.post("/w/sales/settings/", sent).status_code == 303
    assert Workspace.objects.get().second_factor_required
    assert AuditEvent.objects.get(action="workspace.change").detail["after"] == {"second_factor_required": True}
    client.force_login(users.colleague)
    assert client.get("/w/sales/launches/").status_code == 403


def test_a_manager_without_one_is_warned_before_and_led_to_it_and_back(users: Users, client: Client) -> None:
    Workspace.objects.update(second_factor_required=False)
    settings, way = "/w/sales/settings/", f"{STEP}?next=/w/sales/settings/"
    sign_in(client, "owner")
    assert f'href="{way}"' in text(client.get(settings))
    sent: dict[str, Any] = {
        "name": "Sales team",
        "colour": "",
        "second_factor_required": "on",
        "causes_in_notices": "on",
    }
    refused = client.post(settings, sent)
    assert refused.status_code == 422
    assert "would be locked out at once" in text(refused)
    assert 'value="Sales team"' in text(refused)
    assert not Workspace.objects.get().second_factor_required
    assert "Set up one of these two" in text(client.get(way))
    set_up_app(client)
    assert f'href="{settings}"' in text(client.get(STEP))
    assert client.post(settings, sent).status_code == 303
    assert "You do not use two-factor authentication yourself" not in text(client.get(settings))
    for elsewhere in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert client.get(STEP, {"next": elsewhere}).context["going_to"] == ""


def test_home_notices_and_mails_mention_it_the_name_alone(users: Users, client: Client) -> None:
    person, at = users.colleague, clock.now()
    Member.objects.create(workspace=workspace("buying", project="B" * 21), user=person, role=Role.LAUNCHER)
    Launch.objects.create(
        workspace=users.workspace,
        user=person,
        ticket="t" * 20,
        flow_id="f",
        flow_name="Payroll of May",
        payload_digest="d",
        asked_at=at,
        not_before=at,
        send_by=at,
    )
    notifications.notify(
        person,
        NoticeKind.LAUNCH_ENDED,
        "k",
        url="/w/sales/",
        workspace=users.workspace,
        flow="Payroll of May",
        state="failed",
    )
    client.force_login(person)

    def everything_visible() -> str:
        mailed = notification_mail.build_mail(Notice.objects.get())
        assert "Sales" in str(mailed.body)
        pages = "".join(
            text(client.get(path)) for path in ("/?all=1", "/notices/", "/credentials/add/?workspace=sales")
        )
        return f"{pages}{mailed.subject}{mailed.body}"

    before = everything_visible()
    for inside in ("Payroll", "Colleague", users.workspace.address):
        assert inside not in before.replace("colleague", "")
    assert "Requires two-factor authentication" in before
    assert before.count("News from “Sales”") == 3
    with_app(person)
    after = everything_visible()
    assert after.count("Payroll of May") == 4
    assert users.workspace.address in after
    assert "Requires two-factor authentication" not in after


def test_a_manager_sees_who_has_none(users: Users, client: Client) -> None:
    with_app(users.owner)
    client.force_login(users.owner)
    assert text(client.get("/w/sales/members/")).count("Not set up") == 1


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/people/", "/audit/", "/admin/"])
def test_superusers_pages_demand_it_where_a_workspace_does(users: Users, client: Client, path: str) -> None:
    User.objects.filter(pk=users.stranger.pk).update(is_superuser=True)
    client.force_login(User.objects.get(pk=users.stranger.pk))
    answer = client.get(path)
    assert answer.status_code == 403
    assert "Administration requires two-factor authentication" in text(answer)
    Workspace.objects.update(second_factor_required=False)
    assert client.get(path).status_code == 200
    Workspace.objects.update(second_factor_required=True)
    with_app(users.stranger)
    assert client.get(path).status_code == 200

"""The pages of members, of a workspace's settings, and of somebody who waits to be let in."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.users import Users, credential, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.members.models import AccessRequest, Member, Role
from workflows_ui.members.services import access, members


@pytest.fixture
def users(db: None) -> Users:
    return gather(workspace("sales"), "sk-secret")


def browser(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def asked(users: Users) -> AccessRequest:
    credential(users.workspace, users.stranger, "sk-stranger", name="Stranger's key")
    return members.ask(Actor(user=users.stranger), users.workspace, users.stranger)


def membership(users: Users, who: User) -> Member:
    return Member.objects.get(workspace=users.workspace, user=who)


def addresses(users: Users) -> dict[str, str]:
    """Every address that only a manager may use, with objects of the workspace in it."""
    row, request = membership(users, users.colleague), asked(users)
    return {
        "members": reverse("members", args=["sales"]),
        "member_add": reverse("member_add", args=["sales"]),
        "member_role": reverse("member_role", args=["sales", row.pk]),
        "member_remove": reverse("member_remove", args=["sales", row.pk]),
        "access_grant": reverse("access_grant", args=["sales", request.pk]),
        "access_refuse": reverse("access_refuse", args=["sales", request.pk]),
        "workspace_settings": reverse("workspace_settings", args=["sales"]),
    }


SENT = {"role": "manager", "who": "stranger", "name": "Taken over", "colour": "purple"}
BELOW = [Role.VIEWER, Role.LAUNCHER, Role.BUILDER]
WITH_PAGE = {"members", "member_add", "member_remove", "workspace_settings"}
READ_ONLY = {"members"}


@pytest.mark.parametrize("role", BELOW)
def test_who_is_not_a_manager_may_neither_see_nor_change_who_belongs(users: Users, role: Role) -> None:
    Member.objects.filter(user=users.colleague).update(role=role)
    client = browser(users.colleague)
    for name, address in addresses(users).items():
        if name in WITH_PAGE:
            assert client.get(address).status_code == 403, name
            assert client.get(address, headers={"HX-Request": "true", "HX-Target": "results"}).status_code == 403, name
        if name not in READ_ONLY:
            assert client.post(address, SENT).status_code == 403, name
    assert_nothing_happened(users, role)


def test_for_a_stranger_and_a_manager_of_elsewhere_nothing_is_there(users: Users) -> None:
    elsewhere = workspace("hr", project="Q" * 21)
    Member.objects.create(workspace=elsewhere, user=users.stranger, role=Role.MANAGER)
    client = browser(users.stranger)
    for name, address in addresses(users).items():
        if name in WITH_PAGE:
            assert client.get(address).status_code == 404, name
        if name not in READ_ONLY:
            assert client.post(address, SENT).status_code == 404, name
        if "/sales/" in address and name not in {"members", "member_add", "workspace_settings"}:
            other = address.replace("/sales/", "/hr/")
            assert client.post(other, SENT).status_code == 404, name
    assert_nothing_happened(users, Role.LAUNCHER)


def assert_nothing_happened(users: Users, role: Role) -> None:
    assert membership(users, users.colleague).role == role
    assert not Member.objects.filter(workspace=users.workspace, user=users.stranger).exists()
    assert AccessRequest.objects.get().decided_at is None
    users.workspace.refresh_from_db()
    assert users.workspace.name == "Sales"
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"access_request.ask"}


def test_changes_are_posts_and_need_the_token_of_a_form(users: Users) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(users.owner)
    for name, address in addresses(users).items():
        if name not in READ_ONLY:
            assert client.post(address, SENT).status_code == 403, name
        if name not in WITH_PAGE:
            assert client.get(address).status_code == 405, name
    assert_nothing_happened(users, Role.LAUNCHER)


# --- What a manager does


def test_a_manager_lets_in_somebody_who_asked(users: Users) -> None:
    request = asked(users)
    client = browser(users.owner)
    assert "Access requests" in text(client.get("/w/sales/members/"))
    page = client.post(reverse("access_grant", args=["sales", request.pk]), {"role": "builder"}, follow=True)
    assert "stranger now belongs to the workspace." in text(page)
    assert "Access requests" not in text(page)
    assert access.access_for(users.stranger, "sales").role is Role.BUILDER


def test_a_manager_turns_down_somebody_who_asked(users: Users) -> None:
    request = asked(users)
    page = browser(users.owner).post(reverse("access_refuse", args=["sales", request.pk]), follow=True)
    assert "The request of stranger is declined" in text(page)
    assert not Credential.objects.filter(owner=users.stranger).exists()
    again = browser(users.owner).post(
        reverse("access_grant", args=["sales", request.pk]), {"role": "viewer"}, follow=True
    )
    assert f"Too late: {users.owner.label} declined this request at" in text(again)


@pytest.mark.parametrize("role", ["", "owner", "superuser"])
def test_a_made_up_role_changes_nothing(users: Users, role: str) -> None:
    request, client = asked(users), browser(users.owner)
    client.post(reverse("access_grant", args=["sales", request.pk]), {"role": role})
    client.post(reverse("member_role", args=["sales", membership(users, users.colleague).pk]), {"role": role})
    assert client.post("/w/sales/members/add/", {"who": "stranger", "role": role}).status_code == 422
    assert_nothing_happened(users, Role.LAUNCHER)


def test_a_manager_adds_somebody_by_e_mail_address(users: Users) -> None:
    page = browser(users.owner).post(
        "/w/sales/members/add/", {"who": "stranger@example.com", "role": "launcher"}, follow=True
    )
    assert "stranger now belongs to the workspace." in text(page)
    assert access.access_for(users.stranger, "sales").role is Role.LAUNCHER


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("nobody", "has an account here"),
        ("colleague", "belongs to the workspace already"),
        ("", "Name a person, or choose a team."),
    ],
)
def test_what_is_wrong_with_an_added_name_is_said_and_the_name_kept(users: Users, who: str, words: str) -> None:
    page = browser(users.owner).post("/w/sales/members/add/", {"who": who, "role": "builder"})
    assert page.status_code == 422
    assert words in text(page)
    assert page.context["form"]["who"].value() == who
    assert page.context["form"]["role"].value() == "builder"


def test_the_last_manager_is_informed_why_they_cannot_go(users: Users) -> None:
    client, row = browser(users.owner), membership(users, users.owner)
    for name, sent in (("member_role", {"role": "viewer"}), ("member_remove", {"sure": "yes"})):
        page = client.post(reverse(name, args=["sales", row.pk]), sent, follow=True)
        assert "without a manager" in text(page)
    assert access.access_for(users.owner, "sales").role is Role.MANAGER


def test_removing_asks_first_and_names_what_is_deleted_with_it(users: Users) -> None:
    client, address = (
        browser(users.owner),
        reverse("member_remove", args=["sales", membership(users, users.colleague).pk]),
    )
    page = text(client.get(address))
    assert "Remove colleague?" in page
    assert "Colleague&#x27;s key" in page
    assert Member.objects.filter(user=users.colleague).exists()
    page = text(client.post(address, {"sure": "yes"}, follow=True))
    assert "colleague no longer belongs to the workspace." in page
    assert browser(users.colleague).get("/w/sales/credentials/").status_code == 404


def test_who_steps_down_is_led_to_a_page_they_may_see(users: Users) -> None:
    members.change_role(Actor(user=users.owner), membership(users, users.colleague), Role.MANAGER)
    client, row = browser(users.owner), membership(users, users.owner)
    answer = client.post(reverse("member_role", args=["sales", row.pk]), {"role": "viewer"})
    assert answer.headers["Location"] == "/w/sales/"
    assert (
        browser(users.colleague)
        .post(reverse("member_remove", args=["sales", membership(users, users.colleague).pk]), {"sure": "yes"})
        .status_code
        == 303
    )
    leaving = browser(users.owner)
    assert leaving.get("/w/sales/members/").status_code == 403


# --- Who waits


def test_who_asked_sees_whom_they_wait_for_and_not_what_members_call_the_workspace(users: Users) -> None:
    users.workspace.name, users.workspace.project_name = "Secret plan", "Public project"
    users.workspace.save()
    asked(users)
    page = text(browser(users.stranger).get("/waiting/"))
    assert "Public project" in page
    assert '<strong class="text-break">owner</strong>' in page
    assert "Secret plan" not in page
    assert browser(users.stranger).get("/w/sales/").status_code == 404


def test_a_request_is_taken_back_by_its_owner_only(users: Users) -> None:
    request = asked(users)
    address = reverse("access_withdraw", args=[request.pk])
    assert browser(users.colleague).post(address).status_code == 404
    assert AccessRequest.objects.get().decided_at is None
    page = text(browser(users.stranger).post(address, {"sure": "yes"}, follow=True))
    assert "Cancelled" in page
    assert not Credential.objects.filter(owner=users.stranger).exists()


def test_who_was_declined_sees_by_whom(users: Users) -> None:
    members.refuse(Actor(user=users.owner), asked(users))
    page = text(browser(users.stranger).get("/waiting/"))
    assert "Declined" in page
    assert "owner" in page


# --- Settings


def test_a_manager_renames_colours_and_pauses_and_it_is_audited(users: Users) -> None:
    client = browser(users.owner)
    page = client.post(
        "/w/sales/settings/",
        {"name": "Orders", "colour": "azure", "launching_paused": "on", "causes_in_notices": "on"},
        follow=True,
    )
    users.workspace.refresh_from_db()
    assert (users.workspace.name, users.workspace.colour, users.workspace.launching_paused) == ("Orders", "azure", True)
    assert "Launching is paused" in text(page)
    event = AuditEvent.objects.get()
    assert (event.action, event.user) == ("workspace.change", users.owner)
    assert event.detail == {
        "before": {"name": "Sales", "colour": "", "launching_paused": False},
        "after": {"name": "Orders", "colour": "azure", "launching_paused": True},
    }
    client.post(
        "/w/sales/settings/", {"name": "Orders", "colour": "azure", "launching_paused": "on", "causes_in_notices": "on"}
    )
    assert AuditEvent.objects.count() == 1


def test_settings_that_cannot_be_are_refused_with_everything_typed_kept(users: Users) -> None:
    page = browser(users.owner).post(
        "/w/sales/settings/", {"name": "", "colour": "infrared", "launching_paused": "on", "causes_in_notices": "on"}
    )
    assert page.status_code == 422
    assert page.context["form"]["launching_paused"].value() is True
    assert set(page.context["form"].errors) == {"name", "colour"}
    users.workspace.refresh_from_db()
    assert (users.workspace.name, users.workspace.launching_paused) == ("Sales", False)


@pytest.mark.parametrize("field", ["address", "project_id", "slug", "practice", "flavour"])
def test_where_a_workspace_leads_cannot_be_posted(users: Users, field: str) -> None:
    before = getattr(users.workspace, field)
    browser(users.owner).post("/w/sales/settings/", {"name": "Sales", "colour": "", field: "http://elsewhere.example"})
    users.workspace.refresh_from_db()
    assert getattr(users.workspace, field) == before


def test_names_are_shown_as_text_never_as_markup(users: Users) -> None:
    users.colleague.first_name = "<script>alert(1)</script>"
    users.colleague.save()
    users.workspace.name = "<img src=x>"
    users.workspace.save()
    person("other")
    for path in (
        "/w/sales/members/",
        "/w/sales/settings/",
        f"/w/sales/members/{membership(users, users.colleague).pk}/remove/",
    ):
        page = text(browser(users.owner).get(path))
        assert "<script>alert(1)" not in page
        assert "<img src=x>" not in page

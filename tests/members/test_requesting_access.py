"""Access is requested from a page that is refused or not found, and decided by a manager."""

from typing import Any

import pytest

from tests.users import Users, browser, credential, gather, workspace
from workflows_ui.credentials.models import Credential
from workflows_ui.members.models import AccessRequest, LaunchRight, Member, Role
from workflows_ui.members.services import access
from workflows_ui.notifications.models import Notice, NoticeKind


@pytest.fixture
def users(db: None) -> Users:
    found = gather(workspace("sales"), "sk-secret")
    found.workspace.project_name = "Secret project"
    found.workspace.save(update_fields=["project_name"])
    return found


def text(response: Any) -> str:
    return str(response.content.decode())


def ask(users: Users, link: str = "/w/sales/flows/abc/") -> str:
    """The page after the stranger's request, with neither the name of the workspace nor that of its project."""
    client = browser(users.stranger)
    assert "Request access" in text(client.get(link))
    page = text(client.post("/request-access/", {"link": link}, follow=True)) + text(client.get("/waiting/"))
    assert "Sales" not in page
    assert "Secret project" not in page
    return page


def test_a_shared_link_leads_to_a_request_that_a_manager_approves_and_both_are_notified(users: Users) -> None:
    assert "its managers were asked" in ask(users)
    ask(users)
    request = AccessRequest.objects.get()
    assert Notice.objects.get(user=users.owner).kind == NoticeKind.ACCESS_ASKED
    page = text(browser(users.owner).get("/w/sales/members/"))
    assert "wants to open a flow" in page
    browser(users.owner).post(f"/w/sales/members/requests/{request.pk}/grant/", {"role": "viewer"})
    assert access.access_for(users.stranger, "sales").role is Role.VIEWER
    notice = Notice.objects.get(user=users.stranger)
    assert (notice.kind, notice.url) == (NoticeKind.ACCESS_DECIDED, "/w/sales/flows/abc/")


def test_nobody_learns_from_a_request_whether_a_workspace_exists(users: Users) -> None:
    client = browser(users.stranger)
    pages = []
    for slug in ("sales", "there-is-none"):
        client.post("/request-access/", {"link": f"/w/{slug}/"})
        pages.append([client.get(path).status_code for path in (f"/w/{slug}/", "/", "/waiting/")])
        assert "Nothing is waiting" in text(client.get("/waiting/"))
    assert pages[0] == pages[1]
    assert AccessRequest.objects.count() == 1


@pytest.mark.both_databases
def test_a_link_with_a_nul_character_is_not_found_whether_the_workspace_exists_or_not(users: Users) -> None:
    client = browser(users.stranger)
    for slug in ("sales", "there-is-none"):
        assert client.post("/request-access/", {"link": f"/w/{slug}/flows/\0/"}).status_code == 404


@pytest.mark.parametrize(
    "link", ["", "/", "//evil.example/w/sales/", "/w/sales", "/w/sales/?token=x", "https://x/w/sales/"]
)
def test_only_links_into_workspaces_can_be_requested(users: Users, link: str) -> None:
    assert browser(users.stranger).post("/request-access/", {"link": link}).status_code == 404
    assert not AccessRequest.objects.exists()


def test_a_member_asks_for_a_higher_role_and_keeps_their_credential_when_refused(users: Users) -> None:
    Member.objects.filter(user=users.colleague).update(role=Role.VIEWER)
    key = credential(users.workspace, users.colleague, "sk-colleague")
    client, owner = browser(users.colleague), browser(users.owner)
    assert "Request access" in text(client.get("/w/sales/members/"))
    client.post("/request-access/", {"link": "/w/sales/members/"})
    owner.post(f"/w/sales/members/requests/{AccessRequest.objects.get().pk}/refuse/")
    assert Credential.objects.filter(pk=key.pk).exists()
    assert Notice.objects.filter(user=users.colleague, kind=NoticeKind.ACCESS_DECIDED).exists()
    client.post("/request-access/", {"link": "/w/sales/members/"})
    owner.post(f"/w/sales/members/requests/{AccessRequest.objects.get(decided_at=None).pk}/grant/", {"role": "builder"})
    assert access.access_for(users.colleague, "sales").role is Role.BUILDER


def test_a_manager_reads_the_name_of_the_requested_flow_where_the_console_knows_it(users: Users) -> None:
    LaunchRight.objects.create(workspace=users.workspace, flow_id="abc", flow_name="Quote", user=users.colleague)
    elsewhere = workspace("hr", project="Q" * 21)
    LaunchRight.objects.create(workspace=elsewhere, flow_id="def", flow_name="Salaries", user=users.colleague)
    manager = browser(users.owner)
    for link, words in (
        ("/w/sales/flows/abc/launch/", "wants to open the flow “Quote”"),
        ("/w/sales/flows/def/launch/", "wants to open a flow"),
        ("/w/sales/runs/", "wants to open a page of “Runs”"),
        ("/w/sales/", "wants to open this workspace"),
    ):
        AccessRequest.objects.all().delete()
        ask(users, link)
        page = text(manager.get("/w/sales/members/"))
        assert words in page
        assert "Salaries" not in page


def test_who_adds_people_reads_who_is_suggested(users: Users) -> None:
    page = text(browser(users.owner).get("/w/sales/members/add/"))
    assert "people of other workspaces are found only by their exact username or address" in page

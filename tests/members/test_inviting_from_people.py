"""The page People leads an administrator to the page of a workspace that adds and invites people."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from tests.members.inviting import text, users
from tests.users import Users, browser, workspace
from workflows_ui.accounts.models import User
from workflows_ui.members.models import Member, Role

__all__ = ["users"]


@pytest.fixture
def invite_url() -> str:
    return reverse("people_invite")


def manages(who: User, *slugs: str) -> None:
    for number, slug in enumerate(slugs):
        space = workspace(slug, project=str(number) * 21)
        Member.objects.create(workspace=space, user=who, role=Role.MANAGER)


def options(page: Any) -> set[str]:
    return {slug for slug in ("finance", "legal", "sales") if f'value="{slug}"' in text(page)}


def test_an_administrator_of_one_workspace_comes_to_its_page_at_once(
    users: Users, keeper: User, invite_url: str
) -> None:
    manages(keeper, "finance")
    client = browser(keeper)
    assert f'href="{invite_url}"' in text(client.get(reverse("people")))
    assert client.get(invite_url)["Location"] == reverse("member_add", args=["finance"])
    assert client.get(invite_url, {"workspace": "sales"})["Location"] == reverse("member_add", args=["finance"])


def test_of_several_workspaces_one_is_chosen(users: Users, keeper: User, invite_url: str) -> None:
    manages(keeper, "finance", "legal")
    client = browser(keeper)
    page = client.get(invite_url, {"who": "lena@example.com"})
    assert options(page) == {"finance", "legal"}
    assert "lena@example.com" in text(page)
    chosen = client.get(invite_url, {"who": "lena@example.com", "workspace": "legal"})
    assert chosen["Location"] == f"{reverse('member_add', args=['legal'])}?who=lena%40example.com"
    for wrong in ("sales", "nowhere", ""):
        assert client.get(invite_url, {"workspace": wrong}).status_code == 422


def test_an_administrator_without_a_workspace_reads_what_to_do(users: Users, keeper: User, invite_url: str) -> None:
    Member.objects.create(workspace=users.workspace, user=keeper, role=Role.BUILDER)
    page = browser(keeper).get(invite_url)
    assert "You manage no workspace" in text(page)
    assert reverse("connect") in text(page)


def test_a_search_that_finds_nobody_offers_to_invite_the_address(users: Users, keeper: User, invite_url: str) -> None:
    client = browser(keeper)
    page = text(client.get(reverse("people"), {"search": "lena@example.com"}))
    assert "Invite lena@example.com" in page
    assert f'href="{invite_url}?{urlencode({"who": "lena@example.com"})}"' in page
    for found in ("zzz", "colleague@example.com"):
        assert "Invite " + found not in text(client.get(reverse("people"), {"search": found}))


def test_the_page_that_adds_people_has_the_address_and_offers_the_invitation(users: Users) -> None:
    add = reverse("member_add", args=["sales"])
    client = browser(users.owner)
    page = client.get(add, {"who": "lena@example.com"})
    assert page.status_code == 200
    assert 'value="lena@example.com"' in text(page)
    assert "There is no account with" in text(page)
    known = text(client.get(add, {"who": "stranger@example.com"}))
    assert 'value="stranger@example.com"' in known
    assert "There is no account with" not in known


def test_the_way_is_closed_to_everybody_else(users: Users, invite_url: str) -> None:
    assert browser(users.owner).get(invite_url).status_code == 404

"""People are found by part of a name, user name or address, by those who add people, among those whom they see anyway."""

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.users import Users, browser, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.members.models import ColleagueInvitation, Member, Role, TeamOwner, Workspace


@pytest.fixture
def users(db: None) -> Users:
    """The workspace Sales, with Linh and Lan among the colleagues of its manager in another one."""
    found = gather(workspace("sales"), "sk-secret")
    hr = workspace("hr", project="Q" * 21)
    Member.objects.create(workspace=hr, user=found.owner, role=Role.VIEWER)
    for name, first, last in (("linh.pham", "Phạm", "Thị Linh"), ("lan.dang", "Đặng", "Thị Lan")):
        made = person(name)
        User.objects.filter(pk=made.pk).update(first_name=first, last_name=last)
        Member.objects.create(workspace=hr, user=made, role=Role.VIEWER)
    return found


def text(response: Any) -> str:
    return str(response.content.decode())


def suggested(who: User, part: str) -> str:
    response = browser(who).get(reverse("people_suggest"), {"field": "who", "who": part})
    assert response.status_code == 200
    return text(response)


@pytest.mark.parametrize("part", ["pham", "LINH th", "thị linh", "linh.ph", "linh.pham@exa"])
def test_a_manager_finds_a_colleague_by_part_of_a_name_without_accents(users: Users, part: str) -> None:
    page = suggested(users.owner, part)
    assert "Phạm Thị Linh" in page
    assert "Đặng" not in page


def test_only_colleagues_are_found_and_everyone_by_administrators(users: Users, keeper: User) -> None:
    person("hidden-away")
    assert "hidden-away" not in suggested(users.owner, "hidden")
    assert "hidden-away" in suggested(keeper, "hidden")
    assert "option" not in suggested(users.owner, "l")
    users.owner.memberships.exclude(workspace=users.workspace).delete()
    assert "option" not in suggested(users.owner, "linh")


def test_people_of_a_workspace_that_needs_a_second_step_are_not_found_without_it(users: Users, keeper: User) -> None:
    Workspace.objects.filter(slug="hr").update(second_factor_required=True)
    for who in (users.owner, keeper):
        assert "option" not in suggested(who, "linh")


def test_those_who_add_nobody_find_nobody(users: Users) -> None:
    for who in (users.colleague, users.stranger, User.objects.get(username="linh.pham")):
        assert browser(who).get(reverse("people_suggest"), {"field": "who", "who": "lan"}).status_code == 404


def test_a_team_owner_finds_the_people_of_the_team_alone(users: Users) -> None:
    team = Group.objects.create(name="Field")
    TeamOwner.objects.create(team=team, user=users.stranger)
    User.objects.get(username="lan.dang").groups.add(team)
    assert "lan.dang" in suggested(users.stranger, "th")
    assert "linh.pham" not in suggested(users.stranger, "th")


def test_without_a_script_a_part_of_a_name_is_answered_with_a_choice(users: Users) -> None:
    client, address = browser(users.owner), reverse("member_add", args=["sales"])
    page = client.post(address, {"who": "thi l", "role": "launcher"})
    assert page.status_code == 422
    for name in ("linh.pham", "lan.dang"):
        assert f'name="who-chosen" value="{name}"' in text(page)
    chosen = {"who": "thi l", "who-for": "thi l", "who-chosen": "lan.dang", "role": "launcher"}
    assert "Đặng Thị Lan now belongs to the workspace." in text(client.post(address, chosen, follow=True))
    corrected = chosen | {"who": "phạm thị linh"}
    assert "Phạm Thị Linh now belongs to the workspace." in text(client.post(address, corrected, follow=True))


def test_the_fields_of_teams_rights_and_successors_find_people_too(users: Users, keeper: User) -> None:
    team = Group.objects.create(name="Field")
    client = browser(keeper)
    page = client.post(reverse("team_add", args=[team.pk]), {"who": "linh"})
    assert 'name="who-chosen" value="linh.pham"' in text(page)
    page = client.post(reverse("person_deactivate", args=[users.owner.pk]), {"successor": "linh", "sure": "yes"})
    assert 'name="successor-chosen" value="linh.pham"' in text(page)
    # The person who leaves is no successor of their own.
    page = client.post(reverse("person_deactivate", args=[users.owner.pk]), {"successor": "own", "sure": "yes"})
    assert 'name="successor-chosen"' not in text(page)
    asked = re.search(r'hx-get="([^"]+)"', text(page))
    assert asked
    assert "option" not in text(client.get(html.unescape(asked[1]), {"successor": "own"}))


def test_an_address_that_nobody_has_is_invited_with_the_same_form(users: Users) -> None:
    client, address = browser(users.owner), reverse("member_add", args=["sales"])
    typed = {"who": "bo@example.com", "role": "builder", "days": "30"}
    page = client.post(address, typed)
    assert page.status_code == 422
    assert "There is no account with" in text(page)
    assert 'value="bo@example.com"' in text(page)
    assert not ColleagueInvitation.objects.exists()
    assert 'formaction="/w/sales/members/invite/"' in text(page)
    client.post(reverse("invite", args=["sales"]), typed)
    invited = ColleagueInvitation.objects.get()
    assert (invited.email, invited.role) == ("bo@example.com", Role.BUILDER)
    assert client.post(address, {"who": "bo", "role": "builder"}).status_code == 422


def test_what_is_wrong_with_an_invitation_is_said_at_the_fields_of_the_form(users: Users) -> None:
    client, address = browser(users.owner), reverse("invite", args=["sales"])
    again = client.post(address, {"who": users.colleague.email, "role": "builder"})
    assert again.status_code == 422
    assert "Someone with this address belongs to the workspace already." in text(again)
    assert client.post(address, {"who": "no address", "role": "builder"}).status_code == 422
    assert client.post(address, {"who": "bo@example.com", "role": "", "no-role": "yes"}).status_code == 422
    assert not ColleagueInvitation.objects.exists()


def test_the_field_offers_to_invite_an_address_that_nobody_has_and_nothing_else(users: Users) -> None:
    client = browser(users.owner)
    assert "invite=sales" in text(client.get(reverse("member_add", args=["sales"])))
    asked = {"field": "who", "invite": "sales"}
    offered = text(client.get(reverse("people_suggest"), asked | {"who": "bo@example.com"}))
    assert 'name="email" value="bo@example.com" formaction="/w/sales/members/invite/"' in offered
    for other in (
        {"who": "bo"},
        {"who": "linh"},
        {"who": "bo@example.com", "invite": ""},
        {"who": "bo@example.com", "invite": "../x"},
    ):
        assert "formaction" not in text(client.get(reverse("people_suggest"), asked | other))


def test_the_members_page_has_one_primary_button(users: Users) -> None:
    page = text(browser(users.owner).get(reverse("members", args=["sales"])))
    assert page.count("btn-primary") == 1
    assert reverse("member_add", args=["sales"]) in page

"""Teams: who makes them, who fills them, what they open, and what goes with them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.users import Users, browser, gather, share, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access, teams

pytestmark = pytest.mark.both_databases


@pytest.fixture
def users(db: None) -> Users:
    return gather(workspace("sales"), "sk-secret")


def text(response: Any) -> str:
    return str(response.content.decode())


def owned(team: Group, who: User) -> None:
    TeamOwner.objects.create(team=team, user=who)


def test_a_superuser_makes_a_team_names_its_owner_and_the_owner_fills_it(users: Users, keeper: User) -> None:
    client = browser(keeper)
    assert "There is no team yet" in text(client.get("/teams/"))
    page = client.post("/teams/new/", {"name": "Field", "description": "Visits customers"}, follow=True)
    team = Group.objects.get(name="Field")
    assert "Visits customers" in text(page)
    client.post(reverse("team_owner", args=[team.pk, users.colleague.pk]), {"owner": "yes"})
    owner = browser(users.colleague)
    page = owner.post(reverse("team_add", args=[team.pk]), {"who": "STRANGER@example.com"}, follow=True)
    assert "stranger is now in the team." in text(page)
    assert list(users.stranger.groups.all()) == [team]
    page = owner.post(reverse("team_take_out", args=[team.pk, users.stranger.pk]), {"sure": "yes"}, follow=True)
    assert "stranger is no longer in the team." in text(page)
    assert not users.stranger.groups.exists()
    actions = list(AuditEvent.objects.filter(object_type="team").order_by("pk").values_list("action", flat=True))
    assert actions == ["team.create", "team.make_owner", "team.add", "team.remove"]


def test_being_put_in_and_taken_out_takes_effect_with_the_next_request(users: Users, keeper: User) -> None:
    team = Group.objects.create(name="Field")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.MANAGER)
    client = browser(users.stranger)
    assert client.get("/w/sales/members/").status_code == 404
    teams.add(Actor(keeper), team, users.stranger)
    assert client.get("/w/sales/members/").status_code == 200
    teams.take_out(Actor(keeper), team, users.stranger)
    assert client.get("/w/sales/members/").status_code == 404


def test_who_is_only_in_a_team_sees_it_and_changes_nothing(users: Users) -> None:
    team, other = Group.objects.create(name="Field"), Group.objects.create(name="Hidden")
    users.colleague.groups.add(team)
    client = browser(users.colleague)
    page = text(client.get("/teams/"))
    assert "Field" in page
    assert "Hidden" not in page
    assert "Add a member" not in text(client.get(reverse("team", args=[team.pk])))
    assert client.get(reverse("team", args=[other.pk])).status_code == 404
    for name, args in (
        ("team_add", [team.pk]),
        ("team_take_out", [team.pk, users.colleague.pk]),
        ("team_owner", [team.pk, users.colleague.pk]),
        ("team_delete", [team.pk]),
        ("team_change", [team.pk]),
    ):
        assert client.post(reverse(name, args=args), {"who": "stranger", "owner": "yes"}).status_code == 404
    assert list(User.objects.filter(groups=team)) == [users.colleague]
    assert not TeamOwner.objects.exists()


def test_an_owner_of_one_team_does_nothing_to_another(users: Users) -> None:
    mine, other = Group.objects.create(name="Mine"), Group.objects.create(name="Other")
    owned(mine, users.colleague)
    users.colleague.groups.add(other)
    client = browser(users.colleague)
    assert client.post(reverse("team_add", args=[other.pk]), {"who": "stranger"}).status_code == 404
    assert client.post(reverse("team_delete", args=[mine.pk])).status_code == 404
    assert client.post(reverse("team_owner", args=[mine.pk, users.stranger.pk]), {"owner": "yes"}).status_code == 404


@pytest.mark.parametrize(
    ("who", "words"),
    [("nobody", "has an account here"), ("colleague", "in the team already"), ("", "This field is required")],
)
def test_what_is_wrong_with_a_name_is_said(users: Users, keeper: User, who: str, words: str) -> None:
    team = Group.objects.create(name="Field")
    users.colleague.groups.add(team)
    answer = browser(keeper).post(reverse("team_add", args=[team.pk]), {"who": who})
    assert answer.status_code == 422
    assert words in text(answer)


@pytest.mark.parametrize("name", ["", "FIELD", "x" * 151])
def test_a_team_needs_a_name_of_its_own(keeper: User, name: str) -> None:
    Group.objects.create(name="Field")
    answer = browser(keeper).post("/teams/new/", {"name": name, "description": "kept"})
    assert answer.status_code == 422
    assert 'value="kept"' in text(answer)
    assert Group.objects.count() == 1


def test_a_team_is_renamed_and_the_change_is_audited_with_before_and_after(keeper: User) -> None:
    team = teams.create(Actor(keeper), "Field", "")
    other = teams.create(Actor(keeper), "Desk", "")
    client = browser(keeper)
    assert client.post(reverse("team_change", args=[team.pk]), {"name": "desk"}).status_code == 422
    client.post(reverse("team_change", args=[team.pk]), {"name": "Fields", "description": "More"})
    team.refresh_from_db()
    assert team.name == "Fields"
    event = AuditEvent.objects.get(action="team.change")
    assert event.detail["before"] == {"name": "Field", "description": ""}
    assert event.detail["after"] == {"name": "Fields", "description": "More"}
    assert other.name == "Desk"


def test_deleting_a_team_says_what_goes_with_it_and_does_it(users: Users, keeper: User) -> None:
    team = Group.objects.create(name="Field")
    users.stranger.groups.add(team)
    Member.objects.create(workspace=users.workspace, team=team, role=Role.LAUNCHER)
    share(users.credential, team)
    right = LaunchRight.objects.create(workspace=users.workspace, flow_id="F" * 21, flow_name="Order intake", team=team)
    client, address = browser(keeper), reverse("team_delete", args=[team.pk])
    page = text(client.get(address))
    for words in ("1 person is in it", "Sales", "My key", "Order intake", "stay with their owners"):
        assert words in page
    assert "is deleted" in text(client.post(address, {"sure": "yes"}, follow=True))
    assert Credential.objects.filter(pk=users.credential.pk).exists()
    assert not CredentialShare.objects.exists()
    assert not LaunchRight.objects.exists()
    with pytest.raises(access.NoAccess):
        access.access_for(users.stranger, "sales")
    ended = AuditEvent.objects.get(action="launch_right.revoke")
    assert (ended.workspace, ended.object_id, ended.user) == (users.workspace, str(right.pk), keeper)
    assert (ended.detail["holder"], ended.detail["holder_kind"]) == (team.name, "team")
    event = AuditEvent.objects.get(action="team.delete")
    assert (event.detail["people"], event.detail["workspaces"]) == (1, ["sales"])


def test_the_deletion_of_a_team_without_people_says_so(keeper: User) -> None:
    team = Group.objects.create(name="Field")
    page = text(browser(keeper).get(reverse("team_delete", args=[team.pk])))
    assert "No one is in it." in page
    assert "Their accounts stay" not in page


def test_a_team_that_alone_manages_a_workspace_is_neither_deleted_nor_emptied(users: Users, keeper: User) -> None:
    team = Group.objects.create(name="Field")
    users.stranger.groups.add(team)
    Member.objects.filter(user=users.owner).delete()
    Member.objects.create(workspace=users.workspace, team=team, role=Role.MANAGER)
    client = browser(keeper)
    for address in (
        reverse("team_delete", args=[team.pk]),
        reverse("team_take_out", args=[team.pk, users.stranger.pk]),
    ):
        assert "no one would manage Sales any more" in text(client.post(address, {"sure": "yes"}, follow=True))
    assert list(User.objects.filter(groups=team)) == [users.stranger]
    assert not AuditEvent.objects.filter(action__in=["team.delete", "team.remove"]).exists()


def test_a_manager_makes_a_team_a_member_of_the_workspace(users: Users) -> None:
    team = Group.objects.create(name="Field")
    users.stranger.groups.add(team)
    client, address = browser(users.owner), reverse("member_add", args=["sales"])
    page = client.post(address, {"team": str(team.pk), "role": "builder"}, follow=True)
    assert "The team Field now belongs to the workspace." in text(page)
    assert access.access_for(users.stranger, "sales").role is Role.BUILDER
    again = client.post(address, {"team": str(team.pk), "role": "viewer"})
    assert again.status_code == 422
    assert "belongs to the workspace already" in text(again)
    assert client.post(address, {"team": "987654", "role": "viewer"}).status_code == 422
    assert AuditEvent.objects.get(action="member.add").object_name == "Field"


def test_names_in_a_team_are_shown_as_text(users: Users, keeper: User) -> None:
    team = Group.objects.create(name="<script>alert(1)</script>")
    User.objects.filter(pk=users.stranger.pk).update(first_name="<b>bold</b>")
    users.stranger.groups.add(team)
    for address in ("/teams/", reverse("team", args=[team.pk]), reverse("team_delete", args=[team.pk])):
        page = text(browser(keeper).get(address))
        assert "<script>alert(1)" not in page
        assert "<b>bold" not in page


def test_the_list_of_teams_is_sorted_and_saved_as_a_file_of_the_teams_one_may_see(users: Users) -> None:
    small, large, _hidden = [Group.objects.create(name=name) for name in ("Alpha", "Beta", "Hidden")]
    users.colleague.groups.add(small, large)
    users.stranger.groups.add(large)
    client = browser(users.colleague)
    page = text(client.get("/teams/", {"sort": "-people"}))
    assert page.index("Beta") < page.index("Alpha")
    lines = client.get("/teams/file/csv/").getvalue().decode().splitlines()
    assert [line.split(",")[0].strip('"') for line in lines[1:]] == ["Alpha", "Beta"]
    assert AuditEvent.objects.filter(action="teams.export").count() == 1

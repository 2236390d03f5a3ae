"""One page says what a person may do in a workspace; a credential is chosen with a launch right, shared and taken back."""

from typing import Any

from django.contrib.auth.models import Group
from django.urls import reverse

from tests.members.guests import Guests
from tests.users import Users, browser, credential, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import LaunchRight, Member, Role
from workflows_ui.members.services import access


def text(response: Any) -> str:
    return str(response.content.decode())


def page_of(users: Users, viewer: User, whose: User) -> Any:
    return browser(viewer).get(reverse("permissions", args=["sales", whose.pk]))


def test_a_manager_sees_roles_rights_credentials_and_the_second_step_of_a_person(guests: Guests) -> None:
    users = guests.scene.users
    Member.objects.create(workspace=users.workspace, team=guests.team, role=Role.VIEWER)
    guests.right(most_launches=5)
    page = text(page_of(users, users.owner, guests.gail))
    for words in ("What gail may do", "Viewer", "team Field", "Quick", "0 of 5", "Field's key", "shared with Field"):
        assert words.replace("'", "&#x27;") in page, words
    assert "Not set up. This workspace does not require it." in page
    assert "Can launch only the flows with a launch right." in page


def test_everybody_sees_their_own_page_and_nobody_elses(guests: Guests) -> None:
    users = guests.scene.users
    guests.right()
    assert "What you can do" in text(page_of(users, guests.gail, guests.gail))
    for viewer, status in ((guests.gail, 403), (users.colleague, 403), (users.stranger, 404)):
        assert page_of(users, viewer, users.owner).status_code == status
    assert page_of(users, users.owner, users.stranger).status_code == 404


def test_members_people_and_profile_lead_to_the_page(guests: Guests) -> None:
    users, keeper = guests.scene.users, person("chief")
    User.objects.filter(pk=keeper.pk).update(is_superuser=True)
    Member.objects.create(workspace=users.workspace, user=keeper, role=Role.MANAGER)
    link = reverse("permissions", args=["sales", users.colleague.pk])
    for viewer, address in (
        (users.owner, reverse("members", args=["sales"])),
        (keeper, reverse("person", args=[users.colleague.pk])),
        (users.colleague, reverse("profile")),
    ):
        assert f'href="{link}"' in text(browser(viewer).get(address)), address


def test_the_credential_for_a_team_is_chosen_with_the_right(guests: Guests) -> None:
    users = guests.scene.users
    CredentialShare.objects.all().delete()
    key = users.credential
    address = reverse("flow_launch_rights", args=["sales", guests.flow])
    client = browser(users.owner)
    assert f"{key.name} · {users.owner.label}" in text(client.get(address))
    refused = client.post(address, {"who": "gail", "credential": str(key.pk)})
    assert refused.status_code == 422
    assert "shared with a team only" in text(refused)
    foreign = credential(workspace("hr", project="Q" * 21), users.stranger, "sk-other")
    assert client.post(address, {"team": guests.team.pk, "credential": str(foreign.pk)}).status_code == 422
    assert not LaunchRight.objects.exists()
    client.post(address, {"team": guests.team.pk, "credential": str(key.pk)})
    assert sharing.teams(key) == [guests.team]
    assert access.credential(guests.gail, users.workspace) == key
    assert key.owner == users.owner


def test_sharing_with_several_teams_is_taken_back_and_the_owner_keeps_the_credential(guests: Guests) -> None:
    users = guests.scene.users
    key = users.credential
    second = Group.objects.create(name="Night")
    for team in (guests.team, second):
        Member.objects.create(workspace=users.workspace, team=team, role=Role.VIEWER)
    client, address = browser(users.owner), reverse("credential_share", args=["sales", key.pk])
    client.post(address, {"teams": [guests.team.pk, second.pk], "sure": "yes"})
    assert sharing.teams(key) == [guests.team, second]
    assert "Stop sharing" in text(client.get(reverse("credential", args=["sales", key.pk])))
    client.post(address, {"sure": "yes"})
    assert sharing.teams(key) == []
    assert access.credential(users.owner, users.workspace) == key
    assert Credential.objects.filter(pk=key.pk, owner=users.owner).exists()

"""Mass assignment: fields that a form does not show, sent all the same. They change nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import models
from django.test import Client

from tests.users import Users, person
from workflows_ui.accounts.models import User
from workflows_ui.credentials.models import Credential, CredentialShare
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner, Workspace

#: What a form might be made to take over, beside every column of every model.
WANTED: dict[str, Any] = {
    "id": "987654",
    "pk": "987654",
    "is_superuser": "on",
    "is_staff": "on",
    "is_active": "",
    "password": "x",
    "groups": ["1"],
    "user_permissions": ["1"],
    "owner": "1",
    "owner_id": "1",
    "user": "1",
    "user_id": "1",
    "team": "1",
    "team_id": "1",
    "workspace": "1",
    "workspace_id": "1",
    "slug": "stolen",
    "address": "http://evil.example",
    "flavour": "imbrace",
    "project_id": "E" * 21,
    "secret": "evil",
    "health": "good",
    "role": "manager",
    "used": "0",
    "granted": "on",
    "accepted_by": "1",
}


def columns(row: models.Model) -> dict[str, Any]:
    """The row as it stands in the database."""
    return dict(type(row)._default_manager.filter(pk=row.pk).values().get())


def changed(row: models.Model, before: dict[str, Any]) -> set[str]:
    """The columns that are others now, moments aside."""
    now = columns(row)
    return {name for name, value in before.items() if now[name] != value and not name.endswith(("_at", "_login"))}


def post(who: User, path: str, fields: dict[str, Any], *, without: tuple[str, ...] = ()) -> Any:
    """The form with all that it does not show."""
    browser = Client()
    browser.force_login(who)
    extra = {name: value for name, value in WANTED.items() if name not in without}
    return browser.post(path, extra | fields)


def test_a_profile_changes_no_more_than_it_shows(users: Users) -> None:
    before = columns(users.colleague)
    sent = {
        "first_name": "Lan",
        "last_name": "Ngo",
        "language": "vi",
        "time_zone": "Europe/Berlin",
        "email": "x@evil.example",
        "username": "admin",
    }
    assert post(users.colleague, "/profile/", sent).status_code == 303
    assert changed(users.colleague, before) <= {"first_name", "last_name", "language", "time_zone"}
    assert not users.colleague.groups.exists()


def test_a_workspaces_settings_change_no_more_than_they_show(users: Users) -> None:
    before = columns(users.workspace)
    assert (
        post(users.owner, "/w/sales/settings/", {"name": "New", "colour": "", "causes_in_notices": "on"}).status_code
        == 303
    )
    assert changed(users.workspace, before) == {"name"}


def test_a_members_role_is_all_that_changes(users: Users) -> None:
    row = Member.objects.get(user=users.colleague)
    before = columns(row)
    other = Member.objects.get(user=users.owner)
    other_before = columns(other)
    sent = {"role": "viewer", "member_id": str(other.pk)}
    assert post(users.owner, f"/w/sales/members/{row.pk}/role/", sent).status_code == 303
    assert changed(row, before) == {"role"}
    assert changed(other, other_before) == set()
    assert User.objects.get(pk=users.colleague.pk).is_superuser is False


@pytest.mark.parametrize("role", ["owner", "superuser", "MANAGER", "", "manager,viewer", "__proto__"])
def test_a_role_that_does_not_exist_is_given_to_nobody(users: Users, role: str) -> None:
    row = Member.objects.get(user=users.colleague)
    before = columns(row)
    post(users.owner, f"/w/sales/members/{row.pk}/role/", {"role": role})
    assert changed(row, before) == set()


def test_a_member_who_is_added_gets_the_role_and_nothing_else(users: Users) -> None:
    lan = person("lan")
    before = columns(lan)
    sent = {"who": "lan", "role": "viewer"}
    # The page adds a person or a team, and refuses both at once.
    assert post(users.owner, "/w/sales/members/add/", sent, without=("team",)).status_code == 303
    assert Member.objects.get(user=lan).role == Role.VIEWER
    assert Member.objects.get(user=lan).workspace == users.workspace
    assert changed(lan, before) == set()


def test_a_credential_is_renamed_and_nothing_else(users: Users) -> None:
    before = columns(users.credential)
    assert post(users.owner, f"/w/sales/credentials/{users.credential.pk}/rename/", {"name": "New"}).status_code == 303
    assert changed(users.credential, before) == {"name"}
    assert Credential.objects.get(pk=users.credential.pk).owner == users.owner


def test_a_credential_is_not_shared_with_a_team_that_is_not_offered(users: Users) -> None:
    foreign = Group.objects.create(name="Foreign")
    before = columns(users.credential)
    post(
        users.owner,
        f"/w/sales/credentials/{users.credential.pk}/share/",
        {"teams": [str(foreign.pk)], "owner": "1", "sure": "yes"},
    )
    assert changed(users.credential, before) == set()
    assert not CredentialShare.objects.exists()


def test_a_launch_right_gets_its_new_end_and_nothing_else(users: Users) -> None:
    right = LaunchRight.objects.create(
        workspace=users.workspace, flow_id="F" * 21, flow_name="Quick", user=users.colleague, most_launches=5
    )
    before = columns(right)
    sent = {"most_launches": "7", "until": "", "flow_id": "G" * 21, "who": "stranger", "launches": "0"}
    assert post(users.owner, f"/w/sales/launch-rights/{right.pk}/change/", sent).status_code == 303
    assert changed(right, before) == {"most_launches"}


def test_a_team_is_renamed_without_getting_an_owner(users: Users) -> None:
    team = Group.objects.create(name="Field")
    users.stranger.is_superuser = True
    users.stranger.save()
    post(
        users.stranger,
        f"/teams/{team.pk}/change/",
        {"name": "New", "description": "x", "owners": str(users.colleague.pk)},
    )
    assert not TeamOwner.objects.filter(team=team).exists()
    assert not team.user_set.exists()
    assert not team.permissions.exists()


def test_an_account_that_is_made_by_an_invitation_is_an_ordinary_one(users: Users) -> None:
    from tests.members.inviting import NEW, given

    _row, link = given(users)
    sent = {**WANTED, **NEW, "email": "boss@evil.example", "role": "manager"}
    assert Client().post(link, sent).status_code in {302, 303}
    lena = User.objects.get(username="lena")
    assert (lena.is_superuser, lena.is_staff, lena.is_active, lena.email) == (False, False, True, "lena@example.com")
    assert Member.objects.get(user=lena).role == Role.LAUNCHER
    assert not lena.groups.exists()


def test_a_credential_belongs_to_the_person_who_adds_it(users: Users, practice: Any) -> None:
    practice.engine.settings.version = "0.72.4"  # On 0.83 the token opens two projects, of which one is chosen first.
    sent = {
        "engine": "activepieces",
        "address": practice.activepieces,
        "secret": practice.credentials.bearer_token,
        "name": "Mine",
        "owner": str(users.owner.pk),
        "workspace": str(users.workspace.pk),
        "project_id": "P" * 21,
    }
    lan = person("lan")
    assert post(lan, "/credentials/add/", sent, without=("address", "secret")).status_code == 303
    made = Credential.objects.get(owner=lan)
    assert not made.shares.exists()
    assert made.workspace != users.workspace
    assert Workspace.objects.get(pk=made.workspace_id).project_id == practice.credentials.project_id

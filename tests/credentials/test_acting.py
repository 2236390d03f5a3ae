"""Which credential acts for a person in a workspace: one rule, shown on every page, and how a credential becomes a team's."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.users import Users, credential, gather, person, share, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.credentials.models import Credential, CredentialKind, Health
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]


@pytest.fixture
def here() -> Users:
    return gather(workspace("sales"), "a-secret-of-the-cast")


def of_team(here: Users, team: Group, name: str) -> Credential:
    row = credential(here.workspace, here.owner, f"secret-of-{name}", name=name)
    share(row, team)
    return row


def sales(here: Users, *people: User) -> Group:
    team = Group.objects.create(name="Sales")
    Member.objects.create(workspace=here.workspace, team=team, role=Role.LAUNCHER)
    for one in people:
        one.groups.add(team)
    return team


def acting(here: Users, user: User) -> str:
    found = access.acting(user, here.workspace)
    return f"{found.credential.name}, {'own' if found.own else 'team'}" if found else "none"


def change(row: Credential, **values: Any) -> None:
    Credential.objects.filter(pk=row.pk).update(**values)


def test_one_s_own_goes_before_a_team_s_whatever_the_state_of_both(here: Users) -> None:
    of_team(here, sales(here, here.colleague), "Team key")
    assert acting(here, here.colleague) == "Colleague's key, own"
    change(Credential.objects.get(owner=here.colleague), health=Health.REFUSED)
    assert acting(here, here.colleague) == "Colleague's key, own"
    Credential.objects.filter(owner=here.colleague).delete()
    assert acting(here, here.colleague) == "Team key, team"


def test_one_that_works_goes_before_a_newer_one_that_does_not(here: Users) -> None:
    newer = credential(here.workspace, here.owner, "newer-secret", name="Newer")
    assert acting(here, here.owner) == "Newer, own"
    change(newer, health=Health.REFUSED)
    assert acting(here, here.owner) == "My key, own"
    change(newer, health=Health.WORKS, ends_at=timezone.now() - timedelta(seconds=1))
    assert acting(here, here.owner) == "My key, own"
    change(newer, ends_at=timezone.now() + timedelta(days=1))
    assert acting(here, here.owner) == "Newer, own"


def test_an_api_key_goes_before_a_newer_token_that_the_engine_would_keep_with_its_runs(here: Users) -> None:
    change(here.credential, kind=CredentialKind.API_KEY)
    token = credential(here.workspace, here.owner, "newer-token", kind=CredentialKind.ACCESS_TOKEN, name="Token")
    assert acting(here, here.owner) == "My key, own"
    change(here.credential, health=Health.REFUSED)
    assert acting(here, here.owner) == "Token, own"
    change(token, kind=CredentialKind.SIGN_IN, health=Health.REFUSED)
    assert acting(here, here.owner) == "My key, own"


def test_an_engine_out_of_reach_makes_no_credential_ill(here: Users) -> None:
    newer = credential(here.workspace, here.owner, "newer-secret", name="Newer")
    change(newer, health=Health.UNREACHABLE)
    assert acting(here, here.owner) == "Newer, own"


def test_of_two_of_the_same_moment_it_is_always_the_same_one(here: Users) -> None:
    other = credential(here.workspace, here.owner, "other-secret", name="Other")
    Credential.objects.filter(owner=here.owner).update(created_at=timezone.now())
    larger = max(here.credential.pk, other.pk, key=lambda pk: pk.int)
    for _look in range(3):
        found = access.acting(here.owner, here.workspace)
        assert found is not None
        assert found.credential.pk == larger


def test_a_team_one_has_left_and_another_workspace_s_key_do_not_act(here: Users) -> None:
    ben = person("ben")
    team = sales(here, ben)
    of_team(here, team, "Team key")
    assert acting(here, ben) == "Team key, team"
    ben.groups.clear()
    assert acting(here, ben) == "none"
    credential(workspace("else", project="Q" * 21), ben, "elsewhere-secret")
    assert acting(here, ben) == "none"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_pages_say_whose_key_acts_and_why(here: Users) -> None:
    ben = person("ben")
    key = of_team(here, sales(here, ben), "Team key")
    for page in ("/w/sales/credentials/", f"/w/sales/credentials/{key.pk}/", "/w/sales/", "/?all"):
        shown = browser(ben).get(page).content.decode()
        assert "shared with the team Sales, which you are in" in shown, page
    assert "“My key”, your own credential" in browser(here.owner).get("/?all").content.decode()


# --- Sharing


def hand(user: User, row: Credential, *teams: Group) -> Any:
    return browser(user).post(
        f"/w/sales/credentials/{row.pk}/share/", {"teams": [team.pk for team in teams], "sure": "yes"}
    )


def shared_with(row: Credential) -> list[Group]:
    return sharing.teams(row)


def test_an_owner_shares_their_key_with_a_team_they_are_in_and_keeps_it(here: Users) -> None:
    ben = person("ben")
    team = sales(here, here.colleague, ben)
    row = Credential.objects.get(owner=here.colleague)
    assert "Sales" in browser(here.colleague).get(f"/w/sales/credentials/{row.pk}/share/").content.decode()
    assert hand(here.colleague, row, team).status_code == 303
    row.refresh_from_db()
    assert (row.owner, shared_with(row)) == (here.colleague, [team])
    assert acting(here, ben) == "Colleague's key, team"
    event = AuditEvent.objects.get(action="credential.share")
    assert (event.user, event.detail) == (here.colleague, {"before": [], "after": ["Sales"]})
    assert hand(here.colleague, row).status_code == 303
    assert shared_with(row) == []
    assert acting(here, ben) == "none"


def test_a_manager_without_a_team_to_share_with_is_led_to_adding_one(here: Users) -> None:
    row = Credential.objects.get(owner=here.colleague)
    adding = 'href="/w/sales/members/add/"'
    page = f"/w/sales/credentials/{row.pk}/share/"
    assert adding not in browser(here.colleague).get(page).content.decode()
    Member.objects.filter(user=here.colleague).update(role=Role.MANAGER)
    assert adding in browser(here.colleague).get(page).content.decode()


def test_an_owner_of_the_team_need_not_be_in_it(here: Users) -> None:
    team = sales(here)
    TeamOwner.objects.create(team=team, user=here.colleague)
    row = Credential.objects.get(owner=here.colleague)
    assert hand(here.colleague, row, team).status_code == 303
    assert shared_with(row) == [team]


def test_a_team_one_has_nothing_to_do_with_or_outside_the_workspace_is_no_choice(here: Users) -> None:
    theirs = sales(here)
    outside = Group.objects.create(name="Outside")
    here.colleague.groups.add(outside)
    row = Credential.objects.get(owner=here.colleague)
    for team in (theirs, outside):
        assert hand(here.colleague, row, team).status_code == 422
    assert shared_with(row) == []


def test_a_team_that_has_a_launch_right_here_and_no_role_can_be_given_a_key(here: Users) -> None:
    guests = Group.objects.create(name="Guests")
    right = LaunchRight.objects.create(workspace=here.workspace, flow_id="f" * 21, team=guests)
    ben = person("ben")
    ben.groups.add(guests)
    row = Credential.objects.get(owner=here.owner)
    assert "Guests" in browser(here.owner).get(f"/w/sales/credentials/{row.pk}/share/").content.decode()
    assert hand(here.owner, row, guests).status_code == 303
    assert acting(here, ben) == "My key, team"
    # Not for a right that has ended, nor for one elsewhere.
    LaunchRight.objects.filter(pk=right.pk).update(revoked_at=timezone.now())
    elsewhere = workspace("else", project="Q" * 21)
    others = Group.objects.create(name="Others")
    LaunchRight.objects.create(workspace=elsewhere, flow_id="f" * 21, team=others)
    second = credential(here.workspace, here.owner, "a-second-secret", name="Second")
    for team in (guests, others):
        assert hand(here.owner, second, team).status_code == 422


def test_somebody_else_s_key_is_shared_by_managers_only(here: Users) -> None:
    team, other = sales(here, here.colleague), Group.objects.create(name="Support")
    Member.objects.create(workspace=here.workspace, team=other, role=Role.LAUNCHER)
    here.colleague.groups.add(other)
    row = of_team(here, team, "Team key")
    assert hand(here.colleague, row, other).status_code == 404
    assert hand(here.owner, row, team, other).status_code == 303
    assert shared_with(row) == [team]
    assert [one.team for one in sharing.waiting(credential=row)] == [other]


def test_somebody_else_s_key_is_not_there(here: Users) -> None:
    team = sales(here, here.colleague)
    assert hand(here.colleague, here.credential, team).status_code == 404
    assert hand(here.stranger, here.credential, team).status_code == 404


def test_a_credential_that_is_shared_with_large_teams_is_read_once_for_each_share(here: Users) -> None:
    team = sales(here, here.colleague, *(person(f"p{number}") for number in range(20)))
    sharing.write(here.credential, team, here.owner)
    for user, words in ((here.owner, "My key, own"), (User.objects.get(username="p1"), "My key, team")):
        with CaptureQueriesContext(connection) as asked:
            assert acting(here, user) == words
        with connection.cursor() as cursor:
            cursor.execute(asked[0]["sql"])
            assert len(cursor.fetchall()) == 1

"""Members: let in, changed, removed; and a workspace is never left without a manager."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group
from django.db import connections

from tests.users import Users, credential, gather, person, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.members.forms import AddPeopleForm
from workflows_ui.members.models import AccessRequest, Member, Role
from workflows_ui.members.services import access, members

pytestmark = pytest.mark.both_databases


@pytest.fixture
def users(db: None) -> Users:
    return gather(workspace("sales"), "sk-secret")


def acting(users: Users) -> Actor:
    return Actor(user=users.owner, address="192.0.2.7", request_id="r1")


def asked(users: Users) -> AccessRequest:
    credential(users.workspace, users.stranger, "sk-stranger", name="Stranger's key")
    return members.ask(Actor(user=users.stranger), users.workspace, users.stranger)


def membership(users: Users, name: str) -> Member:
    return Member.objects.get(workspace=users.workspace, user__username=name)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_a_granted_request_makes_a_member_with_the_chosen_role(users: Users) -> None:
    request = asked(users)
    members.grant(acting(users), request, Role.BUILDER)
    assert access.access_for(users.stranger, "sales").role is Role.BUILDER
    request.refresh_from_db()
    assert (request.granted, request.decided_by) == (True, users.owner)
    assert actions() == ["access_request.ask", "access_request.grant"]


def test_a_refused_request_lets_nobody_in_and_destroys_the_secret_that_came_with_it(users: Users) -> None:
    members.refuse(acting(users), asked(users))
    with pytest.raises(access.NoAccess):
        access.access_for(users.stranger, "sales")
    assert not Credential.objects.filter(owner=users.stranger).exists()
    assert AuditEvent.objects.get(action="access_request.refuse").detail == {"credentials_destroyed": 1}


def test_a_request_is_decided_once(users: Users) -> None:
    request = asked(users)
    members.grant(acting(users), request, Role.VIEWER)
    for decide in (members.refuse, members.withdraw):
        assert decide(acting(users), request) is False
    assert members.grant(acting(users), request, Role.MANAGER) is None
    assert access.access_for(users.stranger, "sales").role is Role.VIEWER
    assert Credential.objects.filter(owner=users.stranger).exists()


def test_who_takes_a_request_back_may_ask_again(users: Users) -> None:
    members.withdraw(Actor(user=users.stranger), asked(users))
    assert not Credential.objects.filter(owner=users.stranger).exists()
    asked(users)
    assert AccessRequest.objects.filter(decided_at=None).count() == 1


@pytest.mark.parametrize("who", ["stranger", "STRANGER", "stranger@example.com", " Stranger@Example.com "])
def test_a_person_is_added_by_user_name_or_e_mail_address(users: Users, who: str) -> None:
    form = AddPeopleForm({"who": who, "role": Role.LAUNCHER}, invites_to="sales")
    assert form.is_valid()
    members.add(acting(users), users.workspace, form.cleaned_data["who"], form.cleaned_data["role"])
    assert access.access_for(users.stranger, "sales").role is Role.LAUNCHER
    assert actions() == ["member.add"]


def test_adding_somebody_settles_their_open_request(users: Users) -> None:
    request = asked(users)
    members.add(acting(users), users.workspace, users.stranger, Role.LAUNCHER)
    request.refresh_from_db()
    assert request.granted is True


@pytest.mark.parametrize("who", ["", "nobody", "nobody@example.com", "gone", "twin@example.com"])
def test_nobody_is_added_where_no_single_active_account_fits(users: Users, who: str) -> None:
    gone = person("gone")
    gone.is_active = False
    gone.save()
    for name in ("twin1", "twin2"):
        twin = person(name)
        twin.email = "twin@example.com"
        twin.save()
    assert not AddPeopleForm({"who": who, "role": Role.VIEWER}, invites_to="sales").is_valid()


def test_a_member_is_not_added_twice(users: Users) -> None:
    with pytest.raises(members.AlreadyMember):
        members.add(acting(users), users.workspace, users.colleague, Role.MANAGER)
    assert membership(users, "colleague").role == Role.LAUNCHER


def test_a_changed_role_is_recorded_with_before_and_after(users: Users) -> None:
    members.change_role(acting(users), membership(users, "colleague"), Role.VIEWER)
    event = AuditEvent.objects.get()
    assert (event.action, event.object_name, event.detail) == (
        "member.change_role",
        "colleague",
        {"before": "launcher", "after": "viewer"},
    )
    members.change_role(acting(users), membership(users, "colleague"), Role.VIEWER)
    assert AuditEvent.objects.count() == 1


def test_a_removed_member_has_no_access_and_no_secret_left(users: Users) -> None:
    assert members.remove(acting(users), membership(users, "colleague")) == 1
    with pytest.raises(access.NoAccess):
        access.access_for(users.colleague, "sales")
    assert not Credential.objects.filter(owner=users.colleague).exists()
    assert actions() == ["member.remove"]


@pytest.mark.parametrize(
    "change",
    [lambda actor, row: members.remove(actor, row), lambda actor, row: members.change_role(actor, row, Role.BUILDER)],
)
def test_the_last_manager_stays(users: Users, change: Callable[[Actor, Member], object]) -> None:
    with pytest.raises(members.LeavesNoManager):
        change(acting(users), membership(users, "owner"))
    assert access.access_for(users.owner, "sales").role is Role.MANAGER
    assert Credential.objects.filter(owner=users.owner).exists()
    assert actions() == []


def test_an_account_that_is_switched_off_does_not_count_as_manager(users: Users) -> None:
    members.change_role(acting(users), membership(users, "colleague"), Role.MANAGER)
    users.colleague.is_active = False
    users.colleague.save()
    with pytest.raises(members.LeavesNoManager):
        members.remove(acting(users), membership(users, "owner"))


def test_a_team_with_people_in_it_counts_as_manager_and_an_empty_one_does_not(users: Users) -> None:
    team = Group.objects.create(name="Sales leads")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.MANAGER)
    with pytest.raises(members.LeavesNoManager):
        members.remove(acting(users), membership(users, "owner"))
    users.stranger.groups.add(team)
    members.remove(acting(users), membership(users, "owner"))
    assert list(members.managers(users.workspace)) == [users.stranger]


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_leave_at_once_do_not_both_go() -> None:
    users = gather(workspace("sales"), "sk-secret")
    members.change_role(acting(users), membership(users, "colleague"), Role.MANAGER)
    rows = [membership(users, "owner"), membership(users, "colleague")]
    together = threading.Barrier(2)

    def leave(row: Member) -> bool:
        together.wait(10)
        try:
            members.remove(Actor(user=row.user), row)
        except members.LeavesNoManager:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, rows)) == [False, True]
    assert members.managers(users.workspace).count() == 1

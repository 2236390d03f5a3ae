"""An object's history on its page: builders see all of it, others what they did themselves; on pages of declared resources too."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from tests.stub_engine import StubEngine, flow, identity, text
from tests.users import Users
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE, Actor
from workflows_ui.core import clock
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches
from workflows_ui.members.models import Member, Role

pytestmark = pytest.mark.both_databases

PAGE = f"/w/sales/flows/{identity(1)}/?tab=history"


def _did(users: Users, *, user: object, name: str) -> None:
    audit_log.record(
        Actor(user),  # type: ignore[arg-type]
        "flows.rename",
        workspace=users.workspace,
        object_type="flows",
        object_id=identity(1),
        object_name=name,
        reason=f"because of {name}",
    )


def _page(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return text(answer.content)


@pytest.mark.parametrize("role", [Role.BUILDER, Role.MANAGER])
def test_builders_see_who_did_what_to_a_flow(users: Users, stub_engine: StubEngine, client: Client, role: Role) -> None:
    stub_engine.flows = [flow()]
    _did(users, user=users.owner, name="first")
    Member.objects.filter(user=users.colleague).update(role=role)
    client.force_login(users.colleague)
    page = _page(client)
    assert "Flow: Rename" in page
    assert "because of first" in page
    assert ("Show all in the audit log" in page) is (role == Role.MANAGER)
    assert (f"/w/sales/audit/?kind=flows&amp;id={identity(1)}" in page) is (role == Role.MANAGER)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.LAUNCHER])
def test_others_see_what_they_did_themselves(users: Users, stub_engine: StubEngine, client: Client, role: Role) -> None:
    stub_engine.flows = [flow()]
    _did(users, user=users.owner, name="first")
    Member.objects.filter(user=users.colleague).update(role=role)
    client.force_login(users.colleague)
    assert 'id="history"' not in _page(client)
    _did(users, user=users.colleague, name="second")
    page = _page(client)
    assert "What you did with it" in page
    assert "because of second" in page
    assert "because of first" not in page


def test_only_the_newest_are_shown_and_none_of_another_object(
    users: Users, stub_engine: StubEngine, owner: Client
) -> None:
    stub_engine.flows = [flow()]
    for number in range(25):
        _did(users, user=users.owner, name=f"deed-{number:02}.")
    audit_log.record(
        CONSOLE, "flows.rename", workspace=users.workspace, object_type="flows", object_id=identity(2), reason="another"
    )
    page = _page(owner)
    assert "deed-24." in page
    assert "deed-05." in page
    assert "deed-04." not in page
    assert "another" not in page


def test_an_object_to_which_nothing_was_done_says_so(users: Users, stub_engine: StubEngine, owner: Client) -> None:
    stub_engine.flows = [flow()]
    assert "Nothing has been done here yet." in _page(owner)


def test_a_launchers_own_launch_shows_all_that_happened_to_it(users: Users, client: Client) -> None:
    launch = Launch.objects.create(
        workspace=users.workspace,
        user=users.colleague,
        ticket="t" * 20,
        flow_id=identity(1),
        flow_name="Mail",
        payload_digest="d",
        asked_at=clock.now(),
        not_before=clock.now(),
        send_by=clock.now(),
        state="running",
    )
    assert launches.end(launch, State.FAILED, "", clock.now(), rows=Launch.objects.all())
    client.force_login(users.colleague)
    page = _page(client, f"/w/sales/launches/{launch.pk}/?tab=history")
    assert "A launch ended" in page
    assert "The console" in page
    # How it came out, not that its end was noticed.
    history = page.partition('id="history"')[2]
    assert "status-red" in history
    assert "Done" not in history


def test_the_pages_of_teams_and_people_show_what_was_done_to_them(users: Users, client: Client) -> None:
    team = Group.objects.create(name="Sales")
    audit_log.record(Actor(users.owner), "team.create", object_type="team", object_id=str(team.pk), object_name="Sales")
    audit_log.record(CONSOLE, "person.sign_out", object_type="person", object_id=str(users.colleague.pk))
    team.user_set.add(users.colleague)
    client.force_login(users.colleague)
    assert 'id="history"' not in _page(client, reverse("team", args=[team.pk]))
    users.owner.is_superuser = True
    users.owner.save()
    client.force_login(users.owner)
    for address, words in (
        (reverse("team", args=[team.pk]), "Created a team"),
        (reverse("person", args=[users.colleague.pk]), "Signed out"),
    ):
        page = _page(client, address)
        assert words in page
        assert "/audit/?kind=" in page

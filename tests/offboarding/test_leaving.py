"""People as superusers see them, and the deactivation of an account: sessions, keys, rights, and what is handed over."""

import unicodedata
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.launches.launch_scene import Scene
from tests.users import browser, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launches.models import Launch, Reason, State
from workflows_ui.launches.services import sending
from workflows_ui.members.models import AccessRequest, ColleagueInvitation, LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access, invitations, members
from workflows_ui.offboarding import services as deactivation

pytestmark = pytest.mark.both_databases


def text(response: Any) -> str:
    return str(response.content.decode())


def off(keeper: User, who: User, successor: str = "") -> Any:
    return browser(keeper).post(
        reverse("person_deactivate", args=[who.pk]), {"successor": successor, "sure": "yes"}, follow=True
    )


def test_the_list_finds_people_by_a_part_of_name_user_name_or_address(scene: Scene, keeper: User) -> None:
    User.objects.filter(pk=scene.users.stranger.pk).update(first_name="Ánh", last_name="Nguyễn", is_active=False)
    client = browser(keeper)
    everybody = text(client.get("/people/"))
    assert all(name in everybody for name in ("owner", "colleague", "Ánh Nguyễn", "keeper"))
    for asked in ("nguyễn", unicodedata.normalize("NFD", "Ánh"), "stranger", "stranger@exa"):
        page = text(client.get("/people/", {"search": asked}))
        assert "Ánh Nguyễn" in page
        assert "colleague@" not in page
    assert "colleague@" not in text(client.get("/people/", {"account": "off"}))
    assert "No results for these filters" in text(client.get("/people/", {"search": "zzz"}))
    file = str(b"".join(client.get("/people/file/csv/", {"search": "nguyễn"})).decode())
    assert "Ánh Nguyễn" in file
    assert "colleague@" not in file
    assert AuditEvent.objects.get(action="people.export").detail["filters"] == "search=nguy%E1%BB%85n"


def test_a_long_list_is_paged_and_odd_pages_are_the_first(scene: Scene, keeper: User) -> None:
    User.objects.bulk_create([User(username=f"a{number:03}") for number in range(60)])
    client = browser(keeper)
    first, second = text(client.get("/people/")), text(client.get("/people/", {"at": "50"}))
    assert "a000" in first
    assert "a059" not in first
    assert "a059" in second
    for odd in ("0", "-1", "x", "9" * 30):
        assert "a000" in text(client.get("/people/", {"at": odd}))


def test_a_persons_page_names_workspaces_teams_and_launches(scene: Scene, keeper: User) -> None:
    team = Group.objects.create(name="Field")
    scene.users.colleague.groups.add(team)
    scene.row(flow_name="Order intake")
    page = text(browser(keeper).get(reverse("person", args=[scene.users.colleague.pk])))
    for words in ("Sales", "Launcher", "Field", "Order intake", "colleague@example.com"):
        assert words in page


def test_the_question_names_what_will_happen(scene: Scene, keeper: User) -> None:
    colleague = scene.users.colleague
    LaunchRight.objects.create(
        workspace=scene.users.workspace, flow_id="F" * 21, flow_name="Order intake", user=colleague
    )
    scene.row(state=State.QUEUED)
    scene.row(state=State.RUNNING, poll_at=timezone.now())
    page = text(browser(keeper).get(reverse("person_deactivate", args=[colleague.pk])))
    for words in ("Colleague&#x27;s key", "Order intake", "1 of their launches is running", "1 launch is not sent yet"):
        assert words in page
    assert "What is handed over" not in page
    assert User.objects.get(pk=colleague.pk).is_active


def test_deactivated_they_are_signed_out_with_the_next_click_everywhere(scene: Scene, keeper: User) -> None:
    first, second = browser(scene.users.colleague), browser(scene.users.colleague)
    assert first.get("/w/sales/launches/").status_code == 200
    page = off(keeper, scene.users.colleague)
    assert "is deactivated, and signed out everywhere" in text(page)
    for client in (first, second):
        answer = client.get("/w/sales/launches/")
        assert answer["Location"].startswith("/accounts/login/")
    sign_in = Client().post("/accounts/login/", {"login": "colleague", "password": "correct horse battery"})
    assert not sign_in.wsgi_request.user.is_authenticated
    with pytest.raises(access.NoAccess):
        access.access_for(User.objects.get(pk=scene.users.colleague.pk), "sales")


def test_reactivated_the_sessions_from_before_stay_ended(scene: Scene, keeper: User) -> None:
    client = browser(scene.users.colleague)
    off(keeper, scene.users.colleague)
    page = browser(keeper).post(
        reverse("person_reactivate", args=[scene.users.colleague.pk]), {"sure": "yes"}, follow=True
    )
    assert "is reactivated" in text(page)
    assert client.get("/w/sales/launches/").status_code == 303
    again = Client()
    again.post("/accounts/login/", {"login": "colleague", "password": "correct horse battery"})
    assert again.get("/w/sales/launches/").status_code == 200
    assert not Credential.objects.filter(owner=scene.users.colleague).exists()
    actions = AuditEvent.objects.filter(object_type="person").order_by("pk").values_list("action", flat=True)
    assert [one for one in actions if "activate" in one] == ["person.deactivate", "person.reactivate"]


def test_keys_rights_invitations_and_requests_end_and_launches_stay(scene: Scene, keeper: User) -> None:
    colleague, space = scene.users.colleague, scene.users.workspace
    members.change_role(Actor(scene.users.owner), Member.objects.get(user=colleague, workspace=space), Role.MANAGER)
    right = LaunchRight.objects.create(workspace=space, flow_id="F" * 21, user=colleague)
    invitation, _tokens = invitations.invite(
        Actor(colleague), space, email="a@example.com", role=Role.VIEWER, given=[], days=7
    )
    elsewhere = workspace("hr", project="Q" * 21)
    AccessRequest.objects.create(workspace=elsewhere, user=colleague)
    waiting = scene.row(state=State.QUEUED)
    off(keeper, colleague)
    right.refresh_from_db()
    assert right.revoked_at is not None
    assert ColleagueInvitation.objects.get(pk=invitation.pk).revoked_at is not None
    assert AccessRequest.objects.get().granted is False
    assert not Credential.objects.filter(owner=colleague).exists()
    sending.send(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == (State.NOT_SENT, Reason.NO_ACCESS)
    assert Launch.objects.get(user=colleague).pk == waiting.pk
    page = text(browser(scene.users.owner).get(f"/w/sales/launches/{waiting.pk}/"))
    assert "colleague" in page


def test_what_colleagues_need_is_handed_over_to_the_named_one(scene: Scene, keeper: User) -> None:
    owner, colleague, space = scene.users.owner, scene.users.colleague, scene.users.workspace
    team = Group.objects.create(name="Field")
    TeamOwner.objects.create(team=team, user=owner)
    for who in (owner, colleague):
        SavedInputs.objects.create(
            workspace=space, flow_id="F" * 21, owner=who, shared=True, name="Monday", updated_at=timezone.now()
        )
    page = text(browser(keeper).get(reverse("person_deactivate", args=[owner.pk])))
    assert all(words in page for words in ("No one else manages", "Sales", "Field", "Monday"))
    refused = browser(keeper).post(reverse("person_deactivate", args=[owner.pk]), {"successor": "", "sure": "yes"})
    assert refused.status_code == 422
    assert User.objects.get(pk=owner.pk).is_active
    off(keeper, owner, "colleague")
    assert access.access_for(colleague, "sales").role is Role.MANAGER
    assert TeamOwner.objects.filter(team=team, user=colleague).exists()
    names = SavedInputs.objects.filter(owner=colleague).order_by("pk").values_list("name", flat=True)
    assert sorted(names) == ["Monday", "Monday (2)"]
    assert AuditEvent.objects.get(action="member.hand_over").object_name == "colleague"


@pytest.mark.parametrize("successor", ["nobody", "owner"])
def test_a_successor_must_be_somebody_else_who_is_there(scene: Scene, keeper: User, successor: str) -> None:
    answer = browser(keeper).post(
        reverse("person_deactivate", args=[scene.users.owner.pk]), {"successor": successor, "sure": "yes"}
    )
    assert answer.status_code == 422
    assert "Name someone else" in text(answer)
    assert User.objects.get(pk=scene.users.owner.pk).is_active


def test_nobody_deactivates_themselves_or_the_last_administrator(scene: Scene, keeper: User) -> None:
    for page in (browser(keeper).get(reverse("person_deactivate", args=[keeper.pk]), follow=True), off(keeper, keeper)):
        assert page.redirect_chain[-1][0] == reverse("person", args=[keeper.pk])
        assert "You cannot deactivate your own account. Ask another administrator." in text(page)
    with pytest.raises(deactivation.LastSuperuser):
        deactivation.deactivate(Actor(user=None), keeper, None)
    assert User.objects.get(pk=keeper.pk).is_active


def test_a_superuser_signs_somebody_out_everywhere(scene: Scene, keeper: User) -> None:
    client = browser(scene.users.colleague)
    browser(keeper).post(reverse("person_end_sessions", args=[scene.users.colleague.pk]), {"sure": "yes"})
    assert client.get("/w/sales/launches/").status_code == 303
    fresh = browser(User.objects.get(pk=scene.users.colleague.pk))
    assert fresh.get("/w/sales/launches/").status_code == 200


def test_a_removed_members_own_launch_rights_are_named_and_withdrawn(scene: Scene) -> None:
    colleague, space = scene.users.colleague, scene.users.workspace
    LaunchRight.objects.create(workspace=space, flow_id="F" * 21, flow_name="Order intake", user=colleague)
    row = Member.objects.get(workspace=space, user=colleague)
    client, address = browser(scene.users.owner), reverse("member_remove", args=["sales", row.pk])
    assert "Order intake" in text(client.get(address))
    client.post(address, {"sure": "yes"})
    assert LaunchRight.objects.get().revoked_at is not None
    assert browser(colleague).get("/w/sales/").status_code == 404

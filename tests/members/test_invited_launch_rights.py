"""A launch right for somebody without an account: it comes with an invitation, and is nobody's until that is accepted."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.launches.launch_scene import form_of, text_of, unescape
from tests.members.guests import Guests
from tests.members.inviting import NEW, link_of, mailed_link, no_mail
from tests.users import browser, credential, gather, person, share, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import sending
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role
from workflows_ui.members.services import access, invitations, launch_rights
from workflows_ui.notifications import messages as notification_messages
from workflows_ui.notifications.models import Notice

pytestmark = pytest.mark.both_databases

__all__ = ["no_mail"]


def give(guests: Guests, email: str = "lena@example.com", **fields: str) -> Any:
    """The owner fills in the page of the flow's rights; the page that follows."""
    manager = guests.scene.sign_in(guests.scene.users.owner)
    sent = {"who": email, "team": str(guests.team.pk)} | fields
    return manager.post(reverse("flow_launch_rights", args=["sales", guests.flow]), sent, follow=True)


def words(answer: Any) -> str:
    return unescape(text_of(answer))


def given(guests: Guests, **fields: str) -> tuple[LaunchRight, str]:
    """A right of Lena, who has no account, and the path of her link."""
    link = link_of(text_of(give(guests, **fields)))
    return LaunchRight.objects.order_by("-pk")[0], link


def test_an_invited_person_joins_and_launches_this_flow_and_nothing_else(guests: Guests, no_mail: None) -> None:
    page = words(give(guests, most_launches="3"))
    assert "guest who can launch “Quick”" in page
    assert "0 of 3 launches used" in page
    right = LaunchRight.objects.get()
    assert right.invitation is not None
    assert (right.user, right.team, right.invitation.role) == (None, None, "")
    assert list(right.invitation.teams.all()) == [guests.team]
    lena = Client()
    assert "guest who can launch “Quick”" in words(lena.get(link_of(page)))
    lena.post(link_of(page), NEW)
    right = LaunchRight.objects.get()
    assert right.invitation is None
    assert right.user == User.objects.get(username="lena")
    url = guests.scene.url(guests.flow)
    fields = form_of(lena.get(url)) | {"payload": "{}", "_how": "start", "confirmed": "yes"}
    assert lena.post(url, fields).status_code == 303
    launch = Launch.objects.get()
    sending.send(launch.pk)
    launch.refresh_from_db()
    right.refresh_from_db()
    assert (launch.right, right.used) == (right, 1)
    assert launch.credential == Credential.objects.get(name="Field's key")
    assert lena.get(guests.scene.url(guests.other)).status_code == 404
    for path in ("flows/", "runs/", "members/", "launch-rights/"):
        assert lena.get(f"/w/sales/{path}").status_code == 403
    assert not Member.objects.filter(user=right.user).exists()


def test_each_step_is_audited_and_the_person_is_notified_as_by_any_right(guests: Guests) -> None:
    right, _link = given(guests)
    Client().post(mailed_link(), NEW)
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert [action for action in actions if action.startswith(("invitation", "launch_right"))] == [
        "invitation.create",
        "launch_right.give",
        "launch_right.accept",
        "invitation.accept",
    ]
    events = {event.action: event for event in AuditEvent.objects.filter(object_type="launch_right")}
    assert {event.object_id for event in events.values()} == {str(right.pk)}
    before, after = events["launch_right.give"].detail, events["launch_right.accept"].detail
    assert (before["holder"], before["holder_kind"]) == ("lena@example.com", "invited")
    assert (after["holder"], after["holder_kind"]) == ("Lena Ngo", "person")
    news = Notice.objects.get(user__username="lena")
    assert news.url == guests.scene.url(guests.flow)
    assert notification_messages.notification_message(news).title == "You can launch Quick"


def test_nobody_has_a_right_that_waits_for_its_invitation(guests: Guests) -> None:
    right, _link = given(guests)
    users = guests.scene.users
    assert guests.browser.get("/w/sales/").status_code == 404
    assert guests.browser.get(guests.scene.url(guests.flow)).status_code == 404
    for nobody in (guests.gail, users.stranger):
        assert not launch_rights.active_rights(nobody, users.workspace).exists()
        assert not launch_rights.still_holds(nobody, right)
        assert users.workspace not in access.workspaces(nobody)


def test_the_lists_of_rights_name_the_invited_address(guests: Guests) -> None:
    right, _link = given(guests)
    assert right.invitation is not None
    manager = guests.scene.sign_in(guests.scene.users.owner)
    pages = "/w/sales/launch-rights/", reverse("flow_launch_rights", args=["sales", guests.flow])
    for page in pages:
        shown = words(manager.get(page))
        assert "lena@example.com" in shown
        assert "(invited)" in shown
        assert reverse("invitation", args=["sales", right.invitation.pk]) in shown
        assert "no credential here" not in shown
    assert "Invited" in words(manager.get(pages[0]))
    assert "lena@example.com (invited)" in manager.get("/w/sales/launch-rights/file/csv/").getvalue().decode()
    sharing.genuine(team=guests.team)[0].delete()
    for page in pages:
        assert "The team that they join has no credential here." in words(manager.get(page))
    ColleagueInvitation.objects.update(expires_at=timezone.now())
    assert "The link of their invitation has expired." in words(manager.get(pages[0]))
    assert manager.get(f"{pages[0]}?sort=holder").status_code == 200


def test_an_account_with_another_address_gets_nothing_until_a_manager_confirms(guests: Guests) -> None:
    right, link = given(guests)
    stranger = guests.scene.users.stranger
    client = browser(stranger)
    assert "for another address" in words(client.get(link))
    client.post(link)
    assert LaunchRight.objects.get().user is None
    assert client.get("/w/sales/").status_code == 404
    asked = invitations.undecided_requests(ColleagueInvitation.objects.all())[0]
    manager = guests.scene.sign_in(guests.scene.users.owner)
    decide = reverse("invitation_decide", args=["sales", right.invitation_id])
    manager.post(decide, {"request": str(asked.pk), "decision": "confirm"})
    assert LaunchRight.objects.get().user == stranger
    assert AuditEvent.objects.get(action="launch_right.accept").user == guests.scene.users.owner
    assert client.get(guests.scene.url(guests.flow)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"team": ""}, "To invite them, choose the team that they join"),
        ({"who": "lena", "team": ""}, "To invite someone, enter their email address."),
        ({"until": "2020-01-01T10:00"}, "That time has passed."),
    ],
)
def test_what_an_invitation_lacks_is_said_at_its_field(guests: Guests, fields: dict[str, str], sentence: str) -> None:
    manager = guests.scene.sign_in(guests.scene.users.owner)
    sent = {"who": "lena@example.com", "team": str(guests.team.pk)} | fields
    answer = manager.post(reverse("flow_launch_rights", args=["sales", guests.flow]), sent)
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert not LaunchRight.objects.exists()
    assert not ColleagueInvitation.objects.exists()


def test_a_team_without_a_credential_gets_one_or_is_refused(guests: Guests) -> None:
    users, night = guests.scene.users, Group.objects.create(name="Night")
    Member.objects.create(workspace=users.workspace, team=night, role=Role.VIEWER)
    refused = give(guests, team=str(night.pk))
    assert refused.status_code == 422
    assert "This team uses no credential here" in words(refused)
    keys = Credential.objects.get(name="Field's key")
    assert "can agree that another team uses it" in words(give(guests, team=str(night.pk), credential=str(keys.pk)))
    assert not ColleagueInvitation.objects.exists()
    give(guests, team=str(night.pk), credential=str(users.credential.pk))
    assert LaunchRight.objects.get().invitation is not None
    assert sharing.teams(users.credential) == [night]


def test_nobody_is_invited_into_a_team_that_opens_what_the_giver_does_not_manage(guests: Guests) -> None:
    elsewhere = workspace("hr", project="Q" * 21)
    Member.objects.create(workspace=elsewhere, team=guests.team, role=Role.VIEWER)
    assert "You may not add people to this team." in words(give(guests))
    other = Group.objects.create(name="Salaries")
    share(credential(elsewhere, person("hr-owner"), "a-secret-of-hr", name="HR's key"), other)
    assert "You may not add people to this team." in words(give(guests, team=str(other.pk)))
    assert not ColleagueInvitation.objects.exists()


def test_a_revoked_invitation_takes_its_right_along(guests: Guests) -> None:
    right, link = given(guests)
    manager = guests.scene.sign_in(guests.scene.users.owner)
    manager.post(reverse("invitation_revoke", args=["sales", right.invitation_id]), {"sure": "yes"})
    right.refresh_from_db()
    assert right.revoked_at is not None
    assert Client().post(link, NEW).status_code == 410
    assert not User.objects.filter(username="lena").exists()
    assert AuditEvent.objects.get(action="launch_right.revoke").detail["holder_kind"] == "invited"


def test_a_new_link_keeps_the_right(guests: Guests, no_mail: None) -> None:
    right, old = given(guests)
    manager = guests.scene.sign_in(guests.scene.users.owner)
    renew = reverse("invitation_renew", args=["sales", right.invitation_id])
    link = link_of(text_of(manager.post(renew, {"days": "7"}, follow=True)))
    assert Client().post(old, NEW).status_code == 404
    Client().post(link, NEW)
    right.refresh_from_db()
    assert right.user == User.objects.get(username="lena")


def test_a_revoked_right_takes_the_invitation_along_that_gives_nothing_else(guests: Guests) -> None:
    right, link = given(guests)
    manager = guests.scene.sign_in(guests.scene.users.owner)
    address = reverse("launch_right_revoke", args=["sales", right.pk])
    assert "it is revoked as well" in words(manager.get(address))
    assert "The right of lena@example.com is revoked" in words(manager.post(address, {"sure": "yes"}, follow=True))
    assert Client().post(link, NEW).status_code == 410
    # An invitation with a role stays.
    right, _link = given(guests)
    ColleagueInvitation.objects.filter(revoked_at=None).update(role=Role.VIEWER)
    manager.post(reverse("launch_right_revoke", args=["sales", right.pk]), {"sure": "yes"})
    assert ColleagueInvitation.objects.filter(revoked_at=None).exists()


def test_a_second_invitation_takes_the_right_of_the_first_along_with_its_team(guests: Guests, no_mail: None) -> None:
    first, old = given(guests)
    users, night = guests.scene.users, Group.objects.create(name="Night")
    Member.objects.create(workspace=users.workspace, team=night, role=Role.VIEWER)
    manager = guests.scene.sign_in(users.owner)
    sent = {"who": "lena@example.com", "team": str(night.pk), "credential": str(users.credential.pk)}
    answer = manager.post(reverse("flow_launch_rights", args=["sales", guests.other]), sent, follow=True)
    link = link_of(text_of(answer))
    assert "“Quick”, “Hidden”" in words(answer)
    assert Client().post(old, NEW).status_code == 410
    lena = Client()
    lena.post(link, NEW)
    user = User.objects.get(username="lena")
    assert {right.user for right in LaunchRight.objects.all()} == {user}
    assert set(user.groups.all()) == {guests.team, night}
    first.refresh_from_db()
    assert (first.revoked_at, first.flow_id) == (None, guests.flow)
    assert lena.get(guests.scene.url(guests.flow)).status_code == 200


def test_the_limits_of_a_waiting_right_can_be_changed(guests: Guests) -> None:
    right, _link = given(guests)
    manager = guests.scene.sign_in(guests.scene.users.owner)
    address = reverse("launch_right_change", args=["sales", right.pk])
    assert "The right of lena@example.com" in words(manager.get(address))
    manager.post(address, {"until": "", "most_launches": "5"})
    right.refresh_from_db()
    assert right.most_launches == 5


def test_a_right_that_ended_before_somebody_joined_is_theirs_and_opens_nothing(guests: Guests) -> None:
    right, _link = given(guests, most_launches="1")
    LaunchRight.objects.update(until=timezone.now())
    Client().post(mailed_link(), NEW)
    right.refresh_from_db()
    assert right.user is not None
    assert not Notice.objects.filter(user=right.user).exists()
    assert not launch_rights.active_rights(right.user, right.workspace).exists()


def test_the_mail_names_the_flow(guests: Guests, mailoutbox: list[Any]) -> None:
    given(guests)
    assert "as: guest who can launch “Quick”" in str(mailoutbox[-1].body)


def test_a_right_has_exactly_one_holder(guests: Guests) -> None:
    right, _link = given(guests)
    for holder in ({"user": guests.gail}, {"team": guests.team}, {"invitation": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LaunchRight.objects.filter(pk=right.pk).update(**holder)


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_accept_at_once_one_gets_the_right() -> None:
    users = gather(workspace("sales"), "sk-secret")
    team = Group.objects.create(name="Field")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.VIEWER)
    _row, tokens = invitations.invite_to_launch(
        Actor(users.owner),
        users.workspace,
        email="lena@example.com",
        team=team,
        credential=users.credential,
        days=7,
        flow_id="F" * 21,
        flow_name="Quick",
        until=None,
        most_launches=None,
    )
    # Without an address the link is for anyone who has it.
    ColleagueInvitation.objects.update(email="")
    people = [person(f"person{number}") for number in range(4)]

    def accept(who: User) -> bool:
        try:
            match = invitations.find_by_token(tokens.link)
            assert match is not None
            invitations.accept(Actor(who), match, who)
        except invitations.NotOpen:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(accept, people))
    assert sum(won) == 1
    assert LaunchRight.objects.get().user == people[won.index(True)]
    assert AuditEvent.objects.filter(action="launch_right.accept").count() == 1
    assert User.objects.filter(groups=team).count() == 1

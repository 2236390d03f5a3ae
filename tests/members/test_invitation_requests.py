"""Using an invitation that was made for another address: only once the inviter or another manager has confirmed."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.members.inviting import NEW, given, invite, link_of, mailed_link, own_address, text, users
from tests.users import Users, browser
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.members.models import ColleagueInvitation, InvitationRequest, Member, Role
from workflows_ui.members.services import access, invitations
from workflows_ui.notifications import messages as notification_messages
from workflows_ui.notifications.models import Notice

__all__ = ["users"]


def decide(who: User, row: ColleagueInvitation, decision: str) -> Any:
    values = {"decision": decision, "request": str(InvitationRequest.objects.get().pk)}
    return browser(who).post(reverse("invitation_decide", args=["sales", row.pk]), values, follow=True)


def test_somebody_with_another_address_gets_nothing_until_the_inviter_has_confirmed(users: Users) -> None:
    team = Group.objects.create(name="Field")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.VIEWER)
    row, link = given(users, given=[team])
    own_address(users.stranger)
    client = browser(users.stranger)
    page = text(client.get(link))
    assert "This invitation is for another address" in page
    assert (
        "The invitation is for lena@example.com. You are signed in as stranger, with the address stranger@example.com."
        in page
    )
    assert "owner must confirm that the invitation is for you. Until then, you have no access." in page
    assert not InvitationRequest.objects.exists()
    for _twice in range(2):
        assert "Waiting for confirmation" in text(client.post(link, follow=True))
    assert not users.stranger.groups.exists()
    assert client.get("/w/sales/").status_code == 404
    news = Notice.objects.get(user=users.owner)
    assert (
        notification_messages.notification_message(news).title
        == "stranger wants to use your invitation to lena@example.com"
    )
    assert "stranger@example.com" in notification_messages.notification_message(news).detail
    assert news.mail_at is not None
    assert "Needs your confirmation" in text(browser(users.owner).get("/w/sales/members/"))
    shown = text(browser(users.owner).get(news.url))
    assert "stranger wants to use this invitation" in shown
    assert "address here is stranger@example.com" in shown
    assert "stranger now belongs to the workspace" in text(decide(users.owner, row, "confirm"))
    assert access.access_for(users.stranger, "sales").role is Role.LAUNCHER
    assert list(users.stranger.groups.all()) == [team]
    assert (
        notification_messages.notification_message(Notice.objects.get(user=users.stranger)).title
        == "You've been added to Sales."
    )
    assert client.get(link).status_code == 410
    actions = AuditEvent.objects.filter(action__startswith="invitation").order_by("pk")
    assert list(actions.values_list("action", "user__username")) == [
        ("invitation.create", "owner"),
        ("invitation.ask", "stranger"),
        ("invitation.confirm", "owner"),
        ("invitation.accept", "owner"),
    ]
    # The inviter confirmed it and is not notified.
    assert not Notice.objects.filter(user=users.owner, kind="invitation_accepted").exists()


def test_who_was_refused_gets_nothing_and_the_invited_person_still_joins(users: Users) -> None:
    row, link = given(users)
    client = browser(users.stranger)
    client.post(link)
    page = text(decide(users.owner, row, "refuse"))
    assert "stranger was declined" in page
    assert "wants to use this invitation" not in page
    for _look in range(2):
        assert "Your request was declined" in text(client.post(link, follow=True))
    assert not Member.objects.filter(user=users.stranger).exists()
    assert (
        notification_messages.notification_message(Notice.objects.get(user=users.stranger)).title
        == "Your request to join Sales was declined"
    )
    assert Notice.objects.filter(user=users.owner).count() == 1
    assert AuditEvent.objects.filter(action="invitation.refuse", user=users.owner).count() == 1
    assert "it was decided already" in text(decide(users.owner, row, "confirm"))
    assert not Member.objects.filter(user=users.stranger).exists()
    Client().post(link, NEW)
    assert access.access_for(User.objects.get(username="lena"), "sales").role is Role.LAUNCHER


def test_only_a_manager_of_the_workspace_confirms(users: Users) -> None:
    row, link = given(users)
    browser(users.stranger).post(link)
    assert decide(users.colleague, row, "confirm").status_code == 403
    assert decide(users.stranger, row, "confirm").status_code == 404
    assert browser(users.owner).get(reverse("invitation_decide", args=["sales", row.pk])).status_code == 405
    assert not Member.objects.filter(user=users.stranger).exists()
    Member.objects.filter(user=users.colleague).update(role=Role.MANAGER)
    decide(users.colleague, row, "confirm")
    assert access.access_for(users.stranger, "sales").role is Role.LAUNCHER
    accepted = Notice.objects.get(user=users.owner, kind="invitation_accepted")
    assert notification_messages.notification_message(accepted).title == "stranger accepted your invitation"


@pytest.mark.parametrize("how", ["renewed", "passed on"])
def test_who_gives_the_invitation_from_now_on_hears_of_those_who_wait(users: Users, how: str) -> None:
    row, link = given(users)
    browser(users.stranger).post(link)
    Member.objects.filter(user=users.colleague).update(role=Role.MANAGER)
    for _twice in range(2):
        row.refresh_from_db()
        if how == "renewed":
            invitations.renew(Actor(users.colleague), row, 7)
        else:
            invitations.pass_on(Actor(users.owner), row, users.colleague)
    news = Notice.objects.get(user=users.colleague)
    assert (
        notification_messages.notification_message(news).title
        == "stranger wants to use your invitation to lena@example.com"
    )
    decide(users.colleague, row, "confirm")
    assert access.access_for(users.stranger, "sales").role is Role.LAUNCHER


def test_the_request_of_another_invitation_is_not_decided(users: Users) -> None:
    _row, link = given(users)
    browser(users.stranger).post(link)
    other, _link = given(users, email="other@example.com")
    assert "Nothing was done" in text(decide(users.owner, other, "confirm"))
    assert not Member.objects.filter(user=users.stranger).exists()


@pytest.mark.parametrize("end", ["accepted", "taken back", "over", "person gone"])
def test_what_does_not_hold_any_more_is_not_confirmed(users: Users, end: str) -> None:
    row, link = given(users)
    browser(users.stranger).post(link)
    if end == "accepted":
        Client().post(link, NEW)
    elif end == "taken back":
        invitations.revoke(Actor(users.owner), row)
    elif end == "over":
        ColleagueInvitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        User.objects.filter(pk=users.stranger.pk).update(is_active=False)
    assert "Nothing was done" in text(decide(users.owner, row, "confirm"))
    assert not Member.objects.filter(user=users.stranger).exists()


def test_an_address_that_nobody_has_confirmed_is_not_enough_but_the_link_in_the_mail_to_it_is(users: Users) -> None:
    page = text(invite(users, email="stranger@example.com"))
    client = browser(users.stranger)
    shown = text(client.get(link_of(page)))
    assert "You have not yet confirmed that this address is yours" in shown
    assert "Join this workspace?" in text(client.get(mailed_link()))
    assert client.post(mailed_link())["Location"] == "/w/sales/"


def test_the_link_in_the_mail_is_not_enough_for_somebody_with_another_address(users: Users) -> None:
    invite(users)
    own_address(users.stranger)
    browser(users.stranger).post(mailed_link())
    assert not Member.objects.filter(user=users.stranger).exists()
    found = invitations.find_by_token(mailed_link().split("/")[2])
    assert found is not None
    with pytest.raises(invitations.OtherAddress):
        invitations.accept(Actor(users.stranger), found, users.stranger)

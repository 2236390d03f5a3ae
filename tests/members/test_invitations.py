"""Inviting colleagues: the link works once, for a while, by a form only, and brings no more than its giver may give."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.members.inviting import NEW, PASSWORD, given, invite, link_of, mailed_link, no_mail, own_address, text, users
from tests.users import Users, browser, credential, gather, person, share, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.members.models import ColleagueInvitation, LaunchRight, Member, Role, TeamOwner
from workflows_ui.members.services import access, invitations, members
from workflows_ui.notifications import messages as notification_messages
from workflows_ui.notifications.models import Notice

pytestmark = pytest.mark.both_databases

__all__ = ["no_mail", "users"]


def test_an_invited_person_makes_an_account_is_signed_in_and_has_the_role_and_the_teams(
    users: Users, no_mail: None
) -> None:
    team = Group.objects.create(name="Field")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.VIEWER)
    page = text(invite(users, teams=[str(team.pk)]))
    assert "Copy the link" in page
    link, guest = link_of(page), Client()
    form = text(guest.get(link))
    assert "lena@example.com" in form
    assert "Sales" in form
    answer = guest.post(link, NEW | {"email": "other@example.com"})
    assert answer["Location"] == "/w/sales/"
    lena = User.objects.get(username="lena")
    assert (lena.email, lena.label, list(lena.groups.all())) == ("lena@example.com", "Lena Ngo", [team])
    assert access.access_for(lena, "sales").role is Role.LAUNCHER
    assert guest.get("/profile/").status_code == 200
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert [one for one in actions if one.startswith(("invitation", "person"))] == [
        "invitation.create",
        "person.join",
        "invitation.accept",
        "person.sign_in",
    ]
    assert Client().login(username="lena", password=PASSWORD)


def test_an_invitation_without_a_role_brings_the_teams_and_what_they_may_launch_and_nothing_else(users: Users) -> None:
    team = Group.objects.create(name="Field")
    LaunchRight.objects.create(workspace=users.workspace, flow_id="F" * 21, flow_name="Order intake", team=team)
    refused = invite(users, role="")
    assert refused.status_code == 422
    assert "they need a team" in text(refused)
    page = text(invite(users, role="", teams=[str(team.pk)]))
    assert "no role, only what the teams give access to" in page
    guest = Client()
    guest.post(link_of(page), NEW)
    assert not Member.objects.filter(user__username="lena").exists()
    assert access.access_for(User.objects.get(username="lena"), "sales").guest
    assert "Order intake" in text(guest.get("/w/sales/"))
    assert guest.get("/w/sales/flows/").status_code == 403


def test_the_inviter_is_notified_who_joined(users: Users) -> None:
    _row, link = given(users)
    Client().post(link, NEW)
    news = Notice.objects.get(user=users.owner)
    assert notification_messages.notification_message(news).title == "Lena Ngo accepted your invitation"


def test_the_link_is_shown_once_and_lies_nowhere_in_clear(users: Users, no_mail: None) -> None:
    page = invite(users)
    token = link_of(text(page)).split("/")[2]
    row = ColleagueInvitation.objects.get()
    again = text(browser(users.owner).get(reverse("invitation", args=["sales", row.pk])))
    assert token not in again
    assert "invitation-link" not in again
    assert page["Cache-Control"].count("no-store") == 1
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert token not in repr(cursor.fetchall()), table


def test_how_long_a_link_works_is_asked_in_the_readers_language(users: Users) -> None:
    page = browser(users.owner)
    page.cookies["django_language"] = "vi"
    assert "7 ngày" in text(page.get(reverse("member_add", args=["sales"])))


def test_where_mail_is_set_up_the_link_goes_by_mail_and_proves_the_address(users: Users) -> None:
    page = text(invite(users))
    assert "on its way to lena@example.com" in page
    assert mail.outbox[0].to == ["lena@example.com"]
    assert "owner invites you" in mail.outbox[0].subject
    assert mailed_link() != link_of(page)
    Client().post(mailed_link(), NEW)
    assert EmailAddress.objects.get(user__username="lena").verified


def test_a_copied_link_proves_nothing_about_the_address(users: Users) -> None:
    Client().post(link_of(text(invite(users))), NEW)
    assert not EmailAddress.objects.get(user__username="lena").verified


def test_a_mail_server_that_fails_leaves_the_link_to_copy(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise SMTPException("no")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    page = text(invite(users))
    assert "could not be sent" in page
    assert link_of(page)


def test_the_mail_is_in_the_language_of_the_owner_of_the_address(users: Users) -> None:
    User.objects.filter(pk=users.stranger.pk).update(language="vi")
    browser(users.owner).post(
        reverse("invite", args=["sales"]), {"email": "stranger@example.com", "role": "viewer", "days": "1"}
    )
    assert 'lang="en"' not in str(mail.outbox[0].body)
    assert mail.outbox[0].to == ["stranger@example.com"]


def test_reading_the_link_as_mail_scanners_do_uses_nothing_up(users: Users) -> None:
    row, link = given(users)
    for _look in range(3):
        assert Client().get(link).status_code == 200
        assert Client().head(link).status_code == 200
        assert browser(users.stranger).get(link).status_code == 200
    row.refresh_from_db()
    assert row.accepted_at is None
    assert Client().post(link, NEW).status_code in (302, 303)


def test_somebody_who_is_signed_in_confirms_and_keeps_a_higher_role(users: Users) -> None:
    own_address(users.stranger)
    _row, link = given(users, email="stranger@example.com")
    client = browser(users.stranger)
    assert "You are signed in as stranger." in text(client.get(link))
    assert client.post(link)["Location"] == "/w/sales/"
    assert access.access_for(users.stranger, "sales").role is Role.LAUNCHER
    Member.objects.filter(user=users.stranger).update(role=Role.BUILDER)
    for role, final_role in ((Role.VIEWER, Role.BUILDER), (Role.MANAGER, Role.MANAGER)):
        # They belong to the workspace by now, under an address that no invitation is made out to any more.
        row, tokens = invitations.invite(
            Actor(users.owner), users.workspace, email="another@example.com", role=role, given=[], days=1
        )
        ColleagueInvitation.objects.filter(pk=row.pk).update(email="stranger@example.com")
        client.post(f"/join/{tokens.link}/")
        assert access.access_for(users.stranger, "sales").role is final_role


@pytest.mark.parametrize("end", ["used", "over", "taken back", "renewed", "giver gone", "giver stepped down"])
def test_a_link_that_does_not_work_any_more_says_what_to_do_and_lets_nobody_in(users: Users, end: str) -> None:
    row, link = given(users)
    if end == "used":
        Client().post(link, NEW)
    elif end == "over":
        ColleagueInvitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "taken back":
        invitations.revoke(Actor(users.owner), row)
    elif end == "renewed":
        invitations.renew(Actor(users.owner), row, 1)
    else:
        members.change_role(
            Actor(users.owner), Member.objects.get(user=users.colleague, workspace=users.workspace), Role.MANAGER
        )
        if end == "giver gone":
            User.objects.filter(pk=users.owner.pk).update(is_active=False)
        else:
            Member.objects.filter(user=users.owner).update(role=Role.BUILDER)
    people = User.objects.count()
    answers = (
        Client().get(link),
        Client().post(link, NEW | {"username": "second"}),
        browser(users.stranger).get(link),
        browser(users.stranger).post(link),
    )
    for answer in answers:
        assert answer.status_code == (404 if end == "renewed" else 410)
        assert "ask the person who invited you" in text(answer).replace("Ask", "ask")
        assert "Sales" not in text(answer)
    assert User.objects.count() == people
    assert not Member.objects.filter(user=users.stranger).exists()


def test_a_made_up_link_is_answered_like_any_other(users: Users) -> None:
    for token in ("x", "%3Cscript%3E", "0" * 300):
        answer = Client().get(f"/join/{token}/")
        assert answer.status_code == 404
        assert "This link does not work" in text(answer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": "OWNER"}, "Someone has this username."),
        ({"username": "no spaces"}, "Only letters, digits and @ . + - _, without spaces."),
        ({"password2": "another quiet river"}, "not the same"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password1": "lena@example.com", "password2": "lena@example.com"}, "too similar"),
        ({"password1": "", "password2": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_said_and_the_link_still_works(
    users: Users, changes: dict[str, str], words: str
) -> None:
    _row, link = given(users)
    client = Client()
    answer = client.post(link, NEW | changes)
    assert answer.status_code == 422
    assert words in text(answer)
    assert 'value="Lena"' in text(answer)
    assert PASSWORD not in text(answer)
    assert client.post(link, NEW).status_code in (302, 303)


def test_an_address_that_has_an_account_signs_in_instead(users: Users) -> None:
    own_address(users.stranger)
    _row, link = given(users, email="stranger@example.com")
    page = text(Client().get(link))
    assert "You already have an account" in page
    assert f"/accounts/login/?next={link.replace('/', '%2F')}" in page
    assert Client().post(link, NEW).status_code == 200
    assert not User.objects.filter(username="lena").exists()
    browser(users.stranger).post(link)
    assert access.access_for(users.stranger, "sales").role is Role.LAUNCHER


def test_a_members_address_is_not_invited(users: Users) -> None:
    page = invite(users, email="COLLEAGUE@example.com")
    assert page.status_code == 422
    assert "belongs to the workspace already" in text(page)


def test_a_second_invitation_of_an_address_takes_the_first_back(users: Users) -> None:
    _row, first = given(users)
    _row, second = given(users)
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


# --- What may be given


def test_teams_that_open_other_workspaces_cannot_be_given(users: Users) -> None:
    elsewhere = workspace("hr", project="Q" * 21)
    local, wide, keyed, own = (Group.objects.create(name=name) for name in ("Local", "Wide", "Keyed", "Own"))
    for team in (local, wide, keyed):
        Member.objects.create(workspace=users.workspace, team=team, role=Role.VIEWER)
    Member.objects.create(workspace=elsewhere, team=wide, role=Role.VIEWER)
    foreign = credential(elsewhere, users.stranger, "sk-other")
    share(foreign, keyed)
    TeamOwner.objects.create(team=own, user=users.owner)
    page = text(browser(users.owner).get(reverse("member_add", args=["sales"]))).partition('id="invitation"')[2]
    assert [name for name in ("Local", "Wide", "Keyed", "Own") if name in page] == ["Local", "Own"]
    for team in (wide, keyed):
        assert invite(users, teams=[str(team.pk)]).status_code == 422
    assert not ColleagueInvitation.objects.exists()


def test_a_team_that_has_come_to_open_more_since_is_left_out(users: Users) -> None:
    team = Group.objects.create(name="Local")
    Member.objects.create(workspace=users.workspace, team=team, role=Role.VIEWER)
    _row, link = given(users, given=[team])
    Member.objects.create(workspace=workspace("hr", project="Q" * 21), team=team, role=Role.MANAGER)
    Client().post(link, NEW)
    assert not User.objects.get(username="lena").groups.exists()
    with pytest.raises(access.NoAccess):
        access.access_for(User.objects.get(username="lena"), "hr")


def test_only_a_manager_gives_invitations(users: Users) -> None:
    with pytest.raises(PermissionError):
        invitations.invite(
            Actor(users.colleague), users.workspace, email="a@example.com", role=Role.VIEWER, given=[], days=1
        )


@pytest.mark.parametrize("fields", [{"role": "owner"}, {"days": "365"}, {"days": ""}, {"email": "nobody"}])
def test_an_invitation_that_cannot_be_is_refused_with_everything_typed_kept(
    users: Users, fields: dict[str, str]
) -> None:
    page = invite(users, **fields)
    assert page.status_code == 422
    assert fields.get("email", "lena@example.com") in text(page)
    assert not ColleagueInvitation.objects.exists()


def test_nobody_sends_invitations_without_an_end(users: Users, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invite": "2/h/user"}
    for number in range(2):
        assert invite(users, email=f"a{number}@example.com").status_code == 200
    refused = invite(users, email="a3@example.com")
    assert refused.status_code == 422
    assert "many invitations within an hour" in text(refused)
    assert "a3@example.com" in text(refused)
    assert len(mail.outbox) == 2


def test_invitations_are_listed_with_their_state_and_taken_back(users: Users) -> None:
    row, link = given(users)
    client = browser(users.owner)
    assert "Waiting" in text(client.get("/w/sales/members/"))
    page = text(client.post(reverse("invitation_revoke", args=["sales", row.pk]), {"sure": "yes"}, follow=True))
    assert "is revoked" in page
    assert "Revoked" in page
    assert Client().get(link).status_code == 410
    assert "Nothing to revoke" in text(
        client.post(reverse("invitation_revoke", args=["sales", row.pk]), {"sure": "yes"}, follow=True)
    )
    assert "Invite again" in text(
        client.post(reverse("invitation_renew", args=["sales", row.pk]), {"days": "7"}, follow=True)
    )


def test_a_renewed_link_replaces_the_old_one_also_after_its_time(users: Users, no_mail: None) -> None:
    row, old = given(users)
    ColleagueInvitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    page = text(
        browser(users.owner).post(reverse("invitation_renew", args=["sales", row.pk]), {"days": "1"}, follow=True)
    )
    assert Client().get(old).status_code == 404
    assert Client().get(link_of(page)).status_code == 200


def test_invitations_of_another_workspace_are_not_there(users: Users) -> None:
    row, _link = given(users)
    Member.objects.create(workspace=workspace("hr", project="Q" * 21), user=users.stranger, role=Role.MANAGER)
    client = browser(users.stranger)
    for slug in ("sales", "hr"):
        assert client.get(reverse("invitation", args=[slug, row.pk])).status_code == 404
        for name in ("invitation_renew", "invitation_revoke", "invitation_decide"):
            assert client.post(reverse(name, args=[slug, row.pk]), {"days": "7"}).status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


@pytest.mark.django_db(transaction=True)
def test_of_two_people_with_one_link_at_once_one_wins() -> None:
    users = gather(workspace("sales"), "sk-secret")
    _row, link = given(users)
    # Without an address the link is for anyone who has it.
    ColleagueInvitation.objects.update(email="")
    people = [person(f"person{number}") for number in range(4)]

    def accept(who: User) -> bool:
        try:
            found = invitations.find_by_token(link.split("/")[2])
            assert found is not None
            invitations.accept(Actor(who), found, who)
        except invitations.NotOpen:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(accept, people))
    assert sum(won) == 1
    assert Member.objects.filter(user__in=people).count() == 1


def test_the_session_before_joining_is_not_the_session_after(users: Users) -> None:
    _row, link = given(users)
    guest = Client()
    guest.get("/accounts/login/")
    guest.session.save()
    before = guest.session.session_key
    guest.post(link, NEW)
    assert guest.session.session_key != before

"""Inviting colleagues: the link works once, for a while, by a form only, and brings no more than its giver may give."""

import re
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

from tests.cast import Cast, credential, gather, person, workspace
from workflows_ui.kit import notice_words
from workflows_ui.models import AuditEvent, ColleagueInvitation, LaunchRight, Member, Notice, Role, TeamOwner, User
from workflows_ui.services import access, colleague_invitations, members
from workflows_ui.services.audit import Actor

PASSWORD = "a quiet river at noon"
NEW = {"username": "lena", "first_name": "Lena", "last_name": "Ngo", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def cast(db: None) -> Cast:
    return gather(workspace("sales"), "sk-secret")


@pytest.fixture
def no_mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"


def browser(who: User) -> Client:
    client = Client()
    client.force_login(who)
    return client


def text(response: Any) -> str:
    return str(response.content.decode())


def invite(cast: Cast, **fields: Any) -> Any:
    sent = {"email": "lena@example.com", "role": "launcher", "days": "7"} | fields
    return browser(cast.owner).post(reverse("invite", args=["sales"]), sent, follow=True)


def link_of(page: str) -> str:
    found = re.search(r'id="invitation-link">http://[^/]+(/join/[^<]+)<', page)
    assert found is not None, page
    return found[1]


def mailed_link() -> str:
    found = re.search(r"http://[^/]+(/join/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def given(cast: Cast, **changes: Any) -> tuple[ColleagueInvitation, str]:
    values: dict[str, Any] = {"email": "lena@example.com", "role": Role.LAUNCHER, "given": [], "days": 7} | changes
    row, tokens = colleague_invitations.invite(Actor(cast.owner), cast.workspace, **values)
    return row, f"/join/{tokens.link}/"


def test_an_invited_person_makes_an_account_is_signed_in_and_has_the_role_and_the_teams(
    cast: Cast, no_mail: None
) -> None:
    team = Group.objects.create(name="Field")
    Member.objects.create(workspace=cast.workspace, team=team, role=Role.VIEWER)
    page = text(invite(cast, teams=[str(team.pk)]))
    assert "Copy the link" in page
    link, guest = link_of(page), Client()
    form = text(guest.get(link))
    assert "lena@example.com" in form
    assert "Sales" in form
    answer = guest.post(link, NEW | {"email": "other@example.com"})
    assert answer["Location"] == "/w/sales/"
    lena = User.objects.get(username="lena")
    assert (lena.email, lena.label, list(lena.groups.all())) == ("lena@example.com", "Lena Ngo", [team])
    assert access.find(lena, "sales").role is Role.LAUNCHER
    assert guest.get("/profile/").status_code == 200
    actions = list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
    assert [one for one in actions if one.startswith(("invitation", "person"))] == [
        "invitation.create",
        "person.join",
        "invitation.accept",
        "person.sign_in",
    ]
    assert Client().login(username="lena", password=PASSWORD)


def test_an_invitation_without_a_role_brings_the_teams_and_what_they_may_launch_and_nothing_else(cast: Cast) -> None:
    team = Group.objects.create(name="Field")
    LaunchRight.objects.create(workspace=cast.workspace, flow_id="F" * 21, flow_name="Order intake", team=team)
    refused = invite(cast, role="")
    assert refused.status_code == 422
    assert "they need a team" in text(refused)
    page = text(invite(cast, role="", teams=[str(team.pk)]))
    assert "no role, only what the teams open" in page
    guest = Client()
    guest.post(link_of(page), NEW)
    assert not Member.objects.filter(user__username="lena").exists()
    assert access.find(User.objects.get(username="lena"), "sales").guest
    assert "Order intake" in text(guest.get("/", follow=True))
    assert guest.get("/w/sales/flows/").status_code == 403


def test_whoever_invited_is_told_who_joined(cast: Cast) -> None:
    _row, link = given(cast)
    Client().post(link, NEW)
    news = Notice.objects.get(user=cast.owner)
    assert notice_words.of(news).title == "Lena Ngo accepted your invitation"


def test_the_link_is_shown_once_and_lies_nowhere_in_clear(cast: Cast, no_mail: None) -> None:
    page = invite(cast)
    token = link_of(text(page)).split("/")[2]
    row = ColleagueInvitation.objects.get()
    again = text(browser(cast.owner).get(reverse("invitation", args=["sales", row.pk])))
    assert token not in again
    assert "invitation-link" not in again
    assert page["Cache-Control"].count("no-store") == 1
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert token not in repr(cursor.fetchall()), table


def test_where_mail_is_set_up_the_link_goes_by_mail_and_proves_the_address(cast: Cast) -> None:
    page = text(invite(cast))
    assert "on its way to lena@example.com" in page
    assert mail.outbox[0].to == ["lena@example.com"]
    assert "owner invites you" in mail.outbox[0].subject
    assert mailed_link() != link_of(page)
    Client().post(mailed_link(), NEW)
    assert EmailAddress.objects.get(user__username="lena").verified


def test_a_copied_link_proves_nothing_about_the_address(cast: Cast) -> None:
    Client().post(link_of(text(invite(cast))), NEW)
    assert not EmailAddress.objects.get(user__username="lena").verified


def test_a_mail_server_that_fails_leaves_the_link_to_copy(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> int:
        raise SMTPException("no")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
    page = text(invite(cast))
    assert "could not be sent" in page
    assert link_of(page)


def test_the_mail_is_in_the_language_of_whoever_has_the_address(cast: Cast) -> None:
    User.objects.filter(pk=cast.stranger.pk).update(language="vi")
    browser(cast.owner).post(
        reverse("invite", args=["sales"]), {"email": "stranger@example.com", "role": "viewer", "days": "1"}
    )
    assert 'lang="en"' not in str(mail.outbox[0].body)
    assert mail.outbox[0].to == ["stranger@example.com"]


def test_reading_the_link_as_mail_scanners_do_uses_nothing_up(cast: Cast) -> None:
    row, link = given(cast)
    for _look in range(3):
        assert Client().get(link).status_code == 200
        assert Client().head(link).status_code == 200
        assert browser(cast.stranger).get(link).status_code == 200
    row.refresh_from_db()
    assert row.accepted_at is None
    assert Client().post(link, NEW).status_code in (302, 303)


def test_whoever_is_signed_in_confirms_and_keeps_a_higher_role(cast: Cast) -> None:
    _row, link = given(cast)
    client = browser(cast.stranger)
    page = text(client.get(link))
    assert "You are signed in as stranger." in page
    assert "made for lena@example.com" in page
    assert client.post(link)["Location"] == "/w/sales/"
    assert access.find(cast.stranger, "sales").role is Role.LAUNCHER
    Member.objects.filter(user=cast.stranger).update(role=Role.BUILDER)
    _row, second = given(cast, email="second@example.com", role=Role.VIEWER)
    client.post(second)
    assert access.find(cast.stranger, "sales").role is Role.BUILDER
    _row, third = given(cast, email="third@example.com", role=Role.MANAGER)
    client.post(third)
    assert access.find(cast.stranger, "sales").role is Role.MANAGER


@pytest.mark.parametrize("end", ["used", "over", "taken back", "renewed", "giver gone", "giver stepped down"])
def test_a_link_that_does_not_work_any_more_says_what_to_do_and_lets_nobody_in(cast: Cast, end: str) -> None:
    row, link = given(cast)
    if end == "used":
        Client().post(link, NEW)
    elif end == "over":
        ColleagueInvitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "taken back":
        colleague_invitations.revoke(Actor(cast.owner), row)
    elif end == "renewed":
        colleague_invitations.renew(Actor(cast.owner), row, 1)
    else:
        members.change_role(
            Actor(cast.owner), Member.objects.get(user=cast.colleague, workspace=cast.workspace), Role.MANAGER
        )
        if end == "giver gone":
            User.objects.filter(pk=cast.owner.pk).update(is_active=False)
        else:
            Member.objects.filter(user=cast.owner).update(role=Role.BUILDER)
    people = User.objects.count()
    answers = (
        Client().get(link),
        Client().post(link, NEW | {"username": "second"}),
        browser(cast.stranger).get(link),
        browser(cast.stranger).post(link),
    )
    for answer in answers:
        assert answer.status_code == (404 if end == "renewed" else 410)
        assert "Ask whoever invited you" in text(answer) or "ask whoever invited you" in text(answer)
        assert "Sales" not in text(answer)
    assert User.objects.count() == people
    assert not Member.objects.filter(user=cast.stranger).exists()


def test_a_link_that_nobody_made_is_told_like_any_other(cast: Cast) -> None:
    for token in ("x", "%3Cscript%3E", "0" * 300):
        answer = Client().get(f"/join/{token}/")
        assert answer.status_code == 404
        assert "This link does not work" in text(answer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"username": "OWNER"}, "Somebody has this user name."),
        ({"username": "no spaces"}, "Enter a valid username"),
        ({"password2": "another quiet river"}, "not the same"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password1": "lena@example.com", "password2": "lena@example.com"}, "too similar"),
        ({"password1": "", "password2": ""}, "This field is required"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_said_and_the_link_still_works(
    cast: Cast, changes: dict[str, str], words: str
) -> None:
    _row, link = given(cast)
    client = Client()
    answer = client.post(link, NEW | changes)
    assert answer.status_code == 422
    assert words in text(answer)
    assert 'value="Lena"' in text(answer)
    assert PASSWORD not in text(answer)
    assert client.post(link, NEW).status_code in (302, 303)


def test_an_address_that_has_an_account_signs_in_instead(cast: Cast) -> None:
    _row, link = given(cast, email="stranger@example.com")
    page = text(Client().get(link))
    assert "You have an account already" in page
    assert f"/accounts/login/?next={link.replace('/', '%2F')}" in page
    assert Client().post(link, NEW).status_code == 200
    assert not User.objects.filter(username="lena").exists()
    browser(cast.stranger).post(link)
    assert access.find(cast.stranger, "sales").role is Role.LAUNCHER


def test_a_members_address_is_not_invited(cast: Cast) -> None:
    page = invite(cast, email="COLLEAGUE@example.com")
    assert page.status_code == 422
    assert "belongs to the workspace already" in text(page)


def test_a_second_invitation_of_an_address_takes_the_first_back(cast: Cast) -> None:
    _row, first = given(cast)
    _row, second = given(cast)
    assert Client().get(first).status_code == 410
    assert Client().get(second).status_code == 200


# --- What may be given


def test_teams_that_open_other_workspaces_cannot_be_given(cast: Cast) -> None:
    elsewhere = workspace("hr", project="Q" * 21)
    local, wide, keyed, own = (Group.objects.create(name=name) for name in ("Local", "Wide", "Keyed", "Own"))
    for team in (local, wide, keyed):
        Member.objects.create(workspace=cast.workspace, team=team, role=Role.VIEWER)
    Member.objects.create(workspace=elsewhere, team=wide, role=Role.VIEWER)
    foreign = credential(elsewhere, cast.stranger, "sk-other")
    type(foreign).objects.filter(pk=foreign.pk).update(owner=None, team=keyed)
    TeamOwner.objects.create(team=own, user=cast.owner)
    page = text(browser(cast.owner).get(reverse("invite", args=["sales"])))
    assert [name for name in ("Local", "Wide", "Keyed", "Own") if name in page] == ["Local", "Own"]
    for team in (wide, keyed):
        assert invite(cast, teams=[str(team.pk)]).status_code == 422
    assert not ColleagueInvitation.objects.exists()


def test_a_team_that_has_come_to_open_more_since_is_left_out(cast: Cast) -> None:
    team = Group.objects.create(name="Local")
    Member.objects.create(workspace=cast.workspace, team=team, role=Role.VIEWER)
    _row, link = given(cast, given=[team])
    Member.objects.create(workspace=workspace("hr", project="Q" * 21), team=team, role=Role.MANAGER)
    Client().post(link, NEW)
    assert not User.objects.get(username="lena").groups.exists()
    with pytest.raises(access.NoAccess):
        access.find(User.objects.get(username="lena"), "hr")


def test_only_a_manager_gives_invitations(cast: Cast) -> None:
    with pytest.raises(PermissionError):
        colleague_invitations.invite(
            Actor(cast.colleague), cast.workspace, email="a@example.com", role=Role.VIEWER, given=[], days=1
        )


@pytest.mark.parametrize("fields", [{"role": "owner"}, {"days": "365"}, {"days": ""}, {"email": "nobody"}])
def test_an_invitation_that_cannot_be_is_refused_with_everything_typed_kept(cast: Cast, fields: dict[str, str]) -> None:
    page = invite(cast, **fields)
    assert page.status_code == 422
    assert fields.get("email", "lena@example.com") in text(page)
    assert not ColleagueInvitation.objects.exists()


def test_nobody_sends_invitations_without_an_end(cast: Cast, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invite": "2/h/user"}
    for number in range(2):
        assert invite(cast, email=f"a{number}@example.com").status_code == 200
    refused = invite(cast, email="a3@example.com")
    assert refused.status_code == 422
    assert "many invitations within an hour" in text(refused)
    assert "a3@example.com" in text(refused)
    assert len(mail.outbox) == 2


def test_invitations_are_listed_with_their_state_and_taken_back(cast: Cast) -> None:
    row, link = given(cast)
    client = browser(cast.owner)
    assert "Waiting" in text(client.get("/w/sales/members/"))
    page = text(client.post(reverse("invitation_revoke", args=["sales", row.pk]), follow=True))
    assert "is taken back" in page
    assert "Taken back" in page
    assert Client().get(link).status_code == 410
    assert "nothing to take back" in text(
        client.post(reverse("invitation_revoke", args=["sales", row.pk]), follow=True)
    )
    assert "Invite anew" in text(
        client.post(reverse("invitation_renew", args=["sales", row.pk]), {"days": "7"}, follow=True)
    )


def test_a_renewed_link_replaces_the_old_one_also_after_its_time(cast: Cast, no_mail: None) -> None:
    row, old = given(cast)
    ColleagueInvitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    page = text(
        browser(cast.owner).post(reverse("invitation_renew", args=["sales", row.pk]), {"days": "1"}, follow=True)
    )
    assert Client().get(old).status_code == 404
    assert Client().get(link_of(page)).status_code == 200


def test_invitations_of_another_workspace_are_not_there(cast: Cast) -> None:
    row, _link = given(cast)
    Member.objects.create(workspace=workspace("hr", project="Q" * 21), user=cast.stranger, role=Role.MANAGER)
    client = browser(cast.stranger)
    for name in ("invitation", "invitation_renew", "invitation_revoke"):
        for slug in ("sales", "hr"):
            assert client.post(reverse(name, args=[slug, row.pk]), {"days": "7"}).status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


@pytest.mark.django_db(transaction=True)
def test_of_two_people_with_one_link_at_once_one_wins() -> None:
    cast = gather(workspace("sales"), "sk-secret")
    _row, link = given(cast)
    people = [person(f"person{number}") for number in range(4)]

    def accept(who: User) -> bool:
        try:
            found = colleague_invitations.by_token(link.split("/")[2])
            assert found is not None
            colleague_invitations.accept(Actor(who), found, who)
        except colleague_invitations.NotOpen:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(accept, people))
    assert sum(won) == 1
    assert Member.objects.filter(user__in=people).count() == 1


def test_the_session_before_joining_is_not_the_session_after(cast: Cast) -> None:
    _row, link = given(cast)
    guest = Client()
    guest.get("/accounts/login/")
    guest.session.save()
    before = guest.session.session_key
    guest.post(link, NEW)
    assert guest.session.session_key != before

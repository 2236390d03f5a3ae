"""Nobody's own credential acts for others without their consent, which they give and withdraw on a page that is always open to them."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from tests.stub_engine import text
from tests.users import Users, browser, credential, gather, person, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import clock
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret, CredentialShare
from workflows_ui.credentials.services import sharing
from workflows_ui.members.models import Member, Role
from workflows_ui.members.services import access
from workflows_ui.notifications import messages as notification_messages
from workflows_ui.notifications.models import Notice, NoticeKind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]


@pytest.fixture
def here() -> Users:
    return gather(workspace("sales"), "a-secret-of-the-cast")


@pytest.fixture
def ben(here: Users) -> User:
    """Somebody of a team of the workspace, without a credential of their own."""
    ben = person("ben")
    team = Group.objects.create(name="Sales")
    Member.objects.create(workspace=here.workspace, team=team, role=Role.LAUNCHER)
    ben.groups.add(team)
    return ben


def page_of(who: User, url: str) -> str:
    return text(browser(who).get(url).content)


def ask(here: Users, row: Credential, *teams: Group) -> Any:
    """The manager shares it with exactly these teams."""
    url = reverse("credential_share", args=["sales", row.pk])
    return browser(here.owner).post(url, {"teams": [team.pk for team in teams], "sure": "yes"}, follow=True)


def decide(who: User, row: Credential, share: CredentialShare, decision: str) -> int:
    url = reverse("credential_consent", args=[row.pk])
    return browser(who).post(url, {"share": share.pk, "decision": decision}).status_code


def acts_for(here: Users, user: User) -> str:
    found = access.acting(user, here.workspace)
    return found.credential.name if found else ""


def test_a_managers_share_of_anothers_credential_acts_for_nobody_until_the_owner_agrees(here: Users, ben: User) -> None:
    row, team = Credential.objects.get(owner=here.colleague), Group.objects.get()
    page = text(ask(here, row, team).content)
    assert "A notification asks colleague" in page
    assert "Waiting for consent" in page
    assert acts_for(here, ben) == ""
    notice = Notice.objects.get(user=here.colleague, kind=NoticeKind.CONSENT_ASKED)
    assert notice.mail_at is not None
    assert "owner wants to share your credential" in notification_messages.notification_message(notice).title
    share = CredentialShare.objects.get()
    assert "Agree" in page_of(here.colleague, notice.url)
    # Only the owner decides, also not the manager who asked.
    for who in (here.owner, ben, here.stranger):
        assert decide(who, row, share, "agree") == 404
    assert acts_for(here, ben) == ""
    assert decide(here.colleague, row, share, "agree") == 303
    assert acts_for(here, ben) == "Colleague's key"
    decided = Notice.objects.get(user=here.owner, kind=NoticeKind.CONSENT_DECIDED)
    assert "agreed" in notification_messages.notification_message(decided).title
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "credential.ask_share",
        "credential.consent",
    ]


def test_an_owner_withdraws_the_consent_at_any_time_and_the_share_ends_at_once(here: Users, ben: User) -> None:
    row, team = Credential.objects.get(owner=here.colleague), Group.objects.get()
    ask(here, row, team)
    decide(here.colleague, row, CredentialShare.objects.get(), "agree")
    # They need no role for it, and no page that the workspace may hide.
    Member.objects.filter(user=here.colleague).delete()
    assert "Stop sharing" in page_of(here.colleague, reverse("credential_consent", args=[row.pk]))
    assert decide(here.colleague, row, CredentialShare.objects.get(), "end") == 303
    assert acts_for(here, ben) == ""
    assert not CredentialShare.objects.exists()
    assert AuditEvent.objects.filter(action="credential.withdraw", user=here.colleague).count() == 1


def test_a_refused_or_outdated_request_cannot_be_agreed_to(here: Users, ben: User) -> None:
    row, team = Credential.objects.get(owner=here.colleague), Group.objects.get()
    ask(here, row, team)
    share = CredentialShare.objects.get()
    decide(here.colleague, row, share, "end")
    decide(here.colleague, row, share, "agree")
    assert acts_for(here, ben) == ""
    # The manager takes the request back, and another one is a new question.
    ask(here, row, team)
    ask(here, row)
    assert not CredentialShare.objects.exists()
    ask(here, row, team)
    assert Notice.objects.filter(kind=NoticeKind.CONSENT_ASKED).count() == 3


def test_an_owners_own_sharing_is_consent_and_an_empty_form_ends_nothing(here: Users, ben: User) -> None:
    team, url = Group.objects.get(), reverse("credential_share", args=["sales", here.credential.pk])
    ask(here, here.credential, team)
    assert acts_for(here, ben) == "My key"
    assert browser(here.owner).post(url).status_code == 422
    assert acts_for(here, ben) == "My key"
    assert browser(here.owner).post(url, {"sure": "yes"}).status_code == 303
    assert acts_for(here, ben) == ""
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "credential.share",
        "credential.unshare",
    ]


def test_one_that_was_taken_over_acts_where_it_acted_and_not_for_its_new_owner(here: Users, ben: User) -> None:
    team, row = Group.objects.get(), Credential.objects.get(owner=here.colleague)
    sharing.write(row, team, here.colleague)
    here.credential.delete()
    # Replaced secrets of other credentials do not count.
    aside = CredentialSecret(
        credential=credential(here.workspace, here.stranger, "another"), kind=CredentialKind.BEARER_TOKEN
    )
    aside.secret, aside.replaced_at, aside.keep_until = aside.seal("secret", "older"), clock.now(), clock.now()
    aside.save()
    other = Group.objects.create(name="Support")
    Member.objects.create(workspace=here.workspace, team=other, role=Role.LAUNCHER)
    ask(here, row, team, other)
    # What has a mark waits for nobody.
    CredentialShare.objects.filter(team=team).update(consented_at=None)
    assert [one.team for one in sharing.waiting(credential=row)] == [other]
    assert sharing.pass_on(CONSOLE, row, here.owner)
    assert not sharing.waiting(credential=row)
    assert not CredentialSecret.objects.get().taken_over
    assert acts_for(here, ben) == "Colleague's key"
    assert acts_for(here, here.owner) == ""
    # Its new owner cannot share it further, and can end what there is.
    assert ask(here, row, team, other).status_code == 422
    assert [one.name for one in sharing.teams(row)] == ["Sales"]
    page = page_of(here.owner, f"/w/sales/credentials/{row.pk}/")
    assert "It keeps working where it was used before" in page
    assert f"taken over from {here.colleague.label} on " in page
    assert "with the owner's consent" not in page
    ask(here, row)
    assert acts_for(here, ben) == ""


def test_of_somebody_who_leaves_what_is_shared_goes_to_an_heir_and_the_rest_is_destroyed(
    here: Users, ben: User
) -> None:
    team, shared = Group.objects.get(), Credential.objects.get(owner=here.colleague)
    sharing.write(shared, team, here.colleague)
    credential(here.workspace, here.colleague, "another-secret", name="Only theirs")
    here.credential.delete()
    assert sharing.leave(CONSOLE, Credential.objects.filter(owner=here.colleague), [here.owner]) == 1
    assert Credential.objects.get().owner == here.owner
    assert acts_for(here, ben) == "Colleague's key"
    # Without an heir it is destroyed, too.
    assert sharing.leave(CONSOLE, Credential.objects.all(), []) == 1
    assert not Credential.objects.exists()

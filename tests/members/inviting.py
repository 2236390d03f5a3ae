"""Inviting Lena into the workspace: the form, the links that come of it, and what she types to join."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.urls import reverse

from tests.users import Users, browser, gather, workspace
from workflows_ui.accounts.models import User
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.members.models import ColleagueInvitation, Role
from workflows_ui.members.services import invitations

PASSWORD = "a quiet river at noon"
NEW = {"username": "lena", "first_name": "Lena", "last_name": "Ngo", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def users(db: None) -> Users:
    """Owner, colleague and stranger around the workspace Sales."""
    return gather(workspace("sales"), "sk-secret")


@pytest.fixture
def no_mail(settings: Any) -> None:
    """Mail is not set up."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"


def text(response: Any) -> str:
    """The answer's HTML."""
    return str(response.content.decode())


def invite(users: Users, **fields: Any) -> Any:
    """The owner posts the form; gives the page that follows."""
    sent = {"email": "lena@example.com", "role": "launcher", "days": "7"} | fields
    return browser(users.owner).post(reverse("invite", args=["sales"]), sent, follow=True)


def link_of(page: str) -> str:
    """The link that a page shows once, as a path."""
    found = re.search(r'id="invitation-link">http://[^/]+(/join/[^<]+)<', page)
    assert found is not None, page
    return found[1]


def mailed_link() -> str:
    """The link in the last mail, as a path."""
    found = re.search(r"http://[^/]+(/join/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def given(users: Users, **changes: Any) -> tuple[ColleagueInvitation, str]:
    """An invitation of Lena by the owner, and the path of its link."""
    values: dict[str, Any] = {"email": "lena@example.com", "role": Role.LAUNCHER, "given": [], "days": 7} | changes
    row, tokens = invitations.invite(Actor(users.owner), users.workspace, **values)
    return row, f"/join/{tokens.link}/"


def own_address(who: User) -> None:
    """The person has shown that their address is theirs."""
    EmailAddress.objects.create(user=who, email=who.email, primary=True, verified=True)

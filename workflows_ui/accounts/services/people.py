"""Accounts of people: created by a command or an invitation; there is no public sign-up."""

import secrets

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from workflows_ui.accounts.models import User
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import CONSOLE

#: Without easily confused characters.
_CHARACTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

#: Maximum accounts with one address that get mail; normally an address belongs to one account.
_MAX_ACCOUNTS = 5


class NameTaken(Exception):
    """An account with this user name (in any case) or e-mail address exists."""


def mail_is_set_up() -> bool:
    return not settings.EMAIL_BACKEND.endswith("dummy.EmailBackend")


def generated_password() -> str:
    """A password of 20 characters (more than 110 bits), in groups of five for easier typing."""
    return "-".join("".join(secrets.choice(_CHARACTERS) for _ in range(5)) for _ in range(4))


def oldest_account() -> User | None:
    return User.objects.order_by("pk").first()


def find_person(name: str) -> User | None:
    """The active person with this user name or e-mail address, ignoring case. None if nobody has it, or several have the address."""
    name = name.strip()
    people = User.objects.filter(is_active=True)
    person = people.filter(username__iexact=name).first() if name else None
    if person is None and "@" in name:
        by_mail = list(people.filter(email__iexact=name)[:2])
        person = by_mail[0] if len(by_mail) == 1 else None
    return person


def ids_with_address(email: str) -> list[int]:
    """Ids of the active people with this e-mail address, ignoring case. Always one query."""
    rows = User.objects.filter(is_active=True, email__iexact=email.strip()).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:_MAX_ACCOUNTS])


def create(username: str, *, email: str = "", full_name: str = "", superuser: bool = False) -> tuple[User, str]:
    """Create an account; return it with its generated password, which is not stored. Raises NameTaken.

    A superuser administers the console: people, teams, the whole audit log. Workspaces still require membership.

    The e-mail address counts as verified: the operator who runs the command vouches for it.
    """
    password = generated_password()
    with transaction.atomic():
        taken = User.objects.filter(username__iexact=username).exists()
        if taken or (email and User.objects.filter(email__iexact=email).exists()):
            raise NameTaken
        first_name, _, last_name = full_name.partition(" ")
        person = User.objects.create_user(
            username, email=email, password=password, first_name=first_name, last_name=last_name, is_superuser=superuser
        )
        if email:
            EmailAddress.objects.create(user=person, email=email.lower(), primary=True, verified=True)
        audit_log.record(CONSOLE, "person.create", person, superuser=superuser)
    return person, password

"""Accounts of people: made by a command until they are invited; nobody signs up."""

import secrets

from allauth.account.models import EmailAddress
from django.db import transaction

from workflows_ui.models import User
from workflows_ui.services import audit
from workflows_ui.services.audit import CONSOLE

#: Without the characters that are easily taken for each other.
_LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

#: An address is one person's; what has come otherwise into a database is not mailed without end.
_MOST = 5


class NameTaken(Exception):
    """An account with this user name (in any case) or e-mail address exists."""


def generated_password() -> str:
    """A password of 20 characters (more than 110 bits), in groups of five so that it can be read and typed."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def first() -> User | None:
    """The account that was made first, None where there is none yet."""
    return User.objects.order_by("pk").first()


def named(who: str) -> User | None:
    """The active person with this user name or e-mail address, in any case; None for nobody, and where an address is not one person's."""
    who = who.strip()
    people = User.objects.filter(is_active=True)
    person = people.filter(username__iexact=who).first() if who else None
    if person is None and "@" in who:
        by_mail = list(people.filter(email__iexact=who)[:2])
        person = by_mail[0] if len(by_mail) == 1 else None
    return person


def with_address(email: str) -> list[int]:
    """Ids of the active people who have this e-mail address, in any case. One query, whether or not there is anybody."""
    found = User.objects.filter(is_active=True, email__iexact=email.strip()).order_by("pk")
    return list(found.values_list("pk", flat=True)[:_MOST])


def create(username: str, *, email: str = "", full_name: str = "", superuser: bool = False) -> tuple[User, str]:
    """A new account and its generated password, which is kept nowhere. Raises NameTaken.

    A superuser looks after the console: people, teams, the whole audit log. Workspaces are closed to them like to anybody else.

    The e-mail address is taken as the person's own: whoever runs the command vouches for it.
    """
    password = generated_password()
    with transaction.atomic():
        taken = User.objects.filter(username__iexact=username).exists()
        if taken or (email and User.objects.filter(email__iexact=email).exists()):
            raise NameTaken
        first_name, _, last_name = full_name.partition(" ")
        person = User.objects.create_user(
            username,
            email=email,
            password=password,
            first_name=first_name,
            last_name=last_name,
            is_superuser=superuser,
        )
        if email:
            EmailAddress.objects.create(user=person, email=email.lower(), primary=True, verified=True)
        audit.record(
            CONSOLE,
            "person.create",
            object_type="person",
            object_id=str(person.pk),
            object_name=person.label,
            superuser=superuser,
        )
    return person, password

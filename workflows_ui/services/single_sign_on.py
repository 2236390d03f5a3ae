"""Whose account a single sign-on opens: the one it opened before, the one with the same confirmed address, or a new one.

- An identity (issuer and subject) that was joined to an account opens that account, whatever its address has become since.
- An account is joined only by an e-mail address that both sides have confirmed. A superuser's is joined by nobody but themselves: the
  right to everything must not hang on what another system says of an address.
- A new account is made only where the confirmed address lies in one of OIDC_ALLOWED_DOMAINS, or one of the groups that the provider
  names is one of OIDC_ALLOWED_GROUPS. It has no password. Once made it stays until it is switched off here.
"""

import enum
import re
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from workflows_ui.models import Identity, User
from workflows_ui.services import audit
from workflows_ui.services.audit import Actor
from workflows_ui.services.oidc import Claims

_LONGEST_USERNAME = 60


class Why(enum.Enum):
    """Why nobody is signed in."""

    UNVERIFIED = "unverified"
    NOT_ALLOWED = "not_allowed"
    UNCONFIRMED_HERE = "unconfirmed_here"
    SUPERUSER = "superuser"


class Refused(Exception):
    """The provider knows this person, and the console does not let them in; `why` says why."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


def offered() -> bool:
    """Whether single sign-on is set up."""
    return bool(settings.OIDC_ISSUER)


def person(actor: Actor, claims: Claims) -> User:
    """The account that these claims open, made or joined where that is allowed. Raises Refused.

    The person may be switched off: whoever signs them in looks at that.
    """
    try:
        with transaction.atomic():
            return _known(claims) or _joined(actor, claims) or _made(actor, claims)
    except IntegrityError:
        # Two first sign-ins at once: one of them has made what the other one finds.
        found = _known(claims)
        if found is None:
            raise
        return found


def _known(claims: Claims) -> User | None:
    identity = Identity.objects.filter(issuer=claims.issuer, subject=claims.subject).select_related("user").first()
    if identity is None:
        return None
    Identity.objects.filter(pk=identity.pk).update(last_used_at=timezone.now())
    return identity.user


def _joined(actor: Actor, claims: Claims) -> User | None:
    """The account with the same address, joined to this identity; None where there is none."""
    if not claims.email:
        return None
    confirmed = EmailAddress.objects.filter(email__iexact=claims.email, verified=True).select_related("user").first()
    if confirmed is None:
        taken = User.objects.filter(email__iexact=claims.email).exists()
        if taken or EmailAddress.objects.filter(email__iexact=claims.email, primary=True).exists():
            raise Refused(Why.UNCONFIRMED_HERE)
        return None
    found: User = confirmed.user
    if found.is_superuser:
        raise Refused(Why.SUPERUSER)
    _bind(found, claims)
    _record(actor, found, "person.single_sign_on_join", claims)
    return found


def _made(actor: Actor, claims: Claims) -> User:
    domain = claims.email.rpartition("@")[2]
    by_domain = bool(domain) and domain in {one.lower() for one in settings.OIDC_ALLOWED_DOMAINS}
    by_group = bool(claims.groups & set(settings.OIDC_ALLOWED_GROUPS))
    if not (by_domain or by_group):
        raise Refused(Why.UNVERIFIED if claims.unverified else Why.NOT_ALLOWED)
    found = User.objects.create_user(
        _free_name(claims), email=claims.email, first_name=claims.first_name[:150], last_name=claims.last_name[:150]
    )
    if claims.email:
        EmailAddress.objects.create(user=found, email=claims.email, primary=True, verified=True)
    _bind(found, claims)
    _record(actor, found, "person.create", claims, by="domain" if by_domain else "group")
    return found


def _bind(user: User, claims: Claims) -> None:
    Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject, last_used_at=timezone.now())


def _free_name(claims: Claims) -> str:
    """A user name that nobody has, made from what the provider calls the person."""
    wished = claims.username.partition("@")[0] or claims.email.partition("@")[0]
    name = re.sub(r"[^\w.+-]", "", wished)[:_LONGEST_USERNAME] or "person"
    number, free = 1, name
    while User.objects.filter(username__iexact=free).exists():
        number += 1
        free = f"{name}{number}"
    return free


def _record(actor: Actor, user: User, action: str, claims: Claims, **detail: Any) -> None:
    audit.record(
        actor,
        action,
        object_type="person",
        object_id=str(user.pk),
        object_name=user.label,
        issuer=claims.issuer,
        subject=claims.subject,
        **detail,
    )

"""Find or create the account for a single sign-on: the linked one, the one with the same confirmed address, or a new one.

- A linked identity (issuer and subject) always opens its account, even after a change of its address.
- An account is linked only by an e-mail address that both sides have confirmed. A superuser's is never linked by address: unlimited
  rights must not depend on another system's statement about an address.
- A new account is created only if the confirmed address is in one of OIDC_ALLOWED_DOMAINS, or one of the provider's groups is in
  OIDC_ALLOWED_GROUPS. It has no password. It exists until it is deactivated here.
"""

import re

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.accounts.models import Identity, User
from workflows_ui.accounts.services.oidc import Claims
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor

_LONGEST_USERNAME = 60


class Why(models.TextChoices):
    """Reasons for a refused sign-in."""

    UNVERIFIED = "unverified", _("Your email address is not confirmed there. Have it confirmed, then try again.")
    NOT_ALLOWED = "not_allowed", _("This console is not open to your account there. Ask your administrator.")
    UNCONFIRMED_HERE = (
        "unconfirmed_here",
        _(
            "There is an account with your email address, but the address was never confirmed. Sign in "
            "with the password, and ask your administrator."
        ),
    )
    SUPERUSER = "superuser", _("The account with your email address is an administrator's. Sign in with its password.")


class Refused(Exception):
    """The provider authenticated the person, but the console refuses them; `why` is the reason."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why


def enabled() -> bool:
    return bool(settings.OIDC_ISSUER)


def person(actor: Actor, claims: Claims) -> User:
    """The account for these claims, created or linked if that is allowed. Raises Refused.

    The account may be inactive: the sign-in checks that.
    """
    try:
        with transaction.atomic():
            return _linked_account(claims) or _link_by_address(actor, claims) or _create_account(actor, claims)
    except IntegrityError:
        # Two concurrent first sign-ins: the other one has created the account.
        account = _linked_account(claims)
        if account is None:
            raise
        return account


def _linked_account(claims: Claims) -> User | None:
    identity = Identity.objects.filter(issuer=claims.issuer, subject=claims.subject).select_related("user").first()
    if identity is None:
        return None
    Identity.objects.filter(pk=identity.pk).update(last_used_at=timezone.now())
    return identity.user


def _link_by_address(actor: Actor, claims: Claims) -> User | None:
    """Link the account with the same address to this identity and return it, or None."""
    if not claims.email:
        return None
    confirmed = EmailAddress.objects.filter(email__iexact=claims.email, verified=True).select_related("user").first()
    if confirmed is None:
        taken = User.objects.filter(email__iexact=claims.email).exists()
        if taken or EmailAddress.objects.filter(email__iexact=claims.email, primary=True).exists():
            raise Refused(Why.UNCONFIRMED_HERE)
        return None
    account: User = confirmed.user
    if account.is_superuser:
        raise Refused(Why.SUPERUSER)
    _add_identity(actor, account, claims, "person.single_sign_on_join")
    return account


def _create_account(actor: Actor, claims: Claims) -> User:
    domain = claims.email.rpartition("@")[2]
    by_domain = bool(domain) and domain in {name.lower() for name in settings.OIDC_ALLOWED_DOMAINS}
    by_group = bool(claims.groups & set(settings.OIDC_ALLOWED_GROUPS))
    if not (by_domain or by_group):
        raise Refused(Why.UNVERIFIED if claims.unverified else Why.NOT_ALLOWED)
    account = User.objects.create_user(
        _unused_name(claims), email=claims.email, first_name=claims.first_name[:150], last_name=claims.last_name[:150]
    )
    if claims.email:
        EmailAddress.objects.create(user=account, email=claims.email, primary=True, verified=True)
    _add_identity(actor, account, claims, "person.create", by="domain" if by_domain else "group")
    return account


def _add_identity(actor: Actor, user: User, claims: Claims, action: str, **detail: object) -> None:
    Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject, last_used_at=timezone.now())
    audit_log.record(actor, action, user, issuer=claims.issuer, subject=claims.subject, detail=detail)


def _unused_name(claims: Claims) -> str:
    """An unused user name, derived from the provider's claims."""
    preferred = claims.username.partition("@")[0] or claims.email.partition("@")[0]
    name = re.sub(r"[^\w.+-]", "", preferred)[:_LONGEST_USERNAME] or "person"
    number, candidate = 1, name
    while User.objects.filter(username__iexact=candidate).exists():
        number += 1
        candidate = f"{name}{number}"
    return candidate

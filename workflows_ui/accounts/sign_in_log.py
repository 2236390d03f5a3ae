"""Audit rows of authentication: sign-ins, failures and sign-outs; changes of second steps and passwords.

The sources are allauth's signals and the hooks of its adapter.
"""

from dataclasses import replace
from typing import Protocol

import structlog
from allauth.account import signals as account_signals
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from workflows_ui.accounts.models import User
from workflows_ui.accounts.services import second_step, sessions
from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log

log = structlog.get_logger(__name__)
_DIGEST = 16


class Receiver(Protocol):
    """A receiver of a signal of allauth about a person."""

    def __call__(self, request: HttpRequest, user: User, **more: object) -> None: ...


def connect() -> None:
    """Connect to allauth's signals. Called once, at start-up."""
    for signal, receiver in (
        (account_signals.user_logged_in, _signed_in),
        (account_signals.password_changed, _recorded("person.password_change")),
        (account_signals.password_set, _recorded("person.password_change")),
        (account_signals.password_reset, _recorded("person.password_reset")),
        (account_signals.email_changed, _address_changed),
        (mfa_signals.authenticator_added, _step_added),
        (mfa_signals.authenticator_removed, _step_removed),
        (mfa_signals.authenticator_reset, _recorded("person.recovery_codes_make")),
        (mfa_signals.authenticator_used, _step_used),
        (mfa_signals.authentication_failed, _step_failed),
    ):
        signal.connect(receiver, weak=False, dispatch_uid=f"sign_in_log{id(signal)}")


def failed(request: HttpRequest, name: str) -> None:
    """Record a failed sign-in. An unknown name is stored only as a digest, since people type passwords into the wrong field."""
    person = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).order_by("pk").first()
    if person is not None:
        record(request, person, "person.sign_in", outcome="refused")
        return
    digest = salted_hmac("sign-in-name", name.lower(), algorithm="sha256").hexdigest()[:_DIGEST]
    record_unknown(request, name_digest=digest)


def codes_seen(request: HttpRequest, user: User) -> None:
    record(request, user, "person.recovery_codes_look")


def passkey_refused(request: HttpRequest, passkey: Authenticator, *, counter: int, last: int) -> None:
    """Record the use of a passkey of which there may be a copy, and mail its owner."""
    person, name = passkey.user, passkey.wrap().name
    log.warning("passkey.copied", person=person.pk, passkey=passkey.pk, counter=counter, last=last)
    record(request, person, "person.passkey_use", outcome="refused", name=name, counter=counter, last=last)
    get_adapter(request).send_notification_mail("mfa/email/passkey_refused", person, {"name": name})


def signed_out(request: HttpRequest) -> None:
    if request.user.is_authenticated:
        record(request, request.user, "person.sign_out")


def _signed_in(request: HttpRequest, user: User, **_more: object) -> None:
    ways = [str(record.get("type") or record.get("method")) for record in get_authentication_records(request, user)]
    record(request, user, "person.sign_in", ways=ways)
    if not request.session.session_key:
        request.session.save()
    sessions.keep_to_limit(replace(actor(request), user=user), user, str(request.session.session_key))


def _recorded(action: str) -> Receiver:
    """A receiver that only records the action."""
    return lambda request, user, **_more: record(request, user, action)


def _address_changed(
    request: HttpRequest,
    user: User,
    to_email_address: EmailAddress,
    from_email_address: EmailAddress | None = None,
    **_more: object,
) -> None:
    before = from_email_address.email if from_email_address else ""
    record(request, user, "person.address_change", before=before, after=to_email_address.email)


def _step_added(request: HttpRequest, user: User, authenticator: Authenticator, **_more: object) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        # They are created with the first second step, and are not a second step on their own.
        record(request, user, "person.recovery_codes_make")
        return
    record(request, user, "person.second_step_add", kind=authenticator.type)
    # Sessions opened elsewhere with the password alone have to sign in again, with the second step.
    others = Authenticator.objects.filter(user=user).exclude(pk=authenticator.pk)
    if not others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
        sessions.end_others(actor(request), user, but=request.session.session_key)


def _step_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_more: object) -> None:
    record(request, user, "person.second_step_remove", kind=authenticator.type, left=second_step.has(user))


def _step_used(request: HttpRequest, user: User, authenticator: Authenticator, **_more: object) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        record(request, user, "person.recovery_code_use")


def _step_failed(request: HttpRequest, user: User, authenticator: Authenticator, **_more: object) -> None:
    record(request, user, "person.second_step", outcome="refused", kind=authenticator.type)


def record(request: HttpRequest, person: User, action: str, *, outcome: str = "done", **detail: object) -> None:
    """Add a row about a person. A failed sign-in has no actor, since the claimed person is not authenticated."""
    acting = actor(request)
    if acting.user is None and outcome != "refused":
        acting = replace(acting, user=person)
    audit_log.record(acting, action, person, outcome=outcome, detail=detail)


def record_unknown(request: HttpRequest, **detail: object) -> None:
    """Add a row about a failed sign-in to an unknown account, such as one with a passkey or by single sign-on."""
    nobody = replace(actor(request), user=None)
    audit_log.record(nobody, "person.sign_in", object_type="person", outcome="refused", detail=detail)

"""What the audit log keeps of signing in: who came, how, who failed, who left; second steps and passwords that changed.

allauth says these things by its signals and the hooks of its adapter; here they become rows.
"""

from dataclasses import replace
from typing import Any

from allauth.account import signals as account_signals
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from workflows_ui.kit.request import actor
from workflows_ui.models import User
from workflows_ui.services import audit, second_step, sessions
from workflows_ui.services.audit import Actor

_DIGEST = 16


def connect() -> None:
    """Listens to allauth. Called once, at start."""
    for signal, receiver in (
        (account_signals.user_logged_in, _signed_in),
        (account_signals.password_changed, _password_changed),
        (account_signals.password_set, _password_changed),
        (account_signals.password_reset, _password_reset),
        (account_signals.email_changed, _address_changed),
        (mfa_signals.authenticator_added, _step_added),
        (mfa_signals.authenticator_removed, _step_removed),
        (mfa_signals.authenticator_reset, _codes_made),
        (mfa_signals.authenticator_used, _step_used),
        (mfa_signals.authentication_failed, _step_failed),
    ):
        signal.connect(receiver, dispatch_uid=f"sign_in_log{receiver.__name__}{id(signal)}")


def failed(request: HttpRequest, name: str) -> None:
    """A sign-in that failed. People type passwords into the wrong field: a name that nobody has is kept as a digest only."""
    person = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name)).order_by("pk").first()
    if person is not None:
        _write(request, person, "person.sign_in", outcome="refused")
        return
    digest = salted_hmac("sign-in-name", name.lower(), algorithm="sha256").hexdigest()[:_DIGEST]
    audit.record(_at_the_door(request), "person.sign_in", object_type="person", outcome="refused", name_digest=digest)


def passkey_failed(request: HttpRequest) -> None:
    """A passkey that opened nothing: whose it is, nobody can say."""
    audit.record(_at_the_door(request), "person.sign_in", object_type="person", outcome="refused", ways=["passkey"])


def passkey_renamed(request: HttpRequest, before: str, after: str) -> None:
    """Somebody calls a passkey of theirs something else."""
    _write(request, request.user, "person.passkey_rename", before=before, after=after)


def codes_seen(request: HttpRequest) -> None:
    """Somebody looks at their recovery codes, or takes them as a file."""
    _write(request, request.user, "person.recovery_codes_look")


def single_sign_on_failed(request: HttpRequest, why: str) -> None:
    """Somebody came back from the provider, and no account was opened: whose it would have been, nobody can say."""
    audit.record(
        _at_the_door(request),
        "person.sign_in",
        object_type="person",
        outcome="refused",
        ways=["single_sign_on"],
        why=why,
    )


def signed_out(request: HttpRequest) -> None:
    """Somebody leaves."""
    if request.user.is_authenticated:
        _write(request, request.user, "person.sign_out")


def _signed_in(request: HttpRequest, user: User, **_more: Any) -> None:
    ways = [str(record.get("type") or record.get("method")) for record in get_authentication_records(request, user)]
    _write(request, user, "person.sign_in", ways=ways)


def _password_changed(request: HttpRequest, user: User, **_more: Any) -> None:
    _write(request, user, "person.password_change")


def _password_reset(request: HttpRequest, user: User, **_more: Any) -> None:
    _write(request, user, "person.password_reset")


def _address_changed(request: HttpRequest, user: User, **more: Any) -> None:
    old, new = more.get("from_email_address"), more["to_email_address"]
    _write(request, user, "person.address_change", before=old.email if old else "", after=new.email)


def _step_added(request: HttpRequest, user: User, authenticator: Authenticator, **_more: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        # They come with the first second step, and are none by themselves.
        _write(request, user, "person.recovery_codes_make")
        return
    _write(request, user, "person.second_step_add", kind=authenticator.type)
    # Whoever came in elsewhere with the password alone has to come again, with the second step.
    others = Authenticator.objects.filter(user=user).exclude(pk=authenticator.pk)
    if not others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists():
        sessions.end_others(actor(request), user, but=request.session.session_key)


def _step_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_more: Any) -> None:
    _write(request, user, "person.second_step_remove", kind=authenticator.type, left=second_step.has(user))


def _codes_made(request: HttpRequest, user: User, **_more: Any) -> None:
    _write(request, user, "person.recovery_codes_make")


def _step_used(request: HttpRequest, user: User, authenticator: Authenticator, **_more: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        _write(request, user, "person.recovery_code_use")


def _step_failed(request: HttpRequest, user: User, authenticator: Authenticator, **_more: Any) -> None:
    _write(request, user, "person.second_step", outcome="refused", kind=authenticator.type)


def _at_the_door(request: HttpRequest) -> Actor:
    return replace(actor(request), user=None)


def _write(request: HttpRequest, person: Any, action: str, *, outcome: str = "done", **detail: Any) -> None:
    """One row about a person. Who failed is not taken for the person they claimed to be: the row then names nobody as its actor."""
    who = actor(request)
    if outcome == "refused" and not request.user.is_authenticated:
        who = _at_the_door(request)
    elif who.user is None:
        who = replace(who, user=person)
    audit.record(
        who,
        action,
        object_type="person",
        object_id=str(person.pk),
        object_name=person.label,
        outcome=outcome,
        **detail,
    )

"""Every secret that the code knows, and under which name the hunt looks for it: what is added to the code is added here, or a test fails.

Found by reading the code: kinds of credentials, sealed columns, columns whose names speak of secrets, password fields of forms, settings.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django import forms
from django.apps import apps

from workflows_ui.core.crypto import SealsFields
from workflows_ui.credentials.models import CredentialKind

#: What each part of the hunt hides, by its module.
HUNTED: dict[str, set[str]] = {
    "test_nowhere": {
        *(f"credential {kind}" for kind in CredentialKind.values),
        "launch input",
        "one-time code",
        "password of a sign-in",
        "tokens of the engine",
    },
    "test_engine": {
        "app client secret",
        "code of the app",
        "app connection secret",
        "credential bearer_token",
        "engine invitation token",
        "MCP token",
        "password kept on request",
        "refused password",
        "refused secret",
        "secret kept for putting back",
    },
    "test_addresses": {
        "Credential.password",
        "Credential.secret",
        "CredentialSecret.password",
        "CredentialSecret.secret",
        "typed into a form",
    },
    "test_people": {
        "address key",
        "changed password",
        "code of single sign-on",
        "invitation token, copied",
        "invitation token, mailed",
        "OIDC_CLIENT_SECRET",
        "password by reset",
        "password of joining",
        "password that is too weak",
        "password-reset key",
        "recovery code",
        "session key",
        "TOTP secret",
        "wrong old password",
        "wrong password",
    },
    "test_secret_fields": {"secret fields"},
    "test_run_data": {"secrets in a payload", "values of another's launch"},
    "test_settings": {
        "CACHE_URL",
        "CELERY_BROKER_URL",
        "DATABASE_URL",
        "EMAIL_URL",
        "METRICS_TOKEN",
        "OIDC_CLIENT_SECRET",
        "PRACTICE_ENGINE_TOKEN",
    },
}
#: The console's own keys are looked for by every part.
OWN = {"SECRET_KEY", "CREDENTIAL_KEYS", "AUDIT_KEY"}
#: What is looked for that the code speaks of, by its place there.
LOOKED_FOR: dict[str, str] = {
    "Authenticator.data": "TOTP secret",
    "ChangePasswordForm.oldpassword": "wrong old password",
    "ChangePasswordForm.password1": "changed password",
    "ChangePasswordForm.password2": "changed password",
    "ColleagueInvitation.link_digest": "invitation token, copied",
    "ColleagueInvitation.mail_digest": "invitation token, mailed",
    "CredentialForm.password": "refused password",
    "CredentialForm.secret": "refused secret",
    "EmailConfirmation.key": "address key",
    "JoinForm.password1": "password of joining",
    "JoinForm.password2": "password that is too weak",
    "ChannelForm.address": "typed into a form",
    "Launch.answer": "launch input",
    "Launch.payload": "launch input",
    "NewPasswordForm.password1": "password by reset",
    "NewPasswordForm.password2": "password that is too weak",
    "PasswordAgainForm.password": "wrong password",
    "ReplaceForm.password": "refused password",
    "ReplaceForm.secret": "refused secret",
    "SecretForm.password": "refused password",
    "SecretForm.secret": "refused secret",
    "Session.session_data": "password-reset key",
    "Session.session_key": "session key",
    "SetPasswordForm.password1": "typed into a form",
    "SetPasswordForm.password2": "typed into a form",
    "SignInForm.password": "wrong password",
    "User.password": "password of joining",
    "UserSession.data": "session key",
    "UserSession.session_key": "session key",
}
_SEALED = "sealed by the same code as the columns of credentials; what is in it is its reader's own"
_PLAIN = "opens nothing"
#: What only sounds like a secret, and why it is not one.
NO_SECRET: dict[str, str] = {
    **dict.fromkeys(("Launch.failure", "LaunchFile.data", "LaunchForm.before", "LaunchForm.draft"), _SEALED),
    **dict.fromkeys(("DeletedObject.content", "FlowEdit.content", "LaunchFormVersion.schema", "Note.text"), _SEALED),
    **dict.fromkeys(("SavedInputs.payload", "Job.data", "IndexedRun.message", "FailurePattern.note"), _SEALED),
    **dict.fromkeys(("RunValues.content", "UnclearWrite.content"), _SEALED),
    **dict.fromkeys(("UnclearWrite.claim", "UnclearWrite.claim_until"), _PLAIN),
    **dict.fromkeys(("Job.claim", "Job.claim_until", "Launch.claim", "Launch.claim_until", "Launch.ticket"), _PLAIN),
    **dict.fromkeys(("IndexedObject.data", "ObjectUse.key"), "ids, names and states, which object_rows.py lists"),
    **dict.fromkeys(("Failure.key", "LaunchFile.key", "Notice.key", "Permission.codename", "Capability.code"), _PLAIN),
    **dict.fromkeys(("Workspace.marker_seen_at", "Workspace.secrets_version", "User.session_generation"), _PLAIN),
    **dict.fromkeys(("User.digest_hour", "User.digested_at"), _PLAIN),
    **dict.fromkeys(
        (f"{model}.{name}" for model in ("AuditChain", "AuditCheckpoint") for name in ("key", "mark", "signature")),
        "a digest made with AUDIT_KEY, or that key's number",
    ),
    **dict.fromkeys(("AuditEvent.key", "AuditEvent.mark"), "a digest made with AUDIT_KEY, or that key's number"),
    **dict.fromkeys(("ExpiringValue.key", "KnownBrowser.digest"), "a digest made with SECRET_KEY"),
    **dict.fromkeys(
        ("CredentialShare.mark", "FailureRule.mark", "Job.mark", "Launch.mark", "Workspace.mark"),
        "a mark: what is sealed in it is the same word everywhere",
    ),
    **dict.fromkeys(
        ("AlarmChannel.address", "AlarmChannel.signing_key"),
        "sealed by the same code; on no page but the one that adds it: tests/alarms/test_channels.py",
    ),
    "AuditEvent.session": "a digest of the session's key",
    "BASE_URL": "refused with a password in it",
    "ENGINE_PROXY": "refused with a password in it: test_settings.py",
    **dict.fromkeys(("FailurePattern.fingerprint", "IndexedRun.fingerprint"), "made with the key of the run index"),
    "JobPart.data": "an export's file, for the person who asked for it",
    **dict.fromkeys(("Launch.payload_digest", "UnclearWrite.values_digest"), "made with SECRET_KEY"),
    "Launch.secret_marks": "places, lengths and digests made with SECRET_KEY",
    "RunIndex.word_key": "sealed by the same code; it is on no page: tests/run_index/test_indexed_search.py",
    "PRACTICE_ENGINE_URL": "refused with a password in it",
}

ROOT = Path(__file__).resolve().parents[2]
#: Names that speak of something secret.
_SPEAKS = re.compile(
    r"secret|token|passw|digest|ticket|key|seed|claim|signature|mark|fingerprint|code|session|data", re.IGNORECASE
)
_SETTING = re.compile(r"""read\.(\w+)\(\s*"([A-Z_]+)\"""")
_SECRET_SETTING = re.compile(r"KEY|SECRET|TOKEN|PASSWORD")
_ADDRESS_SETTING = re.compile(r"_URL$|_PROXY$")


def kinds() -> set[str]:
    """Kinds of credentials."""
    return {f"credential {kind}" for kind in CredentialKind.values}


def columns() -> set[str]:
    """`Model.field` of every column that is sealed or whose name speaks of a secret."""
    found = set()
    for model in apps.get_models():
        sealed = model.sealed_fields if issubclass(model, SealsFields) else ()
        names = {field.name for field in model._meta.fields if not field.is_relation}
        found |= {f"{model.__name__}.{name}" for name in names if name in sealed or _SPEAKS.search(name)}
    return found


def password_fields() -> set[str]:
    """`Form.field` of every field that a page shows as dots."""
    return {
        f"{form.__name__}.{name}"
        for form in _all(forms.BaseForm)
        if form.__module__.startswith("workflows_ui")
        for name, field in getattr(form, "base_fields", {}).items()
        if isinstance(field.widget, forms.PasswordInput)
    }


def settings() -> set[str]:
    """Settings that hold a secret, or an address that may have a password in it."""
    source = (ROOT / "console" / "settings.py").read_text(encoding="utf-8")
    return {
        name
        for reader, name in _SETTING.findall(source)
        if reader in {"secret", "secrets", "keys", "database", "cache", "broker", "email"}
        or _SECRET_SETTING.search(name)
        or _ADDRESS_SETTING.search(name)
    }


def _all(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from _all(one)

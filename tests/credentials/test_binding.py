"""`manage.py bind_credentials` binds secrets of an earlier version once, but not where a row looks changed."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.users import Users, credential, gather, workspace
from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.services import audit_log, hash_chain
from workflows_ui.core import clock, crypto
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.models import Credential, CredentialKind, CredentialSecret
from workflows_ui.members.models import Workspace

pytestmark = pytest.mark.both_databases

SECRET = "a-secret-of-before"


def old(row: Any, field: str = "secret", value: str = SECRET) -> None:
    """Seals a column as an earlier version did."""
    place = f"{row._meta.label_lower}:{row.pk}:{field}"
    type(row)._default_manager.filter(pk=row.pk).update(**{field: crypto.seal(value, place)})


def tell(row: Any, action: str = "credential.add", user: Any = None, **detail: Any) -> None:
    detail = detail or {"kind": str(row.kind)}
    audit_log.record(
        audit_log.Actor(user),
        action,
        workspace=row if isinstance(row, Workspace) else row.workspace,
        object_type="workspace" if isinstance(row, Workspace) else "credential",
        object_id=str(row.slug if isinstance(row, Workspace) else row.pk),
        **detail,
    )


def run(*options: str) -> str:
    out = StringIO()
    try:
        call_command("bind_credentials", *options, stdout=out)
    except CommandError as problem:
        return f"{out.getvalue()}{problem}"
    return out.getvalue()


@pytest.fixture
def here(db: None) -> Users:
    """People around a workspace, as an earlier version left them."""
    made = gather(workspace("sales"), SECRET)
    Workspace.objects.update(mark="")
    tell(made.workspace, "workspace.create", address=made.workspace.address, project=made.workspace.project_id)
    for row in Credential.objects.select_related("workspace", "owner"):
        old(row)
        tell(row, user=row.owner)
    hash_chain.seal()
    return made


def opens(row: Credential) -> bool:
    try:
        return Credential.objects.get(pk=row.pk).open("secret") == SECRET
    except CannotOpen:
        return False


def test_the_command_binds_what_is_as_the_audit_log_says_once(here: Users) -> None:
    aside = CredentialSecret(credential=here.credential, kind=CredentialKind.BEARER_TOKEN)
    aside.replaced_at = aside.keep_until = clock.now()
    aside.save()
    old(aside)
    assert not opens(here.credential)
    output = run("--check")
    assert "0 bound already, 4 to bind, 0 look changed" in output
    assert not opens(here.credential)
    output = run()
    assert f"bound: Credential {here.credential.pk} “My key” in sales" in output
    assert "0 bound already, 4 bound, 0 look changed" in output
    assert opens(here.credential)
    assert CredentialSecret.objects.get(pk=aside.pk).open("secret") == SECRET
    assert "4 bound already, 0 bound, 0 look changed" in run()
    assert SECRET not in output


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"owner": "stranger"}, "another owner in the audit log"),
        ({"kind": CredentialKind.BEARER_SIGN_IN}, "another kind in the audit log"),
        ({"workspace": "else"}, "another workspace in the audit log"),
        ({"secret": "gAAAA-damaged"}, "no key opens it"),
        ({"secret": "other"}, "it is bound to other values, or was copied from another row"),
    ],
)
def test_what_looks_changed_is_left_and_reported(here: Users, change: dict[str, Any], why: str) -> None:
    others = {
        "stranger": here.stranger,
        "else": workspace("else", project="E" * 21),
        "other": Credential.objects.get(owner=here.colleague).secret,
    }
    values = {name: others.get(value, value) for name, value in change.items()}
    Credential.objects.filter(pk=here.credential.pk).update(**values)
    before = Credential.objects.values().get(pk=here.credential.pk)
    output = run()
    assert f"looks changed: Credential {here.credential.pk}" in output
    assert why in output
    assert "Undo the change in the database and run this again" in output
    assert Credential.objects.values().get(pk=here.credential.pk) == before
    assert not opens(here.credential)
    assert opens(Credential.objects.get(owner=here.colleague))


def test_of_a_workspace_that_leads_elsewhere_nothing_is_bound(here: Users) -> None:
    Workspace.objects.update(address="https://evil.example/api")
    output = run()
    assert output.count("another address in the audit log") == 3
    assert not Workspace.objects.get().genuine
    # Undone, the command binds what it left.
    Workspace.objects.update(address=here.workspace.address)
    assert "3 bound, 0 look changed" in run()
    assert opens(here.credential)


def test_what_the_audit_log_says_nothing_of_is_bound_only_where_that_is_asked_for(here: Users) -> None:
    """After the migration a row without a mark, or with an old ciphertext, is somebody's work."""
    other = workspace("else", project="E" * 21)
    row = credential(other, here.stranger, SECRET)
    Workspace.objects.filter(pk=other.pk).update(mark="")
    old(row)
    assert run().count("it is not in the audit log") == 2
    assert not opens(row)
    assert "2 bound, 0 look changed" in run("--unknown")
    assert opens(row)


def test_a_forged_row_of_the_audit_log_is_not_believed(here: Users) -> None:
    Credential.objects.filter(pk=here.credential.pk).update(owner=here.stranger)
    output = AuditEvent.objects.filter(object_id=str(here.credential.pk)).first()
    assert output is not None
    forged = AuditEvent(**{field.attname: getattr(output, field.attname) for field in AuditEvent._meta.concrete_fields})
    forged.pk, forged.user_id, forged.number = None, here.stranger.pk, 900
    forged.canonical = forged.compute_canonical()
    forged.save(force_insert=True)
    assert "another owner in the audit log" in run()

"""Rotation of the encryption keys: everything sealed is re-sealed, while others write, and can be stopped in between."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test.utils import override_settings

from tests import users
from workflows_ui.core import crypto
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import key_rotation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]
ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def run(*options: str) -> str:
    out = StringIO()
    call_command("rotate_credential_keys", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def row() -> Credential:
    """A credential sealed with the old key."""
    with override_settings(CREDENTIAL_KEYS=[OLD]):
        made = users.credential(users.workspace("sales"), users.person("ada"), "secret-of-ada")
        made.password = made.seal("password", "password-of-ada")
        made.save()
    return made


@pytest.mark.both_databases
def test_what_an_old_key_sealed_opens_with_the_new_one_alone_afterwards(row: Credential) -> None:
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]):
        with pytest.raises(CommandError, match="3 values still need an old key"):
            run("--check")
        assert "Credential.secret: 0 current, 1 re-sealed" in run()
        assert "Credential.secret: 1 current, 0 re-sealed" in run()
        assert "can be removed" in run("--check")
    row.refresh_from_db()
    with override_settings(CREDENTIAL_KEYS=[NEW]):
        assert (row.open("secret"), row.open("password")) == ("secret-of-ada", "password-of-ada")


@pytest.mark.both_databases
def test_a_check_changes_nothing(row: Credential) -> None:
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]), pytest.raises(CommandError):
        run("--check")
    before = row.secret
    row.refresh_from_db()
    assert row.secret == before


@pytest.mark.both_databases
def test_what_no_key_opens_is_counted_and_hinders_nothing(row: Credential) -> None:
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]):
        other = users.credential(row.workspace, users.person("ben"), "secret-of-ben")
        Credential.objects.filter(pk=row.pk).update(secret="gAAAA-damaged")
        with pytest.raises(CommandError, match="1 values open with none"):
            run()
        other.refresh_from_db()
        assert other.open("secret") == "secret-of-ben"


@pytest.mark.both_databases
def test_a_secret_replaced_while_it_is_resealed_is_never_overwritten(
    row: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    truly = crypto.reseal
    replaced: list[str] = []

    def somebody_is_quicker(ciphertext: str) -> str:
        if not replaced:
            replaced.append(row.seal("secret", "a-newer-secret"))
            Credential.objects.filter(pk=row.pk).update(secret=replaced[0])
        return truly(ciphertext)

    monkeypatch.setattr(crypto, "reseal", somebody_is_quicker)
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]):
        run()
        row.refresh_from_db()
        assert row.secret == replaced[0]
        assert row.open("secret") == "a-newer-secret"


@pytest.mark.both_databases
def test_more_rows_than_a_batch_are_all_done(row: Credential, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 2)
    with override_settings(CREDENTIAL_KEYS=[OLD]):
        for number in range(5):
            users.credential(row.workspace, users.person(f"p{number}"), f"secret-number-{number}")
    with override_settings(CREDENTIAL_KEYS=[NEW, OLD]):
        assert "Credential.secret: 0 current, 6 re-sealed" in run()


def test_every_column_that_is_ever_sealed_is_among_those_that_are_rotated() -> None:
    """Every `x.seal("column", ...)` and `x.open("column")` in the code names a column of some model's `sealed_fields`."""
    known = {field for _model, field in key_rotation.columns()}
    found: set[Any] = set()
    for path in (ROOT / "workflows_ui").rglob("*.py"):
        found |= set(re.findall(r"\.(?:seal|open)\(\s*\"(\w+)\"", path.read_text(encoding="utf-8")))
    assert {"secret", "payload", "answer", "failure", "data"} <= found
    assert found <= known


def test_every_model_that_seals_says_which_columns() -> None:
    from django.apps import apps

    silent = [model for model in apps.get_models() if issubclass(model, crypto.SealsFields) and not model.sealed_fields]
    assert silent == []

"""What is encrypted at rest opens only in its own place."""

import pytest
from cryptography.fernet import Fernet
from django.test.utils import override_settings

from tests import users
from workflows_ui.core import crypto
from workflows_ui.credentials.models import Credential

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db]


def test_a_ciphertext_moved_to_another_row_refuses_to_open() -> None:
    space = users.workspace("sales")
    mine = users.credential(space, users.person("mine"), "my-secret-value")
    other = users.credential(space, users.person("other"), "another-secret")
    Credential.objects.filter(pk=other.pk).update(secret=mine.secret)
    other.refresh_from_db()
    assert mine.open("secret") == "my-secret-value"
    with pytest.raises(crypto.CannotOpen):
        other.open("secret")


def test_a_ciphertext_names_its_field_too() -> None:
    row = users.credential(users.workspace("sales"), users.person("mine"), "my-secret-value")
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal(row.secret, f"workflows_ui.credential:{row.pk}:name")


def test_old_keys_still_open_and_the_first_key_seals() -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    with override_settings(CREDENTIAL_KEYS=[old]):
        before = crypto.seal("value", "a:b:c")
    with override_settings(CREDENTIAL_KEYS=[new, old]):
        assert crypto.unseal(before, "a:b:c") == "value"
        after = crypto.seal("value", "a:b:c")
    with override_settings(CREDENTIAL_KEYS=[new]):
        assert crypto.unseal(after, "a:b:c") == "value"
        with pytest.raises(crypto.CannotOpen):
            crypto.unseal(before, "a:b:c")


def test_a_damaged_ciphertext_refuses_to_open() -> None:
    with pytest.raises(crypto.CannotOpen):
        crypto.unseal("gAAAA-nonsense", "a:b:c")


def test_the_secret_is_not_in_the_database_in_clear() -> None:
    row = users.credential(users.workspace("sales"), users.person("mine"), "my-secret-value")
    assert "my-secret-value" not in str(Credential.objects.values_list().get(pk=row.pk))
    assert "my-secret-value" not in repr(row)

"""What was changed in the database is not sent, and is still masked."""

from typing import Any

import pytest

from tests import users
from workflows_ui.audit.services.audit_log import CONSOLE
from workflows_ui.core import clock, masking
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import secret_rotation
from workflows_ui.members.models import Workspace

pytestmark = [pytest.mark.both_databases, pytest.mark.django_db, pytest.mark.usefixtures("no_second_try")]
SECRET, OLD = "a-long-secret-value-123", "an-older-secret-value-456"


def masked(text: str) -> str:
    masking.clear()
    return masking.workspace_mask(Workspace.objects.get(slug="sales")).text(text)


@pytest.fixture
def replaced_credential() -> Credential:
    """A credential with a replaced secret."""
    row = users.gather(users.workspace("sales"), SECRET).credential
    old = Credential.objects.get(pk=row.pk)
    old.secret = old.seal("secret", OLD)
    secret_rotation.put_aside(CONSOLE, old, clock.now())
    return row


def test_secrets_of_a_changed_workspace_or_credential_are_still_masked(replaced_credential: Credential) -> None:
    changes: tuple[tuple[Any, dict[str, str]], ...] = (
        (Workspace.objects.all(), {"address": "http://127.0.0.1:9/evil"}),
        (Credential.objects.all(), {"email": "other@example.com"}),
    )
    for rows, changed in changes:
        rows.update(**changed)
        found = masked(f"{SECRET} {OLD}")
        assert SECRET not in found
        assert OLD not in found


def test_a_ciphertext_of_another_row_masks_nothing(replaced_credential: Credential) -> None:
    other = users.credential(
        users.workspace("hr", project="Q" * 21), replaced_credential.owner, "what-hr-keeps-secret-789"
    )
    Credential.objects.filter(pk=replaced_credential.pk).update(secret=other.secret)
    assert masked("what-hr-keeps-secret-789") == "what-hr-keeps-secret-789"

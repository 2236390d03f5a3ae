"""A practice engine over HTTP, people around a workspace on its gateway, and one on its plain Activepieces."""

import pytest

from tests.practice_engine.fixtures import Practice, practice
from tests.users import Users, gather, workspace
from workflows_ui.core import masking
from workflows_ui.credentials.models import CredentialKind
from workflows_ui.credentials.services import credential_tests
from workflows_ui.engine import Timeouts
from workflows_ui.members.models import Flavour

__all__ = ["practice"]


@pytest.fixture
def no_second_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little time that a read which failed is not tried again; and no mask of another test."""
    monkeypatch.setattr(credential_tests, "TIMEOUTS", Timeouts(connect=2.0, read=2.0, total=2.0))
    masking.clear()


@pytest.fixture
def users(db: None, practice: Practice) -> Users:
    """People around a workspace on the gateway, each with an API key."""
    known = practice.credentials
    space = workspace("sales", flavour=Flavour.IMBRACE, address=practice.gateway, project=known.project_id)
    space.organization_id = known.organization_id
    space.save()
    return gather(space, known.api_key, kind=CredentialKind.API_KEY)


@pytest.fixture
def plain(db: None, practice: Practice) -> Users:
    """People around a workspace on the plain Activepieces, each with its token."""
    known = practice.credentials
    return gather(workspace("sales", address=practice.activepieces, project=known.project_id), known.bearer_token)

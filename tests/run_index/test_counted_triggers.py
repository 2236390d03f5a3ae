"""The board of triggers, counted from the run index where the engine counts nothing."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from tests.run_index.index_scene import read_all, start
from tests.stage import Stage, stage
from tests.stub_engine import text
from workflows_ui.credentials.models import CredentialShare
from workflows_ui.members.models import Role
from workflows_ui.run_index.models import IndexedObject, IndexedRun

__all__ = ["stage"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("stage", ["activepieces"], indirect=True),
]
LIST, WEBHOOK = "/w/sales/triggers/", "@activepieces/piece-webhook"


@pytest.mark.slow
def test_where_the_engine_counts_no_triggers_the_runs_of_the_index_are_counted(stage: Stage) -> None:
    stage.practice.engine.settings.version = "0.83.0"
    assert "has counted no triggers" in text(stage.browser.get(LIST).content)
    start(stage)
    read_all(stage)
    flows = IndexedObject.objects.filter(kind="flows", piece=WEBHOOK).values("object_id")
    since = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=13)
    rows = IndexedRun.objects.filter(flow_id__in=flows, status="SUCCEEDED", archived=None, created__gte=since)
    worked = rows.count()
    assert worked
    page = text(stage.browser.get(LIST).content)
    assert f"{worked} worked" in page
    assert "This engine counts no triggers." in page
    assert "span the whole platform" not in page
    assert "This engine counts no triggers." in text(stage.browser.get(f"{LIST}{WEBHOOK}/").content)
    # Who may not see the index sees no figures of it.
    CredentialShare.objects.all().delete()
    assert "has counted no triggers" in text(stage.as_role(Role.BUILDER).get(LIST).content)

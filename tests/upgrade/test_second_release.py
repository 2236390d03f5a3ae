"""What the second release's migration does to the rows of the first; run on this database, which is migrated back and forth."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from workflows_ui.audit.models import AuditEvent
from workflows_ui.core import crypto
from workflows_ui.credentials.models import Credential
from workflows_ui.credentials.services import sharing
from workflows_ui.jobs.models import Job
from workflows_ui.launches.models import Launch

pytestmark = pytest.mark.both_databases

SECRET = "a-secret-of-before"
FIRST_RELEASE = ("workflows_ui", "0001_first_release")


def migrate_to_newest() -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def before(transactional_db: None) -> Iterator[Any]:
    """The models of the first release, in this database; it is brought up to date afterwards."""
    executor = MigrationExecutor(connection)
    try:
        executor.migrate([FIRST_RELEASE])
        yield executor.loader.project_state([FIRST_RELEASE]).apps
    finally:
        migrate_to_newest()


def make(before: Any, model: str, **values: Any) -> Any:
    return before.get_model("workflows_ui", model).objects.create(**values)


def person(before: Any, name: str) -> Any:
    return make(before, "User", username=name, email=f"{name}@example.com")


def workspace(before: Any) -> Any:
    address = {"flavour": "activepieces", "address": "http://127.0.0.1:9/api", "project_id": "P" * 21}
    return make(before, "Workspace", slug="sales", name="Sales", **address)


def test_team_credentials_have_an_owner_and_a_share(before: Any) -> None:
    ada, ben, eva = (person(before, name) for name in ("ada", "ben", "eva"))
    space = workspace(before)
    make(before, "Member", workspace=space, user=ben, role="manager")
    team = before.get_model("auth", "Group").objects.create(name="Sales")
    made: dict[str, Any] = {}
    for name, owner in (("own", eva), ("told", None), ("untold", None), ("taken", None)):
        group = None if owner else team
        row = make(before, "Credential", workspace=space, owner=owner, team=group, name=name, kind="bearer_token")
        row.secret = crypto.seal(SECRET, f"workflows_ui.credential:{row.pk}:secret")
        row.save()
        made[name] = row
    _record(made["told"], "credential.add", ada, {"kind": "bearer_token"})
    _record(made["told"], "credential.hand_over", ada, {"before": "ada", "after": "Sales"})
    _record(made["taken"], "credential.add", ada, {"kind": "bearer_token"})
    migrate_to_newest()
    found = {row.name: row for row in Credential.objects.select_related("owner", "workspace")}
    owners = {name: row.owner.username for name, row in found.items()}
    assert owners == {"own": "eva", "told": "ada", "untold": "ben", "taken": "ada"}
    assert all(row.open("secret") == SECRET for row in found.values())
    teams = {name: [one.name for one in sharing.teams(row)] for name, row in found.items()}
    # The audit log knows "taken", but not that it was handed over: its share does not count.
    assert teams == {"own": [], "told": ["Sales"], "untold": ["Sales"], "taken": []}


def test_launches_whose_run_was_cancelled_before_there_was_such_a_state_have_it_now(before: Any) -> None:
    failed, cancelled = _launch(before, "failed", run_status="FAILED"), _launch(before, "failed", run_status="CANCELED")
    migrate_to_newest()
    states = dict(Launch.objects.values_list("pk", "state"))
    assert states == {failed: "failed", cancelled: "cancelled"}


def test_launches_and_jobs_that_are_not_finished_are_marked(before: Any) -> None:
    launches = {state: _launch(before, state) for state in ("queued", "claimed", "succeeded")}
    space, user = before.get_model("workflows_ui", "Workspace").objects.get(), person(before, "eva")
    for state in ("running", "ended"):
        make(before, "Job", id=state, workspace=space, user=user, kind="bulk", state=state, asked_at=timezone.now())
    migrate_to_newest()
    genuine = {row.pk for row in Launch.objects.all() if row.genuine}
    assert genuine == {launches["queued"], launches["claimed"]}
    assert {row.pk: row.genuine for row in Job.objects.all()} == {"running": True, "ended": False}


def _launch(before: Any, state: str, **values: Any) -> str:
    """The id of a new launch."""
    spaces, people = (before.get_model("workflows_ui", name).objects for name in ("Workspace", "User"))
    values |= {"workspace": spaces.first() or workspace(before), "user": people.first() or person(before, "ada")}
    number = before.get_model("workflows_ui", "Launch").objects.count()
    moments = dict.fromkeys(("asked_at", "not_before", "send_by"), timezone.now())
    make(before, "Launch", id=f"L{number}", ticket=f"T{number}", flow_id="F" * 21, state=state, **moments, **values)
    return f"L{number}"


def _record(row: Any, action: str, user: Any, detail: dict[str, Any]) -> None:
    event = AuditEvent(
        at=timezone.now(),
        user_id=user.pk,
        workspace_id=row.workspace_id,
        action=action,
        object_type="credential",
        object_id=str(row.pk),
        outcome="done",
        detail=detail,
    )
    event.canonical = event.compute_canonical()
    event.save(force_insert=True)

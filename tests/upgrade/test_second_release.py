"""What the second release's migration does to the rows of the first; run on this database, which is migrated back and forth."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command
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
    call_command("migrate", verbosity=0)


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


def workspace(before: Any, slug: str = "sales") -> Any:
    address = {"flavour": "activepieces", "address": "http://127.0.0.1:9/api", "project_id": slug.ljust(21, "P")}
    return make(before, "Workspace", slug=slug, name=slug.title(), **address)


@pytest.mark.slow
def test_rows_of_the_first_release_are_brought_up_to_date(before: Any) -> None:
    """One test, since a database takes long to be migrated back and forth."""
    checks = [_credentials_of_a_team(before), _launches_that_were_cancelled(before), _what_is_not_finished(before)]
    migrate_to_newest()
    for check in checks:
        check()


def _credentials_of_a_team(before: Any) -> Callable[[], None]:
    """They have an owner and a share."""
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

    def check() -> None:
        found = {row.name: row for row in Credential.objects.select_related("owner", "workspace")}
        owners = {name: row.owner.username for name, row in found.items()}
        assert owners == {"own": "eva", "told": "ada", "untold": "ben", "taken": "ada"}
        assert all(row.open("secret") == SECRET for row in found.values())
        teams = {name: [one.name for one in sharing.teams(row)] for name, row in found.items()}
        # The audit log knows "taken", but not that it was handed over: its share does not count.
        assert teams == {"own": [], "told": ["Sales"], "untold": ["Sales"], "taken": []}

    return check


def _launches_that_were_cancelled(before: Any) -> Callable[[], None]:
    """They have a state of their own, which there was not."""
    space = workspace(before, "cancelled")
    failed, cancelled = (_launch(before, space, "failed", run_status=status) for status in ("FAILED", "CANCELED"))

    def check() -> None:
        states = dict(Launch.objects.filter(workspace=space.pk).values_list("pk", "state"))
        assert states == {failed: "failed", cancelled: "cancelled"}

    return check


def _what_is_not_finished(before: Any) -> Callable[[], None]:
    """It is marked."""
    space, user = workspace(before, "unfinished"), person(before, "kim")
    launches = {state: _launch(before, space, state) for state in ("queued", "claimed", "succeeded")}
    for state in ("running", "ended"):
        make(before, "Job", id=state, workspace=space, user=user, kind="bulk", state=state, asked_at=timezone.now())

    def check() -> None:
        genuine = {row.pk for row in Launch.objects.filter(workspace=space.pk) if row.genuine}
        assert genuine == {launches["queued"], launches["claimed"]}
        assert {row.pk: row.genuine for row in Job.objects.all()} == {"running": True, "ended": False}

    return check


def _launch(before: Any, space: Any, state: str, **values: Any) -> str:
    """The id of a new launch in a workspace."""
    people = before.get_model("workflows_ui", "User").objects
    values |= {"workspace": space, "user": people.first() or person(before, "ada")}
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
        canonical='{"form":1}',
    )
    event.canonical = event.compute_canonical()
    # With the columns of that release.
    earlier = row._meta.apps.get_model("workflows_ui", "AuditEvent")
    names = [field.attname for field in earlier._meta.concrete_fields]
    earlier(**{name: getattr(event, name) for name in names}).save(force_insert=True)

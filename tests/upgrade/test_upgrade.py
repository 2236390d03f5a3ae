"""A database of the first release migrates: every secret opens, the audit log is proved, launches, forms and shares are there.

A database that already had the migrations that were squashed since is taken as it is; one that had some of them is refused.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

ROOT = Path(__file__).resolve().parents[2]
#: The database as commit 7a7f682 made it with the keys below; without the rows that `migrate` adds.
FIRST_RELEASE = Path(__file__).with_name("7a7f682.sql")
SQUASHED = "app = 'workflows_ui' AND name IN ('0001_first_release', '0002_second_release')"
KEYS = {
    "SECRET_KEY": "upgrade-only-upgrade-only-upgrade-only-upgrade",
    "CREDENTIAL_KEYS": "dXBncmFkZS1vbmx5LXVwZ3JhZGUtb25seS11cGdyYWQ=",
    "AUDIT_KEY": "upgrade-only-audit-upgrade-only-audit-upgrade",
}
LOOK = """
import json
from allauth.mfa.models import Authenticator
from workflows_ui.credentials.models import Credential, CredentialSecret
from workflows_ui.launches.models import Launch, LaunchFile
from workflows_ui.launch_forms.models import LaunchFormVersion, SavedInputs
from workflows_ui.accounts.services import second_step
from workflows_ui.credentials.services import sharing
print(json.dumps({
    "secrets": [row.open("secret")[:3] for row in Credential.objects.order_by("name")],
    "replaced": [row.open("secret")[:3] for row in CredentialSecret.objects.all()],
    "teams": {row.name: [team.name for team in sharing.teams(row)] for row in Credential.objects.all()},
    "owners": {row.name: row.owner.username for row in Credential.objects.all()},
    "launches": sorted([row.flow_name, row.state, row.open("payload")] for row in Launch.objects.all()),
    "files": [row.open_bytes("data").decode() for row in LaunchFile.objects.all()],
    "form": [sorted(json.loads(row.open("schema"))["properties"]) for row in LaunchFormVersion.objects.all()],
    "saved": [row.open("payload") for row in SavedInputs.objects.all()],
    "second step": [second_step.unseal(row.data["secret"]) for row in Authenticator.objects.all()],
}))
"""

FOUND = {
    "secrets": ["eyJ"] * 3,
    "replaced": ["eyJ"],
    "teams": {"Added by the page": ["Sales team"], "Colleague's key": [], "My key": []},
    "owners": {"Added by the page": "owner", "Colleague's key": "colleague", "My key": "owner"},
    "launches": [
        ["Echo", "queued", '{"name":"Waiting"}'],
        ["Echo", "succeeded", '{"name":"H\\u00f9ng"}'],
        ["Echo", "succeeded", '{"name":"Lan","amount":120000}'],
        ["Fails", "failed", '{"n":1}'],
    ],
    "files": ["hello"],
    "form": [["amount", "channel", "name"]],
    "saved": ['{"name":"Monday"}'],
    "second step": ["JBSWY3DPEHPK3PXP"],
}


class Console:
    """Runs commands of the console on a database of its own, with the keys of the first release."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = folder / name
        place = {"DATABASE_URL": f"sqlite:///{self.file}", "VAR_DIR": str(folder)}
        self._environment = os.environ | KEYS | place | {"DJANGO_SETTINGS_MODULE": "console.settings"}

    def manage(self, *command: str, script: str = "") -> str:
        """The output of a command, which must succeed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            input=script,
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def look(self) -> object:
        """What is in the database, opened."""
        return json.loads(self.manage("shell", "-v0", script=LOOK).splitlines()[-1])

    def run_sql(self, script: str) -> None:
        with closing(sqlite3.connect(self.file)) as database:
            database.executescript(script)

    def schema(self) -> dict[str, list[str]]:
        """The words of the definition of each table, index and trigger, sorted: the order of columns does not count."""
        with closing(sqlite3.connect(self.file)) as database:
            rows = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        return {name: sorted(re.findall(r"\w+|[^\w\s,\"]", sql)) for name, sql in rows}

    def squashed(self) -> int:
        """How many of the squashed migrations are recorded as applied."""
        with closing(sqlite3.connect(self.file)) as database:
            count: int = database.execute(f"SELECT COUNT(*) FROM django_migrations WHERE {SQUASHED}").fetchone()[0]
        return count


@pytest.mark.slow
def test_a_database_of_the_first_release_is_brought_up_to_date_and_everything_in_it_opens(tmp_path: Path) -> None:
    console, new = Console(tmp_path, "old.sqlite3"), Console(tmp_path, "new.sqlite3")
    console.run_sql(FIRST_RELEASE.read_text("utf-8"))
    console.manage("migrate", "-v0")
    assert "12 rows in the chain" in console.manage("verify_audit")
    assert "0 to bind, 0 look changed" in console.manage("bind_credentials", "--check")
    assert console.look() == FOUND
    new.manage("migrate", "-v0")
    assert console.schema() == new.schema()
    # All migrations that were squashed are recorded as well. Without the new names it is a database of before the squash.
    console.run_sql(f"DELETE FROM django_migrations WHERE {SQUASHED}")
    assert "No migrations to apply" in console.manage("migrate")
    assert console.squashed() == 2
    assert console.look() == FOUND
    assert console.schema() == new.schema()


@pytest.mark.parametrize(
    ("missing", "last"), [("0006_job_count", "0018_indexes_of_launches"), ("0026_known_browsers", "0031_last_language")]
)
def test_a_database_between_two_releases_is_refused_with_what_to_do(db: None, missing: str, last: str) -> None:
    MigrationRecorder(connection).migration_qs.filter(app="workflows_ui", name__gte=missing).delete()
    with pytest.raises(SystemCheckError, match=f"(?s){missing} was not applied.*last version that has {last}"):
        call_command("migrate", verbosity=0, skip_checks=False)

"""An engine's version and limits, from its flags. They are stored on the workspace.

Read with each test of a credential and each inspection of capabilities; the inspection is advanced after a missing route, since the
engine may have been upgraded (recording `flags`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from workflows_ui.core import clock, database
from workflows_ui.core.paths import text_of
from workflows_ui.core.readers import as_number, as_text
from workflows_ui.credentials.models import Inspection
from workflows_ui.engine import Client, EngineError, NotFound
from workflows_ui.members.models import Workspace

#: Prefixes of the versions that the console is tested with.
TESTED_VERSIONS = ("0.72.", "0.83.")
#: The console's names of the engine's flags: rows and columns of a table, megabytes of a file, seconds of a waiting call and of a run.
LIMITS: Mapping[str, str] = {
    "records": "MAX_RECORDS_PER_TABLE",
    "fields": "MAX_FIELDS_PER_TABLE",
    "file_megabytes": "MAX_FILE_SIZE_MB",
    "wait_seconds": "WEBHOOK_TIMEOUT_SECONDS",
    "run_seconds": "FLOW_RUN_TIME_SECONDS",
}
#: After a missing route the engine is inspected again at once, unless the last inspection is more recent than this.
RECENT = timedelta(minutes=5)


@dataclass(frozen=True)
class Facts:
    """The version, "" if unknown, and the known limits."""

    version: str = ""
    limits: dict[str, int] = field(default_factory=dict)


def read(client: Client) -> Facts | None:
    """Read the engine's flags. None if it did not answer; empty facts if it has no flags."""
    try:
        flags = client.workflows.get_flags()
    except NotFound:
        return Facts()
    except EngineError:
        return None
    return Facts(version=as_text(flags.get("CURRENT_VERSION")).strip()[:40], limits=limits(flags))


def limits(flags: Mapping[str, object]) -> dict[str, int]:
    """The known limits in an engine's flags, by the names in `LIMITS`."""
    values = {name: _number(flags.get(flag)) for name, flag in LIMITS.items()}
    return {name: value for name, value in values.items() if value is not None}


def keep(workspace: Workspace, facts: Facts | None) -> None:
    """Store the facts on the workspace, if the engine gave them and they are new."""
    if facts is None or (workspace.engine_version, workspace.engine_limits) == (facts.version, facts.limits):
        return
    workspace.engine_version, workspace.engine_limits = facts.version, facts.limits
    Workspace.objects.filter(pk=workspace.pk).update(engine_version=facts.version, engine_limits=facts.limits)


def limit(workspace: Workspace, name: str, default: int) -> int:
    """A limit of the workspace's engine by its name in `LIMITS`; `default` if unknown."""
    value = workspace.engine_limits.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else default


def advance_inspection(workspace_id: int) -> None:
    """Make an inspection due after a missing route, since the engine's version may have changed. May be called at any time."""
    with database.turn():
        now = clock.now()
        rows = Inspection.objects.filter(pk=workspace_id, looked_at__lt=now - RECENT, due_at__gt=now)
        rows.update(due_at=now)


def _number(value: object) -> int | None:
    """A positive whole number, also from a text; None for anything else."""
    text = text_of(value)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else as_number(value)
    return int(number) if number is not None and 1 <= number < 10**15 else None

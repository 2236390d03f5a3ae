"""The state of the practice engine: maps of JSON objects, their snapshot on disk, settings, and the package's own data files."""

import json
import os
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from .http import Json
from .ids import new_id, stamp

FORMAT = 1
#: This package: the catalogue of pieces and the sample company are JSON files in it.
FOLDER = Path(__file__).parent
#: Seconds from a change to its save.
SAVE_AFTER = 1.0


@cache
def read_data(name: str) -> Any:
    """The content of ``name``, a path below this package, parsed once per process. Callers copy what they change."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@dataclass
class Settings:
    """Settings that can change at run time, also by ``POST /_practice/settings``. Seconds are engine seconds."""

    wait_limit: float = 30.0  # how long /sync waits (api.md 7.2)
    gateway_limit: float = 0.0  # after which the gateway responds with a 504 of its own; 0: never
    appear_after: float = 0.1  # a run is not shown before
    queue_time: float = 0.02  # from QUEUED to RUNNING
    delete_after: float = 1.0  # from DELETING to gone (recordings flow_del_*)
    flow_limit: float = 600.0  # a run longer than this ends as TIMEOUT
    report_after: float = 15.0  # 0.83.0: a running run does not show its start and steps before
    log_limit_mb: float = 2.0  # 0.83.0: a run whose steps are larger ends as LOG_SIZE_EXCEEDED
    flow_in_use: list[str] = field(default_factory=list)  # flow ids that a colleague is editing; "*" for all
    old_channel_route: bool = False  # channel automation on {gw}/v2/backend
    new_channel_route: bool = True  # and on {gw}/channel-service
    retries_disabled: bool = False  # a plan without retry: 402
    invitations_in_plan: bool = False  # else deleting one is 402 or 403 on the gateway (api.md section 15)
    # Beginnings of paths, also after a method, that an older build (404) or a smaller plan (402) does not have.
    missing_routes: list[str] = field(default_factory=list)
    not_in_plan: list[str] = field(default_factory=list)
    missing_pieces: list[str] = field(default_factory=list)  # full names of pieces that are not installed
    version: str = "0.83.0"  # of the Activepieces flavour, or "0.72.4"
    # Limits in the flags of 0.83.0 (recording flags).
    max_records_per_table: int = 10_000
    max_fields_per_table: int = 100
    max_file_size_mb: int = 25


class State:
    """Maps of rows by id, one for each kind. Hold ``lock`` while reading or writing.

    ``dirty()`` schedules a save: with a file, the state is written a second later to a new file that then replaces the old
    one, so that there is a complete snapshot whenever the process is killed.
    """

    projects: dict[str, Json]
    users: dict[str, Json]
    organizations: dict[str, Json]
    folders: dict[str, Json]
    flows: dict[str, Json]
    versions: dict[str, Json]
    runs: dict[str, Json]
    connections: dict[str, Json]
    tables: dict[str, Json]
    fields: dict[str, Json]
    records: dict[str, Json]
    mcp_servers: dict[str, Json]
    mcp_own_servers: dict[str, Json]  # by the id of the project, or of the platform
    invitations: dict[str, Json]
    events: dict[str, Json]
    automations: dict[str, Json]
    credentials: dict[str, Json]
    files: dict[str, Json]
    given: dict[str, Json]

    def __init__(self, file: Path | None = None) -> None:
        for kind in KINDS:
            setattr(self, kind, {})
        self.lock = threading.RLock()
        self.file = file
        self._saving = threading.Lock()
        self._timer: threading.Timer | None = None

    def new_row(self, **values: Any) -> Json:
        moment = stamp()
        return {"id": new_id(), "created": moment, "updated": moment, **values}

    def add_row(self, kind: str, **values: Any) -> Json:
        """Add a row with a new id, created now, to one of the maps."""
        row = self.new_row(**values)
        getattr(self, kind)[row["id"]] = row
        return row

    def load(self) -> bool:
        """Read the snapshot. False without a file. Raises ``ValueError`` for a file that is not a snapshot."""
        if self.file is None or not self.file.exists():
            return False
        try:
            content = json.loads(self.file.read_text(encoding="utf-8"))
            known = content["format"] == FORMAT
            for kind in KINDS if known else ():
                getattr(self, kind).update(content.get(kind, {}))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{self.file} is not a snapshot of this practice engine.") from error
        if not known:
            raise ValueError(f"{self.file} is a snapshot of another version of the practice engine.")
        return True

    def dirty(self) -> None:
        """Schedule a save, if there is a file."""
        if self.file is not None and self._timer is None:
            self._timer = timer = threading.Timer(SAVE_AFTER, self.save)
            timer.daemon = True
            timer.start()

    def save(self) -> None:
        if self.file is None:
            return
        with self._saving:
            self._timer = None
            with self.lock:
                content = {"format": FORMAT, **{kind: getattr(self, kind) for kind in KINDS}}
                text = json.dumps(content, ensure_ascii=False)
            self.file.parent.mkdir(parents=True, exist_ok=True)
            draft = self.file.with_name(self.file.name + ".new")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            draft.replace(self.file)

    def close(self) -> None:
        """Stop saving in the background, and save."""
        # The timer's own thread may be saving, which sets it to None.
        if (timer := self._timer) is not None:
            timer.cancel()
        self.save()


KINDS = tuple(State.__annotations__)

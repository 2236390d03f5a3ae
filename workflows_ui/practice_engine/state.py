"""Everything the practice engine remembers: plain maps of JSON objects, and how they are kept on disk."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from .http import Json

KINDS = (
    "projects",
    "users",
    "organizations",
    "folders",
    "flows",
    "versions",
    "runs",
    "connections",
    "tables",
    "fields",
    "records",
    "mcp_servers",
    "invitations",
    "events",
    "automations",
    "credentials",
    "files",
    "given",
)
FORMAT = 1


class State:
    """Maps of objects by id, one per kind. Whoever reads or writes holds ``lock``.

    ``dirty()`` tells that something changed; with a file, it is written within a second, to a new file that then replaces
    the old one, so a kill at any moment leaves a whole snapshot.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.file = file
        self.projects: dict[str, Json] = {}
        self.users: dict[str, Json] = {}
        self.organizations: dict[str, Json] = {}
        self.folders: dict[str, Json] = {}
        self.flows: dict[str, Json] = {}
        self.versions: dict[str, Json] = {}
        self.runs: dict[str, Json] = {}
        self.connections: dict[str, Json] = {}
        self.tables: dict[str, Json] = {}
        self.fields: dict[str, Json] = {}
        self.records: dict[str, Json] = {}
        self.mcp_servers: dict[str, Json] = {}
        self.invitations: dict[str, Json] = {}
        self.events: dict[str, Json] = {}
        self.automations: dict[str, Json] = {}
        self.credentials: dict[str, Json] = {}
        self.files: dict[str, Json] = {}
        self.given: dict[str, Json] = {}
        self._changed = threading.Event()
        self._ended = threading.Event()
        self._saving = threading.Lock()
        self._thread: threading.Thread | None = None

    def load(self) -> bool:
        """Read the snapshot. False if there is none. Raises ``ValueError`` for a file that is not one of ours."""
        if self.file is None or not self.file.exists():
            return False
        try:
            content = json.loads(self.file.read_text(encoding="utf-8"))
            known = content["format"] == FORMAT
            with self.lock:
                for kind in KINDS if known else ():
                    getattr(self, kind).update(content.get(kind, {}))
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{self.file} is not a snapshot of this practice engine.") from error
        if not known:
            raise ValueError(f"{self.file} is a snapshot of another version of the practice engine.")
        return True

    def dirty(self) -> None:
        """Something changed: save it soon, if there is a file to save to."""
        if self.file is None:
            return
        self._changed.set()
        if self._thread is None:
            with self._saving:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="practice-state", daemon=True)
                    self._thread.start()

    def save(self) -> None:
        """Write the snapshot now."""
        if self.file is None:
            return
        with self._saving:
            self._changed.clear()
            with self.lock:
                text = json.dumps(
                    {"format": FORMAT, **{kind: getattr(self, kind) for kind in KINDS}}, ensure_ascii=False
                )
            self.file.parent.mkdir(parents=True, exist_ok=True)
            draft = self.file.with_name(self.file.name + ".new")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            draft.replace(self.file)

    def close(self) -> None:
        """Stop saving in the background; write what is left."""
        self._ended.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.save()

    def _work(self) -> None:
        while not self._ended.is_set():
            self._changed.wait()
            if self._ended.is_set():
                return
            self.save()
            self._ended.wait(1)

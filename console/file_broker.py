"""A broker of files for one machine: kombu's filesystem transport, with atomic changes. Its URL scheme is fsatomic.

kombu's own transport lets a reader see half a message or half a table of bindings, and takes a message by a move, which is a copy if
the temporary folder is on another disk. Here a message is written under a hidden name and then renamed; the consumer that renames it
first has it; tables are replaced under a lock. A message is lost if its worker is killed: messages only wake workers, what has to be
done is in the database.

Options (broker_transport_options): data_folder_in and data_folder_out (the same folder), control_folder. Missing folders are created
with mode 0700.
"""

import fcntl
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual

#: Seconds between two polls while there are no messages.
POLL_SECONDS = 0.03


class Channel(filesystem.Channel):
    """Reads and writes messages and bindings."""

    def _put(  # type: ignore[override]  # the stubs of kombu disagree with one another
        self, queue: str, payload: dict[str, object], **_options: object
    ) -> None:
        """Publish a message. Names of files sort by the time of publishing."""
        name = f"{time.time_ns():020d}_{uuid.uuid4()}"
        _replace(self.data_folder_in / f"{name}.{queue}.msg", payload)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Take the oldest message of a queue, which only one consumer gets. Raises Empty without a message."""
        # A queue's name may contain dots, the part of a file's name before it does not.
        waiting = (path for path in self.data_folder_in.iterdir() if path.name.partition(".")[2] == f"{queue}.msg")
        for path in sorted(waiting):
            taken = path.with_name(f".{path.name}.{uuid.uuid4()}.taken")
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue
            payload = json.loads(taken.read_bytes())
            taken.unlink()
            return payload
        raise Empty

    def get_table(self, exchange: str) -> list[Any]:
        """The bindings of an exchange."""
        try:
            rows = json.loads(self._table_file(exchange).read_bytes())
        except FileNotFoundError:
            return []
        return [filesystem.exchange_queue_t(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._change_table(exchange, lambda table: table if binding in table else [binding, *table])

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **options: Any) -> None:
        virtual.Channel._delete(self, queue, exchange, routing_key, pattern, *args, **options)  # noqa: SLF001
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._change_table(exchange, lambda table: [other for other in table if other != binding])

    def _change_table(self, exchange: str, change: Callable[[list[Any]], list[Any]]) -> None:
        file = self._table_file(exchange)
        _folder(file.parent)
        with _locked(file.with_name("lock")):
            table = self.get_table(exchange)
            changed = change(table)
            if changed != table:
                _replace(file, changed)

    def _table_file(self, exchange: str) -> Path:
        """The file of an exchange's bindings. kombu's method refuses names that lead out of the folder; its stubs lack it."""
        return Path(getattr(self, "_exchange_file")(exchange))  # noqa: B009

    @property
    def data_folder_in(self) -> Path:
        """The folder of the messages, which now exists."""
        return _folder(Path(self.transport_options["data_folder_in"]))


class Transport(filesystem.Transport):
    """The transport of fsatomic://."""

    Channel = Channel
    polling_interval = POLL_SECONDS
    driver_name = "fsatomic"

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        # kombu shares it between all connections of a process, whatever their folders: a binding made in one would be missing in another.
        self.state = virtual.BrokerState()


def register() -> None:
    """Register fsatomic:// with kombu."""
    TRANSPORT_ALIASES["fsatomic"] = f"{__name__}:Transport"


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _replace(file: Path, value: object) -> None:
    """Write JSON so that a reader sees nothing or the whole text."""
    hidden = file.with_name(f".{uuid.uuid4()}.tmp")
    hidden.write_text(json.dumps(value), encoding="utf-8")
    hidden.replace(file)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""A broker of files for one machine: kombu's filesystem transport, with atomic changes. Its URL scheme is fsatomic.

kombu's own transport lets a reader see half a message or half a table of bindings, and takes a message by a move, which is a copy if
the temporary folder is on another disk. Here a message is written under a hidden name and then renamed; the consumer that renames it
first has it; tables are replaced under a lock. A message is lost if its worker is killed: messages only wake workers, what has to be
done is in the database.

kombu's transport looks for messages many times a second. Here a consumer waits at a named pipe of its own, into which each publisher
writes a byte.

Options (broker_transport_options): data_folder_in and data_folder_out (the same folder), control_folder. Missing folders are created
with mode 0700.
"""

import contextlib
import errno
import fcntl
import json
import os
import select
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual

#: Seconds until a consumer looks for messages though no publisher has written into its pipe, which may have been deleted.
LOOK_SECONDS = 1.0


class Channel(filesystem.Channel):
    """Reads and writes messages and bindings."""

    def _put(  # type: ignore[override]  # the stubs of kombu disagree with one another
        self, queue: str, payload: dict[str, object], **_options: object
    ) -> None:
        """Publish a message. Names of files sort by the time of publishing."""
        name = f"{time.time_ns():020d}_{uuid.uuid4()}"
        _replace(self.data_folder_in / f"{name}.{queue}.msg", payload)
        _wake_consumers(self.data_folder_in)

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
    driver_name = "fsatomic"

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        # kombu shares it between all connections of a process, whatever their folders: a binding made in one would be missing in another.
        self.state = virtual.BrokerState()
        self._pipe: _Pipe | None = None

    def drain_events(self, connection: Any, timeout: float | None = None, **_options: object) -> None:
        """Deliver one message. Raises TimeoutError if no message arrives within `timeout` seconds."""
        if self._pipe is None:
            self._pipe = _Pipe(_folder(Path(connection.client.transport_options["data_folder_in"])))
        cycle: Any = self.cycle  # never None before close_connection
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            # Emptied before the look: a message that comes after it is heard.
            self._pipe.empty()
            try:
                cycle.get(self._deliver, timeout=timeout)
            except Empty:
                left = LOOK_SECONDS if end is None else min(LOOK_SECONDS, end - time.monotonic())
                if left <= 0:
                    raise TimeoutError from None
                self._pipe.wait(left)
            else:
                return

    def close_connection(self, connection: Any) -> None:
        """Close the channels of a connection, and the pipe."""
        super().close_connection(connection)
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None


class _Pipe:
    """The named pipe at which a consumer waits for messages in a folder."""

    def __init__(self, messages: Path) -> None:
        self._path = _pipes(messages) / str(uuid.uuid4())
        hidden = self._path.with_name(f".{self._path.name}")
        os.mkfifo(hidden, 0o600)
        # Open for writing, too, so that the pipe does not end with its first writer.
        self._file = os.open(hidden, os.O_RDWR | os.O_NONBLOCK)
        # Only now, so that a publisher finds nothing that nobody reads.
        hidden.rename(self._path)

    def wait(self, seconds: float) -> None:
        """Wait until a publisher has written, at most `seconds`."""
        # Not select.select, which refuses files whose numbers exceed 1023.
        poll = select.poll()
        poll.register(self._file, select.POLLIN)
        poll.poll(max(1, seconds * 1000))

    def empty(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._file, 4096)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def _wake_consumers(messages: Path) -> None:
    """Write into the pipe of each consumer, and delete those of consumers that have ended."""
    for path in _pipes(messages).iterdir():
        if path.name.startswith("."):
            continue
        try:
            file = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as problem:
            # The pipe of a consumer that cannot be woken now, as with too many open files here, stays: LOOK_SECONDS is the longest wait.
            if problem.errno == errno.ENXIO:
                path.unlink(missing_ok=True)
            continue
        # A full pipe wakes its consumer anyway.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(file, b"m")
        os.close(file)


def _pipes(messages: Path) -> Path:
    return _folder(messages.with_name("consumers"))


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

"""The file broker loses no message, delivers none twice, and shows nobody half of one."""

import errno
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue

from console import environment, file_broker

ROOT = Path(__file__).resolve().parents[2]
#: Seconds to wait before a test fails.
PATIENCE = 60

PRODUCER = """
import sys
from kombu import Connection
from console import environment, file_broker
from pathlib import Path
file_broker.register()
with Connection("fsatomic://", transport_options=environment.transport_options("fsatomic:", Path(sys.argv[1]), prefix="")) as link:
    queue = link.SimpleQueue("work")
    for number in range(int(sys.argv[3])):
        queue.put(f"{sys.argv[2]}-{number}" + "x" * 2000)
"""


@pytest.fixture
def link(tmp_path: Path) -> Connection:
    """A connection to a broker in the test's folder."""
    return connect(tmp_path)


def connect(folder: Path) -> Connection:
    """A connection to the broker in a folder."""
    file_broker.register()
    return Connection(
        "fsatomic://localhost", transport_options=environment.transport_options("fsatomic:", folder, prefix="")
    )


def take_all(folder: Path, wanted: int, got: list[str], lock: threading.Lock, timeout: float = 0.2) -> None:
    """Take messages until all consumers together have taken `wanted`."""
    end = time.monotonic() + PATIENCE
    with connect(folder) as link:
        queue = link.SimpleQueue("work")
        while len(got) < wanted and time.monotonic() < end:
            try:
                message = queue.get(timeout=timeout)
            except queue.Empty:
                continue
            message.ack()
            with lock:
                got.append(message.payload)


@pytest.mark.slow
def test_three_producers_and_three_consumers_lose_and_duplicate_nothing(tmp_path: Path) -> None:
    each, producers = 300, 3
    processes = [
        subprocess.Popen([sys.executable, "-c", PRODUCER, str(tmp_path), str(number), str(each)], cwd=ROOT)
        for number in range(producers)
    ]
    got: list[str] = []
    lock = threading.Lock()
    consumers = [threading.Thread(target=take_all, args=(tmp_path, each * producers, got, lock)) for _ in range(3)]
    for consumer in consumers:
        consumer.start()
    codes = [process.wait(PATIENCE) for process in processes]
    for consumer in consumers:
        consumer.join(PATIENCE)
    assert codes == [0] * producers
    wanted = [f"{producer}-{number}" + "x" * 2000 for producer in range(producers) for number in range(each)]
    assert sorted(got) == sorted(wanted)
    assert list((tmp_path / "messages").iterdir()) == []


def test_messages_come_in_the_order_of_publishing(link: Connection) -> None:
    queue = link.SimpleQueue("work")
    for number in range(50):
        queue.put(number)
    assert [queue.get(timeout=5).payload for _ in range(50)] == list(range(50))


def test_a_message_that_is_being_written_is_not_seen(link: Connection, tmp_path: Path) -> None:
    queue = link.SimpleQueue("work")
    queue.put("whole")
    (tmp_path / "messages" / ".half.tmp").write_text('{"body": "ha')
    assert queue.qsize() == 1
    assert queue.get(timeout=5).payload == "whole"
    with pytest.raises(queue.Empty):
        queue.get(block=False)


def test_a_queue_whose_name_ends_like_another_one_keeps_its_own(link: Connection) -> None:
    short, long = link.SimpleQueue("work"), link.SimpleQueue("other.work")
    long.put("long")
    assert short.qsize() == 0
    assert long.get(timeout=5).payload == "long"


def test_every_queue_bound_to_a_fanout_gets_its_messages(link: Connection) -> None:
    exchange = Exchange("news", type="fanout")
    channel = link.channel()
    queues = [Queue(f"reader{number}", exchange)(channel) for number in range(3)]
    for queue in queues:
        queue.declare()
    link.Producer(channel).publish("hello", exchange=exchange)
    received = [queue.get() for queue in queues]
    assert [message.payload for message in received if message] == ["hello"] * 3


def test_concurrent_bindings_are_all_kept(tmp_path: Path) -> None:
    exchange = Exchange("news", type="fanout")
    together = threading.Barrier(8)

    def bind(number: int) -> None:
        with connect(tmp_path) as link:
            channel = link.channel()
            together.wait(PATIENCE)
            Queue(f"reader{number}", exchange)(channel).declare()

    threads = [threading.Thread(target=bind, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    table = json.loads((tmp_path / "control" / "news.exchange").read_text())
    assert sorted(row[2] for row in table) == [f"reader{number}" for number in range(8)]


def test_purging_empties_only_one_queue(link: Connection) -> None:
    work, other = link.SimpleQueue("work"), link.SimpleQueue("other")
    work.put(1)
    work.put(2)
    other.put(3)
    assert work.clear() == 2
    assert other.qsize() == 1


def test_other_users_cannot_read_messages(link: Connection, tmp_path: Path) -> None:
    link.SimpleQueue("work").put("x")
    assert (tmp_path / "messages").stat().st_mode & 0o077 == 0


def test_a_consumer_that_waits_is_woken_by_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Longer than the test may take: only the pipe can wake the consumer.
    monkeypatch.setattr(file_broker, "LOOK_SECONDS", 10 * PATIENCE)
    got: list[str] = []
    consumer = threading.Thread(target=take_all, args=(tmp_path, 1, got, threading.Lock(), PATIENCE))
    with connect(tmp_path) as link:
        link.SimpleQueue("work")
        consumer.start()
        pipes = tmp_path / "consumers"
        while not pipes.exists() or not [path for path in pipes.iterdir() if not path.name.startswith(".")]:
            assert consumer.is_alive()
        link.SimpleQueue("work").put("here")
        consumer.join(PATIENCE)
    assert got == ["here"]
    assert list(pipes.iterdir()) == []


def test_the_pipe_of_a_consumer_that_was_killed_is_deleted_by_the_next_publisher(
    link: Connection, tmp_path: Path
) -> None:
    (tmp_path / "consumers").mkdir()
    os.mkfifo(tmp_path / "consumers" / "killed")
    link.SimpleQueue("work").put("here")
    assert list((tmp_path / "consumers").iterdir()) == []


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EACCES])
def test_a_publisher_that_cannot_open_the_pipe_of_a_living_consumer_leaves_it_and_publishes_once(
    link: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    queue = link.SimpleQueue("work")
    (tmp_path / "consumers").mkdir()
    pipe = tmp_path / "consumers" / "waiting"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    open_file = os.open

    def refuse(path: Any, *arguments: Any, **options: Any) -> int:
        if path == pipe:
            raise OSError(number, os.strerror(number))
        return open_file(path, *arguments, **options)

    with monkeypatch.context() as refusing:
        refusing.setattr(os, "open", refuse)
        queue.put("first")
    queue.put("second")
    assert os.read(reader, 10) == b"m"
    os.close(reader)
    assert queue.qsize() == 2


def test_a_consumer_waits_also_in_a_process_that_has_more_than_a_thousand_files_open(
    link: Connection,
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], min(limits[1], 2048)), limits[1]))
    null = os.open(os.devnull, os.O_RDONLY)
    taken = [os.dup(null) for _ in range(1100)]
    try:
        queue = link.SimpleQueue("work")
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.05)
    finally:
        for file in (null, *taken):
            os.close(file)
        link.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

"""A broker that is down at the click: the launch goes out when it is back, or ends as "not sent: too late"."""

import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kombu import Connection, Exchange, Queue

from tests import flows, prerequisites
from tests.chaos.gate import Gate
from tests.chaos.scene import Scene
from tests.chaos.stage import until
from workflows_ui.launches.models import Launch, Reason, State

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.redis, pytest.mark.timeout(180)]


class Broker:
    """A Redis server of the test's own, that can be stopped and started."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.fail("redis-server is not installed", pytrace=False)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        until(self._listens, "the broker listens", 10)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path)
    yield made
    made.stop()


def _click(scene: Scene, launch: Launch) -> None:
    """Rings as a page does after a click; a dead broker is no error there."""
    page = scene.stage.start("-m", "tests.chaos.bell", launch.pk)
    assert page.wait(timeout=20) == 0


def _launched_all_the_same(scene: Scene, broker: Broker | Gate, flow: str) -> None:
    """A launch that is asked for while the broker is away waits, and goes out once when it is back."""
    broker.stop()
    launch = scene.ask(flow, 1)
    _click(scene, launch)
    launch.refresh_from_db()
    assert (launch.state, launch.enqueued_at) == (State.QUEUED, None)
    broker.start()
    until(scene.settled, "the launch is sent after all")
    launch.refresh_from_db()
    assert launch.state == State.SUCCEEDED
    assert scene.sent(launch) == 1


def test_a_click_while_the_broker_is_down_is_launched_when_it_is_back(scene: Scene, broker: Broker) -> None:
    scene.stage.env["CELERY_BROKER_URL"] = broker.url
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    broker.start()
    scene.stage.worker()
    scene.stage.beat()
    _launched_all_the_same(scene, broker, flow)


def test_a_rabbitmq_that_was_away_is_rung_through_again(scene: Scene) -> None:
    try:
        server = urlsplit(prerequisites.rabbitmq())
    except prerequisites.Missing as missing:
        pytest.skip(str(missing))
    gate = Gate(server.hostname or "127.0.0.1", server.port or 5672)
    queue = f"test-{secrets.token_hex(8)}"
    user, _at, _place = server.netloc.rpartition("@")
    url = f"amqp://{user}@127.0.0.1:{gate.port}{server.path}"
    scene.stage.env |= {"CELERY_BROKER_URL": url, "TEST_QUEUE": queue}
    scene.stage.env["DJANGO_SETTINGS_MODULE"] = "tests.chaos.queue_settings"
    flow = flows.make(scene.workflows, "Quick", flows.code("echo", given="{{trigger.body}}"))
    gate.start()
    try:
        scene.stage.worker()
        scene.stage.beat()
        first = scene.ask(flow, 1)
        until(scene.settled, "the clock rings for the first one")
        _launched_all_the_same(scene, gate, flow)
        first.refresh_from_db()
        assert first.state == State.SUCCEEDED
        assert scene.sent(first) == 1
    finally:
        gate.stop()
        with Connection(prerequisites.rabbitmq()) as connection:
            exchange = Exchange(queue)(connection.default_channel)
            Queue(queue)(connection.default_channel).delete()
            exchange.delete()


def test_a_broker_that_stays_away_too_long_leaves_the_launch_not_sent(scene: Scene, broker: Broker) -> None:
    scene.stage.env["CELERY_BROKER_URL"] = broker.url
    flow = flows.make(scene.workflows, "Quick", flows.code("echo"))
    launch = scene.ask(flow, 1)
    Launch.objects.filter(pk=launch.pk).update(send_by=launch.asked_at)
    _click(scene, launch)
    broker.start()
    scene.stage.worker()
    scene.stage.beat()
    until(scene.settled, "the launch ends")
    launch.refresh_from_db()
    assert (launch.state, launch.reason) == (State.NOT_SENT, Reason.TOO_LATE)
    assert scene.sent(launch) == 0

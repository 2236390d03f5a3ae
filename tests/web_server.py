"""The console's real web server as a child process, and clients that are slow on purpose."""

import contextlib
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.project.console_process import PATIENCE, ROOT, free_port, wait_for
from tests.users import Users
from workflows_ui.accounts.models import User
from workflows_ui.jobs.models import Job, JobKind, JobPart, JobState

COMMAND = os.environ.get("TEST_WEB_SERVER", f"{sys.executable} -m gunicorn -c python:console.web {{application}}")
HALF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Begun: "
HEAD = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HALF_A_BODY = HEAD + b"Content-Length: 2000\r\n\r\nlogin="
#: More than the system buffers for a client that does not read, and more than waitress does by default (16 MB).
LARGE = 24 * 1024 * 1024
#: Seconds after which a request counts as one that is not answered.
ANSWER = 20.0


class WebServer:
    """Serves until `stop`. Its output goes to a file in `folder`."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], application: str = "console.wsgi", **changes: str
    ) -> None:
        self.port = free_port()
        self._log = folder / "web.log"
        given = {"PORT": str(self.port), "VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "console.settings"}
        given |= {"WEB_PROCESSES": "1", "WEB_THREADS": "4"} | changes
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                COMMAND.format(port=self.port, application=application).split(),
                cwd=ROOT,
                env={**os.environ, **environment, **given},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for(self._serves, "the web server")
        except BaseException:
            self.kill()
            raise

    def _serves(self) -> bool:
        assert self.process.poll() is None, self.log
        return answers(self.port)

    @property
    def log(self) -> str:
        """What it said."""
        return self._log.read_text("utf-8", "replace")

    def ask(self, path: str, cookie: str = "", method: str = "GET") -> int:
        """The status of one request by a client that is not slow. Raises OSError if it is not answered."""
        return status_of(self.port, path, {"Cookie": cookie} if cookie else {}, method)

    def connect(self, *sent: bytes, window: int = 0) -> socket.socket:
        """A connection on which this was sent. With `window`, the system buffers at most so many bytes of the answer."""
        made = socket.socket()
        made.settimeout(ANSWER)
        if window:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        made.connect(("127.0.0.1", self.port))
        for part in sent:
            made.sendall(part)
        return made

    @property
    def workers(self) -> set[int]:
        """Its processes that serve."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        return {int(pid) for pid in found.split() if Path(f"/proc/{pid}").exists()}

    @property
    def open_files(self) -> int:
        """How many files and sockets they hold open."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.workers)

    def stop(self) -> int:
        """Asks it to end, waits, and gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Ends it and its processes at once, where it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.wait()

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def status_of(port: int, path: str, headers: Mapping[str, str], method: str = "GET") -> int:
    """The status of one request by a client that is not slow. Raises OSError if it is not answered."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER)) as connection:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def answers(port: int) -> bool:
    """Whether a console is reached at a port."""
    try:
        return status_of(port, "/healthz", {}) == 200
    except OSError:
        return False


def export(users: Users) -> str:
    """The address of a large file that the owner exported."""
    now = timezone.now()
    job = Job.objects.create(
        workspace=users.workspace,
        user=users.owner,
        kind=JobKind.EXPORT,
        resource="flows",
        format="csv",
        state=JobState.ENDED,
        asked_at=now,
        ended_at=now,
        bytes=LARGE,
        rows=1,
        keep_until=now + timedelta(days=1),
    )
    for number in range(LARGE // 2**20):
        JobPart.objects.create(job=job, number=number, data=b"x" * 2**20)
    return f"/w/sales/jobs/{job.pk}/file/"


def cookie_of(user: User) -> str:
    """The cookie of a browser in which somebody is signed in."""
    browser = Client()
    browser.force_login(user)
    return f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"


class SlowReaders:
    """Reads one byte a second from each of these connections, until `close`."""

    def __init__(self, connections: list[socket.socket]) -> None:
        self._connections = connections
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._over.wait(1.0):
            ready, _, _ = select.select(self._connections, [], [], 0)
            for one in ready:
                one.recv(1)

    def close(self) -> None:
        """Ends the reading."""
        self._over.set()
        self._thread.join()


def cut_off(connection: socket.socket) -> bool:
    """Whether the server closes the connection without an answer. Raises TimeoutError if it stays open for `ANSWER` seconds."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def rest_of(connection: socket.socket) -> int:
    """How many bytes still come until the connection ends."""
    found = 0
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            found += len(part)
    return found

"""`make run`: starts from nothing, keeps everything, ends without a trace, and says in one line why it cannot."""

import http.cookiejar
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.ground.running import ROOT, RUNNER, Started, console, free_port, of_folder, surroundings, wait_for

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc (Linux)"),
    pytest.mark.xdist_group("run"),
    pytest.mark.timeout(300),
]
READY = "The console is ready"


def sign_in(address: str, name: str, password: str) -> str:
    """The page that a person lands on after signing in; fails when the sign-in does."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    )
    form = opener.open(f"{address}/accounts/login/", timeout=30).read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token
    fields = {"csrfmiddlewaretoken": token[1], "login": name, "password": password}
    with opener.open(f"{address}/accounts/login/", urllib.parse.urlencode(fields).encode(), timeout=30) as answer:
        assert answer.geturl() == f"{address}/w/practice/"
        page: str = answer.read().decode()
        return page


def refused(folder: Path, port: int, **changes: str) -> str:
    """The one line with which a start is refused."""
    result = subprocess.run(
        RUNNER,
        cwd=ROOT,
        env=surroundings(folder, port) | changes,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 1
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    assert lines[0].startswith("Cannot start: ")
    return lines[0]


def test_a_fresh_folder_starts_ends_starts_again_with_everything_and_its_processes_are_looked_after(
    tmp_path: Path,
) -> None:
    tree, folder, port = tmp_path / "console with a space", tmp_path / "var", free_port()
    shutil.copytree(
        ROOT, tree, ignore=shutil.ignore_patterns(".venv", "var", ".git", "*.mo", "__pycache__", ".*_cache", ".env")
    )
    (tree / ".venv").symlink_to(Path(sys.executable).parents[1])
    with console(["make", "run"], folder, port, tree) as first:
        first.says("Password:")
        first.says("Change it under your name")
        assert first.get("/readyz")[0] == 200
        assert f"{READY}: {first.address}" in first.output
        name, password = re.findall(r"^(?:User name|Password): +(\S+)$", first.output, re.MULTILINE)
        assert "Practice" in sign_in(first.address, name, password)
        style = re.search(r'href="(/static/app\.[0-9a-f]+\.css)"', first.get("/accounts/login/")[1])
        assert style, "static files have hashed names"
        assert first.get(style[1])[0] == 200
        private = [folder, folder / "keys.env", folder / "console.sqlite3"]
        assert [stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private] == [0, 0, 0]
        keys = (folder / "keys.env").read_bytes()
        assert password not in "".join(of_folder(folder).values())
        first.interrupt()
    assert "Stopped." in first.output
    assert of_folder(folder) == {}
    with console(RUNNER, folder, port, tree) as second:
        second.says(READY)
        assert "Password:" not in second.output
        assert "Practice" in sign_in(second.address, name, password)
        assert (folder / "keys.env").read_bytes() == keys
        _a_second_console_is_refused(second)
        _a_killed_worker_is_started_again(second)
        _nothing_outlives_a_runner_that_is_killed(second)


def _a_second_console_is_refused(started: Started) -> None:
    said = refused(started.folder, free_port())
    assert f"runs already (process {started.process.pid}, {started.address})" in said


def _a_killed_worker_is_started_again(started: Started) -> None:
    [worker] = [pid for pid, command in of_folder(started.folder).items() if " worker " in command]
    os.kill(worker, signal.SIGKILL)
    started.says("worker   | was killed (SIGKILL); starting it again")
    wait_for(lambda: started.output.count("celery@") > 1, "a second worker")


def _nothing_outlives_a_runner_that_is_killed(started: Started) -> None:
    assert len(of_folder(started.folder)) > 4
    started.process.kill()
    started.process.wait()
    wait_for(lambda: not of_folder(started.folder), "the end of the others")


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"Port {port} is in use" in refused(tmp_path / "var", port)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "var"
    assert f"Cannot write to {folder}" in refused(folder, free_port())


def test_a_bad_setting_is_said_in_one_line(tmp_path: Path) -> None:
    assert "WORKER_SLOTS must be a whole number" in refused(tmp_path / "var", free_port(), WORKER_SLOTS="many")


def test_an_old_python_is_said_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ncase "$2" in *print*) echo 3.9.2;; *) exit 1;; esac\n')
    old.chmod(0o755)
    result = subprocess.run(
        ["make", "--no-print-directory", "run", f"PYTHON={old}"],
        cwd=ROOT,
        env=surroundings(tmp_path / "var", free_port()),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode != 0
    said = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert "Python 3.11, 3.12 or 3.13 (with venv) is needed." in said[0]
    assert f"{old} is 3.9.2" in said[0]

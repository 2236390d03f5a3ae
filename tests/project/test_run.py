"""`make run` starts from nothing, keeps everything, leaves no process behind, and explains in one line why it cannot start."""

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

from tests.project.console_process import (
    ROOT,
    RUN_COMMAND,
    ConsoleProcess,
    free_port,
    minimal_environment,
    processes_of,
    running_console,
    wait_for,
)

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc (Linux)"),
    pytest.mark.xdist_group("run"),
    pytest.mark.timeout(300),
]
READY = "The console is ready"


def sign_in(address: str, name: str, password: str) -> str:
    """Sign in and return the first page."""
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
    """The line that explains why the console did not start."""
    result = subprocess.run(
        RUN_COMMAND,
        cwd=ROOT,
        env=minimal_environment(folder, port) | changes,
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


@pytest.mark.slow
def test_a_fresh_folder_starts_stops_and_starts_again_with_all_its_data_and_its_processes_are_supervised(
    tmp_path: Path,
) -> None:
    tree, folder, port = tmp_path / "console with a space", tmp_path / "var", free_port()
    shutil.copytree(
        ROOT, tree, ignore=shutil.ignore_patterns(".venv", "var", ".git", "*.mo", "__pycache__", ".*_cache", ".env")
    )
    (tree / ".venv").symlink_to(Path(sys.executable).parents[1])
    with running_console(["make", "run"], folder, port, tree, PRACTICE_MONTH="true") as first:
        first.wait_for_output("Password:")
        first.wait_for_output("Change it under your name")
        assert first.get("/readyz")[0] == 200
        assert f"{READY}: {first.address}" in first.output
        assert "not_ready" not in first.output
        name, password = re.findall(r"^(?:User name|Password): +(\S+)$", first.output, re.MULTILINE)
        home = sign_in(first.address, name, password)
        assert "Practice" in home
        assert "/w/practice/failures/" in home, "the run index is on"
        style = re.search(r'href="(/static/console\.[0-9a-f]+\.css)"', first.get("/accounts/login/")[1])
        assert style, "static files have hashed names"
        assert first.get(style[1])[0] == 200
        private = [folder, folder / "keys.env", folder / "console.sqlite3"]
        assert [stat.S_IMODE(path.stat().st_mode) & 0o077 for path in private] == [0, 0, 0]
        keys = (folder / "keys.env").read_bytes()
        assert password not in "".join(processes_of(folder).values())
        first.interrupt()
    assert "Stopped." in first.output
    assert processes_of(folder) == {}
    with running_console(RUN_COMMAND, folder, port, tree) as second:
        second.wait_for_output(READY)
        assert "Password:" not in second.output
        assert "Practice" in sign_in(second.address, name, password)
        assert (folder / "keys.env").read_bytes() == keys
        _a_second_console_is_refused(second)
        _a_killed_worker_is_restarted(second)
        _no_process_outlives_a_supervisor_that_is_killed(second)


def _a_second_console_is_refused(started: ConsoleProcess) -> None:
    reason = refused(started.folder, free_port())
    assert f"runs already (process {started.process.pid}, {started.address})" in reason


def _a_killed_worker_is_restarted(started: ConsoleProcess) -> None:
    [worker] = [pid for pid, command in processes_of(started.folder).items() if " worker " in command]
    os.kill(worker, signal.SIGKILL)
    started.wait_for_output("worker   | was killed (SIGKILL); starting it again")
    wait_for(lambda: started.output.count("celery@") > 1, "a second worker")


def _no_process_outlives_a_supervisor_that_is_killed(started: ConsoleProcess) -> None:
    assert len(processes_of(started.folder)) > 4
    started.process.kill()
    started.process.wait()
    wait_for(lambda: not processes_of(started.folder), "the end of the others")


@pytest.mark.slow
def test_a_port_in_use_is_explained_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"Port {port} is in use" in refused(tmp_path / "var", port)


@pytest.mark.slow
def test_a_folder_that_is_not_writable_is_explained_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "var"
    assert f"Cannot write to {folder}" in refused(folder, free_port())


@pytest.mark.slow
def test_an_invalid_setting_is_explained_in_one_line(tmp_path: Path) -> None:
    assert "WORKER_SLOTS must be a whole number" in refused(tmp_path / "var", free_port(), WORKER_SLOTS="many")


def make(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in a folder with the files that install, and with the requirements of a test."""
    (tree / "console" / "dev").mkdir(parents=True, exist_ok=True)
    for name in ("Makefile", "console/dev/find_python.sh"):
        shutil.copy(ROOT / name, tree / name)
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=tree,
        env=minimal_environment(tree / "var", free_port()),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_an_unsupported_python_is_explained_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ncase "$2" in *print*) echo 3.9.2;; *) exit 1;; esac\n')
    old.chmod(0o755)
    (tmp_path / "requirements.txt").touch()
    result = make(tmp_path, "run", f"PYTHON={old}")
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1
    assert "Python 3.11, 3.12 or 3.13 (with venv) is needed." in lines[0]
    assert f"{old} is 3.9.2" in lines[0]


@pytest.mark.slow
def test_packages_are_installed_into_an_environment_of_their_own_and_again_only_if_their_list_changes(
    tmp_path: Path,
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# nothing\n")
    first = make(tmp_path, "install", f"PYTHON={sys.executable}")
    assert "Installing requirements.txt" in first.stdout, first.stderr
    assert (tmp_path / ".venv" / "bin" / "pip").exists()
    os.utime(requirements)
    second = make(tmp_path, "install", "PYTHON=none")
    assert second.returncode == 0
    assert "Installing" not in second.stdout
    (tmp_path / "unknown").mkdir()
    (tmp_path / "unknown" / "pyproject.toml").touch()
    requirements.write_text("./unknown\n")
    changed = make(tmp_path, "install")
    assert changed.returncode != 0
    assert "Can't verify hashes" in changed.stderr
    # What failed is tried again.
    assert "Installing requirements.txt" in make(tmp_path, "install").stdout

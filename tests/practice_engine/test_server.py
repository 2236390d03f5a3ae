"""The server and the process around the engine: HTTP, the state on disk, the management command."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from practice_engine import PracticeEngine, serve, wait_until_listening
from practice_engine.accounts import SAO_MAI_PROJECT, credential_row
from practice_engine.http import Request
from practice_engine.samples import sample_flows
from tests.practice_engine.fixtures import FAST, Practice, until

ROOT = Path(__file__).resolve().parents[2]
MARKER = "M" * 21


def test_many_requests_go_over_one_connection(practice: Practice) -> None:
    connection = http.client.HTTPConnection(practice.server.host, practice.server.port, timeout=20)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request(
            "GET", "/api/v1/flags", headers={"Authorization": f"Bearer {practice.credentials.bearer_token}"}
        )
        assert connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_a_chunked_body_is_read(practice: Practice) -> None:
    parts = iter([b'{"name":', b' "Lan"}'])
    path = f"/v1/webhooks/{practice.sample('quick').id}/sync"
    response = practice.call("POST", path, data=parts, headers={"content-type": "application/json"})
    assert response.json()["name"] == "Lan"


def test_an_empty_json_body_is_a_400(practice: Practice) -> None:
    response = practice.call("POST", "/v1/folders", headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, "FST_ERR_CTP_EMPTY_JSON_BODY")


def test_given_credentials_are_used_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    engine = PracticeEngine(FAST, state_file=file, given={"bearer_token": "given-token-1"})
    key = engine.credentials.api_key
    engine.state.credentials["made-over-http"] = credential_row("api_key", "u", "o")
    engine.close()
    again = PracticeEngine(FAST, state_file=file, given={"bearer_token": "given-token-2"})
    assert (again.credentials.bearer_token, again.credentials.api_key) == ("given-token-2", key)
    assert "given-token-1" not in again.state.credentials
    assert again.state.credentials["made-over-http"]["user"] == "u"
    again.close()


def test_everything_is_there_after_a_restart_and_paused_runs_go_on(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    engine = PracticeEngine(FAST, state_file=file)
    row = start(engine, "pausing")
    until(lambda: row["status"] == "PAUSED")
    engine.close()
    again = PracticeEngine(FAST, state_file=file)
    with again.state.lock:
        assert set(again.state.flows) == set(engine.state.flows)
        found = again.state.runs[row["id"]]
    until(lambda: found["status"] == "SUCCEEDED")
    assert found["steps"]["step_1"]["output"] == {"delayForInMs": 60000, "success": True}
    again.close()


@pytest.mark.slow
def test_a_run_that_was_running_is_run_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    engine = PracticeEngine(1.0, state_file=file)
    row = start(engine, "eight")
    until(lambda: row["status"] == "RUNNING")
    engine.close()
    again = PracticeEngine(FAST, state_file=file)
    until(lambda: again.state.runs[row["id"]]["status"] == "SUCCEEDED")
    again.close()


def start(engine: PracticeEngine, slug: str) -> dict[str, Any]:
    """Start a flow without HTTP; gives the run's row."""
    path = f"/api/v1/webhooks/{sample_flows()[slug].id}"
    request = Request("POST", path, {}, {"content-type": "application/json", "ap-parent-run-id": MARKER}, b"{}")
    assert engine.handle(request).status == 200
    return next(row for row in engine.state.runs.values() if row["parentRunId"] == MARKER)


def test_the_oldest_ended_run_goes_when_there_are_too_many(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("practice_engine.run_rows.MAX_RUNS", len(practice.engine.state.runs))
    before = set(practice.engine.state.runs)
    start(practice.engine, "quick")
    after = set(practice.engine.state.runs)
    assert (len(before - after), len(after - before)) == (1, 1)


def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    for text in ("{", "{}", '{"format": 99}'):
        file.write_text(text)
        with pytest.raises(ValueError, match="snapshot"):
            PracticeEngine(FAST, state_file=file)


def test_two_servers_do_not_share_a_port(practice: Practice) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(practice.engine, practice.server.port)


@contextlib.contextmanager
def command(folder: Path, *options: str, port: int) -> Any:
    """The management command in a process of its own."""
    environment = {**os.environ, "PRACTICE_ENGINE_TOKEN": "practice-token-for-tests"}
    environment["DJANGO_SETTINGS_MODULE"] = "console.settings"
    arguments = [
        sys.executable,
        str(ROOT / "manage.py"),
        "practice_engine",
        "--port",
        str(port),
        "--clock-scale",
        str(FAST),
    ]
    process = subprocess.Popen(
        [*arguments, "--state", str(folder / "state.json"), *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def free_port() -> int:
    engine = PracticeEngine(FAST, samples=False)
    server = serve(engine)
    server.stop()
    engine.close()
    return server.port


def make_table(url: str) -> int:
    """The status of making a table called "Kept"."""
    headers = {"Authorization": "Bearer practice-token-for-tests"}
    body = {"name": "Kept", "projectId": SAO_MAI_PROJECT}
    return requests.post(f"{url}/api/v1/tables", json=body, headers=headers, timeout=10).status_code


@pytest.mark.slow
@pytest.mark.parametrize(("number", "version"), [(signal.SIGTERM, "0.72.4"), (signal.SIGINT, "0.83.0")])
def test_the_command_serves_and_stops_cleanly(tmp_path: Path, number: signal.Signals, version: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    credentials = tmp_path / "credentials.json"
    asked = ("--credentials-file", str(credentials), "--engine-version", version)
    with command(tmp_path, *asked, port=port) as process:
        assert wait_until_listening(url, 30)
        assert requests.get(f"{url}/api/v1/flags", timeout=10).json()["CURRENT_VERSION"] == version
        assert make_table(url) == 200
        until(lambda: credentials.exists() and credentials.stat().st_size > 0)
        assert credentials.stat().st_mode & 0o777 == 0o600
        assert json.loads(credentials.read_text())["bearer_token"] == "practice-token-for-tests"
        process.send_signal(number)
        said, _ = process.communicate(timeout=20)
        assert process.returncode == 0, said
    assert "Kept" in (tmp_path / "state.json").read_text()


@pytest.mark.slow
def test_a_killed_engine_leaves_a_whole_snapshot(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with command(tmp_path, port=port) as process:
        assert wait_until_listening(url, 30)
        assert make_table(url) == 200
        until(lambda: (tmp_path / "state.json").exists() and "Kept" in (tmp_path / "state.json").read_text())
        process.kill()
        process.wait()
    engine = PracticeEngine(FAST, state_file=tmp_path / "state.json")
    assert any(table["name"] == "Kept" for table in engine.state.tables.values())
    engine.close()


@pytest.mark.slow
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, practice: Practice) -> None:
    with command(tmp_path, port=practice.server.port) as process:
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 1
    assert f"CommandError: Port {practice.server.port} is in use." in said
    assert "Traceback" not in said

"""The settings of `make run`: which value wins, and what is generated once."""

import socket
from pathlib import Path

import pytest

from console.dev import dev_settings


@pytest.fixture(autouse=True)
def _own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_settings, "ROOT", tmp_path)


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# settings\nWEB_THREADS=4\nexport PORT='9000'\nLOG_FORMAT=\n", encoding="utf-8")
    given = {"WEB_THREADS": "2", "EMAIL_URL": ""}
    values, _ = dev_settings.process_environment(given, tmp_path, starting=True)
    names = ("WEB_THREADS", "PORT", "BASE_URL", "LOG_FORMAT", "EMAIL_URL")
    assert [values[name] for name in names] == ["2", "9000", "http://127.0.0.1:9000", "text", "consolemail://"]


def test_keys_are_generated_once_and_kept(tmp_path: Path) -> None:
    first, _ = dev_settings.process_environment({}, tmp_path, starting=True)
    second, _ = dev_settings.process_environment({}, tmp_path, starting=False)
    assert first == second
    assert len({first[name] for name in ("SECRET_KEY", "CREDENTIAL_KEYS", "AUDIT_KEY", "PRACTICE_ENGINE_TOKEN")}) == 4


def test_the_practice_engine_keeps_its_port_unless_another_program_took_it(tmp_path: Path) -> None:
    _, port = dev_settings.process_environment({}, tmp_path, starting=True)
    assert port
    assert dev_settings.process_environment({}, tmp_path, starting=True)[1] == port
    with socket.create_server(("127.0.0.1", port)):
        assert dev_settings.process_environment({}, tmp_path, starting=False)[1] == port
        assert dev_settings.process_environment({}, tmp_path, starting=True)[1] != port


def test_no_practice_engine_is_started_where_another_one_is_configured(tmp_path: Path) -> None:
    given = {"PRACTICE_ENGINE_URL": "http://127.0.0.1:1"}
    values, port = dev_settings.process_environment(given, tmp_path, starting=True)
    assert (values["PRACTICE_ENGINE_URL"], port) == ("http://127.0.0.1:1", None)

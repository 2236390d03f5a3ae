"""The settings of `make run`: which value wins, and what is generated once."""

import contextlib
import socket
from pathlib import Path

import pytest

from console.dev import dev_settings
from console.dev.dev_settings import StartError
from tests.project.console_process import free_port


def _ignored(line: str) -> None:
    """Do nothing with a line of the start."""


@pytest.fixture(autouse=True)
def _own_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_settings, "ROOT", tmp_path)


def test_the_environment_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# settings\nWEB_THREADS=4\nexport PORT='9000'\nLOG_FORMAT=\n", encoding="utf-8")
    given = {"WEB_THREADS": "2", "EMAIL_URL": ""}
    values, _ = dev_settings.process_environment(given, tmp_path, report=_ignored)
    names = ("WEB_THREADS", "PORT", "BASE_URL", "LOG_FORMAT", "EMAIL_URL")
    assert [values[name] for name in names] == ["2", "9000", "http://127.0.0.1:9000", "text", "consolemail://"]


def test_keys_are_generated_once_and_kept(tmp_path: Path) -> None:
    first, _ = dev_settings.process_environment({}, tmp_path, report=_ignored)
    second, _ = dev_settings.process_environment({}, tmp_path, report=None)
    assert first == second
    assert len({first[name] for name in ("SECRET_KEY", "CREDENTIAL_KEYS", "AUDIT_KEY", "PRACTICE_ENGINE_TOKEN")}) == 4


def test_the_practice_engine_has_the_port_after_the_consoles_and_keeps_it_unless_another_program_took_it(
    tmp_path: Path,
) -> None:
    lines: list[str] = []

    def port(console: int, *, starting: bool = True) -> int | None:
        report = lines.append if starting else None
        return dev_settings.process_environment({"PORT": str(console)}, tmp_path, report=report)[1]

    console = free_port()
    first = port(console, starting=False)
    assert first == console + 1
    with socket.socket() as other:
        # Already taken on a machine where other tests run.
        with contextlib.suppress(OSError):
            other.bind(("127.0.0.1", first))
        assert port(console, starting=False) == first
        second = port(console)
        assert second not in (None, console, first)
        assert lines == [f"Port {first} is in use: the practice engine uses port {second} instead."]
    assert port(console) == second
    assert port(second) not in (None, second), "the console has this port now"


def test_a_port_that_was_chosen_for_the_practice_engine_is_used_or_refused(tmp_path: Path) -> None:
    def port(wanted: str) -> int | None:
        given = {"PRACTICE_ENGINE_PORT": wanted}
        return dev_settings.process_environment(given, tmp_path, report=_ignored)[1]

    free = free_port()
    assert port(str(free)) == free
    assert dev_settings.process_environment({}, tmp_path, report=None)[1] == free
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(StartError, match="is in use"):
        port(str(other.getsockname()[1]))
    for wrong in ("http", "0", "65536"):
        with pytest.raises(StartError, match="PRACTICE_ENGINE_PORT must be"):
            port(wrong)


def test_no_practice_engine_is_started_where_another_one_is_configured(tmp_path: Path) -> None:
    given = {"PRACTICE_ENGINE_URL": "http://127.0.0.1:1"}
    values, port = dev_settings.process_environment(given, tmp_path, report=_ignored)
    assert (values["PRACTICE_ENGINE_URL"], port) == ("http://127.0.0.1:1", None)

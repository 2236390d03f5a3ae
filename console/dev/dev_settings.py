"""The default settings of `make run`, and the keys that it generates.

They are production's settings for one machine: SQLite, a file cache, the file broker, http on the loopback address. Variables of the
environment take precedence, then those of a file `.env`, then these.
"""

import base64
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import environ

ROOT = Path(__file__).resolve().parents[2]
_KEYS = "keys.env"
_PRACTICE_PORT = "practice_engine.port"
#: How many ports next to the console's are tried for the practice engine.
_PORTS = 20
_LAST_PORT = 65535
#: What the worker prints after its first periodic task.
TASKS_RUN = "Periodic tasks run."
#: Gets a line about the start.
Report = Callable[[str], None]


class StartError(Exception):
    """Why the console cannot start, in one line."""


def make_var_dir(given: dict[str, str]) -> Path:
    """Create the folder of all state if it is missing, and close it to other users. Raises StartError if it is not writable."""
    folder = ROOT / (_explicit(given).get("VAR_DIR") or "var")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise StartError(
            f"Cannot write to {folder} ({problem.strerror}). Make it writable, or name another folder: VAR_DIR=/path make run"
        ) from None
    return folder


def process_environment(
    given: dict[str, str], folder: Path, *, report: Report | None
) -> tuple[dict[str, str], int | None]:
    """The environment of the console's processes, and the practice engine's port unless another one is configured.

    Generates missing keys. `report` is for a start: no process runs yet, so that a port in use belongs to another program. It gets
    a line if the practice engine has to take another port. Raises StartError if PRACTICE_ENGINE_PORT is no port, or in use.
    """
    explicit = _explicit(given)
    port = explicit.get("PORT") or "8000"
    values = {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "PYTHONUNBUFFERED": "1",
        "PORT": port,
        "BIND": "127.0.0.1",
        "BASE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "ALLOW_HTTP": "true",
        "DATABASE_URL": f"sqlite:///{folder / 'console.sqlite3'}",
        "CACHE_URL": f"filecache://{folder / 'cache'}",
        "CELERY_BROKER_URL": "fsatomic://localhost",
        "EMAIL_URL": "consolemail://",
        "WEB_PROCESSES": "1",
        "WEB_THREADS": "16",
        "WORKER_SLOTS": "100",
        "LOG_FORMAT": "text",
        "PRACTICE_MONTH": "true",
        "ENGINE_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128",
        **_keys(folder),
        **explicit,
        "VAR_DIR": str(folder),
    }
    if "PRACTICE_ENGINE_URL" in explicit:
        return values, None
    practice_port = _practice_port(folder, port, explicit.get("PRACTICE_ENGINE_PORT", ""), report)
    return values | {"PRACTICE_ENGINE_URL": f"http://127.0.0.1:{practice_port}"}, practice_port


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _explicit(given: dict[str, str]) -> dict[str, str]:
    """The variables that somebody set. An empty value counts as not set."""
    return _read_file(ROOT / ".env") | {name: value for name, value in given.items() if value}


def _read_file(file: Path) -> dict[str, str]:
    reader: Any = type("FileEnv", (environ.Env,), {"ENVIRON": {}})
    reader.read_env(file)
    return {name: value for name, value in reader.ENVIRON.items() if value}


def _keys(folder: Path) -> dict[str, str]:
    """The keys in the folder. They are generated at the first start, readable only by their owner."""
    file = folder / _KEYS
    found = _read_file(file)
    generated = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AUDIT_KEY": secrets.token_urlsafe(48),
        "PRACTICE_ENGINE_TOKEN": secrets.token_urlsafe(32),
    }
    if not generated.keys() <= found.keys():
        found = generated | found
        text = (
            "# Keep this file: without CREDENTIAL_KEYS the stored credentials cannot be opened,\n"
            "# and without AUDIT_KEY the audit log proves nothing.\n"
        )
        _write_private(file, text + "".join(f"{name}={value}\n" for name, value in found.items()))
    return found


def _practice_port(folder: Path, console_port: str, wanted: str, report: Report | None) -> int:
    """The wanted port, or that of the last start, since workspaces store its address, or at first the one after the console's."""
    if wanted and not _is_port(wanted):
        raise StartError(f"PRACTICE_ENGINE_PORT must be a whole number from 1 to 65535, not {wanted!r}.")
    # A wrong PORT is refused when the settings are read.
    console = int(console_port) if _is_port(console_port) else 8000
    file = folder / _PRACTICE_PORT
    stored = file.read_text(encoding="ascii").strip() if file.exists() else ""
    step = 1 if console + _PORTS <= _LAST_PORT else -1
    port = int(wanted or stored or console + step)
    if report is not None and (port == console or not is_free("127.0.0.1", port)):
        if wanted:
            raise StartError(f"Port {port} is in use. Stop what uses it, or choose another PRACTICE_ENGINE_PORT.")
        nearby = range(console + step, console + step * _PORTS, step)
        other = next((number for number in nearby if is_free("127.0.0.1", number)), None)
        if other is None:
            raise StartError("No port next to PORT is free. Choose one: PRACTICE_ENGINE_PORT=9000 make run")
        report(f"Port {port} is in use: the practice engine uses port {other} instead.")
        port = other
    if str(port) != stored:
        _write_private(file, f"{port}\n")
    return port


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= _LAST_PORT


def _write_private(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    temporary.replace(file)

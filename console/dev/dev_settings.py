"""The default settings of `make run`, and the keys that it generates.

They are production's settings for one machine: SQLite, a file cache, the file broker, http on the loopback address. Variables of the
environment take precedence, then those of a file `.env`, then these.
"""

import base64
import os
import secrets
import socket
from pathlib import Path
from typing import Any

import environ

ROOT = Path(__file__).resolve().parents[2]
_KEYS = "keys.env"
_PRACTICE_PORT = "practice_engine.port"


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


def process_environment(given: dict[str, str], folder: Path, *, starting: bool) -> tuple[dict[str, str], int | None]:
    """Return the environment of the console's processes, and the practice engine's port unless another one is configured.

    Generates missing keys. `starting` means that no process runs yet, so that a port in use belongs to another program.
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
        "ENGINE_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128",
        **_keys(folder),
        **explicit,
        "VAR_DIR": str(folder),
    }
    if "PRACTICE_ENGINE_URL" in explicit:
        return values, None
    practice_port = _practice_port(folder, choose=starting)
    return values | {"PRACTICE_ENGINE_URL": f"http://127.0.0.1:{practice_port}"}, practice_port


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _explicit(given: dict[str, str]) -> dict[str, str]:
    """Return the variables that somebody set. An empty value counts as not set."""
    return _read_file(ROOT / ".env") | {name: value for name, value in given.items() if value}


def _read_file(file: Path) -> dict[str, str]:
    reader: Any = type("FileEnv", (environ.Env,), {"ENVIRON": {}})
    reader.read_env(file)
    return {name: value for name, value in reader.ENVIRON.items() if value}


def _keys(folder: Path) -> dict[str, str]:
    """Return the keys in the folder. They are generated at the first start, readable only by their owner."""
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


def _practice_port(folder: Path, *, choose: bool) -> int:
    """Return the practice engine's port. It is chosen once, since workspaces store its address.

    With `choose`, it is replaced if another program uses it.
    """
    file = folder / _PRACTICE_PORT
    stored = file.read_text(encoding="ascii").strip() if file.exists() else ""
    if stored.isdigit() and (not choose or is_free("127.0.0.1", int(stored))):
        return int(stored)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    _write_private(file, f"{port}\n")
    return port


def _write_private(file: Path, text: str) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    temporary.replace(file)

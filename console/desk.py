"""The console on a desk: what `make run` gives to settings that nobody gave, and the keys it makes.

The settings are those of production with every value said aloud: SQLite, a file cache, the file broker, plain http on this machine only.
Values from the environment win, then those of a file `.env`, then these.
"""

import base64
import os
import re
import secrets
import socket
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_KEYS = "keys.env"
_PRACTICE_PORT = "practice_engine.port"


class CannotStart(Exception):
    """The reason in one line, for the person at the desk."""


def folder(given: dict[str, str]) -> Path:
    """The folder of all state, made and closed to others where needed. Raises CannotStart."""
    known = _known(given)
    path = ROOT / (known.get("VAR_DIR") or "var")
    _own(path)
    return path


def environment(given: dict[str, str], folder: Path, *, starting: bool) -> tuple[dict[str, str], int | None]:
    """All environment variables for the console's processes, and the practice engine's port where it is one of them.

    Makes keys where there are none. `starting` means that nothing runs yet, so that a port in use is not our own.
    """
    known = _known(given)
    port = known.get("PORT") or "8000"
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
        **keys(folder),
        **known,
        "VAR_DIR": str(folder),
    }
    if "PRACTICE_ENGINE_URL" in known:
        return values, None
    practice = practice_port(folder, choose=starting)
    return values | {"PRACTICE_ENGINE_URL": f"http://127.0.0.1:{practice}"}, practice


def keys(folder: Path) -> dict[str, str]:
    """The keys in the folder, made at the first start and readable by their owner only."""
    file = folder / _KEYS
    found = _file(file)
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AUDIT_KEY": secrets.token_urlsafe(48),
        "PRACTICE_ENGINE_TOKEN": secrets.token_urlsafe(32),
    }
    if not made.keys() <= found.keys():
        found = made | found
        text = (
            "# Keep this file: without CREDENTIAL_KEYS the stored credentials cannot be opened,\n"
            "# and without AUDIT_KEY the audit log proves nothing.\n"
        )
        _write_private(file, text + "".join(f"{name}={value}\n" for name, value in found.items()))
    return found


def practice_port(folder: Path, *, choose: bool) -> int:
    """The practice engine's port: a free one is chosen once and remembered, since workspaces keep its address.

    With `choose`, a remembered port that somebody else has taken since is given up for another.
    """
    file = folder / _PRACTICE_PORT
    remembered = file.read_text(encoding="ascii").strip() if file.exists() else ""
    if remembered.isdigit() and (not choose or is_free("127.0.0.1", int(remembered))):
        return int(remembered)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    _write_private(file, f"{port}\n")
    return port


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _known(given: dict[str, str]) -> dict[str, str]:
    return _file(ROOT / ".env") | {name: value for name, value in given.items() if value}


def _own(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise CannotStart(
            f"Cannot write to {folder} ({problem.strerror}). Make it writable, or name another folder: VAR_DIR=/path make run"
        ) from None


def _write_private(file: Path, text: str) -> None:
    hidden = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    hidden.replace(file)


def _file(file: Path) -> dict[str, str]:
    """NAME=value lines of a file; empty values count as not given. Quotes around a value are taken off."""
    if not file.is_file():
        return {}
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)", line)
        value = match[2].strip() if match else ""
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        if match and value:
            found[match[1]] = value
    return found

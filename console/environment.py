"""Typed reading of environment variables for settings.py.

Every method raises ImproperlyConfigured, with the name of the variable and the form of a valid value.
"""

import contextlib
import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

#: Seconds after which PostgreSQL ends a session that is idle in a transaction. The console never waits for anything else there.
IDLE_TRANSACTION_SECONDS = 30


class Reader:
    """Reads single variables. `env` is an Env of django-environ."""

    def __init__(self, env: Any) -> None:
        self._env = env

    def text(self, name: str, *, default: str | None) -> str:
        """A text; without a default it must be set."""
        value = str(self._env.str(name, default="") or "").strip()
        if not value:
            if default is None:
                raise ImproperlyConfigured(f"{name} is missing. See docs/settings.md.")
            return default
        return value

    def texts(self, name: str, *, default: str | None) -> list[str]:
        """A list separated by commas, without empty items."""
        return [part.strip() for part in self.text(name, default=default).split(",") if part.strip()]

    def folder(self, name: str, *, default: Path) -> Path:
        """The absolute path of a folder, which need not exist."""
        value = Path(self.text(name, default=str(default)))
        if not value.is_absolute():
            raise ImproperlyConfigured(f"{name} must be the absolute path of a folder, not {str(value)!r}.")
        return value

    def file(self, name: str) -> str:
        """The absolute path of an existing file, or an empty text."""
        value = self.text(name, default="")
        if value and not (Path(value).is_absolute() and Path(value).is_file()):
            raise ImproperlyConfigured(f"{name} must be the absolute path of an existing file, not {value!r}.")
        return value

    def address(self, name: str, *, default: str) -> str:
        """An IP address."""
        value = self.text(name, default=default)
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be an IP address such as 127.0.0.1, not {value!r}.") from None

    def email(self, name: str, *, default: str) -> dict[str, Any]:
        """Django's mail settings for smtp+tls://user:password@host:587, smtp+ssl://..., consolemail:// or dummymail://."""
        value = self.text(name, default=default)
        try:
            config: dict[str, Any] = self._env.email_url_config(value)
        except (ValueError, KeyError, ImproperlyConfigured):
            raise ImproperlyConfigured(
                f"{name} must look like smtp+tls://user:password@host:587, or be consolemail:// or dummymail://."
            ) from None
        return {setting: part for setting, part in config.items() if setting.startswith("EMAIL_")}

    def boolean(self, name: str, *, default: bool) -> bool:
        """A boolean: true/false, yes/no, on/off or 1/0, in upper or lower case."""
        text = self.text(name, default=str(default)).lower()
        if text in {"true", "yes", "on", "1"}:
            return True
        if text in {"false", "no", "off", "0"}:
            return False
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        """A whole number from low to high."""
        text = self.text(name, default=str(default))
        try:
            number = int(text)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None
        if not low <= number <= high:
            raise ImproperlyConfigured(f"{name} must be from {low} to {high}, not {number}.")
        return number

    def number(self, name: str, *, default: float, low: float, high: float) -> float:
        """A number from low to high, such as 0.05 or 1. Exponents and nan are refused."""
        text = self.text(name, default=f"{default:g}")
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
            raise ImproperlyConfigured(f"{name} must be a number such as 0.5, not {text!r}.")
        number = float(text)
        if not low <= number <= high:
            raise ImproperlyConfigured(f"{name} must be from {low:g} to {high:g}, not {text}.")
        return number

    def secret(self, name: str, *, minimum: int, optional: bool = False) -> str:
        """A secret of at least `minimum` characters, or an empty text if optional. The error does not contain the value."""
        value = self.text(name, default="" if optional else None)
        if value and len(value) < minimum:
            raise ImproperlyConfigured(f"{name} is too short: use at least {minimum} random characters.")
        return value

    def secrets(self, name: str, *, minimum: int) -> list[str]:
        """A list of secrets of at least `minimum` characters each. The error does not contain a value."""
        found = self.texts(name, default=None)
        if not found:
            raise ImproperlyConfigured(f"{name} is missing: give at least one random secret.")
        if any(len(secret) < minimum for secret in found):
            raise ImproperlyConfigured(f"{name} is too short: use at least {minimum} random characters for each.")
        return found

    def keys(self, name: str, *, check: Callable[[str], object]) -> list[str]:
        """A list of keys. `check` raises ValueError for an invalid one."""
        keys = self.texts(name, default=None)
        for position, key in enumerate(keys, start=1):
            try:
                check(key)
            except ValueError:
                raise ImproperlyConfigured(
                    f"{name}: key {position} is not a Fernet key (32 random bytes, URL-safe base64)."
                ) from None
        if not keys:
            raise ImproperlyConfigured(f"{name} is missing: give at least one Fernet key.")
        return keys

    def url(self, name: str, *, default: str | None) -> str:
        """An http or https URL without credentials, query or fragment; an empty text only if that is the default."""
        value = self.text(name, default=default)
        if not value:
            return value
        try:
            parts = urlsplit(value)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or parts.username or parts.password or parts.query or parts.fragment:
            # There may be a password before the @ or after the ?.
            shown = value.rpartition("@")[2].partition("?")[0]
            raise ImproperlyConfigured(
                f"{name} must be an address such as https://console.example.com, without user name or question mark, not {shown!r}."
            )
        return value

    def one_of(self, name: str, choices: set[str], *, default: str) -> str:
        """One of the choices."""
        value = self.text(name, default=default)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(choices))}, not {value!r}.")
        return value

    def time_zone(self, name: str, *, default: str) -> str:
        """The name of a time zone, such as Asia/Ho_Chi_Minh."""
        value = self.text(name, default=default)
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ImproperlyConfigured(f"{name} is not a known time zone: {value!r}.") from None
        return value

    def networks(self, name: str, *, default: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """A list of networks, such as 10.0.0.0/8."""
        found = []
        for part in self.texts(name, default=default):
            try:
                found.append(ipaddress.ip_network(part))
            except ValueError:
                raise ImproperlyConfigured(f"{name}: {part!r} is not a network such as 10.0.0.0/8.") from None
        return found

    def database(self, name: str, *, default: str | None) -> dict[str, Any]:
        """Django's database settings for a postgres:// or sqlite:/// URL."""
        value = self.text(name, default=default)
        config: dict[str, Any] = {}
        if value.split("://", 1)[0] in {"postgres", "postgresql", "sqlite"}:
            with contextlib.suppress(ValueError, KeyError, ImproperlyConfigured):
                config = self._env.db_url_config(value)
        engine = config.get("ENGINE", "")
        if engine.endswith("sqlite3"):
            config["OPTIONS"] = {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL: a commit survives a power failure. Otherwise a launch that was sent could be sent again.
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL",
            }
        elif engine.endswith("postgresql"):
            options = config.setdefault("OPTIONS", {})
            options.setdefault("connect_timeout", 5)
            # A process that hangs in a transaction would otherwise keep its locks, and block the others, for ever.
            options.setdefault("options", f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_SECONDS}s")
            config["CONN_HEALTH_CHECKS"] = True
        else:
            raise ImproperlyConfigured(f"{name} must start with postgres:// or sqlite:///.")
        # A new connection for each request costs 5 ms on SQLite, too: it reads the schema, and gets Django's functions.
        config["CONN_MAX_AGE"] = 60
        return config

    def cache(self, name: str, *, default: str | None, prefix: str) -> dict[str, Any]:
        """Django's cache settings for a redis://, rediss:// or filecache:// URL. All processes must share the cache."""
        value = self.text(name, default=default)
        scheme = value.split(":", 1)[0]
        if scheme in {"redis", "rediss", "unix"}:
            return {
                "BACKEND": "workflows_ui.core.caching.RedisAnswers",
                "LOCATION": value,
                "KEY_PREFIX": prefix,
                # A page waits once for a cache that hangs; then core/caching.py does not use it for a while.
                "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": Retry(NoBackoff(), 0)},
            }
        if scheme == "filecache":
            return {
                "BACKEND": "workflows_ui.core.caching.FileAnswers",
                "LOCATION": value.split("://", 1)[1],
                "OPTIONS": {"MAX_ENTRIES": 10_000},
            }
        raise ImproperlyConfigured(f"{name} must start with redis:// or filecache://.")

    def broker(self, name: str, *, default: str | None) -> str:
        """A broker's URL: redis://, rediss://, amqp://, amqps:// or fsatomic:// (files, for one machine)."""
        value = self.text(name, default=default)
        if value.split(":", 1)[0] not in {"redis", "rediss", "amqp", "amqps", "fsatomic"}:
            raise ImproperlyConfigured(f"{name} must start with redis://, amqp:// or fsatomic://.")
        return value


def supports_passkeys(base_url: str) -> bool:
    """Whether browsers offer passkeys at this URL: only for a host name, and only over https or on localhost."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return False


def transport_options(broker_url: str, folder: Path, *, prefix: str) -> dict[str, Any]:
    """Celery's broker_transport_options: the folders of files, or seconds to wait for a server that is down."""
    if broker_url.startswith("fsatomic:"):
        return {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
        }
    # A page must not wait for a broker that is down: the row is written, and will be enqueued again.
    no_retry = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    if broker_url.startswith("redis"):
        return no_retry | {
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
            "visibility_timeout": 3600,
            "global_keyprefix": prefix,
            "health_check_interval": 10,
        }
    return no_retry | {"connect_timeout": 2}

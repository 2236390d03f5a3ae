"""Reads and checks values from the environment, so that settings.py stays a list of settings.

Every reader raises ImproperlyConfigured with the variable's name and what a good value looks like.
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


class Reader:
    """Typed reading of single variables; `env` is a django-environ Env."""

    def __init__(self, env: Any) -> None:
        self._env = env

    def _text(self, name: str, default: str | None) -> str:
        value = str(self._env.str(name, default="") or "").strip()
        if not value:
            if default is None:
                raise ImproperlyConfigured(f"{name} is missing. See the table of settings in the README.")
            return default
        return value

    def text(self, name: str, *, default: str) -> str:
        """Any text."""
        return self._text(name, default)

    def words(self, name: str, *, default: str) -> list[str]:
        """Comma separated words, none of them empty."""
        return [part.strip() for part in self._text(name, default).split(",") if part.strip()]

    def folder(self, name: str, *, default: Path) -> Path:
        """A folder's absolute path; it need not exist yet."""
        value = Path(self._text(name, str(default)))
        if not value.is_absolute():
            raise ImproperlyConfigured(f"{name} must be the absolute path of a folder, not {str(value)!r}.")
        return value

    def file(self, name: str) -> str:
        """The absolute path of a file that exists, or empty."""
        value = self._text(name, "")
        if value and not (Path(value).is_absolute() and Path(value).is_file()):
            raise ImproperlyConfigured(f"{name} must be the absolute path of a file, and there is none at {value!r}.")
        return value

    def address(self, name: str, *, default: str) -> str:
        """An IP address of this machine."""
        value = self._text(name, default)
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be an IP address such as 127.0.0.1, not {value!r}.") from None

    def email(self, name: str, *, default: str) -> dict[str, Any]:
        """smtp+tls://user:password@host:587, smtp+ssl://..., consolemail:// or dummymail:// as Django's mail settings."""
        value = self._text(name, default)
        try:
            config: dict[str, Any] = self._env.email_url_config(value)
        except (ValueError, KeyError, ImproperlyConfigured):
            raise ImproperlyConfigured(
                f"{name} must look like smtp+tls://user:password@host:587, or be consolemail:// or dummymail://."
            ) from None
        return {setting: part for setting, part in config.items() if setting.startswith("EMAIL_")}

    def boolean(self, name: str, *, default: bool) -> bool:
        """true/false, yes/no, on/off, 1/0 in any case."""
        text = self._text(name, str(default)).lower()
        if text in {"true", "yes", "on", "1"}:
            return True
        if text in {"false", "no", "off", "0"}:
            return False
        raise ImproperlyConfigured(f"{name} must be true or false, not {text!r}.")

    def integer(self, name: str, *, default: int, low: int, high: int) -> int:
        """A whole number between low and high, both included."""
        text = self._text(name, str(default))
        try:
            number = int(text)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}.") from None
        if not low <= number <= high:
            raise ImproperlyConfigured(f"{name} must be from {low} to {high}, not {number}.")
        return number

    def number(self, name: str, *, default: float, low: float, high: float) -> float:
        """A number between low and high, both included; 0.05 and 1 are numbers, 1e9 and nan are not."""
        text = self._text(name, f"{default:g}")
        if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text, re.ASCII):
            raise ImproperlyConfigured(f"{name} must be a number such as 0.5, not {text!r}.")
        number = float(text)
        if not low <= number <= high:
            raise ImproperlyConfigured(f"{name} must be from {low:g} to {high:g}, not {text}.")
        return number

    def secret(self, name: str, *, minimum: int, optional: bool = False) -> str:
        """A secret of at least `minimum` characters, or empty if optional; the message never repeats the value."""
        value = self._text(name, "" if optional else None)
        if value and len(value) < minimum:
            raise ImproperlyConfigured(f"{name} is too short: use at least {minimum} random characters.")
        return value

    def secrets(self, name: str, *, minimum: int) -> list[str]:
        """A comma separated list of secrets of at least `minimum` characters each; the message never repeats a value."""
        found = [part.strip() for part in self._text(name, None).split(",") if part.strip()]
        if not found:
            raise ImproperlyConfigured(f"{name} is missing: give at least one random secret.")
        if any(len(secret) < minimum for secret in found):
            raise ImproperlyConfigured(f"{name} is too short: use at least {minimum} random characters for each.")
        return found

    def keys(self, name: str, *, check: Callable[[str], object]) -> list[str]:
        """A comma separated list of keys, each accepted by `check` (which raises ValueError for a bad one)."""
        keys = [part.strip() for part in self._text(name, None).split(",") if part.strip()]
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
        """An http or https address without credentials, query or fragment; empty only where that is the default."""
        value = self._text(name, default)
        if not value:
            return value
        try:
            parts = urlsplit(value)
            valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid or parts.username or parts.password or parts.query or parts.fragment:
            # Before the @ and behind the ? there may be a password.
            shown = value.rpartition("@")[2].partition("?")[0]
            raise ImproperlyConfigured(
                f"{name} must be an address such as https://console.example.com, without user name or question mark, not {shown!r}."
            )
        return value

    def one_of(self, name: str, choices: set[str], *, default: str) -> str:
        """One of the choices."""
        value = self._text(name, default)
        if value not in choices:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(sorted(choices))}, not {value!r}.")
        return value

    def time_zone(self, name: str, *, default: str) -> str:
        """The name of a time zone such as Asia/Ho_Chi_Minh."""
        value = self._text(name, default)
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise ImproperlyConfigured(f"{name} is not a known time zone: {value!r}.") from None
        return value

    def networks(self, name: str, *, default: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """Comma separated networks such as 10.0.0.0/8."""
        found = []
        for part in self._text(name, default).split(","):
            if not part.strip():
                continue
            try:
                found.append(ipaddress.ip_network(part.strip()))
            except ValueError:
                raise ImproperlyConfigured(f"{name}: {part.strip()!r} is not a network such as 10.0.0.0/8.") from None
        return found

    def database(self, name: str, *, default: str | None) -> dict[str, Any]:
        """A postgres:// or sqlite:/// address as Django's database settings."""
        value = self._text(name, default)
        config: dict[str, Any] = {}
        if value.split("://", 1)[0] in {"postgres", "postgresql", "sqlite"}:
            with contextlib.suppress(ValueError, KeyError, ImproperlyConfigured):
                config = self._env.db_url_config(value)
        engine = config.get("ENGINE", "")
        if engine.endswith("sqlite3"):
            config["OPTIONS"] = {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL",
            }
        elif engine.endswith("postgresql"):
            config.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
            config |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
        else:
            raise ImproperlyConfigured(f"{name} must start with postgres:// or sqlite:///.")
        return config

    def cache(self, name: str, *, default: str | None, prefix: str) -> dict[str, Any]:
        """A redis://, rediss:// or filecache:// address as Django's cache settings. All processes must share the cache."""
        value = self._text(name, default)
        scheme = value.split(":", 1)[0]
        if scheme in {"redis", "rediss", "unix"}:
            return {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": value,
                "KEY_PREFIX": prefix,
                "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 5},
            }
        if scheme == "filecache":
            return {
                "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
                "LOCATION": value.split("://", 1)[1],
                "OPTIONS": {"MAX_ENTRIES": 10_000},
            }
        raise ImproperlyConfigured(f"{name} must start with redis:// or filecache://.")

    def broker(self, name: str, *, default: str | None) -> str:
        """A broker address: redis://, rediss://, amqp://, amqps:// or fsatomic:// (files, for one machine)."""
        value = self._text(name, default)
        if value.split(":", 1)[0] not in {"redis", "rediss", "amqp", "amqps", "fsatomic"}:
            raise ImproperlyConfigured(f"{name} must start with redis://, amqp:// or fsatomic://.")
        return value


def passkeys(base_url: str) -> bool:
    """Whether browsers let people use passkeys at this address: on a host name, over https or on the machine itself."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return False


def transport_options(broker_url: str, folder: Path, *, prefix: str) -> dict[str, Any]:
    """Options of the broker's transport: where files lie, or how long a dead server is waited for (seconds)."""
    if broker_url.startswith("fsatomic:"):
        return {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
        }
    # A click must not wait for a dead broker: the row is written, and the sweeper rings again.
    at_once = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    if broker_url.startswith("redis"):
        return at_once | {
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
            "visibility_timeout": 3600,
            "global_keyprefix": prefix,
            "health_check_interval": 10,
        }
    return at_once | {"connect_timeout": 2}

"""Settings: a bad or missing value refuses to start and is named; docs/settings.md, .env.example and settings.py list the same ones."""

import ast
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from console import environment
from console.dev.check import PRODUCTION

ROOT = Path(__file__).resolve().parents[2]
KEY = "b25seS1mb3ItdGhlLWNoZWNrLW9ubHktZm9yLWNoZWM="


def production(changes: dict[str, str | None]) -> dict[str, str]:
    """A production environment with these changes (None: not set)."""
    outside = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return outside | {name: value for name, value in (PRODUCTION | changes).items() if value is not None}


def load(show: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Loads the settings in a process of its own and prints `show`."""
    command = f"from django.conf import settings; settings.DEBUG; print({show})"
    return subprocess.run(
        [sys.executable, "-c", command],
        env=production(changes),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def refusal(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> str:
    """Why the settings refuse to load with this value of a variable."""
    monkeypatch.setattr(os, "environ", production({name: value}))
    monkeypatch.setattr("environ.Env.ENVIRON", os.environ)
    with pytest.raises(ImproperlyConfigured) as caught:
        runpy.run_path(str(ROOT / "console" / "settings.py"))
    return str(caught.value)


@pytest.mark.slow
def test_production_settings_load() -> None:
    assert load("settings.DEBUG, settings.HTTPS").stdout.strip() == "False True"


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "CREDENTIAL_KEYS",
        "AUDIT_KEY",
        "BASE_URL",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "CACHE_URL",
        "CELERY_BROKER_URL",
    ],
)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_required_setting_must_be_set(monkeypatch: pytest.MonkeyPatch, name: str, value: str | None) -> None:
    assert f"{name} is missing" in refusal(monkeypatch, name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("OIDC_ISSUER", "no address"),
        ("OIDC_ISSUER", "https://id.example.com"),
        ("CREDENTIAL_KEYS", "not-a-key"),
        ("CREDENTIAL_KEYS", f"{KEY},short"),
        ("CREDENTIAL_KEYS", ","),
        ("AUDIT_KEY", "short"),
        ("AUDIT_KEY", ","),
        ("AUDIT_KEY", f"{'x' * 32},short"),
        ("AUDIT_KEY", PRODUCTION["SECRET_KEY"]),
        ("AUDIT_RETENTION_DAYS", "29"),
        ("DEBUG", "perhaps"),
        ("VAR_DIR", "var"),
        ("STATIC_ROOT", "static"),
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("BIND", "localhost"),
        ("WEB_PROCESSES", "0"),
        ("WEB_THREADS", "many"),
        ("PRACTICE_CLOCK_SCALE", "fast"),
        ("PRACTICE_CLOCK_SCALE", "0"),
        ("PRACTICE_CLOCK_SCALE", "nan"),
        ("PRACTICE_CLOCK_SCALE", "1e-2"),
        ("BASE_URL", "console.example.com"),
        ("BASE_URL", "https://user:secret@console.example.com"),
        ("BASE_URL", "http://console.example.com"),
        ("ALLOW_HTTP", "maybe"),
        ("ALLOWED_HOSTS", "*"),
        ("TRUSTED_PROXIES", "-1"),
        ("DATABASE_URL", "mysql://127.0.0.1/console"),
        ("DATABASE_URL", "console.sqlite3"),
        ("CACHE_URL", "locmem://"),
        ("CELERY_BROKER_URL", "memory://"),
        ("CELERY_BROKER_URL", "sqs://"),
        ("LANGUAGE_CODE", "fr"),
        ("TIME_ZONE", "Saigon"),
        ("EMAIL_URL", "mail.example.com"),
        ("EMAIL_URL", "smtp+tls://user:password@mail.example.com:port"),
        ("ENGINE_PRIVATE_NETWORKS", "10.0.0.0/33"),
        ("ENGINE_CA_BUNDLE", "/nowhere/ca.pem"),
        ("ENGINE_PROXY", "proxy:3128"),
        ("LAUNCH_TOO_LATE_SECONDS", "0"),
        ("LAUNCH_SEARCH_SECONDS", "x"),
        ("LAUNCH_DEADLINE_SECONDS", "601"),
        ("LAUNCH_RETENTION_DAYS", "0"),
        ("WORKER_SLOTS", "0"),
        ("PRACTICE_ENGINE_URL", "127.0.0.1:8765"),
        ("METRICS_TOKEN", "short"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_an_invalid_value_is_refused_and_its_setting_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert name in refusal(monkeypatch, name, value)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SECRET_KEY", "tooshort-x7"),
        ("CREDENTIAL_KEYS", "broken-key-x7"),
        ("AUDIT_KEY", "short-key-x7"),
        ("METRICS_TOKEN", "short-x7"),
    ],
)
@pytest.mark.sampled(4)
def test_the_error_for_an_invalid_secret_does_not_contain_it(name: str, secret: str) -> None:
    result = load("''", **{name: secret})
    assert result.returncode != 0
    assert name in result.stderr
    assert secret not in result.stderr + result.stdout


@pytest.mark.slow
def test_a_commit_in_sqlite_survives_a_power_failure(tmp_path: Path) -> None:
    """Otherwise a launch would be sent again whose row was "sending" before it and "claimed" after it."""
    show = "__import__('django.db').db.connection.cursor().execute('PRAGMA synchronous').fetchone()[0]"
    full = "2"
    assert load(show, DATABASE_URL=f"sqlite:///{tmp_path / 'console.sqlite3'}").stdout.strip() == full


@pytest.mark.django_db
@pytest.mark.postgres
def test_a_process_that_hangs_in_a_transaction_loses_its_locks() -> None:
    """A machine that was suspended would otherwise block all others."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == (f"{environment.IDLE_TRANSACTION_SECONDS}s",)


@pytest.mark.slow
def test_plain_http_has_to_be_allowed() -> None:
    shown = load("settings.SESSION_COOKIE_SECURE", BASE_URL="http://console.example.com", ALLOW_HTTP="true")
    assert shown.stdout.strip() == "False", shown.stderr


def test_every_setting_is_documented_with_its_default_and_in_the_example() -> None:
    source = (ROOT / "console" / "settings.py").read_text(encoding="utf-8")
    assert not re.search(r"env\.\w+\(", source.replace("environ.Env()", "")), "read by something that checks nothing"
    example = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([A-Z][A-Z_]+)` \| ([^|]*) ?\|", page, re.MULTILINE))
    defaults = dict(defaults_in(source))
    assert set(defaults) == set(example)
    assert {name: value.strip().strip("`") for name, value in documented.items()} == defaults


def defaults_in(source: str) -> Iterator[tuple[str, str]]:
    """Name and production default of every setting that settings.py reads, as docs/settings.md writes them."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and re.fullmatch(r"read\.\w+", ast.unparse(node.func))):
            continue
        name = str(ast.literal_eval(node.args[0]))
        given = {word.arg: word.value for word in node.keywords}
        default = given.get("default")
        if isinstance(default, ast.IfExp):
            default = default.orelse if ast.unparse(default.test) == "DEBUG" else default.body
        if name == "ALLOWED_HOSTS" or (default is None and "optional" not in given and node.func.attr != "file"):  # type: ignore[attr-defined]
            yield name, "required"
        elif isinstance(default, ast.Constant):
            yield name, "required" if default.value is None else str(default.value).replace("False", "false")
        else:
            yield name, _SPELLED_OUT[ast.unparse(default)] if default else ""


#: Defaults that settings.py computes.
_SPELLED_OUT = {"DEBUG": "false", "BASE_DIR / 'var'": "var", "VAR_DIR / 'static'": "VAR_DIR/static"}


def test_the_example_is_valid_except_for_the_secrets() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    pairs = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", text, re.MULTILINE)
    given = {name: value for name, value in pairs if value}
    loaded = load("settings.HTTPS", **given)
    assert loaded.stdout.strip() == "True", loaded.stderr


@pytest.mark.slow
def test_single_sign_on_needs_an_issuer_with_https() -> None:
    given = {"OIDC_CLIENT_ID": "console", "OIDC_CLIENT_SECRET": "secret"}
    assert "OIDC_ISSUER must start with https://" in load("1", OIDC_ISSUER="http://id.example.com", **given).stderr
    assert load("settings.OIDC_NAME", OIDC_ISSUER="https://id.example.com", **given).stdout.strip() == "single sign-on"


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        ("https://console.example.com", True),
        ("http://console.example.com", False),
        ("https://192.0.2.7", False),
        ("https://[2001:db8::1]", False),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
    ],
)
def test_passkeys_are_offered_where_browsers_support_them(address: str, possible: bool) -> None:
    assert environment.supports_passkeys(address) is possible

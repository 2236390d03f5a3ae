"""The console's own keys and the passwords of what it works with are in nothing that it says, whatever is broken."""

import os
import runpy
import secrets
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from console.dev.check import PRODUCTION
from tests.secrets.hunt import Hunt

pytestmark = [pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
#: A key of Fernet's, in base64.
_KEY = "bGVhay1odW50LWtleS1sZWFrLWh1bnQta2V5LTEyMzQ="
_AT = "127.0.0.1:1"


def given(name: str) -> str:
    """A secret for a setting of this name, unlike any other."""
    return f"{name.lower().replace('_', '-')}-{secrets.token_hex(20)}"


#: Each setting that holds a secret: the secret, and the whole value.
SECRETS: dict[str, tuple[str, str]] = {
    **{
        name: (value := given(name), value)
        for name in ("SECRET_KEY", "AUDIT_KEY", "METRICS_TOKEN", "OIDC_CLIENT_SECRET", "PRACTICE_ENGINE_TOKEN")
    },
    "CREDENTIAL_KEYS": (_KEY, _KEY),
    "DATABASE_URL": (word := given("DATABASE_URL"), f"postgres://console:{word}@{_AT}/console"),
    "CACHE_URL": (word := given("CACHE_URL"), f"redis://:{word}@{_AT}/0"),
    "CELERY_BROKER_URL": (word := given("CELERY_BROKER_URL"), f"redis://:{word}@{_AT}/1"),
    "EMAIL_URL": (word := given("EMAIL_URL"), f"smtp://console:{word}@{_AT}"),
}
#: Takes no password: the error names the setting, without the password.
_PROXY = (word := given("ENGINE_PROXY"), f"http://console:{word}@{_AT}")
_BESIDES = {"OIDC_ISSUER": f"https://{_AT}", "OIDC_CLIENT_ID": "console"}


def said(command: list[str], folder: Path, **changes: str) -> str:
    """Everything that a process says in an environment of production."""
    outside = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    environment = outside | PRODUCTION | {name: value for name, (_secret, value) in SECRETS.items()} | _BESIDES
    run = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment | {"VAR_DIR": str(folder), "LOG_LEVEL": "DEBUG"} | changes,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    return run.stdout + run.stderr


@pytest.mark.slow
def test_no_key_and_no_password_of_the_settings_is_in_anything_that_is_said(hunt: Hunt, tmp_path: Path) -> None:
    for name, (secret, _value) in SECRETS.items():
        hunt.hide(name, secret)
    everything = said(["-m", "tests.secrets.starting"], tmp_path)
    hunt.look("a console without anything that answers", everything)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            hunt.look(f"file {path.name}", path.read_bytes())
    # Each of them was really tried.
    for part in ("Traceback", "/readyz 503", "/accounts/login/", "broker.down", "Connection refused"):
        assert part in everything, everything[-3000:]
    hunt.must_be_in_vain(__name__)


@pytest.mark.parametrize("name", ["DATABASE_URL", "CELERY_BROKER_URL", "EMAIL_URL", "ENGINE_PROXY", "CACHE_URL"])
def test_an_address_that_is_wrong_is_named_without_its_password(
    hunt: Hunt, monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    secret, value = (SECRETS | {"ENGINE_PROXY": _PROXY})[name]
    hunt.secrets[name] = {secret}
    outside = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG"}}
    # An invalid scheme; an invalid port, which not every setting looks at before it is used.
    for wrong in (value.replace("://", "-nothing://"), f"{value.partition('127')[0]}127.0.0.1:port/0"):
        monkeypatch.setattr(os, "environ", outside | PRODUCTION | {name: wrong, "VAR_DIR": str(tmp_path)})
        monkeypatch.setattr("environ.Env.ENVIRON", os.environ)
        try:
            runpy.run_path(str(ROOT / "console" / "settings.py"))
        except ImproperlyConfigured:
            hunt.look(f"{name} refused", traceback.format_exc())
    assert f"{name} refused" in hunt.places
    assert hunt.leaks() == []

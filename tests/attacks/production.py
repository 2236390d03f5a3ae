"""The browser's side of the settings as production has them, put over those of the tests."""

import os
import runpy
from pathlib import Path
from typing import Any

import pytest

from console.dev.check import PRODUCTION

ROOT = Path(__file__).resolve().parents[2]
HOST = "console.example.com"
_OURS = (
    "SECURE_",
    "SESSION_COOKIE",
    "CSRF_",
    "X_FRAME",
    "CONTENT_SECURITY",
    "ALLOWED_HOSTS",
    "BASE_URL",
    "HTTPS",
    "MIDDLEWARE",
)


def settings_of_production() -> dict[str, Any]:
    """What console/settings.py makes of a production environment."""
    outside = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "VAR_DIR"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "environ", outside | PRODUCTION)
        patch.setattr("environ.Env.ENVIRON", os.environ)
        return runpy.run_path(str(ROOT / "console" / "settings.py"))


def put_over(settings: Any) -> None:
    """Puts the part that browsers notice over pytest-django's `settings`; a Client made afterwards works with it."""
    for name, value in settings_of_production().items():
        if name.startswith(_OURS):
            setattr(settings, name, value)

"""What a process has loaded is not looked through for garbage, which would stop all of its threads."""

import os
import subprocess
import sys

import pytest

from tests.project.console_process import ROOT

WEB = """
from console import web, wsgi
web.post_worker_init(None)
"""
WORKER = """
from celery.signals import worker_ready
from console.celery import app
app.loader.import_default_modules()
worker_ready.send(sender=app)
"""


@pytest.mark.slow
@pytest.mark.parametrize("code", [WEB, WORKER], ids=["web", "worker"])
def test_what_is_loaded_when_a_process_is_ready_is_passed_by(code: str) -> None:
    counts = "import gc\nprint(gc.get_freeze_count(), len(gc.get_objects()))"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    found = subprocess.run(
        [sys.executable, "-c", code + counts], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    frozen, left = map(int, found.split())
    assert frozen > 100_000
    assert left < 1_000

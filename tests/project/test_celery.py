"""What a worker keeps of what it has done."""

import os
import platform
import subprocess
import sys

import pytest
from django.db import connection
from pytest_django import Settings

from tests.project.console_process import ROOT
from workflows_ui import tasks

#: Prints glibc's report on a process in which many threads have allocated memory at the same time.
THREADS = """
import ctypes, threading
from celery.signals import worker_init
from console.celery import app

worker_init.send(sender=app)
allocated = threading.Barrier(20)

def allocate():
    block = bytearray(100_000)
    allocated.wait()

threads = [threading.Thread(target=allocate) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


@pytest.mark.django_db
def test_a_worker_in_debug_mode_keeps_no_queries_of_a_task_that_has_ended(settings: Settings) -> None:
    settings.DEBUG = True
    tasks.seal.apply(throw=True)
    assert not connection.queries_log


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_the_threads_of_a_worker_share_two_arenas() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "console.settings"}
    report = subprocess.run(
        [sys.executable, "-c", THREADS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert report.count("<heap nr=") == 2

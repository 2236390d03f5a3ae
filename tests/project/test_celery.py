"""What a worker keeps of what it has done."""

import json
import os
import platform
import subprocess
import sys

import pytest
from django.db import connection
from pytest_django import Settings

from console.celery import POOL
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

#: Twice prints the connections of 400 turns in 40 threads; in between the database ends all of them.
TURNS = """
import contextlib, json, os
from concurrent.futures import ThreadPoolExecutor
import django
from celery.signals import worker_init
from django.conf import settings

settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
from console.celery import app

django.setup()
worker_init.send(sender=app)
from django.db import OperationalError, connection
from workflows_ui.core import database

def turn(_number):
    with database.turn(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]

with ThreadPoolExecutor(40) as pool:
    pids = list(pool.map(turn, range(400)))
    print(json.dumps(pids))
    with contextlib.suppress(OperationalError), database.turn(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid ORDER BY pid = pg_backend_pid()", [list(set(pids))])
    print(json.dumps(list(pool.map(turn, range(400)))))
connection.close_pool()
"""


@pytest.mark.django_db
def test_a_worker_in_debug_mode_keeps_no_queries_of_a_task_that_has_ended(settings: Settings) -> None:
    settings.DEBUG = True
    tasks.seal.apply(throw=True)
    assert not connection.queries_log


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no arenas")
def test_the_threads_of_a_worker_share_two_arenas() -> None:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "console.settings"}
    report = subprocess.run(
        [sys.executable, "-c", THREADS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert report.count("<heap nr=") == 2


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_turns_of_a_workers_threads_share_a_few_connections_and_outlive_a_restart_of_the_database() -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": str(connection.settings_dict["NAME"]),
    }
    report = subprocess.run(
        [sys.executable, "-c", TURNS], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert report.returncode == 0, report.stderr
    before, after = (json.loads(line) for line in report.stdout.splitlines())
    assert len(before) == len(after) == 400
    assert 1 <= len(set(before)) <= POOL
    assert 1 <= len(set(after)) <= POOL
    assert not set(before) & set(after)

"""The empty database of this run with all migrations applied: made once, and copied by each parallel process.

On SQLite it is a file in the run's folder; on PostgreSQL a database that the others are made from (`TEMPLATE`).
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import sql

from tests import environment, prerequisites

_NAME = f"test_console_{environment.RUN}_ready" if environment.ON_SERVERS else str(environment.FOLDER.parent / "ready")


@contextmanager
def copied() -> Iterator[None]:
    """Within it this process's test database is there already, or is made from the one that is ready.

    Must be entered before Django sets the test database up, which is then made to keep what it finds.
    """
    test = connection.settings_dict["TEST"]
    with (environment.FOLDER.parent / "ready.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = environment.FOLDER.parent / f"ready.{environment.RUN}.done"
        if not done.exists():
            _make()
            done.touch()
    if not environment.ON_SERVERS:
        shutil.copyfile(_NAME, test["NAME"])
        yield
        return
    test["TEMPLATE"] = _NAME
    try:
        yield
    finally:
        del test["TEMPLATE"]


def _make() -> None:
    """Applies the migrations, and leaves nobody connected."""
    outside, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    own = test["NAME"]
    test["NAME"] = _NAME
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()
    finally:
        test["NAME"] = own
        connection.settings_dict["NAME"] = outside


def forget() -> None:
    """Takes the database that was copied off the server, at the end of the run."""
    with psycopg.connect(prerequisites.postgres(), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(_NAME)))

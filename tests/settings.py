"""The console's settings in the tests' environment."""

from tests import environment as surroundings  # isort: skip  (first: it sets the variables)
from console.settings import *  # noqa: F403

# A name of this run's own; on SQLite a file, not memory, since workers and web servers open the same database in some tests.
DATABASES["default"]["TEST"] = {  # noqa: F405
    "NAME": f"test_console_{surroundings.RUN}" if surroundings.ON_SERVERS else str(surroundings.FOLDER / "test.sqlite3")
}

# No test outlives a power failure.
if surroundings.ON_SERVERS:
    DATABASES["default"]["OPTIONS"]["options"] += " -c synchronous_commit=off"  # noqa: F405
else:
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF"  # noqa: F405

# Hashing that takes long on purpose would only make the tests slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

"""The console's settings in the tests' environment."""

from tests import environment  # noqa: F401  (must come first: it sets the variables)
from console.settings import *  # noqa: F403, E402, I001

# A file, not memory: other processes (workers, web servers) open the same database in some tests.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}  # noqa: F405

# Hashing that takes long on purpose would only make the tests slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

"""The environment that tests run in, set before Django reads its settings. Nothing of the outside's settings leaks in.

TEST_ON=sqlite (also without it) means SQLite, a file cache and the file broker; TEST_ON=servers means PostgreSQL and Redis. Each
parallel process gets a folder, a database and key prefix of its own.
"""

import atexit
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from tests import prerequisites

if "pytest" not in sys.modules:
    # The type checker reads the settings too: it needs a name, and would leave a folder behind.
    os.environ.setdefault("TEST_VAR_DIR", str(Path(tempfile.gettempdir()) / "console-tests-unused"))
elif "TEST_VAR_DIR" not in os.environ:
    os.environ["TEST_VAR_DIR"] = tempfile.mkdtemp(prefix="console-tests-")
    atexit.register(shutil.rmtree, os.environ["TEST_VAR_DIR"], ignore_errors=True)

ON_SERVERS = os.environ.get("TEST_ON", "sqlite") == "servers"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
FOLDER = Path(os.environ["TEST_VAR_DIR"]) / WORKER
if "pytest" in sys.modules:
    FOLDER.mkdir(parents=True, exist_ok=True)
#: Tells this run's databases and keys from those of another run on the same servers.
RUN = re.sub(r"\W", "", Path(os.environ["TEST_VAR_DIR"]).name.removeprefix("console-tests-")).lower() or "run"

for _line in (Path(__file__).parent.parent / ".env.example").read_text(encoding="utf-8").splitlines():
    _setting = re.match(r"#?\s?([A-Z][A-Z0-9_]+)=", _line)
    if _setting:
        os.environ.pop(_setting[1], None)

os.environ |= {
    "DEBUG": "true",
    "SECRET_KEY": "tests-only-tests-only-tests-only-tests-only",
    "CREDENTIAL_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "AUDIT_KEY": "tests-only-audit-tests-only-audit-tests-only",
    "VAR_DIR": str(FOLDER),
    "DATABASE_URL": f"sqlite:///{FOLDER / 'tests.sqlite3'}",
    "CACHE_URL": f"filecache://{FOLDER / 'cache'}",
    "CELERY_BROKER_URL": "fsatomic://",
    "LAUNCHES_PER_MINUTE": "0",
    "ENGINE_RETRY_SECONDS": "0.01",
    "TIME_ZONE": "Asia/Ho_Chi_Minh",
    # Playwright's event loop lives in the tests' own thread, where Django would then refuse its database.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
if ON_SERVERS:
    os.environ |= {
        "DATABASE_URL": prerequisites.postgres(),
        "CACHE_URL": f"{prerequisites.redis_server()}/0",
        "CELERY_BROKER_URL": f"{prerequisites.redis_server()}/0",
        "REDIS_PREFIX": f"console-tests-{RUN}-{WORKER}-",
    }

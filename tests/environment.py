"""The environment that tests run in, set before Django reads its settings. Values that are set already win."""

import os
import tempfile
from pathlib import Path

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
_folder = Path(os.environ.setdefault("TEST_VAR_DIR", tempfile.mkdtemp(prefix="console-tests-"))) / _worker
_folder.mkdir(parents=True, exist_ok=True)

for _name, _value in {
    "DEBUG": "true",
    "SECRET_KEY": "tests-only-tests-only-tests-only-tests-only",
    "CREDENTIAL_KEYS": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "VAR_DIR": str(_folder),
    "DATABASE_URL": f"sqlite:///{_folder / 'tests.sqlite3'}",
    "TIME_ZONE": "Asia/Ho_Chi_Minh",
}.items():
    os.environ.setdefault(_name, _value)

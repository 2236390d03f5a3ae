"""Log lines as the console writes them, whichever test configured the logging last."""

from typing import Any

import pytest


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The events logged during the test so far."""
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]

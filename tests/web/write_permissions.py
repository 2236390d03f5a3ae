"""Writes docs/permissions.md from the console's answers: `python -m tests.web.write_permissions`."""

import os
import sys
from pathlib import Path

import pytest


def main() -> int:
    """Asks everything once, writes the page, then holds it against the rules."""
    test = str(Path(__file__).with_name("test_matrix.py"))
    os.environ["WRITE_PERMISSIONS"] = "yes"
    asked = pytest.main(["-q", "-n0", "-k", "is_answered", test])
    return int(asked)


if __name__ == "__main__":
    sys.exit(main())

"""Writes docs/permissions.md from the console's answers: `python -m tests.web.write_permissions`.

All rows take two minutes; `python -m tests.web.write_permissions folders launch_settle` writes only those with these words in their name.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest


def main(words: Sequence[str]) -> int:
    """Asks every address, or those with one of these words in their name, and writes their rows into the page."""
    test = str(Path(__file__).with_name("test_matrix.py"))
    os.environ["WRITE_PERMISSIONS"] = "yes"
    chosen = f"is_answered and ({' or '.join(words)})" if words else "is_answered"
    return int(pytest.main(["-q", "-n0", "-k", chosen, test]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Prints the table of speed at the end of a run."""

import pytest

from tests.bench import figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    if figures.FIGURES:
        terminalreporter.section("Speed")
        terminalreporter.write_line("\n".join(figures.table()))

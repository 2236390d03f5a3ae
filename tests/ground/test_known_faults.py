"""`make audit` fails for a known fault, and never calls sound what nobody could be asked about."""

from typing import Any

from console import known_faults


def test_a_known_fault_is_named_with_its_remedy() -> None:
    fault = {"id": "CVE-2026-1", "fix_versions": ["2.1"]}
    packages: list[dict[str, Any]] = [
        {"name": "left", "version": "1.0", "vulns": [fault]},
        {"name": "right", "version": "1.0", "vulns": []},
    ]
    words, failed = known_faults.told(packages)
    assert failed
    assert "left 1.0: CVE-2026-1, mended in 2.1" in words
    assert "2 packages looked up, 1 known faults" in words


def test_packages_that_nobody_knows_are_counted_and_not_called_sound() -> None:
    sound: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
    unknown: dict[str, Any] = {"name": "b", "skip_reason": "not found"}
    assert known_faults.told([sound, unknown]) == (
        "1 packages looked up, 0 known faults; 1 could not be looked up.",
        False,
    )
    assert known_faults.told([unknown]) == ("Skipped: the registry knows none of the 1 packages.", False)

"""`make audit`: known faults of everything in requirements.txt, asked of the registry. Without a network it says so and fails nothing."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_COMMAND = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off"]


def main() -> int:
    """1 where a package has a known fault; 0 where none has, or where nobody could be asked."""
    command = [*_COMMAND, "-f", "json", "-r", str(ROOT / "requirements.txt")]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        packages = json.loads(result.stdout)["dependencies"]
    except (ValueError, KeyError, subprocess.TimeoutExpired):
        sys.stdout.write("Skipped: nobody could be asked about known faults (is there a network?).\n")
        return 0
    words, failed = told(packages)
    sys.stdout.write(f"{words}\n")
    return 1 if failed else 0


def told(packages: list[dict[str, Any]]) -> tuple[str, bool]:
    """What pip-audit found, in words, and whether any package has a known fault. What nobody knows of is not called sound."""
    asked = [one for one in packages if "skip_reason" not in one]
    lines = [
        f"{one['name']} {one['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version'}"
        for one in asked
        for fault in one.get("vulns", [])
    ]
    unknown = len(packages) - len(asked)
    if not asked:
        return f"Skipped: the registry knows none of the {unknown} packages.", False
    lines.append(f"{len(asked)} packages looked up, {len(lines)} known faults; {unknown} could not be looked up.")
    return "\n".join(lines), len(lines) > 1


if __name__ == "__main__":
    sys.exit(main())

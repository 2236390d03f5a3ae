"""Makes the virtual environment .venv and installs a requirements file into it, only when something changed.

`python3 console/install.py requirements.txt`, run by make with the Python it found, before anything is installed: standard library only.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main(requirements: Path) -> int:
    """0 when everything in the file is installed."""
    stamp = VENV / f"{requirements.stem}.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    try:
        if not _works():
            shutil.rmtree(VENV, ignore_errors=True)
            _say(f"Making a virtual environment in .venv with Python {sys.version.split()[0]} ...")
            _call([sys.executable, "-m", "venv", str(VENV)])
        if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
            return 0
        _say(f"Installing what {requirements.name} names ...")
        if subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
            _call([str(PYTHON), "-m", "ensurepip"])
        options = ["--quiet", "--disable-pip-version-check", "--no-input"]
        _call([str(PYTHON), "-m", "pip", "install", *options, "--require-hashes", "-r", str(requirements)])
        stamp.write_text(wanted, encoding="ascii")
    except subprocess.CalledProcessError as problem:
        _say(f"Cannot start: this failed, see above: {' '.join(map(str, problem.cmd))}")
        if "venv" in problem.cmd:
            _say("(On Debian and Ubuntu the package python3-venv may be missing.)")
        return 1
    except OSError as problem:
        _say(f"Cannot start: cannot write to {VENV} ({problem.strerror}). Make {ROOT} writable.")
        return 1
    return 0


def _works() -> bool:
    """Whether the environment's Python is there and of the version that runs this."""
    if not PYTHON.exists():
        return False
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    found = subprocess.run([PYTHON, "-c", version], capture_output=True, text=True, check=False).stdout.strip()
    return found in {"3.11", "3.12", "3.13"}


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True, env=os.environ | {"PIP_REQUIRE_VIRTUALENV": "0"})


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(ROOT / sys.argv[1]))

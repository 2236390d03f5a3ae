"""`python -m practice_engine --port N`: serves the practice engine until it is stopped, without Django."""

import argparse
import os
import sys

from .serving import CannotServe, add_arguments, serve_until_stopped


def main() -> int:
    """The exit code. PRACTICE_CLOCK_SCALE and PRACTICE_ENGINE_TOKEN are as in the console's settings."""
    parser = argparse.ArgumentParser(prog="python -m practice_engine")
    add_arguments(parser, clock_scale=float(os.environ.get("PRACTICE_CLOCK_SCALE") or 1))
    try:
        serve_until_stopped(vars(parser.parse_args()), os.environ.get("PRACTICE_ENGINE_TOKEN", ""), sys.stdout)
    except CannotServe as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

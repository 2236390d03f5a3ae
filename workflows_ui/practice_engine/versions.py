"""Versions of the engine that the practice engine can be."""

Version = tuple[int, ...]
V072: Version = (0, 72, 4)
#: The version whose recordings differ from those of 0.72.4 (engine-0.83.md).
V083: Version = (0, 83)


def parse_version(text: str) -> Version:
    """Return ``"0.83.0"`` as numbers that compare; a part that is not a number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in text.split("."))

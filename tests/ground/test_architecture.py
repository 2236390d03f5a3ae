"""The map in ARCHITECTURE.md is true."""

from console import map as architecture


def test_the_map_has_one_line_for_every_file_as_the_file_says_it() -> None:
    document = architecture.DOCUMENT.read_text(encoding="utf-8")
    assert architecture.drawn(document) == document, "run `make map`"
    assert "`sending.py`" in document

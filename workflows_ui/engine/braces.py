"""Finds the expressions `{{...}}` in texts in linear time. A regular expression would search for the end of each `{{` again."""

from collections.abc import Callable, Iterator


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each expression, braces included."""
    end = 0
    while (start := text.find("{{", end)) >= 0 and (closing := text.find("}}", start + 2)) >= 0:
        end = closing + 2
        yield start, end


def replaced(text: str, change: Callable[[str], str]) -> str:
    """The text with `change` applied to each expression, braces included."""
    parts: list[str] = []
    last = 0
    for start, end in spans(text):
        parts += [text[last:start], change(text[start:end])]
        last = end
    return "".join([*parts, text[last:]])

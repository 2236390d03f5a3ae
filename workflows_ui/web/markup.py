"""HTML with escaped values, as Django's `format_html`, for what a page has hundreds of: it takes a third of the time."""

from collections.abc import Iterable
from html import escape

from django.utils.safestring import SafeString

NOTHING = SafeString("")


def markup(pattern: str, *values: object) -> SafeString:
    """The pattern with each `{}` replaced by a value, which is escaped unless it is HTML already."""
    return SafeString(pattern.format(*map(escaped, values)))  # nosec B703


def joined(separator: str, pattern: str, rows: Iterable[tuple[object, ...]]) -> SafeString:
    """The pattern for each row of values, as Django's `format_html_join`. The separator is HTML."""
    return SafeString(separator.join(pattern.format(*map(escaped, row)) for row in rows))  # nosec B703


def escaped(value: object) -> str:
    """The value as HTML: unchanged if it is HTML already."""
    if type(value) is SafeString:
        return value
    if hasattr(value, "__html__"):
        html: str = value.__html__()
        return html
    return escape(str(value))

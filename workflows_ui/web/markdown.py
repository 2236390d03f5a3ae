"""Safe HTML from Markdown by users, such as the note of a launch form, and the plain text of Markdown by apps."""

import re
from collections.abc import Iterable, Iterator

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

#: Allowed elements. No images (they would be loaded from other hosts), no headings that resemble the page's own h1 and h2.
_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a", "h3", "h4", "h5", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
#: Maximum characters; longer texts are truncated before parsing.
_LONGEST = 20_000
_LOWER = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h5", "h5": "h5", "h6": "h5"}

#: Characters that browsers ignore in a URL, and those that they treat as a slash, plain or encoded.
_SKIPPED, _SLASH = re.compile(r"(?i)[\x00-\x20\x7f]|%[01][0-9a-f]|%20|%7f"), re.compile(r"(?i)\\|%5c")
#: Whether a text may have markup: names with underscores have none.
_MARKUP = re.compile(r"[*`\\]|\]\(|~~|<|(?<!\w)_|_(?!\w)|^\s*(?:#|>|[-+]\s|\d+[.)]\s)", re.MULTILINE)
_BREAK = re.compile(r"(?i)<br\s*/?>")
#: `html` is off: tags are shown as text. Nesting is limited, since deep quotes are slow.
_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": 12}).enable(
    ["table", "strikethrough"]
)


def first_line(text: str) -> str:
    """The first line of the text without markup, or ""."""
    for token in _PARSER.parse(text[:_LONGEST]):
        line = ""
        for part in token.children or ():
            if part.type in ("softbreak", "hardbreak") and line.strip():
                break
            line += part.content
        if line.strip():
            return " ".join(line.split())
    return ""


def plain(text: str) -> str:
    """The text in one line without markup: a link is its text and its address, an element of a list begins with a dash."""
    text = text[:_LONGEST]
    if not _MARKUP.search(text):
        return " ".join(text.split())
    return " ".join("".join(_plain_parts(_PARSER.parse(_BREAK.sub("\n", text)))).split())


def _plain_parts(tokens: Iterable[Token]) -> Iterator[str]:
    addresses = list[str]()
    for token in tokens:
        if token.type == "list_item_open":
            yield f" {token.info}. " if token.info else " - "
        elif token.type == "link_open":
            addresses.append(str(token.attrGet("href") or ""))
        elif token.type == "link_close":
            yield f" ({addresses.pop()})"
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        elif token.children is not None:
            yield from _plain_parts(token.children)
            yield " "
        else:
            yield token.content


def html(text: str) -> SafeString:
    """The text as HTML without scripts, styles, images, forms and URLs with other schemes; "" for a blank text."""
    if not text.strip():
        return SafeString("")
    tokens = _PARSER.parse(text[:_LONGEST])
    for token in tokens:
        token.tag = _LOWER.get(token.tag, token.tag)
        for part in token.children or ():
            if part.type == "link_open":
                part.attrSet("href", _address(str(part.attrGet("href") or "")))
    rendered = _PARSER.renderer.render(tokens, _PARSER.options, {})
    clean = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    return SafeString(clean)  # nosec B703 B308: cleaned in the line above


def _address(href: str) -> str:
    """The URL of a link. One that begins with two slashes, and so leads to another host, gets a scheme, by which pages mark
    external links."""
    normalized = _SLASH.sub("/", _SKIPPED.sub("", href))
    return f"https://{normalized.lstrip('/')}" if normalized.startswith("//") else href

"""Safe HTML from Markdown by users, such as the note of a launch form, and by flows, whose texts are trusted less; and the plain text of
Markdown by apps.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

from workflows_ui.core.secret_names import MASK

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
#: A web address in a text, without the punctuation after it.
_BARE = re.compile(r"https?://[^\s<>\"'`{}|\\^]+[^\s<>\"'`{}|\\^.,;:!?)\]]", re.IGNORECASE)
_LONGEST_ADDRESS = 2_000
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
    return _clean(tokens)


def html_from_flow(text: str) -> SafeString:
    """As `html`, for a text that a flow sent. Links lead out of the console only, into a new tab, and name the host, or the address of a
    mail, where their text is another one; a picture is a link; bare web addresses are links, too.
    """
    tokens = _PARSER.parse(text[:_LONGEST])
    for token in tokens:
        token.tag = _LOWER.get(token.tag, token.tag)
        if token.children:
            token.children = list(_outgoing(token.children))
    return _clean(tokens, {"a": {"target": "_blank"}})


def _clean(tokens: Sequence[Token], fixed: dict[str, dict[str, str]] | None = None) -> SafeString:
    """The HTML of the tokens; the attributes in `fixed` are added to each element of that name."""
    clean = nh3.clean(
        _PARSER.renderer.render(tokens, _PARSER.options, {}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        set_tag_attribute_values=fixed,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
    return SafeString(clean)  # nosec B703 B308: cleaned in the line above


def _outgoing(parts: Iterable[Token]) -> Iterator[Token]:
    """The parts of a line with links as `html_from_flow` shows them."""
    # The target of the link that is open, "" for one that is left out, and its text so far; links are not in each other.
    target: str | None = None
    shown = ""
    for part in parts:
        if part.type == "link_open":
            target, shown = _target(str(part.attrGet("href") or "")), ""
            if target:
                yield from _link(target)[:1]
        elif part.type == "link_close":
            if target:
                yield part
                where = _where(target)
                if where not in (shown.strip(), _where(shown.strip())):
                    yield _text(f" ({where})")
            target = None
        elif part.type == "image":
            address = "" if target is not None else _target(str(part.attrGet("src") or ""))
            name = part.content or address
            yield from _link(address, name, f" ({_where(address)})") if address else [_text(name)]
        elif part.type == "text" and target is None:
            yield from _linked(part.content)
        else:
            shown += part.content
            yield part


def _linked(text: str) -> Iterator[Token]:
    """A text with its web addresses as links."""
    end = 0
    for match in _BARE.finditer(text):
        if address := _target(match[0]):
            yield _text(text[end : match.start()])
            yield from _link(address, match[0])
            end = match.end()
    yield _text(text[end:])


def _link(address: str, *texts: str) -> list[Token]:
    """A link: its beginning, its text, its end, and what is after it."""
    opening = Token("link_open", "a", 1, attrs={"href": address})
    name, *after = texts or ("",)
    return [opening, _text(name), Token("link_close", "a", -1), *map(_text, after)]


def _text(text: str) -> Token:
    return Token("text", "", 0, content=text)


def _target(href: str) -> str:
    """The address if it leads out of the console and contains no hidden secret, else ""."""
    address = _address(href)
    if len(address) > _LONGEST_ADDRESS or MASK in unquote(address):
        return ""
    return address if _where(address) else ""


def _where(address: str) -> str:
    """The host of a web address; the address itself of a mail or a call; "" for any other."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    if parts.scheme in ("http", "https"):
        return parts.hostname or ""
    return parts.path if parts.scheme in ("mailto", "tel") else ""


def _address(href: str) -> str:
    """The URL of a link. One that begins with two slashes, and so leads to another host, gets a scheme, by which pages mark
    external links."""
    normalized = _SLASH.sub("/", _SKIPPED.sub("", href))
    return f"https://{normalized.lstrip('/')}" if normalized.startswith("//") else href

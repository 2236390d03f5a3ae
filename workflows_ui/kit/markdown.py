"""Markdown that people write for others, such as the note of a launch form, as harmless HTML."""

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

#: What a note is made of. No images (they would be fetched from elsewhere), no headings that could pass for the page's own h1 and h2.
_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote"),
    *("ul", "ol", "li", "a", "h3", "h4", "h5", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
#: Characters that are read at most: what is longer is cut before it is parsed.
_LONGEST = 20_000
_LOWER = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h5", "h5": "h5", "h6": "h5"}

#: `html` is off: a tag that somebody types is shown as text. Nesting is bounded, since deep quotes cost time.
_PARSER = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True, "maxNesting": 12}).enable(
    ["table", "strikethrough"]
)


def first_line(text: str) -> str:
    """The first line of the text, without its marks; "" where there is none."""
    for token in _PARSER.parse(text[:_LONGEST]):
        line = ""
        for part in token.children or ():
            if part.type in ("softbreak", "hardbreak") and line.strip():
                break
            line += part.content
        if line.strip():
            return " ".join(line.split())
    return ""


def html(text: str) -> SafeString:
    """The text as HTML without scripts, styles, images, forms and addresses of other schemes; empty where there is no text."""
    if not text.strip():
        return SafeString("")
    tokens = _PARSER.parse(text[:_LONGEST])
    for token in tokens:
        token.tag = _LOWER.get(token.tag, token.tag)
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

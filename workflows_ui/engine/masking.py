"""Masks known secrets by their value in the engine's answers: plain, URL-encoded, JSON-escaped, HTML-escaped, or in base64.

A secret that was sent to the engine can come back anywhere: in the headers of a run, in a step's output, in an error's message. Known
secrets are masked as answers arrive, so that nothing behind (page, row, export, log) can contain them.
"""

import base64
import html
import json
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

from .answer import map_texts

#: The replacement of a secret. It needs no escaping in JSON, and no write to the engine may contain it (see `Transport.write`).
HIDDEN = "(hidden: a key of this workspace)"
#: A shorter text would match in innocent data.
SHORTEST = 8
#: JSON may write any character as an escape, which would hide a secret from a search of the raw text.
_ESCAPED = re.compile(rb"\\(?:u00|/)")


class Mask:
    """A mask for the secrets of one workspace, without those shorter than `shortest`. Immutable and thread-safe."""

    def __init__(self, secrets: Iterable[str], *, shortest: int = SHORTEST, hidden: str = HIDDEN) -> None:
        self._hidden = hidden
        forms = {form for secret in secrets if len(secret) >= shortest for form in encoded_forms(secret)}
        self._pattern = re.compile(alternatives(forms)) if forms else None
        self._raw_forms = {form.encode("utf-8", "surrogatepass") for form in forms}

    def __repr__(self) -> str:
        return "<Mask>"

    @cached_property
    def _raw_pattern(self) -> re.Pattern[bytes]:
        # Made where a body holds a secret only: it takes as long as the other one.
        raw = alternatives({form.decode("latin-1") for form in self._raw_forms})
        return re.compile(raw.encode("latin-1"))

    def text(self, text: str) -> str:
        """`text` with every secret replaced by `HIDDEN`."""
        return text if self._pattern is None else self._pattern.sub(lambda _match: self._hidden, text)

    def headers(self, headers: dict[str, str]) -> dict[str, str]:
        return headers if self._pattern is None else {name: self.text(value) for name, value in headers.items()}

    def body(self, body: bytes) -> bytes:
        """The body of an answer, masked; in JSON also secrets that escapes hide from a search of the raw text."""
        if self._pattern is None:
            return body
        # To look for each form takes a tenth of the time of the pattern, and hardly any answer has one.
        if any(form in body for form in self._raw_forms):
            body = self._raw_pattern.sub(lambda _match: self._hidden.encode(), body)
        return self._mask_decoded(body) if _ESCAPED.search(body) else body

    def value(self, value: Any) -> Any:
        """A copy of any JSON value with every text and every key masked. Raises RecursionError if it is nested too deep."""
        return value if self._pattern is None else map_texts(value, self.text)

    def _mask_decoded(self, body: bytes) -> bytes:
        try:
            decoded = json.loads(body)
            masked = self.value(decoded)
            return body if masked == decoded else json.dumps(masked).encode()
        except ValueError:
            return body
        except RecursionError:
            # It cannot be searched, and no page could show it: it is replaced as a whole.
            return json.dumps(self._hidden).encode()


def encoded_forms(secret: str) -> set[str]:
    """The spellings of a secret: those of `escaped_forms`, and base64 at each of three alignments."""
    return escaped_forms(secret) | _base64(secret.encode("utf-8", "surrogatepass"))


def escaped_forms(secret: str) -> set[str]:
    """A secret itself, URL-encoded, JSON-escaped (once and twice), and HTML-escaped: each at least as long as the secret."""
    plain = {secret}
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        plain |= {escaped, json.dumps(escaped)[1:-1], escaped.replace("/", "\\/")}
    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret, safe="!*'()")}
    encoded |= {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in set(encoded)}
    return plain | encoded | _html(secret)


def _html(secret: str) -> set[str]:
    whole = html.escape(secret)
    escaped = {html.escape(secret, quote=False), whole, whole.replace("&#x27;", "&#39;"), whole.replace("&#x27;", "'")}
    return escaped | {form.encode("ascii", "xmlcharrefreplace").decode() for form in escaped}


def _base64(secret: bytes) -> set[str]:
    forms = set()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + secret).decode()
        # Six bits per character: only characters all of whose bits belong to the secret.
        inner = whole[-(-8 * shift // 6) : 8 * (shift + len(secret)) // 6]
        forms |= {inner, inner.replace("+", "-").replace("/", "_"), inner.replace("/", "\\/")}
    return forms


def alternatives(forms: set[str]) -> str:
    """One pattern for all forms, the longest first, with shared prefixes: a search then tests each position once."""
    tree: dict[str, Any] = {}
    for form in forms:
        branch = tree
        for character in form:
            branch = branch.setdefault(character, {})
        branch[""] = {}
    return _tree_pattern(tree)


def _tree_pattern(tree: dict[str, Any]) -> str:
    # A sequence without forks is written in a loop, so that only forks add to the depth of the recursion.
    head = ""
    while len(tree) == 1 and "" not in tree:
        ((character, tree),) = tree.items()
        head += re.escape(character)
    rest = [re.escape(character) + _tree_pattern(branch) for character, branch in sorted(tree.items()) if character]
    if not rest:
        return head
    return f"{head}(?:{'|'.join(rest)})" + ("?" if "" in tree else "")

"""Masks known secrets by their value in whatever the engine sends: plain, URL-encoded, JSON-escaped, or in base64.

A secret that was given to the engine can come back anywhere: in the headers of a run, in a step's output, in an error's text. What is
known is taken out where answers come in, so that nothing behind it (page, row, export, log) can hold it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

#: What stands in a secret's place. It needs no escaping in JSON, and no write to the engine may hold it (see `Transport.write`).
HIDDEN = "(hidden: a key of this workspace)"
#: A shorter text would be found in innocent data.
SHORTEST = 8
#: JSON may write any character as an escape, which would hide a secret from a search of the raw text.
_ESCAPED = re.compile(rb"\\(?:u00|/)")


class Mask:
    """The secrets of one workspace, ready to be looked for. Immutable; may be shared by threads.

    Args:
        secrets: texts; those shorter than `SHORTEST` are left out.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if len(secret) >= SHORTEST for form in forms_of(secret)}
        self._pattern = re.compile(_alternatives(forms)) if forms else None
        raw = {form.encode("utf-8", "surrogatepass") for form in forms}
        self._raw = (
            re.compile(_alternatives({form.decode("latin-1") for form in raw}).encode("latin-1")) if raw else None
        )

    def __repr__(self) -> str:
        return "<Mask>"

    def text(self, text: str) -> str:
        """`text` with every secret replaced by `HIDDEN`."""
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)

    def headers(self, headers: dict[str, str]) -> dict[str, str]:
        """The headers, masked."""
        return headers if self._pattern is None else {name: self.text(value) for name, value in headers.items()}

    def body(self, body: bytes) -> bytes:
        """The body of an answer, masked; of JSON also what its escapes hide from a search of the raw text."""
        if self._raw is None:
            return body
        masked = self._raw.sub(HIDDEN.encode(), body)
        return self._escaped(masked) if _ESCAPED.search(masked) else masked

    def value(self, value: Any) -> Any:
        """A copy of any JSON value with every text and every key masked. Raises RecursionError for absurd depths."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        return value

    def _escaped(self, body: bytes) -> bytes:
        try:
            found = json.loads(body)
            masked = self.value(found)
            return body if masked == found else json.dumps(masked).encode()
        except ValueError:
            return body
        except RecursionError:
            # Too deep to look through, and no page could show it: better nothing than a secret.
            return json.dumps(HIDDEN).encode()


def forms_of(secret: str) -> set[str]:
    """The ways in which a secret turns up: itself, URL-encoded, JSON-escaped (once and twice), and base64 at each of three alignments."""
    plain = {secret}
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        plain |= {escaped, json.dumps(escaped)[1:-1], escaped.replace("/", "\\/")}
    encoded = {quote(secret, safe=""), quote(secret), quote_plus(secret), quote(secret, safe="!*'()")}
    encoded |= {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in set(encoded)}
    return plain | encoded | _base64(secret.encode("utf-8", "surrogatepass"))


def _base64(secret: bytes) -> set[str]:
    found = set()
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + secret).decode()
        # Six bits a character: only those whose bits are all the secret's own.
        inner = whole[-(-8 * shift // 6) : 8 * (shift + len(secret)) // 6]
        found |= {inner, inner.replace("+", "-").replace("/", "_"), inner.replace("/", "\\/")}
    return found


def _alternatives(forms: set[str]) -> str:
    """One pattern for all forms, the longest first, beginnings shared: a search then looks at each place once."""
    tree: dict[str, Any] = {}
    for form in forms:
        branch = tree
        for character in form:
            branch = branch.setdefault(character, {})
        branch[""] = {}
    return _written(tree)


def _written(tree: dict[str, Any]) -> str:
    # A run of single characters is written at once: recursion is only as deep as there are forks.
    head = ""
    while len(tree) == 1 and "" not in tree:
        ((character, tree),) = tree.items()
        head += re.escape(character)
    rest = [re.escape(character) + _written(branch) for character, branch in sorted(tree.items()) if character]
    if not rest:
        return head
    return f"{head}(?:{'|'.join(rest)})" + ("?" if "" in tree else "")

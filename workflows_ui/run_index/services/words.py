"""Words of runs and launches, their keyed hashes, and fingerprints of failures.

The key is the index's own and sealed: a copy of the database shows which runs share a word and how often it occurs, but a list of words
finds nothing in it without the key. SECURITY.md says what equality and frequency reveal.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterable
from itertools import islice

from workflows_ui.core.collation import plain

#: Letters and digits in a row; dots, dashes and the like join them to longer words as well (order-4711, 10.20).
#: These begin where a word does: a long one without joints would otherwise be tried from each of its letters.
_WORD, _JOINED = re.compile(r"\w+"), re.compile(r"(?<!\w)\w+(?:[-./_:@]\w+)+")
#: Shorter words are too frequent to find anything; longer ones are cut. The most words of a run.
SHORTEST, LONGEST, MOST = 2, 64, 80
#: The most words of a run's inputs and outputs, or of a launch; the characters that are read of all of them, and of one.
MOST_OF_VALUES, READ, READ_AT_ONCE = 200, 400_000, 20_000
#: Secret words of so many letters are looked for inside other words.
_TELLING = 3
#: The most words that are searched for at once.
SEARCHED = 8
#: The parts that differ between failures with the same cause: quoted texts, addresses, ids, numbers.
_VARYING = re.compile(
    r"""
    "[^"]*" | '[^']*' | `[^`]*` | “[^”]*”
    | https?://\S+
    | \b[\w.+-]+@[\w-]+\.\w+
    | \b(?=\w*\d)\w{6,}\b
    | \d+(?:[.,:]\d+)*
    """,
    re.VERBOSE,
)
_NORMAL = 300


def new_key() -> str:
    """A random key as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def split(text: str) -> list[str]:
    """The words of a text without case and accents, each once.

    >>> split("Đơn HÀNG order-4711")
    ['don', 'hang', 'order', '4711', 'order-4711']
    """
    return list(dict.fromkeys(word[:LONGEST] for word in _whole(text)))


def _whole(text: str) -> list[str]:
    """The words of a text as long as they are."""
    text = plain(text)
    return [word for word in (*_WORD.findall(text), *_JOINED.findall(text)) if len(word) >= SHORTEST]


def searched(text: str) -> list[str]:
    """The words of a text that is searched for: of joined words only the whole, since the parts may not have been kept.

    >>> searched("Đơn order-4711")
    ['don', 'order-4711']
    """
    text = plain(text)
    joined = _JOINED.findall(text)
    parts = [word for word in _WORD.findall(_JOINED.sub(" ", text)) if len(word) >= SHORTEST]
    return list(dict.fromkeys(word[:LONGEST] for word in [*parts, *joined]))[:SEARCHED]


def of_values(texts: Iterable[str], secret: Collection[str] = ()) -> list[str]:
    """The words of inputs and outputs, numbers, ids and addresses first, since people search for these.

    Words that have one of the `secret` words as a part are left out.

    >>> of_values(["the pin-9173 of order 4711"], {"9173"})
    ['4711', 'the', 'pin', 'of', 'order']
    """
    found, left = dict[str, None](), READ
    for text in texts:
        if left <= 0:
            break
        part = text[: min(left, READ_AT_ONCE)]
        left -= len(part) + 1
        found |= dict.fromkeys(_whole(part))
    ordered = sorted(found, key=lambda word: not any(letter.isdigit() or letter == "@" for letter in word))
    # Cut afterwards: a part of a secret would not be recognized.
    unique = dict.fromkeys(word[:LONGEST] for word in ordered if not _has_secret(word, secret))
    return list(islice(unique, MOST_OF_VALUES))


def _has_secret(word: str, secret: Collection[str]) -> bool:
    if word in secret or any(part in secret for part in _WORD.findall(word)):
        return True
    return any(len(hidden) >= _TELLING and hidden in word for hidden in secret)


def hashes(key: str, words: Iterable[str]) -> list[int]:
    """The words as numbers that only the key connects with them: 63 bits, so that every database can store them."""
    return [_number(key, "word", word) for word in words]


def fingerprint(key: str, flow_id: str, step: str, message: str) -> int:
    """The number that failures of the same cause share: of the same flow, at the same step, with messages that differ only in values."""
    return _number(key, "failure", f"{flow_id}\n{step}\n{normalized(message)}")


def normalized(message: str) -> str:
    """The first line of a message without its varying parts.

    >>> normalized("Order 4711 of 'An' was refused")
    'order # of # was refused'
    """
    line = next((line for line in message.splitlines() if line.strip()), "")
    return " ".join(_VARYING.sub("#", line).lower().split())[:_NORMAL]


def _number(key: str, kind: str, text: str) -> int:
    digest = hmac.new(key.encode(), f"{kind}:{text}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8]) >> 1

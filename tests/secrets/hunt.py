"""The hunt: secrets by name, the places where they were looked for, and where each of them turned up in any form.

Every place is cut into lines and each line kept once: pages have most lines in common.
"""

import base64
import html
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

from tests.secrets.catalogue import HUNTED, OWN

#: Characters of the shortest encoded form: a shorter one occurs by chance in random text, such as ciphertexts.
_SHORTEST = 6


def forms_of(secret: str) -> set[bytes]:
    """The secret as it could turn up: plain, escaped for addresses, JSON, HTML and Python, in hex, in base64 at three alignments."""
    plain = secret.encode()
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    found = {secret, html.escape(secret), quote(secret, safe=""), quote(secret), quote_plus(secret), *escaped}
    found |= {html.escape(form) for form in escaped} | {json.dumps(form)[1:-1] for form in escaped}
    found |= {quote(form, safe="").lower() for form in (secret, *escaped)} if "%" in quote(secret, safe="") else set()
    found |= {plain.hex(), plain.hex().upper()}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + plain).decode()
        # Six bits a character: only those whose bits are all the secret's own.
        inner = whole[-(-8 * shift // 6) : 8 * (shift + len(plain)) // 6]
        found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {form.encode() for form in found if len(form) >= _SHORTEST or form == secret}


@dataclass
class Hunt:
    """One hunt. `hide` says what is looked for, `look` where; `found` is what came of it.

    A place where a secret legitimately is (the page that shows a recovery code once) is given to `hide` as a test of the place's name.
    """

    secrets: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    places: set[str] = field(default_factory=set)
    _allowed: dict[str, Callable[[str], bool]] = field(default_factory=dict)
    _lines: dict[bytes, set[str]] = field(default_factory=lambda: defaultdict(set))

    def hide(self, name: str, *values: str, but: Callable[[str], bool] | None = None) -> None:
        """Looks for these values from now on, and in everything that was looked at already."""
        assert all(values), f"{name} has an empty value"
        assert name in OWN.union(*HUNTED.values()), f"{name} is missing in the catalogue"
        self.secrets[name] |= set(values)
        if but is not None:
            self._allowed[name] = but

    def look(self, place: str, content: bytes | str) -> None:
        """Takes in what a place holds."""
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        self.places.add(place)
        for line in data.split(b"\n"):
            self._lines[line].add(place)

    def leaks(self) -> list[str]:
        """`secret in place` for whatever is where it must not be, sorted."""
        everything = b"\n".join(self._lines)
        return sorted(
            {
                f"{name} in {place}"
                for name, values in self.secrets.items()
                for value in values
                for form in forms_of(value)
                if form in everything
                for place in self._where(form)
                if not self._allowed.get(name, _nowhere)(place)
            }
        )

    def must_be_in_vain(self, module: str) -> None:
        """Fails with everything that was found, and where the module (its `__name__`) did not hide all that it should."""
        assert set(self.secrets) >= HUNTED[module.rpartition(".")[2]], HUNTED[module.rpartition(".")[2]] - set(
            self.secrets
        )
        found = self.leaks()
        assert not found, "\n".join(found)

    def holds(self, text: str) -> int:
        """In how many places a text is that may be seen: a page that shows it was really there."""
        return len(set(self._where(text.encode())))

    def _where(self, form: bytes) -> Iterable[str]:
        return [place for line, places in self._lines.items() if form in line for place in places]


def _nowhere(_place: str) -> bool:
    return False

"""Odd texts and JSON, and what of a page can be changed: what the fuzzing tests draw from."""

import random
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
#: Texts at which programs break; hypothesis makes up others.
TEXTS = (
    *("", " ", "0", "-1", "9" * 30, "1e309", "NaN", "Infinity", "-0.0", "1.000,5", "true", "null", "[]", "{}", '{"a":'),
    "\x00",
    "\x00abc",
    "a\r\nb",
    "\ufeff",
    "\u202e",
    "é" * 300,
    "x" * 20_000,
    "đ",
    "🙂",
    "\ud7ff",
    "%00",
    "%",
    "..",
    "../../x",
    *("'", '"', "<b>", "{{ x }}", "{% x %}", "%(x)s", "\\", "//evil.example", "javascript:alert(1)", "https://[::1"),
    *("0001-01-01", "9999-12-31", "2026-02-30", "2026-11-27T25:61", "24:00", "00000000-0000-0000-0000-000000000000"),
    *("a" * 21, "1" * 5000, "[" * 1000, "💥" * 100, "٣", "１", "²", "−1"),
)
#: Values that may stand anywhere in an engine's answer.
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1e300,
    10**40,
    "",
    " ",
    "x",
    "x" * 5000,
    "<b>",
    "\x00",
    "\u202e",
    "2026-13-45T99:99:99Z",
    *("9999-12-31T23:59:59.999Z", "UNKNOWN", [], {}, [None], [[]], {"": ""}, {"id": {}}, [{"id": None}], {"data": []}),
)

texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=40))


@cache
def parameters() -> tuple[str, ...]:
    """Every name that the console's own code looks for in an address or a form."""
    found = set()
    for path in (ROOT / "workflows_ui").rglob("*.py"):
        source = path.read_text("utf-8")
        found |= set(re.findall(r"(?:GET|POST|data)(?:\.get|\.getlist)?[(\[]\s*\"(\w{1,30})\"", source))
        found |= set(re.findall(r"^    (\w{1,30}) = forms\.\w+Field\(", source, re.MULTILINE))
    return tuple(sorted(found))


def changed(value: Any, seed: int) -> Any:
    """A copy of an answer in which up to three places hold something else, or are gone."""
    dice = random.Random(seed)
    for _turn in range(dice.randint(1, 3)):
        value = _change(value, dice)
    return value


def _change(value: Any, dice: random.Random) -> Any:
    if isinstance(value, dict) and value and dice.random() < 0.9:
        key = dice.choice(list(value))
        if dice.random() < 0.15:
            return {name: one for name, one in value.items() if name != key}
        return {**value, key: _change(value[key], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        at = dice.randrange(len(value))
        return [*value[:at], _change(value[at], dice), *value[at + 1 :]]
    return dice.choice(VALUES)


class Fields(HTMLParser):
    """The forms of a page: by address, the names and values of their controls as a browser would send them."""

    def __init__(self, address: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[tuple[str, list[tuple[str, str]]]] = []
        self._address = address
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens a form, or notes a control of the open one."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self.forms.append((given.get("action") or self._address, []))
        elif self.forms and tag == "option" and self._select and ("selected" in given or given.get("value")):
            self.forms[-1][1].append((self._select, given.get("value", "")))
            self._select = ""
        elif self.forms and given.get("name"):
            self._select = given["name"] if tag == "select" else ""
            if tag in {"input", "textarea", "button"}:
                self.forms[-1][1].append((given["name"], given.get("value", "")))

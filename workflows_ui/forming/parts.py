"""Reading pieces of an imported document strictly: what is not understood is refused, in words, with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from workflows_ui.forming.document import BadForm

Word = TypeVar("Word", bound=StrEnum)


class Part:
    """One object of a document. Every `take` marks its key as understood; `done` refuses what is left."""

    def __init__(self, value: Any, where: str) -> None:
        self.where = where
        if not isinstance(value, dict):
            raise BadForm(_("%(where)s: an object {...} is expected here.") % {"where": where})
        self._left = dict(value)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, usual: Any = None) -> Any:
        """The value of a key, whatever it is."""
        return self._left.pop(key, usual)

    def peek(self, key: str) -> Any:
        """The value of a key, left where it is; None where there is none."""
        return self._left.get(key)

    def put(self, key: str, value: Any) -> None:
        """Puts a value back, to be taken by who understands it."""
        self._left[key] = value

    def text(self, key: str, most: int) -> str:
        """A text of at most `most` letters, "" where there is none."""
        value = self.take(key, "")
        if not isinstance(value, str):
            raise self.wrong(key, _("a text is expected"))
        if len(value) > most:
            raise self.wrong(key, _("at most %(most)s letters are possible") % {"most": most})
        return value

    def flag(self, key: str) -> bool:
        """true or false; false where there is nothing."""
        value = self.take(key, usual=False)
        if not isinstance(value, bool):
            raise self.wrong(key, _("true or false is expected"))
        return value

    def count(self, key: str) -> int | None:
        """A whole number from 0 to a thousand million, None where there is none."""
        value = self.take(key)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10**9:
            raise self.wrong(key, _("a whole number from 0 is expected"))
        return value

    def number(self, key: str) -> int | float | None:
        """A number, None where there is none."""
        value = self.take(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self.wrong(key, _("a number is expected"))
        return value

    def word(self, key: str, words: type[Word], usual: Word) -> Word:
        """One of the known words."""
        value = self.take(key, usual)
        try:
            return words(value)
        except ValueError:
            known = ", ".join(word.value for word in words)
            raise self.wrong(key, _("one of these is expected: %(known)s") % {"known": known}) from None

    def items(self, key: str, most: int) -> list[Any]:
        """A list of at most `most` items, empty where there is none."""
        value = self.take(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, _("a list [...] is expected"))
        if len(value) > most:
            raise self.wrong(key, _("at most %(most)s items are possible") % {"most": most})
        return value

    def texts(self, key: str, most: int, letters: int) -> list[str]:
        """A list of texts."""
        values = self.items(key, most)
        if not all(isinstance(value, str) and len(value) <= letters for value in values):
            raise self.wrong(key, _("a list of texts is expected"))
        return values

    def wrong(self, key: str, words: str) -> BadForm:
        """The error for a key."""
        return BadForm(_("%(where)s, “%(key)s”: %(words)s.") % {"where": self.where, "key": key[:60], "words": words})

    def done(self, ignored: Iterable[str] = ()) -> None:
        """Refuses what nobody took."""
        left = [key for key in self._left if key not in ignored]
        if left:
            raise BadForm(
                _(
                    "%(where)s: the word “%(key)s” means nothing to this console, so the form would not do what the file says."
                )
                % {"where": self.where, "key": str(left[0])[:60]}
            )

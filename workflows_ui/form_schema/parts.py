"""Strict reading of an imported document: what is not understood is rejected with a message that names its position."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext as _

from workflows_ui.form_schema.document import BadForm, is_number

Word = TypeVar("Word", bound=TextChoices)
T = TypeVar("T")


class Part:
    """One object of a document. Every `take` marks its key as understood; `done` rejects the remaining keys."""

    def __init__(self, value: object, where: str) -> None:
        self.where = where
        if not isinstance(value, dict):
            raise BadForm(_("%(where)s: an object {...} is expected here.") % {"where": where})
        #: The whole object, with the keys that were taken.
        self.content: dict[str, object] = value
        self._left = dict(self.content)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, default: object = None) -> object:
        """The value of a key, of any type."""
        return self._left.pop(key, default)

    def peek(self, key: str) -> object:
        """The value of a key, without taking it; None if it is missing."""
        return self._left.get(key)

    def put(self, key: str, value: object) -> None:
        """Put a value back, to be taken by another reader."""
        self._left[key] = value

    def inner(self, key: str, read: Callable[[Part], T], default: T) -> T:
        """What `read` makes of the object of a key; `default` if it is missing."""
        value = self.take(key)
        return default if value is None else read_part(value, self.where, read)

    def text(self, key: str, most: int) -> str:
        """A text of at most `most` characters, "" if it is missing."""
        value = self.take(key, "")
        if not isinstance(value, str):
            raise self.wrong(key, _("a text is expected"))
        if len(value) > most:
            raise self.wrong(key, _("at most %(most)s characters are possible") % {"most": most})
        return value

    def flag(self, key: str) -> bool:
        """true or false; false if it is missing."""
        value = self.take(key, default=False)
        if not isinstance(value, bool):
            raise self.wrong(key, _("true or false is expected"))
        return value

    def count(self, key: str) -> int | None:
        """A whole number from 0 to a thousand million, None if it is missing."""
        value = self.take(key)
        if value is None:
            return None
        if not is_number(value) or not 0 <= value <= 10**9 or value != int(value):
            raise self.wrong(key, _("a whole number from 0 is expected"))
        return int(value)

    def number(self, key: str) -> int | float | None:
        """A number, None if it is missing."""
        value = self.take(key)
        if value is None or is_number(value):
            return value
        raise self.wrong(key, _("a number is expected"))

    def word(self, key: str, options: type[Word], default: Word) -> Word:
        """A member of the enum `options`."""
        value = self.take(key, default)
        if value not in options.values:
            raise self.wrong(key, _("one of these is expected: %(known)s") % {"known": ", ".join(options.values)})
        return options(value)

    def items(self, key: str, most: int) -> list[object]:
        """A list of at most `most` items, empty if it is missing."""
        value = self.take(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, _("a list [...] is expected"))
        if len(value) > most:
            raise self.wrong(key, _("at most %(most)s items are possible") % {"most": most})
        return value

    def texts(self, key: str, most: int, characters: int) -> list[str]:
        values = self.items(key, most)
        texts = [value for value in values if isinstance(value, str) and len(value) <= characters]
        if len(texts) < len(values):
            raise self.wrong(key, _("a list of texts is expected"))
        return texts

    def wrong(self, key: str, message: str) -> BadForm:
        return BadForm(_("%(where)s, “%(key)s”: %(words)s.") % {"where": self.where, "key": key[:60], "words": message})

    def done(self, ignored: Iterable[str] = ()) -> None:
        """Reject the keys that were not taken."""
        left = [key for key in self._left if key not in ignored]
        if left:
            raise BadForm(
                _(
                    "%(where)s: the word “%(key)s” means nothing to this console, so the form would not do what the file says."
                )
                % {"where": self.where, "key": str(left[0])[:60]}
            )


def read_part(value: object, where: str, read: Callable[[Part], T]) -> T:
    """What `read` makes of an object, which it must understand completely. Raises BadForm."""
    part = Part(value, where)
    result = read(part)
    part.done()
    return result

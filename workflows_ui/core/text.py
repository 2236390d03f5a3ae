"""Texts for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise, lazy

if TYPE_CHECKING:
    # The promise of a text, as labels of forms and `%` expect it.
    from django.utils.functional import _StrPromise

    Text: TypeAlias = str | _StrPromise
else:
    Text = str | Promise


def deferred(build: Callable[[], str]) -> Text:
    """A lazy text: `build` is called each time it is shown, in the reader's language. For sentences with numbers and names, which
    `gettext_lazy` cannot fill in.
    """
    return cast(Text, lazy(build, str)())


def filled(text: Text, **values: object) -> Text:
    """As `deferred`, for a text from `gettext_lazy` and the values of its placeholders."""
    return deferred(lambda: str(text) % values)


def in_each_language(text: Text) -> dict[str, str]:
    """A lazy text in each of the console's languages, for storage: its reader's language may not be the writer's."""
    found = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found[code] = str(text)
    return found


def in_own_language(stored: str | Mapping[str, str]) -> str:
    """A stored result of `in_each_language` in the reader's language, else in any; a text of an earlier release is returned unchanged."""
    if isinstance(stored, str):
        return stored
    texts = (stored.get(code) for code in (translation.get_language(), settings.LANGUAGE_CODE))
    return next((text for text in texts if text is not None), "") or next(iter(stored.values()), "")


@dataclass(frozen=True)
class Message:
    title: Text
    text: Text
    next_step: Text = ""

"""Texts for people."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

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


@dataclass(frozen=True)
class Message:
    title: Text
    text: Text
    next_step: Text = ""

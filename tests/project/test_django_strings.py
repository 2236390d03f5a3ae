"""Texts of Django in our catalogue are still the texts that Django uses, or nobody would see their translations."""

from pathlib import Path

import django
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.frontend import parse_keywords
from babel.messages.pofile import read_po

from console.dev import translations
from workflows_ui.web import library_strings

_FILES = ("contrib/auth/password_validation.py", "core/validators.py", "forms/fields.py")


_KEYWORDS = DEFAULT_KEYWORDS | parse_keywords(translations.KEYWORDS.split())


def _texts_of_django() -> set[object]:
    root = Path(django.__file__).parent
    return {found[1] for name in _FILES for found in extract_from_file("python", root / name, keywords=_KEYWORDS)}


def test_listed_texts_of_django_are_those_that_django_uses() -> None:
    texts = _texts_of_django()
    assert set(library_strings.DJANGO) <= texts
    with (translations.LOCALE / "vi" / "LC_MESSAGES" / "django.po").open("rb") as file:
        [plural] = [message.id for message in read_po(file) if str(message.id).startswith("('This password is too")]
    assert plural in texts

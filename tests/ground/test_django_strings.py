"""What Django says in our catalogue: still in Django's own words, or nobody would see the translation."""

from pathlib import Path

import django
from babel.messages.extract import extract_from_file

from console import translations
from workflows_ui import django_strings

_FILES = ("contrib/auth/password_validation.py", "core/validators.py", "forms/fields.py")


def _of_django() -> set[object]:
    root = Path(django.__file__).parent
    return {
        found[1]
        for name in _FILES
        for found in extract_from_file("python", root / name, keywords=translations.KEYWORDS)
    }


def _too_short() -> tuple[str, str]:
    [found] = [
        message.id for message in translations.read("vi") if str(message.id).startswith("('This password is too")
    ]
    return found[0], found[1]


def test_what_is_listed_of_django_is_what_django_says() -> None:
    theirs = _of_django()
    assert set(django_strings.SEEN) <= theirs
    assert _too_short() in theirs

"""Translations by Babel's commands, since Django's need gettext's programs.

`python -m console.dev.translations messages` adds new texts of code and templates to the catalogues and removes unused ones. `check`
exits with 1 if that would change a catalogue, or if a translation is missing, fuzzy or has other placeholders than its text. allauth's
texts are included because it has no Vietnamese. English needs no catalogue.
"""

import io
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import allauth
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "locale"
SOURCES = [
    ROOT / "workflows_ui",
    ROOT / "templates",
    *(Path(allauth.__file__).with_name(part) for part in ("account", "core", "mfa")),
]
#: Functions of gettext besides Babel's defaults, with the positions of their messages ("c": the context).
KEYWORDS = "gettext_lazy gettext_noop ngettext_lazy:1,2 pgettext_lazy:1c,2 npgettext_lazy:1c,2,3"


def extract_template(file: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """The messages of a Django template, as Babel expects of an extractor."""
    # Django turns templates into Python calls but keeps their indentation, which Python would refuse.
    python = "\n".join(line.strip() for line in templatize(file.read().decode("utf-8")).splitlines())
    yield from extract_python(io.BytesIO(python.encode("utf-8")), keywords, comment_tags, options)


def extract_starter(file: Any, _keywords: Any, _comment_tags: Any, options: Any) -> Iterator[Any]:
    """The translated texts of a starter of flows (flow_editing/starters/forms.py), as Babel expects of an extractor."""
    waiting = [json.load(file)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict) and "translate" in value:
            yield 1, None, value["translate"], []
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def update() -> None:
    """Add new messages to the catalogues and remove unused ones."""
    with TemporaryDirectory() as folder:
        _update(LOCALE, _extract(folder))


def problems() -> list[str]:
    """What is wrong with the catalogues, a line each. Names the messages, unlike `pybabel update --check`."""
    found = []
    with TemporaryDirectory() as folder:
        messages = _extract(folder)
        wanted = {(message.context, message.id) for message in _read(messages)}
        ordered = Path(folder) / "locale"
        shutil.copytree(LOCALE, ordered)
        _update(ordered, messages)
        sources = [file.relative_to(LOCALE) for file in LOCALE.glob("*/LC_MESSAGES/django.po")]
        moved = [name for name in sources if (LOCALE / name).read_bytes() != (ordered / name).read_bytes()]
    for file in LOCALE.glob("*/LC_MESSAGES/django.po"):
        catalog = _read(file)
        present = {(message.context, message.id): message for message in catalog}
        faults = [("not in the catalogue", text) for _, text in wanted - present.keys()]
        faults += [("no longer used", text) for _, text in present.keys() - wanted]
        for _, text in present.keys() & wanted - {(None, "")}:
            message = present[_, text]
            faults += [(str(fault), text) for fault in message.check(catalog)]
            if message.fuzzy or not all(message.string if isinstance(message.string, tuple) else [message.string]):
                faults.append(("fuzzy" if message.fuzzy else "not translated", text))
        found += [f"{catalog.locale}: {fault}: {text!r}" for fault, text in faults]
        if not faults and file.relative_to(LOCALE) in moved:
            found.append(f"{catalog.locale}: not in the order of `make messages`")
    return sorted(found)


def compile_stale() -> None:
    """Write the .mo files that are older than their .po files."""
    for source in LOCALE.glob("*/LC_MESSAGES/django.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        # Several consoles may start from one folder at the same time, so each writes a file of its own.
        with TemporaryDirectory(dir=source.parent) as folder:
            compiled = Path(folder) / target.name
            _babel("compile", "-i", source, "-o", compiled)
            compiled.chmod(0o644)
            compiled.replace(target)


def _update(locale: Path, messages: Path) -> None:
    options = ["-w", "120", "--no-fuzzy-matching", "--ignore-obsolete", "--ignore-pot-creation-date"]
    _babel("update", "-D", "django", "-d", locale, "-i", messages, *options)


def _extract(folder: str) -> Path:
    """Write the messages of all sources to a file in the folder, and return its path."""
    if not settings.configured:
        settings.configure(USE_I18N=True)
    file = Path(folder) / "django.pot"
    # Without locations: they would change with every move of a file.
    options = ["-F", ROOT / "pyproject.toml", "-k", KEYWORDS, "--no-location", "--sort-output"]
    _babel("extract", *options, "-o", file, *SOURCES)
    return file


def _read(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream)


def _babel(*arguments: object) -> None:
    CommandLineInterface().run(["pybabel", "--quiet", *map(str, arguments)])  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    if sys.argv[1:] == ["messages"]:
        update()
    elif sys.argv[1:] == ["check"]:
        sys.exit("\n".join(problems()) or None)
    else:
        sys.exit("usage: python -m console.dev.translations messages | check")

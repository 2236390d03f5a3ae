"""Translations without any system package: gathers messages from code and templates, checks that nothing is stale, compiles.

`python -m console.translations messages` brings locale/*/LC_MESSAGES/django.po up to date; `check` fails (1) where that would change
something or where a message has no translation one can be sure of; `compile` writes the .mo files that are older than their source.
English needs no catalogue: it is the language of the messages. What allauth says is gathered too, since it speaks no Vietnamese.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import allauth
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
LANGUAGES = ("vi",)
_TEMPLATE = "console.translations:extract_template"
#: Where messages are: a folder, and which of its files are read by what.
SOURCES: list[tuple[Path, list[tuple[str, str]]]] = [
    (
        ROOT,
        [
            ("workflows_ui/migrations/**", "ignore"),
            ("workflows_ui/**.py", "python"),
            ("templates/**.html", _TEMPLATE),
            ("templates/**.txt", _TEMPLATE),
        ],
    ),
    (
        Path(allauth.__file__).parent.parent,
        [(f"allauth/{part}/**.py", "python") for part in ("account", "core", "mfa")],
    ),
]
#: gettext's functions under the names they are called by, and which of their arguments are messages ("c": the context).
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
_SKIPPED = {".venv", ".git", "var", "node_modules", "tests", "locale", "__pycache__"}


def extract_template(file: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """Babel's interface: the messages of a Django template ({% trans %}, {% blocktrans %}, _("...") in tags).

    Django turns the template into calls among placeholders; indented as the template was, which Python would refuse.
    """
    python = "\n".join(line.strip() for line in templatize(file.read().decode("utf-8")).splitlines())
    yield from extract_python(io.BytesIO(python.encode("utf-8")), keywords, comment_tags, options)


def gather() -> Catalog:
    """All messages of the console, with the files they are in (no line numbers: those would change all the time)."""
    if not settings.configured:
        settings.configure(USE_I18N=True)
    catalog = Catalog(domain="django", charset="utf-8")
    for folder, methods in SOURCES:
        found = extract_from_dir(
            folder,
            methods,
            {},
            keywords=KEYWORDS,
            comment_tags=("Translators:",),
            directory_filter=lambda path: Path(path).name not in _SKIPPED,
        )
        for name, _line, message, comments, context in found:
            catalog.add(message, None, [(name, 1)], auto_comments=comments, context=context)
    return catalog


def read(language: str) -> Catalog:
    """A language's catalogue; an empty one where there is no file yet."""
    file = source(language)
    if not file.exists():
        return Catalog(locale=language, domain="django", charset="utf-8")
    with file.open("rb") as stream:
        return read_po(stream, locale=language, domain="django")


def source(language: str) -> Path:
    """Where the translations of a language are kept."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def update() -> None:
    """Brings every catalogue in line with the code; new messages get no guess, gone ones go."""
    template = gather()
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        file = source(language)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as stream:
            write_po(stream, catalog, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)


def problems() -> list[str]:
    """What is wrong with the catalogues, a line each; empty when nothing is."""
    template = gather()
    found: list[str] = []
    wanted = {_key(message): message for message in template if message.id}
    for language in LANGUAGES:
        catalog = read(language)
        present = {_key(message): message for message in catalog if message.id}
        found.extend(f"{language}: not in the catalogue: {_shown(key)}" for key in wanted.keys() - present.keys())
        found.extend(f"{language}: no longer used: {_shown(key)}" for key in present.keys() - wanted.keys())
        for key in wanted.keys() & present.keys():
            found.extend(f"{language}: {word}: {_shown(key)}" for word in _faults(present[key], catalog))
    return sorted(found)


def _faults(message: Any, catalog: Catalog) -> list[str]:
    texts = message.string if isinstance(message.string, (tuple, list)) else [message.string]
    if not all(texts):
        return ["not translated"]
    if message.fuzzy:
        return ["marked as unsure (fuzzy)"]
    return [str(problem) for problem in message.check(catalog)]


def _key(message: Any) -> tuple[str | None, Any]:
    return message.context, message.id


def _shown(key: tuple[str | None, Any]) -> str:
    context, text = key
    return repr(text) + (f" (context {context!r})" if context else "")


def compile_stale() -> list[Path]:
    """Writes the .mo file of every language whose .po is newer; the files written."""
    written = []
    for language in LANGUAGES:
        file = source(language)
        compiled = file.with_suffix(".mo")
        if not file.exists() or (compiled.exists() and compiled.stat().st_mtime >= file.stat().st_mtime):
            continue
        # Two consoles may start from one folder at the same moment: each writes a file of its own.
        with NamedTemporaryFile(dir=compiled.parent, suffix=".new", delete=False) as stream:
            write_mo(stream, read(language))
        Path(stream.name).chmod(0o644)
        Path(stream.name).replace(compiled)
        written.append(compiled)
    return written


def main(arguments: list[str]) -> int:
    """The exit code."""
    if arguments == ["messages"]:
        update()
    elif arguments == ["compile"]:
        compile_stale()
    elif arguments == ["check"]:
        found = problems()
        sys.stdout.writelines(f"{line}\n" for line in found)
        if found:
            sys.stdout.write(f"{len(found)} problems. `make messages` brings the catalogues in line with the code.\n")
        return 1 if found else 0
    else:
        sys.stderr.write("usage: python -m console.translations messages | check | compile\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

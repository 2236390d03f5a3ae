"""Messages of templates and code are extracted without gettext's programs, and stale or missing translations are reported."""

import ast
import gettext
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.frontend import parse_keywords
from babel.messages.pofile import read_po

from console.dev import translations
from tests.project.console_process import ROOT

KEYWORDS = DEFAULT_KEYWORDS | parse_keywords(translations.KEYWORDS.split())
PO = """
msgid ""
msgstr ""
"Language: vi\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def messages(template: str) -> list[tuple[object, str | None]]:
    """Messages of a template and their contexts."""
    found = extract(translations.extract_template, io.BytesIO(template.encode()), KEYWORDS)
    return [(message, context) for _line, message, _comments, context in found]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project with two texts to translate."""
    monkeypatch.setattr(translations, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(translations, "SOURCES", [tmp_path])
    (tmp_path / "code.py").write_text('_("Launch")\n_("%(count)d runs")\n', encoding="utf-8")
    return tmp_path


def catalogue_file() -> Path:
    """The Vietnamese catalogue of the small project."""
    return translations.LOCALE / "vi" / "LC_MESSAGES" / "django.po"


def write_catalogue(**texts: str) -> None:
    """Write the catalogue: a translation for each of the two messages."""
    file = catalogue_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    entries = {"Launch": texts["launch"], "%(count)d runs": texts["runs"]} | (
        {texts["more"]: "x"} if "more" in texts else {}
    )
    body = "".join(f'msgid "{text}"\nmsgstr "{translated}"\n\n' for text, translated in entries.items())
    file.write_text(PO + body, encoding="utf-8")


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ('{% trans "Hello" %}', [("Hello", None)]),
        ("{% translate 'May' context \"month\" %}", [(("month", "May"), "month")]),
        ('{% trans "Save" as save %}<p title="{{ save }}">', [("Save", None)]),
        ('{{ name|default:_("nobody") }}', [("nobody", None)]),
        ('{% include "x.html" with title=_("Flows") %}', [("Flows", None)]),
        ("{% blocktrans trimmed %}\n   One\n   line.\n{% endblocktrans %}", [("One line.", None)]),
        ("{% blocktrans with a=b.c %}By {{ a }}{% endblocktrans %}", [("By %(a)s", None)]),
        (
            "{% blocktrans trimmed count n=all|length %}{{ n }} run{% plural %}{{ n }} runs{% endblocktrans %}",
            [(("%(n)s run", "%(n)s runs"), None)],
        ),
        ('  <p>It\'s\n{% trans "a" %}\n <b>\'{% trans "b" %}', [("a", None), ("b", None)]),
        ('{% trans "Quoted “text”, 100%" %}', [("Quoted “text”, 100%%", None)]),
        ("{% comment %}{% trans 'no' %}{% endcomment %}", []),
    ],
)
def test_messages_of_templates_are_found(template: str, found: list[tuple[object, str | None]]) -> None:
    wanted = [(message[1] if context else message, context) for message, context in found if isinstance(message, tuple)]
    plain = [(message, context) for message, context in found if not isinstance(message, tuple)]
    assert messages(template) == (wanted or plain)


def test_no_text_of_the_code_goes_through_a_function_whose_messages_are_not_extracted() -> None:
    files = [file for folder in ("console", "workflows_ui") for file in (ROOT / folder).rglob("*.py")]
    imported = [
        (file.name, name.asname or name.name)
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for name in node.names
        if "gettext" in name.name
    ]
    assert len(imported) > 100
    assert [one for one in imported if one[1] not in KEYWORDS] == []


def test_a_good_catalogue_has_no_problems_once_it_is_in_the_order_of_the_command(project: Path) -> None:
    write_catalogue(launch="Chạy", runs="%(count)d lần chạy")
    assert translations.problems() == ["vi: not in the order of `make messages`"]
    translations.update()
    assert translations.problems() == []


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        ({"launch": "", "runs": "%(count)d lần"}, "vi: not translated: 'Launch'"),
        ({"launch": "Chạy", "runs": "%(count)d lần", "more": "Gone"}, "vi: no longer used: 'Gone'"),
        ({"launch": "Chạy", "runs": "%(number)d lần"}, "'%(count)d runs'"),
    ],
)
def test_problems_are_named(project: Path, texts: dict[str, str], problem: str) -> None:
    write_catalogue(**texts)
    assert any(problem in line for line in translations.problems())


def test_a_new_message_and_a_fuzzy_one_are_problems(project: Path) -> None:
    write_catalogue(launch="Chạy", runs="%(count)d lần")
    file = catalogue_file()
    file.write_text(file.read_text("utf-8").replace('msgid "Launch"', '#, fuzzy\nmsgid "Launch"'), "utf-8")
    (project / "code.py").write_text('_("Launch")\n_("%(count)d runs")\n_("New")\n', encoding="utf-8")
    assert translations.problems() == ["vi: fuzzy: 'Launch'", "vi: not in the catalogue: 'New'"]


def test_an_update_keeps_translations_adds_new_messages_drops_unused_ones_and_ignores_where_they_are(
    project: Path,
) -> None:
    write_catalogue(launch="Chạy", runs="%(count)d lần", more="Gone")
    (project / "code.py").write_text('_("Launch")\n_("New")\n', encoding="utf-8")
    translations.update()
    with catalogue_file().open("rb") as file:
        texts = {message.id: message.string for message in read_po(file) if message.id}
    assert texts == {"Launch": "Chạy", "New": ""}
    before = catalogue_file().read_bytes()
    (project / "code.py").rename(project / "moved.py")
    translations.update()
    assert catalogue_file().read_bytes() == before


def test_consoles_that_start_together_compile_the_same_catalogue_without_harm(project: Path) -> None:
    write_catalogue(launch="Chạy", runs="%(count)d lần")
    with ThreadPoolExecutor(8) as pool:
        for started in [pool.submit(translations.compile_stale) for _ in range(16)]:
            started.result()
    assert {file.suffix for file in catalogue_file().parent.iterdir()} == {".po", ".mo"}


def test_only_stale_catalogues_are_compiled(project: Path) -> None:
    write_catalogue(launch="Chạy", runs="%(count)d lần")
    translations.compile_stale()
    compiled = catalogue_file().with_suffix(".mo")
    with compiled.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Launch") == "Chạy"
    compiled.write_bytes(b"up to date")
    translations.compile_stale()
    assert compiled.read_bytes() == b"up to date"
    later = compiled.stat().st_mtime + 10
    os.utime(catalogue_file(), (later, later))
    translations.compile_stale()
    assert compiled.read_bytes() != b"up to date"

"""Messages are gathered from templates and code without gettext's programs, and what is stale or missing is said."""

import ast
import gettext
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from babel.messages.extract import extract

from console import translations
from console.translations import KEYWORDS, extract_template
from tests.ground.running import ROOT

PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def messages(template: str) -> list[tuple[object, str | None]]:
    """Messages of a template and their contexts."""
    found = extract(extract_template, io.BytesIO(template.encode()), KEYWORDS, ("Translators:",))
    return [(message, context) for _line, message, _comments, context in found]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project with one text to translate."""
    monkeypatch.setattr(translations, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(translations, "SOURCES", [(tmp_path, [("**.py", "python")])])
    (tmp_path / "code.py").write_text('_("Launch")\n_("%(count)d runs")\n', encoding="utf-8")
    return tmp_path


def catalogue(**texts: str) -> None:
    """Writes the catalogue: a translation for each of the two messages."""
    file = translations.source("vi")
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


def test_no_text_of_the_code_goes_through_a_name_by_which_it_is_not_gathered() -> None:
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


def test_a_good_catalogue_has_no_problems(project: Path) -> None:
    catalogue(launch="Chạy", runs="%(count)d lần chạy")
    assert translations.problems() == []


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"launch": "", "runs": "%(count)d lần"}, "vi: not translated: 'Launch'"),
        ({"launch": "Chạy", "runs": "%(count)d lần", "more": "Gone"}, "vi: no longer used: 'Gone'"),
        ({"launch": "Chạy", "runs": "%(number)d lần"}, "'%(count)d runs'"),
    ],
)
def test_what_is_wrong_is_said(project: Path, texts: dict[str, str], said: str) -> None:
    catalogue(**texts)
    assert any(said in line for line in translations.problems())


def test_a_new_message_and_an_unsure_one_are_problems(project: Path) -> None:
    catalogue(launch="Chạy", runs="%(count)d lần")
    file = translations.source("vi")
    file.write_text(file.read_text("utf-8").replace('msgid "Launch"', '#, fuzzy\nmsgid "Launch"'), "utf-8")
    (project / "code.py").write_text('_("Launch")\n_("%(count)d runs")\n_("New")\n', encoding="utf-8")
    assert translations.problems() == ["vi: marked as unsure (fuzzy): 'Launch'", "vi: not in the catalogue: 'New'"]


def test_gathering_keeps_translations_adds_new_messages_and_drops_gone_ones(project: Path) -> None:
    catalogue(launch="Chạy", runs="%(count)d lần", more="Gone")
    (project / "code.py").write_text('_("Launch")\n_("New")\n', encoding="utf-8")
    translations.update()
    texts = {message.id: message.string for message in translations.read("vi") if message.id}
    assert texts == {"Launch": "Chạy", "New": ""}
    before = translations.source("vi").read_bytes()
    translations.update()
    assert translations.source("vi").read_bytes() == before


def test_consoles_that_start_together_compile_the_same_catalogue_without_harm(project: Path) -> None:
    catalogue(launch="Chạy", runs="%(count)d lần")
    with ThreadPoolExecutor(8) as pool:
        for started in [pool.submit(translations.compile_stale) for _ in range(16)]:
            started.result()
    assert {file.suffix for file in translations.source("vi").parent.iterdir()} == {".po", ".mo"}


def test_only_stale_catalogues_are_compiled(project: Path) -> None:
    catalogue(launch="Chạy", runs="%(count)d lần")
    [compiled] = translations.compile_stale()
    with compiled.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Launch") == "Chạy"
    assert translations.compile_stale() == []

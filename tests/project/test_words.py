"""Texts that people read avoid the words that docs/glossary.md lists, in English and Vietnamese."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
_TERMS, _, _AVOIDED = GLOSSARY.read_text(encoding="utf-8").partition("## Words to avoid")


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head. Raises AssertionError if no table follows."""
    table = _AVOIDED.partition(f"### {heading}\n")[2].partition("###")[0]
    rows = [re.split(r" (?<!\\)\| ", line[2:-2]) for line in table.splitlines() if line.startswith("| `")]
    assert rows
    return rows


def _pattern(*cells: str) -> re.Pattern[str]:
    words = [word for cell in cells for word in re.findall(r"`(.+?)`", cell)]
    return re.compile(rf"\b(?:{'|'.join(words)})\b".replace(r"\|", "|"), re.IGNORECASE)


def avoided(*headings: str) -> re.Pattern[str]:
    """The words to avoid that the glossary lists under these headings, as one pattern."""
    return _pattern(*(row[0] for heading in headings for row in _rows(heading)))


def avoided_pairs() -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
    """Words of English texts, and the words to avoid in their Vietnamese."""
    return [(_pattern(row[0]), _pattern(row[1])) for row in _rows("Vietnamese, where the English says")]


@pytest.mark.parametrize(
    ("language", "bad", "good"),
    [
        ("English", "Whoever was told runs it by itself.", "The person who was notified runs it."),
        ("English, in the interface", "Mail somebody its id.", "Email someone its ID."),
        ("Vietnamese", "Hệ thống luồng đòi hỏi mật khẩu.", "Hệ thống yêu cầu mật khẩu."),
        ("Vietnamese", "Vui lòng điền ô này.", "Hãy điền trường này."),
        ("Vietnamese", "Mở thẻ mới, rồi kiểm tra thư.", "Thư mục và hộp thư: thẻ hoặc tài khoản khác."),
    ],
)
def test_words_to_avoid_are_found(language: str, bad: str, good: str) -> None:
    assert avoided(language).search(bad)
    assert not avoided(language).search(good)


def test_words_to_avoid_in_a_translation_are_found() -> None:
    assert _wrong_pairs("Retry the run", "Thử lại lượt chạy")
    assert not _wrong_pairs("Retry the run", "Chạy lại")
    assert not _wrong_pairs("Try again", "Thử lại")


def _wrong_pairs(english: str, vietnamese: str) -> bool:
    return any(said.search(english) and wrong.search(vietnamese) for said, wrong in avoided_pairs())


def test_no_text_of_the_interface_has_them() -> None:
    english, vietnamese = avoided("English", "English, in the interface"), avoided("Vietnamese")
    with (ROOT / "locale" / "vi" / "LC_MESSAGES" / "django.po").open("rb") as stream:
        messages = [message for message in read_po(stream) if message.id]
    found = [text for message in messages for text in _forms(message.id) if english.search(text)]
    found += [text for message in messages for text in _forms(message.string) if vietnamese.search(text)]
    for said, wrong in avoided_pairs():
        translated = [message for message in messages if said.search(_forms(message.id)[0])]
        found += [text for message in translated for text in _forms(message.string) if wrong.search(text)]
    assert found == []


def _forms(text: object) -> tuple[str, ...]:
    return tuple(text) if isinstance(text, tuple | list) else (str(text),)


def test_no_document_has_them() -> None:
    texts = {
        file.name: file.read_text(encoding="utf-8") for file in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    }
    texts["glossary.md"] = _TERMS
    # Code, quotations, and the rows of permissions.md, which name addresses, are no prose.
    quoted = re.compile(r'^\| `/.*$|^    .*$|`[^`]*`|"[^"\n]*"|“[^”]*”', re.MULTILINE)
    prose = {name: quoted.sub("", text) for name, text in texts.items()}
    assert {
        name: found for name, text in prose.items() if (found := [hit[0] for hit in avoided("English").finditer(text)])
    } == {}


def test_the_states_that_the_glossary_lists_have_these_words() -> None:
    with (ROOT / "locale" / "vi" / "LC_MESSAGES" / "django.po").open("rb") as stream:
        translated = {str(message.id): str(message.string) for message in read_po(stream) if not message.context}
    listed = " ".join(_TERMS.partition("States of launches and runs: ")[2].partition("\n\n")[0].split())
    pairs = dict(re.findall(r"(\w[^()]*) \(([^)]*)\)", listed))
    assert len(pairs) > 10
    assert pairs == {
        english: translated.get(english.replace("18:00", "%(time)s"), "").replace("%(time)s", "18:00")
        for english in pairs
    }

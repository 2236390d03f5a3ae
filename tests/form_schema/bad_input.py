"""Bad input of every kind, with what is said: the cases of the tests, and the table in docs/bad-input.md that is made from them.

`python -m tests.form_schema.bad_input` writes the table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import UploadedFile

from workflows_ui.form_schema import checking, schema_in
from workflows_ui.form_schema.document import (
    BadForm,
    Choice,
    Column,
    Field,
    FieldKind,
    Form,
    Limits,
    Moment,
    ShowIf,
    When,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bad-input.md"
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def file(name: str, size: int) -> UploadedFile[Any]:
    """An uploaded file of a size, without content."""
    return UploadedFile(name=name, size=size)


@dataclass(frozen=True)
class Case:
    """What was typed into a field, and the control at which something is said."""

    field: Field
    typed: str | list[str] | dict[str, str]
    at: str = ""
    file: UploadedFile[Any] | None = None

    @property
    def control(self) -> str:
        """The name of the control that is to blame."""
        return self.at or self.field.name

    def said(self) -> str:
        """What is said about it, in the language that is active; "" for nothing."""
        return str(self.check().errors.get(self.control, ""))

    def check(self) -> checking.Checked:
        """The submitted form, checked."""
        if isinstance(self.typed, dict):
            data = {name: [text] for name, text in self.typed.items()}
        else:
            data = {self.field.name: [self.typed] if isinstance(self.typed, str) else self.typed}
        files = {self.field.name: self.file} if self.file else {}
        return checking.Checked(Form((self.field,)), data, files=files, zone=ZONE)


def _field(kind: FieldKind, **said: Any) -> Field:
    return Field("x", ("x",), kind=kind, **said)


_SIZES = (Choice("Small", "s"), Choice("Large", "l"))
_ROWS = _field(
    FieldKind.TABLE,
    columns=(Column("sku", "sku", required=True), Column("qty", "qty", kind=FieldKind.NUMBER)),
    limits=Limits(most=2),
)

CASES: tuple[Case, ...] = (
    Case(_field(FieldKind.TEXT, required=True), ""),
    Case(_field(FieldKind.TEXT, required=True), "   "),
    Case(_field(FieldKind.TEXT, limits=Limits(min_length=3)), "ab"),
    Case(_field(FieldKind.TEXT, limits=Limits(max_length=3)), "abcd"),
    Case(_field(FieldKind.TEXT, limits=Limits(pattern="[A-Z]{2}-[0-9]{4}", pattern_words="AB-1234")), "ab-12"),
    Case(_field(FieldKind.TEXT, limits=Limits(pattern="[A-Z]+")), "abc"),
    Case(_field(FieldKind.TEXT), "a\0b"),
    Case(_field(FieldKind.LONG_TEXT, limits=Limits(max_length=3)), "a\r\nbc"),
    Case(_field(FieldKind.NUMBER), "twelve"),
    Case(_field(FieldKind.NUMBER), "1.234"),
    Case(_field(FieldKind.NUMBER), "1,234"),
    Case(_field(FieldKind.NUMBER), "1.2.3"),
    Case(_field(FieldKind.NUMBER), "1e999"),
    Case(_field(FieldKind.NUMBER), "NaN"),
    Case(_field(FieldKind.NUMBER), "0x10"),
    Case(_field(FieldKind.NUMBER), "9" * 5_000),
    Case(_field(FieldKind.NUMBER, required=True), " "),
    Case(_field(FieldKind.NUMBER, limits=Limits(low=1)), "0"),
    Case(_field(FieldKind.NUMBER, limits=Limits(high=100)), "100,5"),
    Case(_field(FieldKind.INTEGER), "twelve"),
    Case(_field(FieldKind.INTEGER), "1.5"),
    Case(_field(FieldKind.INTEGER), "1.234"),
    Case(_field(FieldKind.YES_NO, required=True), ""),
    Case(_field(FieldKind.YES_NO), "perhaps"),
    Case(_field(FieldKind.DATE), "tomorrow"),
    Case(_field(FieldKind.DATE), "2026-02-30"),
    Case(_field(FieldKind.DATE), "3/4/2026"),
    Case(_field(FieldKind.DATE), "31/12/26"),
    Case(_field(FieldKind.DATE, limits=Limits(low="2026-01-01")), "2025-12-31"),
    Case(_field(FieldKind.DATE, limits=Limits(high="2026-12-31")), "2027-01-01"),
    Case(_field(FieldKind.TIME), "noon"),
    Case(_field(FieldKind.TIME), "25:00"),
    Case(_field(FieldKind.TIME), "13:00 pm"),
    Case(_field(FieldKind.DATETIME, moment=Moment.UTC), "2026-03-01"),
    Case(_field(FieldKind.DATETIME, moment=Moment.UTC), "2026-03-01T25:00"),
    Case(_field(FieldKind.DATETIME, moment=Moment.UTC), "0001-01-01T00:00"),
    Case(_field(FieldKind.CHOICE, choices=_SIZES, required=True), ""),
    Case(_field(FieldKind.CHOICE, choices=_SIZES), "medium"),
    Case(_field(FieldKind.CHOICE, choices=(Choice("One", 1),), other=True), "one"),
    Case(_field(FieldKind.CHOICES, choices=_SIZES, required=True), []),
    Case(_field(FieldKind.CHOICES, choices=_SIZES), ["s", "medium"]),
    Case(_field(FieldKind.CHOICES, choices=_SIZES, limits=Limits(least=2)), ["s"]),
    Case(_field(FieldKind.EMAIL), "lan@example"),
    Case(_field(FieldKind.EMAIL), "lan@example.com, mai@example.com"),
    Case(_field(FieldKind.PHONE), "call me"),
    Case(_field(FieldKind.PHONE), "12"),
    Case(_field(FieldKind.URL), "example.com"),
    Case(_field(FieldKind.URL), "javascript:alert(1)"),
    Case(_field(FieldKind.SECRET, required=True), ""),
    Case(_field(FieldKind.SECRET, limits=Limits(min_length=12)), "too short"),
    Case(_field(FieldKind.FILE, required=True), ""),
    Case(_field(FieldKind.FILE, accept=("pdf", "png")), "", file=file("prices.exe", 10)),
    Case(_field(FieldKind.FILE, accept=("pdf",)), "", file=file("pdf", 10)),
    Case(_field(FieldKind.FILE, max_size=5_000_000), "", file=file("large.pdf", 5_000_001)),
    Case(_field(FieldKind.LIST, required=True), ["", ""]),
    Case(_field(FieldKind.LIST, item=FieldKind.NUMBER), ["1", "two"]),
    Case(_field(FieldKind.LIST, limits=Limits(most=1)), ["a", "b"]),
    Case(Field("x", ("x",), kind=FieldKind.TABLE, required=True, columns=_ROWS.columns), {"x[0][sku]": "", "x[0][qty]": ""}),
    Case(_ROWS, {"x[0][sku]": "", "x[0][qty]": "2"}, at="x[0][sku]"),
    Case(_ROWS, {"x[0][sku]": "A", "x[0][qty]": "many"}, at="x[0][qty]"),
    Case(_ROWS, {"x[0][sku]": "A", "x[1][sku]": "B", "x[2][sku]": "C"}),
    Case(_ROWS, {f"x[{number}][sku]": "A" for number in range(1_001)}),
    Case(_field(FieldKind.JSON), '{"a": 1,}'),
    Case(_field(FieldKind.JSON), "{\n  a: 1\n}"),
    Case(_field(FieldKind.JSON), "[NaN]"),
    Case(_field(FieldKind.JSON), "[" * 300 + "]" * 300),
)  # fmt: skip


def _deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string"}
    for _level in range(levels):
        found = {"type": "object", "properties": {"a": found}}
    return found


def _one(**said: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"x": said}}


#: Files that are brought as a form, and what is wrong with them: JSON Schema of every bad sort.
FORM_FILES: dict[str, bytes | dict[str, Any]] = {
    "nothing": b"",
    "bytes that are no text": b"\xff\xfe\x00",
    "a text that is no JSON": b"{",
    "more than 1 MB": b" " * 1_048_577,
    "100,000 lists in one another": b"[" * 100_000 + b"]" * 100_000,
    "objects 50 levels deep": _deep(50),
    "half of a character": rb'{"properties": {"x": {"type": "string", "title": "\ud800"}}}',
    "NaN": b'{"properties": {"x": {"type": "number", "minimum": NaN}}}',
    "a list": b"[]",
    "201 fields": {"properties": {f"f{number}": {"type": "string"} for number in range(201)}},
    "a definition that is itself": {**_one(**{"$ref": "#/$defs/a"}), "$defs": {"a": {"$ref": "#/$defs/a"}}},
    "a part that lies elsewhere": _one(**{"$ref": "https://example.com/schema.json"}),
    "an unknown word": _one(type="string", frobnicate=1),
    "an unknown type": _one(type="poem"),
    "several types": _one(type=["string", "number"]),
    "a rule for the whole": {**_one(type="string"), "if": {"required": ["x"]}},
    "an invalid pattern": _one(type="string", pattern="(("),
    "a pattern that looks ahead": _one(type="string", pattern="(?=a)b"),
    "a pattern of a million letters": _one(type="string", pattern="(a{1000}){1000}"),
    "a long pattern": _one(type="string", pattern="a" * 1000),
    "limits the wrong way round": _one(type="number", minimum=5, maximum=1),
    "a limit that is no number": _one(type="string", maxLength="5"),
    "no choices": _one(enum=[]),
    "a choice twice": _one(enum=["a", "a"]),
    "501 choices": _one(enum=[f"v{number}" for number in range(501)]),
    "a required property that does not exist": {**_one(type="string"), "required": ["y"]},
    "a form of a newer console": {**_one(type="string"), "x-console": {"form": 99}},
}


def said_of(file: bytes | dict[str, Any]) -> str:
    """What is said about a file that is brought as a form; "" where it is taken."""
    try:
        schema_in.read(file if isinstance(file, bytes) else json.dumps(file).encode())
    except BadForm as problem:
        return str(problem)
    return ""


#: The typed text for the table, where it is too long or cannot be seen.
_SHOWN = {"": "(nothing)", "   ": "(spaces)", " ": "(a space)", "a\0b": "a, NUL, b", "a\r\nbc": "a, a new line, bc"}


def table() -> str:
    """The page, from the cases."""
    from django.utils import translation

    lines = [
        "# Bad input",
        "",
        "What a launch form says about invalid input. Written by `python -m tests.form_schema.bad_input`; do not edit.",
        "",
        "| kind | requirement | input | message |",
        "|---|---|---|---|",
    ]
    with translation.override("en"):
        for case in CASES:
            cells = (case.field.kind.value, _asked(case.field), _typed(case), case.said())
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
        lines += ["", "What is said about a file that is not a launch form.", ""]
        lines += ["| what is in it | what is said |", "|---|---|"]
        lines += [f"| {_cell(what)} | {_cell(said_of(file))} |" for what, file in FORM_FILES.items()]
    return "\n".join(lines) + "\n"


def _asked(field: Field) -> str:
    limits = field.limits
    known = {
        "required": field.required,
        f"at least {limits.low}": limits.low is not None,
        f"at most {limits.high}": limits.high is not None,
        f"{limits.min_length} characters or more": limits.min_length is not None,
        f"{limits.max_length} characters or fewer": limits.max_length is not None,
        f"pattern {limits.pattern}": bool(limits.pattern),
        f"{limits.least} or more": limits.least is not None,
        f"{limits.most} or fewer": limits.most is not None,
        f"of {', '.join(field.accept)}": bool(field.accept),
        f"{field.max_size} bytes or fewer": field.max_size is not None,
        "or another number": field.other,
    }
    return ", ".join(words for words, holds in known.items() if holds)


def _typed(case: Case) -> str:
    if case.file is not None:
        return f"{case.file.name}, {case.file.size} bytes"
    if isinstance(case.typed, dict):
        rows = [f"{name.removeprefix('x')} {text or '(nothing)'}" for name, text in case.typed.items()]
        return "; ".join(rows) if len(rows) < 10 else f"{len(rows)} rows"
    texts = [case.typed] if isinstance(case.typed, str) else case.typed
    return (
        "; ".join(_SHOWN.get(text, text if len(text) < 60 else f"{text[:10]}… ({len(text)} letters)") for text in texts)
        or "(nothing)"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "⏎").replace("<", "&lt;")


#: A field that is shown only where another says so, for the tests.
HIDDEN_BY_RULE = Form((
    Field("gift", ("gift",), kind=FieldKind.YES_NO),
    Field("card", ("card",), required=True, show_if=ShowIf("gift", When.IS, value=True)),
))  # fmt: skip

if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    PAGE.write_text(table(), "utf-8")

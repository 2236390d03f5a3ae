"""Formats of files: what a spreadsheet of each region, and another program, read in them."""

import csv
import io
import json
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone, translation
from python_calamine import CalamineWorkbook

from workflows_ui.lists import file_formats
from workflows_ui.lists.file_formats import FORMATS, Cell, Facts

MOMENT = datetime(2026, 12, 1, 3, 4, 5, 678_000, tzinfo=UTC)
TABLES = [key for key in FORMATS if key != "json"]


@pytest.fixture(autouse=True)
def _vietnam() -> Iterator[None]:
    with timezone.override("Asia/Ho_Chi_Minh"):
        yield


def written(
    key: str, *rows: Sequence[Cell], headings: tuple[str, ...] = ("A",), title: str = "Launches", facts: Facts = ()
) -> bytes:
    with file_formats.writer(key, title, facts) as file:
        return file.head(headings) + file.body(list(rows)) + b"".join(file.tail())


def book_of(content: bytes) -> CalamineWorkbook:
    return CalamineWorkbook.from_filelike(io.BytesIO(content))


def rows_of(key: str, content: bytes) -> list[list[Any]]:
    """The rows below the heading, as a program reads them."""
    if key == "xlsx":
        return book_of(content).get_sheet_by_index(0).to_python()[1:]
    encoding, delimiter = ("utf-8", ",") if key == "data" else ("utf-8-sig", ";" if key == "semicolon" else ",")
    return list(csv.reader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter))[1:]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("xlsx", [1.5, 12, -3, datetime(2026, 12, 1, 10, 4, 5, tzinfo=UTC), date(2026, 2, 3), True, "Đơn hàng"]),
        ("csv", ["1.5", "12", "-3", "2026-12-01 10:04:05", "2026-02-03", "TRUE", "Đơn hàng"]),
        ("semicolon", ["1,5", "12", "-3", "2026-12-01 10:04:05", "2026-02-03", "TRUE", "Đơn hàng"]),
        ("data", ["1.5", "12", "-3", "2026-12-01T10:04:05.678+07:00", "2026-02-03", "true", "Đơn hàng"]),
    ],
)
def test_values_are_written_as_the_chosen_program_reads_them(key: str, expected: list[object]) -> None:
    row: list[Cell] = [1.5, 12, -3, MOMENT, date(2026, 2, 3), True, "Đơn hàng"]
    found = rows_of(key, written(key, row, headings=("A",) * 7))[0]
    if key == "xlsx":
        assert isinstance(found[3], datetime)
        found[3] = found[3].replace(microsecond=0, tzinfo=UTC)
    assert found == expected


@pytest.mark.parametrize("text", ["0901234567", "+84901234567", "12345678901234567890", "1E10", "1-2", "0,83", "1.234"])
def test_phone_and_order_numbers_keep_all_their_characters(text: str) -> None:
    assert rows_of("xlsx", written("xlsx", [text])) == [[text]]
    assert rows_of("data", written("data", [text])) == [[text]]
    for key in ("csv", "semicolon"):
        assert rows_of(key, written(key, [text])) == [[f'="{text}"']]


def test_texts_that_spreadsheets_show_unchanged_stay_plain() -> None:
    for text in ("0", "42", "1000 ms", "1 khách", "DH-0001", ""):
        for key in TABLES:
            assert rows_of(key, written(key, [text, "x"], headings=("A", "B"))) == [[text, "x"]]


def test_numbers_with_more_digits_than_a_spreadsheet_has_are_texts() -> None:
    assert rows_of("xlsx", written("xlsx", [10**17 + 1])) == [["100000000000000001"]]
    assert rows_of("csv", written("csv", [10**17 + 1])) == [['="100000000000000001"']]
    assert rows_of("csv", written("csv", [float("nan")])) == [["nan"]]
    assert rows_of("xlsx", written("xlsx", [float("inf")])) == [["inf"]]
    assert rows_of("semicolon", written("semicolon", [0.000001])) == [["0,000001"]]
    assert file_formats.read_number("123456789.123456789") == "123456789.123456789"


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-cmd", "@SUM(A1)", '=HYPERLINK("x")', "＝1", '="0"&A1', "#N/A"])
def test_no_text_becomes_a_formula(text: str) -> None:
    book = book_of(written("xlsx", [text]))
    assert book.get_sheet_by_index(0).to_python()[1:] == [[text]]
    for key in ("csv", "semicolon", "data"):
        assert not rows_of(key, written(key, [text]))[0][0].startswith(("=", "+", "-", "@", "＝"))


def test_a_file_with_semicolons_has_no_formula_after_a_comma_either() -> None:
    """Excel in English splits its lines at the commas."""
    content = written("semicolon", ["a,=cmd|' /C calc'!A0", "x;=1"], headings=("A", "B"))
    assert rows_of("semicolon", content) == [["a,'=cmd|' /C calc'!A0", "x;'=1"]]


@pytest.mark.parametrize(
    "text",
    [
        "<r><t>x</t></r>",
        "<b>",
        "a\x00b\x1f",
        "\ud800",
        "\ufffe",
        "_x0041_",
        " two  ",
        "a\nb",
        "x" * 40_000,
        "🙂" * 20_000,
    ],
    ids=["rich", "markup", "control", "surrogate", "no xml", "escape", "blanks", "lines", "long", "long emoji"],
)
def test_odd_texts_do_not_break_a_workbook(text: str) -> None:
    (row,) = rows_of("xlsx", written("xlsx", [text, "next"], headings=("A", "B")))
    assert row[1] == "next"
    if len(text) > 15_000:
        assert row[0].endswith("…")
        assert len(row[0].encode("utf-16-le")) <= 2 * 32_767
    elif text.isprintable() and "\ud800" not in text:
        assert row[0].rstrip() == text.rstrip()


@pytest.mark.parametrize(
    "title", ["", "History", "a/b:c*d?[e]", "'x'", "Lịch sử chạy của toàn bộ quy trình hôm nay", "🙂" * 40]
)
def test_any_title_names_a_sheet(title: str) -> None:
    name = book_of(written("xlsx", title=title)).sheet_names[0]
    assert name
    assert len(name.encode("utf-16-le")) <= 62


def test_a_workbook_tells_about_itself_on_a_second_sheet() -> None:
    facts = [("Time zone", "Asia/Ho_Chi_Minh"), ("State", "=Failed")]
    book = book_of(written("xlsx", ["x"], facts=facts))
    assert book.sheet_names == ["Launches", "About this file"]
    assert book.get_sheet_by_index(1).to_python() == [list(fact) for fact in facts]


def test_moments_before_the_calendar_of_spreadsheets_are_texts() -> None:
    rows = rows_of("xlsx", written("xlsx", [datetime(1850, 1, 1, tzinfo=UTC), date(1850, 1, 2)], headings=("A", "B")))
    assert rows[0][0].startswith("1850-01-01 ")
    assert rows[0][1] == "1850-01-02"


def test_only_files_for_spreadsheets_begin_with_a_byte_order_mark() -> None:
    assert {key for key in TABLES if written(key, ["x"]).startswith(b"\xef\xbb\xbf")} == {"csv", "semicolon"}


def test_rows_beyond_the_last_one_of_a_sheet_are_on_a_further_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_formats, "_SHEET_ROWS", 3)
    book = book_of(written("xlsx", *[[f"row {number}"] for number in range(5)]))
    found = [row for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python()[1:]]
    assert found == [[f"row {number}"] for number in range(5)]
    assert book.sheet_names == ["Launches", "Launches 2", "Launches 3"]


def test_json_has_numbers_and_moments_with_their_zone() -> None:
    with file_formats.writer("json", "") as file:
        content = file.head(()) + file.body([{"a": 1.5, "b": MOMENT}]) + file.body([]) + b"".join(file.tail())
    assert json.loads(content) == [{"a": 1.5, "b": "2026-12-01T10:04:05.678+07:00"}]


def test_the_format_that_was_chosen_last_comes_first_and_the_separator_follows_the_language() -> None:
    with translation.override("en"):
        assert [each.key for each in file_formats.ordered("")] == ["xlsx", "csv", "semicolon", "data", "json"]
        assert file_formats.ordered("data")[0].key == "data"
    with translation.override("vi"):
        assert [each.key for each in file_formats.ordered("")][:3] == ["xlsx", "semicolon", "csv"]


def test_a_workbook_that_is_given_up_leaves_no_file_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(KeyError), file_formats.writer("xlsx", "x") as file:
        file.head(("A",))
        file.body([["x"]])
        assert list(tmp_path.iterdir())
        raise KeyError
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("key", TABLES)
def test_memory_does_not_grow_with_the_number_of_rows(key: str) -> None:
    row: list[Cell] = ["A flow", "Failed", "0901234567", 12.5, MOMENT, "x" * 60]

    def peak(rows: int) -> int:
        with file_formats.writer(key, "x") as file:
            file.head(("A",) * len(row))
            tracemalloc.start()
            for _batch in range(rows // 100):
                file.body([row] * 100)
            for _part in file.tail():
                pass
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return most

    peak(1000)
    begin = time.monotonic()
    small, large = peak(2_000), peak(20_000)
    assert large < small + 2_000_000, time.monotonic() - begin

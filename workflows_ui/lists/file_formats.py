"""Formats of files that hold a table: how the values of cells are written for a spreadsheet, or for another program.

A cell is None, a text, a number, a moment, a day, or true or false. A text stays a text: a phone number keeps its leading zero, an order
number all its digits, and none becomes a formula.
"""

import csv
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import Self

import xlsxwriter
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import formats, timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _, gettext_lazy

from workflows_ui.core.formats import moment
from workflows_ui.core.text import Text

Cell = str | int | float | bool | date | datetime | None
#: A line of a file: a cell for each heading; in JSON, values by name.
Line = Sequence[Cell] | Mapping[str, object]
#: What a file tells about itself, as (name, value).
Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Format:
    """A format: its key in URLs and in jobs, its name, what it is for, and the ending and the content type of its files."""

    key: str
    label: Text
    hint: Text
    ending: str
    content_type: str


_CSV = ("csv", "text/csv; charset=utf-8")
#: By their keys, which are stored with jobs and in cookies.
FORMATS = {
    each.key: each
    for each in (
        Format(
            "xlsx",
            gettext_lazy("Excel workbook (XLSX)"),
            gettext_lazy("Opens in Excel, LibreOffice and Google Sheets in any language."),
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        Format(
            "csv", gettext_lazy("CSV with commas"), gettext_lazy("Opens in Excel in English. Decimal point: 1.5"), *_CSV
        ),
        Format(
            "semicolon",
            gettext_lazy("CSV with semicolons"),
            gettext_lazy("Opens in Excel in Vietnamese and most European languages. Decimal comma: 1,5"),
            *_CSV,
        ),
        Format(
            "data",
            gettext_lazy("CSV as data"),
            gettext_lazy("For other programs: commas, decimal point, times in ISO 8601"),
            *_CSV,
        ),
        Format("json", "JSON", gettext_lazy("For other programs"), "json", "application/json; charset=utf-8"),
    )
}
#: The format that a person's browser chose last.
COOKIE = "file_format"
_YEAR = 365 * 24 * 3600

#: Characters that start a formula in a spreadsheet cell; some spreadsheets accept the full-width characters too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: A spreadsheet of another region splits cells at the other separator and ignores quotes around it: there, a formula may also start in the
#: middle of a text. A dash and a blank start an item of a list in a text.
_FORMULA_AFTER_SEMICOLON = re.compile(r"(?<=[;\t\r\n])(?=[=+@＝＋＠]|[-－](?! ))")
_FORMULA_AFTER_ANY = re.compile(r"(?<=[,;\t\r\n])(?=[=+@＝＋＠]|[-－](?! ))")
#: A text that a spreadsheet would read as a number, a date or a time, and one of these that it would show unchanged.
_READ_AS_NUMBER = re.compile(r"[+-]?[\d.,]*\d[\d.,:/ -]*(?:[eE][+-]?\d+)?%?", re.ASCII)
_SHOWN_UNCHANGED = re.compile(r"0|[1-9]\d{0,10}", re.ASCII)
#: The longest text in a formula.
_LONGEST_QUOTED = 255
#: Spreadsheets only read the characters of all languages after a byte order mark.
BYTE_ORDER_MARK = "\ufeff"
#: Spreadsheets calculate with 15 digits: whole numbers below, and decimal numbers with no more characters, keep all of theirs.
_MOST_EXACT, _MOST_DIGITS = 10**15, 16
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)


def ordered(remembered: str) -> list[Format]:
    """All formats: the one chosen last first, and of those for spreadsheets that of the language first."""
    decimal_comma = formats.get_format("DECIMAL_SEPARATOR") == ","
    first = [key for key in (remembered, "xlsx", "semicolon" if decimal_comma else "csv") if key in FORMATS]
    return [FORMATS[key] for key in dict.fromkeys([*first, *FORMATS])]


@dataclass(frozen=True)
class Offer:
    """A file that a page offers: its format, its URL, for engine's objects that of the rows of this page, then `url` is for a POST, and
    whether the format was chosen last."""

    format: Format
    url: str
    page_url: str
    last: bool


def offers(request: HttpRequest, urls: Callable[[str], tuple[str, str]]) -> list[Offer]:
    """A file in each format; `urls` returns `url` and `page_url` for a key."""
    key = remembered(request)
    return [Offer(each, *urls(each.key), each.key == key) for each in ordered(key)]


def remembered(request: HttpRequest) -> str:
    """The key of the format that was chosen last in this browser; "" for none."""
    key = request.COOKIES.get(COOKIE, "")
    return key if key in FORMATS else ""


def remember(response: HttpResponseBase, key: str) -> None:
    response.set_cookie(COOKIE, key, max_age=_YEAR, samesite="Lax", secure=settings.HTTPS, httponly=True)


class FileWriter:
    """A file that is written from its beginning to its end, in parts, as a context manager.

    Attributes:
        size: bytes that were written so far; of a workbook, characters in its cells.
    """

    size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Remove what was needed while the file was written."""

    def head(self, headings: Sequence[str]) -> bytes:
        """What precedes the rows."""
        raise NotImplementedError

    def body(self, rows: Sequence[Line]) -> bytes:
        """The next rows."""
        raise NotImplementedError

    def tail(self) -> Iterator[bytes]:
        """The rest of the file."""
        raise NotImplementedError


def writer(key: str, title: str, facts: Facts = ()) -> FileWriter:
    """A new file; `key` is one of FORMATS. A workbook has `title` as the name of its sheet, and `facts` on a second one."""
    if key == "xlsx":
        return _Workbook(title, facts)
    return _Json() if key == "json" else _Csv(key)


class _Csv(FileWriter):
    def __init__(self, key: str) -> None:
        self._spreadsheet = key != "data"
        self._comma = key == "semicolon"
        self._formula = _FORMULA_AFTER_ANY if self._comma else _FORMULA_AFTER_SEMICOLON

    def head(self, headings: Sequence[str]) -> bytes:
        return self._encode((BYTE_ORDER_MARK if self._spreadsheet else "") + self._lines([headings]))

    def body(self, rows: Sequence[Line]) -> bytes:
        return self._encode(self._lines(rows))

    def tail(self) -> Iterator[bytes]:
        return iter(())

    def _lines(self, rows: Sequence[Line]) -> str:
        file = io.StringIO()
        delimiter = ";" if self._comma else ","
        csv.writer(file, delimiter=delimiter).writerows([self._cell(value) for value in row] for row in rows)
        return file.getvalue()

    def _cell(self, value: Cell) -> str:
        value = exact_value(value)
        if value is None:
            return ""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bool):
            return str(value).upper() if self._spreadsheet else str(value).lower()
        if isinstance(value, datetime):
            local = timezone.localtime(value)
            return f"{local:%Y-%m-%d %H:%M:%S}" if self._spreadsheet else local.isoformat(timespec="milliseconds")
        if isinstance(value, date):
            return value.isoformat()
        # A number may begin with a minus: it is not a formula.
        number = decimal_text(value)
        return number.replace(".", ",") if self._comma else number

    def _text(self, value: str) -> str:
        if _READ_AS_NUMBER.fullmatch(value):
            if not self._spreadsheet or _SHOWN_UNCHANGED.fullmatch(value):
                return value
            if len(value) <= _LONGEST_QUOTED:
                # A formula that spreadsheets read as this text, and the only one in a file: it holds nothing but digits and signs.
                return f'="{value}"'
        return escape_formulas(value, self._formula)

    def _encode(self, text: str) -> bytes:
        data = encode(text)
        self.size += len(data)
        return data


class _Json(FileWriter):
    _separator = "\n"

    def head(self, headings: Sequence[str]) -> bytes:
        return b"["

    def body(self, rows: Sequence[Line]) -> bytes:
        if not rows:
            return b""
        lines = ",\n".join(json.dumps(row, ensure_ascii=False, default=json_value) for row in rows)
        data = encode(self._separator + lines)
        self._separator = ",\n"
        self.size += len(data)
        return data

    def tail(self) -> Iterator[bytes]:
        yield b"\n]\n"


#: The last row that a sheet of a workbook can have is 1,048,576.
_SHEET_ROWS = 1_000_000
#: The longest text of a cell, and the longest name of a sheet.
_LONGEST_CELL, _LONGEST_NAME = 32_767, 31
#: Width of a column in characters.
_NARROW, _WIDE = 8, 60
_PART = 1024 * 1024
_FIRST_YEAR = 1900
#: Characters that XML cannot hold, besides those that XlsxWriter escapes, and those that names of sheets cannot.
_NOT_XML = re.compile("[\ufffe\uffff]")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


class _Workbook(FileWriter):
    """A workbook in a temporary folder: only its last row is in memory. The first byte can be read after the last row was written."""

    _sheet: xlsxwriter.worksheet.Worksheet

    def __init__(self, title: str, facts: Facts) -> None:
        self._title, self._facts = _sheet_name(title), facts
        self._headings: Sequence[str] = ()
        self._widths: list[int] = []
        self._row = self._sheets = 0

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="export-")
        self._path = Path(self._folder.name, "file.xlsx")
        options = {"constant_memory": True, "tmpdir": self._folder.name, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
        self._book = xlsxwriter.Workbook(str(self._path), options)
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._book.fileclosed:
            # Its files are closed with it only.
            self._book.close()
        self._folder.cleanup()

    def head(self, headings: Sequence[str]) -> bytes:
        self._headings = headings
        self._begin_sheet()
        return b""

    def body(self, rows: Sequence[Line]) -> bytes:
        for row in rows:
            if self._row >= _SHEET_ROWS:
                self._end_sheet()
                self._begin_sheet()
            for column, value in enumerate(row):
                self._write(column, value)
            self._row += 1
        return b""

    def tail(self) -> Iterator[bytes]:
        self._end_sheet()
        if self._facts:
            about = self._book.add_worksheet(_sheet_name(_("About this file")))
            about.set_column(0, 0, 24)
            about.set_column(1, 1, _WIDE)
            for number, (name, value) in enumerate(self._facts):
                about.write_string(number, 0, _cell_text(name), self._bold)
                about.write_string(number, 1, _cell_text(value))
        self._book.close()
        with self._path.open(mode="rb") as file:
            while part := file.read(_PART):
                yield part

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(
            self._title if self._sheets == 1 else f"{self._title[:24]} {self._sheets}"
        )
        self._widths = [min(_WIDE, max(_NARROW, len(heading) + 3)) for heading in self._headings]
        for column, heading in enumerate(self._headings):
            self._sheet.write_string(0, column, _cell_text(heading), self._bold)
        self._row = 1

    def _end_sheet(self) -> None:
        last = max(0, len(self._headings) - 1)
        self._sheet.freeze_panes(1, 0)
        self._sheet.autofilter(0, 0, self._row - 1, last)
        self._sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{self._row}"})
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, width)

    def _write(self, column: int, value: Cell) -> None:
        value, sheet, row = exact_value(value), self._sheet, self._row
        shown = 20
        if value is None or value == "":
            return
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value)
        elif isinstance(value, datetime):
            local = timezone.localtime(value).replace(tzinfo=None)
            if local.year < _FIRST_YEAR:
                sheet.write_string(row, column, f"{local:%Y-%m-%d %H:%M:%S}")
            else:
                sheet.write_datetime(row, column, local)
        elif isinstance(value, date):
            if value.year < _FIRST_YEAR:
                sheet.write_string(row, column, value.isoformat())
            else:
                sheet.write_datetime(row, column, value, self._day)
        elif isinstance(value, str):
            text = _cell_text(value)
            shown = len(text)
            # Never a formula, a link or a number, whatever it looks like.
            sheet.write_string(row, column, text)
        else:
            sheet.write_number(row, column, value)
        self.size += shown
        if column < len(self._widths):
            self._widths[column] = min(_WIDE, max(self._widths[column], shown + 1))


def exact_value(value: Cell) -> Cell:
    """The value, or its text if a spreadsheet cannot calculate with it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not isfinite(value):
        return str(value)
    return value if abs(value) < _MOST_EXACT or isinstance(value, float) else str(value)


def read_number(text: str) -> int | float | str:
    """The number that a text in the notation of the engine is, unless digits would be lost."""
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if "." not in text else float(text) if len(text) <= _MOST_DIGITS else text


def read_moment(text: str) -> datetime | date | str:
    """The day or the moment that a text in ISO 8601 is."""
    try:
        day = parse_date(text)
    except ValueError:
        return text
    return day or moment(text) or text


def decimal_text(number: float) -> str:
    """A number with a point and without an exponent."""
    if isinstance(number, int) or number.is_integer():
        return str(int(number))
    return format(Decimal(repr(number)), "f")


def json_value(value: object) -> str:
    """What a JSON file has for a value that JSON does not know."""
    return timezone.localtime(value).isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


def escape_formulas(text: str, within: re.Pattern[str] = _FORMULA_AFTER_SEMICOLON) -> str:
    """The text with an apostrophe wherever a spreadsheet would start a formula."""
    text = within.sub("'", text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def encode(text: str) -> bytes:
    """UTF-8 without lone surrogates, which the engine may send and no file can hold."""
    return text.encode("utf-8", "replace")


def _cell_text(text: str) -> str:
    text = _NOT_XML.sub("?", encode(text).decode())
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter would write it as XML.
        text += " "
    return _shortened(text, _LONGEST_CELL)


def _sheet_name(title: str) -> str:
    name = _shortened(_NOT_IN_NAMES.sub(" ", encode(title).decode()).strip(" '"), _LONGEST_NAME).strip(" '")
    # Excel keeps this name for itself.
    return name if name and name.casefold() != "history" else _("Rows")


def _shortened(text: str, most: int) -> str:
    """The text in as many units of UTF-16, in which spreadsheets count."""
    if len(text) * 2 <= most:
        return text
    units = text.encode("utf-16-le")
    return text if len(units) <= 2 * most else f"{units[: 2 * most - 2].decode('utf-16-le', 'ignore')}…"

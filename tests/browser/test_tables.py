"""Tables in a real browser: made, given columns and records, found, changed, exported, emptied and deleted, as a person would."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.looks import sound_in_every_look
from tests.browser.windows import Window
from tests.connection_scene import Scene
from tests.practice_engine.fixtures import Practice, practice

__all__ = ["practice"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/w/sales/tables/"


def orders(scene: Scene) -> str:
    """The address of the sample company's table of orders."""
    tables = scene.practice.engine.state.tables
    return f"{LIST}{next(key for key, row in tables.items() if row['name'] == 'Đơn hàng')}/"


@pytest.mark.slow
def test_a_table_with_every_kind_of_column_is_sound_in_every_look(window: Window, practice: Practice) -> None:
    practice.engine.settings.version = "0.83.0"
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner)
    here = orders(scene)
    key = here.removeprefix(LIST).rstrip("/")
    record = next(one for one, row in practice.engine.state.records.items() if row["tableId"] == key)
    for address in (here, f"{here}records/", f"{here}records/{record}/", f"{here}records/{record}/do/edit/"):
        page.goto(address)
        sound_in_every_look(page)
    page.goto(f"{here}records/")
    tick(page, 2)
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", name="Delete records")).to_be_visible()
    sound_in_every_look(page)


def tick(page: Page, rows: int) -> None:
    for number in range(rows):
        page.locator("[data-tick]").nth(number).check()


def add(page: Page, name: str, kind: str, options: str = "") -> None:
    page.locator("main .card-footer").get_by_role("link", name="Add a column").click()
    expect(page.locator("h1")).to_contain_text("Add a column")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Type").select_option(label=kind)
    if options:
        page.get_by_label("Choices").fill(options)
    page.get_by_role("button", name="Add a column").click()
    expect(page.get_by_text("The column is added.")).to_be_visible()


def record(page: Page, **values: str) -> None:
    page.get_by_role("link", name="Add a record").first.click()
    expect(page.locator("h1")).to_contain_text("Add a record")
    for label, value in values.items():
        field = page.get_by_label(label, exact=True)
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    page.get_by_role("button", name="Add a record").click()
    expect(page.get_by_text("The record is added.")).to_be_visible()


def action(page: Page, name: str) -> None:
    """An action of the object on the page, from its menu."""
    page.locator("#page-actions summary").click()
    page.get_by_role("link", name=name, exact=True).locator("visible=true").first.click()
    expect(page.locator("h1")).to_contain_text(name)


def test_a_table_is_made_filled_found_changed_emptied_and_deleted(window: Window, practice: Practice) -> None:
    scene = Scene(practice, "imbrace")
    page = window(scene.users.owner, expected=("status of 422",))
    page.goto(LIST)
    page.get_by_role("link", name="New table").first.click()
    expect(page.locator("h1")).to_contain_text("New table")
    page.get_by_label("Name").fill("Returns")
    page.get_by_role("button", name="Create the table").click()
    expect(page.get_by_role("heading", name="Returns")).to_be_visible()
    add(page, "Order", "Text")
    add(page, "Amount", "Number")
    add(page, "State", "Choice from a list", "new\npaid")
    page.get_by_role("link", name="Records").first.click()
    # An invalid number is reported, and the typed text stays.
    page.get_by_role("link", name="Add a record").first.click()
    expect(page.locator("h1")).to_contain_text("Add a record")
    page.get_by_label("Order", exact=True).fill("R-1")
    page.get_by_label("Amount", exact=True).fill("a lot")
    page.get_by_role("button", name="Add a record").click()
    expect(page.get_by_text("This is not a number.")).to_be_visible()
    expect(page.get_by_label("Order", exact=True)).to_have_value("R-1")
    page.get_by_label("Amount", exact=True).fill("120")
    page.get_by_role("button", name="Add a record").click()
    expect(page.get_by_text("The record is added.")).to_be_visible()
    record(page, Order="R-2", Amount="80", State="new")
    record(page, Order="R-3", Amount="300", State="paid")
    # Found by what the engine compares.
    page.get_by_label("Condition 1: column").select_option(label="Amount")
    page.get_by_label("Condition 1: comparison").select_option(label="is more than")
    page.get_by_label("Condition 1", exact=True).fill("100")
    page.get_by_label("Condition 1", exact=True).press("Enter")
    expect(page.get_by_text("2 records fit.")).to_be_visible()
    expect(page.get_by_role("link", name="R-2")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_text("Export", exact=True).click()
        page.get_by_role("link", name="CSV with commas").click()
    assert download.value.path().read_text(encoding="utf-8-sig").splitlines() == [
        "Order,Amount,State",
        "R-3,300,paid",
        "R-1,120,",
    ]
    # Changed and deleted, one and several.
    page.get_by_role("link", name="R-3").click()
    expect(page.locator("h1")).to_contain_text("R-3")
    action(page, "Change")
    page.get_by_label("Amount", exact=True).fill("310")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The record is changed.")).to_be_visible()
    page.goto(page.url.split("/records/")[0] + "/records/")
    tick(page, 2)
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_text("2 records are deleted with all their values.")).to_be_visible()
    expect(page.get_by_role("link", name="Leave everything as it is")).to_be_focused()
    page.get_by_role("button", name="Delete 2 records").click()
    expect(page.get_by_text("2 records are deleted.", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="R-1")).to_be_visible()
    page.locator(".page-actions").get_by_role("link", name="Table", exact=True).click()
    action(page, "Rename")
    page.get_by_label("Name").fill("Returns of 2026")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", name="Returns of 2026")).to_be_visible()
    action(page, "Delete all records")
    expect(page.get_by_text("1 record is deleted.")).to_be_visible()
    page.get_by_role("button", name="Delete all records of").click()
    expect(page.get_by_text("All records of the table are deleted.")).to_be_visible()
    action(page, "Delete")
    expect(page.get_by_text("No flow uses it. It has no records. So are 3 columns.")).to_be_visible()
    page.get_by_role("button", name="Delete the table").click()
    expect(page.get_by_text("The table is deleted.")).to_be_visible()
    assert "Returns of 2026" not in {row["name"] for row in practice.engine.state.tables.values()}


@pytest.mark.parametrize("version", [pytest.param("0.72.4", marks=pytest.mark.slow), "0.83.0"])
def test_several_records_are_deleted_without_javascript(window: Window, practice: Practice, version: str) -> None:
    practice.engine.settings.version = version
    scene = Scene(practice, "activepieces")
    page = window(scene.users.owner, java_script_enabled=False)
    here = orders(scene)
    key = here.removeprefix(LIST).rstrip("/")
    page.goto(f"{here}records/")
    tick(page, 3)
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete 3 records").click()
    expect(page.get_by_text("3 records are deleted.", exact=True)).to_be_visible()
    page.get_by_label("Condition 1: column").select_option(label="Khách")
    page.get_by_label("Condition 1: comparison").select_option(label="is empty")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("0 records fit.")).to_be_visible()
    page.locator(".page-actions").get_by_role("link", name="Table", exact=True).click()
    page.get_by_role("link", name="Also show what takes longer to load").click()
    most = {"0.72.4": "1,500", "0.83.0": "10,000"}[version]
    expect(page.get_by_text(f"39 of the {most} records that the engine allows in a table.")).to_be_visible()
    assert sum(row["tableId"] == key for row in practice.engine.state.records.values()) == 39

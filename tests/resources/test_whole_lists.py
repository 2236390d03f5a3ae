"""Lists of small things lose no row between their pages, although all were made in the same second, and say how many there are."""

import re

import pytest
from django.test import Client

from tests.practice_engine.fixtures import Practice, practice as practice
from tests.stage import Stage, stage as stage
from tests.stub_engine import text
from tests.users import gather, workspace
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.resource import Query


def made(stage: Stage, resource: str) -> set[str]:
    engine = stage.session.workflows
    if resource == "mcp-servers":
        stage.practice.engine.settings.version = "0.72.4"  # since 0.83 there is one only
    make = {
        "folders": engine.create_folder,
        "tables": engine.create_table,
        "mcp-servers": lambda name: engine.create_mcp_server({"name": name}),
    }
    return {str(make[resource](f"Made {number}")["id"]) for number in range(45)}


@pytest.mark.slow
@pytest.mark.parametrize("resource", ["folders", "tables", "mcp-servers"])
def test_what_was_made_in_one_second_is_on_some_page_and_counted(stage: Stage, resource: str) -> None:
    expected, seen, url = made(stage, resource), set[str](), f"/w/sales/{resource}/?rows=20"
    first = stage.browser.get(url)
    while url:
        page = stage.browser.get(url)
        seen |= {line["id"] for line in page.context["lines"]}
        url = page.context["pages"].older_url
    assert expected <= seen
    assert f"Select all {len(seen)}" in text(first.content)
    assert first.context["pages"].text == f"1–20 of {len(seen)}"
    _number, last = first.context["pages"].links[-1]
    assert expected <= seen
    assert stage.browser.get(last).context["pages"].older_url == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("resource", "typed", "name"),
    [
        ("flows", "DON HANG", "Tiếp nhận đơn hàng"),
        ("tables", "khach", "Khách hàng"),
        ("connections", "ho tro", "Gmail hỗ trợ"),
    ],
)
def test_a_name_is_found_without_its_accents_though_the_engine_compares_them(
    practice: Practice, client: Client, resource: str, typed: str, name: str
) -> None:
    space = workspace("sales", address=practice.activepieces, project=practice.credentials.project_id)
    client.force_login(gather(space, practice.credentials.bearer_token).owner)
    found = client.get(f"/w/sales/{resource}/", {"name": typed})
    assert len(found.context["lines"]) == 1
    assert name in text(found.content)
    assert client.get(f"/w/sales/{resource}/", {"name": "nothing like it"}).context["lines"] == []


def test_what_comes_and_goes_between_two_pages_hides_no_row() -> None:
    rows = [{"id": f"r{number}"} for number in range(6)]
    older = whole_lists.page(rows, Query({}, 2)).older
    came = [{"id": "new"}, *rows]
    assert whole_lists.page(came, Query({}, 2, older)).rows == rows[2:4]
    assert whole_lists.page(rows[1:], Query({}, 2, older)).rows == rows[2:4]
    gone = [row for row in rows if row["id"] != "r1"]
    assert rows[2] in whole_lists.page(gone, Query({}, 2, older)).rows


def test_a_second_thousand_is_reached_by_the_engines_cursor_and_nothing_is_counted() -> None:
    rows = [{"id": f"r{number}"} for number in range(3)]
    first = whole_lists.page(rows, Query({}, 2), beyond="abc")
    last = whole_lists.page(rows, Query({}, 2, first.older), beyond="abc")
    assert (whole_lists.cursor(Query({}, 2, first.older)), first.total) == (None, None)
    assert whole_lists.cursor(Query({}, 2, last.older)) == "abc"
    assert re.search("a thousand at a time", str(last.note))

"""Walking a list to its end: each object once, whatever the engine's pages repeat, leave out or lead back to."""

from typing import Any, cast

import pytest

from workflows_ui.kit import walking
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Page, Query, Resource
from workflows_ui.resources import BY_NAME

NOBODY = cast("Caller", None)


class Shelf(Resource):
    """Gives the pages that a test puts there, by position."""

    def __init__(self, pages: dict[str, Page]) -> None:
        self.pages, self.asked = pages, list[Query]()

    def list(self, caller: Caller, query: Query) -> Page:
        """The page at a position."""
        self.asked.append(query)
        return self.pages[query.position]


def rows(*ids: str) -> list[dict[str, Any]]:
    return [{"id": key} for key in ids]


def walked(shelf: Shelf, **more: Any) -> list[list[str]]:
    return [[str(row.get("id")) for row in found.rows] for found in walking.walk(shelf, NOBODY, {}, **more)]


def test_each_object_is_given_once() -> None:
    shelf = Shelf({"": Page(rows("a", "b", "b"), "2"), "2": Page(rows("b", "c"), "")})
    assert walked(shelf) == [["a", "b"], ["c"]]


def test_what_has_no_id_is_left_out_unless_it_is_wanted() -> None:
    pages = {"": Page([{"id": "a"}, {"id": " "}, {}, {"id": 7}], "")}
    assert walked(Shelf(pages)) == [["a"]]
    assert len(walked(Shelf(pages), nameless=True)[0]) == 4


def test_a_walk_goes_on_where_it_was_cut_off() -> None:
    shelf = Shelf({"2": Page(rows("b", "c"), "")})
    assert walked(shelf, position="2", known=["a", "b"]) == [["c"]]


def test_the_limit_is_said() -> None:
    pages = {"": Page(rows("a", "b"), "2"), "2": Page(rows("c", "d"), "3"), "3": Page(rows("e"), "")}
    found = list(walking.walk(Shelf(pages), NOBODY, {}, limit=3))
    assert [row["id"] for stretch in found for row in stretch.rows] == ["a", "b", "c"]
    assert (found[-1].cut, found[-1].position) == (True, "")
    whole = list(walking.walk(Shelf(pages), NOBODY, {}, limit=5))
    assert not whole[-1].cut


def test_an_engine_that_leads_in_a_circle_is_left() -> None:
    shelf = Shelf({"": Page(rows("a"), "2"), "2": Page(rows("b"), "2")})
    found = list(walking.walk(shelf, NOBODY, {}))
    assert len(shelf.asked) == 2
    assert found[-1].cut


def test_filters_come_from_the_query_string() -> None:
    assert walking.filters_of(BY_NAME["flows"], "status=ENABLED&name=x&other=1") == {"status": "ENABLED", "name": "x"}
    with pytest.raises(walking.BadFilters):
        walking.filters_of(BY_NAME["flows"], "status=NO_SUCH_STATE")

"""Walking a list to its end: each object once, whatever the engine's pages repeat, leave out or lead back to."""

import typing
from typing import Any

import pytest

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.jobs.services.turns import EndsEarly
from workflows_ui.resource_admin import pagination
from workflows_ui.resource_admin.resource import Page, Query, Resource
from workflows_ui.resources import BY_NAME

NOBODY = typing.cast("EngineSession", None)


class StubEngine(Resource):
    """Gives the pages that a test puts there, by position."""

    def __init__(self, pages: dict[str, Page]) -> None:
        self.pages, self.asked = pages, list[Query]()

    def list(self, session: EngineSession, query: Query) -> Page:
        """The page at a position."""
        self.asked.append(query)
        return self.pages[query.position]


def rows(*ids: str) -> list[dict[str, Any]]:
    return [{"id": key} for key in ids]


def walked(stub_engine: StubEngine, **more: Any) -> list[list[str]]:
    return [[str(row.get("id")) for row in found.rows] for found in pagination.walk(stub_engine, NOBODY, {}, **more)]


def test_each_object_is_given_once() -> None:
    stub_engine = StubEngine({"": Page(rows("a", "b", "b"), "2"), "2": Page(rows("b", "c"), "")})
    assert walked(stub_engine) == [["a", "b"], ["c"]]


def test_what_has_no_id_is_left_out_unless_it_is_wanted() -> None:
    pages = {"": Page([{"id": "a"}, {"id": " "}, {}, {"id": 7}], "")}
    assert walked(StubEngine(pages)) == [["a"]]
    assert len(walked(StubEngine(pages), nameless=True)[0]) == 4


def test_a_walk_goes_on_where_it_was_cut_off() -> None:
    stub_engine = StubEngine({"2": Page(rows("b", "c"), "")})
    assert walked(stub_engine, position="2", known=["a", "b"]) == [["c"]]


def test_the_limit_is_said() -> None:
    pages = {"": Page(rows("a", "b"), "2"), "2": Page(rows("c", "d"), "3"), "3": Page(rows("e"), "")}
    found = list(pagination.walk(StubEngine(pages), NOBODY, {}, limit=3))
    assert [row["id"] for stretch in found for row in stretch.rows] == ["a", "b", "c"]
    assert (found[-1].cut, found[-1].position) == (True, "")
    whole = list(pagination.walk(StubEngine(pages), NOBODY, {}, limit=5))
    assert not whole[-1].cut


def test_an_engine_that_leads_in_a_circle_is_left() -> None:
    stub_engine = StubEngine({"": Page(rows("a"), "2"), "2": Page(rows("b"), "2")})
    found = list(pagination.walk(stub_engine, NOBODY, {}))
    assert len(stub_engine.asked) == 2
    assert found[-1].cut


def test_filters_come_from_the_query_string() -> None:
    assert pagination.query_of(BY_NAME["flows"], "status=ENABLED&name=x&other=1").filters == {
        "status": "ENABLED",
        "name": "x",
    }
    with pytest.raises(EndsEarly):
        pagination.query_of(BY_NAME["flows"], "status=NO_SUCH_STATE")

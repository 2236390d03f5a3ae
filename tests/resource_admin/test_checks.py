"""Wrong declarations fail at start-up."""

from typing import Any

import pytest

from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.resource_admin import checks as resource_checks
from workflows_ui.resource_admin.resource import Action, Column, Page, Panel, Query, Resource, Row, Shortcut
from workflows_ui.resources import RESOURCES


class Good(Resource):
    """A declaration with nothing wrong."""

    name, label, label_plural, icon, group = "things", "Thing", "Things", "box", "build"
    empty = "No things"
    list_display = (Column("name", "Name", link=True),)

    def list(self, session: EngineSession, query: Query) -> Page:
        """Nothing."""
        return Page(())

    def get(self, session: EngineSession, id: str) -> Row:
        """Nothing."""
        return {}


def _numbers(**changes: Any) -> list[str]:
    resource = type("Changed", (Good,), changes)()
    return [str(problem.id) for problem in resource_checks.check_resources([resource])]


def test_a_good_declaration_passes() -> None:
    assert _numbers() == []


def test_the_consoles_own_declarations_pass() -> None:
    assert resource_checks.check_resources(RESOURCES) == []


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"name": "Bad Name"}, "console.E003"),
        ({"group": "nowhere"}, "console.E004"),
        ({"rows": 7}, "console.E005"),
        ({"list_display": (Column("name", "Name"),)}, "console.E006"),
        ({"list_display": ()}, "console.E006"),
        ({"panels": (Panel("P", "no/such.html", lambda _subject: None),)}, "console.E007"),
        ({"details": (Column("x", "X", kind="odd"),)}, "console.E008"),
        ({"list": Resource.list}, "console.E009"),
        ({"icon": "rokcet"}, "console.E019"),
        ({"shortcuts": (Shortcut("S", "rokcet", lambda _slug, _row: ""),)}, "console.E019"),
        ({"actions": (Action("act", "Act", "rokcet", lambda *_: None),)}, "console.E019"),
        ({"index_filters": {}}, "console.E031"),
        ({"name": "tables", "index_filters": {"nothing": "state"}}, "console.E032"),
    ],
)
def test_each_mistake_has_its_number(changes: dict[str, Any], number: str) -> None:
    assert _numbers(**changes) == [number]


def test_icons_outside_of_resources_are_checked_too_and_near_names_are_suggested() -> None:
    (problem,) = resource_checks.check_icons([("The menu's Launches", "rokcet"), ("The menu's Members", "users")])
    assert problem.id == "console.E019"
    assert "web/icons.txt has no icon 'rokcet'" in problem.msg
    assert "rocket" in str(problem.hint)
    declared = {name for _place, name in resource_checks.declared_icons()}
    menu, credentials, job, run, flow, outcome, field = (
        "contact", "key-round", "circle-stop", "timer-off", "circle-minus", "unplug", "paperclip",
    )  # fmt: skip
    assert declared >= {menu, credentials, job, run, flow, outcome, field}


def test_two_resources_of_one_name_are_refused() -> None:
    assert [problem.id for problem in resource_checks.check_resources([Good(), Good()])] == ["console.E001"]


def test_what_is_missing_is_named() -> None:
    class Empty(Resource):
        name = "empty"

    (problem,) = resource_checks.check_resources([Empty()])
    assert problem.id == "console.E002"
    assert "list_display" in str(problem.msg)

"""The state of a list is all in its address."""

from typing import Any

import pytest
from django import forms
from django.http import QueryDict

from workflows_ui.lists import export
from workflows_ui.lists.declaration import List
from workflows_ui.lists.listing import Listing, offer
from workflows_ui.resource_admin.resource import RESOURCES


class Filters(forms.Form):
    """Two filters, one of several values."""

    name = forms.CharField(label="Name", required=False)
    state = forms.MultipleChoiceField(label="State", required=False, choices=[("ON", "On"), ("OFF", "Off")])
    day = forms.DateField(label="Day", required=False)
    place = forms.CharField(label="Place", required=False, widget=forms.Select())


class Things(List):
    """A list with those filters."""

    name = "things"
    filters = Filters


def listing(query: str) -> Listing:
    return Listing(Things(), "/things/", QueryDict(query))


def test_filters_that_are_empty_filter_nothing() -> None:
    found = listing("name=&state=&rows=50")
    assert found.query.filters == {}
    assert found.query.rows == 50
    assert not found.filtered


@pytest.mark.parametrize("rows", ["", "7", "1000000", "-20", "x", "²"])
def test_a_number_of_rows_that_is_not_offered_is_the_usual_one(rows: str) -> None:
    assert listing(f"rows={rows}").rows == Things.rows


def test_each_value_has_a_chip_that_takes_only_it_away() -> None:
    found = listing("name=a%26b&state=ON&state=OFF&at=p1&rows=50")
    assert [(str(chip.label), chip.value, chip.url) for chip in found.chips()] == [
        ("Name", "a&b", "/things/?state=ON&state=OFF&rows=50"),
        ("State", "On", "/things/?name=a%26b&state=OFF&rows=50"),
        ("State", "Off", "/things/?name=a%26b&state=ON&rows=50"),
    ]


def test_a_day_is_explained() -> None:
    assert listing("day=2026-11-24").chips()[0].value == "24 Nov 2026"


def test_older_and_newer_follow_the_trail() -> None:
    first = listing("name=a")
    assert (first.newer_url, first.query.position) == ("", "")
    second = listing(first.older_url("p1").partition("?")[2])
    third = listing(second.older_url("p2").partition("?")[2])
    assert third.query.position == "p2"
    assert third.newer_url == first.older_url("p1")
    assert second.newer_url == third.first_url == "/things/?name=a"
    assert third.older_url("") == ""


def test_a_trail_without_end_keeps_its_newest_part() -> None:
    found = listing("&".join(f"at=p{number}" for number in range(100)))
    assert found.older_url("last").count("at=") == 40
    assert found.older_url("last").endswith("at=last")


def test_parameters_that_are_not_ours_are_dropped() -> None:
    assert listing("name=a&evil=1").first_url == "/things/?name=a"


def test_filters_that_make_no_sense_are_not_used() -> None:
    found = listing("day=tomorrow")
    assert not found.valid
    assert found.chips() == []


@pytest.mark.parametrize(("asked", "offered"), [("", ["", "a"]), ("a", ["", "a"]), ("gone", ["", "a", "gone"])])
def test_a_value_that_the_engine_no_longer_knows_stays_choosable(asked: str, offered: list[str]) -> None:
    found = listing(f"place={asked}")
    offer(found.form, {"place": [("a", "A")]})
    widget: Any = found.form.fields["place"].widget
    assert [value for value, _label in widget.choices] == offered


def test_a_file_has_durations_as_numbers_of_seconds() -> None:
    runs = RESOURCES["runs"]
    row = {"startTime": "2026-03-01T08:31:00.000Z", "finishTime": "2026-03-01T09:32:30.500Z", "status": "SUCCEEDED"}
    cells = dict(zip(export.headings(runs), export.cells(runs, row), strict=True))
    assert cells["Duration (seconds)"] == 3690.5

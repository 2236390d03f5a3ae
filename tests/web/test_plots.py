"""Plots keep within their axes, whatever the numbers, and show small numbers beside large ones."""

import pytest
from django.utils import translation

from workflows_ui.web import plots

SERIES = [plots.Series("good", "Good", "succeeded"), plots.Series("bad", "Bad", "failed")]
BOTTOM = plots.CAPTION + plots.HEIGHT


def _bars(*counts: tuple[int, int]) -> list[plots.Bar]:
    return [
        plots.Bar(f"Day {n}", f"{n}", f"Day {n}", {"good": good, "bad": bad}) for n, (good, bad) in enumerate(counts)
    ]


@pytest.mark.parametrize("most", [1, 2, 4, 5, 9, 10, 99, 100, 101, 4_321, 1_000_000])
def test_an_axis_of_counts_has_few_round_steps_and_holds_the_largest(most: int) -> None:
    plot = plots.stacked_bars(SERIES, _bars((most, 0), (0, 0)))
    assert plot is not None
    labels = [int(label.replace(",", "")) for _y, label in plot.levels]
    assert labels[0] == 0
    assert labels[-1] >= most
    assert 2 <= len(labels) <= 5
    assert all(label.strip("0") in ("", "1", "2", "5") for label in [str(labels[1])])
    assert [float(y) for y, _label in plot.levels][-1] == plots.CAPTION


def test_a_small_number_on_a_large_one_is_visible_and_the_bar_stays_within_the_plot() -> None:
    plot = plots.stacked_bars(SERIES, _bars((100_000, 1), (1, 0), (0, 0)))
    assert plot is not None
    good, bad = plot.columns[0].sections
    assert float(bad.height) >= 3
    assert float(good.y) + float(good.height) == pytest.approx(BOTTOM)
    assert float(bad.y) + float(bad.height) == pytest.approx(float(good.y))
    assert float(bad.y) >= plots.CAPTION
    assert len(plot.columns[1].sections) == 1
    assert plot.columns[2].sections == []
    assert [number for number, _url in plot.columns[0].cells] == ["100,000", "1"]


def test_nothing_is_drawn_of_nothing() -> None:
    assert plots.stacked_bars(SERIES, _bars((0, 0))) is None
    assert plots.stacked_bars(SERIES, []) is None
    assert plots.dots([], []) is None
    assert plots.spark([(0, 0)], "", "") is None


@pytest.mark.parametrize("value", [0, 0.4, 3, 950, 1_000, 61_000, 7_200_000, 9e9])
def test_an_axis_of_durations_holds_the_longest(value: float) -> None:
    plot = plots.dots([plots.Dot(value, "a", "a", "/a"), plots.Dot(1, "b", "b", "/b")], [("Median", value)])
    assert plot is not None
    assert 2 <= len(plot.levels) <= 6
    for mark in plot.marks:
        assert plots.CAPTION <= float(mark.y) <= BOTTOM


def test_sizes_are_written_for_svg_and_counts_for_people() -> None:
    with translation.override("vi"):
        plot = plots.stacked_bars(SERIES, _bars((120_000, 0), (1_234, 0), (7, 0)))
        assert plot is not None
        assert plot.columns[0].cells[0][0] == "120.000"
        assert not any("," in column.x + column.width + column.sections[0].y for column in plot.columns)


def test_a_small_plot_draws_what_went_wrong_above_the_rest() -> None:
    spark = plots.spark([(9, 0), (0, 0), (8, 1)], "18 launches", "/launches/")
    assert spark is not None
    assert spark.good.count("M") == 2
    assert spark.bad == "M12 0h4v2h-4z"
    assert str(spark) == "18 launches"


def test_a_heat_map_has_a_level_for_every_hour_and_the_smallest_number_is_seen() -> None:
    counts = [[0] * 24 for _day in range(7)]
    counts[1][9], counts[6][23] = 1000, 1
    plot = plots.heat_map(counts)
    assert plot is not None
    assert (plot.busiest, plot.most) == ("Tuesday, 09:00–10:00", 1000)
    levels = [[cell.level for cell in cells] for _label, _short, cells in plot.rows]
    assert (levels[1][9], levels[6][23], levels[0][0]) == (5, 1, 0)
    assert plot.rows[6][2][23].caption == "Sunday, 23:00–24:00: 1"
    assert plots.heat_map([[0] * 24] * 7) is None


def test_only_bars_with_a_short_label_show_one_and_these_have_equal_distances() -> None:
    bars = [plots.Bar(f"Hour {n}", "" if n % 24 else f"Day {n // 24}", "", {"good": 1}) for n in range(170)]
    plot = plots.stacked_bars(SERIES, bars)
    assert plot
    assert [column.short for column in plot.columns if column.short] == ["Day 1", "Day 3", "Day 5", "Day 7"]

"""The health of triggers: the engine's own figures by app and day (api.md section 12). They count the whole platform, not one project."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from workflows_ui.core.collation import sort_key
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound
from workflows_ui.resource_admin.resource import Column, Facts, Page, Panel, Query, Resource, Row, Text, id_at
from workflows_ui.resources import usage, whole_lists
from workflows_ui.resources.pieces import apps
from workflows_ui.resources.pieces.apps import mark_column, mark_of
from workflows_ui.resources.places import piece_url
from workflows_ui.web import formats
from workflows_ui.web.paths import dict_at

SPAN: Text = _(
    "These figures span the whole platform: every project and organization on this engine, not only this workspace. They count whether a "
    "trigger did its work, not how the run after it ended. The engine keeps 14 days, each from midnight to midnight UTC."
)
#: Failures within this many days count as current.
_LATELY = 1
_WORKS = Badge(_("Works"), "circle-check", "green")
_FAILS = Badge(_("Fails"), "circle-x", "red")
_AT_TIMES = Badge(_("Fails at times"), "triangle-alert", "orange")
_FAILED = Badge(_("Failed before"), "history", "orange")
_QUIET = Badge(_("Nothing counted"), "circle-minus", "secondary")


#: Days that the engine keeps, and that a plot may show if the engine's clock differs.
KEPT, _MOST = 14, 31
#: The plot's own units: width of a day and of a bar, height of the busiest day, minimum height of a bar.
_WIDE, _BAR, _TALL, _LEAST = 10, 7, 100, 3


@dataclass(frozen=True)
class Day:
    """One day of the engine's calendar (UTC), the `number`th of the plot. `good` and `bad` are drawn as bars, unless they are zero.

    Sizes are whole numbers: others are formatted differently from language to language.
    """

    number: int
    date: datetime.date
    good: int
    bad: int
    good_height: int
    bad_height: int

    @property
    def x(self) -> int:
        return self.number * _WIDE

    @property
    def bar_x(self) -> int:
        return self.x + (_WIDE - _BAR) // 2

    @property
    def good_y(self) -> int:
        return _TALL - self.good_height

    @property
    def bad_y(self) -> int:
        return self.good_y - self.bad_height

    @property
    def label(self) -> str:
        """The day, localized."""
        return formats.date(self.date)

    @property
    def words(self) -> str:
        """The day in one line."""
        return f"{self.label}: {_worked_text(self.good)}, {_failed_text(self.bad)}"


@dataclass(frozen=True)
class Plot:
    """Days in their order, and their totals. `width` is the drawing's, whose height is always 100."""

    days: Sequence[Day]
    good: int
    bad: int
    most: int

    def __str__(self) -> str:
        return self.words

    @property
    def width(self) -> int:
        """In the plot's own units."""
        return len(self.days) * _WIDE

    @property
    def words(self) -> str:
        """The plot in one sentence, for screen readers."""
        if not self.days:
            return str(_("Nothing was counted."))
        span = _("%(first)s to %(last)s") % {"first": self.days[0].label, "last": self.days[-1].label}
        return f"{span}: {_worked_text(self.good)}, {_failed_text(self.bad)}"

    @property
    def last_bad(self) -> datetime.date | None:
        """The last day with a failure."""
        return next((day.date for day in reversed(self.days) if day.bad), None)


def plot_of(stats: object) -> Plot:
    """The plot of one piece's `dailyStats`. Accepts malformed data: invalid days are left out, invalid counts are zero."""
    counted = _counts_by_day(stats)
    today = timezone.now().astimezone(datetime.UTC).date()
    last = max([today, *counted])
    first = max(min([today - datetime.timedelta(days=KEPT - 1), *counted]), last - datetime.timedelta(days=_MOST - 1))
    dates = [first + datetime.timedelta(days=number) for number in range((last - first).days + 1)]
    pairs = [(date, *counted.get(date, (0, 0))) for date in dates]
    most = max(good + bad for _date, good, bad in pairs)
    days = tuple(_day(number, date, good, bad, most) for number, (date, good, bad) in enumerate(pairs))
    return Plot(days, sum(day.good for day in days), sum(day.bad for day in days), most)


def _counts_by_day(stats: object) -> dict[datetime.date, tuple[int, int]]:
    result = {}
    near = timezone.now().astimezone(datetime.UTC).date()
    for text, figures in stats.items() if isinstance(stats, Mapping) else ():
        moment = formats.moment(text)
        # A day months away is a mistake, and would stretch the plot.
        if moment is not None and isinstance(figures, Mapping) and abs((moment.date() - near).days) < _MOST:
            result[moment.date()] = (_count(figures.get("success")), _count(figures.get("failure")))
    return result


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _day(number: int, date: datetime.date, good: int, bad: int, most: int) -> Day:
    bad_height = min(_bar_height(bad, most), _TALL - _LEAST if good else _TALL)
    return Day(number, date, good, bad, min(_bar_height(good, most), _TALL - bad_height), bad_height)


def _bar_height(count: int, most: int) -> int:
    return max(_LEAST, _TALL * count // most) if count else 0


def _worked_text(count: int) -> str:
    return ngettext("%(n)d worked", "%(n)d worked", count) % {"n": count}


def _failed_text(count: int) -> str:
    return ngettext("%(n)d failed", "%(n)d failed", count) % {"n": count}


class TriggerFilters(forms.Form):
    """Filters of the board; applied here, since the engine gives all of it at once."""

    search = forms.CharField(
        label=_("Search"), required=False, max_length=200, help_text=_("Looks at the names of the apps.")
    )
    failures = forms.ChoiceField(
        label=_("Failures"),
        required=False,
        choices=[("", _("Any")), ("yes", _("With failures")), ("no", _("Without failures"))],
    )


def _plot(row: Row) -> Plot:
    return plot_of(row.get("dailyStats"))


def _last_failure(row: Row) -> str:
    day = _plot(row).last_bad
    return formats.date(day) if day else ""


def _lately(row: Row) -> str:
    """What failed, in a few words; else what worked."""
    plot = _plot(row)
    if not plot.bad:
        return _worked_text(plot.good) if plot.good else ""
    text = _("%(bad)d of %(all)d failed, last on %(day)s")
    return text % {"bad": plot.bad, "all": plot.good + plot.bad, "day": _last_failure(row)}


def _state(row: Row) -> Badge:
    plot = _plot(row)
    if not plot.good + plot.bad:
        return _QUIET
    if plot.last_bad is None:
        return _WORKS
    today = timezone.now().astimezone(datetime.UTC).date()
    if (today - plot.last_bad).days > _LATELY:
        return _FAILED
    worked = any(day.good for day in plot.days if day.date == plot.last_bad)
    return _AT_TIMES if worked else _FAILS


def _order(row: Row) -> tuple[int, tuple[str, str]]:
    """Failing triggers first."""
    states = [_FAILS, _AT_TIMES, _FAILED, _WORKS, _QUIET]
    return states.index(_state(row)), sort_key(apps.title(row))


def _fits(row: Row, filters: Mapping[str, Any]) -> bool:
    texts = f"{apps.title(row)} {row['name']}".casefold()
    choice = filters.get("failures", "")
    failed = bool(_plot(row).bad) if choice else False
    return all(word in texts for word in filters.get("search", "").casefold().split()) and (
        not choice or failed == (choice == "yes")
    )


class Triggers(Resource):
    """The triggers of one app, as the engine counts them."""

    name = "triggers"
    needs = "trigger-figures"
    label, label_plural = _("Triggers of an app"), _("Triggers")
    icon, group, menu_order = "zap", "watch", 20
    empty = _("The engine has counted no triggers in the last 14 days")
    empty_hint = _("Once flows start, how often their triggers worked or failed is shown here, by app and day.")
    filters = TriggerFilters
    rows = 50
    #: The engine has no call for a single app.
    recipe = ("/v1/trigger-runs/status", "workflows.get_trigger_run_status()")
    list_display = (
        mark_column(mark_of, _("App"), link=True, below=lambda row: row["name"]),
        Column(_state, _("State"), kind="badge", below=_lately),
        Column(_plot, _("Last 14 days"), phone=False, sort=False, template_name="resources/triggers/bars.html"),
        Column(lambda row: _plot(row).good, _("Worked"), kind="count", phone=False, name="worked"),
        Column(lambda row: _plot(row).bad, _("Failed"), kind="count", phone=False, name="failed"),
    )
    details = Facts(
        _("Details"),
        (
            mark_column(mark_of, _("App"), link=lambda slug, row: piece_url(slug, row.get("name"))),
            Column(_last_failure, _("Last failure")),
            Column("totalRuns", _("Counted by the engine in all"), kind="count"),
            Column("name", _("Name in the engine"), kind="code"),
        ),
    )
    panels = (
        Panel(
            _("Day by day"),
            "resources/triggers/days.html",
            lambda subject: {"plot": _plot(subject.object), "span": SPAN},
        ),
        usage.panel(
            _("Flows of this workspace that start with it"),
            lambda subject, known: [flow for flow in known.flows if flow.starts_with == subject.object["name"]],
            _("No flow of this workspace starts with it: the figures come from elsewhere on the platform."),
        ),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """The board, failing triggers first. Two calls at most: the figures, and the cached names of apps."""
        rows = sorted((row for row in _load_rows(session) if _fits(row, query.filters)), key=_order)
        return replace(whole_lists.numbered_page(rows, query), notice=SPAN)

    def get(self, session: EngineSession, id: str) -> Row:
        """The figures of one app, by its whole name. Raises EngineError, NotFound if there are none."""
        for row in _load_rows(session):
            if row["name"] == id:
                return row
        raise NotFound("The engine has counted no trigger of this app.", code="ENTITY_NOT_FOUND")

    def key(self, row: Row) -> str:
        """The piece's whole name."""
        return id_at(row, "name")

    def title(self, row: Row) -> str:
        return apps.title(row)

    def badge(self, row: Row) -> Badge:
        return _state(row)


def _load_rows(session: EngineSession) -> list[dict[str, Any]]:
    listed = dict_at(session.workflows.get_trigger_run_status(), "pieces")
    figures = {name: found for name, found in listed.items() if isinstance(found, dict)}
    names = apps.names(session) if figures else {}
    return [dict(found) | {"name": name, "displayName": names.get(name, "")} for name, found in figures.items()]

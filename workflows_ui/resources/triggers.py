"""Whether triggers work: the engine's own figures by app and day (api.md section 12). They count the whole platform, not one project."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from workflows_ui.engine import NotFound
from workflows_ui.kit import show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.resource import Column, Facts, Page, Panel, Query, Resource, Row, Subject, Text, id_at
from workflows_ui.kit.words import StateWord
from workflows_ui.resources import apps, trigger_days, usage
from workflows_ui.resources.apps import Mark, MarkColumn
from workflows_ui.resources.places import piece_url

SPAN: Text = gettext_lazy(
    "These figures span the whole platform: every project and organization on this engine, not only this workspace. They count whether a "
    "trigger did its work, not how the run after it ended. The engine keeps 14 days, each from midnight to midnight UTC."
)
#: Failures of so many days are told as lasting.
_LATELY = 1
_WORKS = StateWord(gettext_lazy("Works"), "circle-check", "green")
_FAILS = StateWord(gettext_lazy("Fails"), "circle-xmark", "red")
_AT_TIMES = StateWord(gettext_lazy("Fails at times"), "triangle-exclamation", "orange")
_FAILED = StateWord(gettext_lazy("Failed before"), "clock-rotate-left", "orange")
_QUIET = StateWord(gettext_lazy("Nothing counted"), "circle-minus", "secondary")


class TriggerFilters(forms.Form):
    """Filters of the board; applied here, since the engine gives all of it at once."""

    search = forms.CharField(
        label=gettext_lazy("Search"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Looks at the names of the apps."),
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )
    failures = forms.ChoiceField(
        label=gettext_lazy("Failures"),
        required=False,
        choices=[
            ("", gettext_lazy("Any")),
            ("yes", gettext_lazy("With failures")),
            ("no", gettext_lazy("Without failures")),
        ],
        widget=forms.Select(attrs={"class": "form-select"}),
    )


@dataclass(frozen=True)
class DaysColumn(Column):
    """A column whose value is a Plot: a small one."""

    @property
    def template(self) -> str:
        """The bars."""
        return "triggers/bars.html"


def _plot(row: Row) -> trigger_days.Plot:
    return trigger_days.plot(row.get("dailyStats"))


def _mark(row: Row) -> Mark:
    return apps.mark(_title(row))


def _title(row: Row) -> str:
    found = row.get("displayName")
    return found if show.visible(found) else apps.short(row.get("name"))


def _whole_name(row: Row) -> str:
    found = row.get("name")
    return found if isinstance(found, str) else ""


def _last_failure(row: Row) -> str:
    found = _plot(row).last_bad
    return show.date(found) if found else ""


def _lately(row: Row) -> str:
    """What failed, in a few words; else what worked."""
    plot = _plot(row)
    if not plot.bad:
        return ngettext("%(n)d worked", "%(n)d worked", plot.good) % {"n": plot.good} if plot.good else ""
    told = _("%(bad)d of %(all)d failed, last on %(day)s")
    return told % {"bad": plot.bad, "all": plot.good + plot.bad, "day": _last_failure(row)}


def _state(row: Row) -> StateWord:
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


def _order(row: Row) -> tuple[int, str]:
    """What fails comes first."""
    states = [_FAILS, _AT_TIMES, _FAILED, _WORKS, _QUIET]
    return states.index(_state(row)), _title(row).casefold()


def _fits(row: Row, filters: Mapping[str, Any]) -> bool:
    texts = f"{_title(row)} {_whole_name(row)}".casefold()
    wanted = filters.get("failures", "")
    failed = bool(_plot(row).bad) if wanted else False
    return all(word in texts for word in filters.get("search", "").casefold().split()) and (
        not wanted or failed == (wanted == "yes")
    )


def _days(subject: Subject) -> dict[str, Any]:
    return {"plot": _plot(subject.object), "span": SPAN}


def _flows(subject: Subject) -> dict[str, Any]:
    known = usage.remembered(subject.caller)
    return {
        "lines": usage.lines(subject.slug, known.started_by(_whole_name(subject.object))),
        "complete": known.complete,
        "none": _("No flow of this workspace starts with it: the figures come from elsewhere on the platform."),
    }


def _raw(subject: Subject) -> dict[str, Any]:
    return {"value": subject.object, "id": "raw", "title": _("The figures as the engine has them (JSON)")}


class Triggers(Resource):
    """The triggers of one app, as the engine counts them."""

    name = "triggers"
    needs = "trigger-figures"
    label, label_plural = gettext_lazy("Triggers of an app"), gettext_lazy("Triggers")
    icon, group = "bolt", "watch"
    empty = gettext_lazy("The engine has counted no triggers in the last 14 days")
    empty_hint = gettext_lazy(
        "Once flows start, how often their triggers worked or failed is shown here, by app and day."
    )
    filters = TriggerFilters
    rows = 50
    list_display = (
        MarkColumn(_mark, gettext_lazy("App"), link=True, below=_whole_name),
        Column(_state, gettext_lazy("State"), kind="badge", below=_lately),
        DaysColumn(_plot, gettext_lazy("Last 14 days"), phone=False),
        Column(lambda row: _plot(row).good, gettext_lazy("Worked"), kind="count", phone=False),
        Column(lambda row: _plot(row).bad, gettext_lazy("Failed"), kind="count", phone=False),
    )
    panels = (
        Facts(
            gettext_lazy("Facts"),
            (
                MarkColumn(_mark, gettext_lazy("App"), link=lambda slug, row: piece_url(slug, row.get("name"))),
                Column(_last_failure, gettext_lazy("Last failure")),
                Column("totalRuns", gettext_lazy("Counted by the engine in all"), kind="count"),
                Column("name", gettext_lazy("Name in the engine"), kind="code"),
            ),
        ),
        Panel(gettext_lazy("Day by day"), "triggers/days.html", _days),
        Panel(gettext_lazy("Flows of this workspace that start with it"), "pieces/used_by.html", _flows),
        Panel("", "kit/panels/raw.html", _raw),
    )

    def list(self, caller: Caller, query: Query) -> Page:
        """The board, what fails first. Two calls at most: the figures, and the names of apps, remembered."""
        found = sorted((row for row in _counted(caller) if _fits(row, query.filters)), key=_order)
        start = int(query.position) if query.position.isascii() and query.position.isdecimal() else 0
        older = start + query.rows
        return Page(found[start:older], str(older) if older < len(found) else "", notice=SPAN)

    def get(self, caller: Caller, id: str) -> Row:
        """The figures of one app, by its whole name. Raises EngineError, NotFound where nothing was counted of it."""
        for row in _counted(caller):
            if row["name"] == id:
                return row
        raise NotFound("The engine has counted no trigger of this app.", code="ENTITY_NOT_FOUND")

    def call(self, id: str) -> tuple[str, str, str]:
        """The call for all of them: there is none for one."""
        return "GET", "/v1/trigger-runs/status", "workflows.get_trigger_run_status()"

    def key(self, row: Row) -> str:
        """The piece's whole name."""
        return id_at(row, "name")

    def title(self, row: Row) -> str:
        """The app's name."""
        return _title(row)

    def badge(self, row: Row) -> StateWord:
        """Whether its triggers work."""
        return _state(row)


def _counted(caller: Caller) -> list[dict[str, Any]]:
    pieces = caller.workflows.get_trigger_run_status().get("pieces")
    listed = pieces.items() if isinstance(pieces, Mapping) else ()
    figures = {name: found for name, found in listed if isinstance(found, Mapping)}
    names = apps.names(caller) if figures else {}
    return [dict(found) | {"name": name, "displayName": names.get(name, "")} for name, found in figures.items()]

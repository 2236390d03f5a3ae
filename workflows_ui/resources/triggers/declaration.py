"""The health of triggers: the engine's own figures by app and day (api.md section 12). They count the whole platform, not one project."""

import datetime
from collections.abc import Mapping
from dataclasses import replace

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from workflows_ui.core import formats
from workflows_ui.core.collation import sort_key
from workflows_ui.core.paths import dict_at, text_at
from workflows_ui.core.readers import EngineObject, objects_by_name
from workflows_ui.core.states import Badge
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import NotFound, Unavailable
from workflows_ui.lists.filters import choice_field
from workflows_ui.pieces import apps
from workflows_ui.pieces.apps import mark_column, mark_of
from workflows_ui.resource_admin import whole_lists
from workflows_ui.resource_admin.index_fallback import StandIn
from workflows_ui.resource_admin.places import link_to
from workflows_ui.resource_admin.resource import Column, Page, Panel, Query, Resource, Row, Text, id_at
from workflows_ui.resources.triggers import figures
from workflows_ui.resources.triggers.figures import Figures
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes, statistics, uses
from workflows_ui.usage import usage
from workflows_ui.web.plots import Spark

SPAN: Text = _(
    "These figures span the whole platform: every project and organization on this engine, not only this workspace. They count whether a "
    "trigger did its work, not how the run after it ended. The engine keeps 14 days, each from midnight to midnight UTC."
)
INDEXED: Text = _(
    "This engine counts no triggers. These are the runs of this workspace's flows in the run index, by the app that starts the flow: how "
    "they ended, in the last 14 days, each from midnight to midnight UTC."
)
SILENT: Text = _(
    "The engine's own figures cannot be read now. These are the runs of this workspace's flows in the run index, by the app that starts "
    "the flow: how they ended, in the last 14 days, each from midnight to midnight UTC."
)
#: Marks rows that were counted in the run index: why.
_INDEXED = "indexed"
_NONE, _UNANSWERED = "none", "unanswered"
#: Failures within this many days count as current.
_LATELY = 1
_WORKS = Badge(_("Works"), "circle-check", "green")
_FAILS = Badge(_("Fails"), "circle-x", "red")
_AT_TIMES = Badge(_("Fails at times"), "triangle-alert", "orange")
_FAILED = Badge(_("Failed before"), "history", "orange")
_QUIET = Badge(_("Nothing counted"), "circle-minus", "secondary")


class TriggerFilters(forms.Form):
    """Filters of the board; applied here, since the engine returns the whole board at once."""

    search = forms.CharField(
        label=_("Search"), required=False, max_length=200, help_text=_("Searches the names of the apps.")
    )
    failures = choice_field(_("Failures"), {"yes": _("With failures"), "no": _("Without failures")})


def _figures(row: Row) -> Figures:
    return figures.read(row.get("dailyStats"))


def _plot(row: Row) -> Spark | None:
    return _figures(row).spark()


def _last_failure(row: Row) -> str:
    day = _figures(row).last_bad
    return formats.date(day) if day else ""


def _lately(row: Row) -> str:
    """What failed, in a few words; else what worked."""
    found = _figures(row)
    if not found.bad:
        return figures.worked_text(found.good) if found.good else ""
    text = _("%(bad)d of %(all)d failed, last on %(day)s")
    return text % {"bad": found.bad, "all": found.good + found.bad, "day": _last_failure(row)}


def _state(row: Row) -> Badge:
    found = _figures(row)
    if not found.good + found.bad:
        return _QUIET
    if found.last_bad is None:
        return _WORKS
    today = timezone.now().astimezone(datetime.UTC).date()
    if (today - found.last_bad).days > _LATELY:
        return _FAILED
    worked = any(day.good for day in found.days if day.date == found.last_bad)
    return _AT_TIMES if worked else _FAILS


def _order(row: Row) -> tuple[int, tuple[str, str]]:
    """Failing triggers first."""
    states = [_FAILS, _AT_TIMES, _FAILED, _WORKS, _QUIET]
    return states.index(_state(row)), sort_key(apps.title(row))


def _fits(row: Row, filters: Mapping[str, object]) -> bool:
    texts = f"{apps.title(row)} {row['name']}".casefold()
    found = all(word in texts for word in str(filters.get("search", "")).casefold().split())
    return found and ("failures" not in filters or bool(_figures(row).bad) == (filters["failures"] == "yes"))


class Triggers(Resource):
    name = "triggers"
    needs = "trigger-figures"
    label, label_plural = _("Triggers of an app"), _("Triggers")
    icon, group, menu_order = "zap", "watch", 20
    empty = _("The engine has counted no triggers in the last 14 days")
    empty_hint = _(
        "Once flows start, how often their triggers worked or failed is shown here, by app and day. Some engines count nothing: there the "
        "runs of the run index are counted."
    )
    filters = TriggerFilters
    rows = 50
    #: The engine has no call for a single app.
    recipe = ("/v1/trigger-runs/status", "workflows.get_trigger_run_status()")
    list_display = (
        mark_column(mark_of, _("App"), link=True, below=lambda row: row["name"]),
        Column(_state, _("State"), kind="badge", below=_lately),
        Column(_plot, _("Last 14 days"), phone=False, sort=False, html=Spark.__html__),
        Column(lambda row: _figures(row).good, _("Succeeded"), kind="count", phone=False, name="worked"),
        Column(lambda row: _figures(row).bad, _("Failed"), kind="count", phone=False, name="failed"),
    )
    details = (
        mark_column(mark_of, _("App"), link=link_to("pieces", "name")),
        Column(_last_failure, _("Last failure")),
        Column("totalRuns", _("Counted by the engine in all"), kind="count"),
        Column("name", _("Name in the engine"), kind="code"),
    )
    panels = (
        Panel(
            _("Day by day"),
            "resources/triggers/days.html",
            lambda subject: {"plot": _figures(subject.object).bars(), "span": _span(subject.object)},
        ),
        usage.panel(
            name,
            _("No flow of this workspace starts with it: the figures come from elsewhere on the platform."),
            lambda subject: usage.starting_with(subject.session, text_at(subject.object, "name")),
        ),
    )

    def list(self, session: EngineSession, query: Query) -> Page:
        """The board, failing triggers first. Two calls at most: the figures, and the cached names of apps."""
        found, warning = _load_rows(session)
        rows = sorted((row for row in found if _fits(row, query.filters)), key=_order)
        return replace(whole_lists.numbered_page(rows, query), notice=_span(rows[0]) if rows else "", warning=warning)

    def get(self, session: EngineSession, id: str) -> Row:
        """The figures of one app, by its whole name. Raises EngineError, NotFound without any."""
        rows, warning = _load_rows(session)
        for row in rows:
            if row["name"] == id:
                return row
        if warning:
            raise Unavailable("The engine does not answer.")
        raise NotFound("The engine has counted no trigger of this app.", code="ENTITY_NOT_FOUND")

    def key(self, row: Row) -> str:
        """The piece's whole name."""
        return id_at(row, "name")

    def title(self, row: Row) -> str:
        return apps.title(row)


def _load_rows(session: EngineSession) -> tuple[list[dict[str, object]], str]:
    """The rows of the board; and what is said if they are from the run index because the engine does not answer, else "".

    Raises EngineError.
    """
    index = indexes.for_session(session)
    if index is not None and indexes.is_silent(index):
        return _without_engine(session, index)
    try:
        listed = dict_at(session.workflows.get_trigger_run_status(), "pieces")
    except indexes.UNANSWERED:
        if index is None:
            raise
        # Its reader finds out now, so that the next page need not wait.
        indexes.read_soon(session.workspace)
        return _without_engine(session, index)
    rows: dict[str, Row] = {name: found.raw for name, found in objects_by_name(listed, EngineObject).items()}
    if not rows and index is not None:
        rows = _from_index(session, index, _NONE)
    return _named(rows, apps.names(session) if rows else {}), ""


def _without_engine(session: EngineSession, index: RunIndex) -> tuple[list[dict[str, object]], str]:
    indexes.try_soon(index)
    as_of = StandIn(index.read_at).text if index.read_at else ""
    return _named(_from_index(session, index, _UNANSWERED), {}), as_of


def _named(rows: Mapping[str, Row], names: Mapping[str, str]) -> list[dict[str, object]]:
    return [dict(found) | {"name": name, "displayName": names.get(name, "")} for name, found in rows.items()]


def _from_index(session: EngineSession, index: RunIndex, why: str) -> dict[str, Row]:
    """The same figures from the run index, by piece: 0.83 counts nothing (recording `trigger_runs_status_after_schedule`)."""
    today = timezone.now().astimezone(datetime.UTC).date()
    days = [today - datetime.timedelta(days=ago) for ago in reversed(range(figures.KEPT))]
    apps_of_flows = uses.starting_apps(session)
    with timezone.override(datetime.UTC):
        counted = statistics.by_flow(index, apps_of_flows, days)
    found: dict[str, dict[str, dict[str, int]]] = {}
    for flow, counts in counted.items():
        stats = found.setdefault(apps_of_flows[flow], {})
        for day, (good, bad) in zip(days, counts, strict=True):
            total = stats.setdefault(day.isoformat(), {"success": 0, "failure": 0})
            total["success"] += good
            total["failure"] += bad
    return {app: {"dailyStats": stats, _INDEXED: why} for app, stats in found.items()}


def _span(row: Row) -> Text:
    return {_NONE: INDEXED, _UNANSWERED: SILENT}.get(text_at(row, _INDEXED), SPAN)

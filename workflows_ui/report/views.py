"""The report of a week by flow and person, as a page that prints, and as a file."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core import clock, formats
from workflows_ui.credentials.services import engine_session
from workflows_ui.launches.services import runs
from workflows_ui.lists import export, file_formats
from workflows_ui.lists.file_formats import FORMATS, Cell
from workflows_ui.members.models import Role
from workflows_ui.report import services
from workflows_ui.report.services import Counts, Line
from workflows_ui.resource_admin.places import list_url
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import indexed
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
#: What a JSON file calls the numbers of a week, and the values of a line.
_NUMBERS = ("count", "failed", "failure_percent", "running_seconds", "saved_seconds")
_KEYS = (
    *("grouped_by", "name", "id"),
    *_NUMBERS,
    *(f"before_{name}" for name in _NUMBERS),
    *("workspace", "from", "to", "time_zone", "so_far_until"),
)
_FIRST, _LAST = date(1971, 1, 4), date(8999, 12, 30)


@require_safe
@member(Role.VIEWER)
def report(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The week of `?week=2026-W48`, by default this one. Without the run index, a page that explains it."""
    index, monday = indexes.for_access(request.access), _monday(request)
    if index is None:
        return responses.page(request, "report/no_index.html", {"manages": request.access.allows(Role.MANAGER)})
    flows, people = _find(request, index, monday)
    total = services.total_line(flows, _("Total"))
    people_total = services.total_line(people, _("Total"))
    sums = [counts for line in (total, people_total) for counts in (line.week, line.before)]
    saves = any(counts.minutes is not None for counts in sums)
    run_labels, launch_labels = _labels(pgettext("noun", "Runs"), saves=saves), _labels(_("Launches"), saves=saves)
    days = {"since": monday.isoformat(), "until": _sunday(monday).isoformat()}
    failed = {**days, "status": sorted(runs.FAILED)}
    following = monday + timedelta(days=7)
    context = {
        "title": _week_text(request.access.workspace.name, monday),
        "zone": services.zone(),
        "so_far": _so_far(_counted_until(index, monday)),
        "own_zone": _other_zone(),
        "flows": [
            _shown(
                line,
                line.name or line.key,
                run_labels,
                list_url(slug, "runs", flow=line.key, **days) if line.week.number else "",
                list_url(slug, "runs", flow=line.key, **failed) if line.week.failed else "",
            )
            for line in flows
        ],
        "total": _shown(total, total.name, run_labels),
        "people": [_shown(line, line.name, launch_labels) for line in people],
        "people_total": _shown(people_total, people_total.name, launch_labels),
        "everybody": request.access.allows(Role.BUILDER),
        "saves": saves,
        "cut": len(flows) >= services.MOST,
        "most": services.MOST,
        "trouble": indexed.trouble(index),
        "notice": indexed.notice(index, clock.midnight(monday, services.zone())),
        "before_url": _url(slug, monday - timedelta(days=7)),
        "after_url": _url(slug, following) if following <= _today() else "",
        "files": file_formats.offers(request, lambda key: (_file_url(slug, key, monday), "")),
        "slug": slug,
    }
    return responses.page(request, "report/report.html", context)


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The same week as a file. Audited."""
    if kind not in FORMATS:
        raise Http404
    index, monday = indexes.for_access(request.access), _monday(request)
    if index is None:
        return responses.redirect_to_view(request, "report", slug)
    flows, people = _find(request, index, monday)
    until = _counted_until(index, monday)
    days: list[Cell] = [request.access.workspace.name, monday, _sunday(monday), str(services.zone()), until]
    rows = [[*_cells(_("Flow"), line, line.name or line.key), *days] for line in flows]
    rows += [[*_cells(_("Person"), line, line.name), *days] for line in people]
    audit_log.record(
        actor(request), "report.export", workspace=request.access.workspace, object_type="report", week=_name(monday)
    )
    title = _week_text(request.access.workspace.name, monday)
    facts = export.facts(title, request.access.workspace.name, [(_("Days"), str(services.zone()))])
    with timezone.override(services.zone()), file_formats.writer(kind, _("Week report"), facts) as file:
        content = file.head(_headings())
        content += file.body([dict(zip(_KEYS, row, strict=True)) for row in rows] if kind == "json" else rows)
        content += b"".join(file.tail())
    return export.send(content, f"report-{slug}-{_name(monday)}.{FORMATS[kind].ending}", kind)


def _find(request: ConsoleRequest, index: RunIndex, monday: date) -> tuple[list[Line], list[Line]]:
    """The lines of flows and of people."""
    session = engine_session.open_session(request.access)
    saved = {flow.id: flow.minutes for flow in indexed.flows_of(session, index) if flow.minutes}
    return services.report(request.access, index, monday, saved)


def _monday(request: ConsoleRequest) -> date:
    """The first day of the requested week; of the current one without a valid week."""
    today = _today()
    this = today - timedelta(days=today.weekday())
    match = _WEEK.fullmatch(request.GET.get("week", ""))
    try:
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else this
    except ValueError:
        return this
    return monday if _FIRST <= monday <= _LAST else this


def _today() -> date:
    return timezone.localdate(timezone=services.zone())


def _sunday(monday: date) -> date:
    return monday + timedelta(days=6)


def _counted_until(index: RunIndex, monday: date) -> datetime | None:
    """When the index last read the runs of a week that is not over, in the report's time zone; None for a week that is."""
    if _sunday(monday) < _today():
        return None
    return timezone.localtime(index.read_at or timezone.now(), services.zone())


def _so_far(until: datetime | None) -> str:
    if until is None:
        return ""
    return _("So far, until %(time)s on %(day)s.") % {"time": f"{until:%H:%M}", "day": formats.date(until)}


def _other_zone() -> str:
    """The reader's time zone, by whose days lists are filtered; "" if it is the report's."""
    own = timezone.get_current_timezone_name()
    return "" if own == str(services.zone()) else own


def _name(monday: date) -> str:
    year, week, _day = monday.isocalendar()
    return f"{year:04}-W{week:02}"


def _url(slug: str, monday: date) -> str:
    return reverse("report", args=[slug], query={"week": _name(monday)}) if _FIRST <= monday <= _LAST else ""


def _week_text(workspace: str, monday: date) -> str:
    first, last = formats.date(monday), formats.date(_sunday(monday))
    values = {"workspace": workspace, "week": monday.isocalendar().week, "first": first, "last": last}
    return _("%(workspace)s, week %(week)d: %(first)s to %(last)s") % values


def _shown(line: Line, name: str, labels: Mapping[str, str], url: str = "", failed_url: str = "") -> dict[str, object]:
    """A line as the page shows it (templates/report/line.html): the numbers with these labels, each with that of the week before."""
    week, before = _texts(line.week), _texts(line.before)
    numbers = [
        {"label": label, "week": week[key], "before": before[key], "url": failed_url if key == "failed" else ""}
        for key, label in labels.items()
    ]
    return {"name": name, "url": url, "numbers": numbers}


def _labels(number: str, *, saves: bool) -> dict[str, str]:
    """The headings of the numbers, by their keys in _texts; `number` is the first one."""
    labels = {
        "number": number,
        "failed": pgettext("number of runs", "Failed"),
        "rate": _("Failure rate"),
        "took": _("Running time"),
    }
    return labels | ({"saved": _("Time saved")} if saves else {})


def _texts(counts: Counts) -> dict[str, str]:
    percent = _percent(counts)
    return {
        "number": formats.number(counts.number),
        "failed": formats.number(counts.failed),
        "rate": "–" if percent is None else f"{formats.number(percent)} %",
        "took": formats.duration(counts.took) if counts.took else "–",
        "saved": "–" if counts.minutes is None else formats.duration(counts.minutes * 60_000) or "0",
    }


def _headings() -> list[str]:
    """The headings of a table file, in the order of _KEYS."""
    seconds = _("seconds")
    numbers = [
        _("Count"),
        pgettext("number of runs", "Failed"),
        f"{_('Failure rate')} (%)",
        f"{_('Running time')} ({seconds})",
        f"{_('Time saved')} ({seconds})",
    ]
    before = [_("%(number)s, week before") % {"number": number} for number in numbers]
    days = [_("Workspace"), pgettext("date", "From"), pgettext("date", "To"), _("Time zone"), _("So far, until")]
    return [_("Grouped by"), _("Name"), _("ID"), *numbers, *before, *days]


def _cells(kind: str, line: Line, name: str) -> list[Cell]:
    """A line of the file, without its days."""
    return [kind, name, line.key, *_numbers(line.week), *_numbers(line.before)]


def _numbers(counts: Counts) -> list[Cell]:
    """The numbers that the page shows, in the order of _NUMBERS."""
    saved = None if counts.minutes is None else counts.minutes * 60
    return [counts.number, counts.failed, _percent(counts), round(counts.took / 1000, 3), saved]


def _percent(counts: Counts) -> float | None:
    if counts.failure_rate is None:
        return None
    percent = round(100 * counts.failure_rate, 1)
    return int(percent) if percent.is_integer() else percent


def _file_url(slug: str, key: str, monday: date) -> str:
    return reverse("report_file", args=[slug, key], query={"week": _name(monday)})

"""The report of a week by flow and person, as a page that prints, and as CSV."""

import re
from datetime import date, datetime, timedelta

from django.http import HttpResponse
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
from workflows_ui.lists import export
from workflows_ui.members.models import Role
from workflows_ui.report import services
from workflows_ui.report.services import Line
from workflows_ui.resource_admin.places import list_url
from workflows_ui.run_index.models import RunIndex
from workflows_ui.run_index.services import indexes
from workflows_ui.runs import indexed
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_FIRST, _LAST = date(1971, 1, 4), date(8999, 12, 30)


@require_safe
@member(Role.VIEWER)
def report(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The week of `?week=2026-W48`, by default this one. Without the run index, a page that explains it."""
    index, monday = indexes.for_access(request.access), _monday(request)
    if index is None:
        return responses.page(request, "report/no_index.html", {"manages": request.access.allows(Role.MANAGER)})
    flows, people = _find(request, index, monday)
    total, people_total = services.total(flows), services.total(people)
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
                list_url(slug, "runs", flow=line.key, **days),
                list_url(slug, "runs", flow=line.key, **failed) if line.failed else "",
            )
            for line in flows
        ],
        "total": _shown(total, _("Total")),
        "people": [_shown(line, line.name) for line in people],
        "people_total": _shown(people_total, _("Total")),
        "everybody": request.access.allows(Role.BUILDER),
        "saves": total.minutes is not None or people_total.minutes is not None,
        "cut": len(flows) >= services.MOST,
        "most": services.MOST,
        "trouble": indexed.trouble(index),
        "notice": indexed.notice(index, clock.midnight(monday, services.zone())),
        "before_url": _url(slug, monday - timedelta(days=7)),
        "after_url": _url(slug, following) if following <= _today() else "",
        "file_url": reverse("report_file", args=[slug], query={"week": _name(monday)}),
        "slug": slug,
    }
    return responses.page(request, "report/report.html", context)


@never_cache
@require_safe
@member(Role.VIEWER)
def file(request: ConsoleRequest, slug: str) -> HttpResponseBase:
    """The same week as CSV. Audited."""
    index, monday = indexes.for_access(request.access), _monday(request)
    if index is None:
        return responses.redirect_to_view(request, "report", slug)
    flows, people = _find(request, index, monday)
    heads = [_("Grouped by"), _("Name"), _("ID"), _("Count"), _("Failed"), _("Hours"), _("Minutes saved")]
    heads += [_("Workspace"), pgettext("date", "From"), pgettext("date", "To"), _("Time zone"), _("So far, until")]
    until = _counted_until(index, monday)
    days = [export.escape_formulas(request.access.workspace.name), monday.isoformat(), _sunday(monday).isoformat()]
    days += [str(services.zone()), f"{until:%Y-%m-%d %H:%M}" if until else ""]
    rows = [[*_cells(_("Flow"), line, line.name or line.key), *days] for line in flows]
    rows += [[*_cells(_("Person"), line, line.name), *days] for line in people]
    audit_log.record(
        actor(request), "report.export", workspace=request.access.workspace, object_type="report", week=_name(monday)
    )
    text = export.encode(export.BYTE_ORDER_MARK + export.csv_text([heads, *rows]))
    return responses.download(text, f"report-{slug}-{_name(monday)}.csv", export.TYPES["csv"])


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


def _shown(line: Line, name: str, url: str = "", failed_url: str = "") -> dict[str, str]:
    """A line as the page shows it (templates/report/table.html)."""
    return {
        "name": name,
        "number": formats.number(line.number),
        "failed": formats.number(line.failed),
        "took": formats.duration(line.took) if line.took else "–",
        "saved": "" if line.minutes is None else formats.duration(line.minutes * 60_000) or "0",
        "url": url,
        "failed_url": failed_url,
    }


def _cells(kind: str, line: Line, name: str) -> list[str]:
    """A line of the file: numbers with a point, whatever the language."""
    minutes = "" if line.minutes is None else f"{line.minutes:g}"
    cells = [kind, export.escape_formulas(name), export.escape_formulas(line.key)]
    return [*cells, str(line.number), str(line.failed), f"{line.took / 3_600_000:.3f}", minutes]

"""Lists of the console's own rows, on the page of declared resources: the same bar, headings, pages and files."""

import json
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

from workflows_ui.members.services.access import Access
from workflows_ui.resource_admin import export
from workflows_ui.resource_admin.listing import Listing
from workflows_ui.resource_admin.live import SEEN, live
from workflows_ui.resource_admin.resource import Page, Resource
from workflows_ui.resource_admin.rows import list_line
from workflows_ui.web import responses
from workflows_ui.web.numbering import local_page
from workflows_ui.web.requests import ConsoleRequest

#: Rows of a file read at a time.
_PART = 500


class LocalList(Resource):
    """A kind of row. Its columns are sorted by fields of the model, and the time `moment` is its own order, newest first.

    Its views call `page` and `respond`; `list` and `get` are not used. `masked` may make another object of each row.
    """

    moment: str

    def masked(self, session: Any, rows: Sequence[Any]) -> Sequence[Any]:
        return rows

    def page(self, rows: QuerySet[Any], current: Listing) -> Page:
        """The requested page of the rows, which are filtered already."""
        found = local_page(
            rows,
            current.position,
            moment=self.moment,
            size=current.rows,
            order=current.order.fields if current.order else (),
        )
        return Page(
            self.masked(None, found.rows), total=found.total, start=found.start, sortable=True, as_of=found.as_of
        )


def respond(
    request: ConsoleRequest, kind: LocalList, access: Access | None, current: Listing, page: Page, **context: Any
) -> HttpResponse:
    """Render a page of the list.

    The template also takes `empty_template`, what a list without rows says, and `plot_template`, a plot above the rows.
    """
    refreshed = live(kind, page.rows, page.total, page.start)
    if refreshed and responses.is_fragment(request) and request.GET.get(SEEN) == refreshed.version:
        return responses.vary(HttpResponse(status=204))
    lines = [list_line(kind, access, row, {}) for row in page.rows]
    whole = {
        "resource": kind,
        "listing": current,
        "page": page,
        "lines": lines,
        "row_actions": any(line["shortcuts"] or line["actions"] for line in lines),
        "live": refreshed,
        "here": current.here,
        "chips": current.chips(),
        "heads": current.heads(sortable=True),
        "pages": current.pages(page, page.total),
        "row_choices": current.rows_urls(),
        **context,
    }
    return responses.page(request, "resource_admin/list.html", whole, fragments=("results",))


def download(kind: LocalList, rows: QuerySet[Any], type: str) -> HttpResponseBase:
    """Return all rows as a file, part by part, with the values of the list's columns; `type` is a key of export.TYPES."""
    content = _content(kind, rows, type, translation.get_language(), timezone.get_current_timezone())
    return responses.download(content, export.name(kind, type), export.TYPES[type])


def _content(kind: LocalList, rows: QuerySet[Any], type: str, language: str | None, zone: tzinfo) -> Iterator[bytes]:
    found, written = rows.iterator(chunk_size=_PART), 0
    # The request's language and zone are no longer active when the response is streamed.
    with translation.override(language), timezone.override(zone):
        head = export.head(type, kind)
    yield head
    while part := list(islice(found, _PART)):
        with translation.override(language), timezone.override(zone):
            cells = [export.cells(kind, row) for row in kind.masked(None, part)]
        if type == "csv":
            yield export.encode(export.csv_text(cells))
        else:
            names = [*(column.key for column in kind.list_display), "id"]
            records = (json.dumps(dict(zip(names, values, strict=False)), ensure_ascii=False) for values in cells)
            yield export.encode((",\n" if written else "\n") + ",\n".join(records))
        written += len(part)
    yield export.tail(type)

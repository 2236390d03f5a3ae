"""Lists of the console's own rows, on the page of declared resources: the same bar, headings, pages and files."""

import json
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

from workflows_ui.resource_admin import export
from workflows_ui.resource_admin.listing import Listing
from workflows_ui.resource_admin.resource import Page, Resource
from workflows_ui.web import responses
from workflows_ui.web.numbering import local_page

#: Rows of a file read at a time.
_PART = 500


class LocalList(Resource):
    """A kind of row. Its columns are sorted by fields of the model, and the time `moment` is its own order, newest first.

    Its views call `page` and list_page.respond; `list` and `get` are not used. `masked` may make another object of each row.
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

"""Lists of the console's own rows, on the page of declared resources: the same bar, headings, pages and files."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Expression, Model, QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.lists import export, file_formats
from workflows_ui.lists.declaration import AnyRow, List, Order, Page
from workflows_ui.lists.file_formats import FORMATS, Cell
from workflows_ui.lists.listing import Listing, requested_order
from workflows_ui.lists.numbering import local_page, row_position, rows_after
from workflows_ui.lists.polls import NOTHING
from workflows_ui.web.requests import ConsoleRequest


class LocalList(List):
    """A kind of row. Its columns are sorted by fields of the model, and the time `moment` is its own order, newest first.

    Its views call `page` and list_page.respond. `masked` may make another object of each row.

    Attributes:
        moment: a datetime field; "" for a list whose rows are all in memory.
        logged_as: what the audit log calls such a row.
        default_order: fields by which rows are sorted instead of `moment`, unless the person sorts them.
    """

    moment: str = ""
    logged_as: str = ""
    default_order: Sequence[str | Expression] = ()

    def masked(self, session: Any, rows: Sequence[AnyRow]) -> Sequence[AnyRow]:
        return rows

    def key(self, row: AnyRow) -> str:
        return str(row.pk)

    def title(self, row: AnyRow) -> str:
        return str(row)

    def page(self, rows: QuerySet[Model] | Sequence[AnyRow], current: Listing) -> Page:
        """The requested page of the rows, which are filtered already; or how many came since the newest one that the browser shows."""
        if not isinstance(rows, QuerySet):
            index = current.position.partition("@")[0]
            start = int(index) if index.isascii() and index.isdecimal() and int(index[:6]) < len(rows) else 0
            found = self.sorted(rows, current.order)[start : start + current.rows]
            return Page(self.masked(None, found), total=len(rows), start=start, sortable=True)
        if current.since:
            return Page((), added=rows_after(rows, current.since, moment=self.moment))
        order = self._order(current.order)
        found = local_page(rows, current.position, moment=self.moment, size=current.rows, order=order)
        first = not found.start and not order
        return Page(
            self.masked(None, found.rows),
            total=found.total,
            start=found.start,
            sortable=True,
            newest=row_position(found.rows[0], self.moment) if first and found.rows else NOTHING if first else "",
            as_of=found.as_of,
        )

    def sorted(self, rows: QuerySet[Model] | Sequence[AnyRow], order: Order | None) -> Any:
        """The rows in the order that the person chose, else in the list's own; rows in memory have theirs already."""
        if isinstance(rows, QuerySet):
            return rows.order_by(*self._order(order), f"-{self.moment}", "-pk")
        return order.sorted(rows) if order else rows

    def _order(self, order: Order | None) -> Sequence[str | Expression]:
        return order.fields if order else self.default_order


def file(
    request: ConsoleRequest,
    kind: LocalList,
    rows: QuerySet[Model] | Sequence[AnyRow],
    type: str,
    form: forms.Form | None = None,
    **detail: Any,
) -> HttpResponseBase:
    """All rows as a file, in the order of the request; audited as the list's export. Raises Http404 for an unknown type.

    Args:
        rows: filtered by `form`, by default the list's own filters.
        type: a key of FORMATS.
    """
    if type not in FORMATS:
        raise Http404
    access = getattr(request, "access", None)
    audit_log.record(
        actor(request),
        f"{kind.name}.export",
        workspace=access.workspace if access else None,
        object_type=kind.logged_as,
        format=type,
        **detail,
    )
    filters = Listing(kind, request.path, request.GET, form).told
    names = [*export.keys(kind), "id"]

    def line(row: AnyRow) -> list[Cell] | dict[str, Cell]:
        cells = export.cells(kind, row)
        return dict(zip(names, cells, strict=True)) if type == "json" else cells

    title = str(kind.label_plural)
    content = export.stream(
        file_formats.writer(type, title, export.facts(title, access.workspace.name if access else "", filters)),
        kind.sorted(rows, requested_order(kind, request.GET)),
        headings=lambda: export.headings(kind),
        line=line,
        prepare=lambda part: kind.masked(None, part),
    )
    return export.send(content, export.name(kind, type, filters), type)

"""Pages below a table: its records and columns with their actions, and the table as a file.

Records and columns are resources, but of one table: they are created for the request, and passed to the generic views.

Several records are deleted together without a job, since a table holds so few: the ids are frozen in the confirmation page, and go to
the engine by the hundred.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core import formats
from workflows_ui.core.paths import dicts_at, text_at
from workflows_ui.core.readers import plain_text
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, TooLarge, Unknown
from workflows_ui.lists import export as files, file_formats
from workflows_ui.lists.declaration import Order
from workflows_ui.lists.file_formats import FORMATS, Facts
from workflows_ui.lists.listing import Listing
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_log, bulk
from workflows_ui.resource_admin.views import (
    actions as action_views,
    detail as detail_view,
    resources as resource_views,
)
from workflows_ui.tables import fields, reading, records as resource_records
from workflows_ui.tables.records import Records
from workflows_ui.unclear_writes import messages as write_texts, services as unclear_writes
from workflows_ui.unclear_writes.models import UnclearWrite
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.messages import error_message
from workflows_ui.web.requests import ConsoleRequest

#: Records deleted by one call, and named in the confirmation.
_TOGETHER, _NAMED = 100, 20
_TICKET, _TICKETS_FOR = "action-ticket", 3600


@require_safe
@member(Role.VIEWER)
def records(request: ConsoleRequest, slug: str, table: str) -> HttpResponse:
    """The list of records. Raises EngineError."""
    resource = resource_records.load_records(
        engine_session.open_session(request.access, quick=True), table, fresh=False
    )
    return resource_views.listing(request, slug, resource.name, {resource.name: resource})


@require_safe
@member(Role.VIEWER)
def record(request: ConsoleRequest, slug: str, table: str, id: str) -> HttpResponse:
    """One record. Raises EngineError."""
    resource = resource_records.load_records(engine_session.open_session(request.access), table, fresh=False)
    return detail_view.detail(request, slug, resource.name, id, {resource.name: resource})


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def record_action(request: ConsoleRequest, slug: str, table: str, action: str, id: str = "") -> HttpResponse:
    """An action on a record, or one that creates a record. Raises EngineError."""
    resource = resource_records.load_records(engine_session.open_session(request.access), table)
    return action_views.act(request, slug, resource.name, action, id, {resource.name: resource})


@never_cache
@sensitive_post_parameters()
@member(Role.BUILDER)
def field_action(request: ConsoleRequest, slug: str, table: str, action: str, id: str) -> HttpResponse:
    """An action on a column. Raises EngineError."""
    resource = fields.load_fields(engine_session.open_session(request.access), table)
    return action_views.act(request, slug, resource.name, action, id, {resource.name: resource})


@never_cache
@require_safe
@member(Role.VIEWER)
def export(request: ConsoleRequest, slug: str, table: str, kind: str) -> HttpResponseBase:
    """The table as a file, for everyone who may see it: the records that match the filters in the URL, in the order of their list. Leaves
    an audit row."""
    if kind not in FORMATS:
        raise Http404
    session = engine_session.open_session(request.access)
    conditions: list[dict[str, str]] = []
    filters, order = "", None
    told: Facts = ()
    if request.GET:
        records = resource_records.load_records(session, table, fresh=False)
        listing = Listing(records, records.url(slug), request.GET)
        filters = listing.filters_query
        if not listing.valid:
            return responses.redirect(request, f"{records.url(slug)}?{filters}")
        told = listing.told
        conditions, order = resource_records.conditions(listing.query.filters), listing.order
    table_data = read_table(session, table, conditions, order)
    audit_log.record(
        actor(request),
        "tables.export",
        workspace=request.access.workspace,
        object_type="tables",
        object_id=table[:120],
        credential=session.credential_id,
        format=kind,
        rows=len(table_data["rows"]),
        filters=filters[:1000],
    )
    name = formats.file_name(table_data["name"], "table", FORMATS[kind].ending)
    about = files.facts(table_data["name"], request.access.workspace.name, told)
    return files.send(content(kind, table_data, about), name, kind)


class TableData(TypedDict):
    """A table with unique names of its fields, their types where they are known, and rows as maps of these names to texts."""

    name: str
    fields: list[str]
    types: dict[str, str]
    rows: list[dict[str, str]]


def read_table(
    session: EngineSession, id: str, conditions: Sequence[Mapping[str, str]] = (), order: Order | None = None
) -> TableData:
    """The whole table, the newest record first unless there is an order. Raises EngineError.

    The engine's own export has rows by the name of the column (recording `tables_export`). If two columns share a name
    it lacks one of them, so the records themselves are requested; so they are if `conditions` or an order are wanted.
    """
    exported = session.workflows.export_table(id)
    fields = dicts_at(exported, "fields")
    names = [reading.name_of(field) for field in fields]
    called = reading.unique(names)
    # The export has no types.
    kinds = {reading.key_of(field): text_at(field, "type") for field in reading.fields(session, id, fresh=False)}
    types = {name: kinds.get(reading.key_of(field), "") for name, field in zip(called, fields, strict=True)}
    if called == names and not conditions and order is None:
        rows = reversed(dicts_at(exported, "rows"))
        table = [{name: plain_text(row.get(name)) for name in names} for row in rows]
    else:
        keys = [reading.key_of(field) for field in fields]
        found = reading.records(session, id, conditions)
        if not found.whole:
            # An incomplete file would not show it.
            raise TooLarge("The table is larger than what the console reads at once.")
        table = [
            {name: reading.cell(record, key) for name, key in zip(called, keys, strict=True)}
            for record in (order.sorted(found.rows) if order else found.rows)
        ]
    return {"name": reading.name_of(exported), "fields": called, "types": types, "rows": table}


def content(kind: str, table: TableData, about: Facts = ()) -> bytes:
    """The file; `kind` is a key of FORMATS."""
    if kind == "json":
        whole = {name: table[name] for name in ("name", "fields", "rows")}
        return file_formats.encode(json.dumps(whole, indent=2, ensure_ascii=False))
    with file_formats.writer(kind, table["name"], about) as file:
        rows = (
            [reading.typed(row[name], table["types"].get(name, "")) for name in table["fields"]]
            for row in table["rows"]
        )
        return file.head(table["fields"]) + file.body(list(rows)) + b"".join(file.tail())


@dataclass(frozen=True)
class _Chosen:
    """The records to delete, with their titles by id."""

    table: Records
    ids: Sequence[str]
    titles: dict[str, str]
    back: str
    #: Whether these are all that the filters match.
    whole: bool = True


@never_cache
@member(Role.BUILDER)
def delete_records(request: ConsoleRequest, slug: str, table: str, action: str) -> HttpResponse:
    """POST from the list asks for confirmation; POST with `confirmed` deletes exactly the confirmed records. Raises EngineError."""
    if action != "delete":
        raise Http404
    session = engine_session.open_session(request.access)
    resource = resource_records.load_records(session, table)
    if request.method != "POST":
        return responses.redirect(request, resource.url(slug))
    chosen = _selected_records(request, session, resource, slug)
    if not chosen.ids:
        messages.warning(request, _("Select the rows first, then choose an action."))
        return responses.redirect(request, chosen.back)
    if request.POST.get("confirmed") != "yes":
        return _page(request, slug, chosen)
    ticket = request.POST.get(_TICKET, "")[:64]
    if not cache.add(f"ticket:{request.user.pk}:{ticket}", 1, _TICKETS_FOR):
        messages.info(request, _("This form was sent already. It was not done a second time."))
        return responses.redirect(request, chosen.back)
    return _do(request, slug, session, chosen)


def _selected_records(request: ConsoleRequest, session: EngineSession, resource: Records, slug: str) -> _Chosen:
    """Ticked ids that belong to this table; or everything that the filters of the list match now.

    The engine does not check whether records belong to the table named with them (recording `records_delete_wrong_table`): this does.
    """
    listed, _mark, query = request.POST.get("next", "").partition("?")
    back = f"{listed}?{query}" if query and listed == resource.url(slug) else resource.url(slug)
    listing = Listing(resource, resource.url(slug), QueryDict(query))
    everything = request.POST.get(bulk.EVERYTHING) == "1" and listing.valid
    conditions = resource_records.conditions(listing.query.filters) if everything else []
    records = reading.records(session, resource.table, conditions)
    rows = [row for row in records.rows if row.get("tableId") in (resource.table, None)]
    titles = {reading.key_of(row): resource.title(row) for row in rows if reading.key_of(row)}
    ids = [*titles] if everything else [key for key in dict.fromkeys(request.POST.getlist(bulk.ID)) if key in titles]
    return _Chosen(resource, ids, titles, back, whole=records.whole or not everything)


def _do(request: ConsoleRequest, slug: str, session: EngineSession, chosen: _Chosen) -> HttpResponse:
    total, done = len(chosen.ids), 0
    action = next(item for item in chosen.table.actions if item.name == "delete")
    event = action_log.begin(
        actor(request),
        request.access.workspace,
        chosen.table,
        action,
        credential=session.credential_id,
        count=total,
        ids=list(chosen.ids)[:_TOGETHER],
    )
    try:
        for start in range(0, total, _TOGETHER):
            part = list(chosen.ids[start : start + _TOGETHER])
            session.workflows.delete_records(part, table_id=chosen.table.table)
            done += len(part)
    except EngineError as error:
        outcome, detail = action_log.outcome_of(error)
        audit_log.end(event, outcome, done=done, **detail)
        pending = None
        if isinstance(error, Unknown):
            error.about["partial"] = done + len(part) < total
            pending = unclear_writes.begin(
                session, error, event=event, resource=chosen.table.name, action=action.name, path=chosen.back
            )
        return _page(request, slug, chosen, error=error, done=done, pending=pending)
    audit_log.end(event, count=done)
    text = ngettext("%(count)d record is deleted.", "%(count)d records are deleted.", done) % {"count": done}
    messages.success(request, text)
    return responses.redirect(request, chosen.back)


def _page(
    request: ConsoleRequest,
    slug: str,
    chosen: _Chosen,
    *,
    error: EngineError | None = None,
    done: int = 0,
    pending: UnclearWrite | None = None,
) -> HttpResponse:
    ids = chosen.ids[done:]
    links = [(chosen.titles[key], chosen.table.url(slug, key)) for key in ids[:_NAMED]]
    context = {
        "resource": chosen.table,
        "ids": ids,
        "named": links,
        "more": max(0, len(ids) - _NAMED),
        "done": done,
        "whole": chosen.whole,
        "back": chosen.back,
        "error": error_message(error) if error else None,
        "ticket": secrets.token_urlsafe(24),
        "ticket_name": _TICKET,
    } | (write_texts.context(pending) if pending else {})
    return responses.page(request, "tables/delete_records.html", context, status=422 if error else 200)

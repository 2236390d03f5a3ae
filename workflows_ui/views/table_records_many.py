"""Several records of a table deleted together: what was ticked, or what the filters match, is asked about by name and count first.

A table holds so few records that this needs no job: the ids are frozen in the page that asks, and go to the engine by the hundred.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse, QueryDict
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from workflows_ui.engine import EngineError
from workflows_ui.kit import action_log, bulk_choice, caller, respond, words
from workflows_ui.kit.access import member
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.listing import Listing
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import AuditEvent, Role
from workflows_ui.resources import table_reading as reading
from workflows_ui.resources import table_records
from workflows_ui.resources.table_parts import fits
from workflows_ui.resources.table_records import Records
from workflows_ui.services import audit

#: Records that one call deletes, and that the question names.
_TOGETHER, _NAMED = 100, 20
_TICKET, _TICKETS_FOR = "action-ticket", 3600


@dataclass(frozen=True)
class _Chosen:
    """The records that are to go, with their titles by id."""

    table: Records
    ids: Sequence[str]
    titles: dict[str, str]
    back: str


@never_cache
@member(Role.BUILDER)
def delete(request: ConsoleRequest, slug: str, table: str, action: str) -> HttpResponse:
    """POST from the list asks; POST with `confirmed` deletes exactly the records that were asked about. Raises EngineError."""
    if action != "delete" or not fits(table):
        raise Http404
    asking = caller.of(request.access)
    found = table_records.of(asking, table)
    if request.method != "POST":
        return respond.redirect(request, found.url(slug))
    chosen = _chosen(request, asking, found, slug)
    if not chosen.ids:
        messages.warning(request, _("Tick the rows first, then choose what to do with them."))
        return respond.redirect(request, chosen.back)
    if request.POST.get("confirmed") != "yes":
        return _page(request, slug, chosen)
    ticket = request.POST.get(_TICKET, "")[:64]
    if not cache.add(f"ticket:{request.user.pk}:{ticket}", 1, _TICKETS_FOR):
        messages.info(request, _("This form was sent already. It was not done a second time."))
        return respond.redirect(request, chosen.back)
    return _do(request, slug, asking, chosen)


def _chosen(request: ConsoleRequest, asking: Caller, found: Records, slug: str) -> _Chosen:
    """Ticked ids, as far as they are of this table; or everything that the filters of the list match at this moment."""
    listed, _mark, query = request.POST.get("next", "").partition("?")
    back = f"{listed}?{query}" if query and listed == found.url(slug) else found.url(slug)
    listing = Listing(found, found.url(slug), QueryDict(query))
    everything = request.POST.get(bulk_choice.EVERYTHING) == "1" and listing.valid
    conditions = table_records.conditions(listing.query.filters) if everything else []
    titles = {reading.key_of(row): found.title(row) for row in reading.records(asking, found.table, conditions)}
    if everything:
        return _Chosen(found, [key for key in titles if key], titles, back)
    wanted = request.POST.getlist(bulk_choice.ID)[: reading.MOST_RECORDS]
    return _Chosen(found, [key for key in dict.fromkeys(wanted) if key in titles], titles, back)


def _do(request: ConsoleRequest, slug: str, asking: Caller, chosen: _Chosen) -> HttpResponse:
    total, done = len(chosen.ids), 0
    begun = _begin(request, chosen, count=total, ids=list(chosen.ids)[:_TOGETHER])
    try:
        for start in range(0, total, _TOGETHER):
            part = list(chosen.ids[start : start + _TOGETHER])
            asking.workflows.delete_records(part)
            done += len(part)
    except EngineError as error:
        outcome, detail = action_log.outcome_of(error)
        audit.end(begun, outcome, done=done, **detail)
        return _page(request, slug, chosen, error=error, done=done)
    audit.end(begun, count=done)
    said = ngettext("%(count)d record is deleted.", "%(count)d records are deleted.", done) % {"count": done}
    messages.success(request, said)
    return respond.redirect(request, chosen.back)


def _begin(request: ConsoleRequest, chosen: _Chosen, **detail: Any) -> AuditEvent:
    action = next(one for one in chosen.table.actions if one.name == "delete")
    workspace = request.access.workspace
    return action_log.begin(actor(request), workspace, chosen.table, action, id=chosen.table.table, **detail)


def _page(
    request: ConsoleRequest, slug: str, chosen: _Chosen, *, error: EngineError | None = None, done: int = 0
) -> HttpResponse:
    ids = chosen.ids[done:]
    named = [(chosen.titles[key], chosen.table.url(slug, key)) for key in ids[:_NAMED]]
    context = {
        "resource": chosen.table,
        "ids": ids,
        "named": named,
        "more": max(0, len(ids) - _NAMED),
        "done": done,
        "back": chosen.back,
        "error": words.of_error(error) if error else None,
        "ticket": secrets.token_urlsafe(24),
        "ticket_name": _TICKET,
    }
    return respond.page(request, "tables/delete_records.html", context, status=422 if error else 200)


urlpatterns = [
    path("w/<slug:slug>/tables/<str:table>/records/many/<slug:action>/", delete, name="table_records_many"),
]

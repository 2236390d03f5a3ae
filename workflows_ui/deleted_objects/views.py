"""Recently deleted flows and tables of a workspace, and restoring them."""

import json
import logging
from collections.abc import Callable, Mapping

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.deleted_objects import messages as texts, services, tables
from workflows_ui.deleted_objects.models import CopyState, DeletedObject
from workflows_ui.engine import EngineError, Unknown
from workflows_ui.lists import list_page, local_lists
from workflows_ui.members.models import Role
from workflows_ui.resource_admin import action_log
from workflows_ui.resource_admin.resource import RESOURCES
from workflows_ui.resources.flows import actions as flow_actions
from workflows_ui.tables import deletion as table_deletion
from workflows_ui.unclear_writes import messages as write_texts, services as unclear_writes
from workflows_ui.web import messages as words, responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

_log = logging.getLogger(__name__)


Create = Callable[[EngineSession, Mapping[str, object]], str]
Fill = Callable[[EngineSession, str, Mapping[str, object]], None]
#: By the name of the resource: what makes an empty object and returns its id, and what gives it the content, also if it has a part already.
_RESTORE: Mapping[str, tuple[Create, Fill]] = {
    "flows": (flow_actions.create_from_copy, flow_actions.fill_from_copy),
    "tables": (table_deletion.create_from_copy, table_deletion.fill_from_copy),
}


@require_safe
@member(Role.BUILDER)
def listing(request: ConsoleRequest, slug: str) -> HttpResponse:
    """The copies that have not expired, the latest deletion first."""
    kind = tables.DeletedObjects()
    current = list_page.requested(request, kind)
    page = kind.page(services.copies(request.access.workspace), current)
    above = "deleted_objects/above.html"
    return list_page.respond(request, current, page, above_template=above, days=services.days())


@never_cache
@require_safe
@member(Role.BUILDER)
def file(request: ConsoleRequest, slug: str, kind: str) -> HttpResponseBase:
    """The list of copies as a file, without what they hold. Audited."""
    rows = services.copies(request.access.workspace)
    return local_lists.file(request, tables.DeletedObjects(), rows, kind)


@never_cache
@member(Role.BUILDER)
def restore(request: ConsoleRequest, slug: str, copy_id: str) -> HttpResponse:
    """GET: what comes back and what does not. POST: create the object again from its copy, once.

    The id of the created object is stored before its content is: a restore that was interrupted continues with it.
    """
    copy = get_object_or_404(services.copies(request.access.workspace), pk=copy_id, kind__in=_RESTORE)
    if request.method != "POST":
        return _page(request, copy)
    if unclear_writes.of_page(copy.workspace, request.path) is not None:
        return _page(request, copy)
    if copy.must_check and "checked" not in request.POST:
        return _page(request, copy, _("Confirm that it does not exist in the engine."))
    session = engine_session.open_session(request.access)
    try:
        data = json.loads(copy.open("content") or "null")
    except CannotOpen:
        _log.exception("a deleted object's copy cannot be opened: %s", copy.pk)
        return _page(request, copy, _("The copy cannot be opened. The key that it was encrypted with may be gone."))
    if data is None or not services.begin_restore(copy, request.user.pk):
        messages.info(request, _("It was restored already, or is being restored. Nothing was done a second time."))
        return responses.redirect_to_view(request, "recently_deleted", slug)
    event = audit_log.begin(
        actor(request),
        f"{copy.kind}.restore",
        workspace=copy.workspace,
        object_type=copy.kind,
        object_id=copy.object_id,
        object_name=copy.name,
        credential=session.credential_id,
    )
    create, fill = _RESTORE[copy.kind]
    try:
        if not copy.restored_id:
            try:
                services.record_created(copy, create(session, data))
            except Unknown as unclear:
                unclear.about |= {"copy": copy.pk, "partial": True}
                raise
        try:
            fill(session, copy.restored_id, data)
        except Unknown as unclear:
            # One call of several: what had to follow was not sent.
            unclear.about |= {"created": copy.restored_id, "partial": True}
            raise
    except forms.ValidationError as problem:
        services.give_back(copy, problem)
        text = " ".join(problem.messages)
        audit_log.end(event, "refused", problem=text[: action_log.KEPT])
        copy.refresh_from_db(fields=["state"])
        return _page(request, copy, text)
    except EngineError as error:
        services.give_back(copy, error)
        outcome, detail = action_log.outcome_of(error)
        audit_log.end(event, outcome, **detail)
        if isinstance(error, Unknown):
            unclear_writes.begin(
                session,
                error,
                event=event,
                resource=copy.kind,
                action="restore",
                name=copy.name,
                path=request.path,
            )
        copy.refresh_from_db(fields=["state", "restored_id"])
        message = words.error_message(error)
        return _page(request, copy, f"{message.title}. {message.text} {message.next_step}".strip())
    services.end_restore(copy)
    audit_log.end(event, belongs_to=(copy.kind, copy.restored_id), restored=copy.restored_id)
    messages.success(request, texts.restored(copy))
    return responses.redirect(request, RESOURCES[copy.kind].url(slug, copy.restored_id))


def _page(request: ConsoleRequest, copy: DeletedObject, problem: str = "") -> HttpResponse:
    context = {
        "copy": copy,
        "name": texts.name_of(copy),
        "kind": texts.kind_of(copy),
        "url": texts.restored_url(copy),
        "returning": texts.returning(copy),
        "lost": texts.lost(copy),
        "state": CopyState(copy.state).badge,
        "problem": problem,
    }
    if pending := unclear_writes.of_page(copy.workspace, request.path):
        context |= write_texts.context(pending)
    return responses.page(request, "deleted_objects/restore.html", context, status=422 if problem else 200)

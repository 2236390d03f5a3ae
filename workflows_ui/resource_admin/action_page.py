"""The page of a declared action: GET asks, POST runs it once; neither logs secrets. On an address of its own (views/actions.py), and on
other pages that offer an action.

An action leaves two rows in the audit log: `begun` before the engine is called, and the outcome. A `begun` row without an outcome was
interrupted. An error of the engine becomes an error of the form, with all input kept; nothing is ever sent a second time.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from workflows_ui.audit.models import AuditEvent
from workflows_ui.audit.requests import actor
from workflows_ui.audit.services import audit_log
from workflows_ui.core import formats
from workflows_ui.core.paths import id_at, text_at
from workflows_ui.core.readers import mapping_of
from workflows_ui.core.text import Message, Text
from workflows_ui.credentials.services import engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError, Unknown, errors as engine
from workflows_ui.resource_admin import action_forms, action_log, capabilities as missing_capabilities
from workflows_ui.resource_admin.actions import Action, Affected, LastingText, LinkedText
from workflows_ui.resource_admin.resource import Resource, Row
from workflows_ui.run_index.services import objects
from workflows_ui.unclear_writes import messages as write_texts, services as unclear_writes
from workflows_ui.unclear_writes.models import UnclearWrite
from workflows_ui.web import elements, messages as words, responses
from workflows_ui.web.requests import SURE, ConsoleRequest

TICKET, BACK = "action-ticket", "next"
#: The earlier write that a person was asked about.
REPEATED = "repeated-write"
#: Seconds for which a submitted form is remembered, to distinguish a double click from a second request.
_TICKETS_FOR = 3600
#: Names of submitted values that say nothing about what is done.
_OF_PAGE = frozenset({"csrfmiddlewaretoken", TICKET, BACK, REPEATED, SURE})
_FORBIDDEN = (engine.CredentialRefused, engine.Forbidden)


@dataclass(frozen=True)
class _ActionRequest:
    """One action on one object by one person."""

    request: ConsoleRequest
    resource: Resource
    action: Action
    session: EngineSession
    id: str
    row: Row
    #: The page that offers the action and is returned to, if it is not the object's; and the address of the form there.
    page_url: str = ""
    address: str = ""
    #: The template of that page, and what it needs besides the form.
    template: str = "resource_admin/action.html"
    around: Callable[[], Mapping[str, object]] = dict

    @property
    def url(self) -> str:
        """The address of this form."""
        return self.address or self.action.url(self.slug, self.resource.name, self.id)

    @property
    def path(self) -> str:
        """The action's own address, by which a repeated press is recognised on every page."""
        if not self.address:
            return self.request.path
        return unquote(self.action.url(self.slug, self.resource.name, self.id))

    @property
    def slug(self) -> str:
        return self.session.workspace.slug

    @property
    def back(self) -> str:
        """The previous page of this workspace, if the form names it."""
        url = self.request.POST.get(BACK) or self.request.GET.get(BACK, "")
        allowed = url.startswith(f"/w/{self.slug}/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)
        return url if allowed else ""

    @property
    def object_url(self) -> str:
        if self.page_url:
            return self.page_url
        return self.resource.url(self.slug, self.id) if self.id else ""

    @property
    def list_url(self) -> str:
        """The list of the objects; "" on another page, whose reader may not see that list."""
        return "" if self.page_url else self.resource.url(self.slug)

    @property
    def home(self) -> str:
        """Where to go without running the action: the previous list, the object, or the list."""
        return self.back or self.object_url or self.list_url

    @property
    def name(self) -> str:
        return self.resource.title(self.row) if self.row else ""

    @property
    def _named_row(self) -> Row:
        return mapping_of(formats.named_briefly(self.row))

    def done(self, answer: object) -> Text:
        """The success message; a callable gets the row and the answer with short texts."""
        declared = self.action.done
        if callable(declared):
            return declared(self._named_row, formats.named_briefly(answer))
        return self.text(declared)

    def text(self, declared: Text | Callable[[Row], Text]) -> Text:
        """A text of the action with the object's name; a callable gets the row with short texts."""
        if callable(declared):
            return declared(self._named_row)
        return str(declared).replace("%(name)s", formats.cut(self.name.strip()) or str(self.resource.unnamed))


def respond(
    request: ConsoleRequest,
    declared: Resource,
    action: str,
    id: str = "",
    *,
    page_url: str = "",
    address: str = "",
    template: str = "resource_admin/action.html",
    around: Callable[[], Mapping[str, object]] = dict,
) -> HttpResponse:
    """The form or the confirmation (GET), or the action and a redirect, or the form with errors (POST, 422). Raises Http404, NotAllowed,
    EngineError.

    Args:
        page_url: the page that the action is offered on, if that is not the object's.
        address: the address of the form, if it is not the action's own.
        template: of that page, with the form as its fragment `action`.
        around: what the template needs besides the context of the form, for a whole page.
    """
    chosen = next((item for item in declared.actions if item.name == action and item.collection is (not id)), None)
    if chosen is None:
        raise Http404
    request.access.require(chosen.role)
    session = engine_session.open_session(request.access)
    lacking = missing_capabilities.lacking(declared, request.access.workspace)
    why = lacking.get(declared.needs) or lacking.get(chosen.needs)
    if why:
        action_request = _ActionRequest(request, declared, chosen, session, id, {}, page_url, address)
        message = Message(_("This engine cannot do that"), why, _("Nothing was sent to the engine."))
        return _not_possible(action_request, message)
    unmasked: Row = declared.get(session, id) if id else {}
    row: Row = declared.masked(session, [unmasked])[0] if id else {}
    action_request = _ActionRequest(request, declared, chosen, session, id, row, page_url, address, template, around)
    if not chosen.visible(row):
        title = _("This cannot be done now")
        text = _("“%(action)s” is not possible in its current state. It may have changed since you opened the page.")
        return _not_possible(action_request, Message(title, text % {"action": chosen.label}))
    if request.method != "POST":
        typed = _typed_before(action_request)
        if typed is not None:
            form = action_forms.bound(chosen, session, row, typed, unmasked=unmasked)
            action_forms.validate(form)
            return _page(action_request, form, secret_is_lost=bool(action_forms.secret_fields(form)))
        return _page(action_request, action_forms.unbound(chosen, session, row, request.GET))
    ticket = request.POST.get(TICKET, "")[:64]
    used = f"ticket:{request.user.pk}:{ticket}"
    if ticket and cache.get(used):
        return _sent_already(action_request)
    form = action_forms.bound(chosen, session, row, request.POST, request.FILES, unmasked=unmasked)
    if action_forms.is_draft(form):
        return _page(action_request, form)
    if not action_forms.validate(form):
        return _page(action_request, form, status=422)
    # Nothing is done by a request that is no submitted form, even if all fields may be empty.
    empty = not request.FILES and not request.POST.keys() - {"csrfmiddlewaretoken", BACK}
    if action_forms.questions(form) or (chosen.needs_confirmation and empty):
        return _page(action_request, form)
    earlier = unclear_writes.repeated(
        session.workspace, action_request.path, _digest(action_request), any_values=not chosen.collection
    )
    if earlier is not None and request.POST.get(REPEATED) != earlier.pk:
        return _page(action_request, form, earlier=earlier)
    if ticket and not cache.add(used, 1, _TICKETS_FOR):
        return _sent_already(action_request)
    return _run(action_request, form)


def show_form(
    request: ConsoleRequest,
    declared: Resource,
    action: Action,
    session: EngineSession,
    id: str,
    row: Row,
    asked: Mapping[str, object],
) -> HttpResponse:
    """The form of an action at an address that names the object and what is asked about it. The caller has checked the right to it, and
    that it is possible; `row` is masked. Raises EngineError.
    """
    return _page(
        _ActionRequest(request, declared, action, session, id, row),
        action_forms.unbound(action, session, row, asked),
    )


def _typed_before(action_request: _ActionRequest) -> QueryDict | None:
    """What the person typed into this form for a write that was not done, if the URL names one, without secrets; else None."""
    request = action_request.request
    values = unclear_writes.values_of(
        action_request.session.workspace,
        request.user.pk,
        action_request.path,
        request.GET.get(unclear_writes.AGAIN, ""),
    )
    if values is None:
        return None
    typed = QueryDict(mutable=True)
    for name, listed in values.items():
        typed.setlist(name, listed)
    return typed


def _digest(action_request: _ActionRequest) -> str:
    """Of the submitted values, without those that differ with each page."""
    posted = action_request.request.POST.lists()
    values = [(name, values) for name, values in posted if name not in _OF_PAGE]
    files = [
        (name, [f"{file.name} {file.size}" for file in listed]) for name, listed in action_request.request.FILES.lists()
    ]
    return unclear_writes.digest_of([*values, *files])


def _sent_already(action_request: _ActionRequest) -> HttpResponse:
    """The answer to a double click, which may arrive before or after the first request has ended."""
    messages.info(action_request.request, _("This form was sent already. It was not done a second time."))
    removes = action_request.action.removes
    return responses.redirect(action_request.request, action_request.list_url if removes else action_request.home)


def _run(action_request: _ActionRequest, form: forms.Form) -> HttpResponse:
    request, action, session = action_request.request, action_request.action, action_request.session
    reason = action_forms.take_reason(form)
    event = action_log.begin(
        actor(request),
        session.workspace,
        action_request.resource,
        action,
        id=action_request.id,
        name=action_request.name,
        credential=session.credential_id,
        reason=reason,
        values=action_forms.logged_values(form),
        **action_forms.named_changes(action, form, action_request.row, form.cleaned_data),
    )
    try:
        answer = action.run(session, action_request.id, dict(form.cleaned_data))
    except forms.ValidationError as problem:
        audit_log.end(event, "refused", problem="; ".join(problem.messages)[: action_log.KEPT])
        action_forms.add_error(form, problem)
        return _page(action_request, form, status=422)
    except EngineError as error:
        outcome, detail = action_log.outcome_of(error)
        audit_log.end(event, outcome, **detail)
        missing_capabilities.learn(session, action, error)
        return _page(
            action_request, form, error=error, pending=_pending(action_request, form, event, error), status=422
        )
    finally:
        objects.note_change(session.workspace.pk, action_request.resource.name)
    audit_log.end(event, belongs_to=_created(action_request, answer))
    missing_capabilities.learn(session, action)
    text = action_request.done(answer)
    if text:
        add_message = messages.warning if isinstance(text, LastingText) else messages.success
        if isinstance(text, LinkedText):
            text = elements.linked(text, text.url, text.link)
        add_message(request, str(text))
    # Elsewhere than on the page that offers the action only where somebody has to act on the result.
    stays = bool(action_request.page_url) and not isinstance(text, LastingText)
    page_url = action_request.back or action_request.page_url
    return responses.redirect(request, page_url if stays else _after(action_request, answer))


def _pending(
    action_request: _ActionRequest, form: forms.Form, event: AuditEvent, error: EngineError
) -> UnclearWrite | None:
    """The record of a write that is looked for from now on; None if the error is final."""
    if not isinstance(error, Unknown):
        return None
    return unclear_writes.begin(
        action_request.session,
        error,
        event=event,
        resource=action_request.resource.name,
        action=action_request.action.name,
        object_id=action_request.id,
        name=action_request.name,
        path=action_request.path,
        values_digest=_digest(action_request),
        values=action_forms.without_secrets(
            form, ((name, listed) for name, listed in action_request.request.POST.lists() if name not in _OF_PAGE)
        ),
    )


def _created(action_request: _ActionRequest, answer: object) -> tuple[str, str] | None:
    """Type and id of the object that the action created, as far as the engine's answer says; its history begins with this."""
    action = action_request.action
    kind = action.creates or (action_request.resource.name if action.collection else "")
    key = id_at(answer)
    return (kind, key) if kind and key else None


def _after(action_request: _ActionRequest, answer: object) -> str:
    action, object_url = action_request.action, action_request.object_url
    if action.success_url is not None:
        return action.success_url(action_request.slug, action_request.row, answer)
    back = action_request.back
    if back and not (action.removes and object_url and back.startswith(object_url)):
        return back
    if action.collection:
        return action_request.resource.url(action_request.slug, text_at(answer, "id"))
    return action_request.list_url if action.removes else object_url


def _not_possible(action_request: _ActionRequest, message: Message) -> HttpResponse:
    context = {
        "resource": action_request.resource,
        "list_url": action_request.list_url,
        "home_url": action_request.home,
        "title": action_request.name,
        "words": message,
    }
    return responses.page(action_request.request, "web/unavailable.html", context, fragments=("action",), status=409)


def _repeats(earlier: UnclearWrite | None) -> list[Affected]:
    """The question to a person who may be doing something a second time."""
    return [Affected(write_texts.question(earlier))] if earlier else []


def form_context(
    request: ConsoleRequest,
    session: EngineSession,
    declared: Resource,
    action: Action,
    id: str,
    row: Row,
    *,
    asked: Mapping[str, str],
    page_url: str,
    address: str,
) -> dict[str, object]:
    """The context of an action's form that is not submitted yet, on another page (`respond`). Raises EngineError.

    Args:
        row: the object, secrets masked.
        asked: in place of the query string.
    """
    action_request = _ActionRequest(request, declared, action, session, id, row, page_url, address)
    return _context(action_request, action_forms.unbound(action, session, row, asked))


def _page(
    action_request: _ActionRequest,
    form: forms.Form,
    *,
    error: EngineError | None = None,
    pending: UnclearWrite | None = None,
    earlier: UnclearWrite | None = None,
    secret_is_lost: bool = False,
    status: int = 200,
) -> HttpResponse:
    request, template = action_request.request, action_request.template
    context = _context(
        action_request, form, error=error, pending=pending, earlier=earlier, secret_is_lost=secret_is_lost
    )
    if responses.requested_fragment(request) != "action":
        context |= action_request.around()
    return responses.page(request, template, context, fragments=("action",), status=status)


def _context(
    action_request: _ActionRequest,
    form: forms.Form,
    *,
    error: EngineError | None = None,
    pending: UnclearWrite | None = None,
    earlier: UnclearWrite | None = None,
    secret_is_lost: bool = False,
) -> dict[str, object]:
    request, action = action_request.request, action_request.action
    hidden = action_forms.secret_fields(form)
    return {
        "resource": action_request.resource,
        "action": action,
        "form": form,
        "target": action_request,
        "url": action_request.url,
        "button": action_request.text(action.button or action.label),
        "confirm": action_request.text(action.confirm),
        # After a refusal the engine is not called again for the impact.
        "affected": action.impact(action_request.session, action_request.row) if action.impact and not error else None,
        "questions": [*action_forms.questions(form), *_repeats(earlier)],
        "repeated": (REPEATED, earlier.pk) if earlier else None,
        "error": words.error_message(error) if error else None,
        "unclear": isinstance(error, Unknown),
        "technical": error,
        "credentials_at_fault": isinstance(error, _FORBIDDEN),
        "request_id": request.request_id,
        "secret_is_lost": secret_is_lost
        or (form.is_bound and any(form.data.get(form.add_prefix(field)) for field in hidden)),
        "ticket": secrets.token_urlsafe(24),
        "ticket_name": TICKET,
        "in_form": True,
    } | (write_texts.context(pending) if pending else {})

"""The page and the deed of every declared action: GET asks, POST acts once, and both write down nothing that is secret.

An action leaves two rows in the audit log: `begun` before the engine is called, and how it ended. One that stays without an end was
cut off. What the engine refuses becomes an error of the form, with everything typed kept; nothing is ever sent a second time.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from workflows_ui.engine import EngineError, Unknown
from workflows_ui.engine import errors as engine
from workflows_ui.kit import ability, action_forms, action_log, caller, redact, respond, show, views, words
from workflows_ui.kit.access import member
from workflows_ui.kit.actions import Action
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.kit.resource import Resource, Row
from workflows_ui.models import Role
from workflows_ui.services import audit

TICKET, BACK = "action-ticket", "next"
#: A form that was sent is remembered for so long: its double click is told apart from a second wish.
_TICKETS_FOR = 3600
_FORBIDDEN = (engine.CredentialRefused, engine.Forbidden)


@dataclass(frozen=True)
class _Deed:
    """One action on one object by one person."""

    resource: Resource
    action: Action
    caller: Caller
    id: str
    row: Row
    back: str

    @property
    def slug(self) -> str:
        return self.caller.workspace.slug

    @property
    def home(self) -> str:
        """Where one is without doing it: the list one came from, the object, or the list."""
        return self.back or self.resource.url(self.slug, self.id)

    @property
    def name(self) -> str:
        return self.resource.title(self.row) if self.row else ""


@never_cache
@sensitive_post_parameters()
@member(Role.VIEWER)
def act(
    request: ConsoleRequest, slug: str, resource: str, action: str, resources: views.Resources, id: str = ""
) -> HttpResponse:
    """GET: the form, or the question. POST: does it and leads on (303), or gives the form back with what is wrong (422)."""
    declared = views.declared(request.access, resource, resources)
    chosen = next((one for one in declared.actions if one.name == action and one.collection is (not id)), None)
    if chosen is None or (id and not id.strip(" ./")):
        raise Http404
    request.access.require(chosen.role)
    asking = caller.of(request.access)
    lacking = ability.lacking(declared, request.access.workspace)
    why = lacking.get(declared.needs) or lacking.get(chosen.needs)
    if why:
        return _not_now(request, _Deed(declared, chosen, asking, id, {}, _back(request, slug)), ability.words(why))
    row: Row = redact.step(declared.get(asking, id), secrets=declared.secrets) if id else {}
    deed = _Deed(declared, chosen, asking, id, row, _back(request, slug))
    if not chosen.offered(row):
        return _not_now(request, deed)
    if request.method != "POST":
        return _page(request, deed, _form(deed, asked=request.GET))
    form = _form(deed, request)
    if not action_forms.holds(form):
        return _page(request, deed, form, status=422)
    ticket = request.POST.get(TICKET, "")
    if ticket and not cache.add(f"ticket:{request.user.pk}:{ticket[:64]}", 1, _TICKETS_FOR):
        messages.info(request, _("This form was sent already. It was not done a second time."))
        return respond.redirect(request, declared.url(slug) if chosen.removes else deed.home)
    return _do(request, deed, form)


def _do(request: ConsoleRequest, deed: _Deed, form: forms.Form) -> HttpResponse:
    begun = action_log.begin(
        actor(request),
        deed.caller.workspace,
        deed.resource,
        deed.action,
        id=deed.id,
        name=deed.name,
        values=action_forms.told(form, deed.action),
    )
    try:
        answer = deed.action.run(deed.caller, deed.id, dict(form.cleaned_data))
    except forms.ValidationError as problem:
        audit.end(begun, "refused", problem="; ".join(problem.messages)[: action_log.KEPT])
        action_forms.blame(form, problem)
        return _page(request, deed, form, status=422)
    except EngineError as error:
        outcome, detail = action_log.outcome_of(error)
        audit.end(begun, outcome, **detail)
        ability.learn(deed.caller, deed.action, error)
        return _page(request, deed, form, error=error, status=422)
    audit.end(begun)
    ability.learn(deed.caller, deed.action)
    said = deed.action.message(show.named_briefly(deed.row), show.named_briefly(answer))
    if said:
        messages.success(request, str(said))
    return respond.redirect(request, _after(deed, answer))


def _after(deed: _Deed, answer: Any) -> str:
    action, resource = deed.action, deed.resource
    if action.then is not None:
        return action.then(deed.slug, deed.row, answer)
    if deed.back:
        return deed.back
    made = answer.get("id") if action.collection and isinstance(answer, Mapping) else None
    key = "" if action.removes else deed.id or (made if isinstance(made, str) else "")
    return resource.url(deed.slug, key)


def _back(request: ConsoleRequest, slug: str) -> str:
    """The page of this workspace that one came from, where the form says so."""
    wanted = request.POST.get(BACK) or request.GET.get(BACK, "")
    good = wanted.startswith(f"/w/{slug}/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if good else ""


def _form(deed: _Deed, request: ConsoleRequest | None = None, asked: Mapping[str, Any] | None = None) -> forms.Form:
    """The action's form: bound to what was posted, or with first values, of which the address may name some."""
    if request is None:
        return action_forms.fresh(deed.action, deed.caller, deed.row, asked)
    return action_forms.bound(deed.action, deed.caller, deed.row, request.POST, request.FILES)


def _not_now(request: ConsoleRequest, deed: _Deed, found: words.Words | None = None) -> HttpResponse:
    title = _("This cannot be done now")
    text = _("“%(action)s” is not possible in the state it is in. It may have changed since you opened the page.")
    context = {
        "resource": deed.resource,
        "list_url": deed.resource.url(deed.slug),
        "home_url": deed.home,
        "title": deed.name,
        "words": found or words.Words(title, text % {"action": deed.action.label}),
    }
    return respond.page(request, "kit/not_now.html", context, fragments=("action",), status=409)


def _page(
    request: ConsoleRequest, deed: _Deed, form: forms.Form, *, error: EngineError | None = None, status: int = 200
) -> HttpResponse:
    action, row = deed.action, deed.row
    told = show.named_briefly(row)
    hidden = action_forms.secret(form, action)
    lost = form.is_bound and any(form.data.get(form.add_prefix(name)) for name in hidden)
    context = {
        "resource": deed.resource,
        "action": action,
        "form": form,
        "multipart": form.is_multipart(),
        "list_url": deed.resource.url(deed.slug),
        "object_url": deed.resource.url(deed.slug, deed.id) if deed.id else "",
        "home_url": deed.home,
        "back": deed.back,
        "url": action.url(deed.slug, deed.resource.name, deed.id),
        "title": deed.name,
        "button": action.button(told) if action.button else action.label,
        "confirm": action.confirm(told) if action.confirm else "",
        # After a refusal the engine is not asked again about what it would touch.
        "affected": action.affected(deed.caller, row) if action.affected and error is None else None,
        "error": words.of_error(error) if error else None,
        "unclear": isinstance(error, Unknown),
        "technical": error,
        "credentials_at_fault": isinstance(error, _FORBIDDEN),
        "request_id": request.request_id,
        "secret_is_lost": lost,
        "ticket": secrets.token_urlsafe(24),
        "ticket_name": TICKET,
    }
    return respond.page(request, "kit/action.html", context, fragments=("action",), status=status)

"""Common parts of the builder's pages: the row with its lock, its form, and the flow's name."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from workflows_ui.audit.requests import actor
from workflows_ui.audit.services.audit_log import Actor
from workflows_ui.core import formats
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.flows import reading as flow_reading
from workflows_ui.form_schema.document import Field, Form
from workflows_ui.launch_forms import messages as form_messages
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launch_forms.services.launch_forms import Stale
from workflows_ui.members.models import Role
from workflows_ui.members.services.access import Access
from workflows_ui.web import responses
from workflows_ui.web.access import member
from workflows_ui.web.requests import ConsoleRequest

_log = logging.getLogger(__name__)

P = ParamSpec("P")
#: The engine session, and the flow.
Known = tuple[EngineSession, dict[str, object]]


@dataclass(frozen=True)
class EditorPage:
    """A flow's form in the builder. `form` is the draft, else the published form; None if there is neither.

    `known` is the flow, if it was loaded already. `stale` is the message about a concurrent change.
    """

    request: ConsoleRequest
    flow_id: str
    row: LaunchForm | None
    form: Form | None
    drafted: bool
    known: Known | None = None
    stale: str = ""

    @property
    def name(self) -> str:
        """The flow's name when the form was last saved; "" if unknown."""
        return self.row.flow_name if self.row else ""

    @property
    def shown_name(self) -> str:
        """The name, or the flow's id instead of one that cannot be seen."""
        return self.name if formats.visible(self.name) else self.flow_id

    @property
    def posted(self) -> bool:
        return self.request.method == "POST"

    def url(self, name: str = "form_builder", *args: object, **query: str) -> str:
        """The URL of one of the builder's pages."""
        return reverse(name, args=[self.request.access.workspace.slug, self.flow_id, *args], query=query or None)

    def render(
        self, template: str, *, wrong: bool = False, fragments: tuple[str, ...] = (), **context: object
    ) -> HttpResponse:
        """Render one of the builder's pages. `wrong`: what was posted was not accepted."""
        context = {
            "flow_id": self.flow_id,
            "name": self.shown_name,
            "row": self.row,
            "form_": self.form,
            "drafted": self.drafted,
            "lock": self.row.lock if self.row else "",
            "builder_url": self.url(),
            "stale": self.stale,
        } | context
        return responses.page(
            self.request,
            f"launch_forms/editor/{template}.html",
            context,
            fragments=fragments,
            status=422 if wrong or self.stale else 200,
        )

    def redirect(self, text: str = "", *, level: int = messages.SUCCESS, anchor: str = "") -> HttpResponse:
        """Redirect to the builder's page, with a message."""
        if text:
            messages.add_message(self.request, level, text)
        return responses.redirect(self.request, self.url() + anchor)

    def flow(self) -> Known:
        """The engine session and the flow. Raises EngineError, NoCredential, CannotOpen."""
        return self.known or _load_flow(self.request, self.flow_id)

    def flow_or_none(self) -> Known | None:
        """As `flow`; None if the engine cannot be called, since a form can be edited without it."""
        try:
            return self.flow()
        except (EngineError, clients.NoCredential, CannotOpen) as problem:
            _log.info("form builder without the flow: %r", problem)
            return None

    @property
    def target(self) -> tuple[Actor, Access, str]:
        """The first arguments of the services that change the form."""
        return actor(self.request), self.request.access, self.flow_id

    @property
    def lock(self) -> int | None:
        """The lock number of the posted page; None if it is empty, one that never matches if it is not a number."""
        text = self.request.POST.get("lock", "")
        if text == "":
            return None
        return int(text) if text.isdecimal() and len(text) < 10 else -1

    def save(self, form: Form, *, flow_name: str = "") -> None:
        """Save the draft. Raises Stale, BadForm."""
        launch_forms.save(*self.target, flow_name or self.name, form, lock=self.lock)

    def after(self, stale: Stale) -> "EditorPage":
        """The page with the form as it is now, after a concurrent change."""
        return replace(page_for(self.request, self.flow_id), stale=stale_message(stale))


BuilderView = Callable[Concatenate[EditorPage, P], HttpResponseBase]
View = Callable[Concatenate[ConsoleRequest, str, str, P], HttpResponseBase]


def builder_page(*, wanted: bool = False) -> Callable[[BuilderView[P]], View[P]]:
    """Call a view with the `EditorPage` of the flow; only for builders. `wanted`: raise Http404 if there is no form.

    Raises CannotOpen. Without a row, the flow is loaded from the engine to check that it exists: raises EngineError, NoCredential.
    """

    def decorate(view: BuilderView[P]) -> View[P]:
        @never_cache
        @member(Role.BUILDER)
        @functools.wraps(view)
        def find_page(
            request: ConsoleRequest, slug: str, id: str, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            page = page_for(request, id)
            if wanted and page.form is None:
                raise Http404
            return view(page, *args, **kwargs)

        return find_page

    return decorate


def page_for(request: ConsoleRequest, flow_id: str) -> EditorPage:
    row = launch_forms.find_form(request.access.workspace, flow_id)
    if row is None:
        return EditorPage(request, flow_id, None, None, drafted=False, known=_load_flow(request, flow_id))
    draft = launch_forms.open_draft(row)
    form = row.published.open_form() if draft is None and row.published is not None else draft
    return EditorPage(request, flow_id, row, form, drafted=draft is not None)


def _load_flow(request: ConsoleRequest, flow_id: str) -> Known:
    session = engine_session.open_session(request.access)
    return session, dict(session.workflows.get_flow(flow_id))


def flow_name(flow: dict[str, object]) -> str:
    """The flow's name, as stored with a form."""
    return flow_reading.name_of(flow)[:500]


def stale_message(stale: Stale) -> str:
    """The message about a concurrent change."""
    row = stale.form
    if row is None:
        return _("This form was changed in another window meanwhile. Your change was not made.")
    return _("%(person)s changed this form meanwhile, perhaps in another window. Your change was not made.") % {
        "person": row.updated_by.label
    }


def field_row(field: Field, **more: object) -> dict[str, object]:
    """The template data of a field in a list."""
    return {"field": field, "path": form_messages.field_location(field), "why": form_messages.why(field.why)} | more

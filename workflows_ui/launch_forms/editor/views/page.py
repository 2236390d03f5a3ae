"""Common parts of the builder's pages: the row with its lock, its form, and the flow's name."""

import logging
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.core.crypto import CannotOpen
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.credentials.services.engine_session import EngineSession
from workflows_ui.engine import EngineError
from workflows_ui.launch_forms.models import LaunchForm
from workflows_ui.launch_forms.schema.document import Form
from workflows_ui.launch_forms.services import launch_forms
from workflows_ui.launch_forms.services.launch_forms import Stale
from workflows_ui.web import formats, responses
from workflows_ui.web.paths import pick
from workflows_ui.web.requests import ConsoleRequest, actor

_log = logging.getLogger(__name__)

#: The engine session, and the flow.
Known = tuple[EngineSession, dict[str, Any]]


@dataclass(frozen=True)
class EditorPage:
    """A flow's form in the builder. `form` is the draft, else the published form; None if there is neither.

    `known` is the flow, if it was loaded already.
    """

    request: ConsoleRequest
    flow_id: str
    row: LaunchForm | None
    form: Form | None
    drafted: bool
    known: Known | None = None

    @property
    def slug(self) -> str:
        return str(self.request.access.workspace.slug)

    @property
    def lock(self) -> int | None:
        """The row's lock number, by which concurrent changes are detected."""
        return self.row.lock if self.row else None

    @property
    def name(self) -> str:
        """The flow's name when the form was last saved; "" if unknown."""
        return self.row.flow_name if self.row else ""

    def url(self, name: str = "form_builder", *args: object, **query: str) -> str:
        """The URL of one of the builder's pages."""
        return reverse(name, args=[self.slug, self.flow_id, *args], query=query or None)

    def context(self, **more: Any) -> dict[str, Any]:
        """The template context common to the builder's pages."""
        return {
            "flow_id": self.flow_id,
            "name": self.name if formats.visible(self.name) else self.flow_id,
            "row": self.row,
            "form_": self.form,
            "drafted": self.drafted,
            "lock": self.lock if self.lock is not None else "",
            "builder_url": self.url(),
        } | more

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

    def save(self, form: Form, lock: int | None, *, flow_name: str = "") -> LaunchForm:
        """Save the draft. Raises Stale, BadForm."""
        name = flow_name or self.name
        return launch_forms.save(actor(self.request), self.request.access, self.flow_id, name, form, lock=lock)


def find(request: ConsoleRequest, flow_id: str, *, wanted: bool = False) -> EditorPage:
    """The form of a flow. `wanted`: raise Http404 if there is no form. Raises CannotOpen.

    Without a row, the flow is loaded from the engine to check that it exists: raises EngineError, NoCredential.
    """
    row = launch_forms.find_form(request.access.workspace, flow_id)
    form, drafted = None, False
    if row is not None:
        form = launch_forms.open_draft(row)
        drafted = form is not None
        if form is None and row.published is not None:
            form = row.published.open_form()
    if wanted and form is None:
        raise Http404
    known = _load_flow(request, flow_id) if row is None else None
    return EditorPage(request, flow_id, row, form, drafted, known)


def lock_of(request: ConsoleRequest) -> int | None:
    """The lock number of the posted page; None if it is empty, one that never matches if it is not a number."""
    text = request.POST.get("lock", "")
    if text == "":
        return None
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _load_flow(request: ConsoleRequest, flow_id: str) -> Known:
    session = engine_session.open_session(request.access)
    return session, dict(session.workflows.get_flow(flow_id))


def flow_name(flow: dict[str, Any]) -> str:
    """The flow's name, as stored with a form."""
    name = pick(flow, "version.displayName")
    return name[:500] if isinstance(name, str) else ""


def warn_stale(request: ConsoleRequest, stale: Stale) -> None:
    """Add a message about a concurrent change, for a page that displays the current form."""
    messages.warning(request, stale_message(stale))


def stale_message(stale: Stale) -> str:
    """The message about a concurrent change."""
    row = stale.form
    if row is None:
        return _("This form was changed in another window meanwhile. Nothing of what you asked for was done.")
    return _(
        "%(person)s changed this form meanwhile, perhaps in another window. Nothing of what you asked for was done."
    ) % {"person": row.updated_by.label}


def redirect_back(page: EditorPage, **query: str) -> HttpResponse:
    """Redirect to the builder's page, or to its fragment for htmx (a browser follows 303 with the headers of htmx)."""
    return responses.SeeOther(page.url(**query))

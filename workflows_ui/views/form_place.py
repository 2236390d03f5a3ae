"""What the pages of a launch form's builder have in common: the row with its lock, the form in it, and the flow's name."""

import logging
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from workflows_ui.crypto import CannotOpen
from workflows_ui.engine import EngineError
from workflows_ui.forming.document import Form
from workflows_ui.kit import caller, respond, show
from workflows_ui.kit.caller import Caller
from workflows_ui.kit.picking import pick
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import LaunchForm
from workflows_ui.services import clients, launch_forms
from workflows_ui.services.launch_forms import Stale

_log = logging.getLogger(__name__)

#: The person at the engine, and the flow.
Known = tuple[Caller, dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """A flow's form as a builder meets it. `form` is the draft, else what is published; None where there is neither.

    `known` is the flow, where it had to be asked for anyway.
    """

    request: ConsoleRequest
    flow_id: str
    row: LaunchForm | None
    form: Form | None
    drafted: bool
    known: Known | None = None

    @property
    def slug(self) -> str:
        """The workspace's short name."""
        return str(self.request.access.workspace.slug)

    @property
    def lock(self) -> int | None:
        """The number by which a page knows that nobody changed the form meanwhile."""
        return self.row.lock if self.row else None

    @property
    def name(self) -> str:
        """The flow's name as it was when the form was last saved; "" where that is not known."""
        return self.row.flow_name if self.row else ""

    def url(self, name: str = "form_builder", *args: object, **query: str) -> str:
        """The address of one of the builder's pages."""
        return reverse(name, args=[self.slug, self.flow_id, *args], query=query or None)

    def context(self, **more: Any) -> dict[str, Any]:
        """What every page of the builder needs."""
        return {
            "flow_id": self.flow_id,
            "name": self.name if show.visible(self.name) else self.flow_id,
            "row": self.row,
            "form_": self.form,
            "drafted": self.drafted,
            "lock": self.lock if self.lock is not None else "",
            "builder_url": self.url(),
        } | more

    def flow(self) -> Known:
        """The person at the engine and the flow. Raises EngineError, NoCredential, CannotOpen."""
        return self.known or _asked(self.request, self.flow_id)

    def flow_if_told(self) -> Known | None:
        """As `flow`; None where the engine cannot be asked at the moment: a form can be worked on without it."""
        try:
            return self.flow()
        except (EngineError, clients.NoCredential, CannotOpen) as problem:
            _log.info("form builder without the flow: %r", problem)
            return None

    def save(self, form: Form, lock: int | None, *, flow_name: str = "") -> LaunchForm:
        """Writes the draft. Raises Stale, BadForm."""
        name = flow_name or self.name
        return launch_forms.save(actor(self.request), self.request.access, self.flow_id, name, form, lock=lock)


def find(request: ConsoleRequest, flow_id: str, *, wanted: bool = False) -> Place:
    """The form of a flow. Raises Http404 for an id that is none, and where there is no form but `wanted`; CannotOpen.

    Where there is no form yet, the engine is asked whether there is such a flow here: raises EngineError, NoCredential.
    """
    if not flow_id.strip(" ./"):
        raise Http404
    row = launch_forms.of(request.access.workspace, flow_id)
    form, drafted = None, False
    if row is not None:
        form = launch_forms.draft_of(row)
        drafted = form is not None
        if form is None and row.published is not None:
            form = launch_forms.form_of(row.published)
    if wanted and form is None:
        raise Http404
    known = _asked(request, flow_id) if row is None else None
    return Place(request, flow_id, row, form, drafted, known)


def lock_of(request: ConsoleRequest) -> int | None:
    """The lock that the sent page knew; one that fits nothing where it is no number."""
    text = request.POST.get("lock", "")
    if text == "":
        return None
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _asked(request: ConsoleRequest, flow_id: str) -> Known:
    asker = caller.of(request.access)
    return asker, dict(asker.workflows.get_flow(flow_id))


def flow_name(flow: dict[str, Any]) -> str:
    """What the flow is called, as a form keeps it."""
    found = pick(flow, "version.displayName")
    return found[:500] if isinstance(found, str) else ""


def told(request: ConsoleRequest, stale: Stale) -> None:
    """Tells that somebody else was quicker, for a page that shows the form as it is now."""
    messages.warning(request, stale_words(stale))


def stale_words(stale: Stale) -> str:
    """Who changed the form meanwhile."""
    row = stale.form
    if row is None:
        return _("This form was changed in another window meanwhile. Nothing of what you asked for was done.")
    return _(
        "%(person)s changed this form meanwhile, perhaps in another window. Nothing of what you asked for was done."
    ) % {"person": row.updated_by.label}


def back(place: Place, **query: str) -> HttpResponse:
    """To the builder's page; a fragment of it where htmx asked for one (a browser follows 303 with the headers of htmx)."""
    return respond.SeeOther(place.url(**query))

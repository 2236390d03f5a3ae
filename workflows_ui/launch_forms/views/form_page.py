"""The page for filling in a launch form: selection of the form, data from the engine, and rendering.

There is always a form: the published one, else one derived from the flow's steps, else one with a single field for JSON.
"""

import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from workflows_ui.core import database, formats, json_errors, json_text, redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.secret_names import MASK
from workflows_ui.core.text import Message
from workflows_ui.credentials import messages as credential_messages
from workflows_ui.credentials.models import KEPT_IN_RUNS
from workflows_ui.credentials.services import clients, engine_session
from workflows_ui.engine import AddressRefused, EngineError, NotFound, NotSent, Timeouts, TooLarge, Unavailable
from workflows_ui.form_schema import checking, schema_in, schema_out
from workflows_ui.form_schema.checking import Data, Shown
from workflows_ui.form_schema.document import NOTHING, BadForm, Field, FieldKind, Form
from workflows_ui.launch_forms import choices as launch_choices, messages as form_messages, signed_state
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.forms.fields import FormView
from workflows_ui.launch_forms.models import LaunchFormVersion
from workflows_ui.launch_forms.proposal import changes
from workflows_ui.launch_forms.services import launch_forms, saved_inputs, sources as form_sources
from workflows_ui.launch_forms.views import prefill
from workflows_ui.launches import flow_facts
from workflows_ui.launches.flow_facts import Facts
from workflows_ui.launches.models import Launch, State
from workflows_ui.launches.services import launches, secrets as launch_secrets
from workflows_ui.members import messages as launch_right_messages
from workflows_ui.members.models import Role, Workspace
from workflows_ui.members.services import access as member_access, launch_rights
from workflows_ui.members.services.access import Access, Acting
from workflows_ui.resources.flows.effects import effects_at_once
from workflows_ui.run_index.services import indexes, uses
from workflows_ui.web import markdown, messages, responses
from workflows_ui.web.requests import ConsoleRequest

#: Timeouts of the engine for a published form, which can be displayed without it.
PATIENCE = Timeouts(connect=3.0, read=6.0, total=6.0, pause=1.0)
#: The name of the control for a payload as JSON; no other field has it (document.RESERVED).
_JSON = "payload"
_SHAPE_SALT, _NAME_SALT = "workflows_ui.launch.shape", "workflows_ui.launch.flow"
_log = logging.getLogger(__name__)


@dataclass
class EngineAnswers:
    """Data from the engine, as far as it could be loaded: the flow's facts, the live choices, and the problem.

    `away`: the engine does not answer, so that a launch can be kept.
    """

    facts: Facts | None = None
    options: launch_choices.Choices = field(default_factory=dict)
    problem: Message | None = None
    away: bool = False


@dataclass(frozen=True)
class LaunchFormPage:
    """The page with the form to fill in.

    Attributes:
        version: the published version; None for a form that nobody has reviewed.
        shape: the signed document of a proposed form, which is embedded in its page; empty for others.
        published: the published form if JSON is typed instead: its secret fields stay secret.
        facts: the flow's facts, if they were loaded to find the form.
        stored_name: the flow's name as the console knows it, where the engine did not give the facts to find the form.
        away: why it did not.
    """

    request: ConsoleRequest
    flow_id: str
    form: Form
    version: LaunchFormVersion | None = None
    shape: str = ""
    published: Form | None = None
    facts: Facts | None = None
    stored_name: str = ""
    away: Message | None = None

    @property
    def as_json(self) -> bool:
        """Whether the payload is typed as JSON."""
        return self.version is None and not self.shape

    @property
    def builder_form(self) -> Form:
        """The published form, also if JSON is typed instead; else the one to fill in."""
        return self.published or self.form

    @cached_property
    def credential_options(self) -> list[Acting]:
        """The credentials that the person may launch with, the one that acts for them first."""
        return member_access.credential_options(self.request.access.user, self.request.access.workspace)

    @property
    def acting(self) -> Acting | None:
        """The credential that acts for the person, unless another is chosen."""
        return next(iter(self.credential_options), None)

    @property
    def chosen_credential(self) -> Acting | None:
        """The credential chosen in the posted form. None without a choice, or if it can no longer be used."""
        wanted = self.request.POST.get("_credential", "")
        options = self.credential_options if wanted else ()
        return next((option for option in options if str(option.credential.pk) == wanted), None)

    @cached_property
    def keep_form(self) -> posted.KeepForm:
        """Whether the launch is kept while the engine does not answer."""
        return posted.KeepForm(self.request.POST if self.request.method == "POST" else None)

    @cached_property
    def silence(self) -> Message | None:
        """That the engine does not answer, according to the run index: then the page does not wait for it."""
        since = indexes.silent_since(self.request.access.workspace)
        if since is None:
            return None
        text = _("It has not answered since %(time)s. You can launch all the same.")
        return Message(_("The engine does not answer"), text % {"time": formats.short_time(since)})

    @cached_property
    def unclear(self) -> Launch | None:
        """The earlier launch that is repeated, if it is not known whether it ran: then launching needs a confirmation."""
        wanted = self.request.POST.get("_again") or self.request.GET.get("from", "")
        rows = launches.visible_launches(self.request.access).filter(
            pk=database.storable(wanted)[:40], flow_id=self.flow_id
        )
        return rows.filter(state=State.UNKNOWN).first() if wanted else None

    def hide(self, payload: object) -> object:
        """A copy of a payload with the values of secret fields masked."""
        return checking.masked(self.builder_form, payload, MASK)

    def outdates(self, data: Data) -> bool:
        """Whether a different form was posted, because this one was published, changed or unpublished meanwhile."""
        if self.version is not None:
            return list(data.get("_version", ())) != [self.version.pk]
        return self.as_json and _JSON not in data

    def typed(self, data: Data) -> dict[str, Shown]:
        """The content of the controls after the form was posted: everything but secrets."""
        shown = checking.typed(self.form, data)
        if _JSON not in data:
            return shown
        try:
            payload = json_text.parse(data[_JSON][-1], settings.LAUNCH_JSON_BYTES)
        except json_text.BadPayload:
            return shown
        if not self.as_json:  # the form was published after the page for JSON was opened
            return checking.initial(self.form, payload, zone=timezone.get_current_timezone())
        return shown if self.hide(payload) == payload else {_JSON: json_text.pretty(self.hide(payload))}

    @property
    def posted_name(self) -> str:
        """The flow's name signed into the posted form; empty if it is missing or of another flow or workspace."""
        signed = self.request.POST.get("_flow", "")
        return signed_state.read(self.request.access.workspace, self.flow_id, signed, salt=_NAME_SALT)

    def ask_engine(self) -> EngineAnswers:
        """Load the flow's facts and live choices; cached choices if the engine is slow or down. Raises only NotFound."""
        answers = EngineAnswers()
        try:
            timeouts = PATIENCE if self.version is not None else None
            session = engine_session.open_session(self.request.access, timeouts=timeouts)
            answers.options = launch_choices.offered(session, self.flow_id, self.form)
            if self.facts is None and (message := self.away or self.silence):
                answers.problem, answers.away = message, True
                # Somebody waits for the engine: the index need not end its pause first.
                indexes.read_soon(self.request.access.workspace)
                return answers
            facts = self.facts or flow_facts.load_facts(session.workflows, self.flow_id)
            answers.facts = replace(facts, fielded=bool(self.form.fields) and not self.as_json)
            load = launch_choices.known if self.request.method == "POST" else launch_choices.load_choices
            answers.options = load(session, self.flow_id, self.form)
        except (EngineError, clients.NoCredential, CannotOpen) as problem:
            # A 404 without a code may come from a gateway and not from the engine.
            if isinstance(problem, NotFound) and problem.code:
                raise
            _log.info("launch form without facts: %r", problem)
            answers.problem, answers.away = messages.error_message(problem), is_away(problem)
        return answers

    def render(
        self,
        answers: EngineAnswers,
        shown: Mapping[str, Shown],
        *,
        wait: bool,
        ticket: str = "",
        errors: Mapping[str, str] | None = None,
        focus: str = "",
        retype: Collection[str] = (),
        status: int = 200,
        **context: object,
    ) -> HttpResponse:
        """Render the page.

        Args:
            shown: the content of the controls; `errors`, `focus` and `retype` are those of `FormView`.
            wait: whether waiting for the answer is selected.
            ticket: the one-use ticket; a new one by default.
        """
        # With htmx the file inputs stay in the page with their selection.
        uploads = {} if responses.is_fragment(self.request) else posted.uploaded(self.request)
        lost = {name: upload.name or "" for name, upload in uploads.items()}
        form_view = FormView(
            self.form, shown, errors=errors or {}, options=answers.options, files=lost, retype=retype, focus=focus
        )
        context = {
            **self._context(answers),
            "form_view": form_view,
            "whole_error": (errors or {}).get("", ""),
            "wait": wait,
            "ticket": ticket or launches.ticket(),
            **context,
        }
        return responses.page(self.request, "launch_forms/launch.html", context, status=status)

    def render_posted(
        self,
        data: Data,
        *,
        status: int = 422,
        ticket: str | None = None,
        errors: Mapping[str, str] | None = None,
        focus: str = "",
        problem: Message | None = None,
        **context: object,
    ) -> HttpResponse:
        """Render the page with everything typed but secrets, even if the engine cannot be called. Raises NotFound."""
        # Adding a line in place, and reviewing, need no data from the engine.
        partial = bool(focus or context.get("review")) and responses.is_fragment(self.request)
        answers = EngineAnswers() if partial else self.ask_engine()
        answers.problem = problem or answers.problem
        return self.render(
            answers,
            self.typed(data),
            wait=self.request.POST.get("_how") == "wait",
            ticket=self.request.POST.get("ticket", "") if ticket is None else ticket,
            errors=errors,
            focus=focus,
            retype=posted.typed_secrets(self.form, data),
            status=status,
            **context,
        )

    def _context(self, answers: EngineAnswers) -> dict[str, object]:
        """The context about the flow, the person and the form as a whole."""
        request, access, facts = self.request, self.request.access, answers.facts
        acting = self.acting
        stored_name = self.version.form.flow_name if self.version else self.stored_name
        query = "?_as=json" if request.GET.get("_as") == "json" else ""
        name = (facts.name if facts else self.posted_name) or stored_name or self.flow_id
        rights = map(launch_right_messages.left, launch_rights.flow_rights(access, self.flow_id))
        # What the flow now reads and the published form does not send.
        missing = changes.fit(self.form, facts.tree).missing if self.version and facts else {}
        return {
            "flow_id": self.flow_id,
            "name": name,
            "signed_name": signed_name(access.workspace, self.flow_id, name),
            "page": self,
            "query": query,
            # Without a published or proposed form, JSON is the only tab, unless it was requested.
            "tabs": access.allows(Role.BUILDER) if self.version or self.published else bool(self.shape or query),
            "note": markdown.html(self.form.note),
            "facts": facts,
            "problem": answers.problem,
            "lacking": ", ".join(" › ".join(key[:40] for key in path) for path in [*missing][:5]),
            "acting": acting.credential if acting else None,
            "acting_words": credential_messages.acting_label(acting) if acting else "",
            "in_runs": acting is not None and acting.credential.kind in KEPT_IN_RUNS,
            "left": [text for text in rights if text],
            "largest_payload": settings.LAUNCH_JSON_BYTES,
            "secrets_as_json": self.as_json and FieldKind.SECRET in self.builder_form.kinds,
            "json_hints": json_errors.HINTS,
            "json_problems": json_errors.problems(),
            # The person's own, then shared ones. Earlier launches are loaded later (views/earlier.py).
            "saved": sorted(
                saved_inputs.usable_inputs(access, self.flow_id).defer("payload"),
                key=lambda row: row.owner_id != access.user.pk,
            ),
            "save": {"name": request.POST.get("_save_name", ""), "shared": request.POST.get("_save_shared") == "yes"},
            "credential_options": credential_messages.option_labels(self.credential_options),
            "chosen_credential": request.POST.get("_credential", ""),
            "keep": self.keep_form if answers.away or "_keep" in request.POST else None,
            "given_up_after": int(settings.LAUNCH_TOO_LATE.total_seconds()) // 60,
            **effects_at_once(access, self.flow_id, facts),
            "effects": form_messages.effects(self.builder_form),
        }


def page_for(request: ConsoleRequest, id: str) -> LaunchFormPage:
    """The form to fill in, or that was posted.

    JSON is typed with `?_as=json`, which is only for builders if a form is published, and if no form can be derived from the flow's
    steps. A GET without a published form loads the flow from the engine: raises EngineError and NoCredential. While the engine does not
    answer, JSON is typed for a flow that the console knows.
    """
    workspace = request.access.workspace
    json_wanted = request.GET.get("_as") == "json"
    published = None
    try:
        published = launch_forms.published(workspace, id)
    except CannotOpen:
        _log.exception("the launch form of %s cannot be opened", id)
        json_wanted = True
    if published is not None and not (json_wanted and request.access.allows(Role.BUILDER)):
        return LaunchFormPage(request, id, posted.launchable(published[1]), version=published[0])
    help_text = _("The data passed to the flow. If empty, the flow gets {}.")
    json_field = Field(_JSON, (), label=_("Values (JSON)"), kind=FieldKind.JSON, default={}, help=help_text)
    json_page = LaunchFormPage(request, id, Form((json_field,)), published=published[1] if published else None)
    if request.method == "POST":
        shape = "" if json_wanted else request.POST.get("_shape", "")
        # Empty too if the shape belongs to another flow or workspace.
        document = signed_state.read(workspace, id, shape, salt=_SHAPE_SALT)
        form = schema_in.read_trusted(json.loads(document)) if document else None
        return LaunchFormPage(request, id, posted.launchable(form), shape=shape) if form else json_page
    if json_page.silence and (name := _known_name(request.access, id)):
        return replace(json_page, stored_name=name, away=json_page.silence)
    try:
        facts = flow_facts.load_facts(engine_session.open_session(request.access).workflows, id)
    except EngineError as problem:
        if not (is_away(problem) and (name := _known_name(request.access, id))):
            raise
        return replace(json_page, stored_name=name, away=messages.error_message(problem))
    proposed = None if json_wanted else _proposal(request, id, facts)
    return replace(proposed or json_page, facts=facts)


def is_away(problem: Exception) -> bool:
    """Whether the engine did not answer, rather than refuse or give something that cannot be read."""
    return isinstance(problem, NotSent | Unavailable) and not isinstance(problem, AddressRefused | TooLarge)


def _known_name(access: Access, flow_id: str) -> str:
    """The name, else the id, of a flow that the console knows: that was launched here before, has a launch form, may be launched by a
    right, or is in the run index. Empty for any other.
    """
    launched = Launch.objects.filter(workspace=access.workspace, flow_id=flow_id).order_by("-asked_at")
    name = launched.values_list("flow_name", flat=True).first()
    if name is None and (form := launch_forms.find_form(access.workspace, flow_id)):
        name = form.flow_name
    if name is None and (rights := launch_rights.flow_rights(access, flow_id)):
        name = rights[0].flow_name
    if name is None and (index := indexes.readable(access.workspace, access.user.pk)):
        run = indexes.latest_run(index.pk, flow_id)
        flows = uses.current(index.pk, "flows").filter(object_id=flow_id[:64])
        name = run.flow_name if run else flows.values_list("name", flat=True).first()
    return "" if name is None else name or flow_id


def _proposal(request: ConsoleRequest, id: str, facts: Facts) -> LaunchFormPage | None:
    """The form derived from what the flow's steps read; without fields if they read nothing.

    None if the flow accepts any values, so that no form can be derived, and if the form would lose values of the requested earlier
    launch or saved inputs.
    """
    access = request.access
    prefilled = prefill.requested(request, id)
    wanted = redaction.without_masked(prefilled.payload) if prefilled is not None else NOTHING

    def last() -> object:
        launch = launches.latest_launch(access.user, access.workspace, id)
        return launch_secrets.masked_payload(launch) if launch is not None else None

    try:
        workflows = engine_session.open_session(access).workflows
        form = form_sources.propose_for_launcher(workflows, id, facts.tree, wanted, last)
    except (BadForm, EngineError, CannotOpen) as problem:
        _log.warning("no form follows from flow %s: %r", id, problem)
        return None
    # No better than an input for JSON: it is one, or the flow accepts any values.
    trivial = [field.kind for field in form.fields] == [FieldKind.JSON]
    trivial = trivial or (not form.fields and form_sources.reads_everything(facts.tree))
    if trivial or (wanted and checking.paths_without_field(form, wanted)):
        return None
    document = json.dumps(schema_out.to_schema(form), separators=(",", ":"))
    shape = signed_state.sign(access.workspace, id, document, salt=_SHAPE_SALT)
    return LaunchFormPage(request, id, posted.launchable(form), shape=shape)


def signed_name(workspace: Workspace, flow_id: str, name: str) -> str:
    """The value of the hidden field `_flow`: the flow's name, signed for this workspace and flow, so that launching needs no engine."""
    return signed_state.sign(workspace, flow_id, name, salt=_NAME_SALT)

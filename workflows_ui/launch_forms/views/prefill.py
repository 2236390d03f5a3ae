"""Initial values of a launch form: an earlier launch, saved inputs, a link, the person's last values, the flow's sample event."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from workflows_ui.core import redaction
from workflows_ui.core.crypto import CannotOpen
from workflows_ui.core.paths import id_at
from workflows_ui.credentials.services import engine_session
from workflows_ui.engine import EngineError, NotFound
from workflows_ui.form_schema import checking
from workflows_ui.form_schema.checking import Data, Shown
from workflows_ui.form_schema.document import NOTHING, Field, FieldKind, Form
from workflows_ui.launch_forms.forms import posted
from workflows_ui.launch_forms.models import SavedInputs
from workflows_ui.launch_forms.services import saved_inputs
from workflows_ui.launches import flow_facts
from workflows_ui.launches.models import Launch
from workflows_ui.launches.services import launches, secrets as launch_secrets
from workflows_ui.members.models import Role
from workflows_ui.runs import masking
from workflows_ui.web.requests import ConsoleRequest

#: Most characters of a link that fills the form.
LONGEST = 8_000
#: Parameters of the query string that are not fields.
_RESERVED = frozenset({"from", "saved", "_run", "_as"})
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prefill:
    """Values to fill a form with.

    Attributes:
        payload: the values, secrets masked, or NOTHING.
        wait: whether to wait for the answer; None if unspecified.
        notes: messages to display.
        credential: the key of the credential that was chosen; "" for the one that acts for the person.
    """

    payload: object = NOTHING
    wait: bool | None = None
    notes: Sequence[str] = ()
    credential: str = ""


def requested(request: ConsoleRequest, id: str) -> Prefill | None:
    """The values for `?from=<launch>`, `?saved=<saved inputs>` or `?_run=<run>`; None without these parameters. Raises EngineError."""
    access = request.access
    launch_id, saved_id = request.GET.get("from", "")[:40], request.GET.get("saved", "")[:40]
    if launch_id:
        launch = launches.visible_launches(access).filter(pk=launch_id, flow_id=id).first()
        missing = _("The earlier launch was not found, so the form is empty.")
        return _from_launch(launch) if launch else Prefill(notes=[missing])
    if saved_id:
        row = saved_inputs.usable_inputs(access, id).filter(pk=saved_id).first()
        missing = _("The saved inputs were not found. They may have been deleted.")
        return _from_saved(row) if row else Prefill(notes=[missing])
    run_id = request.GET.get("_run", "")[:64]
    if run_id and "run" not in access.found:
        access.found["run"] = _from_run(request, id, run_id)
    return access.found["run"] if run_id else None


def _from_run(request: ConsoleRequest, id: str, run_id: str) -> Prefill:
    """What a run of the flow was given, as far as the person may see it on the run's page."""
    access = request.access
    missing = Prefill(notes=[_("The run was not found, so the form is empty.")])
    if not access.allows(Role.VIEWER) or not access.sees("runs"):
        return missing
    session = engine_session.open_session(access)
    try:
        (run,) = masking.masked(session, [session.workflows.get_run(run_id)])
    except NotFound:
        return missing
    if id_at(run, "flowId") != id:
        return missing
    payload = masking.body(run)
    if payload is None:
        return Prefill(notes=[_("The inputs of this run are no longer kept, or not shown to you. The form is empty.")])
    return Prefill(
        payload, notes=[_("Filled in with the inputs of an earlier run. Make changes if needed, then launch.")]
    )


def _from_launch(launch: Launch) -> Prefill:
    if not launch.payload:
        return Prefill(wait=launch.wait, notes=[_("The earlier launch's values are no longer kept.")])
    try:
        payload = launch_secrets.masked_payload(launch)
    except CannotOpen:
        return Prefill(wait=launch.wait, notes=[_("The earlier launch's values cannot be opened any more.")])
    notes = [_("Filled in from an earlier launch. Make changes if needed, then launch.")]
    files = list(launch.files.values_list("name", flat=True))
    if files:
        again = ngettext("Choose its file again: %(names)s.", "Choose its files again: %(names)s.", len(files))
        notes.append(again % {"names": ", ".join(files)[:300]})
    return Prefill(payload, launch.wait, notes, str(launch.credential_id) if launch.credential_chosen else "")


def _from_saved(row: SavedInputs) -> Prefill:
    try:
        payload = redaction.step(saved_inputs.open_values(row))
    except CannotOpen:
        return Prefill(notes=[_("The saved inputs cannot be opened any more.")])
    return Prefill(payload, notes=[_("Filled in from the saved inputs “%(name)s”.") % {"name": row.name}])


def latest(request: ConsoleRequest, id: str, *, away: bool = False) -> Prefill:
    """The person's last values for the flow, else those of its sample event, unless the engine is known to be `away`."""
    access = request.access
    last = launches.visible_launches(access).filter(user=access.user, flow_id=id).first()
    wait = last.wait if last is not None else None
    last_readable = launches.latest_launch(access.user, access.workspace, id)
    if last_readable is not None:
        try:
            return Prefill(launch_secrets.masked_payload(last_readable), wait, [_("Your last values for this flow")])
        except CannotOpen as problem:
            _log.info("launch form without the last values: %r", problem)
    if away:
        return Prefill(wait=wait)
    try:
        events = engine_session.open_session(access).workflows.list_trigger_events(id, limit=1)
    except EngineError as problem:
        _log.info("launch form without a sample: %r", problem)
        events = {}
    sample = flow_facts.sample(events)
    if sample is None:
        return Prefill(wait=wait)
    return Prefill(redaction.step(sample), wait, [_("The flow's sample values")])


def lost(form: Form, payload: object) -> list[str]:
    """A note about values without a field in the form."""
    paths = checking.paths_without_field(form, payload) if payload is not NOTHING else []
    names = ", ".join(" › ".join(key[:40] for key in path) or _("the whole body") for path in paths[:10])
    text = _("This form has no field for some of the values, which are left out: %(places)s.")
    return [text % {"places": names}] if paths else []


# --- Links -----------------------------------------------------------------------------------------


def read_link(
    request: ConsoleRequest, form: Form, options: posted.Options
) -> tuple[dict[str, Shown], dict[str, str], list[str]]:
    """The values of the query string (`?field=value`) by visible field, as if they had been typed; errors by control; notes."""
    if len(request.META.get("QUERY_STRING", "")) > LONGEST:
        return {}, {}, [_("The link was too long, so nothing was filled in.")]
    given = posted.tidied(form, dict(request.GET.lists()), options)
    fields = {control: control.partition("[")[0] for control in given}
    named = set(fields.values()).intersection(field.name for field in form.fields if _fillable_by_link(field))
    shown = {name: text for name, text in checking.typed(form, given).items() if name in named}
    checked = checking.Checked(checking.optional(form), given, options=options, zone=timezone.get_current_timezone())
    errors = {control: text for control, text in checked.errors.items() if control.partition("[")[0] in named}
    unknown = [control[:40] for control, name in fields.items() if control not in _RESERVED and name not in named]
    text = _("This form does not ask for some of what the link names, so it is left out: %(names)s.")
    return shown, errors, [text % {"names": ", ".join(unknown[:10])}] if unknown else []


def _fillable_by_link(form_field: Field) -> bool:
    """Whether links may fill the field. Not files, which are chosen at launch, nor secrets: links end up in histories and logs."""
    return not form_field.hidden and form_field.kind is not FieldKind.FILE and not posted.holds_secret(form_field)


def link_to(request: ConsoleRequest, id: str, form: Form, data: Data) -> str:
    """The link that fills the form with the typed values; empty if it would be too long."""
    pairs: list[tuple[str, str]] = []
    for form_field in form.fields:
        if not _fillable_by_link(form_field):
            continue
        names = [form_field.name]
        if form_field.kind is FieldKind.TABLE:
            names = [name for name in data if name.startswith(f"{form_field.name}[")]
        pairs += [(name, text) for name in names for text in data.get(name, ()) if text]
    path = reverse("flow_launch", args=[request.access.workspace.slug, id])
    address = request.build_absolute_uri(f"{path}?{urlencode(pairs)}" if pairs else path)
    return address if len(address) <= LONGEST else ""

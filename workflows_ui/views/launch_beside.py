"""What stands beside the form of a launch, however its values are given: who acts, earlier launches and saved inputs to fill it from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from workflows_ui.crypto import CannotOpen
from workflows_ui.forming import checking
from workflows_ui.forming.document import NOTHING, Form
from workflows_ui.kit import credential_words, launch_right_words, respond
from workflows_ui.kit.flow_facts import Facts
from workflows_ui.kit.request import ConsoleRequest, actor
from workflows_ui.models import Launch, Role, SavedInputs
from workflows_ui.services import access, launch_rights, launches, saved_inputs
from workflows_ui.views import flow_does

#: Earlier launches to fill the form from.
EARLIER = 5


@dataclass(frozen=True)
class Start:
    """What a form is filled with: a payload (NOTHING for none), whether to wait (None where nobody said), and what to tell about it."""

    payload: Any = NOTHING
    wait: bool | None = None
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Beside:
    """What the form can be filled from."""

    mine: list[SavedInputs]
    shared: list[SavedInputs]
    earlier: list[Launch]
    builder: bool


def common(request: ConsoleRequest, id: str, name: str, facts: Facts | None) -> dict[str, Any]:
    """What every launch form's page shows about the flow and the person."""
    place = request.access
    acting = access.acting(place.user, place.workspace)
    return {
        "flow_id": id,
        "name": name,
        "facts": facts,
        "acting": acting.credential if acting else None,
        "acting_words": credential_words.whose(acting) if acting else "",
        "in_runs": acting is not None and credential_words.kept_in_runs(acting.credential),
        "left": [said for right in launch_rights.on(place, id) if (said := launch_right_words.left(right))],
        "paused": place.workspace.launching_paused,
        "builder": place.allows(Role.BUILDER),
        **flow_does.at_once(place, id, facts),
    }


def beside(request: ConsoleRequest, id: str) -> Beside:
    """Saved inputs (one's own, the team's), and the latest launches that the person may see and whose values are still kept."""
    place = request.access
    rows = list(saved_inputs.of_flow(place, id).defer("payload"))
    earlier = launches.of_workspace(place).filter(flow_id=id).exclude(payload="").defer("payload", "answer", "failure")
    return Beside(
        mine=[row for row in rows if row.owner_id == place.user.pk],
        shared=[row for row in rows if row.owner_id != place.user.pk],
        earlier=list(earlier[:EARLIER]),
        builder=place.allows(Role.BUILDER),
    )


def start(request: ConsoleRequest, id: str, form: Form) -> Start:
    """What `?from=<launch>` or `?saved=<saved inputs>` fills a form with."""
    place = request.access
    wanted, saved = request.GET.get("from", "")[:40], request.GET.get("saved", "")[:40]
    launch = launches.of_workspace(place).filter(pk=wanted, flow_id=id).first() if wanted else None
    row = saved_inputs.of_flow(place, id).filter(pk=saved).first() if saved else None
    if launch is not None:
        return _from_launch(launch, form)
    if wanted:
        return Start(told=[_("The earlier launch was not found, so the form is empty.")])
    if row is not None:
        try:
            payload = saved_inputs.values_of(row)
        except CannotOpen:
            return Start(told=[_("The saved inputs cannot be opened any more.")])
        told = [_("Filled in from the saved inputs “%(name)s”.") % {"name": row.name}]
        return Start(payload, None, [*told, *_lost(form, payload)])
    if saved:
        return Start(told=[_("The saved inputs were not found. They may have been deleted.")])
    return Start()


def wants_to_save(request: ConsoleRequest) -> bool:
    """Whether a form that was sent is to be saved and not launched: by its button, or by Enter with a name for the inputs typed."""
    named = request.POST.get("_save_name", "").strip()
    return "_save" in request.POST or ("_enter" in request.POST and bool(named))


def typed_save(request: ConsoleRequest) -> dict[str, Any]:
    """What launches/save_inputs.html shows again: the name that was typed, and whether to share."""
    return {"name": request.POST.get("_save_name", ""), "shared": request.POST.get("_save_shared") == "yes"}


def save(request: ConsoleRequest, id: str, payload: Any) -> HttpResponse | str:
    """Saves a payload under the name that was typed and leads to the form filled from it; or says why not."""
    typed = typed_save(request)
    name = typed["name"].strip()
    if not name:
        return _("Give the inputs a name.")
    try:
        row = saved_inputs.save(actor(request), request.access, id, name, payload, shared=typed["shared"])
    except saved_inputs.TooManySaved:
        return _("You have saved %(most)s inputs for this flow. Delete one first.") % {"most": saved_inputs.MOST}
    messages.success(request, _("The inputs are saved as “%(name)s”.") % {"name": row.name})
    as_json = {"_as": "json"} if request.GET.get("_as") == "json" else {}
    slug = request.access.workspace.slug
    return respond.redirect(request, reverse("flow_launch", args=[slug, id], query={"saved": row.pk, **as_json}))


def saved_payload(request: ConsoleRequest, id: str) -> Any | None:
    """The values of `?saved=<saved inputs>`; None where there are none of the person's, or they cannot be opened."""
    saved = request.GET.get("saved", "")[:40]
    row = saved_inputs.of_flow(request.access, id).filter(pk=saved).first() if saved else None
    try:
        return saved_inputs.values_of(row) if row is not None else None
    except CannotOpen:
        return None


def _from_launch(launch: Launch, form: Form) -> Start:
    if not launch.payload:
        return Start(wait=launch.wait, told=[_("The earlier launch's values are no longer kept.")])
    try:
        payload = launches.shown_payload(launch)
    except CannotOpen:
        return Start(wait=launch.wait, told=[_("The earlier launch's values cannot be opened any more.")])
    told = [_("Filled in from an earlier launch. Change what you like, then launch.")]
    files = list(launch.files.values_list("name", flat=True))
    if files:
        words = {"names": ", ".join(files)[:300]}
        told.append(
            ngettext("Choose its file again: %(names)s.", "Choose its files again: %(names)s.", len(files)) % words
        )
    return Start(payload, launch.wait, [*told, *_lost(form, payload)])


def _lost(form: Form, payload: Any) -> Iterable[str]:
    """What of a payload has no field in the form."""
    lost = checking.left_over(form, payload)
    if lost:
        places = ", ".join(" › ".join(key[:40] for key in path) or _("the whole body") for path in lost[:10])
        yield _("This form has no field for some of the values, which are left out: %(places)s.") % {"places": places}
